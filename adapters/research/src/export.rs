//! From contributions to the files of a round.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use halsonav_domain::{RoundId, SubjectId, Timestamp, command::research::Contribute};
use serde::Deserialize;

use crate::{
    Error, Project, codebook, sheet, store,
    table::{self, Table},
};

/// What one resident contributed in the round.
#[derive(Clone, PartialEq, Deserialize)]
pub struct Row {
    /// The resident, by the hub's random id. It does not leave the hub.
    pub subject: SubjectId,
    /// When the dialogue was held; the month of it is exported.
    pub held: Option<Timestamp>,
    /// What was contributed.
    pub contribution: Contribute,
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({:?}, redacted)", self.subject)
    }
}

/// What was exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Parquet, CSV and the code book as CSV and as text.
    pub files: Vec<PathBuf>,
    /// Rows of the table: one for each resident.
    pub rows: usize,
    /// Rows that are not in it for want of consent.
    pub without_consent: usize,
    /// Rows that are not in it because the resident has a later one.
    pub superseded: usize,
    /// Rows in groups of the same age and sex smaller than the project's threshold.
    pub in_small_groups: usize,
    /// Answers that look like free text and that no column asks for.
    pub left_out: Vec<String>,
}

/// A row under its pseudonym.
pub(crate) struct Entry {
    pub pseudonym: String,
    pub held: Option<Timestamp>,
    pub contribution: Contribute,
}

/// What the code book says besides the columns.
pub(crate) struct Facts<'a> {
    pub project: &'a Project,
    pub round: &'a RoundId,
    pub made: Timestamp,
    pub in_small_groups: usize,
}

/// Writes the files of a round into `dir`: `<project>-<round>.parquet`, `.csv`, `-kodbok.csv` and
/// `-kodbok.md`. Each gets its name when it is whole. The order of `rows` does not matter. Blocks.
///
/// # Errors
/// [`Error`]; a project without an approval, a column that cannot be, a file that cannot be written.
pub fn export(
    rows: impl IntoIterator<Item = Row>,
    dir: &Path,
    project: &Project,
    round: &RoundId,
    now: Timestamp,
) -> Result<Exported, Error> {
    name("the project's id", &project.id)?;
    name("the round's id", &round.0)?;
    if project.ethics_approval.trim().is_empty() {
        return Err(Error::NoApproval);
    }
    let mut entries = Vec::new();
    let mut without_consent = 0;
    for row in rows {
        if row.contribution.consent {
            entries.push(Entry {
                pseudonym: project.pseudonym(row.subject),
                held: row.held,
                contribution: row.contribution,
            });
        } else {
            without_consent += 1;
        }
    }
    let superseded = settle(&mut entries);
    let table = table::table(&entries, project, round)?;
    let in_small_groups = in_small_groups(&entries, project.threshold);
    let facts = Facts {
        project,
        round,
        made: now,
        in_small_groups,
    };
    let files = write(&table, dir, &facts)?;
    Ok(Exported {
        files,
        rows: table.rows,
        without_consent,
        superseded,
        in_small_groups,
        left_out: table.left_out,
    })
}

fn write(table: &Table, dir: &Path, facts: &Facts<'_>) -> Result<Vec<PathBuf>, Error> {
    let stem = format!("{}-{}", facts.project.id, facts.round);
    let made = [
        (format!("{stem}.parquet"), store::parquet(table, facts)?),
        (format!("{stem}.csv"), sheet::csv(table)?),
        (format!("{stem}-kodbok.csv"), codebook::csv(table)?),
        (
            format!("{stem}-kodbok.md"),
            codebook::text(table, facts).into_bytes(),
        ),
    ];
    store::place(dir, &made)
}

/// One entry for each pseudonym, the latest; in the order of the pseudonyms, which is no order of
/// people. Answers how many gave way.
fn settle(entries: &mut Vec<Entry>) -> usize {
    let before = entries.len();
    let text = |entry: &Entry| serde_json::to_string(&entry.contribution).unwrap_or_default();
    entries.sort_by(|a, b| {
        let order = a.pseudonym.cmp(&b.pseudonym);
        let order = order.then_with(|| b.held.cmp(&a.held));
        order.then_with(|| text(a).cmp(&text(b)))
    });
    entries.dedup_by(|later, first| later.pseudonym == first.pseudonym);
    before - entries.len()
}

fn in_small_groups(entries: &[Entry], threshold: usize) -> usize {
    let mut groups = HashMap::<_, usize>::new();
    for entry in entries {
        let group = (entry.contribution.age, entry.contribution.sex.as_deref());
        *groups.entry(group).or_default() += 1;
    }
    groups.values().filter(|size| **size < threshold).sum()
}

fn name(what: &'static str, text: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::Name(what))
    }
}
