//! One run of one seed: a few residents, a hub that dies now and then, a bus and neighbours that
//! misbehave, and time that jumps. What must never happen is looked for all the way.

use std::{
    cell::Cell,
    collections::BTreeMap,
    path::Path,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use halsonav::rehearsal::{Fate, Ports, Rehearsal, Stage, watch};
use halsonav_domain::{
    CaseId, CommandId, PersonId, PersonStatus, Protection, Timestamp, Topic, VirtualClock,
};
use halsonav_storage::IncidentFilter;
use jiff::SignedDuration;

use super::{
    chance::Chance,
    neighbours::{self, Population},
    people::Town,
    truth::Truth,
    wire::Wire,
};

mod races;
mod stops;
mod verdict;

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything that is by chance.
    pub seed: u64,
    /// Residents.
    pub cases: usize,
    /// Whether anything goes wrong at all.
    pub faults: bool,
    /// Whether people die or are protected just while something is on its way to them.
    pub races: bool,
    /// The hub dies when it has come to this many crash points; `None`: by chance.
    pub dies_at: Option<u64>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What must never happen, and did.
    pub breaches: Vec<String>,
    /// Hash over everything that was said and done, in order.
    pub trace: String,
    /// The ledger, a line for each case.
    pub ledger: Vec<String>,
    /// How often the hub died.
    pub crashes: usize,
    /// How often a lane was stopped by somebody.
    pub stops: usize,
    /// Contacts that were on their way when the person was struck …
    pub races: usize,
    /// … and that never reached the person.
    pub withheld: usize,
    /// Crash points that were passed, with what was being done, and how often.
    pub points: BTreeMap<(String, String), u64>,
    /// Effects outside.
    pub effects: usize,
    /// Facts on the bus.
    pub facts: usize,
}

/// The first morning; summer time begins and ends within the year.
const START: &str = "2026-01-12T06:00:00Z";
/// The round is over.
const LONGEST_DAYS: i64 = 430;
/// Passes without anything moving until the hub is taken to be at rest.
const RESTS: usize = 3;
/// Passes after which a hub that does not come to rest is at fault.
const RESTLESS: usize = 400;

/// Runs one seed in `dir`, which must be empty.
pub async fn run(stage: &Arc<Stage>, plan: Plan, dir: &Path) -> Outcome {
    let mut world = World::new(stage.clone(), plan, dir);
    world.live().await;
    watch(None);
    world.outcome().await
}

struct World {
    stage: Arc<Stage>,
    plan: Plan,
    dir: std::path::PathBuf,
    chance: Arc<Chance>,
    calm: Arc<AtomicBool>,
    clock: Arc<VirtualClock>,
    now: Timestamp,
    wire: Wire,
    truth: Arc<Truth>,
    town: Town,
    hub: Option<Rehearsal>,
    crashed: Rc<Cell<bool>>,
    crashes: usize,
    stops: usize,
    /// Contacts that were on their way when the person was struck.
    races: Vec<CommandId>,
    /// There is no point in going on.
    hopeless: bool,
    points: Rc<std::cell::RefCell<BTreeMap<(String, String), u64>>>,
}

impl World {
    fn new(stage: Arc<Stage>, plan: Plan, dir: &Path) -> Self {
        let chance = Arc::new(Chance::of(plan.seed));
        let calm = Arc::new(AtomicBool::new(!plan.faults));
        let now: Timestamp = START.parse().expect("a time");
        let clock = Arc::new(VirtualClock::new(now));
        let truth = Truth::new(plan.seed, chance.clone(), calm.clone(), clock.clone());
        Self {
            wire: Wire::new(chance.clone(), calm.clone()),
            town: Town::new(truth.clone()),
            stage,
            plan,
            dir: dir.to_owned(),
            chance,
            calm,
            clock,
            now,
            truth,
            hub: None,
            crashed: Rc::default(),
            crashes: 0,
            stops: 0,
            races: Vec::new(),
            hopeless: false,
            points: Rc::default(),
        }
    }

    async fn live(&mut self) {
        self.watch();
        let people: Vec<(PersonId, CaseId)> = (0..self.plan.cases).map(resident).collect();
        for (number, case) in &people {
            self.truth.born(*case, number.clone());
        }
        // Said again after each death of the hub that may have swallowed it, as an import is.
        let mut opened = false;
        let end = self.now + SignedDuration::from_hours(24 * LONGEST_DAYS);
        while self.now < end && !self.hopeless {
            if !opened {
                opened = self.open(&people).await;
            }
            self.rest().await;
            if self.over().await {
                break;
            }
            self.town.live(self.now);
            let facts = self.town.facts(self.now);
            self.say(facts).await;
            self.work().await;
            self.rest().await;
            self.town.settled();
            // Before, a case may be there and its opening not: an import that was broken off says it again.
            if opened {
                self.check("while it ran").await;
            }
            self.stop_and_start().await;
            self.pass_time();
        }
        // Now nothing bad happens any more: everything comes to its end.
        self.calm.store(true, Ordering::SeqCst);
        self.start_all().await;
        for _ in 0..60 {
            if self.hopeless {
                return;
            }
            self.rest().await;
            self.repair().await;
            self.rest().await;
            if self.over().await {
                break;
            }
            self.work().await;
            self.now += SignedDuration::from_hours(24 * 9);
            self.clock.advance(self.now);
        }
        self.check("at the end").await;
        self.causes().await;
        self.told().await;
        if !self.over().await {
            self.truth
                .breach("some case never came to its end".to_owned());
        }
    }

    /// Time passes: minutes or months; now and then just up to the hour in which a clock is changed.
    fn pass_time(&mut self) {
        let dice = |what: &str, n| self.truth.dice(&format!("{what} {}", self.now), n);
        let hours = match dice("pace", 10) {
            0 => 1,
            1..=5 => 2 + dice("hours", 46),
            6..=8 => 24 * (2 + dice("days", 12)),
            _ => 24 * (20 + dice("weeks", 40)),
        };
        self.now += SignedDuration::from_hours(i64::try_from(hours).unwrap_or(1));
        self.clock.advance(self.now);
    }

    /// Lets the hub come to each crash point, and sometimes no further.
    fn watch(&self) {
        let (crashed, points) = (self.crashed.clone(), self.points.clone());
        let (chance, calm) = (self.chance.clone(), self.calm.clone());
        let (dies_at, races) = (self.plan.dies_at, self.plan.races);
        let mut passed = 0;
        watch(Some(Box::new(move |name, what| {
            passed += 1;
            let key = (name.to_owned(), what.to_owned());
            *points.borrow_mut().entry(key).or_default() += 1;
            let dies = match dies_at {
                Some(nth) => passed == nth,
                // What is in hand then is asked about later, when much may have changed.
                None if races && name == "dispatch.claimed" => {
                    !calm.load(Ordering::SeqCst) && chance.happens(60)
                }
                None => !calm.load(Ordering::SeqCst) && chance.happens(3),
            };
            if dies {
                crashed.set(true);
                return Fate::Stops;
            }
            Fate::GoesOn
        })));
    }

    /// A hub that lives; begun anew if the last one died.
    async fn hub(&mut self) -> &mut Rehearsal {
        if self.hub.is_none() {
            let ports = Ports {
                dir: self.dir.clone(),
                bus: Arc::new(self.wire.clone()),
                clock: self.clock.clone(),
                lanes: neighbours::all(&self.truth),
                register: Arc::new(Population(self.truth.clone())),
            };
            match Rehearsal::start(&self.stage, ports).await {
                Ok(hub) => self.hub = Some(hub),
                Err(problems) => panic!("the hub does not start: {problems:?}"),
            }
        }
        self.hub.as_mut().expect("just started")
    }

    /// Does something with the hub; `None` when it died of it.
    async fn with<T>(&mut self, work: impl AsyncFnOnce(&mut Rehearsal) -> T) -> Option<T> {
        let crashed = self.crashed.clone();
        let done = {
            let mut work = std::pin::pin!(work(self.hub().await));
            std::future::poll_fn(|context| match work.as_mut().poll(context) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if crashed.get() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            })
            .await
        };
        if done.is_none() {
            self.crashed.set(false);
            self.crashes += 1;
            self.hub = None;
        }
        done
    }

    async fn open(&mut self, people: &[(PersonId, CaseId)]) -> bool {
        let people = people.to_vec();
        let opened = self
            .with(async move |hub: &mut Rehearsal| hub.open(people).await)
            .await;
        matches!(opened, Some(Ok(())))
    }

    /// A neighbour or a person at work says something, and says it again until it is heard.
    async fn say(&mut self, facts: Vec<halsonav_domain::Envelope>) {
        if facts.is_empty() {
            return;
        }
        for _ in 0..20 {
            let again = facts.clone();
            let said = self
                .with(async move |hub: &mut Rehearsal| hub.say(again).await)
                .await;
            if matches!(said, Some(Ok(()))) {
                return;
            }
        }
        self.truth.breach("nobody would hear a fact".to_owned());
    }

    /// Turns parts of the hub, in any order, until nothing moves.
    async fn rest(&mut self) {
        let mut rests = 0;
        for _ in 0..RESTLESS {
            let parts = self.hub().await.parts();
            let first = self.chance.below(parts);
            let mut moved = 0;
            for n in 0..parts {
                let part = (first + n) % parts;
                let turned = self
                    .with(async move |hub: &mut Rehearsal| hub.turn(part).await)
                    .await;
                // Dead or refused: there is something to do again.
                let now = match turned {
                    Some(Ok(moved)) => moved,
                    _ => 1,
                };
                moved += now;
                if now > 0 {
                    self.race().await;
                }
            }
            rests = if moved == 0 { rests + 1 } else { 0 };
            if rests >= RESTS && self.drained().await {
                return;
            }
        }
        self.truth
            .breach("the hub does not come to rest".to_owned());
        self.hopeless = true;
    }

    async fn drained(&self) -> bool {
        use halsonav_bus::Bus as _;
        let lag = self.wire.lag("engine", &[Topic::Events]).await;
        lag.unwrap_or(1) == 0
    }

    /// People at work do what the hub asks of them.
    async fn work(&mut self) {
        let open = self
            .with(async |hub: &mut Rehearsal| hub.storage().read(|r| r.new_work_items(None, 1000)))
            .await;
        let Some(Ok(items)) = open else { return };
        let facts = self.town.work(&items, self.now);
        self.say(facts).await;
    }

    /// An operator goes through what needs a human.
    async fn repair(&mut self) {
        let open = self
            .with(async |hub: &mut Rehearsal| {
                hub.storage()
                    .read(|r| r.incidents(&IncidentFilter::default(), None, 1000))
            })
            .await;
        let Some(Ok(incidents)) = open else { return };
        let facts = self.town.repair(&incidents, self.now);
        self.say(facts).await;
    }
}

/// The `n`-th resident, with the id of the case.
#[must_use]
pub fn resident(n: usize) -> (PersonId, CaseId) {
    let eleven = format!("19760315{:03}", n + 100);
    let digit = PersonId::check_digit(&eleven).expect("eleven digits");
    let number = PersonId::parse(&format!("{eleven}{digit}")).expect("a number");
    let case = CaseId(uuid::Uuid::from_u128((n as u128 + 1) << 64 | 7));
    (number, case)
}

/// What may befall a person.
pub const FATES: [(PersonStatus, Protection); 3] = [
    (PersonStatus::Deceased, Protection::None),
    (PersonStatus::Emigrated, Protection::None),
    (PersonStatus::Active, Protection::Sekretessmarkering),
];
