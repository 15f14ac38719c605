//! What goes wrong, as a client sees it: RFC 9457 problem+json with stable types.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use halsonav_domain::{Kind, Problem};
use serde::Serialize;
use utoipa::ToSchema;

/// A problem (RFC 9457). Programs go by `code`, people by `title` and `detail`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProblemDetails {
    /// `urn:halsonav:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, the same for every problem with this code.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// Stable code.
    pub code: String,
    /// More about this time, when there is more. Never personal data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Everything that was wrong, when that is several things.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

/// A failure of a request.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    code: String,
    title: &'static str,
    detail: Option<String>,
    faults: Vec<String>,
    retry_after: Option<u32>,
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $code:literal, $title:literal;)+) => {
        impl Fault {
            $($(#[$doc])* pub(crate) fn $name() -> Self { Self::new(StatusCode::$status, $code, $title) })+
        }
    };
}

faults! {
    /// No token, or not one of ours. Never says why.
    unauthorized = UNAUTHORIZED, "HUB-API-001", "a valid token is needed";
    /// The token is good, the role is not enough.
    forbidden = FORBIDDEN, "HUB-API-002", "not allowed";
    /// Not there, or not the caller's to know of.
    not_found = NOT_FOUND, "HUB-API-003", "there is no such thing";
    /// The body cannot be read.
    body = BAD_REQUEST, "HUB-API-004", "the body cannot be read";
    /// The body is too large.
    too_large = PAYLOAD_TOO_LARGE, "HUB-API-005", "the body is too large";
    /// The body is of another kind than asked for.
    media_type = UNSUPPORTED_MEDIA_TYPE, "HUB-API-006", "the body is not of a media type that is read here";
    /// No Idempotency-Key.
    key_missing = BAD_REQUEST, "HUB-API-007", "an Idempotency-Key is needed";
    /// The key was used for another request.
    key_reused = UNPROCESSABLE_ENTITY, "HUB-API-008", "the Idempotency-Key was used for another request";
    /// The same request is being answered at this moment.
    in_progress = CONFLICT, "HUB-API-009", "the same request is being answered";
    /// Understood, and not acceptable.
    unacceptable = UNPROCESSABLE_ENTITY, "HUB-API-010", "the request is understood and cannot be accepted";
    /// It has changed since, or is not in a state for this.
    conflict = CONFLICT, "HUB-API-011", "it is not in a state for this, or has changed since";
    /// A personal identity number where none may stand.
    identity = UNPROCESSABLE_ENTITY, "HUB-API-012", "a personal identity number may not stand here";
    /// The path is known, the method is not.
    method = METHOD_NOT_ALLOWED, "HUB-API-013", "the method is not known here";
    /// A query parameter cannot be read.
    query = BAD_REQUEST, "HUB-API-014", "a query parameter is unknown or cannot be read";
    /// Our own fault.
    internal = INTERNAL_SERVER_ERROR, "HUB-API-015", "the hub failed";
    /// Not now.
    unavailable = SERVICE_UNAVAILABLE, "HUB-API-016", "the hub cannot do it at this moment";
}

impl Fault {
    fn new(status: StatusCode, code: &str, title: &'static str) -> Self {
        Self {
            status,
            code: code.to_owned(),
            title,
            detail: None,
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// With a sentence that holds no personal data.
    pub(crate) fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// With everything that was wrong.
    pub(crate) fn with(mut self, faults: Vec<String>) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) fn details(&self) -> ProblemDetails {
        ProblemDetails {
            kind: format!("urn:halsonav:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code.clone(),
            detail: self.detail.clone(),
            faults: self.faults.clone(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.title)
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        // What is left of the body is not read either.
        if matches!(
            self.status,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PAYLOAD_TOO_LARGE
        ) {
            response.force_close();
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        let body = serde_json::to_vec(&self.details()).unwrap_or_default();
        response.content_type("application/problem+json").body(body)
    }
}

impl From<Problem> for Fault {
    /// What the hub says of an invalid, missing or conflicting thing is for the client; what it
    /// says of itself is for the log.
    fn from(problem: Problem) -> Self {
        let (fault, shown) = match problem.kind {
            Kind::Invalid => (Self::unacceptable(), true),
            Kind::NotFound => (Self::not_found(), true),
            Kind::Conflict => (Self::conflict(), true),
            Kind::Unavailable => (Self::unavailable(), false),
            Kind::Denied | Kind::Internal => (Self::internal(), false),
        };
        tracing::warn!(code = problem.code, "{}", problem.message);
        let retry_after = problem.retry_after_s;
        let mut fault = Self {
            retry_after,
            ..fault
        };
        if shown {
            fault.detail = Some(problem.message);
        }
        fault.code = problem.code;
        fault
    }
}

impl From<halsonav_storage::Error> for Fault {
    fn from(error: halsonav_storage::Error) -> Self {
        match error {
            halsonav_storage::Error::NotFound(_) => Self::not_found(),
            other => Problem::from(other).into(),
        }
    }
}
