//! The contract, from the handlers' own types. What is true of every operation (who may, what can
//! go wrong, the idempotency key) is added from the table of routes, so that it cannot differ.

use std::sync::LazyLock;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, ContentBuilder, Ref, RefOr, Required, ResponseBuilder,
        path::{HttpMethod, Operation, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    access::{ROUTES, Route},
    problem::ProblemDetails,
    routes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hälsonav",
        version = "1.0.0",
        description = "The integration hub for riktade hälsosamtal. What changes a case is answered with 202 when it is durable; the case then shows what came of it. Problems follow RFC 9457; programs go by `code`. Residents are random ids: a personal identity number comes in the body of a search alone.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This hub")),
    tags(
        (name = "rounds", description = "Campaigns and their counts"),
        (name = "cohorts", description = "Who is to be invited"),
        (name = "cases", description = "One resident in one round"),
        (name = "records", description = "What is known of a case"),
        (name = "residents", description = "What the resident said"),
        (name = "bookings", description = "Times at the unit"),
        (name = "work", description = "Work for people"),
        (name = "messages", description = "Messages to processes"),
        (name = "operations", description = "What an operator does to a case"),
        (name = "incidents", description = "Where the hub needs a human"),
        (name = "lanes", description = "The commands of one adapter on their way out"),
        (name = "definitions", description = "What cases run on"),
        (name = "audit", description = "Who did what with whose data"),
        (name = "research", description = "Data of those who consented"),
        (name = "health", description = "The hub itself"),
    ),
    components(schemas(ProblemDetails)),
    paths(
        routes::rounds::units, routes::rounds::list, routes::rounds::one, routes::rounds::ledger, routes::rounds::funnel,
        routes::statistics::statistics, routes::cohorts::list, routes::cohorts::import,
        routes::cases::list, routes::search::search, routes::cases::one, routes::identity::who,
        routes::records::list, routes::records::profile,
        routes::documents::picture, routes::documents::list, routes::documents::one,
        routes::bookings::slots, routes::bookings::book,
        routes::facts::decline, routes::facts::opt_out, routes::facts::consent,
        routes::measurements::measurements, routes::forms::answer,
        routes::operations::suspend, routes::operations::resume, routes::operations::cancel, routes::operations::variables,
        routes::messages::message,
        routes::work_items::list, routes::work_items::one, routes::work_items::claim, routes::work_items::release,
        routes::work_result::complete,
        routes::incidents::list, routes::incidents::one, routes::incidents::retry, routes::incidents::skip,
        routes::lanes::list, routes::lanes::stop, routes::lanes::start,
        routes::definitions::list, routes::definitions::one, routes::definitions::picture,
        routes::audit::list, routes::audit::verify, routes::audit::extract,
        routes::research::export,
        routes::health::live, routes::health::ready, routes::health::metrics, routes::health::contract,
    ),
    modifiers(&Common)
)]
struct Contract;

struct Common;

/// The contract as JSON.
pub(crate) fn text() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut text = Contract::openapi().to_pretty_json().unwrap_or_default();
        text.push('\n');
        text
    });
    &TEXT
}

impl Modify for Common {
    fn modify(&self, contract: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT");
        let bearer = bearer.description(Some(
            "RS256 or ES256 by the pinned issuer; claims `roles` and `units`".to_owned(),
        ));
        if let Some(components) = contract.components.as_mut() {
            components.security_schemes.insert(
                "bearer".to_owned(),
                RefOr::T(SecurityScheme::Http(bearer.build())),
            );
        }
        for (path, item) in &mut contract.paths.paths {
            for (method, operation) in [
                (HttpMethod::Get, &mut item.get),
                (HttpMethod::Post, &mut item.post),
            ] {
                let Some(operation) = operation else { continue };
                let method = if method == HttpMethod::Get {
                    "GET"
                } else {
                    "POST"
                };
                match ROUTES
                    .iter()
                    .find(|route| route.path == path && route.method == method)
                {
                    Some(route) => closed(operation, route),
                    None => open(operation, path),
                }
            }
        }
    }
}

/// An operation that needs a token.
fn closed(operation: &mut Operation, route: &Route) {
    operation.operation_id = Some(route.operation.to_owned());
    operation.security = Some(vec![SecurityRequirement::new(
        "bearer",
        Vec::<String>::new(),
    )]);
    let roles: Vec<_> = route
        .allowed
        .iter()
        .map(|role| format!("`{}`", role.as_str()))
        .collect();
    let more = operation.description.take().unwrap_or_default();
    operation.description = Some(
        format!("{more}\n\nRoles: {}.", roles.join(", "))
            .trim()
            .to_owned(),
    );
    let mut problems = vec![
        ("401", "No valid token"),
        ("403", "Not allowed"),
        ("500", "The hub failed"),
        ("503", "Not at this moment"),
    ];
    if route.path.contains('{') || route.operation == "export-research" {
        problems.push(("404", "No such thing, or not the caller's to know of"));
    }
    if route.method == "POST"
        || operation.parameters.as_ref().is_some_and(|list| {
            list.iter()
                .any(|one| matches!(one, RefOr::T(one) if one.parameter_in == ParameterIn::Query))
        })
    {
        problems.push(("400", "It cannot be read"));
    }
    if route.method == "POST" {
        problems.extend([
            ("409", "Not in a state for this"),
            ("413", "Too large"),
            ("415", "Not of a media type that is read here"),
            ("422", "Understood, and not acceptable"),
        ]);
    }
    for (status, what) in problems {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(problem(what)));
    }
    if route.keyed {
        let key = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some("draft-ietf-httpapi-idempotency-key-header-07: the same key with the same request is answered as the first time and done once; with another request it is refused (422)."))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255))))
            .build();
        operation
            .parameters
            .get_or_insert_default()
            .push(RefOr::T(key));
    }
}

/// An operation that anyone may use.
fn open(operation: &mut Operation, path: &str) {
    operation.operation_id = Some(match path {
        "/health/live" => "is-alive".to_owned(),
        "/health/ready" => "is-ready".to_owned(),
        _ => "get-contract".to_owned(),
    });
    operation.security = Some(Vec::new());
    operation
        .responses
        .responses
        .entry("503".to_owned())
        .or_insert_with(|| RefOr::T(problem("Not at this moment")));
}

fn problem(what: &str) -> openapi::Response {
    let content: Content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ProblemDetails")))
        .build();
    ResponseBuilder::new()
        .description(what)
        .content("application/problem+json", content)
        .build()
}
