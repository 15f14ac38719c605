//! The decision: one input in, the effects that follow out.
//!
//! A step is a small run: the input puts moves on the agenda, each move puts tokens to rest, opens
//! and closes what they wait for and plans further moves, until nothing moves. Inclusive joins are
//! looked at only then. What can fail is evaluated before anything is changed; a failure parks the
//! token with an incident.

mod activate;
mod apply;
mod call;
mod check;
mod coverage;
mod event;
mod incident;
mod job;
mod join;
mod leave;
mod message;
mod open;
mod reach;
mod rejection;
mod repeat;
mod run;
mod scope;
mod settle;
mod throw;
mod undo;
mod variables;

use halsonav_domain::{CaseId, Timestamp};
use serde_json::{Map, Value};

use crate::graph::NodeKind;
use crate::instance::ROOT;
use crate::{Effect, Input, Instance, Library};
use run::{Run, Trace};

pub use coverage::Coverage;
pub(crate) use reach::Reach;
pub use rejection::Rejection;

/// Starts the newest version of `process` at its plain start event.
///
/// # Errors
/// [`Rejection::UnknownProcess`], [`Rejection::NotStartable`].
pub fn start(
    library: &Library,
    process: &str,
    id: CaseId,
    variables: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Rejection> {
    begin(library, process, None, id, variables, Map::new(), now, None)
}

/// Starts the newest version of `process` at the start event `element`, which was triggered.
/// `payload` is what the message or signal carried; it goes through the event's output mapping.
///
/// # Errors
/// As [`start`].
pub fn start_at(
    library: &Library,
    process: &str,
    element: &str,
    id: CaseId,
    variables: Map<String, Value>,
    payload: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Rejection> {
    begin(
        library,
        process,
        Some(element),
        id,
        variables,
        payload,
        now,
        None,
    )
}

/// Applies one input.
///
/// Pure and total: the same arguments give the same answer, every instance and input has one, and
/// it comes after a bounded number of moves.
///
/// # Errors
/// A [`Rejection`]; then `instance` is as it was.
pub fn step(
    library: &Library,
    instance: &mut Instance,
    input: &Input,
    now: Timestamp,
) -> Result<Vec<Effect>, Rejection> {
    proceed(library, instance, input, now, None)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one place where the two starts meet"
)]
fn begin(
    library: &Library,
    process: &str,
    element: Option<&str>,
    id: CaseId,
    variables: Map<String, Value>,
    payload: Map<String, Value>,
    now: Timestamp,
    trace: Option<Trace<'_>>,
) -> Result<(Instance, Vec<Effect>), Rejection> {
    let unknown = || Rejection::UnknownProcess {
        process: process.to_owned(),
        version: None,
    };
    let definition = &library.newest(process).ok_or_else(unknown)?.definition;
    let unfit = || Rejection::NotStartable(process.to_owned());
    let scope = definition.scopes.first().ok_or_else(unfit)?;
    let event = match element {
        None if scope.start.is_some() || !scope.implicit_starts.is_empty() => None,
        Some(element) => {
            let node = definition
                .find(element)
                .filter(|node| scope.nodes.contains(node));
            let start =
                node.filter(|&node| matches!(definition.node(node).kind, NodeKind::Start(_)));
            Some(start.ok_or_else(unfit)?)
        }
        None => return Err(unfit()),
    };
    let mut instance = Instance::new(id, process, definition.version);
    let mut effects = {
        // Written out, so that the borrow can shrink to this block.
        let trace: Option<Trace<'_>> = match trace {
            Some(trace) => Some(&mut *trace),
            None => None,
        };
        let mut run = Run::new(library, &mut instance, now, trace)?;
        run.instance.revision = 1;
        let root = run.key();
        run.instance.items.insert(root, Run::root(variables));
        match event {
            None => run.start_tokens(ROOT, 0),
            Some(node) => {
                run.grow(ROOT);
                let start = run.spawn(ROOT, node, Map::new());
                run.complete(start, payload);
            }
        }
        run.begin_root();
        if run.instance.stalled.is_none() {
            run.run();
        }
        run.watch();
        run.effects
    };
    settle::settle(&mut effects);
    Ok((instance, effects))
}

fn proceed<'a>(
    library: &'a Library,
    instance: &'a mut Instance,
    input: &Input,
    now: Timestamp,
    trace: Option<Trace<'a>>,
) -> Result<Vec<Effect>, Rejection> {
    if instance.ended {
        return Err(Rejection::Ended);
    }
    let mut run = Run::new(library, instance, now, trace)?;
    run.apply(input)?;
    let mut effects = run.effects;
    settle::settle(&mut effects);
    Ok(effects)
}
