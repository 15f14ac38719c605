//! Messages in and out: one interface, with an embedded durable log or Apache Kafka behind it.
//!
//! A [`Bus`] takes [`Record`]s for a topic and hands them to every group that subscribes. The
//! promises are those of Kafka with `acks=all` and manual commits, so that a hub may run on either:
//!
//! * `publish` returns when the records would survive a power cut;
//! * records with one key keep their order; records of different keys may not;
//! * a group sees each record at least once: what it has polled and not committed comes again after
//!   a restart or a [`Consumer::rewind`];
//! * groups know nothing of one another, and a new group begins with the oldest record kept.
//!
//! [`Log`] is the bus of a hub that runs alone: a directory of checksummed segment files. [`Kafka`]
//! is that of a hub in several processes.

mod bus;
pub mod codec;
mod error;
mod health;
pub mod kafka;
mod log;
mod name;
mod record;

pub use bus::{Bus, Consumer};
pub use error::Error;
pub use health::Health;
pub use kafka::Kafka;
pub use log::{Log, Retention, Settings};
pub use record::{Delivered, Record};
