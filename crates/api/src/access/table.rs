//! The matrix: which roles may use which route. The one place where it is decided; what stands not
//! here is refused.

use super::Role::{
    self, Assistant, Auditor, Coordinator, Integration, Leader, Monitor, Nurse, Operator,
    RegionAdmin,
};

/// A route and those who may use it.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As in the OpenAPI document.
    pub path: &'static str,
    /// Operation id there, and purpose in the audit log.
    pub operation: &'static str,
    /// Roles that may.
    pub allowed: &'static [Role],
    /// Needs an `Idempotency-Key`.
    pub keyed: bool,
}

/// Everyone who works in the programme.
const STAFF: &[Role] = &[RegionAdmin, Coordinator, Nurse, Leader, Assistant];
/// Those who see the ledger.
const LEDGER: &[Role] = &[
    RegionAdmin,
    Coordinator,
    Nurse,
    Leader,
    Assistant,
    Operator,
    Auditor,
];
/// Those who see where a case stands.
const CASES: &[Role] = &[Coordinator, Nurse, Leader, Assistant, Operator, Integration];
/// Those who see health data.
const CARE: &[Role] = &[Coordinator, Nurse, Leader];
/// Those who know or meet the resident.
const CONTACT: &[Role] = &[Coordinator, Nurse, Leader, Assistant];
/// Those who tell what the resident said or did.
const FACTS: &[Role] = &[Coordinator, Nurse, Leader, Assistant, Integration];
/// Those who do the work on the work list.
const WORK: &[Role] = &[Coordinator, Nurse, Leader, Assistant];
/// Those who mend.
const MEND: &[Role] = &[Operator];
/// Those who see how the programme is built and where it hurts.
const RUN: &[Role] = &[RegionAdmin, Coordinator, Operator, Auditor];
/// Aggregates without people.
const COUNTS: &[Role] = &[
    RegionAdmin,
    Coordinator,
    Nurse,
    Leader,
    Assistant,
    Operator,
    Auditor,
    Integration,
];

const fn get(path: &'static str, operation: &'static str, allowed: &'static [Role]) -> Route {
    Route {
        method: "GET",
        path,
        operation,
        allowed,
        keyed: false,
    }
}

const fn ask(path: &'static str, operation: &'static str, allowed: &'static [Role]) -> Route {
    Route {
        method: "POST",
        path,
        operation,
        allowed,
        keyed: false,
    }
}

const fn tell(path: &'static str, operation: &'static str, allowed: &'static [Role]) -> Route {
    Route {
        method: "POST",
        path,
        operation,
        allowed,
        keyed: true,
    }
}

/// All routes that need a token.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    get("/v1/units", "list-units", COUNTS),
    get("/v1/rounds", "list-rounds", COUNTS),
    get("/v1/rounds/{round}", "get-round", COUNTS),
    get("/v1/rounds/{round}/ledger", "get-ledger", LEDGER),
    get("/v1/rounds/{round}/funnel", "get-funnel", LEDGER),
    get("/v1/rounds/{round}/statistics", "get-statistics", COUNTS),
    get("/v1/cohorts", "list-cohorts", &[RegionAdmin, Operator]),
    tell("/v1/cohorts", "import-cohort", &[RegionAdmin]),
    get("/v1/cases", "list-cases", CASES),
    ask("/v1/cases:search", "search-cases", &[Coordinator, Nurse, Leader, Assistant, Integration]),
    get("/v1/cases/{case}", "get-case", CASES),
    get("/v1/cases/{case}/identity", "get-identity", CONTACT),
    get("/v1/cases/{case}/records", "list-records", CARE),
    get("/v1/cases/{case}/profile", "get-profile", CARE),
    get("/v1/cases/{case}/profile.svg", "get-profile-picture", CARE),
    get("/v1/cases/{case}/documents", "list-documents", CARE),
    get("/v1/cases/{case}/documents/{kind}/{key}", "get-document", CARE),
    get("/v1/cases/{case}/slots", "list-slots", FACTS),
    tell("/v1/cases/{case}/decline", "decline-case", FACTS),
    tell("/v1/cases/{case}/opt-out", "opt-out-case", FACTS),
    tell("/v1/cases/{case}/consents", "give-consent", FACTS),
    tell("/v1/cases/{case}/measurements", "add-measurements", &[Coordinator, Nurse, Leader, Integration]),
    tell("/v1/cases/{case}/forms/{template}/answers", "answer-form", FACTS),
    tell("/v1/cases/{case}/bookings", "book-case", FACTS),
    tell("/v1/cases/{case}/suspend", "suspend-case", MEND),
    tell("/v1/cases/{case}/resume", "resume-case", MEND),
    tell("/v1/cases/{case}/cancel", "cancel-case", &[Operator, Coordinator]),
    tell("/v1/cases/{case}/variables", "set-variables", MEND),
    tell("/v1/messages", "send-message", &[Integration, Operator]),
    get("/v1/work-items", "list-work-items", &[RegionAdmin, Coordinator, Nurse, Leader, Assistant]),
    get("/v1/work-items/{no}", "get-work-item", STAFF),
    ask("/v1/work-items/{no}/claim", "claim-work-item", WORK),
    ask("/v1/work-items/{no}/release", "release-work-item", WORK),
    tell("/v1/work-items/{no}/complete", "complete-work-item", WORK),
    get("/v1/incidents", "list-incidents", &[Coordinator, Operator]),
    get("/v1/incidents/{no}", "get-incident", &[Coordinator, Operator]),
    tell("/v1/incidents/{no}/retry", "retry-incident", MEND),
    tell("/v1/incidents/{no}/skip", "skip-incident", MEND),
    get("/v1/lanes", "list-lanes", &[RegionAdmin, Operator]),
    tell("/v1/lanes/{adapter}/stop", "stop-lane", MEND),
    tell("/v1/lanes/{adapter}/start", "start-lane", MEND),
    get("/v1/definitions", "list-definitions", RUN),
    get("/v1/definitions/{id}/{version}", "get-definition", RUN),
    get("/v1/definitions/{id}/{version}/picture.svg", "get-definition-picture", RUN),
    get("/v1/audit", "list-audit", &[Auditor]),
    ask("/v1/audit:verify", "verify-audit", &[Auditor]),
    ask("/v1/audit:extract", "extract-audit", &[Auditor]),
    tell("/v1/research/exports", "export-research", &[RegionAdmin]),
    get("/metrics", "get-metrics", &[Monitor, Operator]),
];
