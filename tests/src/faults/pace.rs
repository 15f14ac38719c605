//! A neighbour that takes everything and answers nothing, while the others do what they always do. In
//! real time: how fast the messages come, with the print shop as it is and with one that stands still.

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Outcome, Plan};
use crate::{
    processes::halsonav,
    proxy::{Fault, Proxy},
    round,
    trial::{self, Running},
};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(180);
/// When nothing has come for so long, nothing more will.
const QUIET: Duration = Duration::from_secs(5);
/// So many times the residents of the other rounds: it takes some time until all are written to.
const CROWD: usize = 10;
const LOOK: Duration = Duration::from_millis(20);

/// The messages all come while no letter does, and the letters once the print shop answers again.
pub(super) fn run(plan: &Plan, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let calm = Day::begin(plan, seed, "at-pace", false)?.end()?;
    let mut beside = Day::begin(plan, seed, "beside", true)?;
    let name = format!("seed {seed}, beside a neighbour that stands still");
    beside.until("all messages", |day| {
        Ok(day.messages().len() >= calm.messages)
    })?;
    let pace = beside.pace();
    let (jobs, stalled) = (beside.jobs()?, beside.proxy.counts().stalled);
    if jobs > 0 || stalled == 0 {
        outcome.breach(format!(
            "{name}: {jobs} jobs came, {stalled} waited: nothing is proven"
        ));
    }
    beside.proxy.set::<Fault>([]);
    let after = beside.end()?;
    outcome.rounds += 2;
    outcome
        .paces
        .push(calm.pace.as_secs_f64() / pace.as_secs_f64());
    for (what, one, other) in [
        ("messages", calm.messages, after.messages),
        (
            "times with letters",
            2,
            usize::from(calm.jobs > 0) + usize::from(after.jobs > 0),
        ),
        ("twice", 0, calm.twice + after.twice),
        ("unaccounted", 0, calm.unaccounted + after.unaccounted),
    ] {
        if one != other {
            outcome.breach(format!("{name}: {what} {other}, and {one} were wanted"));
        }
    }
    Ok(())
}

/// What a day came to.
struct Told {
    messages: usize,
    jobs: usize,
    twice: usize,
    unaccounted: usize,
    /// From the first message to the last.
    pace: Duration,
}

/// Neighbours and a hub, each a process, on the machine's own clock.
struct Day<'a> {
    plan: &'a Plan,
    out: PathBuf,
    proxy: Proxy,
    _running: [Running; 2],
    /// When the first message and when the last was seen.
    first: Option<Instant>,
    last: Instant,
    seen: usize,
}

impl<'a> Day<'a> {
    /// A list is read in, then the hub is started.
    fn begin(plan: &'a Plan, seed: u64, name: &str, still: bool) -> Result<Self> {
        let out = round::empty(&plan.dir, &format!("{seed}-{name}"))?;
        fs::create_dir_all(&out)?;
        let [own, data, neighbours] = ["own.toml", "data", "neighbours"].map(|it| out.join(it));
        fs::write(&own, format!("[hub]\ndata = \"{}\"\n", data.display()))?;
        let mut living = halsonav(&plan.binary);
        living
            .arg("--config")
            .arg(&own)
            .arg("neighbours")
            .arg("--out")
            .arg(&neighbours)
            .args(["--residents", &(plan.residents * CROWD).to_string()])
            .args(["--seed", &seed.to_string()]);
        let living = start(&mut living, &out, "neighbours")?;
        let settings = neighbours.join("site.toml");
        wait("the neighbours", || Ok(settings.exists()))?;
        let proxy = stand_before_print(&settings, seed)?;
        if still {
            proxy.set([Fault::BlackHole]);
        }
        let list = neighbours.join("roster.csv");
        tell(
            plan,
            &settings,
            &["cohort", "import", &list.to_string_lossy()],
        )?;
        let mut hub = halsonav(&plan.binary);
        hub.arg("--config").arg(&settings).arg("serve");
        let hub = start(&mut hub, &out, "hub")?;
        Ok(Self {
            plan,
            out,
            proxy,
            _running: [living, hub],
            first: None,
            last: Instant::now(),
            seen: 0,
        })
    }

    /// Waits, and looks meanwhile how many messages have come.
    fn until(
        &mut self,
        what: &str,
        mut there: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        wait(what, || {
            let messages = self.messages().len();
            if messages > self.seen {
                self.seen = messages;
                self.last = Instant::now();
                self.first.get_or_insert(self.last);
            }
            there(self)
        })
    }

    fn pace(&self) -> Duration {
        self.first.map_or(Duration::ZERO, |first| self.last - first)
    }

    /// Until nobody is on the way any more: all wait for a resident, a person at work or the calendar.
    fn end(mut self) -> Result<Told> {
        self.until("everybody to be written to", |day| {
            Ok(day.first.is_some() && day.last.elapsed() > QUIET && day.on_their_way()? == 0)
        })?;
        let settings = self.settings();
        let ledger = tell(self.plan, &settings, &["cohort", "show"])?;
        let messages = self.messages();
        Ok(Told {
            twice: messages.values().filter(|times| **times > 1).count(),
            messages: messages.len(),
            jobs: self.jobs()?,
            unaccounted: usize::try_from(ledger["unaccounted"].as_u64().unwrap_or(1))?,
            pace: self.pace(),
        })
    }

    fn settings(&self) -> PathBuf {
        self.out.join("neighbours/site.toml")
    }

    fn messages(&self) -> BTreeMap<String, u64> {
        trial::messages(&self.out.join("neighbours"))
    }

    /// Jobs that lie at the print shop whole, each of one letter or more.
    fn jobs(&self) -> Result<usize> {
        let files = fs::read_dir(self.out.join("neighbours/vendor/account/in"))?;
        let paths = files.filter_map(|file| Some(file.ok()?.path()));
        Ok(paths
            .filter(|path| path.extension().is_some_and(|it| it == "zip"))
            .count())
    }

    fn on_their_way(&self) -> Result<usize> {
        let everybody = (self.plan.residents * CROWD).to_string();
        let told = tell(
            self.plan,
            &self.settings(),
            &["case", "list", "--limit", &everybody],
        )?;
        let cases = told["cases"].as_array().context("no cases")?;
        Ok(trial::on_their_way(cases))
    }
}

/// Lets the hub's way to the print shop lead through a proxy.
fn stand_before_print(settings: &Path, seed: u64) -> Result<Proxy> {
    let mut site: toml::Table = fs::read_to_string(settings)?.parse()?;
    let port = site["adapters"]["print"]["port"].as_integer();
    let port = u16::try_from(port.context("the print shop has no port")?)?;
    let proxy = Proxy::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), seed)?;
    site["adapters"]["print"]["port"] = i64::from(proxy.address().port()).into();
    fs::write(settings, site.to_string())?;
    Ok(proxy)
}

fn start(command: &mut Command, out: &Path, name: &str) -> Result<Running> {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    let log = out.join(format!("{name}.log"));
    Ok(Running::start(command, &log)?)
}

fn tell(plan: &Plan, settings: &Path, words: &[&str]) -> Result<Value> {
    let mut command = halsonav(&plan.binary);
    command.arg("--config").arg(settings).arg("--json");
    let said = command.args(words).output()?;
    let err = String::from_utf8_lossy(&said.stderr);
    ensure!(said.status.success(), "{words:?}: {err}");
    Ok(serde_json::from_slice(&said.stdout)?)
}

fn wait(what: &str, mut there: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while !there()? {
        ensure!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        thread::sleep(LOOK);
    }
    Ok(())
}
