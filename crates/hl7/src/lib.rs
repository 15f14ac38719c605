//! HL7 v2 messages and the MLLP transport.
//!
//! * [`Message`]: read from bytes in any of the charsets and line ends that are met, written as
//!   2.5.1 in UTF-8. Values are escaped on output, so that no text can become a segment or a field.
//! * [`mllp`]: frames out of a stream of bytes, however it is cut.
//! * [`Client`]: one message, one acknowledgement that belongs to it, or an honest "unknown".
//! * [`Server`]: acknowledges after its [`Handler`] has returned, in original and enhanced mode.
//! * [`datetime`]: HL7 time stamps to and from UTC.
//!
//! A failure is told with a code and a place, never with a value: messages are about residents.

pub mod ack;
mod answer;
mod charset;
mod client;
mod connection;
pub mod datetime;
mod delimiters;
mod error;
mod escape;
mod field;
mod message;
pub mod mllp;
mod replay;
mod server;
pub mod tls;
mod write;

pub use ack::{Ack, Code};
pub use answer::{Answer, Fault};
pub use client::{Client, Doubt, Endpoint, SendError};
pub use error::Error;
pub use field::{Field, Segment};
pub use message::{Limits, Message};
pub use server::{Handler, Sender, Server, Settings};
