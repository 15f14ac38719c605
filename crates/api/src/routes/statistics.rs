//! Statistics of a round: counts that give nobody away, the same for everyone who asks.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::{get, web};
use halsonav_storage::{CaseState, FunnelRow, UnitRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::rounds::existing;
use crate::{problem::Fault, state::State, suppress};

/// Counts of a round. `null` is a count that is not shown: fewer people than allowed are in it, or
/// one could be worked out from it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatisticsView {
    /// No count of people between 1 and one less than this is shown.
    smallest_count: u64,
    /// What the columns of `standing` are: `waiting`, `incident`, and each outcome.
    columns: Vec<String>,
    /// Where cases stand, by unit.
    standing: Vec<StandingRow>,
    /// Sum of each column.
    totals: Vec<Option<u64>>,
    /// All cases.
    invited: Option<u64>,
    /// How many have reached each milestone.
    milestones: Vec<MilestoneColumn>,
}

/// A unit's line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandingRow {
    /// The unit.
    unit: String,
    /// One for each column.
    cases: Vec<Option<u64>>,
    /// All cases of the unit.
    invited: Option<u64>,
}

/// A milestone, by unit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MilestoneColumn {
    /// Its name.
    milestone: String,
    /// One for each line of `standing`.
    cases: Vec<Option<u64>>,
    /// Their sum.
    total: Option<u64>,
}

/// Counts of the whole region by unit, with small ones and all that would reveal them left out.
#[utoipa::path(tag = "rounds", params(("round" = String, Path)), responses((status = 200, description = "The statistics", body = StatisticsView)))]
#[get("/v1/rounds/{round}/statistics")]
pub(crate) async fn statistics(
    state: web::Data<State>,
    round: web::Path<String>,
) -> Result<web::Json<StatisticsView>, Fault> {
    let round = existing(&state, &round).await?.id;
    let (standing, funnel) = state
        .read(move |r| Ok((r.standing(Some(&round))?, r.funnel(Some(&round))?)))
        .await?;
    Ok(web::Json(view(
        &standing,
        &funnel,
        state.api.settings.smallest_count,
    )))
}

fn column(row: &UnitRow) -> String {
    match row.state {
        CaseState::Ended => row.outcome.clone().unwrap_or_default(),
        other => other.as_str().to_owned(),
    }
}

fn view(standing: &[UnitRow], funnel: &[FunnelRow], smallest_count: u64) -> StatisticsView {
    let units: BTreeSet<_> = standing.iter().map(|row| row.unit.clone()).collect();
    let columns: BTreeSet<_> = standing.iter().map(column).collect();
    let mut counts = BTreeMap::new();
    for row in standing {
        *counts.entry((row.unit.clone(), column(row))).or_insert(0) += row.cases;
    }
    let count = |unit: &_, column: &String| {
        counts
            .get(&(Clone::clone(unit), column.clone()))
            .copied()
            .unwrap_or(0)
    };
    let table: Vec<Vec<u64>> = units
        .iter()
        .map(|unit| columns.iter().map(|column| count(unit, column)).collect())
        .collect();
    let shown = suppress::protect(&table, smallest_count);
    let invited: Vec<u64> = table.iter().map(|line| line.iter().sum()).collect();
    let names: BTreeSet<_> = funnel.iter().map(|row| row.milestone.as_str()).collect();
    let milestones = names.into_iter().map(|name| {
        let reached = |unit: &_| {
            funnel
                .iter()
                .find(|row| row.milestone == name && row.unit == *unit)
                .map_or(0, |row| row.cases)
        };
        let reached: Vec<u64> = units.iter().map(reached).collect();
        let (cases, total) = suppress::protect_parts(&reached, &invited, smallest_count);
        MilestoneColumn {
            milestone: name.to_owned(),
            cases,
            total,
        }
    });
    let lines = units.iter().zip(shown.cells.iter().zip(&shown.lines));
    StatisticsView {
        smallest_count,
        standing: lines
            .map(|(unit, (cases, invited))| StandingRow {
                unit: unit.to_string(),
                cases: cases.clone(),
                invited: *invited,
            })
            .collect(),
        milestones: milestones.collect(),
        columns: columns.into_iter().collect(),
        totals: shown.columns,
        invited: shown.total,
    }
}
