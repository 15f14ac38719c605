//! From the region's list to open cases: who the cohort table invites gets a case, everybody else
//! is counted with the reason why not. Nobody on the list is dropped in silence.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
};

use halsonav_domain::{CaseId, Envelope, Kind, PersonId, Problem, RoundId, SubjectId, Timestamp};
use halsonav_roster::Listed;
use halsonav_storage::{CaseFilter, Created, DefinitionRef, NewCase, Round, Writer};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    cli::progress,
    runtime::{Core, case_opened, store_problem},
};

/// The decision table that says who is invited.
const TABLE: &str = "cohort";
/// Lines in one transaction.
const BATCH: usize = 500;

/// What an import did.
#[derive(Debug, Default, Serialize)]
pub struct Imported {
    /// Lines read.
    pub lines: u64,
    /// Cases opened.
    pub opened: u64,
    /// People who had a case in the round already.
    pub known: u64,
    /// People the table does not invite, by its reason.
    pub not_invited: BTreeMap<String, u64>,
    /// Lines that could not be read: line, code and what is wrong; never what it says.
    pub faults: Vec<LineFault>,
}

/// A line that could not be read.
#[derive(Debug, Serialize)]
pub struct LineFault {
    /// Number of the line, from 1.
    pub line: u64,
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

impl Imported {
    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![format!(
            "{} lines, {} cases opened, {} known before",
            self.lines, self.opened, self.known
        )];
        lines.extend(
            self.not_invited
                .iter()
                .map(|(why, n)| format!("not invited, {why}: {n}")),
        );
        lines.extend(
            self.faults
                .iter()
                .map(|fault| format!("line {}: {}: {}", fault.line, fault.code, fault.message)),
        );
        lines.join("\n")
    }
}

/// Case ids for real use: time-ordered and random.
pub fn random_ids(_: &PersonId) -> CaseId {
    CaseId(uuid::Uuid::now_v7())
}

/// Reads the file and opens cases, batch by batch. Importing the same file again opens nothing new,
/// and finishes what a crash left half done.
///
/// # Errors
/// When the file cannot be opened, or store or bus fail.
pub async fn import(
    core: &Arc<Core>,
    file: &Path,
    ids: &(dyn Fn(&PersonId) -> CaseId + Sync),
    show: bool,
) -> Result<Imported, Problem> {
    let mut imported = Imported::default();
    let round = RoundId(core.region.round.id.clone());
    open_round(core, &round).await?;
    let carried = Arc::new(carried_over(core).await?);
    let bar = progress(show, "reading the list");
    let mut batch = Vec::with_capacity(BATCH);
    for line in halsonav_roster::read(file)
        .map_err(|error| Problem::new(Kind::Invalid, error.code(), error.to_string()))?
    {
        imported.lines += 1;
        match line {
            Ok(listed) => batch.push(listed),
            Err(error) => imported.faults.push(LineFault {
                line: error.line,
                code: error.code.to_owned(),
                message: error.reason,
            }),
        }
        if batch.len() == BATCH {
            bar.inc(BATCH as u64);
            take(
                core,
                &round,
                std::mem::take(&mut batch),
                ids,
                &carried,
                &mut imported,
            )
            .await?;
        }
    }
    take(core, &round, batch, ids, &carried, &mut imported).await?;
    bar.finish_and_clear();
    tracing::info!(
        lines = imported.lines,
        opened = imported.opened,
        known = imported.known,
        not_invited = imported.not_invited.values().sum::<u64>(),
        faults = imported.faults.len(),
        "a list of residents was taken in"
    );
    Ok(imported)
}

async fn open_round(core: &Arc<Core>, round: &RoundId) -> Result<(), Problem> {
    let row = Round {
        id: round.clone(),
        name: format!("{} {round}", core.region.title),
        opened: core.clock.now(),
        closed: None,
        data: json!({ "region": core.region.name, "year": core.region.round.year }),
    };
    core.storage
        .write_async(move |tx| {
            if tx.round(&row.id)?.is_some() {
                Ok(())
            } else {
                tx.put_round(&row)
            }
        })
        .await
        .map_err(store_problem)
}

/// People whose case of an earlier round ended with an invitation to the next.
async fn carried_over(core: &Arc<Core>) -> Result<HashSet<SubjectId>, Problem> {
    core.storage
        .read_async(|r| {
            let filter = CaseFilter {
                outcome: Some("carried-over".to_owned()),
                ..CaseFilter::default()
            };
            let (mut found, mut after) = (HashSet::new(), None);
            loop {
                let page = r.cases(&filter, after, 5000)?;
                let Some(last) = page.last() else {
                    return Ok(found);
                };
                after = Some(last.no);
                found.extend(page.iter().map(|case| case.subject));
            }
        })
        .await
        .map_err(store_problem)
}

/// Somebody the table invites.
struct Invited {
    listed: Listed,
    age: i64,
}

async fn take(
    core: &Arc<Core>,
    round: &RoundId,
    batch: Vec<Listed>,
    ids: &(dyn Fn(&PersonId) -> CaseId + Sync),
    carried: &Arc<HashSet<SubjectId>>,
    imported: &mut Imported,
) -> Result<(), Problem> {
    if batch.is_empty() {
        return Ok(());
    }
    let people: Vec<PersonId> = batch
        .iter()
        .map(|listed| listed.person_id.clone())
        .collect();
    let subjects = core
        .storage
        .write_async(move |tx| tx.enrol(&people))
        .await
        .map_err(store_problem)?;
    let mut invited = Vec::new();
    for (listed, enrolled) in batch.into_iter().zip(subjects) {
        let age = age(&listed.person_id, core.region.round.year);
        let (yes, why) = decide(core, age, carried.contains(&enrolled.subject))?;
        match (yes, age) {
            (true, Some(age)) => invited.push((Invited { listed, age }, enrolled.subject)),
            _ => *imported.not_invited.entry(why).or_default() += 1,
        }
    }
    let now = core.clock.now();
    let definition = core
        .library()
        .latest(&core.region.process)
        .map(|d| DefinitionRef {
            id: d.id.clone(),
            version: d.version,
        });
    let definition = definition.ok_or_else(|| {
        Problem::new(
            Kind::Internal,
            "HUB-COHORT-001",
            "the region's process is not deployed",
        )
    })?;
    let cases: Vec<NewCase> = invited
        .iter()
        .map(|(person, subject)| NewCase {
            id: ids(&person.listed.person_id),
            subject: *subject,
            round: round.clone(),
            unit: person.listed.unit.clone(),
            definition: definition.clone(),
            at: now,
        })
        .collect();
    let languages: Vec<_> = invited
        .iter()
        .map(|(person, subject)| (*subject, person.listed.language.clone()))
        .collect();
    let created = core
        .storage
        .write_async(move |tx| {
            let created = tx.create_cases(&cases)?;
            for (subject, language) in &languages {
                tx.set_language(subject, language.as_deref())?;
            }
            created
                .into_iter()
                .map(|made| standing(tx, made))
                .collect::<halsonav_storage::Result<Vec<_>>>()
        })
        .await
        .map_err(store_problem)?;
    let mut facts = Vec::new();
    for ((person, _), (case, is_new, is_open)) in invited.iter().zip(created) {
        if is_new {
            imported.opened += 1;
        } else {
            imported.known += 1;
        }
        // A case without a first step is one whose opening a crash swallowed: say it again.
        if !is_open {
            facts.push(opening(core, case, person, round, now));
        }
    }
    core.publish(facts).await
}

fn standing(tx: &mut Writer, made: Created) -> halsonav_storage::Result<(CaseId, bool, bool)> {
    let (no, is_new) = match made {
        Created::New(no) => (no, true),
        Created::Exists(no, _) => (no, false),
    };
    let stored = tx.load_instances_by_no(&[no])?;
    let stored = stored
        .first()
        .ok_or(halsonav_storage::Error::Corrupt("case"))?;
    Ok((stored.case.id, is_new, stored.revision > 0))
}

/// Age reached during the year; unknown for a reserve number, which tells no birth date.
fn age(person: &PersonId, year: i16) -> Option<i64> {
    person
        .birth_date()
        .map(|born| i64::from(year) - i64::from(born.year()))
}

fn decide(core: &Core, age: Option<i64>, carried_over: bool) -> Result<(bool, String), Problem> {
    let Some(age) = age else {
        return Ok((false, "age-unknown".to_owned()));
    };
    let scope: Map<String, Value> = [
        ("age", json!(age)),
        ("carriedOver", json!(carried_over)),
        ("listed", json!(true)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    let answer = core.decisions().evaluate(TABLE, &scope).map_err(|error| {
        Problem::new(
            Kind::Invalid,
            "HUB-COHORT-002",
            format!("the table '{TABLE}': {error}"),
        )
    })?;
    let invite = answer.get("invite").and_then(Value::as_bool);
    let why = answer
        .get("why")
        .and_then(Value::as_str)
        .unwrap_or("no-rule")
        .to_owned();
    let invite = invite.ok_or_else(|| {
        Problem::new(
            Kind::Invalid,
            "HUB-COHORT-003",
            format!("the table '{TABLE}' does not answer with invite and why"),
        )
    })?;
    Ok((invite, why))
}

fn opening(
    core: &Core,
    case: CaseId,
    person: &Invited,
    round: &RoundId,
    now: Timestamp,
) -> Envelope {
    let listed = &person.listed;
    let unit_name = core
        .region
        .units
        .iter()
        .find(|unit| unit.hsa_id == listed.unit)
        .map(|unit| unit.name.clone());
    let data = json!({
        "caseId": case,
        "round": round,
        "year": core.region.round.year,
        "age": person.age,
        "sex": sex(&listed.person_id),
        "unit": listed.unit,
        "unitName": unit_name,
        "language": listed.language.as_deref().unwrap_or("sv"),
        "invitation": listed.invitation,
        "region": core.region.switches,
    });
    case_opened(case, data, now)
}

/// The ninth digit of the ten-digit form tells the registered sex.
fn sex(person: &PersonId) -> Option<&'static str> {
    let digit = person
        .expose()
        .as_bytes()
        .get(10)?
        .checked_sub(b'0')
        .filter(|digit| *digit < 10)?;
    person.birth_date()?;
    Some(if digit % 2 == 1 { "man" } else { "woman" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_and_sex_come_from_the_number() {
        let person = PersonId::parse("191212121212").expect("valid");
        assert_eq!(age(&person, 1962), Some(50));
        assert_eq!(sex(&person), Some("man"));
        let reserve = PersonId::parse("22860101AB1C").expect("valid");
        assert_eq!((age(&reserve, 2026), sex(&reserve)), (None, None));
    }
}
