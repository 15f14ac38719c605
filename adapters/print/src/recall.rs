//! `print.recall`: stops a letter that the vendor has not fetched.
//!
//! Who wins is decided by two renames. The vendor takes a job by renaming it away, and only then
//! looks for recalls, each of which it also takes by renaming it away. So a recall that was there
//! while the job still waited is honoured; and a recall that we can take back was never seen.

use halsonav_adapter::{Delivery, payload};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, Problem,
    command::print::{Recall, Recalled},
};
use serde_json::json;

use crate::{
    Print,
    account::Visit,
    error::Error,
    whereabouts::{IN, PART, receipt},
};

impl Print {
    pub(crate) async fn recall(&self, delivery: &Delivery) -> Result<Outcome, Problem> {
        let Recall { letter_id } = payload(&delivery.command)?;
        let recalled = match letter_id {
            None => false,
            Some(text) => {
                let letter = text.parse().map_err(|_| {
                    let message = "letterId is not the id of a letter of ours";
                    Problem::new(Kind::Invalid, "HUB-PRINT-014", message)
                })?;
                let mut visit = self.account.visit().await?;
                self.stop(&mut visit, letter).await?
            }
        };
        Ok(Done::new(json!(Recalled { recalled })).into())
    }

    async fn stop(&self, visit: &mut Visit<'_>, letter: CommandId) -> Result<bool, Error> {
        if self.lying(visit, letter).await?.is_none() {
            let receipt = receipt(visit, letter).await?;
            return Ok(receipt.is_some_and(|receipt| receipt.is_cancelled()));
        }
        let there = format!("{IN}/recall-{letter}.json");
        let part = format!("{there}{PART}");
        if !visit.has(&there).await? {
            let request = json!({ "letterId": letter }).to_string();
            visit.write(&part, request.as_bytes()).await?;
            visit.rename(&part, &there).await?;
        }
        let lying = self.lying(visit, letter).await?;
        if lying.is_some_and(|lying| !lying.begun) {
            return Ok(true);
        }
        if visit.remove(&there).await? {
            return Ok(false);
        }
        // The vendor took the recall after the job: its receipt says which it was.
        match receipt(visit, letter).await? {
            Some(receipt) => Ok(receipt.is_cancelled()),
            None => Err(Error::Failed("tell whether a letter was recalled")),
        }
    }
}
