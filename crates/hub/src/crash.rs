//! Named places where a test may end the process, or stop it for good, to see what comes of it.
//! Builds for use have none: there `point` is nothing.

#[cfg(debug_assertions)]
pub use armed::{Fate, point, watch};
#[cfg(not(debug_assertions))]
pub use unarmed::point;

#[cfg(not(debug_assertions))]
mod unarmed {
    /// Nothing.
    #[inline(always)]
    pub async fn point(_: &'static str, _: &str) {}
}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        cell::RefCell,
        sync::{
            OnceLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    /// What becomes of a hub that has come to a point.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub enum Fate {
        /// It goes on.
        GoesOn,
        /// It does nothing any more; whoever drives it sees that and drops it.
        Stops,
    }

    type Watcher = Box<dyn FnMut(&'static str, &str) -> Fate>;

    thread_local! {
        static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
    }

    /// Asks `watcher` about every point on this thread, until `None` is set.
    pub fn watch(watcher: Option<Watcher>) {
        WATCHER.with(|slot| *slot.borrow_mut() = watcher);
    }

    /// `HALSONAV_CRASH=point` or `point:n`: the process aborts when it comes to that point the n-th time.
    fn ordered() -> Option<&'static (String, u64)> {
        static ORDERED: OnceLock<Option<(String, u64)>> = OnceLock::new();
        ORDERED
            .get_or_init(|| {
                let text = std::env::var("HALSONAV_CRASH").ok()?;
                let (name, nth) = text.split_once(':').unwrap_or((&text, "1"));
                Some((name.to_owned(), nth.parse().ok()?))
            })
            .as_ref()
    }

    /// Here a crash would hurt. `what` tells what was being done, such as a kind of command.
    pub async fn point(name: &'static str, what: &str) {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        if let Some((wanted, nth)) = ordered()
            && wanted == name
            && COUNT.fetch_add(1, Ordering::SeqCst) + 1 == *nth
        {
            std::process::abort();
        }
        let fate = WATCHER.with(|slot| {
            slot.borrow_mut()
                .as_mut()
                .map_or(Fate::GoesOn, |watcher| watcher(name, what))
        });
        if fate == Fate::Stops {
            std::future::pending::<()>().await;
        }
    }
}
