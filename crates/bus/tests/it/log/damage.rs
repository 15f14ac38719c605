use std::{fs, path::Path};

use halsonav_bus::{Bus, Error, Log, Settings};
use halsonav_domain::Topic;

use super::{drain, last_segment, open, small};
use crate::{NOW, publish};

/// A log of three publishes, and the bytes of its file after each.
async fn three(dir: &Path) -> (Vec<u8>, [usize; 3]) {
    let log = open(dir);
    let mut ends = [0; 3];
    for (n, end) in (0..3).zip(&mut ends) {
        publish(&log, [n]).await;
        *end = usize::try_from(fs::metadata(last_segment(dir)).unwrap().len()).unwrap();
    }
    drop(log);
    (fs::read(last_segment(dir)).unwrap(), ends)
}

async fn values(dir: &Path) -> Vec<u64> {
    let log = open(dir);
    let mut consumer = log.subscribe("reader", &[Topic::Events]).unwrap();
    drain(consumer.as_mut()).await
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, [_, second, third]) = three(dir.path()).await;
    let file = last_segment(dir.path());
    for cut in second..third {
        for rest in [&b""[..], &[0; 40], b"HNV\x01", b"HNV\x01\xff\xff\xff\xff"] {
            fs::write(&file, [&bytes[..cut], rest].concat()).unwrap();
            let log = open(dir.path());
            assert_eq!(
                fs::metadata(&file).unwrap().len(),
                second as u64,
                "cut at {cut}"
            );
            publish(&log, [9]).await;
            drop(log);
            assert_eq!(values(dir.path()).await, [0, 1, 9], "cut at {cut}");
        }
    }
}

#[tokio::test]
async fn a_changed_byte_in_the_last_write_is_a_torn_write() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, [_, second, third]) = three(dir.path()).await;
    for at in second..third {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        fs::write(last_segment(dir.path()), changed).unwrap();
        assert_eq!(values(dir.path()).await, [0, 1], "byte {at}");
    }
}

#[tokio::test]
async fn a_changed_byte_in_an_acknowledged_record_is_an_error_and_nothing_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, [first, second, _]) = three(dir.path()).await;
    for at in 0..second {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        fs::write(last_segment(dir.path()), &changed).unwrap();
        let expect = u64::from(at >= first);
        match Log::open(dir.path(), Settings::default()).map(drop) {
            Err(Error::Corrupt {
                offset,
                partition: 0,
                ..
            }) => assert_eq!(offset, expect, "byte {at}"),
            other => panic!("byte {at}: {other:?}"),
        }
        assert_eq!(fs::read(last_segment(dir.path())).unwrap(), changed);
    }
}

#[tokio::test]
async fn damage_in_an_old_segment_is_told_when_read() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small(1)).unwrap();
    publish(&log, 0..30).await;
    let old = dir
        .path()
        .join("topics/halsonav.events/0/00000000000000000000.log");
    let mut bytes = fs::read(&old).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&old, bytes).unwrap();
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    let whole = consumer.poll(100, NOW).await.unwrap();
    assert!(!whole.is_empty(), "what is before the damage comes");
    for _ in 0..2 {
        let error = consumer.poll(100, NOW).await.expect_err("damaged");
        assert!(
            matches!(error, Error::Corrupt { offset, .. } if offset == whole.len() as u64),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_missing_segment_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), small(1)).unwrap();
    publish(&log, 0..60).await;
    drop(log);
    let topic = dir.path().join("topics/halsonav.events/0");
    let mut files: Vec<_> = fs::read_dir(topic)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 3);
    fs::remove_file(&files[1]).unwrap();
    let log = Log::open(dir.path(), small(1)).unwrap();
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    consumer
        .poll(100, NOW)
        .await
        .expect("the first segment is there");
    assert!(matches!(
        consumer.poll(100, NOW).await,
        Err(Error::Corrupt { .. })
    ));
}

#[tokio::test]
async fn a_log_shorter_than_what_was_done_is_told() {
    let dir = tempfile::tempdir().unwrap();
    {
        let log = open(dir.path());
        publish(&log, 0..3).await;
        let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
        drain(consumer.as_mut()).await;
        consumer.commit().await.unwrap();
    }
    fs::write(last_segment(dir.path()), b"").unwrap();
    let log = open(dir.path());
    assert!(matches!(
        log.subscribe("g", &[Topic::Events]),
        Err(Error::Corrupt { .. })
    ));
}
