//! What a run leaves behind, and what it says at the end.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path, sync::Arc};

use halsonav_bus::codec;
use halsonav_domain::{Problem, Topic};
use halsonav_storage::{CaseFilter, EffectState, Incident, IncidentFilter};
use serde_json::{Value, json};

use super::{driver::Spent, state::unusable, world::World};
use crate::{
    cli::table,
    runtime::{Core, bus_problem, store_problem},
};

/// Statistics below this are not shown.
const SMALL: u64 = 5;

/// How long the bus may take to hand over what it has.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// The numbers of a run.
pub struct Report {
    /// For programs.
    pub value: Value,
    /// The funnel: milestone and cases.
    pub funnel: Vec<(String, u64)>,
}

/// Writes everything under `out` and adds up.
///
/// # Errors
/// When the store fails or a file cannot be written.
pub async fn write(
    core: &Arc<Core>,
    world: &World,
    out: &Path,
    spent: Spent,
) -> Result<Report, Problem> {
    ledger(core, out).await?;
    let funnel = statistics(core, out).await?;
    let profiles = profiles(core, out).await?;
    letters(world, out)?;
    journal(world, out)?;
    if core.region.research.is_some() {
        crate::research::export(core, &out.join("research"), core.clock.now()).await?;
    }
    let events = events(core, out).await?;
    let totals = core
        .storage
        .read_async(|r| r.totals(None))
        .await
        .map_err(store_problem)?;
    let lanes = core
        .storage
        .read_async(|r| r.lanes())
        .await
        .map_err(store_problem)?;
    let open = core
        .storage
        .read_async(|r| r.incidents(&IncidentFilter::default(), None, 10_000))
        .await
        .map_err(store_problem)?;
    let done = |adapter: &str| {
        lanes
            .iter()
            .filter(|row| row.adapter == adapter && row.state == EffectState::Done)
            .map(|row| row.effects)
            .sum::<u64>()
    };
    let reached = |name: &str| {
        funnel
            .iter()
            .find(|(known, _)| known == name)
            .map_or(0, |(_, cases)| *cases)
    };
    let ended: serde_json::Map<String, Value> = totals
        .ended
        .iter()
        .map(|(outcome, n)| (outcome.clone(), json!(n)))
        .collect();
    let value = json!({
        "invited": totals.invited,
        "ended": ended,
        "waiting": totals.waiting,
        "incidents": totals.incident,
        "unaccounted": totals.unaccounted,
        "open_incidents": open.len(), "incident_codes": by_code(&open),
        "letters": world.letters(),
        "messages": world.inbox.len(),
        "forms": reached("forms-answered"),
        "lab_results": reached("lab-answered"),
        "dialogues": reached("dialogue"),
        "documents": done("journal"),
        "profiles": profiles,
        "effects_twice": world.twice(),
        "events": events,
        "steps": spent.settled.steps,
        "commands": spent.settled.commands,
        "steps_per_s": rate(spent.settled.steps, spent.seconds),
        "wall_s": (spent.seconds * 100.0).round() / 100.0,
        "out": out,
    });
    Ok(Report { value, funnel })
}

fn by_code(open: &[Incident]) -> BTreeMap<&str, u64> {
    open.iter().fold(BTreeMap::new(), |mut codes, incident| {
        *codes.entry(incident.code.as_str()).or_default() += 1;
        codes
    })
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a figure for people"
)]
fn rate(steps: usize, seconds: f64) -> u64 {
    if seconds > 0.0 {
        (steps as f64 / seconds).round() as u64
    } else {
        0
    }
}

/// `ledger.csv`: every case and where it stands, in order of the list.
async fn ledger(core: &Core, out: &Path) -> Result<(), Problem> {
    let mut text = String::from("case,unit,state,outcome,waiting_for,started,ended\n");
    let mut after = None;
    loop {
        let page = core
            .storage
            .read_async(move |r| r.cases(&CaseFilter::default(), after, 5000))
            .await
            .map_err(store_problem)?;
        let Some(last) = page.last() else { break };
        after = Some(last.no);
        for case in &page {
            let ended = case.ended.map(|at| at.to_string()).unwrap_or_default();
            let cells = [
                case.id.to_string(),
                case.unit.to_string(),
                case.ledger.state.as_str().to_owned(),
                case.ledger.outcome.clone().unwrap_or_default(),
                case.ledger.waiting_for.clone().unwrap_or_default(),
                case.started.to_string(),
                ended,
            ];
            text.push_str(&cells.join(","));
            text.push('\n');
        }
    }
    put(&out.join("ledger.csv"), text.as_bytes())
}

/// `statistics.csv`: milestones by unit and for the region, small numbers hidden. A unit's cell that
/// would tell a hidden one by subtraction is hidden too.
async fn statistics(core: &Core, out: &Path) -> Result<Vec<(String, u64)>, Problem> {
    let rows = core
        .storage
        .read_async(|r| r.funnel(None))
        .await
        .map_err(store_problem)?;
    let mut by_milestone: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    for row in rows {
        *by_milestone
            .entry(row.milestone)
            .or_default()
            .entry(row.unit.to_string())
            .or_default() += row.cases;
    }
    let mut text = String::from("milestone,unit,cases\n");
    let mut funnel = Vec::new();
    for (milestone, mut units) in by_milestone {
        let total: u64 = units.values().sum();
        for unit in &core.region.units {
            units.entry(unit.hsa_id.to_string()).or_default();
        }
        let hidden = hidden(&units);
        for (unit, cases) in &units {
            let shown = if hidden.contains(&unit.as_str()) {
                format!("<{SMALL}")
            } else {
                cases.to_string()
            };
            text.push_str(&format!("{milestone},{unit},{shown}\n"));
        }
        let shown = if total > 0 && total < SMALL {
            format!("<{SMALL}")
        } else {
            total.to_string()
        };
        text.push_str(&format!("{milestone},region,{shown}\n"));
        funnel.push((milestone, total));
    }
    put(&out.join("statistics.csv"), text.as_bytes())?;
    funnel.sort_by_key(|(_, cases)| std::cmp::Reverse(*cases));
    Ok(funnel)
}

fn hidden(units: &BTreeMap<String, u64>) -> Vec<&str> {
    let mut hidden: Vec<&str> = units
        .iter()
        .filter(|(_, n)| (1..SMALL).contains(*n))
        .map(|(unit, _)| unit.as_str())
        .collect();
    if hidden.len() == 1 {
        let next = units
            .iter()
            .filter(|(unit, n)| **n > 0 && unit.as_str() != hidden[0])
            .min_by_key(|(_, n)| **n);
        hidden.extend(next.map(|(unit, _)| unit.as_str()));
    }
    hidden
}

/// `profiles/<case>.svg`.
async fn profiles(core: &Core, out: &Path) -> Result<usize, Problem> {
    let folder = out.join("profiles");
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    let (mut count, mut after) = (0, None);
    loop {
        let page = core
            .storage
            .read_async(move |r| r.records_of_kind("profile", None, after, 500))
            .await
            .map_err(store_problem)?;
        let Some(last) = page.last() else {
            return Ok(count);
        };
        after = Some(last.no);
        for record in page {
            let case = record.case;
            let document = core
                .storage
                .read_async(move |r| r.document(&case, "profile", "profile"))
                .await
                .map_err(store_problem)?;
            if let Some(document) = document {
                put(&folder.join(format!("{case}.svg")), &document.bytes)?;
                count += 1;
            }
        }
    }
}

/// `letters/<letter>.pdf`: what the vendor printed, enclosures numbered behind it.
fn letters(world: &World, out: &Path) -> Result<(), Problem> {
    let folder = out.join("letters");
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    for letter in world.vendor.letters() {
        for (n, printed) in letter.paths.iter().enumerate() {
            let name = if n == 0 {
                format!("{}.pdf", letter.letter_id)
            } else {
                format!("{}-{n}.pdf", letter.letter_id)
            };
            let path = folder.join(name);
            if !path.exists() {
                fs::hard_link(printed, &path)
                    .or_else(|_| fs::copy(printed, &path).map(drop))
                    .map_err(|error| unusable(&path, &error))?;
            }
        }
    }
    Ok(())
}

/// `journal/<document>.json`: what the journal system received.
fn journal(world: &World, out: &Path) -> Result<(), Problem> {
    let folder = out.join("journal");
    fs::create_dir_all(&folder).map_err(|error| unusable(&folder, &error))?;
    for document in world.journal.documents() {
        put(
            &folder.join(format!("{}.json", document.id)),
            document.text.as_bytes(),
        )?;
    }
    Ok(())
}

/// `events.jsonl`: everything that was said on the bus, with its key.
async fn events(core: &Core, out: &Path) -> Result<u64, Problem> {
    let path = out.join("events.jsonl");
    let file = fs::File::create(&path).map_err(|error| unusable(&path, &error))?;
    let mut file = std::io::BufWriter::new(file);
    let mut reader = core
        .bus
        .subscribe("report", &[Topic::Events])
        .map_err(bus_problem)?;
    // It never commits, so what it lags behind is everything.
    let all = core
        .bus
        .lag("report", &[Topic::Events])
        .await
        .map_err(bus_problem)?;
    let mut count = 0;
    while count < all {
        let records = reader
            .poll(2000, Some(PATIENCE))
            .await
            .map_err(bus_problem)?;
        if records.is_empty() {
            break;
        }
        for record in &records {
            // One that is no event is told as none.
            let envelope = codec::read_event(&record.record).ok();
            let line =
                json!({ "key": record.record.key, "offset": record.offset, "event": envelope });
            writeln!(file, "{line}").map_err(|error| unusable(&path, &error))?;
            count += 1;
        }
    }
    file.flush().map_err(|error| unusable(&path, &error))?;
    Ok(count)
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Problem> {
    fs::write(path, bytes).map_err(|error| unusable(path, &error))
}

impl Report {
    /// For people.
    #[must_use]
    pub fn text(&self, out: &Path) -> String {
        let number = |field: &str| self.value[field].as_u64().unwrap_or(0).to_string();
        let mut ledger = vec![vec!["invited".to_owned(), number("invited")]];
        for (outcome, n) in self.value["ended"].as_object().into_iter().flatten() {
            ledger.push(vec![format!("  ended: {outcome}"), n.to_string()]);
        }
        for field in ["waiting", "incidents", "unaccounted", "effects_twice"] {
            ledger.push(vec![
                format!("  {}", field.replace('_', " ")),
                number(field),
            ]);
        }
        let funnel: Vec<_> = self
            .funnel
            .iter()
            .map(|(name, n)| vec![name.clone(), n.to_string()])
            .collect();
        let mut lines = vec![
            table(&["LEDGER", "CASES"], &ledger),
            String::new(),
            table(&["FUNNEL", "CASES"], &funnel),
            String::new(),
        ];
        lines.push(format!(
            "{} letters, {} messages, {} documents, {} events, {} steps ({} a second) in {} s",
            number("letters"),
            number("messages"),
            number("documents"),
            number("events"),
            number("steps"),
            number("steps_per_s"),
            self.value["wall_s"]
        ));
        lines.push(String::new());
        let places = [
            ("ledger.csv", "every case and where it stands"),
            ("statistics.csv", "milestones by unit, small numbers hidden"),
            ("letters/", "what the print vendor printed"),
            ("profiles/", "the graphic of each dialogue"),
            ("journal/", "what the journal system received"),
            ("research/", "the export of those who consented"),
            ("events.jsonl", "everything said on the bus"),
            ("hub.log", "the hub's log"),
        ];
        lines.extend(places.map(|(name, what)| format!("{}  {what}", out.join(name).display())));
        lines.join("\n")
    }
}
