//! Who does a thing of which there must be one, and under which epoch.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use halsonav_domain::Problem;
use halsonav_storage::{Epoch, Storage};

use super::store_problem;

/// Longer than any process lives: for a hub that is alone.
pub const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// A lease that this process has, or would like to have.
pub struct Lease {
    storage: Storage,
    name: String,
    holder: String,
    ttl: Duration,
    held: Mutex<Option<Held>>,
}

#[derive(Clone, Copy)]
struct Held {
    epoch: Epoch,
    asked: Instant,
}

impl Lease {
    /// A lease that nobody has asked for yet.
    #[must_use]
    pub fn new(storage: Storage, name: String, holder: &str, ttl: Duration) -> Arc<Self> {
        Arc::new(Self {
            storage,
            name,
            holder: holder.to_owned(),
            ttl,
            held: Mutex::new(None),
        })
    }

    /// How long it lasts without being renewed.
    #[must_use]
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Takes the lease, or renews it once a third of its time has gone. `None`: somebody else has it.
    ///
    /// # Errors
    /// When the store fails. What was held stays held until its time is over.
    pub async fn hold(&self) -> Result<Option<Epoch>, Problem> {
        let held = *self.lock();
        let asked = Instant::now();
        let (name, ttl) = (self.name.clone(), self.ttl);
        if let Some(held) = held.filter(|held| self.is_live(*held)) {
            if asked.duration_since(held.asked) < self.ttl / 3 {
                return Ok(Some(held.epoch));
            }
            let renewed = self
                .storage
                .write_async(move |tx| tx.renew_lease(&name, held.epoch, ttl))
                .await
                .map_err(store_problem)?;
            if renewed {
                let epoch = held.epoch;
                *self.lock() = Some(Held { epoch, asked });
                return Ok(Some(epoch));
            }
        }
        let (name, holder) = (self.name.clone(), self.holder.clone());
        let taken = self
            .storage
            .write_async(move |tx| tx.take_lease(&name, &holder, ttl))
            .await
            .map_err(store_problem)?;
        *self.lock() = taken.map(|epoch| Held { epoch, asked });
        Ok(taken)
    }

    /// The epoch, if the lease is certainly still ours. Asks only this process's own monotonic
    /// clock: whoever was stopped for longer than the lease sees it here, without asking anybody.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        let held = *self.lock();
        held.filter(|held| self.is_live(*held))
            .map(|held| held.epoch)
    }

    /// Gives it back, so that the next one need not wait.
    pub async fn let_go(&self) {
        let Some(held) = self.lock().take() else {
            return;
        };
        let name = self.name.clone();
        let gone = self
            .storage
            .write_async(move |tx| tx.release_lease(&name, held.epoch))
            .await;
        if let Err(error) = gone {
            tracing::warn!(lease = self.name, code = error.code(), %error, "a lease could not be given back; it runs out");
        }
    }

    /// Ours until a tenth of its time is left: what is begun then must be over before another's turn.
    fn is_live(&self, held: Held) -> bool {
        held.asked.elapsed() < self.ttl - self.ttl / 10
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
