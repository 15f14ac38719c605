//! The audit log, for those who check.

use actix_web::{get, post, web};
use halsonav_domain::{CaseId, HsaId, SubjectId, Timestamp};
use halsonav_storage::{AuditEntry, AuditFilter, Checkpoint, Reader, Verified};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{cohorts::region_wide, search::PersonQuery};
use crate::{
    access::{Caller, Units},
    body::{Asked, hex},
    page::{Page, after, limit},
    problem::Fault,
    state::State,
};

/// Who did what, when, from where, with whose data.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// 1, 2, 3 … without gaps.
    seq: u64,
    /// When.
    at: Timestamp,
    /// Who: `user:<id>`, `adapter:<name>`, `hub`.
    actor: String,
    /// What: `read`, `alter`, `disclose`, `copy`, `print`, `decide`.
    action: String,
    /// Why: operation, command kind, care process.
    purpose: String,
    /// From which unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    /// In which case.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<Uuid>,
    /// Details.
    #[schema(value_type = Object)]
    detail: Value,
    /// The entry's link in the chain, SHA-256 in hexadecimal digits.
    link: String,
}

impl From<AuditEntry> for AuditView {
    fn from(entry: AuditEntry) -> Self {
        let (seq, link, entry) = (entry.seq, hex(&entry.link), entry.entry);
        Self {
            seq,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            purpose: entry.purpose,
            unit: entry.unit.map(|unit| unit.to_string()),
            case: entry.case.map(|case| case.0),
            detail: entry.detail,
            link,
        }
    }
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only by this actor.
    actor: Option<String>,
    /// Only from this unit. Needed by those who check several units and not the region.
    unit: Option<String>,
    /// Only of this case.
    case: Option<Uuid>,
    /// From this time on.
    from: Option<Timestamp>,
    /// Before this time.
    until: Option<Timestamp>,
    /// `next` of the page before.
    after: Option<String>,
    /// How many, 50 unless told, 500 at most.
    limit: Option<u32>,
}

/// A state of the log that was kept outside the database.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyQuery {
    /// Number of entries then.
    #[serde(default)]
    size: Option<u64>,
    /// The last link then, in hexadecimal digits.
    #[serde(default)]
    link: Option<String>,
}

/// What the check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerifyView {
    /// Every entry and link is as written, and the log continues the one given.
    whole: bool,
    /// Number of entries. Keep it and `link` outside the database for the next check.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// The last link.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// The first entry that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    /// What does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'static str>,
}

/// The one unit that a filter may have.
fn unit(caller: &Caller, wanted: Option<&str>) -> Result<Option<HsaId>, Fault> {
    let wanted = wanted.map(HsaId::new);
    match (&caller.units, wanted) {
        (Units::All, wanted) => Ok(wanted),
        (Units::Some(units), Some(unit)) if units.contains(&unit) => Ok(Some(unit)),
        (Units::Some(units), None) if units.len() == 1 => Ok(units.first().cloned()),
        (Units::Some(_), None) => Err(Fault::query().because("unit says which of your units")),
        (Units::Some(_), Some(_)) => Err(Fault::forbidden()),
    }
}

/// Entries of the log, in order.
#[utoipa::path(tag = "audit", params(AuditQuery), responses((status = 200, description = "A page of entries", body = Page<AuditView>)))]
#[get("/v1/audit")]
pub(crate) async fn list(
    state: web::Data<State>,
    caller: Caller,
    query: web::Query<AuditQuery>,
) -> Result<web::Json<Page<AuditView>>, Fault> {
    let query = query.into_inner();
    let filter = AuditFilter {
        subject: None,
        actor: query.actor,
        unit: unit(&caller, query.unit.as_deref())?,
        case: query.case.map(CaseId),
        from: query.from,
        until: query.until,
    };
    let (after, limit) = (after(query.after.as_deref())?, limit(query.limit));
    let entries = state
        .read(move |r| r.audit_page(&filter, after, limit))
        .await?;
    state
        .note(vec![state.bare(
            &caller,
            "read",
            "list-audit",
            json!({ "entries": entries.len() }),
        )])
        .await?;
    let last = entries.last().map(|entry| entry.seq.to_string());
    Ok(web::Json(Page::new(
        entries.into_iter().map(AuditView::from).collect(),
        limit,
        last,
    )))
}

/// Checks the whole log, and that it continues a state that was kept elsewhere.
#[utoipa::path(tag = "audit", request_body = VerifyQuery, responses((status = 200, description = "What the check found", body = VerifyView)))]
#[post("/v1/audit:verify")]
pub(crate) async fn verify(
    state: web::Data<State>,
    caller: Caller,
    asked: Asked<VerifyQuery>,
) -> Result<web::Json<VerifyView>, Fault> {
    region_wide(&caller)?;
    let since = match (asked.0.size, asked.0.link.as_deref()) {
        (None, None) => None,
        (Some(size), Some(link)) => {
            let kept: Result<Checkpoint, _> = format!("{size}:{link}").parse();
            Some(kept.map_err(|_| Fault::unacceptable().because("link has 64 hexadecimal digits"))?)
        }
        _ => return Err(Fault::unacceptable().because("size and link belong together")),
    };
    let verified = state.read(move |r| r.verify_audit(since.as_ref())).await?;
    let view = match verified {
        Verified::Whole(now) => VerifyView {
            whole: true,
            size: Some(now.size),
            link: Some(hex(&now.link)),
            seq: None,
            what: None,
        },
        Verified::Tampered { seq, what } => VerifyView {
            whole: false,
            size: None,
            link: None,
            seq: Some(seq),
            what: Some(what),
        },
    };
    state
        .note(vec![state.bare(
            &caller,
            "read",
            "verify-audit",
            json!({ "whole": view.whole }),
        )])
        .await?;
    Ok(web::Json(view))
}

/// An extract is read in pages of this many.
const PAGE: u32 = 1_000;
/// More entries about one person than years of care make.
const MOST: usize = 20_000;

/// Who has had a person's data: the extract that a patient has a right to.
#[utoipa::path(tag = "audit", request_body = PersonQuery, responses((status = 200, description = "The entries about the person", body = Vec<AuditView>)))]
#[post("/v1/audit:extract")]
pub(crate) async fn extract(
    state: web::Data<State>,
    caller: Caller,
    asked: Asked<PersonQuery>,
) -> Result<web::Json<Vec<AuditView>>, Fault> {
    region_wide(&caller)?;
    let person = asked.0.person()?;
    let (subject, entries) = state
        .read(move |r| match r.subject_of_person(&person)? {
            Some(subject) => Ok((Some(subject), about(r, subject)?)),
            None => Ok((None, Vec::new())),
        })
        .await?;
    let mut entry = state.bare(
        &caller,
        "disclose",
        "extract-audit",
        json!({ "entries": entries.len() }),
    );
    entry.subject = subject;
    state.note(vec![entry]).await?;
    Ok(web::Json(
        entries.into_iter().map(AuditView::from).collect(),
    ))
}

fn about(r: &mut Reader, subject: SubjectId) -> halsonav_storage::Result<Vec<AuditEntry>> {
    let filter = AuditFilter {
        subject: Some(subject),
        ..AuditFilter::default()
    };
    let mut all: Vec<AuditEntry> = Vec::new();
    loop {
        let page = r.audit_page(&filter, all.last().map(|entry| entry.seq), PAGE)?;
        let done = page.len() < PAGE as usize;
        all.extend(page);
        if done || all.len() >= MOST {
            return Ok(all);
        }
    }
}
