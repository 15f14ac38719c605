//! W3C trace context, carried along: what a caller sends with a request goes with the facts and the
//! commands that come of it, out to neighbours. Where spans are made (`spans.rs` of the hub) each is put
//! in between; else the hub hands on what it got, as a participant may that does not take part.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// Name of the header, on every transport.
pub const TRACEPARENT: &str = "traceparent";

/// Whether a text is a `traceparent` of version 00 that leads somewhere. Anything else is passed over:
/// it comes from outside and goes to others.
#[must_use]
pub fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut next = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        part.bytes().all(hex).then_some(part)
    };
    let (version, trace, parent, flags) = (next(2), next(32), next(16), next(2));
    let leads = |id: Option<&str>| id.is_some_and(|id| id.bytes().any(|byte| byte != b'0'));
    version == Some("00")
        && leads(trace)
        && leads(parent)
        && flags.is_some()
        && parts.next().is_none()
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// The trace that what runs now belongs to: whoever asks a neighbour over HTTP sends it along.
#[must_use]
pub fn current() -> Option<Arc<str>> {
    CURRENT.with_borrow(Clone::clone)
}

/// `work`, as part of `trace`. What it spawns is not.
pub fn within<F: Future>(trace: Option<&str>, work: F) -> Within<F> {
    Within {
        trace: trace.map(Arc::from),
        work: Box::pin(work),
    }
}

/// See [`within`].
pub struct Within<F> {
    trace: Option<Arc<str>>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _outer = Outer(CURRENT.replace(self.trace.clone()));
        self.work.as_mut().poll(context)
    }
}

/// What was current before, and is again, also after a panic.
struct Outer(Option<Arc<str>>);

impl Drop for Outer {
    fn drop(&mut self) {
        CURRENT.set(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    const ONE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const OTHER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

    #[test]
    fn what_leads_nowhere_is_no_trace() {
        assert!(is_traceparent(ONE) && is_traceparent(OTHER));
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-197001019806-00f067aa0ba902b7-01",
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }

    /// Is pending once, so that others run in between.
    async fn twice() -> [Option<Arc<str>>; 2] {
        let first = current();
        let mut waited = false;
        std::future::poll_fn(|_| match std::mem::replace(&mut waited, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        })
        .await;
        [first, current()]
    }

    #[test]
    fn works_that_take_turns_do_not_see_each_others_traces() {
        let mut works = [Some(ONE), Some(OTHER), None].map(|trace| within(trace, twice()));
        let mut context = Context::from_waker(Waker::noop());
        for work in &mut works {
            assert!(Pin::new(work).poll(&mut context).is_pending());
            assert_eq!(current(), None);
        }
        for (work, trace) in works.iter_mut().zip([Some(ONE), Some(OTHER), None]) {
            let Poll::Ready(seen) = Pin::new(work).poll(&mut context) else {
                panic!("still waits");
            };
            assert_eq!(seen.map(|seen| seen.as_deref() == trace), [true, true]);
        }
    }
}
