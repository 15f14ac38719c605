//! MLLP: `0x0B` message `0x1C 0x0D`, over any stream.

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Error;

const START: u8 = 0x0B;
const END: u8 = 0x1C;
const RETURN: u8 = 0x0D;
/// Bytes between frames that are borne before we believe that this is not MLLP at all.
const JUNK: usize = 1024;

/// Puts a message into a frame.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 3);
    out.push(START);
    out.extend_from_slice(message);
    out.extend_from_slice(&[END, RETURN]);
    out
}

/// Finds frames in a stream that may be cut anywhere.
///
/// After an error the stream has lost its rhythm, and the connection must be closed.
#[derive(Debug)]
pub struct Framer {
    buffer: BytesMut,
    /// Bytes of `buffer` that are known to hold no end.
    seen: usize,
    junk: usize,
    limit: usize,
}

impl Framer {
    /// Frames of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            seen: 0,
            junk: 0,
            limit,
        }
    }

    /// Takes bytes from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        !self.buffer.is_empty()
    }

    /// The next whole frame's content, if it is here.
    ///
    /// # Errors
    /// [`Error::TooLong`]; [`Error::Frame`] when a frame begins within another, when its end is
    /// half an end, or when there is too much that is no frame.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, Error> {
        self.skip_junk()?;
        let from = 1 + self.seen;
        let rest = self.buffer.get(from..).unwrap_or_default();
        if let Some(found) = rest.iter().position(|b| *b == START || *b == END) {
            return self.end_at(from + found);
        }
        self.seen = self.buffer.len().saturating_sub(1);
        self.within_limit(self.seen).map(|()| None)
    }

    /// Deals with a start or end mark inside the frame.
    fn end_at(&mut self, at: usize) -> Result<Option<Bytes>, Error> {
        self.within_limit(at - 1)?;
        match (self.buffer[at], self.buffer.get(at + 1)) {
            (END, None) => {
                self.seen = at - 1;
                Ok(None)
            }
            (END, Some(&RETURN)) => {
                let mut frame = self.buffer.split_to(at + 2).freeze();
                self.seen = 0;
                Ok(Some(frame.split_to(at).slice(1..)))
            }
            _ => Err(Error::Frame),
        }
    }

    fn skip_junk(&mut self) -> Result<(), Error> {
        let begin = self
            .buffer
            .iter()
            .position(|b| *b == START)
            .unwrap_or(self.buffer.len());
        if begin > 0 {
            // Line ends between frames are common and harmless; anything else counts.
            let blank = |b: &&u8| !b.is_ascii_whitespace();
            self.junk += self.buffer[..begin].iter().filter(blank).count();
            let _ = self.buffer.split_to(begin);
            self.seen = 0;
        }
        if self.junk > JUNK {
            Err(Error::Frame)
        } else {
            Ok(())
        }
    }

    fn within_limit(&self, length: usize) -> Result<(), Error> {
        if length > self.limit {
            return Err(Error::TooLong { limit: self.limit });
        }
        Ok(())
    }
}

/// Reads until there is a frame; `None` when the stream ends between frames. Dropping the future
/// loses nothing: what was read is in the framer.
///
/// # Errors
/// As [`Framer::next_frame`], and [`Error::Broken`] when the stream breaks or ends inside a frame.
pub async fn read_frame<R: AsyncRead + Unpin>(
    reader: &mut R,
    framer: &mut Framer,
) -> Result<Option<Bytes>, Error> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(frame) = framer.next_frame()? {
            return Ok(Some(frame));
        }
        match reader.read(&mut chunk).await {
            Ok(0) if framer.is_inside() => {
                return Err(Error::Broken(std::io::ErrorKind::UnexpectedEof));
            }
            Ok(0) => return Ok(None),
            Ok(read) => framer.push(&chunk[..read]),
            Err(error) => return Err(Error::Broken(error.kind())),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(pieces: &[&[u8]], limit: usize) -> Result<Vec<Vec<u8>>, Error> {
        let mut framer = Framer::new(limit);
        let mut frames = Vec::new();
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next_frame()? {
                frames.push(frame.to_vec());
            }
        }
        Ok(frames)
    }

    #[test]
    fn pipelined_frames_stay_apart_wherever_the_stream_is_cut() {
        let stream = [
            frame(b"MSH|a\rPID|"),
            b"\r\n junk ".to_vec(),
            frame(b""),
            frame(b"MSH|b"),
        ]
        .concat();
        let expect = vec![b"MSH|a\rPID|".to_vec(), Vec::new(), b"MSH|b".to_vec()];
        assert_eq!(all(&[&stream], 100), Ok(expect.clone()));
        for cut in 0..=stream.len() {
            assert_eq!(
                all(&[&stream[..cut], &stream[cut..]], 100),
                Ok(expect.clone()),
                "cut at {cut}"
            );
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(all(&bytes, 100), Ok(expect));
    }

    #[test]
    fn what_is_not_a_frame_is_an_error() {
        assert_eq!(
            all(&[b"\x0BMSH|a\r\x0BMSH|b\x1C\r"], 100),
            Err(Error::Frame),
            "missing end"
        );
        assert_eq!(
            all(&[b"\x0BMSH|a\x1C", b"\x0BMSH|b\x1C\r"], 100),
            Err(Error::Frame),
            "half an end"
        );
        assert_eq!(all(&[b"\x0BMSH|a\x1CMSH"], 100), Err(Error::Frame));
        assert_eq!(
            all(&[&[b'G'; 1025]], 100),
            Err(Error::Frame),
            "another protocol"
        );
        assert_eq!(
            all(&[&[b'\n'; 5000]], 100),
            Ok(Vec::new()),
            "line ends are no fault"
        );
    }

    #[test]
    fn a_frame_has_a_largest_size() {
        assert_eq!(all(&[&frame(&[b'a'; 10])], 10), Ok(vec![vec![b'a'; 10]]));
        assert_eq!(
            all(&[&frame(&[b'a'; 11])], 10),
            Err(Error::TooLong { limit: 10 })
        );
        assert_eq!(
            all(&[b"\x0B", &[b'a'; 11]], 10),
            Err(Error::TooLong { limit: 10 }),
            "before its end"
        );
        assert_eq!(all(&[b"\x0B", &[b'a'; 10], b"\x1C"], 10), Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn any_frames_in_any_pieces(
            contents in proptest::collection::vec("[^\\x0B\\x1C]{0,40}", 0..6),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let stream: Vec<u8> = contents.iter().flat_map(|content| frame(content.as_bytes())).collect();
            let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            at.extend([0, stream.len()]);
            at.sort_unstable();
            let pieces: Vec<&[u8]> = at.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
            let expect: Vec<Vec<u8>> = contents.iter().map(|content| content.as_bytes().to_vec()).collect();
            prop_assert_eq!(all(&pieces, 1000), Ok(expect));
        }

        #[test]
        fn any_bytes_without_panic(pieces in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![Just(START), Just(END), Just(RETURN), any::<u8>()], 0..20), 0..8)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _ = all(&pieces, 50);
        }
    }
}
