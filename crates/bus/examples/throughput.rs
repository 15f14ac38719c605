//! Records a second through the embedded log, published and read back, by batch and publishers.

use std::{sync::Arc, time::Instant};

use halsonav_bus::{Bus, Log, Record, Settings};
use halsonav_domain::{Timestamp, Topic};

const BYTES: usize = 600;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir_in(".")?;
    for (publishers, batch, rounds) in [
        (1, 1, 2_000),
        (8, 1, 1_000),
        (1, 100, 1_000),
        (8, 100, 500),
        (1, 1000, 300),
        (8, 1000, 100),
    ] {
        let log = Arc::new(Log::open(
            &dir.path().join(format!("{publishers}-{batch}")),
            Settings::default(),
        )?);
        let start = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for publisher in 0..publishers {
            let log = Arc::clone(&log);
            tasks.spawn(async move {
                for _ in 0..rounds {
                    let record = Record::new(
                        Some(publisher.to_string()),
                        vec![b'x'; BYTES],
                        Timestamp::UNIX_EPOCH,
                    );
                    log.publish(&Topic::Events, vec![record; batch]).await?;
                }
                Ok::<_, halsonav_bus::Error>(())
            });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        let total = publishers * batch * rounds;
        let written = rate(total, start);
        let mut consumer = log.subscribe("g", &[Topic::Events])?;
        let (start, mut read) = (Instant::now(), 0);
        while read < total {
            read += consumer.poll(batch.max(100), None).await?.len();
            consumer.commit().await?;
        }
        println!(
            "publishers {publishers}, batch {batch:>4}: published {written:>9.0}/s, read {:>9.0}/s",
            rate(total, start)
        );
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss)]
fn rate(count: usize, start: Instant) -> f64 {
    count as f64 / start.elapsed().as_secs_f64()
}
