//! The export to the region's research store: those who contributed and still consent, under the
//! project's pseudonyms, with what is known of them on the day of the export.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use halsonav_domain::{
    CaseId, Kind, Problem, RoundId, SubjectId, Timestamp, command::research::Contribute,
};
use halsonav_research::{Exported, Project, PseudonymKey, Row};
use halsonav_storage::Reader;
use serde_json::{Value, json};

use crate::runtime::{Core, known, store_problem};

/// Groups of the same age and sex smaller than this are counted in the code book.
const THRESHOLD: usize = 5;
/// Cases read at a time.
const PAGE: u32 = 500;

/// Writes the files of the region's project for the round into `dir`.
///
/// # Errors
/// `HUB-RESEARCH-…`: no project, no key, a value that cannot be, a file that cannot be written.
pub async fn export(core: &Arc<Core>, dir: &Path, now: Timestamp) -> Result<Exported, Problem> {
    let settings = core.region.research.clone().ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            "HUB-RESEARCH-101",
            "the region has no research project",
        )
    })?;
    let project = Project {
        id: settings.project,
        ethics_approval: settings.ethics_approval,
        pseudonym_key: key(&core.config.hub.data.join("research.key"))?,
        columns: Vec::new(),
        threshold: THRESHOLD,
    };
    let round = RoundId(core.region.round.id.clone());
    let rows = rows(core, &round).await?;
    let dir = dir.to_owned();
    fs::create_dir_all(&dir).map_err(|error| unusable(&dir, &error))?;
    tokio::task::spawn_blocking(move || {
        halsonav_research::export(rows, &dir, &project, &round, now)
    })
    .await
    .map_err(|_| Problem::new(Kind::Internal, "HUB-RESEARCH-102", "the export broke down"))?
    .map_err(|error| Problem::new(error.kind(), error.code(), error.to_string()))
}

/// The project's own key, made at first use and readable by the hub alone.
fn key(path: &PathBuf) -> Result<PseudonymKey, Problem> {
    if !path.exists() {
        let text: String = rand::random::<[u8; 32]>()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("")))
            .and_then(|()| options.open(path))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| unusable(path, &error))?;
    }
    let text = fs::read_to_string(path).map_err(|error| unusable(path, &error))?;
    PseudonymKey::parse(&text)
        .map_err(|error| Problem::new(error.kind(), error.code(), error.to_string()))
}

fn unusable(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(
        Kind::Unavailable,
        "HUB-RESEARCH-103",
        format!("{} cannot be used: {error}", path.display()),
    )
}

async fn rows(core: &Arc<Core>, round: &RoundId) -> Result<Vec<Row>, Problem> {
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let wanted = round.clone();
        let (page, last) = core
            .storage
            .read_async(move |r| {
                let records = r.records_of_kind("contribution", Some(&wanted), after, PAGE)?;
                let last = records.last().map(|record| record.no);
                let mut rows = Vec::with_capacity(records.len());
                for record in records {
                    if let Some(case) = r.case(&record.case)? {
                        rows.extend(row(r, record.case, case.subject, &record.record.data)?);
                    }
                }
                Ok((rows, last))
            })
            .await
            .map_err(store_problem)?;
        rows.extend(page);
        match last {
            Some(last) => after = Some(last),
            None => return Ok(rows),
        }
    }
}

/// One resident's row; nothing when consent was taken back since.
fn row(
    reader: &mut Reader,
    case: CaseId,
    subject: SubjectId,
    contributed: &Value,
) -> halsonav_storage::Result<Option<Row>> {
    let consents = reader.records(&case, Some("consent"))?;
    let withdrawn = consents
        .last()
        .is_some_and(|last| last.data.get("given") != Some(&json!(true)));
    if withdrawn {
        return Ok(None);
    }
    let held = reader
        .milestones(&case)?
        .into_iter()
        .find(|milestone| milestone.name == "dialogue")
        .map(|milestone| milestone.at);
    let background = known(reader, &case)?;
    let mut whole = contributed.clone();
    whole["forms"] = background.forms;
    whole["observations"] = Value::Array(background.observations);
    whole["profile"] = background.profile.unwrap_or(Value::Null);
    let contribution: Contribute = serde_json::from_value(whole)
        .map_err(|_| halsonav_storage::Error::Corrupt("contribution"))?;
    Ok(Some(Row {
        subject,
        held,
        contribution,
    }))
}
