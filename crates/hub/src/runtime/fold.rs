//! From what a step asks for to what the store changes. Several inputs of one case in one batch
//! make one change; what opened and closed within it is left out.

use halsonav_domain::{CommandKind, Timestamp};
use halsonav_engine::Effect;
use halsonav_storage::{
    Awaits, CaseChange, Ledger, NewEffect, NewIncident, NewSubscription, NewTimer, NewWorkItem,
};
use serde_json::{Value, json};

/// Header of an effect that an operator asked for again under the key of an earlier job.
pub const REPEATS: &str = "halsonav-repeats";

/// What a batch of effects has to tell besides the change.
#[derive(Debug, Default)]
pub struct Told {
    /// Signals for every other instance.
    pub signals: Vec<(String, Value)>,
    /// Messages and inputs that came to nothing: name and reason.
    pub dropped: Vec<(String, String)>,
    /// Jobs whose type is no command kind.
    pub unknown_kinds: Vec<(u64, String)>,
}

/// Adds the effects of one step to `change`.
pub fn fold(
    change: &mut CaseChange,
    effects: Vec<Effect>,
    contact: &dyn Fn(&str) -> bool,
    told: &mut Told,
) {
    for effect in effects {
        one(change, effect, contact, told);
    }
}

fn one(change: &mut CaseChange, effect: Effect, contact: &dyn Fn(&str) -> bool, told: &mut Told) {
    match effect {
        Effect::Job {
            key,
            kind,
            payload,
            mut headers,
            repeats,
            ..
        } => {
            if let Some(earlier) = repeats {
                headers.insert(REPEATS.to_owned(), earlier.to_string());
            }
            match kind.parse::<CommandKind>() {
                Ok(parsed) => change.effects.push(NewEffect {
                    job: key,
                    contact: contact(&kind),
                    payload: if parsed.takes_payload() {
                        payload
                    } else {
                        json!({})
                    },
                    kind: parsed,
                    headers,
                    not_before: None,
                }),
                Err(_) => told.unknown_kinds.push((key, kind)),
            }
        }
        Effect::WorkItem {
            key,
            element,
            name,
            form,
            assignee,
            candidate_groups,
            due,
            follow_up,
            priority,
            payload,
            headers,
            ..
        } => {
            change.work_items.push(NewWorkItem {
                job: key,
                element,
                name,
                form,
                assignee,
                groups: candidate_groups,
                due,
                follow_up,
                priority: i32::try_from(priority).unwrap_or(50),
                payload,
                headers,
            });
        }
        Effect::Withdraw { key } => withdraw(change, key),
        Effect::Arm {
            timer,
            due,
            element,
        } => change.arm.push(NewTimer {
            timer,
            due,
            element,
        }),
        Effect::Disarm { timer } => cancel(
            &mut change.arm,
            |armed| armed.timer == timer,
            &mut change.disarm,
            timer,
        ),
        Effect::Subscribe {
            key,
            message,
            correlation,
            ..
        } => {
            change.subscribe.push(NewSubscription {
                key,
                awaits: Awaits::Message,
                name: message,
                correlation,
            });
        }
        Effect::SubscribeSignal { key, signal, .. } => {
            change.subscribe.push(NewSubscription {
                key,
                awaits: Awaits::Signal,
                name: signal,
                correlation: String::new(),
            });
        }
        Effect::Unsubscribe { key } | Effect::UnsubscribeSignal { key } => {
            cancel(
                &mut change.subscribe,
                |open| open.key == key,
                &mut change.unsubscribe,
                key,
            );
        }
        Effect::Incident {
            key,
            element,
            job,
            kind,
            code,
            message,
        } => {
            change.incidents.push(NewIncident {
                key,
                element,
                job,
                kind,
                code,
                message,
            });
        }
        Effect::Resolve { incident } => {
            cancel(
                &mut change.incidents,
                |open| open.key == incident,
                &mut change.resolve,
                incident,
            );
        }
        Effect::Reached { properties, .. } => {
            if let Some(Value::String(milestone)) = properties.get("milestone")
                && !change.milestones.contains(milestone)
            {
                change.milestones.push(milestone.clone());
            }
        }
        Effect::Signal { name, variables } => told.signals.push((name, variables)),
        Effect::Dropped { name, why, .. } => told.dropped.push((name, why)),
        Effect::Finished { outcome, end, .. } => {
            change.ledger = Some(Ledger::ended(outcome.unwrap_or(end)))
        }
    }
}

fn withdraw(change: &mut CaseChange, key: u64) {
    let before = change.effects.len() + change.work_items.len();
    change.effects.retain(|effect| effect.job != key);
    change.work_items.retain(|item| item.job != key);
    if change.effects.len() + change.work_items.len() == before {
        change.withdraw.push(key);
    }
}

/// Takes back what this change opened, or else notes `key` as closed.
fn cancel<T>(opened: &mut Vec<T>, is: impl Fn(&T) -> bool, closed: &mut Vec<u64>, key: u64) {
    match opened.iter().position(is) {
        Some(at) => {
            opened.remove(at);
        }
        None => closed.push(key),
    }
}

/// The ledger of an instance that goes on: it needs a human if an incident is open.
#[must_use]
pub fn standing(
    open_incidents: usize,
    waiting_for: Option<String>,
    next_wake: Option<Timestamp>,
) -> Ledger {
    if open_incidents > 0 {
        Ledger::incident(waiting_for, next_wake)
    } else {
        Ledger::waiting(waiting_for, next_wake)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use halsonav_domain::CaseId;
    use halsonav_storage::CaseNo;

    use super::*;

    fn folded(effects: Vec<Effect>) -> (CaseChange, Told) {
        let id = CaseId(uuid::Uuid::from_u128(1));
        let mut change = CaseChange::new(CaseNo(1), id, 0, 1, Vec::new(), Timestamp::UNIX_EPOCH);
        let mut told = Told::default();
        fold(
            &mut change,
            effects,
            &|kind| kind == "messaging.send",
            &mut told,
        );
        (change, told)
    }

    fn job(key: u64, kind: &str) -> Effect {
        Effect::Job {
            key,
            element: "E".into(),
            kind: kind.into(),
            retries: 3,
            payload: Value::Null,
            headers: BTreeMap::new(),
            repeats: None,
        }
    }

    #[test]
    fn what_opens_and_closes_in_one_batch_never_reaches_the_store() {
        let (change, _) = folded(vec![
            job(1, "messaging.send"),
            Effect::Arm {
                timer: 2,
                due: Timestamp::UNIX_EPOCH,
                element: "T".into(),
            },
            Effect::Withdraw { key: 1 },
            Effect::Disarm { timer: 2 },
            Effect::Disarm { timer: 9 },
            Effect::Withdraw { key: 8 },
        ]);
        assert!(change.effects.is_empty() && change.arm.is_empty());
        assert_eq!((change.disarm, change.withdraw), (vec![9], vec![8]));
    }

    #[test]
    fn contact_is_known_by_kind_and_a_bad_kind_is_told() {
        let (change, told) = folded(vec![
            job(1, "messaging.send"),
            job(2, "messaging.check"),
            job(3, "nonsense"),
        ]);
        assert_eq!(
            change.effects.iter().map(|e| e.contact).collect::<Vec<_>>(),
            [true, false]
        );
        assert_eq!(told.unknown_kinds, [(3, "nonsense".to_owned())]);
    }
}
