//! One request and its answer.

use std::{any::Any, collections::HashSet, sync::Arc, time::Duration};

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    HttpRequest, HttpResponse, dev::Extensions, http::Method, rt::net::TcpStream, web,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use halsonav_domain::{Clock, HsaId};

use crate::{
    Answer, FaultCode, Operations, PING, Request, SoapFault,
    envelope::{self, Envelope},
    fault::Manners,
    ping, tls,
    xml::{self, Element, Limits},
};

const CONTENT_TYPE: &str = "text/xml;charset=UTF-8";
/// How long a request's body may take.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What every request needs.
pub(super) struct Exchange {
    pub operations: Operations,
    /// Who may call; `None` without TLS.
    pub allowed: Option<HashSet<HsaId>>,
    pub max_body: usize,
    pub version: String,
    pub clock: Arc<dyn Clock>,
    pub runtime: tokio::runtime::Handle,
}

/// The sender of a connection, once it is known.
#[derive(Clone)]
struct Sender(HsaId);

/// Notes who is at the other end of a new TLS connection.
pub(super) fn note_sender(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(stream) = connection.downcast_ref::<TlsStream<TcpStream>>() {
        let certificates = stream.get_ref().1.peer_certificates();
        if let Some(id) = certificates
            .and_then(<[_]>::first)
            .and_then(|leaf| tls::sender(leaf))
        {
            extensions.insert(Sender(id));
        }
    }
}

/// Answers a request. Nothing of it is read until its sender is allowed.
pub(super) async fn answer(
    request: HttpRequest,
    payload: web::Payload,
    exchange: web::Data<Exchange>,
) -> HttpResponse {
    let sender = request.conn_data::<Sender>().map(|sender| sender.0.clone());
    if let Some(allowed) = &exchange.allowed
        && !sender
            .as_ref()
            .is_some_and(|sender| allowed.contains(sender))
    {
        tracing::warn!(
            sender = sender.as_ref().map(HsaId::as_str),
            "sender is not allowed"
        );
        return HttpResponse::Forbidden().force_close().finish();
    }
    if request.method() != Method::POST {
        return HttpResponse::MethodNotAllowed()
            .insert_header(("Allow", "POST"))
            .force_close()
            .finish();
    }
    let body = match tokio::time::timeout(BODY_TIME, read(payload, exchange.max_body)).await {
        Ok(Ok(body)) => body,
        Ok(Err(response)) => return response,
        Err(_) => return HttpResponse::RequestTimeout().force_close().finish(),
    };
    match exchange.carry_out(sender, &body).await {
        Ok(response) => HttpResponse::Ok()
            .content_type(CONTENT_TYPE)
            .body(envelope::answer(&response)),
        Err(fault) => refuse(&fault),
    }
}

async fn read(mut payload: web::Payload, limit: usize) -> Result<Vec<u8>, HttpResponse> {
    let mut body = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| HttpResponse::BadRequest().force_close().finish())?;
        if body.len() + chunk.len() > limit {
            return Err(HttpResponse::PayloadTooLarge().force_close().finish());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refuse(fault: &SoapFault) -> HttpResponse {
    match fault.manners {
        Manners::Fault => HttpResponse::InternalServerError()
            .content_type(CONTENT_TYPE)
            .body(envelope::answer(&fault.write())),
        Manners::Noise => HttpResponse::Ok()
            .content_type("text/html")
            .body("<html><body>502 Bad Gateway</body></html>"),
        Manners::Silence => {
            let cut = std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
            HttpResponse::Ok()
                .content_type(CONTENT_TYPE)
                .streaming(stream::iter([Ok(Bytes::from_static(b"<")), Err(cut)]))
        }
    }
}

impl Exchange {
    async fn carry_out(&self, sender: Option<HsaId>, body: &[u8]) -> Answer {
        let limits = Limits {
            bytes: self.max_body.saturating_mul(2),
            ..Limits::default()
        };
        let text = xml::decode(body).map_err(|error| SoapFault::client(error.to_string()))?;
        let envelope = Envelope::read(&text, limits)?;
        if let Some(header) = envelope.foreign {
            return Err(SoapFault::new(
                FaultCode::MustUnderstand,
                format!("header {header} is not understood"),
            ));
        }
        let logical_address = envelope
            .logical_address
            .ok_or_else(|| SoapFault::client("the logical address is missing"))?;
        let Some(handlers) = self.operations.find(&envelope.namespace, &envelope.element) else {
            return self.without_handler(&envelope.namespace, &envelope.element, &envelope.body);
        };
        let request = Request {
            logical_address,
            actor: envelope.actor,
            sender,
            body: envelope.body,
        };
        let mut answer = Err(SoapFault::server("nobody answered"));
        for handler in handlers {
            // On its own task: a caller that hangs up does not stop half an effect, and a panic
            // becomes a fault.
            let task = self.runtime.spawn(handler(request.clone()));
            answer = task
                .await
                .unwrap_or_else(|_| Err(SoapFault::server("an internal error")));
            if answer.is_err() {
                break;
            }
        }
        if let Err(fault) = &answer {
            tracing::info!(
                operation = envelope.element,
                fault = fault.code.as_str(),
                "answered with a fault"
            );
        }
        answer
    }

    fn without_handler(&self, namespace: &str, element: &str, body: &str) -> Answer {
        let bad = |error: xml::Error| SoapFault::client(error.to_string());
        if namespace == PING.message_namespace() && element == PING.request_element() {
            let request = Element::parse(body).map_err(bad)?;
            return ping::pong(&request, &self.version, self.clock.now()).map_err(bad);
        }
        let what = if self.operations.serves(namespace) {
            "element"
        } else {
            "contract"
        };
        Err(SoapFault::client(format!("no such {what} here")))
    }
}
