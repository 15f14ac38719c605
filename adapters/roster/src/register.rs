//! Calls to the population register.

use std::collections::{HashMap, HashSet};

use halsonav_domain::{Kind, PersonId, PersonRecord, Problem, Timestamp};
use halsonav_rivta::{CallError, Client};

use crate::{
    Profile,
    translate::{self, Found, GET_PERSONS},
};

/// Most persons in one call (XSD annotation and TKB).
pub(crate) const BATCH: usize = 500;
/// Calls spent on finding the one number that the register chokes on: 500 halves nine times.
const SEARCH: usize = 40;

/// The register behind a client.
#[derive(Debug)]
pub(crate) struct Register {
    client: Client,
    logical_address: String,
    profile: Profile,
}

type Answers = HashMap<PersonId, Result<Found, Problem>>;

impl Register {
    pub fn new(client: Client, logical_address: String, profile: Profile) -> Self {
        Self {
            client,
            logical_address,
            profile,
        }
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn logical_address(&self) -> &str {
        &self.logical_address
    }

    /// One answer for each of `ids`, in their order.
    pub async fn lookup(
        &self,
        ids: &[PersonId],
        now: Timestamp,
    ) -> Vec<Result<PersonRecord, Problem>> {
        let mut answers = self.ask(ids, now).await;
        self.follow(&mut answers, now).await;
        let missing = || {
            Err(Problem::new(
                Kind::Unavailable,
                "HUB-ROSTER-211",
                "the register left a person out of its answer",
            ))
        };
        ids.iter()
            .map(|id| {
                answers
                    .get(id)
                    .cloned()
                    .unwrap_or_else(missing)
                    .map(|found| found.record)
            })
            .collect()
    }

    /// Where the register answers with an old number that refers to one new number, asks for that.
    async fn follow(&self, answers: &mut Answers, now: Timestamp) {
        let referred = |answer: &Result<Found, Problem>| {
            answer
                .as_ref()
                .ok()
                .and_then(|found| found.replaced_by.clone())
        };
        let old: Vec<(PersonId, PersonId)> = answers
            .iter()
            .filter_map(|(id, answer)| Some((id.clone(), referred(answer)?)))
            .collect();
        if old.is_empty() {
            return;
        }
        let new: Vec<PersonId> = old.iter().map(|(_, new)| new.clone()).collect();
        let found = self.ask(&new, now).await;
        for (id, new) in old {
            let answer = match found.get(&new) {
                Some(Ok(found)) if found.replaced_by.is_none() => {
                    let mut found = found.clone();
                    found.record.requested = id.clone();
                    Ok(found)
                }
                Some(Err(problem)) => Err(problem.clone()),
                _ => Err(Problem::new(
                    Kind::Invalid,
                    "HUB-ROSTER-212",
                    "an old number refers to one that is not in force",
                )),
            };
            answers.insert(id, answer);
        }
    }

    async fn ask(&self, ids: &[PersonId], now: Timestamp) -> Answers {
        let mut answers = Answers::with_capacity(ids.len());
        let mut seen = HashSet::new();
        let unique: Vec<PersonId> = ids.iter().filter(|id| seen.insert(*id)).cloned().collect();
        for batch in unique.chunks(BATCH) {
            self.batch(batch, now, &mut answers).await;
        }
        answers
    }

    /// One batch. When the register refuses it as wrong, the batch is halved until the culprit is
    /// alone: one odd number must not hold up the other 499.
    async fn batch(&self, batch: &[PersonId], now: Timestamp, answers: &mut Answers) {
        let mut parts = vec![batch];
        let mut calls = 0;
        while let Some(part) = parts.pop() {
            calls += 1;
            match self.call(part, now).await {
                Ok(found) => answers.extend(found),
                Err(CallError::Fault(fault))
                    if fault.vp.is_none()
                        && part.len() > 1
                        && calls < SEARCH
                        && is_wrong(&fault) =>
                {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                }
                Err(error) => {
                    let problem = error.problem("ROSTER");
                    answers.extend(part.iter().map(|id| (id.clone(), Err(problem.clone()))));
                    if !matches!(error, CallError::Fault(_)) {
                        let rest = parts.drain(..).flatten();
                        answers.extend(rest.map(|id| (id.clone(), Err(problem.clone()))));
                    }
                }
            }
        }
    }

    async fn call(&self, ids: &[PersonId], now: Timestamp) -> Result<Answers, CallError> {
        let request = translate::request(ids, self.profile);
        let response = self
            .client
            .ask(&GET_PERSONS, &self.logical_address, None, &request)
            .await?;
        let answers = translate::response(&response, now);
        // Not one of those asked for: the answer is another request's.
        if answers.is_empty() || !answers.keys().any(|id| ids.contains(id)) {
            return Err(CallError::Malformed(
                "an answer about other persons".to_owned(),
            ));
        }
        Ok(answers)
    }
}

fn is_wrong(fault: &halsonav_rivta::SoapFault) -> bool {
    CallError::Fault(fault.clone()).kind() == Kind::Invalid
}
