//! The processes of the hub, children of this one. One that dies is begun anew at once, as a supervisor
//! does it, whatever the round waits for meanwhile.

use std::{
    fs::File,
    io,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use halsonav_domain::Problem;
use tokio::{task::JoinHandle, time::sleep};

use super::{crew::stuck, state::unusable};

/// What the processes do, for each number of them.
const SHARES: [&[&str]; 4] = [
    &["api,engine,relay,scheduler,dispatch"],
    &["api,engine,relay,scheduler", "dispatch"],
    &["api,engine", "relay,scheduler", "dispatch"],
    &["api,engine", "engine", "relay,scheduler", "dispatch"],
];
/// Most processes.
pub const MOST: usize = SHARES.len();
/// Between two looks at whether all are there.
const LOOK: Duration = Duration::from_millis(50);

/// What is started.
pub struct Program {
    /// Folder of regions, if not the shipped one.
    pub regions: Option<PathBuf>,
    /// Has the settings, and gets the logs.
    pub out: PathBuf,
}

/// The children.
pub struct Family {
    members: Arc<Mutex<Members>>,
    supervisor: Option<JoinHandle<()>>,
}

struct Members {
    program: Program,
    shares: &'static [&'static str],
    respawns: bool,
    children: Vec<Child>,
}

impl Family {
    /// Starts `count` processes. Those that end are started again if it `respawns`.
    ///
    /// # Errors
    /// When a process cannot be started.
    pub fn start(program: Program, count: usize, respawns: bool) -> Result<Self, Problem> {
        let mut members = Members {
            program,
            shares: SHARES[count.clamp(1, MOST) - 1],
            respawns,
            children: Vec::new(),
        };
        for n in 0..members.shares.len() {
            let child = members.spawn(n)?;
            members.children.push(child);
        }
        let members = Arc::new(Mutex::new(members));
        let supervisor = respawns.then(|| tokio::spawn(supervise(members.clone())));
        Ok(Self {
            members,
            supervisor,
        })
    }

    /// How many processes there are.
    pub fn count(&self) -> usize {
        lock(&self.members).children.len()
    }

    /// Whether all are there, if need be anew.
    ///
    /// # Errors
    /// `HUB-DEMO-007` when one has ended and stays so; when it cannot be started again.
    pub fn alive(&self) -> Result<(), Problem> {
        lock(&self.members).alive()
    }
}

async fn supervise(members: Arc<Mutex<Members>>) {
    loop {
        sleep(LOOK).await;
        // Whoever drives the round asks too, and is told what went wrong.
        let _ = lock(&members).alive();
    }
}

fn lock(members: &Mutex<Members>) -> MutexGuard<'_, Members> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Members {
    fn alive(&mut self) -> Result<(), Problem> {
        for n in 0..self.children.len() {
            let Ok(Some(status)) = self.children[n].try_wait() else {
                continue;
            };
            if !self.respawns {
                let message = format!("process {} has ended ({status}); see hub-{0}.log", n + 1);
                return Err(stuck(&message));
            }
            self.children[n] = self.spawn(n)?;
        }
        Ok(())
    }

    fn spawn(&self, n: usize) -> Result<Child, Problem> {
        self.begin(n)
            .map_err(|error| unusable(&self.program.out, &error))
    }

    fn begin(&self, n: usize) -> io::Result<Child> {
        let out = &self.program.out;
        let log = File::options()
            .create(true)
            .append(true)
            .open(out.join(format!("hub-{}.log", n + 1)))?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--config").arg(out.join("hub.toml"));
        if let Some(regions) = &self.program.regions {
            command.arg("--regions").arg(regions);
        }
        command
            .args(["serve", "--until-eof", "--roles", self.shares[n]])
            // An address is for one process.
            .args(["--monitor", ""])
            .env("HALSONAV_CLOCK__LABEL", (n + 1).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.abort();
        }
        // A supervisor that is just looking finds nobody.
        let mut children = std::mem::take(&mut lock(&self.members).children);
        for child in &mut children {
            // The end of its input tells it to stop.
            drop(child.stdin.take());
        }
        for child in &mut children {
            let _ = child.wait();
        }
    }
}
