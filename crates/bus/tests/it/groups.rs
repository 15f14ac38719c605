use halsonav_bus::{Bus, Error, Log, Settings};
use halsonav_domain::Topic;

use crate::{NOW, drain, open, publish, value};

#[tokio::test]
async fn what_is_not_committed_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    {
        let log = open(dir.path());
        publish(&log, 0..10).await;
        let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
        assert_eq!(consumer.poll(4, NOW).await.unwrap().len(), 4);
        consumer.commit().await.unwrap();
        assert_eq!(
            consumer
                .poll(4, NOW)
                .await
                .unwrap()
                .iter()
                .map(value)
                .collect::<Vec<_>>(),
            [4, 5, 6, 7]
        );
        assert_eq!(consumer.lag().await.unwrap(), 6);
        consumer.rewind().await.unwrap();
        assert_eq!(
            consumer
                .poll(2, NOW)
                .await
                .unwrap()
                .iter()
                .map(value)
                .collect::<Vec<_>>(),
            [4, 5]
        );
    }
    let log = open(dir.path());
    assert_eq!(log.lag("g", &[Topic::Events]).await.unwrap(), 6);
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    assert_eq!(drain(consumer.as_mut()).await, [4, 5, 6, 7, 8, 9]);
    consumer.commit().await.unwrap();
    assert_eq!(log.lag("g", &[Topic::Events]).await.unwrap(), 0);
}

#[tokio::test]
async fn groups_know_nothing_of_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    publish(&log, 0..5).await;
    let mut one = log.subscribe("one", &[Topic::Events]).unwrap();
    assert_eq!(drain(one.as_mut()).await, [0, 1, 2, 3, 4]);
    one.commit().await.unwrap();
    let mut two = log.subscribe("two", &[Topic::Events]).unwrap();
    assert_eq!(drain(two.as_mut()).await, [0, 1, 2, 3, 4]);
    assert_eq!(log.lag("two", &[Topic::Events]).await.unwrap(), 5);
}

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
