//! The hub as several processes, each a child of this one, while this one is the world around it.

use std::{
    fs::File,
    io::Write as _,
    net::{SocketAddr, TcpListener},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use halsonav_domain::{Kind, Problem, Timestamp, Topic};
use tokio::time::timeout;

use super::{
    family::{Family, Program},
    state::unusable,
    world::World,
};
use crate::{
    cli::Context,
    clock::{self, Step},
    config::Config,
    runtime::{Core, bus_problem, store_problem},
};

/// Adapters that neighbours call, with the table their `listen` stands in.
const LISTENING: [(&str, Option<&str>); 3] = [
    ("booking", Some("notifications")),
    ("forms", Some("notifications")),
    ("lab", None),
];
/// Between two looks at whether everybody is done.
const LOOK: Duration = Duration::from_millis(5);
/// Nothing takes this long.
const STUCK: Duration = Duration::from_secs(120);

/// The processes, with what says that they are done.
pub struct Crew {
    core: Arc<Core>,
    family: Family,
}

impl Crew {
    /// Gives every socket that a neighbour calls an address that is known before it is opened.
    ///
    /// # Errors
    /// When no port is free.
    pub fn settle_ports(config: &mut Config, out: &Path) -> Result<(), Problem> {
        for (adapter, table) in LISTENING {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
            let address = free.map_err(|error| unusable(out, &error))?.to_string();
            let mut at = config.adapters.get_mut(adapter);
            if let Some(table) = table {
                at = at.and_then(|settings| settings.get_mut(table));
            }
            if let Some(toml::Value::Table(settings)) = at {
                settings.insert("listen".to_owned(), toml::Value::String(address));
            }
        }
        Ok(())
    }

    /// Tells the neighbours where the hub will listen.
    ///
    /// # Errors
    /// When an address will not do.
    pub fn introduce(config: &Config, world: &World) -> Result<(), Problem> {
        for (adapter, table) in LISTENING {
            let mut at = config.adapters.get(adapter);
            if let Some(table) = table {
                at = at.and_then(|settings| settings.get(table));
            }
            let listen = at.and_then(|settings| settings.get("listen"));
            let address: Option<SocketAddr> = listen
                .and_then(toml::Value::as_str)
                .and_then(|text| text.parse().ok());
            if let Some(address) = address {
                world.introduce(adapter, address)?;
            }
        }
        Ok(())
    }

    /// Starts `count` processes with the settings that this one has.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub fn start(
        context: &Context,
        core: Arc<Core>,
        count: usize,
        respawns: bool,
        out: &Path,
    ) -> Result<Self, Problem> {
        let text = toml::to_string(&core.config).map_err(|error| unusable(out, &error))?;
        keep_settings(&out.join("hub.toml"), &text).map_err(|error| unusable(out, &error))?;
        let program = Program {
            regions: context.regions.clone(),
            out: out.to_owned(),
        };
        let family = Family::start(program, count, respawns)?;
        Ok(Self { core, family })
    }

    /// Moves the clock for everybody: first all learn of it, then what is due begins.
    ///
    /// # Errors
    /// When the store fails, or a process does not follow.
    pub async fn advance(&mut self, now: Timestamp) -> Result<(), Problem> {
        self.set(Step::Time, now).await?;
        let begun = Instant::now();
        let count = self.family.count();
        loop {
            self.family.alive()?;
            let all = self
                .core
                .storage
                .read_async(move |r| clock::taken(r, Step::Time, count, now));
            if all.await.map_err(store_problem)? {
                return self.set(Step::Begin, now).await;
            }
            if begun.elapsed() > STUCK {
                return Err(stuck("a process does not follow the clock; see hub-*.log"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn set(&self, step: Step, now: Timestamp) -> Result<(), Problem> {
        self.core
            .storage
            .write_async(move |tx| clock::set(tx, step, now))
            .await
            .map_err(store_problem)
    }

    /// Waits until nothing is left that could be done at `now`.
    ///
    /// # Errors
    /// `HUB-DEMO-007` when a process has ended or nothing moves any more; when store or bus fail.
    pub async fn settle(&mut self, now: Timestamp) -> Result<(), Problem> {
        let begun = Instant::now();
        let mut seen = None;
        loop {
            self.family.alive()?;
            // Twice the same, with nothing on its way in between: nobody was in the middle of it.
            let quiet = match self.quiet(now).await {
                // Store or bus are away: they come back, or nothing moves any more.
                Err(problem) if problem.kind == Kind::Unavailable => None,
                quiet => quiet?,
            };
            if quiet.is_some() && quiet == seen {
                return Ok(());
            }
            seen = quiet;
            if begun.elapsed() > STUCK {
                return Err(stuck("the processes do not come to rest; see hub-*.log"));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Waits for `work`.
    ///
    /// # Errors
    /// `HUB-DEMO-007` when a process has ended and stays so, or `work` does not come to its end.
    pub async fn tend(&mut self, work: impl Future<Output = ()>) -> Result<(), Problem> {
        let begun = Instant::now();
        let mut work = std::pin::pin!(work);
        while begun.elapsed() < STUCK {
            self.family.alive()?;
            if timeout(LOOK, work.as_mut()).await.is_ok() {
                return Ok(());
            }
        }
        Err(stuck("a neighbour does not reach the hub; see hub-*.log"))
    }

    /// How much was ever said on the bus, if nothing is under way.
    async fn quiet(&self, now: Timestamp) -> Result<Option<u64>, Problem> {
        let children = self.family.count();
        let idle = self
            .core
            .storage
            .read_async(move |r| {
                Ok(clock::taken(r, Step::Begin, children, now)?
                    && !r.outbox(now, 1)?.is_due()
                    && r.due_timers(now, 1)?.is_empty()
                    && r.in_hand()? == 0
                    && r.held_subjects(1)?.is_empty()
                    && r.news(1)?.is_empty())
            })
            .await
            .map_err(store_problem)?;
        if !idle {
            return Ok(None);
        }
        if self.core.under_way().await? > 0 {
            return Ok(None);
        }
        // A group that never commits has everything before it.
        let said = self.core.bus.lag("nobody", &[Topic::Events]).await;
        said.map(Some).map_err(bus_problem)
    }
}

/// The settings may hold the password of the database.
fn keep_settings(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

/// `HUB-DEMO-007`.
pub fn stuck(message: &str) -> Problem {
    Problem::new(Kind::Unavailable, "HUB-DEMO-007", message)
}
