//! The HTTP API: OpenAPI 3.1, problem+json, JWT.
