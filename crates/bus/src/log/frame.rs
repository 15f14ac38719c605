//! One record as bytes.
//!
//! ```text
//! magic 4 | length of body 4 | crc32 of length and body 4 | body
//! body = offset 8 | durable 8 | time in µs 8 | key | count of headers 4 | (name value)* | value
//! ```
//! Numbers are little-endian; texts carry their length in 4 bytes, and no key is length `u32::MAX`.
//! `durable` is the first offset that was not yet flushed when the frame was written: it tells a
//! torn write (nothing later was written after a flush) from a damaged record (something was).

use bytes::{Buf, Bytes};
use halsonav_domain::Timestamp;

use crate::Record;

pub(crate) const MAGIC: [u8; 4] = *b"HNV\x01";
pub(crate) const HEAD: usize = 12;
const FIXED: usize = 24 + 4 + 4;

/// A record with its place, and what was durable before it.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Frame {
    pub(crate) offset: u64,
    pub(crate) durable: u64,
    pub(crate) record: Record,
}

/// What stands at the beginning of some bytes.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Peek {
    /// A frame of this many bytes begins; they may not all be here.
    Length(usize),
    /// Too few bytes to tell.
    Short,
    /// Not a frame.
    Bad,
}

/// Bytes that `record` takes, all in all.
pub(crate) fn size(record: &Record) -> usize {
    HEAD + FIXED + record.size()
}

/// Writes `record` at the end of `out`. The caller has checked its size.
pub(crate) fn encode(out: &mut Vec<u8>, offset: u64, durable: u64, record: &Record) {
    let start = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&length(size(record) - HEAD).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&durable.to_le_bytes());
    out.extend_from_slice(&record.time.as_microsecond().to_le_bytes());
    match &record.key {
        Some(key) => text(out, key),
        None => out.extend_from_slice(&u32::MAX.to_le_bytes()),
    }
    out.extend_from_slice(&length(record.headers.len()).to_le_bytes());
    for (name, value) in &record.headers {
        text(out, name);
        text(out, value);
    }
    out.extend_from_slice(&record.value);
    let crc = checksum(&out[start + 4..start + 8], &out[start + HEAD..]);
    out[start + 8..start + HEAD].copy_from_slice(&crc.to_le_bytes());
}

/// Looks at the head of a frame. `limit` is the largest frame there can be.
pub(crate) fn peek(bytes: &[u8], limit: usize) -> Peek {
    let known = bytes.len().min(MAGIC.len());
    if bytes[..known] != MAGIC[..known] {
        return Peek::Bad;
    }
    let Some(field) = bytes.get(4..8).and_then(|field| field.try_into().ok()) else {
        return Peek::Short;
    };
    let total = (u32::from_le_bytes(field) as usize).saturating_add(HEAD);
    if total < HEAD + FIXED || total > limit {
        Peek::Bad
    } else {
        Peek::Length(total)
    }
}

/// Reads one whole frame; `None` when it is damaged.
pub(crate) fn decode(frame: &Bytes) -> Option<Frame> {
    let crc = u32::from_le_bytes(frame.get(8..HEAD)?.try_into().ok()?);
    if crc != checksum(&frame[4..8], &frame[HEAD..]) {
        return None;
    }
    let mut rest = frame.slice(HEAD..);
    let offset = rest.try_get_u64_le().ok()?;
    let durable = rest.try_get_u64_le().ok()?;
    let time = Timestamp::from_microsecond(rest.try_get_i64_le().ok()?).ok()?;
    let key = match rest.try_get_u32_le().ok()? {
        u32::MAX => None,
        length => Some(take(&mut rest, length)?),
    };
    let count = rest.try_get_u32_le().ok()?;
    let mut headers = Vec::new();
    for _ in 0..count {
        let length = rest.try_get_u32_le().ok()?;
        let name = take(&mut rest, length)?;
        let length = rest.try_get_u32_le().ok()?;
        headers.push((name, take(&mut rest, length)?));
    }
    let record = Record {
        key,
        value: rest,
        headers,
        time,
    };
    Some(Frame {
        offset,
        durable,
        record,
    })
}

fn take(rest: &mut Bytes, length: u32) -> Option<String> {
    let length = length as usize;
    if rest.len() < length {
        return None;
    }
    String::from_utf8(rest.split_to(length).to_vec()).ok()
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&length(text.len()).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Lengths are bounded by the largest record, far below 4 GiB.
fn length(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX - 1)
}

fn checksum(length: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(length);
    hasher.update(body);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record() -> impl Strategy<Value = Record> {
        (
            proptest::option::of(".{0,20}"),
            proptest::collection::vec(any::<u8>(), 0..200),
            proptest::collection::vec((".{0,10}", ".{0,10}"), 0..4),
            0_i64..4_000_000_000_000_000,
        )
            .prop_map(|(key, value, headers, time)| Record {
                key,
                value: value.into(),
                headers,
                time: Timestamp::from_microsecond(time).expect("in range"),
            })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(record in record(), offset: u64, durable: u64) {
            let mut bytes = Vec::new();
            encode(&mut bytes, offset, durable, &record);
            prop_assert_eq!(bytes.len(), size(&record));
            prop_assert_eq!(peek(&bytes, usize::MAX), Peek::Length(bytes.len()));
            prop_assert_eq!(decode(&bytes.into()), Some(Frame { offset, durable, record }));
        }

        #[test]
        fn a_changed_bit_is_seen(record in record(), at: prop::sample::Index, bit in 0_u8..8) {
            let mut bytes = Vec::new();
            encode(&mut bytes, 1, 1, &record);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let seen = match peek(&bytes, 1 << 20) {
                Peek::Length(length) if length == bytes.len() => decode(&bytes.into()).is_none(),
                _ => true,
            };
            prop_assert!(seen);
        }

        #[test]
        fn any_bytes_are_looked_at_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = peek(&bytes, 1 << 20);
            if bytes.len() >= HEAD {
                let _ = decode(&bytes.into());
            }
        }
    }
}
