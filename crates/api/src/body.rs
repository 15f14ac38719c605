//! Bodies: read whole, within the limit, as strict JSON, and never repeated in an error.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web};
use bytes::Bytes;
use halsonav_domain::trace;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{Settings, access::Caller, numbers, problem::Fault, state::State, token::strict};

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Fault>>>>;

/// A body that asks something.
pub(crate) struct Asked<T>(pub(crate) T);

/// A body that changes something: it comes under an idempotency key, and holds no personal
/// identity number.
pub(crate) struct Told<T> {
    pub(crate) value: T,
    pub(crate) ticket: Ticket,
}

/// A file that changes something.
pub(crate) struct ToldFile {
    pub(crate) media_type: String,
    pub(crate) file: Bytes,
    pub(crate) ticket: Ticket,
}

/// What tells one request from another. The key itself is not kept: who knows what it is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ticket {
    /// SHA-256 of the key.
    pub(crate) key: String,
    /// SHA-256 of method, path and body.
    pub(crate) digest: String,
    /// The caller's trace context. A repeated request may have another.
    pub(crate) trace: Option<String>,
}

impl<T: DeserializeOwned + 'static> FromRequest for Asked<T> {
    type Error = Fault;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let kind = json_kind(request);
        let body = bytes(request, payload, |settings| settings.body_limit);
        Box::pin(async move {
            let kind = kind?;
            let value = json(kind, &body.await?)?;
            shaped(value).map(Self)
        })
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Told<T> {
    type Error = Fault;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let checked = key(request).and_then(|key| Ok((key, json_kind(request)?)));
        let (start, trace) = (beginning(request), trace(request));
        let body = bytes(request, payload, |settings| settings.body_limit);
        Box::pin(async move {
            let (key, kind) = checked?;
            let body = body.await?;
            let value = json(kind, &body)?;
            if numbers::holds_one(&value) {
                return Err(Fault::identity());
            }
            let value = shaped(value)?;
            let digest = finish(start, &body);
            Ok(Self {
                value,
                ticket: Ticket { key, digest, trace },
            })
        })
    }
}

impl FromRequest for ToldFile {
    type Error = Fault;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let key = key(request);
        let (start, trace) = (beginning(request), trace(request));
        let media_type = request.content_type().trim().to_ascii_lowercase();
        let body = bytes(request, payload, |settings| settings.upload_limit);
        Box::pin(async move {
            let key = key?;
            let file = body.await?;
            let digest = finish(start, &file);
            Ok(Self {
                media_type,
                file,
                ticket: Ticket { key, digest, trace },
            })
        })
    }
}

impl FromRequest for Caller {
    type Error = Fault;
    type Future = std::future::Ready<Result<Self, Fault>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        std::future::ready(caller.ok_or_else(Fault::unauthorized))
    }
}

fn bytes(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: fn(&Settings) -> usize,
) -> Extracting<Bytes> {
    let limit = request
        .app_data::<web::Data<State>>()
        .map_or(0, |state| limit(&state.api.settings));
    // What is announced as too large is not read at all.
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Box::pin(std::future::ready(Err(Fault::too_large())));
    }
    let reading = web::Payload::from_request(request, payload).into_inner();
    Box::pin(async move {
        let payload = reading.map_err(|_| Fault::body())?;
        match payload.to_bytes_limited(limit).await {
            Ok(body) => body.map_err(|_| Fault::body()),
            Err(_) => Err(Fault::too_large()),
        }
    })
}

/// What a JSON body announced itself as.
#[derive(Clone, Copy)]
enum Announced {
    Json,
    Nothing,
}

fn json_kind(request: &HttpRequest) -> Result<Announced, Fault> {
    match request.content_type().trim().to_ascii_lowercase().as_str() {
        "application/json" => Ok(Announced::Json),
        "" => Ok(Announced::Nothing),
        _ => Err(Fault::media_type().because("application/json is")),
    }
}

/// No body at all is an empty object; anything else must say that it is JSON.
fn json(kind: Announced, body: &[u8]) -> Result<Value, Fault> {
    match (kind, body) {
        (_, []) => Ok(Value::Object(Map::new())),
        (Announced::Nothing, _) => Err(Fault::media_type().because("application/json is")),
        (Announced::Json, _) => strict::parse(body).ok_or_else(|| {
            Fault::body().because("it is not JSON, or an object in it has a name twice")
        }),
    }
}

/// The value in the shape asked for. Of the reader's words only those are passed on that hold
/// nothing of the body: names that are missing.
fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    T::deserialize(value).map_err(|error| {
        let text = error.to_string();
        let detail = if text.starts_with("missing field") {
            text
        } else if let Some((_, known)) = text
            .strip_prefix("unknown field")
            .and_then(|rest| rest.split_once(", expected "))
        {
            format!("a field is unknown; known here: {known}")
        } else {
            "a field is not of its type; see /openapi.json".to_owned()
        };
        Fault::body().because(detail)
    })
}

/// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07), with or without quotes.
fn key(request: &HttpRequest) -> Result<String, Fault> {
    let mut values = request.headers().get_all("idempotency-key");
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Fault::key_missing());
    };
    let text = value.to_str().map_err(|_| Fault::key_missing())?.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    if text.is_empty() || text.len() > 255 {
        return Err(Fault::key_missing().because("it has 1 to 255 characters"));
    }
    Ok(hex(&Sha256::digest(text.as_bytes())))
}

fn trace(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(trace::TRACEPARENT)?.to_str().ok()?;
    trace::is_traceparent(value).then(|| value.to_owned())
}

fn beginning(request: &HttpRequest) -> Sha256 {
    let mut hash = Sha256::new();
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], |kind| kind.as_bytes());
    let query = request.query_string();
    for part in [
        request.method().as_str().as_bytes(),
        request.path().as_bytes(),
        query.as_bytes(),
        kind,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash
}

fn finish(mut hash: Sha256, body: &[u8]) -> String {
    hash.update(body);
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing into a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}
