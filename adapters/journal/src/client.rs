//! The RESTful interface of the journal: update as create, read, capabilities.

use std::{path::PathBuf, sync::Arc, time::Duration};

use halsonav_domain::{Kind, Problem, trace};
use reqwest::{
    Method, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, IF_NONE_MATCH, LOCATION},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::{
    Config,
    call::{self, Failure},
    tls,
};

const FHIR_JSON: &str = "application/fhir+json";
/// Largest answer to a `PUT` or to the question of capabilities that is read.
const MAX_ANSWER: usize = 16 << 20;

/// The journal behind a client.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    token_file: Option<PathBuf>,
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.base.host_str())
    }
}

/// What the journal did with a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kept {
    /// It is kept.
    Now,
    /// It says that something is there under this id already.
    Before,
}

/// What the journal has under an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    Ours,
    Nothing,
    /// It was there and is removed.
    Gone,
}

/// As much of a resource as tells which one it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stub {
    resource_type: String,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    identifier: Option<Mark>,
    #[serde(default)]
    fhir_version: Option<String>,
}

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    value: Option<String>,
}

impl Client {
    pub fn new(config: &Config) -> Result<Self, Problem> {
        let base = config.verify()?;
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout((timeout / 2).min(Duration::from_secs(10)))
            // Shorter than the keep-alive of common servers: a document must not be lost, its
            // outcome unknown, on a connection that the other side is just closing.
            .pool_idle_timeout(Duration::from_secs(4));
        if let Some(ca) = &config.ca {
            builder = builder
                .https_only(true)
                .tls_backend_preconfigured(tls::client(ca, config.mutual()?)?);
        }
        let http = builder.build().map_err(|_| {
            Problem::new(
                Kind::Invalid,
                "HUB-JOURNAL-003",
                "the HTTP client cannot be made",
            )
        })?;
        Ok(Self {
            http,
            base,
            token_file: config.token_file.clone(),
            places: Arc::new(Semaphore::new(
                config.max_in_flight.min(Semaphore::MAX_PERMITS),
            )),
        })
    }

    /// `PUT [base]/Bundle/{id}`, only if there is none.
    pub async fn put(&self, id: &str, body: Vec<u8>) -> Result<Kept, Failure> {
        let request = self
            .request(Method::PUT, &format!("Bundle/{id}"))
            .await?
            .header(CONTENT_TYPE, FHIR_JSON)
            .header(IF_NONE_MATCH, "*")
            .header("Prefer", "return=minimal")
            .body(body);
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => {
                confirmed(id, response).await
            }
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Ok(Kept::Before),
            _ => Err(call::refused(response).await),
        }
    }

    /// `GET [base]/Bundle/{id}`.
    pub async fn find(&self, id: &str) -> Result<Found, Failure> {
        let request = self.request(Method::GET, &format!("Bundle/{id}")).await?;
        let response = self.send(request).await?;
        match response.status() {
            StatusCode::OK => {}
            // A 404 that is not the interface's own (a wrong address, a gateway) says nothing.
            StatusCode::NOT_FOUND => {
                return match stub(response).await? {
                    Some(outcome) if outcome.resource_type == "OperationOutcome" => {
                        Ok(Found::Nothing)
                    }
                    _ => Err(Failure::garbled()),
                };
            }
            StatusCode::GONE => return Ok(Found::Gone),
            _ => return Err(call::refused(response).await),
        }
        let ours = |stub: &Stub| {
            let mark = stub
                .identifier
                .as_ref()
                .and_then(|mark| mark.value.as_ref());
            stub.resource_type == "Bundle"
                && stub.id.as_deref() == Some(id)
                && mark.is_some_and(|value| *value == format!("urn:uuid:{id}"))
        };
        match stub(response).await? {
            Some(found) if ours(&found) => Ok(Found::Ours),
            _ => Err(Failure::garbled()),
        }
    }

    /// `GET [base]/metadata`: it is there, lets us in and speaks R4.
    pub async fn reach(&self) -> Result<(), Failure> {
        let request = self.request(Method::GET, "metadata").await?;
        let response = self.send(request).await?;
        if response.status() != StatusCode::OK {
            return Err(call::refused(response).await);
        }
        match stub(response).await? {
            Some(stub) if stub.resource_type == "CapabilityStatement" => match stub.fhir_version {
                Some(version) if version.starts_with("4.0") => Ok(()),
                _ => Err(Failure::certain(
                    Kind::Invalid,
                    "HUB-JOURNAL-910",
                    "the journal does not speak FHIR R4",
                )),
            },
            _ => Err(Failure::garbled()),
        }
    }

    async fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, Failure> {
        let url = self.base.join(path).map_err(|_| {
            Failure::certain(
                Kind::Internal,
                "HUB-JOURNAL-900",
                "the address cannot be made",
            )
        })?;
        let mut request = self.http.request(method, url).header(ACCEPT, FHIR_JSON);
        if let Some(trace) = trace::current() {
            request = request.header(trace::TRACEPARENT, &*trace);
        }
        match &self.token_file {
            None => Ok(request),
            Some(path) => Ok(request.header(AUTHORIZATION, bearer(path).await?)),
        }
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let _place = self.places.acquire().await.map_err(|_| {
            Failure::certain(
                Kind::Unavailable,
                "HUB-JOURNAL-900",
                "the client is closing",
            )
        })?;
        request.send().await.map_err(|error| call::unsent(&error))
    }
}

/// A success must be about our document: `Location`, if it is told, and the body, if there is one.
async fn confirmed(id: &str, response: Response) -> Result<Kept, Failure> {
    let location = response.headers().get(LOCATION).map(HeaderValue::to_str);
    let elsewhere = match location {
        None => false,
        Some(Ok(location)) => !location
            .split('/')
            .collect::<Vec<_>>()
            .windows(2)
            .any(|pair| pair == ["Bundle", id]),
        Some(Err(_)) => true,
    };
    let body = call::body(response, MAX_ANSWER).await;
    let body = body.map_err(|error| call::lost(&error))?;
    let body = body.ok_or_else(Failure::garbled)?;
    let about = body.is_empty()
        || serde_json::from_slice::<Stub>(&body).is_ok_and(|stub| {
            stub.resource_type == "OperationOutcome" || stub.id.as_deref() == Some(id)
        });
    if elsewhere || !about {
        return Err(Failure::garbled());
    }
    Ok(Kept::Now)
}

async fn stub(response: Response) -> Result<Option<Stub>, Failure> {
    let body = call::body(response, MAX_ANSWER).await;
    let body = body.map_err(|error| call::lost(&error))?;
    Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
}

async fn bearer(path: &std::path::Path) -> Result<HeaderValue, Failure> {
    let missing = || {
        Failure::certain(
            Kind::Denied,
            "HUB-JOURNAL-005",
            format!("{} holds no bearer token", path.display()),
        )
    };
    let text = tokio::fs::read_to_string(path)
        .await
        .map_err(|_| missing())?;
    let token = SecretString::from(text);
    let trimmed = token.expose_secret().trim();
    if trimmed.is_empty() {
        return Err(missing());
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {trimmed}")).map_err(|_| missing())?;
    value.set_sensitive(true);
    Ok(value)
}
