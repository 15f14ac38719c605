//! What the client library tells while it works, and what we make of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    client::ClientContext,
    config::RDKafkaLogLevel,
    consumer::ConsumerContext,
    error::{KafkaError, RDKafkaErrorCode as Code},
};

use crate::Error;

/// Time between two lines in the log about the same trouble.
const AGAIN: Duration = Duration::from_secs(60);

/// The last trouble that the clients of a bus have told of.
#[derive(Default)]
pub(crate) struct Troubles(Mutex<Vec<Trouble>>);

#[derive(Clone)]
struct Trouble {
    code: Code,
    reason: String,
    at: Instant,
    logged: Instant,
}

impl Troubles {
    /// Notes trouble, and logs it unless it was logged just now.
    fn note(&self, code: Code, reason: &str) {
        let now = Instant::now();
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = troubles.iter_mut().find(|known| known.code == code);
        let log = match known {
            Some(known) => {
                known.reason = reason.to_owned();
                known.at = now;
                now.duration_since(known.logged) > AGAIN
            }
            None => {
                troubles.push(Trouble {
                    code,
                    reason: reason.to_owned(),
                    at: now,
                    logged: now,
                });
                true
            }
        };
        if log {
            let told = error("reach it", code, reason);
            tracing::warn!(code = told.code(), kafka = ?code, reason, "trouble with Kafka");
            if let Some(known) = troubles.iter_mut().find(|known| known.code == code) {
                known.logged = now;
            }
        }
    }

    /// Why `doing` did not succeed since `start`: what says most of what was told meanwhile.
    pub(crate) fn why(&self, doing: &'static str, start: Instant) -> Error {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = || troubles.iter().filter(|trouble| trouble.at >= start);
        let telling = recent().max_by_key(|trouble| {
            let vague = trouble.code == Code::AllBrokersDown;
            (denied(trouble.code, &trouble.reason), !vague, trouble.at)
        });
        match telling {
            Some(trouble) => error(doing, trouble.code, &trouble.reason),
            None => error(doing, Code::OperationTimedOut, "no answer in time"),
        }
    }

    /// A failure that a client has just told of, with its words.
    pub(crate) fn about(&self, doing: &'static str, code: Code) -> Error {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = troubles.iter().find(|trouble| trouble.code == code);
        error(doing, code, known.map_or("", |trouble| &trouble.reason))
    }
}

/// Whether a line of the library's log says that its client was told of a leader that is none.
///
/// A broker that starts answers a fetch, or records, with the leader of each partition, or with -1. Of the
/// answers to fetches the library (2.12, and 2.15 too) then reads entries that it has not filled in, and
/// may take what it finds there. After those to records it leaves the partition as it is, and that may be
/// without a leader for good (librdkafka #5430).
pub(crate) fn says_misled(level: RDKafkaLogLevel, area: &str) -> bool {
    matches!(level, RDKafkaLogLevel::Warning) && area == "METADATAUPDATE"
}

/// Why a client that [`says_misled`] is given up.
pub(crate) fn misled(doing: &'static str) -> Error {
    Error::Unreachable {
        doing,
        reason: "the client was told of a leader that is none".to_owned(),
    }
}

/// What every client tells; those that have more to tell have this within.
#[derive(Clone, Default)]
pub(crate) struct Context {
    pub(crate) troubles: Arc<Troubles>,
}

impl ConsumerContext for Context {}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, area: &str, text: &str) {
        // What matters comes as an error too, and less often than these lines.
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::warn!(area, text, "Kafka client");
            }
            _ => tracing::debug!(area, text, "Kafka client"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let code = error.rdkafka_error_code().unwrap_or(Code::Unknown);
        self.troubles.note(code, reason);
    }
}

/// Whether somebody has to give us rights, or other credentials.
fn denied(code: Code, reason: &str) -> bool {
    // A broker that does not like our certificate says so by hanging up.
    let hung_up = code == Code::BrokerTransportFailure && reason.contains("SSL alert number");
    hung_up
        || matches!(
            code,
            Code::Authentication
                | Code::SSL
                | Code::SaslAuthenticationFailed
                | Code::UnsupportedSASLMechanism
                | Code::IllegalSASLState
                | Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed
        )
}

/// Whether trying again cannot help. Whatever we do not know of may pass by itself.
fn refused(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::NotImplemented
            | Code::UnsupportedFeature
            | Code::UnsupportedVersion
            | Code::InvalidRequest
            | Code::InvalidConfig
            | Code::InvalidTopic
            | Code::InvalidPartitions
            | Code::InvalidReplicationFactor
            | Code::InvalidReplicaAssignment
            | Code::TopicAlreadyExists
            | Code::PolicyViolation
            | Code::InvalidMessage
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InconsistentGroupProtocol
            | Code::GroupMaxSizeReached
    )
}

/// Whether a topic is not there, as far as we are shown.
pub(crate) fn missing(code: Code) -> bool {
    matches!(
        code,
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition
    )
}

/// Our word for a failure of the library.
pub(crate) fn error(doing: &'static str, code: Code, reason: &str) -> Error {
    let denied = denied(code, reason);
    let reason = match reason {
        "" => code.to_string(),
        reason => format!("{code}: {reason}"),
    };
    if denied {
        Error::Denied { doing, reason }
    } else if refused(code) {
        Error::Refused { doing, reason }
    } else {
        Error::Unreachable { doing, reason }
    }
}

/// The same, for a failure that the library returned.
pub(crate) fn failed(doing: &'static str) -> impl Fn(KafkaError) -> Error {
    move |failure| match failure.rdkafka_error_code() {
        Some(code) => error(doing, code, ""),
        None => Error::Unreachable {
            doing,
            reason: failure.to_string(),
        },
    }
}
