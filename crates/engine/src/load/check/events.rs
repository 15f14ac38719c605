use super::super::report::Report;
use super::super::sketch::Sketch;
use crate::graph::Definition;
pub(super) fn check(_: &Definition, _: &Sketch<'_>, _: &mut Report) {}
