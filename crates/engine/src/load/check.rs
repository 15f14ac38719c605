//! Rules about how things stand together, once everything is read.

mod branches;
mod calls;
mod events;
mod flows;
mod gateways;
mod paths;

use super::report::Report;
use super::sketch::Sketch;
use crate::graph::Definition;

pub(crate) use calls::calls_between;

/// Holds a definition to every rule of this sort.
pub(crate) fn all(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    flows::check(definition, sketch, report);
    gateways::check(definition, sketch, report);
    events::check(definition, sketch, report);
    paths::check(definition, sketch, report);
    branches::check(definition, sketch, report);
}
