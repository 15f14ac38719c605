//! A TCP proxy between two ends that do not know of it, which lets things go wrong: on demand, by chance
//! from a seed, or by a schedule. It counts what it did and keeps nothing of what passes.
//!
//! A proxy before Kafka must be where the broker tells its clients to come: make the proxy, start Kafka
//! with [`crate::services::Services::start_behind`] its port, then [`Proxy::forward_to`].

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{Builder, JoinHandle},
};

use serde::Serialize;
use tokio::sync::{mpsc::UnboundedSender, mpsc::unbounded_channel, watch};

mod connection;
mod fault;
mod listen;
pub mod seed;
#[cfg(test)]
mod tests;

pub use fault::{Fault, Rule, Schedule, Spell, Way};

use fault::Setting;
use listen::{Listen, Order};

/// What a proxy did so far.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Counts {
    /// Connections taken, those that were reset at once included.
    pub connections: u64,
    /// Connections reset at once, and times that nobody listened.
    pub refused: u64,
    /// Pieces that were late.
    pub delayed: u64,
    /// Pieces that were slowed down to a bandwidth.
    pub slowed: u64,
    /// Pieces and connections that had to wait for a stall or a black hole to end.
    pub stalled: u64,
    /// Connections reset in the middle.
    pub reset: u64,
    /// Replies that were lost after their request had passed.
    pub lost_replies: u64,
    /// Replies cut short.
    pub truncated: u64,
    /// Pieces that passed twice.
    pub duplicated: u64,
    /// Bytes that passed to the target.
    pub bytes_out: u64,
    /// Bytes that passed to clients.
    pub bytes_back: u64,
}

/// What the parts of a proxy share.
struct Shared {
    seed: u64,
    target: Mutex<SocketAddr>,
    setting: watch::Sender<Arc<Setting>>,
    counts: Mutex<Counts>,
}

impl Shared {
    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.counts));
    }
}

/// A running proxy. When it is dropped nobody listens, and open connections are closed.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    orders: Option<UnboundedSender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free loopback port, forwards to `target`, and lets nothing go wrong yet.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(target: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            seed,
            target: Mutex::new(target),
            setting: watch::Sender::default(),
            counts: Mutex::default(),
        });
        let (orders, taken) = unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listen = Listen::new(shared.clone(), address, taken);
        let thread = Builder::new().name("proxy".to_owned()).spawn(move || {
            runtime.block_on(listen.run(listener));
        })?;
        Ok(Self {
            address,
            shared,
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Where clients come to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that come from now on go there.
    pub fn forward_to(&self, target: SocketAddr) {
        *lock(&self.shared.target) = target;
    }

    /// From when this returns these rules are in force, for open connections too. None: nothing goes
    /// wrong. A schedule that plays ends.
    pub fn set<R: Into<Rule>>(&self, rules: impl IntoIterator<Item = R>) {
        let rules = rules.into_iter().map(Into::into).collect();
        self.order(|done| Order::Set { rules, done });
    }

    /// Begins to play the schedule; returns at once. Nothing goes wrong after its end.
    pub fn play(&self, schedule: Schedule) {
        self.order(|done| Order::Play { schedule, done });
    }

    /// Waits until the order is carried out.
    fn order(&self, make: impl FnOnce(mpsc::Sender<()>) -> Order) {
        let (done, wait) = mpsc::channel();
        if let Some(orders) = &self.orders {
            let sent = orders.send(make(done));
            assert!(sent.is_ok() && wait.recv().is_ok(), "the proxy has ended");
        }
    }

    /// What it did so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *lock(&self.shared.counts)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // Its panic has been told already.
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
