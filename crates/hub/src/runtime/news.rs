//! What the hub itself has to say: what the register told about a person, and signals. It is noted in the
//! transaction that it follows from, then put on the bus, then taken out. What was left, by a crash or a
//! bus that was away, the scheduler tells; what is told twice is known by its id.

use halsonav_domain::{CaseId, Envelope, Kind, Problem, Timestamp};
use halsonav_storage::{HubIncident, News};
use serde_json::{Value, json};

use super::{Core, decide::SIGNAL, store_problem};
use crate::crash;

/// News looked at, and facts put on the bus, at once.
pub(super) const BATCH: u32 = 1_000;

/// A signal, before it is known who waits for it: it is about no case yet.
pub(super) fn signal(from: CaseId, name: &str, variables: &Value, now: Timestamp) -> Envelope {
    let data = json!({ "from": from, "name": name, "variables": variables });
    Envelope::new("/engine", from.to_string(), SIGNAL, None, now, data)
}

impl Core {
    /// Tells what was just noted; what cannot be told now is told later.
    pub(super) async fn tell_news(&self) {
        loop {
            let news = self.storage.read_async(|r| r.news(BATCH)).await;
            let told = match news.map_err(store_problem) {
                Ok(news) if news.is_empty() => return,
                Ok(news) => self.tell(news).await,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = told {
                tracing::warn!(%problem, "what the hub has to say is said later");
                return;
            }
        }
    }

    /// Tells these: what is about a case in one go, then each signal.
    ///
    /// # Errors
    /// When store or bus fail; all of it is told again, under the same ids.
    pub(super) async fn tell(&self, news: Vec<News>) -> Result<(), Problem> {
        let is_signal = |one: &&News| one.fact.subject.is_none() && one.fact.kind == SIGNAL;
        let (signals, facts): (Vec<&News>, Vec<&News>) = news.iter().partition(is_signal);
        let all = facts.iter().map(|one| one.fact.clone()).collect();
        match self.publish(all).await {
            Err(problem) if problem.kind == Kind::Invalid => {
                for fact in facts {
                    let told = self.publish(vec![fact.fact.clone()]).await;
                    self.or_untold(fact, told).await?;
                }
            }
            told => told?,
        }
        for signal in signals {
            let told = self.broadcast(signal).await;
            self.or_untold(signal, told).await?;
        }
        crash::point("news.published", "").await;
        self.storage
            .write_async(move |tx| tx.drop_news(&news))
            .await
            .map_err(store_problem)
    }

    /// A signal goes to every other instance that waits for it, as a fact of its own.
    async fn broadcast(&self, news: &News) -> Result<(), Problem> {
        let signal = &news.fact;
        let name = signal.data["name"].as_str().unwrap_or_default();
        let mut after = None;
        loop {
            let wanted = name.to_owned();
            let page = self
                .storage
                .read_async(move |r| r.awaiting_signal(&wanted, after, BATCH))
                .await
                .map_err(store_problem)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(*last);
            let from = thrower(signal);
            let others = page.into_iter().filter(|(_, case)| Some(*case) != from);
            let facts = others.map(|(_, case)| Envelope {
                id: format!("signal-{}-{case}", news.no),
                subject: Some(case),
                ..signal.clone()
            });
            self.publish(facts.collect()).await?;
        }
    }

    /// What can never be told is an operator's, and nothing waits behind it.
    async fn or_untold(&self, news: &News, told: Result<(), Problem>) -> Result<(), Problem> {
        let problem = match told {
            Err(problem) if problem.kind == Kind::Invalid => problem,
            told => return told,
        };
        let incident = HubIncident {
            case: news.fact.subject.or_else(|| thrower(&news.fact)),
            element: "news".to_owned(),
            kind: problem.kind,
            code: problem.code,
            message: problem.message,
            at: self.clock.now(),
        };
        let opened = self.storage.write_async(move |tx| {
            tx.open_incident(&incident)?;
            Ok(())
        });
        opened.await.map_err(store_problem)
    }
}

/// The case that a signal comes from.
fn thrower(signal: &Envelope) -> Option<CaseId> {
    signal.data["from"].as_str()?.parse().ok()
}
