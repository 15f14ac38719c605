//! `halsonav worklist`.

use std::process::ExitCode;

use clap::Args;
use halsonav_domain::HsaId;
use halsonav_storage::WorkFilter;
use serde_json::json;

use super::{Answer, Context, one, output::table};
use crate::{runtime::store_problem, site};

/// What people have to do, first what is due first.
#[derive(Debug, Args)]
pub struct Options {
    /// Unit by HSA-id.
    #[arg(long)]
    unit: Option<String>,
    /// nurses, leaders, assistants, coordinators.
    #[arg(long)]
    group: Option<String>,
    /// call, visit, paper-form, …
    #[arg(long)]
    form: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 50)]
    limit: u32,
}

pub fn run(context: &Context, options: Options) -> Answer {
    let (config, _) = site::settings(context, None)?;
    let storage = site::store(&config).map_err(one)?;
    let filter = WorkFilter {
        units: options.unit.map(|unit| vec![HsaId::new(&unit)]),
        groups: options.group.map(|group| vec![group]),
        form: options.form,
        ..WorkFilter::default()
    };
    let items = storage
        .read(|r| r.work_items(&filter, None, options.limit))
        .map_err(|e| one(store_problem(e)))?;
    let list: Vec<_> = items
        .iter()
        .map(|item| {
            json!({
                "no": item.no, "case": item.case, "unit": item.unit, "name": item.name, "form": item.form,
                "groups": item.groups, "due": item.due, "state": item.state, "payload": item.payload,
            })
        })
        .collect();
    context.output.result(&json!({ "workItems": list }), || {
        let rows: Vec<_> = items
            .iter()
            .map(|item| {
                vec![
                    item.no.0.to_string(),
                    item.case.to_string(),
                    item.unit.to_string(),
                    item.form.clone().unwrap_or_default(),
                    item.name.clone(),
                    item.due.map(|due| due.to_string()).unwrap_or_default(),
                    item.state.as_str().to_owned(),
                ]
            })
            .collect();
        table(
            &["NO", "CASE", "UNIT", "FORM", "WHAT", "DUE", "STATE"],
            &rows,
        )
    });
    Ok(ExitCode::SUCCESS)
}
