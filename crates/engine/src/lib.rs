//! The decision: BPMN file to graph to step. Pure, total, bounded.
//!
//! [`load`](load()) reads a process file: it refuses it with every fault at once, or compiles it into a flat
//! [`graph::Definition`] that is never touched again.
//!
//! A [`Library`] holds definitions; [`start`] makes an [`Instance`] of one; [`step`] applies one
//! [`Input`] to it and answers with [`Effect`]s, or with a [`Rejection`] that changed nothing.

mod effect;
mod fault;
pub mod graph;
mod input;
mod instance;
mod library;
mod load;
pub mod render;
mod step;

pub use effect::Effect;
pub use fault::{Fault, Severity};
pub use graph::Definition;
pub use input::{Input, Operator};
pub use instance::{Instance, Waiting, WaitingFor};
pub use library::{Clash, Deployment, Library, StartEvent};
pub use load::{Anything, Known, Loaded, Rule, load, rules};
pub use step::{Coverage, Rejection, start, start_at, step};
