//! Engagemangsindex's part of a neighbour: a subscriber is told of every change until it takes it.
//!
//! What has been taken goes on the neighbour's tape, so that after a kill nothing is forgotten and
//! at most one batch is told twice.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use halsonav_rivta::{
    Client, ClientConfig, Error,
    engagement::{self, Engagement, PROCESS_NOTIFICATION},
};
use tokio::{sync::Notify, task::JoinHandle};

/// Engagements in one notification.
const BATCH: usize = 50;
/// Pauses between attempts, real time: the first and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Who is told.
#[derive(Clone, Debug)]
pub struct Subscriber {
    /// How to reach it.
    pub client: ClientConfig,
    /// Its HSA-id.
    pub logical_address: String,
}

/// Engagements on their way, in order.
pub(crate) struct Index {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    state: Mutex<State>,
    /// Something was put in, or there is a new subscriber.
    work: Notify,
    /// Something was taken.
    progress: Notify,
    taken: Box<dyn Fn(u64) + Send + Sync>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Engagement)>,
    subscriber: Option<(Client, String)>,
}

impl Index {
    /// Begins with what is `waiting`. `taken` hears the number up to which all has been taken.
    pub fn start(
        waiting: VecDeque<(u64, Engagement)>,
        taken: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        let state = Mutex::new(State {
            waiting,
            subscriber: None,
        });
        let shared = Arc::new(Shared {
            state,
            work: Notify::new(),
            progress: Notify::new(),
            taken: Box::new(taken),
        });
        let task = tokio::spawn(tell(Arc::clone(&shared)));
        Self { shared, task }
    }

    pub fn push(&self, news: impl IntoIterator<Item = (u64, Engagement)>) {
        self.shared.lock().waiting.extend(news);
        self.shared.work.notify_one();
    }

    pub fn subscribe(&self, subscriber: Option<&Subscriber>) -> Result<(), Error> {
        let made = subscriber
            .map(|s| Client::new(&s.client).map(|client| (client, s.logical_address.clone())))
            .transpose()?;
        self.shared.lock().subscriber = made;
        self.shared.work.notify_one();
        Ok(())
    }

    pub fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// Returns when everything has been taken.
    pub async fn settled(&self) {
        loop {
            let progress = self.shared.progress.notified();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if self.waiting() == 0 {
                return;
            }
            progress.await;
        }
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Batch> {
        let state = self.lock();
        let (client, address) = state.subscriber.as_ref()?;
        let news: Vec<_> = state.waiting.iter().take(BATCH).cloned().collect();
        let last = news.last()?.0;
        let engagements = news.into_iter().map(|(_, engagement)| engagement).collect();
        Some(Batch {
            client: client.clone(),
            address: address.clone(),
            engagements,
            last,
        })
    }
}

/// One notification to be.
struct Batch {
    client: Client,
    address: String,
    engagements: Vec<Engagement>,
    /// Number of the last engagement in it.
    last: u64,
}

async fn tell(shared: Arc<Shared>) {
    let mut pause = PAUSES.0;
    loop {
        let Some(batch) = shared.next() else {
            shared.work.notified().await;
            continue;
        };
        let body = engagement::write(&PROCESS_NOTIFICATION, &batch.engagements);
        let answer = batch
            .client
            .call(&PROCESS_NOTIFICATION, &batch.address, None, &body)
            .await;
        if answer.is_ok_and(|answer| engagement::is_taken(&answer).unwrap_or(false)) {
            shared.lock().waiting.drain(..batch.engagements.len());
            (shared.taken)(batch.last);
            shared.progress.notify_waiters();
            pause = PAUSES.0;
        } else {
            // New work or a new subscriber is worth an attempt at once.
            let _ = tokio::time::timeout(pause, shared.work.notified()).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }
}
