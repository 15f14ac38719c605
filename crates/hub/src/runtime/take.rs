//! Mail taken to its cases: decided on before the transaction, written in it.
//!
//! To read, step and encode takes longer than to write, and in SQLite one writes at a time. So what
//! will be decided is guessed on the state as it is just before. The transaction looks whether the
//! guess holds: every fact seen for the first time, nothing parked for the case, and its revision the
//! same. Where it does not hold it is decided again, in the transaction.
//!
//! The only place where instances change.

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
    news,
    note::Note,
    report::Report,
};
use crate::crash;

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
            let guesses = guess(&core, &mail, now);
            (Arc::new(mail), Arc::new(guesses))
        });
        guessing.await.map_err(|_| Error::Panicked)?
    };
    crash::point("processor.guessed", "").await;
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

/// What will be decided if nothing changes until then. Where that cannot be said, because nobody can
/// read just now or an instance cannot be encoded, nothing: the transaction will tell.
fn guess(core: &Core, mail: &Mail, now: Timestamp) -> Guesses {
    let ids: Vec<CaseId> = mail.cases.iter().map(|(case, _)| *case).collect();
    let Some(Ok(loaded)) = core.storage.try_ask(|r| r.load_instances(&ids)) else {
        return Guesses::default();
    };
    let library = core.library();
    let mut guesses = Guesses::with_capacity(loaded.len());
    // Both are in one order, and some that were asked for may not be there.
    let mut cases = mail.cases.iter().enumerate();
    for stored in &loaded {
        let Some((place, (_, facts))) = cases.find(|(_, (case, _))| *case == stored.case.id) else {
            break;
        };
        let facts: Vec<&Envelope> = facts.iter().map(|(_, fact)| fact).collect();
        if let Ok(decision) = decide(core, &library, stored, &facts, now) {
            guesses.insert(place, decision);
        }
    }
    guesses
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
    // What a case gets more than was known cannot have been guessed.
    let unguessed: HashSet<CaseId> = addressed.iter().map(|(_, case, _)| *case).collect();
    let whole;
    let mail = match addressed.is_empty() {
        true => mail,
        false => {
            whole = mail.with(addressed);
            &whole
        }
    };
    let guessed = |place: usize, case: &CaseId| match unguessed.contains(case) {
        true => None,
        false => guesses.get(&place),
    };
    let cases = mail.cases.iter().enumerate();
    let cases = cases
        .map(|(place, (id, facts))| Taken {
            id: *id,
            guess: guessed(place, id),
            facts: facts.iter().map(|(_, fact)| fact).collect(),
        })
        .collect();
    Taking { core, tx, now }.all(cases)
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

/// A case of the mail, with what came and what was guessed.
struct Taken<'a> {
    id: CaseId,
    guess: Option<&'a Decision>,
    facts: Vec<&'a Envelope>,
}

impl Taken<'_> {
    /// It is guessed, and the statement that writes its step makes sure of it alone.
    fn is_plain(&self) -> bool {
        self.guess.is_some_and(|guess| {
            let change = guess.change.as_ref();
            guess.notes.is_empty() && change.is_some_and(|change| change.ledger.is_some())
        })
    }
}

/// One that is here: its number, and of its facts those that had not been seen.
struct Known<'a> {
    no: CaseNo,
    guess: Option<&'a Decision>,
    fresh: Vec<&'a Envelope>,
}

impl Taking<'_> {
    fn all(mut self, cases: Vec<Taken<'_>>) -> Result<Report> {
        // Before anything is looked at that somebody else could change meanwhile.
        if !cases.iter().all(Taken::is_plain) {
            let ids: Vec<CaseId> = cases.iter().map(|case| case.id).collect();
            self.tx.hold(&ids)?;
        }
        let mut report = Report::default();
        let known = self.known(cases, &mut report)?;
        let numbers: Vec<CaseNo> = known.iter().map(|known| known.no).collect();
        let stopped = self.tx.stopped(&numbers)?;
        let holds = |known: &Known<'_>| known.guess.is_some() && !stopped.contains(&known.no);
        let (guessed, rest): (Vec<Known<'_>>, Vec<Known<'_>>) = known
            .into_iter()
            .filter(|known| !known.fresh.is_empty())
            .partition(holds);
        let again = self.again(&rest)?;
        let decisions = || {
            let guessed = guessed.iter().filter_map(|known| known.guess);
            guessed.chain(&again)
        };
        for decision in decisions() {
            for note in &decision.notes {
                note.write(self.tx, decision.case, self.now)?;
            }
            report.add(&decision.report);
        }
        self.tx
            .apply(decisions().filter_map(|decision| decision.change.as_ref()))?;
        let signals = report.signals.iter();
        let signals: Vec<Envelope> = signals
            .map(|(from, name, variables)| news::signal(*from, name, variables, self.now))
            .collect();
        self.tx.put_news(&signals)?;
        Ok(report)
    }

    /// The cases that are here, each with what is new about it, and its guess if that can still hold.
    fn known<'m>(&mut self, cases: Vec<Taken<'m>>, report: &mut Report) -> Result<Vec<Known<'m>>> {
        // Of a guess that steps nothing no statement will make sure.
        let ids: Vec<CaseId> = cases
            .iter()
            .filter(|case| case.guess.is_none_or(|guess| guess.change.is_none()))
            .map(|case| case.id)
            .collect();
        let at = self.tx.revisions(&ids)?;
        let mut known = Vec::with_capacity(cases.len());
        for Taken { id, guess, facts } in cases {
            let (no, guess) = match (at.get(&id), guess) {
                (Some((no, revision)), guess) => {
                    (*no, guess.filter(|guess| guess.revision == *revision))
                }
                (None, Some(guess)) => (guess.case, Some(guess)),
                (None, None) => {
                    let code = "HUB-INTAKE-002";
                    tracing::warn!(case = %id, code, "facts about a case that is not here");
                    report.rejected += facts.len();
                    continue;
                }
            };
            known.push(Known {
                no,
                guess,
                fresh: facts,
            });
        }
        self.leave_out_seen(&mut known)?;
        Ok(known)
    }

    fn leave_out_seen(&mut self, known: &mut [Known<'_>]) -> Result<()> {
        let mut keys = Vec::with_capacity(known.len());
        for known in known.iter() {
            for fact in known.fresh.iter().copied() {
                keys.push((Some(known.no), fact.source.as_str(), fact.id.as_str()));
            }
        }
        let mut first = self.tx.first_seen(&keys, self.now)?.into_iter();
        for known in known {
            let count = known.fresh.len();
            known.fresh.retain(|_| first.next().unwrap_or(true));
            if known.fresh.len() < count {
                known.guess = None;
            }
        }
        Ok(())
    }

    /// Decides in the transaction.
    fn again(&mut self, cases: &[Known<'_>]) -> Result<Vec<Decision>> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        let numbers: Vec<CaseNo> = cases.iter().map(|known| known.no).collect();
        let loaded = self.tx.load_instances_by_no(&numbers)?;
        // Asked once more: only now nobody else can park a message of theirs.
        let stopped = self.tx.stopped(&numbers)?;
        let library = self.core.library();
        let facts: HashMap<CaseNo, &[&Envelope]> = cases
            .iter()
            .map(|known| (known.no, known.fresh.as_slice()))
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
