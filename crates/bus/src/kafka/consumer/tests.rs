//! Without brokers.

use std::{sync::mpsc, thread, time::Duration};

use halsonav_domain::Topic;
use rdkafka::{client::ClientContext as _, config::RDKafkaLogLevel, consumer::Consumer as _};

use super::*;
use crate::kafka::context::{self, misled};

/// Long before it is suspected for getting nothing.
#[test]
fn a_client_that_is_misled_is_given_up() {
    let settings = Settings {
        brokers: "127.0.0.1:1".to_owned(),
        stuck_s: 600,
        ..Settings::default()
    };
    let shared = Arc::new(Shared {
        subject: Subject {
            group: "group".to_owned(),
            topics: vec![("events".to_owned(), Topic::Events)],
        },
        desk: Mutex::default(),
        ready: Notify::new(),
        wake: Condvar::new(),
        pulse: Arc::new(Pulse::new()),
    });
    let base = context::Context::default();
    let asker = Arc::new(Asker::new(settings.clone(), base.clone()));
    let worker = Worker::new(&settings, base, asker, Arc::clone(&shared), Slot::default());
    let mut worker = worker.expect("settings that are right");
    let client = worker.connect().expect("a client");
    let (tell, told) = mpsc::channel();
    let served = Arc::clone(&client);
    let serving = thread::spawn(move || tell.send(worker.serve(&served)));
    let context = client.context();
    context.log(RDKafkaLogLevel::Info, "METADATAUPDATE", "as it should be");
    let early = told.recv_timeout(Duration::from_millis(200));
    assert!(early.is_err(), "given up for nothing: {early:?}");
    context.log(
        RDKafkaLogLevel::Warning,
        "METADATAUPDATE",
        "not found in cache",
    );
    let ended = told.recv_timeout(Duration::from_secs(20));
    shared.desk().stop = true;
    serving.join().expect("it ends").expect("somebody listens");
    let error = ended.expect("it serves on").expect_err("it was misled");
    assert_eq!(error.to_string(), misled("consume").to_string());
}
