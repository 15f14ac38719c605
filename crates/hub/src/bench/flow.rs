//! From a fact on the bus to the command that follows from it, on the bus: how many a second, and how
//! long it takes at a fixed load. Held against records that a program without a hub hands from one
//! topic to another, over the same bus, as many and as fast.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use halsonav_adapter::Stop;
use halsonav_bus::{Consumer, Record, codec};
use halsonav_domain::{Problem, Topic, VirtualClock};
use tokio::time::MissedTickBehavior;

use super::{
    Plan,
    hub::{Hub, PATIENCE},
    machine::{Stolen, Stopwatch, rate, told},
    measurement::Measurement,
    serving::{BESIDE, COMMANDS, Ground, Serving},
    shape::{Shape, fact, unfit},
};
use crate::runtime::{Core, bus_problem};

/// Inputs a second at which the latency is told.
const LOAD: f64 = 500.0;
/// Seconds of it before any counts: a broker that was just started compiles as it goes.
const WARM_S: usize = 10;
/// Records that are read, or published, at once.
const BATCH: usize = 1000;

/// Commands a second, in bulk.
pub async fn end_to_end(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    plan.brokers().map_err(one)?;
    let (warm, count) = if plan.quick {
        (50, 200)
    } else {
        (5_000, 40_000)
    };
    let mut stage = Stage::set(plan, warm + count).await?;
    let (ours, bare) = stage.play(warm, None).await.map_err(one)?;
    let conditions = format!(
        "{count} facts published in batches of {BATCH}, each taken to its case, decided, committed with its \
         command, relayed and read by a consumer of the command topic; against as many records handed from one topic \
         to another without a hub; {}; {}",
        stage.ground.told(),
        told()
    );
    stage.strike().await.map_err(one)?;
    let measured = Measurement::new("kafka_end_to_end", ours.rate(), "commands/s", conditions);
    Ok(measured.against(bare.rate()))
}

/// Milliseconds from fact to command of all but one in a hundred, at a fixed load.
pub async fn latency(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let (warm, count) = if plan.quick {
        (50, 200)
    } else {
        (LOAD as usize * WARM_S, 10_000)
    };
    let mut stage = Stage::set(plan, warm + count).await?;
    let host = Stolen::start();
    let (ours, bare) = stage.play(warm, Some(LOAD)).await.map_err(one)?;
    let conditions = format!(
        "{count} facts at {LOAD} a second, one by one, from just before each is published to when its command is \
         read from the command topic: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms; records handed from one topic to \
         another without a hub, which is the limit: p50 {:.1} ms, p99 {:.1} ms; {}; {}; {}",
        ours.percentile(50),
        ours.percentile(99),
        ours.percentile(100),
        bare.percentile(50),
        bare.percentile(99),
        host.told(),
        stage.ground.told(),
        told()
    );
    stage.strike().await.map_err(one)?;
    let measured = Measurement::new("added_latency_p99", ours.percentile(99), "ms", conditions);
    Ok(measured.against(bare.percentile(99)))
}

/// A hub that serves cases which all wait for the same fact.
struct Stage {
    ground: Ground,
    core: Arc<Core>,
    serving: Serving,
    facts: Vec<Record>,
    sink: Box<dyn Consumer>,
}

impl Stage {
    /// Makes it: the cases' first commands are read away, so that all parts have been at work.
    async fn set(plan: &Plan, count: usize) -> Result<Self, Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let ground = Ground::make(plan).await.map_err(one)?;
        let shape = Shape::small()?;
        let core = ground.core(plan, &shape, &Arc::new(VirtualClock::new(plan.now)))?;
        let mut hub = Hub::of(core.clone()).map_err(one)?;
        let model = hub.invite(count, &shape).await.map_err(one)?;
        let booked = model.next(true);
        let cases = hub.leave().await;
        let facts = cases.iter().map(|case| {
            let fact = fact(&booked, *case, usize::MAX, plan.now);
            let fact = fact.ok_or_else(|| unfit("an input that is no fact"))?;
            codec::event(&fact).map_err(bus_problem)
        });
        let facts = facts.collect::<Result<Vec<_>, _>>().map_err(one)?;
        let serving = Serving::start(&core).await.map_err(one)?;
        let mut sink = subscribe(&core, "bench", commands(COMMANDS)).map_err(one)?;
        read(sink.as_mut(), count, |_| {}).await.map_err(one)?;
        Ok(Self {
            ground,
            core,
            serving,
            facts,
            sink,
        })
    }

    /// The facts through the hub, and the same records past it. The first `warm` do not count.
    async fn play(&mut self, warm: usize, load: Option<f64>) -> Result<(Passed, Passed), Problem> {
        let (first, rest) = self.facts.split_at(warm);
        through(&self.core, &Topic::Events, self.sink.as_mut(), first, load).await?;
        let ours = through(&self.core, &Topic::Events, self.sink.as_mut(), rest, load).await?;
        let stop = Stop::new();
        let echo = tokio::spawn(echo(self.core.clone(), stop.clone()));
        let mut beside = subscribe(&self.core, "bench-beside", commands(BESIDE))?;
        let from = &Topic::Documentation;
        through(&self.core, from, beside.as_mut(), first, load).await?;
        let bare = through(&self.core, from, beside.as_mut(), rest, load).await?;
        stop.cancel();
        echo.await.unwrap_or(Ok(()))?;
        Ok((ours, bare))
    }

    async fn strike(self) -> Result<(), Problem> {
        self.serving.stop().await?;
        drop((self.sink, self.core));
        self.ground.clear().await
    }
}

/// What came out at the other end.
struct Passed {
    /// In order of length.
    latencies: Vec<Duration>,
    all: Duration,
}

impl Passed {
    fn rate(&self) -> f64 {
        rate(self.latencies.len(), self.all)
    }

    /// Milliseconds that `percent` in a hundred took at most.
    fn percentile(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let at = (self.latencies.len() * percent)
            .div_ceil(100)
            .saturating_sub(1);
        let found = self.latencies.get(at.min(last)).copied();
        found.unwrap_or_default().as_secs_f64() * 1000.0
    }
}

/// Publishes records to `from`, at once or so many a second, and waits until what follows from each has
/// come to `sink`. Each has a key of its own.
async fn through(
    core: &Arc<Core>,
    from: &Topic,
    sink: &mut dyn Consumer,
    records: &[Record],
    load: Option<f64>,
) -> Result<Passed, Problem> {
    let places: HashMap<&str, usize> = records
        .iter()
        .enumerate()
        .map(|(n, record)| (record.key.as_deref().unwrap_or_default(), n))
        .collect();
    let watch = Arc::new(Stopwatch::start());
    let sent: Arc<[AtomicU64]> = records.iter().map(|_| AtomicU64::new(0)).collect();
    let sending = send(core, from, records, load, (&watch, &sent));
    let mut latencies = Vec::with_capacity(records.len());
    let reading = read(sink, records.len(), |record| {
        let now = watch.elapsed();
        let key = record.key.as_deref().unwrap_or_default();
        if let Some(place) = places.get(key) {
            let begun = Duration::from_nanos(sent[*place].load(Relaxed));
            latencies.push(now.saturating_sub(begun));
        }
    });
    tokio::try_join!(sending, reading)?;
    let all = watch.elapsed();
    latencies.sort_unstable();
    Ok(Passed { latencies, all })
}

async fn send(
    core: &Arc<Core>,
    to: &Topic,
    records: &[Record],
    load: Option<f64>,
    (watch, sent): (&Stopwatch, &[AtomicU64]),
) -> Result<(), Problem> {
    let stamp = |n: usize| {
        let nanos = u64::try_from(watch.elapsed().as_nanos()).unwrap_or(u64::MAX);
        sent[n].store(nanos, Relaxed);
    };
    let Some(load) = load else {
        for (n, batch) in records.chunks(BATCH).enumerate() {
            (0..batch.len()).for_each(|k| stamp(n * BATCH + k));
            core.bus
                .publish(to, batch.to_vec())
                .await
                .map_err(bus_problem)?;
        }
        return Ok(());
    };
    let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / load));
    // Whoever is late catches up: the load is what it is said to be.
    pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut publishing = tokio::task::JoinSet::new();
    for (n, record) in records.iter().enumerate() {
        pace.tick().await;
        stamp(n);
        let (core, to, record) = (core.clone(), to.clone(), record.clone());
        publishing.spawn(async move { core.bus.publish(&to, vec![record]).await });
    }
    while let Some(done) = publishing.join_next().await {
        done.map_err(|_| unfit("a publisher failed"))?
            .map_err(bus_problem)?;
    }
    Ok(())
}

async fn read(
    sink: &mut dyn Consumer,
    count: usize,
    mut with: impl FnMut(&Record),
) -> Result<(), Problem> {
    let mut seen = 0;
    while seen < count {
        let batch = sink
            .poll(BATCH, Some(PATIENCE))
            .await
            .map_err(bus_problem)?;
        if batch.is_empty() {
            return Err(unfit(&format!("{seen} of {count} records came")));
        }
        batch.iter().for_each(|delivered| with(&delivered.record));
        seen += batch.len();
        sink.commit().await.map_err(bus_problem)?;
    }
    Ok(())
}

/// Hands every record of one topic to another, until `stop`.
async fn echo(core: Arc<Core>, stop: Stop) -> Result<(), Problem> {
    let mut source = subscribe(&core, "bench-echo", Topic::Documentation)?;
    loop {
        let batch = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            batch = source.poll(BATCH, None) => batch.map_err(bus_problem)?,
        };
        let records = batch.into_iter().map(|delivered| delivered.record);
        let to = commands(BESIDE);
        core.bus
            .publish(&to, records.collect())
            .await
            .map_err(bus_problem)?;
        source.commit().await.map_err(bus_problem)?;
    }
}

fn commands(adapter: &str) -> Topic {
    Topic::Commands(adapter.to_owned())
}

fn subscribe(core: &Core, group: &str, topic: Topic) -> Result<Box<dyn Consumer>, Problem> {
    core.bus.subscribe(group, &[topic]).map_err(bus_problem)
}
