//! DMN files as they are read: what is in them, and what is refused.

mod outline;
mod requirements;
mod rewrite;
mod texts;

pub use outline::{Element, ElementKind, File, Key};
pub use requirements::{At, order};
pub use rewrite::{Addition, rewrite};
pub use texts::{Known, inspect};
