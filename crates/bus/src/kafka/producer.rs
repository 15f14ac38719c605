//! Records out: one client for the process, made anew when it fails.
//!
//! A client that fails a record may not send a later one of the same key, so the whole client is
//! given up: what it still held is thrown away, and whoever waits hears that and publishes again.
//! A client that was misled is given up too, and `publish` itself goes on with the next.
//! What had left already may still arrive; it is a beginning of the same sequence, so that whoever
//! leaves out what he has seen sees every key in order.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    client::ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode as Code},
    message::{DeliveryResult, Header, Message, OwnedHeaders},
    producer::{BaseRecord, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer},
};
use tokio::{
    sync::{Notify, watch},
    time::timeout_at,
};

use super::{
    Settings,
    context::{self, Context, failed, missing},
    properties::Properties,
};
use crate::{Error, Record, health::Pulse};

/// How often a full queue is looked at again.
const FULL: Duration = Duration::from_millis(5);
const DOING: &str = "publish";

pub(crate) struct Producer {
    properties: Properties,
    context: Context,
    limit: Duration,
    record_bytes: usize,
    pulse: Arc<Pulse>,
    live: Mutex<Arc<Live>>,
}

/// A client, which is ended on a thread of its own: that may take a while.
struct Live {
    client: Option<ThreadedProducer<Reports>>,
    /// It cannot be trusted any more.
    misled: watch::Receiver<bool>,
}

impl Drop for Live {
    fn drop(&mut self) {
        let client = self.client.take();
        // Without a thread it is ended here.
        let _ = thread::Builder::new()
            .name("bus-kafka-end".to_owned())
            .spawn(move || drop(client));
    }
}

/// What becomes of the records of one `publish`.
struct Batch {
    /// Records that nothing is known of yet.
    open: AtomicUsize,
    failure: Mutex<Option<KafkaError>>,
    news: Notify,
}

impl Batch {
    fn of(records: usize) -> Arc<Self> {
        Arc::new(Self {
            open: AtomicUsize::new(records),
            failure: Mutex::default(),
            news: Notify::new(),
        })
    }

    /// One record is delivered, or one is not.
    fn report(&self, failure: Option<&KafkaError>) {
        if let Some(failure) = failure {
            let mut first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| failure.clone());
        }
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 || failure.is_some() {
            self.news.notify_one();
        }
    }

    fn failure(&self) -> Option<KafkaError> {
        let first = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        first.clone()
    }

    /// All are delivered, or one is not.
    async fn settled(&self) -> Result<(), KafkaError> {
        loop {
            if let Some(failure) = self.failure() {
                return Err(failure);
            }
            if self.open.load(Ordering::Acquire) == 0 {
                return Ok(());
            }
            self.news.notified().await;
        }
    }
}

/// Takes delivery reports.
struct Reports {
    context: Context,
    pulse: Arc<Pulse>,
    misled: watch::Sender<bool>,
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, area: &str, text: &str) {
        if context::says_misled(level, area) {
            self.misled.send_replace(true);
        }
        self.context.log(level, area, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Arc<Batch>;

    fn delivery(&self, result: &DeliveryResult<'_>, batch: Arc<Batch>) {
        match result {
            Ok(_) => {
                self.pulse.published();
                batch.report(None);
            }
            Err((error, message)) => {
                tracing::debug!(%error, partition = message.partition(), "not delivered");
                batch.report(Some(error));
            }
        }
    }
}

impl Producer {
    /// Makes the client; brokers are reached later.
    pub(crate) fn new(
        settings: &Settings,
        context: Context,
        pulse: Arc<Pulse>,
    ) -> Result<Self, Error> {
        let properties = Properties::producing(settings)?;
        let live = Mutex::new(connect(&properties, &context, &pulse)?);
        Ok(Self {
            properties,
            context,
            limit: settings.delivery(),
            record_bytes: settings.record_bytes,
            pulse,
            live,
        })
    }

    /// Publishes to `topic`, a name on the cluster.
    pub(crate) async fn publish(&self, topic: &str, records: &[Record]) -> Result<(), Error> {
        let limit = self.record_bytes;
        if let Some(size) = records.iter().map(Record::size).find(|size| *size > limit) {
            return Err(Error::TooLarge { size, limit });
        }
        let start = Instant::now();
        let deadline = start + self.limit;
        loop {
            let live = self.client();
            let sent = tokio::select! {
                biased;
                sent = timeout_at(deadline.into(), live.send_all(topic, records)) => sent,
                () = live.until_misled() => Ok(Err(KafkaError::Canceled)),
            };
            let (error, spoilt) = match sent {
                Ok(Ok(())) => return Ok(()),
                // Another client may do better, if there can be one.
                Ok(Err(_)) if live.is_misled() && !Arc::ptr_eq(&live, &self.client()) => continue,
                // A topic that is not there, or a record that is refused by itself, harms no other.
                Ok(Err(failure)) => (self.told(topic, &failure, start), live.is_spoilt()),
                Err(_) => (self.context.troubles.why(DOING, start), true),
            };
            if spoilt {
                self.renew(&live, &error);
            }
            return Err(error);
        }
    }

    /// The present client. One that was misled is given up first.
    fn client(&self) -> Arc<Live> {
        let present = || Arc::clone(&self.live.lock().unwrap_or_else(PoisonError::into_inner));
        let live = present();
        if !live.is_misled() {
            return live;
        }
        self.renew(&live, &context::misled(DOING));
        present()
    }

    fn told(&self, topic: &str, failure: &KafkaError, start: Instant) -> Error {
        match failure.rdkafka_error_code() {
            Some(code) if missing(code) => Error::Topic {
                topic: topic.to_owned(),
                fault: "is not there".to_owned(),
            },
            // What became of the client says more than what became of the record.
            Some(Code::PurgeQueue | Code::PurgeInflight | Code::Fatal | Code::GaplessGuarantee) => {
                self.context.troubles.why(DOING, start)
            }
            Some(code) => context::error(DOING, code, ""),
            None => failed(DOING)(failure.clone()),
        }
    }

    /// Gives `failed` up, unless somebody did already.
    fn renew(&self, failed: &Arc<Live>, why: &Error) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&live, failed) {
            return;
        }
        tracing::warn!(code = "HUB-BUS-017", %why, "producer given up and made anew");
        match connect(&self.properties, &self.context, &self.pulse) {
            Ok(fresh) => {
                self.pulse.renewed();
                *live = fresh;
                drop(live);
                failed.purge();
            }
            // The next one to fail tries again.
            Err(error) => tracing::error!(code = error.code(), %error, "no new producer"),
        }
    }
}

impl Live {
    /// Hands records over, and waits until all are delivered, or one is not.
    async fn send_all(&self, topic: &str, records: &[Record]) -> Result<(), KafkaError> {
        let batch = Batch::of(records.len());
        for record in records {
            self.send(topic, record, &batch).await?;
        }
        batch.settled().await
    }

    /// Hands a record over, as soon as there is room.
    async fn send(
        &self,
        topic: &str,
        record: &Record,
        batch: &Arc<Batch>,
    ) -> Result<(), KafkaError> {
        let Some(client) = &self.client else {
            return Err(KafkaError::Canceled);
        };
        loop {
            let mut message = BaseRecord::with_opaque_to(topic, Arc::clone(batch))
                .payload(&*record.value)
                .timestamp(record.time.as_millisecond())
                .headers(headers(record));
            message.key = record.key.as_deref().map(str::as_bytes);
            match client.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(Code::QueueFull), _)) => {
                    tokio::time::sleep(FULL).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    fn is_spoilt(&self) -> bool {
        let fatal = |client: &ThreadedProducer<_>| client.client().fatal_error().is_some();
        self.client.as_ref().is_none_or(fatal)
    }

    /// Looked at for a moment only: the client's thread waits to say so again.
    fn is_misled(&self) -> bool {
        *self.misled.borrow()
    }

    /// Resolves when the client cannot be trusted any more.
    async fn until_misled(&self) {
        let mut misled = self.misled.clone();
        // It cannot fail while the client, which has the sender, is there.
        if misled.wait_for(|misled| *misled).await.is_err() {
            std::future::pending().await
        }
    }

    fn purge(&self) {
        if let Some(client) = &self.client {
            client.purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
    }
}

fn connect(
    properties: &Properties,
    context: &Context,
    pulse: &Arc<Pulse>,
) -> Result<Arc<Live>, Error> {
    let (tell, misled) = watch::channel(false);
    let client = properties.client(Reports {
        context: context.clone(),
        pulse: Arc::clone(pulse),
        misled: tell,
    })?;
    let client = Some(client);
    Ok(Arc::new(Live { client, misled }))
}

fn headers(record: &Record) -> OwnedHeaders {
    let empty = OwnedHeaders::new_with_capacity(record.headers.len());
    record.headers.iter().fold(empty, |headers, (key, value)| {
        headers.insert(Header {
            key,
            value: Some(value),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long before the limit there is another client, and it has what was to be published.
    #[tokio::test]
    async fn a_client_that_is_misled_is_given_up() {
        let settings = Settings {
            brokers: "127.0.0.1:1".to_owned(),
            delivery_s: 600,
            ..Settings::default()
        };
        let pulse = Arc::new(Pulse::new());
        let producer = Producer::new(&settings, Context::default(), pulse).expect("a client");
        let waiting = |live: &Live| {
            live.client
                .as_ref()
                .map_or(0, |client| client.in_flight_count())
        };
        let first = producer.client();
        let records = [Record::new(
            None,
            "",
            halsonav_domain::Timestamp::UNIX_EPOCH,
        )];
        let publishing = producer.publish("events", &records);
        let misleading = async {
            while waiting(&first) == 0 {
                tokio::task::yield_now().await;
            }
            let misled = Arc::clone(&first);
            let line = move |client: &ThreadedProducer<Reports>| {
                let level = RDKafkaLogLevel::Warning;
                client
                    .context()
                    .log(level, "METADATAUPDATE", "not found in cache");
            };
            // One for each partition, while others look.
            thread::spawn(move || (0..50_000).for_each(|_| misled.client.iter().for_each(line)));
            while Arc::ptr_eq(&first, &producer.client()) || waiting(&producer.client()) == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            told = publishing => panic!("nobody listens: {told:?}"),
            () = misleading => {}
        }
    }
}
