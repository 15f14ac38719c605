//! The documentation event, for journal systems that listen instead of being called.

use halsonav_domain::{CaseId, CommandId, Envelope, Timestamp};
use serde_json::json;

/// That a dialogue is documented, and under which id the document is found. The document itself
/// holds identity and is not on any topic: who listens fetches it, and is let in or not.
#[must_use]
pub fn documentation_event(
    case: CaseId,
    command: CommandId,
    document_id: &str,
    time: Timestamp,
) -> Envelope {
    let data = json!({ "documentId": document_id, "kind": "riktat-halsosamtal" });
    Envelope::new(
        "/adapters/journal",
        command.to_string(),
        "journal.documented",
        Some(case),
        time,
        data,
    )
}
