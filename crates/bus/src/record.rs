//! What is carried.

use std::fmt;

use bytes::Bytes;
use halsonav_domain::{Timestamp, Topic};

/// One message. `Debug` shows its size, not what it says.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Records with the same key keep their order. The case; never a person's number.
    pub key: Option<String>,
    /// The message.
    pub value: Bytes,
    /// Name and value, in order; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// When it happened. The embedded log keeps it, with whole microseconds; from Kafka comes when
    /// the broker took the record, with whole milliseconds.
    pub time: Timestamp,
}

impl Record {
    /// A record without headers.
    #[must_use]
    pub fn new(key: Option<String>, value: impl Into<Bytes>, time: Timestamp) -> Self {
        Self {
            key,
            value: value.into(),
            headers: Vec::new(),
            time,
        }
    }

    /// Bytes of key, value and headers.
    #[must_use]
    pub fn size(&self) -> usize {
        let header = |(name, value): &(String, String)| 8 + name.len() + value.len();
        let headers: usize = self.headers.iter().map(header).sum();
        self.key.as_ref().map_or(0, String::len) + headers + self.value.len()
    }

    /// The first header of that name, whatever its case: others write `Content-Type`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record(key {:?}, {} bytes)",
            self.key.as_deref(),
            self.value.len()
        )
    }
}

/// A record with its place in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivered {
    /// The topic.
    pub topic: Topic,
    /// The partition of the topic, from 0.
    pub partition: u32,
    /// The place in the partition, from 0. Without gaps in the embedded log; Kafka may have some.
    pub offset: u64,
    /// The record.
    pub record: Record,
}
