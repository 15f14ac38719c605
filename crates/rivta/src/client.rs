//! The calling end.

use std::{error::Error as _, sync::Arc, time::Duration};

use halsonav_domain::trace;
use reqwest::{
    Response, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::sync::Semaphore;

use crate::{
    Actor, CallError, Contract, Error,
    call_error::Obstacle,
    envelope::{self, Envelope},
    pace::Pace,
    tls,
    xml::{self, Element, Limits},
};

mod config;

pub use config::ClientConfig;

/// Calls the services behind one endpoint. Cheap to clone; connections are kept and shared.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Url,
    places: Arc<Semaphore>,
    pace: Option<Arc<Pace>>,
    max_response: usize,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.endpoint.host_str())
    }
}

impl Client {
    /// A client; reads certificates and key, and connects to nothing yet.
    ///
    /// # Errors
    /// A setting that cannot work, or a certificate that cannot be read.
    pub fn new(config: &ClientConfig) -> Result<Self, Error> {
        let endpoint = config.url()?;
        let timeout = Duration::from_millis(config.timeout_ms);
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout((timeout / 2).min(Duration::from_secs(10)))
            // Shorter than the keep-alive of common servers (5 s and up): a request must not be
            // lost, its outcome unknown, on a connection that the other side is just closing.
            .pool_idle_timeout(Duration::from_secs(4))
            .default_headers(headers(config)?);
        if let Some((ca, certificate, key)) = config.credentials()? {
            builder = builder
                .https_only(true)
                .tls_backend_preconfigured(tls::client(ca, certificate, key)?);
        }
        let http = builder
            .build()
            .map_err(|_| Error::Setting("the HTTP client cannot be made".to_owned()))?;
        let pace = match config.calls_per_second {
            None => None,
            Some(rate) => {
                let pace = Pace::new(rate).ok_or_else(|| {
                    Error::Setting("calls_per_second must be positive".to_owned())
                })?;
                Some(Arc::new(pace))
            }
        };
        let places = Arc::new(Semaphore::new(
            config.max_in_flight.clamp(1, Semaphore::MAX_PERMITS),
        ));
        Ok(Self {
            http,
            endpoint,
            places,
            pace,
            max_response: config.max_response,
        })
    }

    /// Calls `contract` at `logical_address` with the request element `body`; answers the response
    /// element, readable by itself.
    ///
    /// # Errors
    /// [`CallError`], which says what is known of the effect.
    pub async fn call(
        &self,
        contract: &Contract,
        logical_address: &str,
        actor: Option<&Actor>,
        body: &str,
    ) -> Result<String, CallError> {
        let _place = self
            .places
            .acquire()
            .await
            .map_err(|_| CallError::NotSent(Obstacle::Request))?;
        if let Some(pace) = &self.pace {
            pace.turn().await;
        }
        let mut request = self
            .http
            .post(self.endpoint.clone())
            .header("SOAPAction", format!("\"{}\"", contract.soap_action()))
            .body(envelope::request(logical_address, actor, body));
        if let Some(trace) = trace::current() {
            request = request.header(trace::TRACEPARENT, &*trace);
        }
        let answer = request.send().await;
        let response = answer.map_err(|error| unsent(&error))?;
        self.read(contract, response).await
    }

    /// Calls `contract` as [`Client::call`] does, and reads the response element.
    ///
    /// # Errors
    /// [`CallError`]; a response that is not XML is `Malformed`.
    pub async fn ask(
        &self,
        contract: &Contract,
        logical_address: &str,
        actor: Option<&Actor>,
        body: &str,
    ) -> Result<Element, CallError> {
        let response = self.call(contract, logical_address, actor, body).await?;
        Element::parse_within(&response, self.limits())
            .map_err(|error| CallError::Malformed(error.to_string()))
    }

    async fn read(&self, contract: &Contract, mut response: Response) -> Result<String, CallError> {
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|_| CallError::NoAnswer("the connection was lost in the answer"))?
        {
            if bytes.len() + chunk.len() > self.max_response {
                return Err(CallError::Malformed("larger than allowed".to_owned()));
            }
            bytes.extend_from_slice(&chunk);
        }
        let text = xml::decode(&bytes);
        let read = text
            .as_ref()
            .ok()
            .map(|text| Envelope::read(text, self.limits()));
        match (status, read) {
            (401 | 403 | 407, _) => Err(CallError::Http(status)),
            (_, Some(Ok(envelope))) if envelope.is_fault() => {
                Err(CallError::Fault(fault(&envelope, self.limits())?))
            }
            (200, Some(Ok(envelope))) => expected(contract, envelope),
            (200, Some(Err(fault))) => Err(CallError::Malformed(fault.string)),
            (200, None) => Err(CallError::Malformed("neither UTF-8 nor UTF-16".to_owned())),
            _ => Err(CallError::Http(status)),
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            bytes: self.max_response,
            ..Limits::default()
        }
    }
}

/// The response, if it is the one that was asked for.
fn expected(contract: &Contract, envelope: Envelope) -> Result<String, CallError> {
    if envelope.namespace == contract.message_namespace()
        && envelope.element == contract.response_element()
    {
        return Ok(envelope.body);
    }
    Err(CallError::Malformed(format!(
        "not a {}",
        contract.response_element()
    )))
}

fn fault(envelope: &Envelope, limits: Limits) -> Result<crate::SoapFault, CallError> {
    let element = Element::parse_within(&envelope.body, limits)
        .map_err(|error| CallError::Malformed(error.to_string()))?;
    Ok(crate::SoapFault::read(&element))
}

/// Sorts what went wrong before there was a status line.
fn unsent(error: &reqwest::Error) -> CallError {
    match tls_error(error) {
        Some(rustls::Error::InvalidCertificate(_)) => {
            return CallError::NotSent(Obstacle::TheirCertificate);
        }
        // In TLS 1.3 the server judges our certificate after we began to send. The alert says that
        // it broke the handshake off: it read nothing of the request.
        Some(rustls::Error::AlertReceived(alert)) if about_certificates(*alert) => {
            return CallError::NotSent(Obstacle::OurCertificate);
        }
        _ => {}
    }
    if error.is_builder() {
        CallError::NotSent(Obstacle::Request)
    } else if error.is_connect() {
        CallError::NotSent(Obstacle::Unreachable)
    } else if error.is_timeout() {
        CallError::NoAnswer("too slow")
    } else {
        CallError::NoAnswer("the connection was lost")
    }
}

fn about_certificates(alert: rustls::AlertDescription) -> bool {
    use rustls::AlertDescription as Alert;
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
            | Alert::HandshakeFailure
    )
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

fn headers(config: &ClientConfig) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/xml;charset=UTF-8"),
    );
    let named = [
        (
            "x-rivta-original-serviceconsumer-hsaid",
            &config.original_consumer,
        ),
        ("x-rivta-acting-on-behalf-of-hsaid", &config.on_behalf_of),
    ];
    for (name, id) in named {
        if let Some(id) = id {
            let value = HeaderValue::from_str(id.as_str())
                .map_err(|_| Error::Setting(format!("{name} is not an HSA-id")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(headers)
}
