//! What can go wrong in a call, and what it says of the effect.

use std::error::Error as _;

use halsonav_domain::{Kind, Outcome, Problem};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde::Deserialize;

/// A call that did not do what it should.
#[derive(Debug)]
pub(crate) struct Failure {
    pub problem: Problem,
    /// Nobody knows whether the effect is there.
    pub unknown: bool,
}

impl Failure {
    /// It is certain that nothing happened.
    pub fn certain(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self {
            problem: Problem::new(kind, code, message),
            unknown: false,
        }
    }

    /// It may have happened.
    pub fn unknown(code: &str, message: impl Into<String>) -> Self {
        Self {
            problem: Problem::new(Kind::Unavailable, code, message),
            unknown: true,
        }
    }

    /// An answer that is not one to this call.
    pub fn garbled() -> Self {
        Self::unknown(
            "HUB-JOURNAL-907",
            "the journal's answer is not one to this request",
        )
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        if failure.unknown {
            Self::Unknown(failure.problem)
        } else {
            Self::Failed(failure.problem)
        }
    }
}

/// Sorts what went wrong before there was a status line.
pub(crate) fn unsent(error: &reqwest::Error) -> Failure {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            return denied("the journal's certificate is not trusted");
        }
        // In TLS 1.3 the server judges our certificate after we began to send. An alert means that
        // it read nothing of the request.
        Some(rustls::Error::AlertReceived(_)) => {
            return denied("the journal does not accept our certificate");
        }
        _ => {}
    }
    if error.is_builder() {
        Failure::certain(
            Kind::Internal,
            "HUB-JOURNAL-900",
            "the request cannot be made",
        )
    } else if error.is_connect() {
        Failure::certain(
            Kind::Unavailable,
            "HUB-JOURNAL-901",
            "the journal cannot be reached",
        )
    } else {
        lost(error)
    }
}

/// The answer, or its end, did not come.
pub(crate) fn lost(error: &reqwest::Error) -> Failure {
    let message = if error.is_timeout() {
        "the journal did not answer in time"
    } else {
        "the connection to the journal was lost"
    };
    Failure::unknown("HUB-JOURNAL-903", message)
}

fn denied(message: &str) -> Failure {
    Failure::certain(Kind::Denied, "HUB-JOURNAL-902", message)
}

/// The TLS library's word, however deep it is wrapped.
fn tls_error(error: &reqwest::Error) -> Option<&rustls::Error> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        source = match inner
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped),
            None => inner.source(),
        };
    }
    None
}

/// What a status means that is no success.
pub(crate) async fn refused(response: Response) -> Failure {
    let status = response.status();
    let wait = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::certain(
            Kind::Denied,
            "HUB-JOURNAL-904",
            format!("the journal does not let us in ({})", status.as_u16()),
        ),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            let mut failure = Failure::certain(
                Kind::Unavailable,
                "HUB-JOURNAL-905",
                format!("the journal is busy ({})", status.as_u16()),
            );
            failure.problem.retry_after_s = wait;
            failure
        }
        // A gateway or a server that stumbled: the document may have been kept before.
        status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
            Failure::unknown(
                "HUB-JOURNAL-906",
                format!("the journal failed ({})", status.as_u16()),
            )
        }
        status => {
            let issues = issues(response).await;
            let issues = if issues.is_empty() {
                String::new()
            } else {
                format!(": {}", issues.join(", "))
            };
            Failure::certain(
                Kind::Invalid,
                "HUB-JOURNAL-908",
                format!(
                    "the journal refuses the document ({}){issues}",
                    status.as_u16()
                ),
            )
        }
    }
}

/// Largest OperationOutcome that is read.
const MAX_OUTCOME: usize = 256 << 10;

/// Codes and places of an OperationOutcome. Its texts may repeat what we sent, so they stay there.
async fn issues(response: Response) -> Vec<String> {
    #[derive(Deserialize)]
    struct OperationOutcome {
        #[serde(default)]
        issue: Vec<Issue>,
    }
    #[derive(Deserialize)]
    struct Issue {
        #[serde(default)]
        code: String,
        #[serde(default)]
        expression: Vec<String>,
    }
    let Ok(Some(body)) = body(response, MAX_OUTCOME).await else {
        return Vec::new();
    };
    let Ok(outcome) = serde_json::from_slice::<OperationOutcome>(&body) else {
        return Vec::new();
    };
    let code = |b: u8| b.is_ascii_lowercase() || b == b'-';
    // Element names and indices only: no literal can hide in them.
    let path = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'[' | b']');
    let sound =
        |issue: &Issue| (1..=40).contains(&issue.code.len()) && issue.code.bytes().all(code);
    let mut told = Vec::new();
    for issue in outcome.issue.into_iter().filter(sound).take(5) {
        let place = issue.expression.into_iter().find(|place| {
            place.len() <= 120
                && place.bytes().all(path)
                && place.bytes().filter(u8::is_ascii_digit).count() < 6
        });
        told.push(match place {
            Some(place) => format!("{} at {place}", issue.code),
            None => issue.code,
        });
    }
    told
}

/// The body; `None` when it is larger than `limit`.
pub(crate) async fn body(mut response: Response, limit: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
