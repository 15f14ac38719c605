//! How many records a second a bus takes and gives, and how long a record is on its way.
//!
//! The embedded log in a directory beside; and Kafka, if `HALSONAV_KAFKA` says where one is.

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use halsonav_bus::{Bus, Error, Kafka, Log, Record, Settings, kafka, kafka::topics};
use halsonav_domain::{Timestamp, Topic};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const BYTES: usize = 600;
/// Records a second while latency is measured, and for how long.
const PACE: u32 = 500;
const SECONDS: u32 = 10;

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir_in(".")?;
    println!("embedded log");
    for (number, load) in LOADS.iter().enumerate() {
        let log = Log::open(&dir.path().join(number.to_string()), Settings::default())?;
        throughput(Arc::new(log), *load).await?;
    }
    let log = Log::open(&dir.path().join("pace"), Settings::default())?;
    latency(Arc::new(log)).await?;
    let Ok(brokers) = env::var("HALSONAV_KAFKA") else {
        println!("NOT MEASURED: Kafka, HALSONAV_KAFKA is not set");
        return Ok(());
    };
    println!("Kafka");
    for (number, load) in LOADS.iter().enumerate() {
        throughput(cluster(&brokers, number).await?, *load).await?;
    }
    latency(cluster(&brokers, LOADS.len()).await?).await
}

/// Publishers, records in each publish, and publishes by each.
const LOADS: [(usize, usize, usize); 6] = [
    (1, 1, 2_000),
    (8, 1, 1_000),
    (1, 100, 1_000),
    (8, 100, 500),
    (1, 1000, 300),
    (8, 1000, 100),
];

/// Fresh topics with six partitions.
async fn cluster(brokers: &str, number: usize) -> Result<Arc<dyn Bus>> {
    let settings = kafka::Settings {
        brokers: brokers.to_owned(),
        prefix: format!("m{}-{number}.", Timestamp::now().as_millisecond()),
        partitions: kafka::PerKind {
            events: 6,
            commands: 1,
            documentation: 1,
        },
        replication: 1,
        min_insync: 1,
        ..kafka::Settings::default()
    };
    let plan = topics::plan(&settings, &[Topic::Events]).await?;
    topics::apply(&settings, &plan).await?;
    Ok(Arc::new(Kafka::new(settings)?))
}

async fn throughput(
    bus: Arc<dyn Bus>,
    (publishers, batch, rounds): (usize, usize, usize),
) -> Result<()> {
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for publisher in 0..publishers {
        let bus = Arc::clone(&bus);
        tasks.spawn(async move {
            for round in 0..rounds {
                let key = |n| format!("{publisher}-{}", (round * batch + n) % 97);
                let records = (0..batch).map(|n| record(key(n), vec![b'x'; BYTES]));
                bus.publish(&Topic::Events, records.collect()).await?;
            }
            Ok::<_, Error>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let total = publishers * batch * rounds;
    let written = rate(total, start);
    let mut consumer = bus.subscribe("g", &[Topic::Events])?;
    // Joining a group is paid once.
    let mut read = consumer.poll(1, None).await?.len();
    let start = Instant::now();
    while read < total {
        read += consumer.poll(batch.max(100), None).await?.len();
        consumer.commit().await?;
    }
    println!(
        "publishers {publishers}, batch {batch:>4}: published {written:>9.0}/s, read {:>9.0}/s",
        rate(total, start)
    );
    consumer.close().await?;
    Ok(())
}

/// From the call of `publish` to the return of `poll`, with one publish a record.
async fn latency(bus: Arc<dyn Bus>) -> Result<()> {
    let count = PACE * SECONDS;
    let base = Instant::now();
    let mut consumer = bus.subscribe("g", &[Topic::Events])?;
    let first = record("first".to_owned(), "0".into());
    bus.publish(&Topic::Events, vec![first]).await?;
    consumer.poll(1, None).await?;
    let publisher = tokio::spawn(pace(bus, base));
    let mut ways = Vec::new();
    while ways.len() < count as usize {
        let found = consumer.poll(1000, None).await?;
        let now = base.elapsed().as_micros();
        for delivered in &found {
            let sent: u128 = std::str::from_utf8(&delivered.record.value)?.parse()?;
            ways.push(now - sent);
        }
        consumer.commit().await?;
    }
    let mut acknowledged = publisher.await??;
    let told = |times: &mut Vec<u128>| {
        times.sort_unstable();
        let at = |percent: usize| milliseconds(times[(times.len() - 1) * percent / 100]);
        format!(
            "p50 {:.1}, p99 {:.1}, most {:.1} ms",
            at(50),
            at(99),
            at(100)
        )
    };
    println!("{PACE} records/s: acknowledged {}", told(&mut acknowledged));
    println!("{PACE} records/s: polled after {}", told(&mut ways));
    consumer.close().await?;
    Ok(())
}

/// Publishes at the pace, each record by itself. Answers how long each took, microseconds.
async fn pace(bus: Arc<dyn Bus>, base: Instant) -> std::result::Result<Vec<u128>, Error> {
    let mut tasks = tokio::task::JoinSet::new();
    let mut clock = tokio::time::interval(Duration::from_secs(1) / PACE);
    for n in 0..PACE * SECONDS {
        clock.tick().await;
        let bus = Arc::clone(&bus);
        tasks.spawn(async move {
            let start = base.elapsed().as_micros();
            let sent = record((n % 97).to_string(), start.to_string().into());
            bus.publish(&Topic::Events, vec![sent]).await?;
            Ok(base.elapsed().as_micros() - start)
        });
    }
    tasks.join_all().await.into_iter().collect()
}

fn record(key: String, value: Vec<u8>) -> Record {
    Record::new(Some(key), value, Timestamp::UNIX_EPOCH)
}

#[allow(clippy::cast_precision_loss)]
fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}

#[allow(clippy::cast_precision_loss)]
fn milliseconds(micros: u128) -> f64 {
    micros as f64 / 1000.0
}
