//! The print adapter against a vendor over SFTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod conformance;
mod lost;
mod news;
mod recall;
mod sshd;
mod support;
mod wire;
