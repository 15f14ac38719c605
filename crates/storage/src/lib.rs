//! Everything the hub remembers: one model on SQLite and on PostgreSQL, by diesel.
//!
//! One [`Storage`] handle, cheap to clone. [`Storage::read`] runs a closure on a snapshot,
//! [`Storage::write`] runs one as one transaction: everything it did is on disk when it returns, or
//! nothing is. In SQLite one thread writes, and closures that wait at the same time share a commit;
//! in PostgreSQL several do, here and in other processes.
//!
//! What belongs together is one call: [`Writer::apply`] takes the whole batch of a processor and
//! writes instance, ledger, outbox, timers, subscriptions, work items, incidents, milestones and
//! records of all its cases. [`Writer::claim`] asks the [`Gate`] in the transaction that claims.
//!
//! Invariants that the store keeps, whatever its callers do:
//! - a step is applied to the revision it was made from, or not at all;
//! - a subject has one case in a round, and a person one subject (numbers are merged);
//! - an effect leaves only as `sending` under the epoch of a live lease, and only that epoch
//!   settles it;
//! - nobody is woken before the commit, nor for what was undone;
//! - what the gate has refused stays refused;
//! - when [`Writer::stop_lane`] has answered, nothing of that lane is claimed until it starts;
//! - identity is readable only with a key that is not in the database, and every reading of it is
//!   an entry of the audit log in the same transaction;
//! - the audit log cannot be changed without [`Reader::verify_audit`] telling where.

mod apply;
mod audit;
mod backlog;
mod cases;
mod claim;
mod convert;
mod crew;
mod crypt;
mod dialect;
mod effects;
mod error;
mod fingerprints;
mod gate;
#[cfg(test)]
mod hot_path_tests;
mod incidents;
mod instances;
mod keys;
mod lane;
mod lanes;
mod leases;
mod ledger;
mod listen;
mod memory;
mod merge;
mod migrate;
pub mod model;
mod news;
mod outbox;
mod people;
mod place;
mod postgres;
mod prepared;
mod readers;
mod records;
mod retention;
mod rows;
mod schema;
pub mod scratch;
mod seen;
mod settle;
mod sqlite;
mod store;
mod subjects;
mod vault;
mod verify;
mod waits;
mod wakeups;
mod work_items;
pub mod yardstick;

pub use error::{Error, Result};
pub use gate::ContactGate;
pub use keys::VaultKeys;
pub use migrate::ROLES;
pub use model::{
    audit::{AuditEntry, AuditFilter, Checkpoint, NewAudit, Verified},
    backlog::Backlog,
    case::{
        Case, CaseFilter, CaseNo, CaseState, Created, DefinitionRef, FunnelRow, Ledger, NewCase,
        Round, StoredInstance, Totals, UnitRow,
    },
    change::{
        Applied, Awaits, CaseChange, NewEffect, NewIncident, NewSubscription, NewTimer, NewWorkItem,
    },
    effect::{
        Claim, DueTimer, Effect, EffectNo, EffectRef, EffectState, LaneRow, Outbox, Ready, Settled,
        Settlement,
    },
    gate::{Gate, GateFacts, Reason, Verdict},
    incident::{HubIncident, Incident, IncidentFilter, IncidentNo, Parked},
    lane::LaneStop,
    lease::{Epoch, Lease},
    memory::{Idempotent, NewDefinition, StoredDefinition},
    news::News,
    record::{CaseRecord, Document, Milestone, Noted, Record},
    subject::{Access, Enrolled, Extent, Merge, PersonChange, Register},
    work::{WorkCursor, WorkFilter, WorkItem, WorkItemNo, WorkState},
};
pub use place::{Place, Postgres};
pub use store::{Reader, Storage, Writer};
pub use wakeups::Wake;
