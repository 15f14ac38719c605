//! Work items as stored.

use std::collections::BTreeMap;

use halsonav_domain::{CaseId, HsaId, Timestamp};
use serde_json::Value;

use super::{case::CaseNo, number, words};

number! {
    /// A work item's number.
    WorkItemNo
}

words! {
    /// Where a work item stands.
    WorkState {
        /// Nobody has it.
        Open = "open",
        /// Somebody has it.
        Claimed = "claimed",
        /// It is done.
        Done = "done",
        /// The process no longer wants it.
        Withdrawn = "withdrawn",
    }
}

/// Work for a person, as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct WorkItem {
    /// Its number.
    pub no: WorkItemNo,
    /// Its case.
    pub case: CaseId,
    /// Its case, by number.
    pub case_no: CaseNo,
    /// Number of the job in its case.
    pub job: u64,
    /// The unit.
    pub unit: HsaId,
    /// Element id.
    pub element: String,
    /// What it is called.
    pub name: String,
    /// What kind of work.
    pub form: Option<String>,
    /// Who should do it.
    pub assignee: Option<String>,
    /// Groups that may do it.
    pub groups: Vec<String>,
    /// To be done by.
    pub due: Option<Timestamp>,
    /// Not to be shown before.
    pub follow_up: Option<Timestamp>,
    /// Higher is more urgent.
    pub priority: i32,
    /// What the person needs to know.
    pub payload: Value,
    /// Task headers and properties.
    pub headers: BTreeMap<String, String>,
    /// Where it stands.
    pub state: WorkState,
    /// Who has it, or did it.
    pub claimed_by: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
    /// Counts changes: what an optimistic writer must know.
    pub revision: u64,
    /// When made.
    pub created: Timestamp,
    /// When done or withdrawn.
    pub closed: Option<Timestamp>,
}

/// Which work items to list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct WorkFilter {
    /// Only these units; `None` = all, an empty list = none.
    pub units: Option<Vec<HsaId>>,
    /// Only what one of these groups may do (items without groups are everyone's).
    pub groups: Option<Vec<String>>,
    /// Only of this case.
    pub case: Option<CaseId>,
    /// Only this form.
    pub form: Option<String>,
    /// Only what this person has claimed.
    pub claimed_by: Option<String>,
    /// Only what is due before this time.
    pub due_before: Option<Timestamp>,
    /// Leave out what need not be shown yet at this time.
    pub shown_at: Option<Timestamp>,
    /// Also what is done or withdrawn.
    pub closed_too: bool,
}

/// Where a page of work items ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorkCursor {
    /// `due` of the last item.
    pub due: Option<Timestamp>,
    /// Number of the last item.
    pub no: WorkItemNo,
}

impl WorkItem {
    /// Where the next page begins.
    #[must_use]
    pub fn cursor(&self) -> WorkCursor {
        WorkCursor {
            due: self.due,
            no: self.no,
        }
    }
}
