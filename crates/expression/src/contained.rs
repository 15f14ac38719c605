//! Runs the FEEL engine where it can do no harm: panics are caught, and what may recurse deeply has
//! a large stack of its own.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread;

/// Reading and preparing recurse with the text; the limits on the text keep them far below this.
const STACK: usize = 64 * 1024 * 1024;

thread_local! {
    static SILENT: Cell<bool> = const { Cell::new(false) };
}

/// The engine panicked.
#[derive(Debug)]
pub struct Panicked;

/// Runs `work` here and turns a panic into an error.
///
/// The message of such a panic may quote variables, so it is not printed.
pub fn contained<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    keep_quiet();
    let before = SILENT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Panicked);
    SILENT.set(before);
    result
}

/// Runs `work` on a thread with a large stack and turns a panic into an error.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Panicked> {
    thread::scope(|threads| {
        let builder = thread::Builder::new()
            .name("feel".to_owned())
            .stack_size(STACK);
        let running = builder
            .spawn_scoped(threads, || contained(work))
            .map_err(|_| Panicked)?;
        running.join().unwrap_or(Err(Panicked))
    })
}

/// Wraps the panic hook once, so that panics inside the engine are silent and all others are not.
fn keep_quiet() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let outer = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !SILENT.with(Cell::get) {
                outer(info);
            }
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error() {
        assert!(contained(|| panic!("gone")).is_err());
        assert!(on_large_stack(|| panic!("gone")).is_err());
        assert_eq!(on_large_stack(|| 1).ok(), Some(1));
    }
}
