//! Timers as facts: the scheduler says on the bus that one is due, and the engine that has the case
//! takes it there, in order with everything else about the case.

use std::sync::Arc;

use halsonav_domain::{Envelope, Problem, Timestamp};
use halsonav_engine::Input;
use halsonav_storage::{DueTimer, NewTimer};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{Core, chore::Turned, news, store_problem};
use crate::crash;

/// The fact that a timer is due. The hub's own; no part of the contract.
pub const TIMER_DUE: &str = "timer.due";
/// Timers announced in one turn.
const BATCH: u32 = 1000;
/// How far the clock of the engine may be behind that of the scheduler.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What the fact holds.
#[derive(Debug, Serialize, Deserialize)]
struct Due {
    timer: u64,
    element: String,
    due: Timestamp,
}

/// Announces timers as they come due. One process does it at a time.
pub struct Scheduler {
    core: Arc<Core>,
}

impl Scheduler {
    /// A scheduler over the hub's timers.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// One batch of timers. A crash between saying and noting says it again, under the same id.
    ///
    /// # Errors
    /// When store or bus fail; the same timers come again.
    pub async fn turn(&self) -> Result<Turned, Problem> {
        let now = self.core.schedule.now();
        let (news, due, later) = self
            .core
            .storage
            .read_async(move |r| {
                let (due, later) = (r.due_timers(now, BATCH)?, r.next_due(now)?);
                Ok((r.news(news::BATCH)?, due, later))
            })
            .await
            .map_err(store_problem)?;
        // Left by a process that died, or just being told by one.
        if !news.is_empty() {
            let count = news.len();
            self.core.tell(news).await?;
            return Ok(Turned::and_more(count, now));
        }
        let count = due.len();
        if count > 0 {
            self.announce(due).await?;
        }
        Ok(Turned::batch(count, BATCH, now, later))
    }

    async fn announce(&self, due: Vec<DueTimer>) -> Result<(), Problem> {
        self.core.publish(due.iter().map(fact).collect()).await?;
        crash::point("scheduler.published", "").await;
        self.core
            .storage
            .write_async(move |tx| tx.announced(&due))
            .await
            .map_err(store_problem)?;
        crash::point("scheduler.marked", "").await;
        Ok(())
    }
}

fn fact(timer: &DueTimer) -> Envelope {
    let due = Due {
        timer: timer.timer,
        element: timer.element.clone(),
        due: timer.due,
    };
    let id = format!(
        "{}-{}-{}",
        timer.case,
        timer.timer,
        timer.due.as_millisecond()
    );
    let data = serde_json::to_value(due).unwrap_or_default();
    Envelope::new(
        "/scheduler",
        id,
        TIMER_DUE,
        Some(timer.case),
        timer.due,
        data,
    )
}

fn read(fact: &Envelope) -> Option<Due> {
    (fact.kind == TIMER_DUE)
        .then(|| Due::deserialize(&fact.data).ok())
        .flatten()
}

/// The input that the fact is, if it is one.
#[must_use]
pub fn input(fact: &Envelope) -> Option<Input> {
    read(fact).map(|due| Input::TimerDue { timer: due.timer })
}

/// The timer that is over with the fact, whatever comes of it: a cycle arms its next one itself.
#[must_use]
pub fn spent(fact: &Envelope) -> Option<u64> {
    read(fact).map(|due| due.timer)
}

/// The time of the step: a timer that the scheduler saw as due is due, though this machine's clock
/// be a little behind.
#[must_use]
pub fn clock(input: &Input, fact: &Envelope, now: Timestamp) -> Timestamp {
    match (input, read(fact)) {
        (Input::TimerDue { .. }, Some(due)) if due.due <= now + SKEW => now.max(due.due),
        _ => now,
    }
}

/// A timer that was announced too early is armed again. Not for the very same moment: its
/// announcement must not be taken for a repetition.
#[must_use]
pub fn again(fact: &Envelope, timer: u64, due: Timestamp) -> Option<NewTimer> {
    let early = read(fact)?;
    Some(NewTimer {
        timer,
        due: due.max(early.due + SignedDuration::from_millis(1)),
        element: early.element,
    })
}

#[cfg(test)]
mod tests {
    use halsonav_domain::CaseId;
    use halsonav_storage::CaseNo;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("in range")
    }

    fn due(ms: i64) -> Envelope {
        fact(&DueTimer {
            case: CaseId(uuid::Uuid::from_u128(1)),
            no: CaseNo(1),
            timer: 7,
            due: at(ms),
            element: "T".into(),
        })
    }

    #[test]
    fn the_same_timer_is_the_same_fact_and_a_later_one_is_another() {
        assert_eq!(due(5), due(5));
        assert_ne!(due(5).id, due(6).id);
        assert_eq!(input(&due(5)), Some(Input::TimerDue { timer: 7 }));
        assert_eq!(spent(&due(5)), Some(7));
    }

    #[test]
    fn a_clock_that_is_a_little_behind_does_not_lose_a_timer() {
        let input = Input::TimerDue { timer: 7 };
        assert_eq!(clock(&input, &due(5_000), at(4_000)), at(5_000));
        assert_eq!(clock(&input, &due(5_000), at(6_000)), at(6_000));
        // Nobody can make a timer fire long before its time.
        assert_eq!(clock(&input, &due(5_000_000), at(4_000)), at(4_000));
    }

    #[test]
    fn a_timer_announced_too_early_comes_again_under_another_id() {
        let early = due(5);
        let armed = again(&early, 7, at(5)).expect("armed");
        assert_eq!((armed.timer, armed.due), (7, at(6)));
        assert_eq!(again(&early, 7, at(99)).expect("armed").due, at(99));
    }
}
