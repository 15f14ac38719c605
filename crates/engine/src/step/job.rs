//! What is asked of the outside world and of people at work, and their answers.

use halsonav_domain::{Problem, Timestamp};
use halsonav_expression::{Template, calendar};
use serde_json::{Map, Value};

use super::incident::Failure;
use super::run::Run;
use crate::Effect;
use crate::graph::{JobDef, Node, NodeKind, Throw, UserTask};
use crate::instance::Phase;

impl Run<'_> {
    /// The job of the item. Its key is the item's.
    pub(super) fn job(&self, key: u64, node: &Node, job: &JobDef) -> Result<Effect, Failure> {
        let env = self.env(key, &[]);
        let kind = job.kind.text(&env)?;
        let retries = job.retries.text(&env)?;
        let retries = retries
            .trim()
            .parse()
            .map_err(|_| Failure::field("retries"))?;
        let payload = self.payload(key, node);
        let (element, headers) = (node.id.clone(), node.headers.clone());
        Ok(Effect::Job {
            key,
            element,
            kind,
            retries,
            payload,
            headers,
            repeats: None,
        })
    }

    pub(super) fn work_item(
        &self,
        key: u64,
        node: &Node,
        user: &UserTask,
    ) -> Result<Effect, Failure> {
        Ok(Effect::WorkItem {
            key,
            element: node.id.clone(),
            name: node.name.clone(),
            form: self.optional(key, user.form.as_ref(), "form")?,
            assignee: self.optional(key, user.assignee.as_ref(), "assignee")?,
            candidate_groups: self.groups(key, user.candidate_groups.as_ref())?,
            due: self.moment(key, user.due.as_ref(), "dueDate")?,
            follow_up: self.moment(key, user.follow_up.as_ref(), "followUpDate")?,
            priority: match self.optional(key, user.priority.as_ref(), "priority")? {
                Some(text) => text
                    .trim()
                    .parse()
                    .map_err(|_| Failure::field("priority"))?,
                None => 50,
            },
            payload: self.payload(key, node),
            headers: node.headers.clone(),
            properties: self.properties(key, node, &[])?,
        })
    }

    /// What the input mappings made, or everything visible if there are none.
    fn payload(&self, key: u64, node: &Node) -> Value {
        if node.io.inputs.is_empty() {
            return Value::Object(self.instance.visible(key));
        }
        let locals = self.instance.items.get(&key).map(|item| &item.variables);
        let mut payload = Map::new();
        for mapping in &node.io.inputs {
            let name = mapping.target.split('.').next().unwrap_or_default();
            if let Some(value) = locals.and_then(|locals| locals.get(name)) {
                payload.insert(name.to_owned(), value.clone());
            }
        }
        Value::Object(payload)
    }

    /// Text, or nothing where the expression gives null or blank.
    fn optional(
        &self,
        key: u64,
        template: Option<&Template>,
        field: &str,
    ) -> Result<Option<String>, Failure> {
        let Some(template) = template else {
            return Ok(None);
        };
        match template.value(&self.env(key, &[]))? {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
            Value::Number(number) => Ok(Some(number.to_string())),
            _ => Err(Failure::field(field)),
        }
    }

    fn moment(
        &self,
        key: u64,
        template: Option<&Template>,
        field: &str,
    ) -> Result<Option<Timestamp>, Failure> {
        let text = self.optional(key, template, field)?;
        text.map(|text| calendar::moment(&text).map_err(|_| Failure::field(field)))
            .transpose()
    }

    /// A list, or names between commas.
    fn groups(&self, key: u64, template: Option<&Template>) -> Result<Vec<String>, Failure> {
        let Some(template) = template else {
            return Ok(Vec::new());
        };
        let wrong = || Failure::field("candidateGroups");
        match template.value(&self.env(key, &[]))? {
            Value::Null => Ok(Vec::new()),
            Value::String(text) => {
                let names = text
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                Ok(names.map(str::to_owned).collect())
            }
            Value::Array(names) => names
                .into_iter()
                .map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            _ => Err(wrong()),
        }
    }

    /// Opens the subscriptions, then asks.
    pub(super) fn ask(&mut self, key: u64, node: &Node, effect: Effect) -> Result<(), Failure> {
        self.open(key, node)?;
        if let Some(item) = self.item(key) {
            item.job = Some(key);
        }
        self.effects.push(effect);
        Ok(())
    }

    /// Asks again under a new key. After an unknown outcome the effect names the key to repeat, so
    /// that the neighbour sees one idempotency key.
    pub(super) fn ask_again(&mut self, key: u64, repeats: Option<u64>) {
        let Some(node) = self.node(key) else { return };
        let asked = match &node.kind {
            NodeKind::User(user) => self.work_item(key, node, user),
            NodeKind::Job(job)
            | NodeKind::End(Throw::Message(job))
            | NodeKind::Throw(Throw::Message(job)) => self.job(key, node, job),
            _ => return self.activate(key),
        };
        match asked {
            Ok(mut effect) => {
                let job = self.key();
                match &mut effect {
                    Effect::Job {
                        key,
                        repeats: first,
                        ..
                    } => (*key, *first) = (job, repeats),
                    Effect::WorkItem { key, .. } => *key = job,
                    _ => {}
                }
                if let Some(item) = self.item(key) {
                    item.job = Some(job);
                }
                self.effects.push(effect);
            }
            Err(failure) => self.fail(key, Phase::Active, failure),
        }
    }

    /// The item that a job or work item belongs to.
    pub(super) fn item_of(&self, job: u64) -> Option<u64> {
        let holds = |key: &u64| {
            self.instance
                .items
                .get(key)
                .is_some_and(|item| item.job == Some(job))
        };
        if holds(&job) {
            return Some(job);
        }
        // Only a job that was asked again has a key other than its item's.
        self.instance
            .items
            .iter()
            .find(|(_, item)| item.job == Some(job))
            .map(|(&key, _)| key)
    }

    pub(super) fn completed(&mut self, job: u64, variables: Map<String, Value>) {
        if let Some(key) = self.answered(job) {
            self.complete(key, variables);
        }
    }

    pub(super) fn refused(&mut self, job: u64, code: &str, variables: Map<String, Value>) {
        if let Some(key) = self.answered(job) {
            self.refuse(key, code, variables);
        }
    }

    /// The job has its answer: nothing more is expected under its key.
    fn answered(&mut self, job: u64) -> Option<u64> {
        let key = self.item_of(job)?;
        self.resolve_item(key);
        if let Some(item) = self.item(key) {
            item.job = None;
        }
        Some(key)
    }

    /// The item keeps the key: a late answer still counts.
    pub(super) fn failed(&mut self, job: u64, problem: &Problem, unknown: bool) {
        if let Some(key) = self.item_of(job) {
            let failure = Failure::new(problem.kind, &problem.code, problem.message.clone());
            self.incident(key, failure, Some(job), unknown);
        }
    }
}
