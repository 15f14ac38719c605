//! The residents and those who work: what they do about what reaches them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use halsonav_domain::{CaseId, Envelope, Timestamp};
use halsonav_storage::{Incident, WorkItem};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{run::FATES, truth::Truth};

/// Everybody, with what they have yet to do.
pub struct Town {
    truth: Arc<Truth>,
    /// Effects looked at so far.
    seen: usize,
    /// What somebody will say, and when.
    plans: Vec<(Timestamp, Envelope)>,
    /// Said no; to be held against the hub once it has come to rest.
    no: BTreeSet<CaseId>,
    said: BTreeMap<String, usize>,
}

impl Town {
    /// Nobody has heard anything.
    #[must_use]
    pub fn new(truth: Arc<Truth>) -> Self {
        Self {
            truth,
            seen: 0,
            plans: Vec::new(),
            no: BTreeSet::new(),
            said: BTreeMap::new(),
        }
    }

    /// Fates are met, and what has reached people makes them plan.
    pub fn live(&mut self, now: Timestamp) {
        for case in self.truth.people().keys() {
            let question = format!("fate of {case} at {now}");
            if self.truth.dice(&question, 1000) < 8 {
                let which = self.truth.dice(&format!("which {question}"), FATES.len());
                let (status, protection) = FATES[which];
                self.truth.fate(*case, status, protection);
            }
        }
        let fresh = self.truth.since(self.seen);
        self.seen += fresh.len();
        for effect in fresh {
            let made = &effect.result;
            let answers = |of: usize| self.truth.dice(&format!("answers {made}"), 1000) < of;
            match effect.kind.as_str() {
                "messaging.send" | "print.letter" => self.invited(effect.case, now),
                "forms.request" if answers(850) => {
                    let form = made["formId"].as_str().unwrap_or_default().to_owned();
                    let data = json!({ "formId": form, "template": "levnadsvanor", "answers": { "smoke": "never" }, "mode": "digital" });
                    let id = format!("completed-{form}");
                    self.plan(
                        "/adapters/forms",
                        &id,
                        "form.completed",
                        effect.case,
                        now,
                        data,
                        Some(form),
                    );
                }
                "lab.order" if answers(900) => {
                    let order = made["orderId"].as_str().unwrap_or_default().to_owned();
                    let data = json!({ "orderId": order, "complete": true, "observations": [
                        { "code": "NPU27300", "value": 38.0, "unit": "mmol/mol", "status": "final" }] });
                    let id = format!("ORU-{order}");
                    self.plan(
                        "/adapters/lab",
                        &id,
                        "lab.result",
                        effect.case,
                        now,
                        data,
                        Some(order),
                    );
                }
                _ => {}
            }
        }
    }

    fn invited(&mut self, case: CaseId, now: Timestamp) {
        let times = self.said.entry(format!("invited {case}")).or_default();
        *times += 1;
        let nth = *times;
        let letter = format!("{case}-{nth}");
        match self.truth.dice(&format!("invited {letter}"), 10) {
            0..=3 => {
                let start = now + SignedDuration::from_hours(24 * 20);
                let data = json!({ "bookingId": format!("R{letter}"), "start": start, "end": start + SignedDuration::from_hours(1) });
                self.plan(
                    "/adapters/booking",
                    &format!("made-{letter}"),
                    "booking.made",
                    case,
                    now,
                    data.clone(),
                    None,
                );
                if self.truth.dice(&format!("cancels {letter}"), 1000) < 150 {
                    let data = json!({ "bookingId": data["bookingId"] });
                    let later = now + SignedDuration::from_hours(24 * 6);
                    self.plan(
                        "/adapters/booking",
                        &format!("cancelled-{letter}"),
                        "booking.cancelled",
                        case,
                        later,
                        data,
                        None,
                    );
                }
            }
            4 => self.plan(
                "/api",
                &format!("no-{case}"),
                "resident.declined",
                case,
                now,
                json!({ "by": "inbox" }),
                None,
            ),
            _ => {}
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a fact is made of")]
    fn plan(
        &mut self,
        source: &str,
        id: &str,
        kind: &str,
        case: CaseId,
        from: Timestamp,
        data: Value,
        key: Option<String>,
    ) {
        let hours = i64::try_from(1 + self.truth.dice(id, 24 * 12)).unwrap_or(1);
        let at = from + SignedDuration::from_hours(hours);
        let mut fact = Envelope::new(source, id, kind, Some(case), at, data);
        fact.correlationkey = key;
        self.plans.push((at, fact));
    }

    /// What is said by now. Some of it twice, as neighbours do.
    pub fn facts(&mut self, now: Timestamp) -> Vec<Envelope> {
        let (due, later) = std::mem::take(&mut self.plans)
            .into_iter()
            .partition::<Vec<_>, _>(|(at, _)| *at <= now);
        self.plans = later;
        let mut facts = Vec::new();
        for (_, fact) in due {
            if fact.kind == "resident.declined" {
                self.no.extend(fact.subject);
            }
            if self.truth.goes_wrong(100) {
                facts.push(fact.clone());
            }
            facts.push(fact);
        }
        facts
    }

    /// The hub has come to rest: whoever said no must be left in peace from now on.
    pub fn settled(&mut self) {
        for case in std::mem::take(&mut self.no) {
            self.truth.said_no(case);
        }
    }

    /// Work items are done, each once, with an outcome by chance.
    pub fn work(&mut self, items: &[WorkItem], now: Timestamp) -> Vec<Envelope> {
        let mut facts = Vec::new();
        for item in items {
            let id = format!("work-item-{}-{}", item.case, item.job);
            if self.said.contains_key(&id) || self.truth.dice(&format!("{id} {now}"), 10) < 4 {
                continue;
            }
            self.said.insert(id.clone(), 1);
            let data = json!({ "job": item.job, "result": self.result(item, now) });
            facts.push(Envelope::new(
                "/api",
                id,
                "work-item.completed",
                Some(item.case),
                now,
                data,
            ));
        }
        facts
    }

    fn result(&self, item: &WorkItem, now: Timestamp) -> Value {
        let question = format!("work {} {}", item.case, item.job);
        let pick = |of: &[&str]| of[self.truth.dice(&question, of.len())].to_owned();
        match item.form.as_deref().unwrap_or_default() {
            "call" => {
                json!({ "outcome": pick(&["booked", "declined", "not-reached", "undecided"]) })
            }
            "visit" if self.truth.dice(&question, 10) == 0 => json!({ "outcome": "no-show" }),
            "visit" => {
                json!({ "outcome": "held", "held": now, "leader": "L1", "consent": true, "observations": [
                { "code": "height", "value": 172.0, "unit": "cm" }, { "code": "weight", "value": 70.0, "unit": "kg" }] })
            }
            "paper-form" | "assisted-form" => {
                json!({ "outcome": "entered", "form": "levnadsvanor", "mode": "paper", "answers": { "smoke": "never" } })
            }
            "manual-contact" => json!({ "outcome": pick(&["declined", "not-reached"]) }),
            "returned-letter" => json!({ "outcome": "filed" }),
            "rejected-letter" => json!({ "outcome": "resend" }),
            _ => json!({ "outcome": "done" }),
        }
    }

    /// An operator takes every incident of a case as done by hand; what cannot be skipped is tried again.
    pub fn repair(&mut self, incidents: &[Incident], now: Timestamp) -> Vec<Envelope> {
        let mut facts = Vec::new();
        for incident in incidents {
            let (Some(case), Some(key)) = (incident.case, incident.key) else {
                continue;
            };
            let times = self.said.entry(format!("repair {case} {key}")).or_default();
            *times += 1;
            let (kind, n) = if *times % 2 == 1 {
                ("operator.skip", *times)
            } else {
                ("operator.retry", *times)
            };
            let id = format!("repair-{case}-{key}-{n}");
            let data = json!({ "incident": key, "variables": {} });
            facts.push(Envelope::new("/api", id, kind, Some(case), now, data));
        }
        facts
    }
}
