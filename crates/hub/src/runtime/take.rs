//! Mail taken to its cases: decided on before the transaction, written in it.
//!
//! To read, step and encode takes longer than to write, and in SQLite one writes at a time. So what
//! will be decided is guessed on the state as it is just before. The transaction looks whether the
//! guess holds: every fact seen for the first time, nothing parked for the case, and its revision the
//! same. Where it does not hold it is decided again, in the transaction.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use halsonav_bus::Delivered;
use halsonav_domain::{CaseId, Envelope, Kind, Timestamp};
use halsonav_engine::Library;
use halsonav_storage::{CaseNo, Error, HubIncident, Result, StoredInstance, Writer};

use super::{
    Core,
    decide::{Decision, decide},
    mail::{Mail, Numbered},
    note::Note,
    report::Report,
};

/// First word of what operators say.
const OPERATOR: &str = "operator.";

/// What was decided on the cases of a mail, by their place in it.
type Guesses = HashMap<usize, Decision>;

/// Decides on what came, and makes it durable.
///
/// # Errors
/// Those of the store. Then nothing of it is there.
pub(super) async fn take(
    core: &Arc<Core>,
    records: Vec<Delivered>,
    now: Timestamp,
) -> Result<Report> {
    let (mail, guesses) = {
        let core = core.clone();
        let guessing = tokio::task::spawn_blocking(move || {
            let mail = Mail::read(&records);
            let guesses = guess(&core, &mail, now)?;
            Ok((Arc::new(mail), Arc::new(guesses)))
        });
        guessing.await.unwrap_or(Err(Error::Panicked))?
    };
    match write(core, &mail, &guesses, now).await {
        // Somebody else was first. Decided in the transaction, the cases are its own.
        Err(Error::Stale(_)) => write(core, &mail, &Arc::default(), now).await,
        written => written,
    }
}

async fn write(
    core: &Arc<Core>,
    mail: &Arc<Mail>,
    guesses: &Arc<Guesses>,
    now: Timestamp,
) -> Result<Report> {
    let (core, mail, guesses) = (core.clone(), mail.clone(), guesses.clone());
    let storage = core.storage.clone();
    storage
        .write_async(move |tx| transact(&core, tx, &mail, &guesses, now))
        .await
}

/// What will be decided if nothing changes until then.
fn guess(core: &Core, mail: &Mail, now: Timestamp) -> Result<Guesses> {
    let ids: Vec<CaseId> = mail.cases.iter().map(|(case, _)| *case).collect();
    let loaded = core.storage.read(|r| r.load_instances(&ids))?;
    let library = core.library();
    let mut guesses = Guesses::with_capacity(loaded.len());
    // Both are in one order, and some that were asked for may not be there.
    let mut cases = mail.cases.iter().enumerate();
    for stored in &loaded {
        let Some((place, (_, facts))) = cases.find(|(_, (case, _))| *case == stored.case.id) else {
            break;
        };
        let facts: Vec<&Envelope> = facts.iter().map(|(_, fact)| fact).collect();
        guesses.insert(place, decide(core, &library, stored, &facts, now)?);
    }
    Ok(guesses)
}

fn transact(
    core: &Core,
    tx: &mut Writer,
    mail: &Mail,
    guesses: &Guesses,
    now: Timestamp,
) -> Result<Report> {
    for why in &mail.unreadable {
        unreadable(tx, why, now)?;
    }
    let addressed = addressed(tx, &mail.open)?;
    if addressed.is_empty() {
        return Taking { core, tx, now }.all(&mail.cases, guesses);
    }
    // What a case gets more than was known cannot have been guessed.
    Taking { core, tx, now }.all(&mail.with(addressed).cases, &Guesses::default())
}

/// A message that names no case goes to those who wait for it.
fn addressed(tx: &mut Writer, open: &[Numbered]) -> Result<Vec<(usize, CaseId, Envelope)>> {
    let mut addressed = Vec::new();
    for (n, fact) in open {
        let Some(key) = &fact.correlationkey else {
            continue;
        };
        for case in tx.awaiting_message(&fact.kind, key)? {
            let subject = Some(case);
            let fact = fact.clone();
            addressed.push((*n, case, Envelope { subject, ..fact }));
        }
    }
    Ok(addressed)
}

fn unreadable(tx: &mut Writer, why: &str, at: Timestamp) -> Result<()> {
    let incident = HubIncident {
        case: None,
        element: "bus".to_owned(),
        kind: Kind::Invalid,
        code: "HUB-INTAKE-003".to_owned(),
        message: format!("a record on the events topic cannot be read: {why}"),
        at,
    };
    tx.open_incident(&incident).map(drop)
}

/// A transaction under way.
struct Taking<'a> {
    core: &'a Core,
    tx: &'a mut Writer,
    now: Timestamp,
}

/// A case of the mail: its place there, its number, and what came that had not been seen.
struct Known<'a> {
    place: usize,
    no: CaseNo,
    facts: Vec<&'a Envelope>,
    is_fresh: bool,
}

impl Taking<'_> {
    fn all(mut self, cases: &[(CaseId, Vec<Numbered>)], guesses: &Guesses) -> Result<Report> {
        let mut report = Report::default();
        let known = self.known(cases, guesses, &mut report)?;
        let numbers: Vec<CaseNo> = known.iter().map(|known| known.no).collect();
        let stopped = self.tx.stopped(&numbers)?;
        let holds = |known: &Known<'_>| {
            let holds = known.is_fresh && !stopped.contains(&known.no);
            guesses.get(&known.place).filter(|_| holds)
        };
        let again: Vec<&Known<'_>> = known
            .iter()
            .filter(|known| holds(known).is_none() && !known.facts.is_empty())
            .collect();
        let again = self.again(&again, &stopped)?;
        let decisions = || known.iter().filter_map(holds).chain(&again);
        for decision in decisions() {
            for note in &decision.notes {
                note.write(self.tx, decision.case, self.now)?;
            }
            report.add(&decision.report);
        }
        self.tx
            .apply(decisions().filter_map(|decision| decision.change.as_ref()))?;
        Ok(report)
    }

    /// The cases that are here, each with what is new about it.
    fn known<'m>(
        &mut self,
        cases: &'m [(CaseId, Vec<Numbered>)],
        guesses: &Guesses,
        report: &mut Report,
    ) -> Result<Vec<Known<'m>>> {
        let unloaded = cases
            .iter()
            .enumerate()
            .filter(|(place, _)| !guesses.contains_key(place));
        let ids: Vec<CaseId> = unloaded.map(|(_, (case, _))| *case).collect();
        let loaded = self.tx.load_instances(&ids)?;
        let numbers: HashMap<CaseId, CaseNo> = loaded
            .into_iter()
            .map(|stored| (stored.case.id, stored.case.no))
            .collect();
        let mut known = Vec::with_capacity(cases.len());
        for (place, (case, facts)) in cases.iter().enumerate() {
            let guessed = guesses.get(&place).map(|decision| decision.case);
            let Some(no) = guessed.or_else(|| numbers.get(case).copied()) else {
                tracing::warn!(%case, code = "HUB-INTAKE-002", "facts about a case that is not here");
                report.rejected += facts.len();
                continue;
            };
            known.push(Known {
                place,
                no,
                facts: facts.iter().map(|(_, fact)| fact).collect(),
                is_fresh: true,
            });
        }
        self.leave_out_seen(&mut known)?;
        Ok(known)
    }

    fn leave_out_seen(&mut self, known: &mut [Known<'_>]) -> Result<()> {
        let mut keys = Vec::with_capacity(known.len());
        for known in known.iter() {
            for fact in known.facts.iter().copied() {
                keys.push((Some(known.no), fact.source.as_str(), fact.id.as_str()));
            }
        }
        let mut first = self.tx.first_seen(&keys, self.now)?.into_iter();
        for known in known {
            let count = known.facts.len();
            known.facts.retain(|_| first.next().unwrap_or(true));
            known.is_fresh = known.facts.len() == count;
        }
        Ok(())
    }

    /// Decides in the transaction.
    fn again(&mut self, known: &[&Known<'_>], stopped: &HashSet<CaseNo>) -> Result<Vec<Decision>> {
        let numbers: Vec<CaseNo> = known.iter().map(|known| known.no).collect();
        let loaded = self.tx.load_instances_by_no(&numbers)?;
        let library = self.core.library();
        let facts: HashMap<CaseNo, &[&Envelope]> = known
            .iter()
            .map(|known| (known.no, known.facts.as_slice()))
            .collect();
        loaded
            .iter()
            .map(|stored| {
                let facts = facts.get(&stored.case.no).copied().unwrap_or_default();
                match stopped.contains(&stored.case.no) {
                    true => self.stopped(&library, stored, facts),
                    false => decide(self.core, &library, stored, facts, self.now),
                }
            })
            .collect()
    }

    /// A parked message stops its own case: what comes later waits behind it, in order. An operator's
    /// word is what gets it going again.
    fn stopped(
        &self,
        library: &Library,
        stored: &StoredInstance,
        facts: &[&Envelope],
    ) -> Result<Decision> {
        let (orders, rest): (Vec<&Envelope>, Vec<&Envelope>) = facts
            .iter()
            .copied()
            .partition(|fact| fact.kind.starts_with(OPERATOR));
        let mut decision = decide(self.core, library, stored, &orders, self.now)?;
        let rest = Note::behind(rest.into_iter().cloned().collect());
        // They came before whatever an order may park.
        decision.notes.splice(0..0, rest);
        Ok(decision)
    }
}
