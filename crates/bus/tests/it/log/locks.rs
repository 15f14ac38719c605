use halsonav_bus::{Bus, Error, Log, Settings};
use halsonav_domain::Topic;

use super::open;

#[tokio::test]
async fn a_group_has_one_consumer_of_a_topic() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let first = log.subscribe("g", &[Topic::Events]).unwrap();
    let both = [Topic::Documentation, Topic::Events];
    assert!(matches!(
        log.subscribe("g", &both),
        Err(Error::Taken { .. })
    ));
    let other = log
        .subscribe("g", &[Topic::Documentation])
        .expect("the refused one let go of it");
    drop((first, other));
    assert!(log.subscribe("g", &both).is_ok());
}

#[tokio::test]
async fn a_log_has_one_process() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    assert!(matches!(
        Log::open(dir.path(), Settings::default()),
        Err(Error::Locked)
    ));
    drop(log);
    assert!(
        matches!(
            Log::open(dir.path(), Settings::default()),
            Err(Error::Locked)
        ),
        "a consumer holds it"
    );
    drop(consumer);
    open(dir.path());
}
