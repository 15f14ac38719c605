//! Whose time it is.

use std::sync::Arc;

use halsonav_adapter::Stop;
use halsonav_domain::{Clock, Problem, Timestamp, VirtualClock};
use halsonav_storage::{Reader, Storage, Wake, Writer};
use tokio::sync::watch;

use crate::runtime::{Core, store_problem};

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

/// What time it is for a hub.
pub struct Time {
    /// For what is done about what comes in.
    pub clock: Arc<dyn Clock>,
    /// For what is begun because its time has come. The same clock, unless it is shared: then every
    /// process first learns of the new time, and only then is anything begun.
    pub schedule: Arc<dyn Clock>,
    /// Changes when the schedule's clock was set.
    pub set: watch::Receiver<()>,
}

impl Time {
    /// A clock that nobody tells of: the machine's, or one that its owner turns by hand.
    #[must_use]
    pub fn of(clock: Arc<dyn Clock>) -> Self {
        Self {
            schedule: clock.clone(),
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

/// The steps in which a shared clock is moved, each a setting of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It is later now.
    Time,
    /// What is due by now may begin.
    Begin,
}

impl Step {
    fn setting(self) -> &'static str {
        match self {
            Self::Time => "clock.time",
            Self::Begin => "clock.begin",
        }
    }

    /// Under which a process says how far it is with the step.
    fn of(self, label: usize) -> String {
        format!("{}.{label}", self.setting())
    }
}

/// A clock that stands in the store, so that several processes have the same virtual time. It
/// follows what is set there until `stop`.
///
/// # Errors
/// When the store fails.
pub async fn shared(
    storage: &Storage,
    label: usize,
    stop: &Stop,
) -> halsonav_storage::Result<Time> {
    let (tell, set) = watch::channel(());
    let mut follower = Follower {
        storage: storage.clone(),
        label,
        clock: Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH)),
        schedule: Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH)),
        noted: Timestamp::UNIX_EPOCH,
        tell,
    };
    let time = Time {
        clock: follower.clock.clone(),
        schedule: follower.schedule.clone(),
        set,
    };
    let mut woken = storage.woken(Wake::Clock);
    follower.follow().await?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = woken.changed() => if changed.is_err() { return },
            }
            if let Err(error) = follower.follow().await {
                tracing::error!(code = error.code(), %error, "the shared clock cannot be read");
                woken.mark_changed();
                tokio::task::yield_now().await;
            }
        }
    });
    Ok(time)
}

struct Follower {
    storage: Storage,
    label: usize,
    clock: Arc<VirtualClock>,
    schedule: Arc<VirtualClock>,
    /// As far as others know that this process is.
    noted: Timestamp,
    tell: watch::Sender<()>,
}

impl Follower {
    async fn follow(&mut self) -> halsonav_storage::Result<()> {
        let read = self
            .storage
            .read_async(|r| Ok((at(r, Step::Time.setting())?, at(r, Step::Begin.setting())?)));
        let (now, begun) = read.await?;
        if let Some(now) = now.filter(|now| *now > self.noted) {
            self.clock.advance(now);
            // Whoever moves the clock waits for this. If it fails it is done again.
            note(&self.storage, Step::Time, self.label, now).await?;
            self.noted = now;
        }
        if let Some(begun) = begun.filter(|begun| *begun > self.schedule.now()) {
            self.schedule.advance(begun);
            // Only now: whoever wakes must see the new time.
            self.tell.send_replace(());
        }
        Ok(())
    }
}

fn at(r: &mut Reader, setting: &str) -> halsonav_storage::Result<Option<Timestamp>> {
    Ok(r.setting(setting)?.and_then(|text| text.parse().ok()))
}

async fn note(
    storage: &Storage,
    step: Step,
    label: usize,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    if label == 0 {
        return Ok(());
    }
    let key = step.of(label);
    storage
        .write_async(move |tx| tx.set_setting(&key, Some(&now.to_string())))
        .await
}

/// Says that this process has begun what was due by `now`.
///
/// # Errors
/// When the store fails.
pub async fn begun(core: &Core, now: Timestamp) -> Result<(), Problem> {
    note(&core.storage, Step::Begin, core.config.clock.label, now)
        .await
        .map_err(store_problem)
}

/// Whether the processes 1 to `count` have all taken a step, up to `now`.
///
/// # Errors
/// `Database`.
pub fn taken(
    r: &mut Reader,
    step: Step,
    count: usize,
    now: Timestamp,
) -> halsonav_storage::Result<bool> {
    for label in 1..=count {
        if at(r, &step.of(label))? < Some(now) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves the shared clock one step, for everybody who follows it.
///
/// # Errors
/// `Database`.
pub fn set(tx: &mut Writer, step: Step, now: Timestamp) -> halsonav_storage::Result<()> {
    tx.set_setting(step.setting(), Some(&now.to_string()))?;
    tx.wake(Wake::Clock);
    Ok(())
}
