//! The thread that talks to Kafka on behalf of a consumer.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use halsonav_domain::Timestamp;
use rdkafka::{
    Message as _,
    consumer::Consumer as _,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{BorrowedMessage, Headers as _},
};
use tokio::sync::oneshot;

use super::{Client, LEAVE, Shared, Slot, committer::Committer, context::Context, watch::Watch};
use crate::{
    Delivered, Error, Record,
    kafka::{
        Settings,
        asker::Asker,
        context::{self, failed, missing},
        properties::Properties,
    },
};

/// How long one look for a record takes, at most; also how soon a rewind is seen.
const TICK: Duration = Duration::from_millis(50);
/// How long the thread waits for room on the desk before it pauses the partitions. Pausing throws
/// away what was fetched ahead, so it is for batches that take long.
const ROOM: Duration = Duration::from_secs(1);
/// Wait before a new client, doubled up to the longest.
const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

pub(super) struct Worker {
    properties: Properties,
    base: context::Context,
    asker: Arc<Asker>,
    shared: Arc<Shared>,
    slot: Slot,
    limit: Duration,
    patience: Duration,
    watch: Watch,
}

/// Tells that the thread has ended, also if it panics.
struct Ending {
    shared: Arc<Shared>,
    _left: oneshot::Sender<()>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.desk().ended = true;
        self.shared.ready.notify_one();
    }
}

impl Worker {
    pub(super) fn new(
        settings: &Settings,
        base: context::Context,
        asker: Arc<Asker>,
        shared: Arc<Shared>,
        slot: Slot,
    ) -> Result<Self, Error> {
        Ok(Self {
            properties: Properties::consuming(settings, &shared.subject.group)?,
            base,
            asker,
            shared,
            slot,
            limit: settings.request(),
            patience: settings.delivery(),
            watch: Watch::new(Duration::from_secs(settings.stuck_s)),
        })
    }

    /// Starts the thread; `left` is dropped when it ends.
    pub(super) fn start(self, left: oneshot::Sender<()>) -> Result<(), Error> {
        // The first client is made here, so that who subscribes hears of bad settings.
        let first = self.connect()?;
        let ending = Ending {
            shared: Arc::clone(&self.shared),
            _left: left,
        };
        thread::Builder::new()
            .name("bus-kafka-consumer".to_owned())
            .spawn(move || {
                let _ending = ending;
                self.run(first);
            })
            .map(drop)
            .map_err(Error::io("start a consumer"))
    }

    fn run(mut self, first: Arc<Client>) {
        let mut next = Ok(first);
        let mut wait = FIRST;
        loop {
            let start = Instant::now();
            let ended = next.and_then(|client| self.session(client));
            let Err(error) = ended else {
                return;
            };
            if start.elapsed() > LONGEST {
                wait = FIRST;
            }
            let group = &self.shared.subject.group;
            tracing::warn!(code = "HUB-BUS-016", group, %error, "consumer given up and made anew");
            self.shared.pulse.renewed();
            if self.rest(wait) {
                return;
            }
            wait = (wait * 2).min(LONGEST);
            next = self.connect();
        }
    }

    pub(super) fn connect(&self) -> Result<Arc<Client>, Error> {
        let client: Client = self.properties.client(Context {
            base: self.base.clone(),
            shared: Arc::clone(&self.shared),
            limit: self.limit,
            over: AtomicBool::new(false),
            misled: AtomicBool::new(false),
        })?;
        Ok(Arc::new(client))
    }

    /// Waits, unless the consumer is to leave; answers whether it is.
    fn rest(&self, wait: Duration) -> bool {
        let desk = self.shared.desk();
        let (desk, _) = self
            .shared
            .wake
            .wait_timeout_while(desk, wait, |desk| !desk.stop)
            .unwrap_or_else(PoisonError::into_inner);
        desk.stop
    }

    /// The life of one client. An error says why there has to be another one.
    fn session(&mut self, client: Arc<Client>) -> Result<(), Error> {
        let names: Vec<&str> = self
            .shared
            .subject
            .topics
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        client.subscribe(&names).map_err(failed("subscribe"))?;
        let (committer, commits) =
            Committer::start(Arc::clone(&client), Arc::clone(&self.shared), self.patience)?;
        self.put_slot(Some(committer));
        let ended = self.serve(&client);
        self.put_slot(None);
        client.context().over.store(true, Ordering::Relaxed);
        // It may be waiting to try again.
        commits.thread().unpark();
        self.shared.desk().clear();
        self.leave(client, commits);
        ended
    }

    fn put_slot(&self, committer: Option<Committer>) {
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = committer;
    }

    /// Ends a client, which leaves the group. That has been known to hang, so it is waited for on
    /// another thread, and not for ever.
    fn leave(&self, client: Arc<Client>, commits: thread::JoinHandle<()>) {
        let (done, ended) = mpsc::channel();
        let started = thread::Builder::new()
            .name("bus-kafka-end".to_owned())
            .spawn(move || {
                // The last to hold the client ends it.
                let _ = commits.join();
                drop(client);
                let _ = done.send(());
            });
        if started.is_ok() && ended.recv_timeout(LEAVE).is_err() {
            let group = &self.shared.subject.group;
            tracing::error!(
                code = "HUB-BUS-020",
                group,
                "a consumer does not end; left alone"
            );
        }
    }

    pub(super) fn serve(&mut self, client: &Arc<Client>) -> Result<(), Error> {
        loop {
            {
                let mut desk = self.shared.desk();
                if desk.stop {
                    return Ok(());
                }
                if let Some(error) = desk.spoilt.take() {
                    return Err(error);
                }
            }
            if client.context().misled.load(Ordering::Relaxed) {
                return Err(context::misled("consume"));
            }
            self.rewind(client)?;
            if !self.has_room(client)? {
                self.watch.rest();
            }
            match client.poll(TICK) {
                Some(Ok(message)) => self.put(&message),
                Some(Err(error)) => self.hear(&error)?,
                None => {
                    if let Some((code, reason)) = client.client().fatal_error() {
                        return Err(context::error("consume", code, &reason));
                    }
                    if self.watch.is_stuck(&self.shared, &self.asker) {
                        return Err(Error::Unreachable {
                            doing: "consume",
                            reason: "nothing comes, though there is something".to_owned(),
                        });
                    }
                }
            }
        }
    }

    /// Goes back to what is not done, if that is wanted.
    fn rewind(&self, client: &Client) -> Result<(), Error> {
        let (asked, back) = {
            let mut desk = self.shared.desk();
            let Some(asked) = desk.rewind.take() else {
                return Ok(());
            };
            (asked, desk.to_rewind())
        };
        // If it fails there will be another client, which begins with what is not done either.
        let doing = "rewind";
        let sought = match back.is_empty() {
            true => Ok(()),
            false => client
                .seek_partitions(self.shared.subject.list(&back), self.limit)
                .and_then(|list| {
                    let elements = list.elements();
                    elements.into_iter().try_for_each(|one| one.error())
                })
                .map_err(failed(doing)),
        };
        let mut desk = self.shared.desk();
        match &sought {
            Ok(()) => desk.rewound(),
            Err(_) => desk.clear(),
        }
        drop(desk);
        // Who went away does not need the answer.
        let _ = asked.send(());
        sought
    }

    /// Holds the brokers back while the desk is full. Answers whether something may come.
    fn has_room(&self, client: &Client) -> Result<bool, Error> {
        let mut desk = self.shared.desk();
        if desk.paused {
            if !desk.has_room() {
                return Ok(false);
            }
            desk.paused = false;
            drop(desk);
            let doing = failed("resume");
            let all = client.assignment().map_err(&doing)?;
            client.resume(&all).map_err(&doing)?;
            return Ok(true);
        }
        if !desk.is_full() {
            return Ok(true);
        }
        let full = |desk: &mut super::Desk| desk.is_full() && !desk.stop && desk.rewind.is_none();
        (desk, _) = self
            .shared
            .wake
            .wait_timeout_while(desk, ROOM, full)
            .unwrap_or_else(PoisonError::into_inner);
        if full(&mut desk) {
            desk.paused = true;
            drop(desk);
            let doing = failed("pause");
            let all = client.assignment().map_err(&doing)?;
            client.pause(&all).map_err(&doing)?;
        }
        Ok(false)
    }

    fn put(&mut self, message: &BorrowedMessage<'_>) {
        let subject = &self.shared.subject;
        let (Some(place), Ok(offset)) = (
            subject.place(message.topic(), message.partition()),
            u64::try_from(message.offset()),
        ) else {
            return;
        };
        let delivered = Delivered {
            topic: subject.topics[place.topic].1.clone(),
            partition: u32::try_from(message.partition()).unwrap_or(0),
            offset,
            record: record(message),
        };
        if self.shared.desk().put(place, delivered) {
            self.shared.ready.notify_one();
            self.watch.progress();
        }
    }

    /// What the client has to say instead of a record. An error: it cannot go on.
    fn hear(&self, error: &KafkaError) -> Result<(), Error> {
        let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
        if matches!(error, KafkaError::MessageConsumptionFatal(_)) {
            return Err(self.base.troubles.about("consume", code));
        }
        let group = &self.shared.subject.group;
        let trouble = match code {
            Code::PollExceeded => {
                tracing::warn!(
                    code = "HUB-BUS-019",
                    group,
                    "the program stood still; others have taken over"
                );
                return Ok(());
            }
            Code::AutoOffsetReset | Code::OffsetOutOfRange | Code::LogTruncation => self.gap(),
            code if missing(code) => {
                let names = self
                    .shared
                    .subject
                    .topics
                    .iter()
                    .map(|(name, _)| name.as_str());
                Some(Error::Topic {
                    topic: names.collect::<Vec<_>>().join(", "),
                    fault: "is not there".to_owned(),
                })
            }
            code => Some(self.base.troubles.about("consume", code)),
        };
        // What passes by itself is not told: the client tries again.
        if let Some(trouble) = trouble.filter(|t| !matches!(t, Error::Unreachable { .. })) {
            tracing::error!(code = trouble.code(), group, %trouble, "nothing can be consumed");
            self.shared.desk().trouble = Some(trouble);
            self.shared.ready.notify_one();
        }
        Ok(())
    }

    /// The partition whose next record is gone.
    fn gap(&self) -> Option<Error> {
        let expected = self.shared.desk().expected();
        expected.into_iter().find_map(|(place, wanted)| {
            let topic = self.shared.subject.name(place);
            let (oldest, end) = self.asker.ends(topic, place.partition).ok()?;
            (wanted < oldest || wanted > end).then(|| Error::Gone {
                group: self.shared.subject.group.clone(),
                topic: topic.to_owned(),
                partition: u32::try_from(place.partition).unwrap_or(0),
                wanted,
                oldest,
            })
        })
    }
}

fn record(message: &BorrowedMessage<'_>) -> Record {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let time = message.timestamp().to_millis();
    let time = time.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let headers = message.headers().map(|headers| {
        headers
            .iter()
            .map(|header| {
                (
                    header.key.to_owned(),
                    text(header.value.unwrap_or_default()),
                )
            })
            .collect()
    });
    Record {
        key: message.key().map(text),
        value: message.payload().unwrap_or_default().to_vec().into(),
        headers: headers.unwrap_or_default(),
        time: time.unwrap_or(Timestamp::UNIX_EPOCH),
    }
}
