//! Entries of the audit log: who saw or changed what of whom.

use std::collections::HashMap;

use halsonav_storage::{Case, NewAudit, Reader};
use serde_json::{Value, json};

use crate::{access::Caller, problem::Fault, state::State};

impl State {
    /// An entry about one case.
    pub(crate) fn entry(
        &self,
        caller: &Caller,
        action: &str,
        operation: &str,
        case: &Case,
    ) -> NewAudit {
        NewAudit {
            unit: Some(case.unit.clone()),
            subject: Some(case.subject),
            case: Some(case.id),
            ..self.bare(caller, action, operation, json!({}))
        }
    }

    /// An entry about no one case.
    pub(crate) fn bare(
        &self,
        caller: &Caller,
        action: &str,
        operation: &str,
        detail: Value,
    ) -> NewAudit {
        NewAudit {
            at: self.now(),
            actor: caller.actor(),
            action: action.to_owned(),
            purpose: operation.to_owned(),
            unit: None,
            subject: None,
            case: None,
            detail,
        }
    }

    /// Keeps entries. What was read is answered only after this. An entry about a case is one about
    /// its subject: it belongs in the extract that the subject has a right to.
    pub(crate) async fn note(&self, mut entries: Vec<NewAudit>) -> Result<(), Fault> {
        if entries.is_empty() {
            return Ok(());
        }
        if entries
            .iter()
            .any(|entry| entry.case.is_some() && entry.subject.is_none())
        {
            entries = self
                .read(move |r| with_subjects(r, entries.clone()))
                .await?;
        }
        Ok(self
            .api
            .storage
            .write_async(move |tx| tx.audit(&entries))
            .await?)
    }

    /// A case that the caller reads, with its entry.
    pub(crate) async fn read_case(
        &self,
        caller: &Caller,
        operation: &str,
        id: &str,
    ) -> Result<Case, Fault> {
        let case = self.case(caller, id).await?;
        self.note(vec![self.entry(caller, "read", operation, &case)])
            .await?;
        Ok(case)
    }
}

fn with_subjects(
    r: &mut Reader,
    mut entries: Vec<NewAudit>,
) -> halsonav_storage::Result<Vec<NewAudit>> {
    let mut known = HashMap::new();
    for entry in entries.iter_mut().filter(|entry| entry.subject.is_none()) {
        let Some(id) = entry.case else { continue };
        let subject = match known.get(&id) {
            Some(subject) => *subject,
            None => r.case(&id)?.map(|case| case.subject),
        };
        known.insert(id, subject);
        entry.subject = subject;
    }
    Ok(entries)
}
