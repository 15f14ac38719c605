//! 1177 inkorg: is the resident there, a message with the basis for sending it, has it been read?
//!
//! `messaging.check` is IsActiveUser, `messaging.send` is AddMessageToPatientPortalInbox and
//! `messaging.status` is GetMessageThreadStatus. The inbox does not know a repeated message, so
//! the thread id is the command's id: whether a message with an unknown outcome is there can be
//! asked for by it.
//!
//! The inbox may be used for calls to screening, within an established relation of care, or for a
//! region's mailing that Inera has approved. The configuration names which, and there is no
//! adapter without it.

mod adapter;
mod config;
mod inbox;
mod thread_status;
mod translate;

pub use adapter::Messaging;
pub use config::{Basis, Config, Link, LinkKind};
