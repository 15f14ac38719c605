//! A batch of records, read and sorted by the case they are about.

use std::collections::HashMap;

use halsonav_bus::{Delivered, codec};
use halsonav_domain::{CaseId, Envelope};

/// What came.
#[derive(Default)]
pub(super) struct Mail {
    /// Cases in the order in which the first fact about each came, with what came about it, in order.
    pub(super) cases: Vec<(CaseId, Vec<Numbered>)>,
    /// Facts that name no case.
    pub(super) open: Vec<Numbered>,
    /// Why records could not be read.
    pub(super) unreadable: Vec<String>,
}

/// A fact with its place in the batch.
pub(super) type Numbered = (usize, Envelope);

impl Mail {
    /// Reads records.
    pub(super) fn read(records: &[Delivered]) -> Self {
        let mut mail = Self::default();
        let mut places = HashMap::with_capacity(records.len());
        for (n, delivered) in records.iter().enumerate() {
            match codec::read_event(&delivered.record) {
                Ok(fact) => match fact.subject {
                    Some(case) => mail.add(&mut places, case, (n, fact)),
                    None => mail.open.push((n, fact)),
                },
                Err(error) => mail.unreadable.push(error.to_string()),
            }
        }
        mail
    }

    /// The facts about cases, together with these that turned out to be about some. A case stays at its
    /// place.
    pub(super) fn with(&self, addressed: Vec<(usize, CaseId, Envelope)>) -> Self {
        let mut mail = Self {
            cases: self.cases.clone(),
            ..Self::default()
        };
        let mut places: HashMap<CaseId, usize> = mail
            .cases
            .iter()
            .enumerate()
            .map(|(place, (case, _))| (*case, place))
            .collect();
        for (n, case, fact) in addressed {
            mail.add(&mut places, case, (n, fact));
        }
        for (_, facts) in &mut mail.cases {
            facts.sort_by_key(|(n, _)| *n);
        }
        mail
    }

    fn add(&mut self, places: &mut HashMap<CaseId, usize>, case: CaseId, fact: Numbered) {
        let place = *places.entry(case).or_insert_with(|| {
            self.cases.push((case, Vec::new()));
            self.cases.len() - 1
        });
        self.cases[place].1.push(fact);
    }
}
