//! `halsonav audit list|checkpoint|verify|retire`.

use std::process::ExitCode;

use clap::Subcommand;
use halsonav_domain::{CaseId, Clock as _, Kind, Problem, Timestamp};
use halsonav_storage::{AuditEntry, AuditFilter, Checkpoint, Storage, Verified};
use jiff::{civil::Date, tz::TimeZone};
use serde_json::{Value, json};

use super::{Answer, Context, one, order, output::table};
use crate::{clock::SystemClock, config::Config, runtime::store_problem, site};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List entries: when, who, what, why, in which case.
    List {
        /// Only of this case.
        #[arg(long)]
        case: Option<CaseId>,
        /// Only by this actor, as entries name it.
        #[arg(long)]
        actor: Option<String>,
        /// Only those after this entry.
        #[arg(long, value_name = "NO")]
        after: Option<u64>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Tell how the log stands now, to be kept outside the machine.
    Checkpoint,
    /// Read the whole log: is every entry as it was written?
    Verify {
        /// A checkpoint that was kept outside: does the log continue it?
        #[arg(long, value_name = "CHECKPOINT")]
        since: Option<Checkpoint>,
    },
    /// Drop the oldest entries, in whole stretches. On PostgreSQL with the login that migrates.
    Retire {
        /// Entries from this day on stay; a day in UTC.
        #[arg(long, value_name = "YYYY-MM-DD")]
        before: Date,
    },
}

pub fn run(context: &Context, command: Command) -> Answer {
    let (config, _) = site::settings(context, None)?;
    let storage = site::store(&config).map_err(one)?;
    match command {
        Command::List {
            case,
            actor,
            after,
            limit,
        } => {
            let filter = AuditFilter {
                case,
                actor,
                ..AuditFilter::default()
            };
            list(context, &storage, &filter, after, limit)
        }
        Command::Checkpoint => checkpoint(context, &storage),
        Command::Verify { since } => verify(context, &storage, since.as_ref()),
        Command::Retire { before } => retire(context, &config, &storage, before),
    }
}

fn list(
    context: &Context,
    storage: &Storage,
    filter: &AuditFilter,
    after: Option<u64>,
    limit: u32,
) -> Answer {
    let entries = storage
        .read(|r| r.audit_page(filter, after, limit))
        .map_err(|e| one(store_problem(e)))?;
    note(storage, "list-audit", json!({ "entries": entries.len() }))?;
    let list: Vec<Value> = entries.iter().map(shown).collect();
    context.output.result(&json!({ "entries": list }), || {
        let rows: Vec<_> = entries.iter().map(row).collect();
        let head = ["NO", "AT", "BY", "DOES", "WHY", "UNIT", "CASE"];
        table(&head, &rows)
    });
    Ok(ExitCode::SUCCESS)
}

/// Who looks at the log is in the log.
fn note(storage: &Storage, purpose: &'static str, detail: Value) -> Result<(), Vec<Problem>> {
    let entry = order::looked(purpose, &order::by(), SystemClock.now(), detail);
    let noted = storage.write(move |tx| tx.audit(std::slice::from_ref(&entry)));
    noted.map_err(|e| one(store_problem(e)))
}

fn shown(entry: &AuditEntry) -> Value {
    let said = &entry.entry;
    json!({
        "no": entry.seq, "at": said.at, "by": said.actor, "does": said.action, "why": said.purpose, "unit": said.unit,
        "subject": said.subject, "case": said.case, "detail": said.detail,
    })
}

fn row(entry: &AuditEntry) -> Vec<String> {
    let said = &entry.entry;
    vec![
        entry.seq.to_string(),
        said.at.to_string(),
        said.actor.clone(),
        said.action.clone(),
        said.purpose.clone(),
        said.unit
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        said.case.map(|case| case.to_string()).unwrap_or_default(),
    ]
}

fn checkpoint(context: &Context, storage: &Storage) -> Answer {
    let now = storage
        .read(|r| r.checkpoint())
        .map_err(|e| one(store_problem(e)))?;
    let value = json!({ "entries": now.size, "checkpoint": now.to_string() });
    context.output.result(&value, || now.to_string());
    Ok(ExitCode::SUCCESS)
}

fn verify(context: &Context, storage: &Storage, since: Option<&Checkpoint>) -> Answer {
    let found = storage
        .read(|r| r.verify_audit(since))
        .map_err(|e| one(store_problem(e)))?;
    let whole = matches!(found, Verified::Whole(_));
    note(storage, "verify-audit", json!({ "whole": whole }))?;
    match found {
        Verified::Whole(end) => {
            let value =
                json!({ "whole": true, "entries": end.size, "checkpoint": end.to_string() });
            context
                .output
                .result(&value, || format!("whole, to entry {}\n{end}", end.size));
            Ok(ExitCode::SUCCESS)
        }
        Verified::Tampered { seq, what } => {
            let message = format!("the audit log is not as it was written: entry {seq}: {what}");
            Err(one(Problem::new(Kind::Conflict, "HUB-CLI-009", message)))
        }
    }
}

/// The order is in the log before anything is dropped from it.
fn retire(context: &Context, config: &Config, storage: &Storage, before: Date) -> Answer {
    let (at, by) = (SystemClock.now(), order::by());
    let midnight = start_of(before).filter(|day| *day <= at).ok_or_else(|| {
        let message = "--before: what is to be dropped lies in the past";
        one(Problem::new(Kind::Invalid, "HUB-CLI-010", message))
    })?;
    let place = site::place(config).map_err(one)?;
    let start = storage
        .write(move |tx| {
            let detail = json!({ "before": midnight });
            tx.audit(&[order::entry("retire-audit", &by, at, detail)])
        })
        .and_then(|()| Storage::retire_audit(&place, midnight))
        .map_err(|e| one(store_problem(e)))?;
    let value = json!({ "startsAfter": start.size, "checkpoint": start.to_string() });
    context.output.result(&value, || {
        format!("the log starts after entry {}\n{start}", start.size)
    });
    Ok(ExitCode::SUCCESS)
}

fn start_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}
