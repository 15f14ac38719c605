//! The forms that are out, and what became of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use halsonav_domain::{HsaId, Timestamp};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::template::{Answer, AnswerError, Template};

/// Where a form stands (`formStatus`; a cancelled form is gone from the contract's point of view).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Status {
    /// With the resident.
    Ongoing,
    /// Answered; does not change any more.
    Completed,
    /// Taken back.
    Cancelled,
}

/// A form.
#[derive(Clone, Serialize, Deserialize)]
pub struct Form {
    /// The engine's id.
    pub id: String,
    /// Personal identity number.
    pub person: String,
    /// Who asks.
    pub unit: HsaId,
    /// Template id.
    pub template: String,
    /// Template version.
    pub version: u32,
    /// The requester's id (`clinicalProcessInterestId`).
    pub interest: Option<String>,
    /// The system that is told (`healthcare_systemID`).
    pub system: Option<String>,
    /// `expireDate`.
    pub expires: Date,
    /// `keepUntil`.
    pub keep_until: Option<Date>,
    /// When it was placed.
    pub created: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// When it was answered.
    pub completed: Option<Timestamp>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Form({}, {}, {:?})", self.id, self.template, self.status)
    }
}

/// One change, as it stands on the tape.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Entry {
    Created {
        form: Form,
    },
    Answered {
        id: String,
        answers: Vec<Vec<Answer>>,
        at: Timestamp,
    },
    Cancelled {
        id: String,
        at: Timestamp,
    },
    Notified {
        upto: u64,
    },
}

/// What GetForms may ask for; an absent or empty part does not narrow.
#[derive(Default)]
pub(super) struct Query {
    pub interests: Vec<String>,
    pub unit: Option<HsaId>,
    pub person: Option<String>,
    pub templates: Vec<String>,
}

/// All templates and all forms.
#[derive(Default)]
pub(super) struct Desk {
    templates: BTreeMap<(String, u32), Template>,
    forms: Vec<Form>,
    answers: HashMap<String, Vec<Vec<Answer>>>,
    by_id: HashMap<String, usize>,
    by_interest: HashMap<String, Vec<usize>>,
    by_person: HashMap<String, Vec<usize>>,
}

impl Desk {
    pub fn open(templates: Vec<Template>) -> Self {
        let templates = templates
            .into_iter()
            .map(|template| ((template.id.clone(), template.version), template))
            .collect();
        Self {
            templates,
            ..Self::default()
        }
    }

    /// A version of a template, or its newest.
    pub fn template(&self, id: &str, version: Option<u32>) -> Option<&Template> {
        match version {
            Some(version) => self.templates.get(&(id.to_owned(), version)),
            None => self
                .templates
                .range((id.to_owned(), 0)..=(id.to_owned(), u32::MAX))
                .next_back()
                .map(|(_, template)| template),
        }
    }

    pub fn form(&self, id: &str) -> Option<&Form> {
        self.by_id.get(id).and_then(|n| self.forms.get(*n))
    }

    pub fn answers(&self, id: &str) -> &[Vec<Answer>] {
        self.answers.get(id).map_or(&[], Vec::as_slice)
    }

    /// Forms in the order they were placed, from number `since`.
    pub fn since(&self, since: usize) -> &[Form] {
        self.forms.get(since..).unwrap_or(&[])
    }

    pub fn len(&self) -> usize {
        self.forms.len()
    }

    pub fn placed_twice(&self) -> usize {
        let mut seen = HashSet::new();
        let standing = self
            .forms
            .iter()
            .filter(|form| form.status != Status::Cancelled);
        standing
            .filter(|form| !seen.insert((&form.person, &form.template)))
            .count()
    }

    pub fn find<'a>(&'a self, query: &'a Query) -> Box<dyn Iterator<Item = &'a Form> + 'a> {
        let numbers: Box<dyn Iterator<Item = usize> + 'a> = if !query.interests.is_empty() {
            Box::new(
                query
                    .interests
                    .iter()
                    .filter_map(|id| self.by_interest.get(id))
                    .flatten()
                    .copied(),
            )
        } else if let Some(person) = &query.person {
            Box::new(self.by_person.get(person).into_iter().flatten().copied())
        } else {
            Box::new(0..self.forms.len())
        };
        Box::new(numbers.filter_map(|n| self.forms.get(n)).filter(|form| {
            form.status != Status::Cancelled
                && query.unit.as_ref().is_none_or(|unit| form.unit == *unit)
                && query
                    .person
                    .as_ref()
                    .is_none_or(|person| form.person == *person)
                && (query.templates.is_empty() || query.templates.contains(&form.template))
        }))
    }

    pub fn decide_answer(
        &self,
        id: &str,
        answers: &serde_json::Map<String, serde_json::Value>,
        at: Timestamp,
        today: Date,
    ) -> Result<Entry, AnswerError> {
        let open = self
            .form(id)
            .filter(|form| form.status == Status::Ongoing && today <= form.expires);
        let form = open.ok_or(AnswerError::NotOpen)?;
        let template = self
            .template(&form.template, Some(form.version))
            .ok_or(AnswerError::NotOpen)?;
        Ok(Entry::Answered {
            id: id.to_owned(),
            answers: template.accept(answers)?,
            at,
        })
    }

    /// Nothing when there is no open form of that id and person.
    pub fn decide_cancel(&self, id: &str, person: Option<&str>, at: Timestamp) -> Option<Entry> {
        let form = self
            .form(id)
            .filter(|form| form.status == Status::Ongoing)?;
        person
            .is_none_or(|person| form.person == person)
            .then(|| Entry::Cancelled {
                id: id.to_owned(),
                at,
            })
    }

    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Created { form } => {
                let n = self.forms.len();
                self.by_id.insert(form.id.clone(), n);
                self.by_person
                    .entry(form.person.clone())
                    .or_default()
                    .push(n);
                if let Some(interest) = &form.interest {
                    self.by_interest
                        .entry(interest.clone())
                        .or_default()
                        .push(n);
                }
                self.forms.push(form.clone());
            }
            Entry::Answered { id, answers, at } => {
                if let Some(form) = self.by_id.get(id).and_then(|n| self.forms.get_mut(*n)) {
                    form.status = Status::Completed;
                    form.completed = Some(*at);
                    self.answers.insert(id.clone(), answers.clone());
                }
            }
            Entry::Cancelled { id, .. } => {
                if let Some(form) = self.by_id.get(id).and_then(|n| self.forms.get_mut(*n)) {
                    form.status = Status::Cancelled;
                }
            }
            Entry::Notified { .. } => {}
        }
    }
}
