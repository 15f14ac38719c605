//! Whose time it is.

use std::sync::Arc;

use halsonav_adapter::Stop;
use halsonav_domain::{Clock, Problem, Timestamp, VirtualClock};
use halsonav_storage::{Reader, Storage, Wake, Writer};
use tokio::sync::watch;

use crate::runtime::{Core, store_problem};

/// Setting that holds the shared time.
const SETTING: &str = "clock";

/// The machine's clock, in whole milliseconds.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place where the machine's clock is read.
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(Timestamp::now().as_millisecond())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// A clock, and word of its being set.
pub struct Time {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Changes when the clock was set.
    pub set: watch::Receiver<()>,
}

impl Time {
    /// A clock that nobody tells of: the machine's, or one that its owner turns by hand.
    #[must_use]
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            set: watch::channel(()).1,
        }
    }
}

/// When the clock has been set; never, if nobody sets it.
pub async fn is_set(set: &mut watch::Receiver<()>) {
    if set.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A clock that stands in the store, so that several processes have the same virtual time. It
/// follows what is set there until `stop`.
///
/// # Errors
/// When the store fails.
pub async fn shared(storage: &Storage, stop: &Stop) -> halsonav_storage::Result<Time> {
    let mut woken = storage.woken(Wake::Clock);
    let clock = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH));
    if let Some(now) = read(storage).await? {
        clock.advance(now);
    }
    let (tell, set) = watch::channel(());
    let (storage, follower, stop) = (storage.clone(), clock.clone(), stop.clone());
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = woken.changed() => if changed.is_err() { return },
            }
            match read(&storage).await {
                Ok(now) => {
                    follower.advance(now.unwrap_or(Timestamp::UNIX_EPOCH));
                    // Only now: whoever wakes must see the new time.
                    tell.send_replace(());
                }
                Err(error) => tracing::error!(%error, "the shared clock cannot be read"),
            }
        }
    });
    Ok(Time { clock, set })
}

async fn read(storage: &Storage) -> halsonav_storage::Result<Option<Timestamp>> {
    let text = storage.read_async(|r| r.setting(SETTING)).await?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Says that this process has done what it does on a schedule, up to `now`: whoever sets the shared
/// clock waits for it.
///
/// # Errors
/// When the store fails.
pub async fn followed(core: &Core, now: Timestamp) -> Result<(), Problem> {
    let label = &core.config.clock.label;
    if label.is_empty() {
        return Ok(());
    }
    let key = format!("{SETTING}.{label}");
    core.storage
        .write_async(move |tx| tx.set_setting(&key, Some(&now.to_string())))
        .await
        .map_err(store_problem)
}

/// How far a process has followed, by its label.
///
/// # Errors
/// `Database`.
pub fn follower(r: &mut Reader, label: usize) -> halsonav_storage::Result<Option<Timestamp>> {
    let text = r.setting(&format!("{SETTING}.{label}"))?;
    Ok(text.and_then(|text| text.parse().ok()))
}

/// Sets the shared clock, for everybody who follows it.
///
/// # Errors
/// `Database`.
pub fn set(tx: &mut Writer, now: Timestamp) -> halsonav_storage::Result<()> {
    tx.set_setting(SETTING, Some(&now.to_string()))?;
    tx.wake(Wake::Clock);
    Ok(())
}
