//! Asks the population register about people for whom the gate holds something.

use std::{collections::HashMap, sync::Arc};

use halsonav_domain::{Problem, SubjectId, Timestamp};
use jiff::SignedDuration;

use super::{Core, chore::Turned, store_problem};

/// People looked at in one turn.
const BATCH: u32 = 10_000;
/// Whoever the register could not tell about is asked about again after this long.
const AGAIN: SignedDuration = SignedDuration::from_mins(15);

/// Where the roster adapter runs: whoever holds an effect need not reach the register.
pub struct Registrar {
    core: Arc<Core>,
    asked: HashMap<SubjectId, Timestamp>,
}

impl Registrar {
    /// Nobody has been asked about yet.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            asked: HashMap::new(),
        }
    }

    /// Asks about everybody for whom something is held; what was held goes. Counts people.
    ///
    /// # Errors
    /// When store or bus fail. When the register is away, what is held stays held.
    pub async fn turn(&mut self) -> Result<Turned, Problem> {
        if self.core.register.is_none() {
            return Ok(Turned::default());
        }
        let now = self.core.schedule.now();
        let held = self
            .core
            .storage
            .read_async(|r| r.held_subjects(BATCH))
            .await
            .map_err(store_problem)?;
        self.asked.retain(|_, at| now.duration_since(*at) < AGAIN);
        let (known, unknown): (Vec<_>, Vec<_>) = held
            .into_iter()
            .partition(|subject| self.asked.contains_key(subject));
        let mut count = unknown.len();
        self.core.refresh(unknown.clone()).await?;
        // Not before: whoever was not asked about because the store failed is asked about at once.
        self.asked
            .extend(unknown.into_iter().map(|subject| (subject, now)));
        count += self.let_go(known, now).await?;
        let again = self.asked.values().min().map(|at| *at + AGAIN);
        Ok(match count {
            0 => Turned { count, next: again },
            _ => Turned::and_more(count, now),
        })
    }

    /// Lets go what was claimed while its person was being asked about, and held just after the answer.
    async fn let_go(&self, asked: Vec<SubjectId>, now: Timestamp) -> Result<usize, Problem> {
        if asked.is_empty() {
            return Ok(0);
        }
        let max_age = self.core.gate.max_age;
        let released = self.core.storage.write_async(move |tx| {
            let mut fresh = Vec::new();
            for subject in &asked {
                let fetched = tx.register(subject)?.and_then(|register| register.fetched);
                if fetched.is_some_and(|at| now.duration_since(at) <= max_age) {
                    fresh.push(*subject);
                }
            }
            tx.release_held(&fresh, now)?;
            Ok(fresh.len())
        });
        released.await.map_err(store_problem)
    }
}
