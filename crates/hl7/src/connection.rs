//! A connection, plain or TLS, with the frames that come over it.

use std::{future::poll_fn, pin::Pin, task::Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use crate::{
    Error,
    mllp::{self, Framer},
};

/// What both TCP and TLS streams are.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Connection {
    stream: Box<dyn Stream>,
    framer: Framer,
}

impl Connection {
    pub(crate) fn new(stream: Box<dyn Stream>, limit: usize) -> Self {
        Self {
            stream,
            framer: Framer::new(limit),
        }
    }

    /// The next frame; `None` when the other side has closed between frames.
    pub(crate) async fn receive(&mut self) -> Result<Option<Bytes>, Error> {
        mllp::read_frame(&mut self.stream, &mut self.framer).await
    }

    /// Hands a frame over. An error means that the other side has not got all of it.
    pub(crate) async fn send(&mut self, message: &[u8]) -> Result<(), Error> {
        let broken = |error: std::io::Error| Error::Broken(error.kind());
        self.stream
            .write_all(&mllp::frame(message))
            .await
            .map_err(broken)
    }

    /// Waits until what was handed over has left.
    pub(crate) async fn flush(&mut self) -> Result<(), Error> {
        self.stream
            .flush()
            .await
            .map_err(|error| Error::Broken(error.kind()))
    }

    /// Whether an idle connection is as it should be: open, and with nothing to say. A late
    /// acknowledgement that waits here belongs to nobody.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        if self.framer.is_inside() {
            return false;
        }
        let mut byte = [0; 1];
        let mut buffer = ReadBuf::new(&mut byte);
        poll_fn(|context| {
            let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
            Poll::Ready(read.is_pending())
        })
        .await
    }
}
