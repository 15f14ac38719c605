//! Who asks: a signed token, read without trusting a word of it before the signature fits.
//!
//! RFC 7519, 8725 and 9068. The key is chosen by `kid` from the pinned set, and each key has one
//! algorithm; what a token says about where keys are to be found is refused. Times are checked
//! against the hub's own clock.

mod keys;
pub(crate) mod strict;

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use halsonav_domain::{HsaId, PersonId, Timestamp};
use serde_json::{Map, Value};

pub use keys::Keys;

use crate::{
    Settings,
    access::{Caller, Role, Units},
};

/// A longer token is not looked at.
const LONGEST: usize = 16 * 1024;
/// More units than a region has.
const MOST_UNITS: usize = 2_000;

/// Why a token is not accepted. For the log; a client is never told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

/// Reads a token.
pub(crate) fn read(settings: &Settings, token: &str, now: Timestamp) -> Result<Caller, Refused> {
    if token.len() > LONGEST {
        return Err(Refused("too long"));
    }
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refused("not three parts"));
    };
    let key = key_of(
        settings,
        &object(header).ok_or(Refused("header unreadable"))?,
    )?;
    let signed = &token[..header.len() + 1 + claims.len()];
    // The library's own reading of base64 is more lenient than ours.
    URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| Refused("signature unreadable"))?;
    match jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key.public, key.algorithm) {
        Ok(true) => {}
        Ok(false) | Err(_) => return Err(Refused("signature does not fit")),
    }
    let claims = object(claims).ok_or(Refused("claims unreadable"))?;
    times(settings, &claims, now)?;
    caller(settings, &claims)
}

fn object(part: &str) -> Option<Map<String, Value>> {
    match strict::parse(&URL_SAFE_NO_PAD.decode(part).ok()?)? {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// Names of where a key might be, and of extensions that must be understood: none of ours.
const FOREIGN: &[&str] = &["jku", "jwk", "x5u", "x5c", "crit", "b64", "enc", "zip"];

fn key_of<'a>(
    settings: &'a Settings,
    header: &Map<String, Value>,
) -> Result<&'a keys::Key, Refused> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    if FOREIGN.iter().any(|name| header.contains_key(*name)) {
        return Err(Refused("header names a key or an extension"));
    }
    let kind = text("typ").unwrap_or_default().to_ascii_lowercase();
    if !matches!(
        kind.strip_prefix("application/").unwrap_or(&kind),
        "at+jwt" | "jwt"
    ) {
        return Err(Refused("typ"));
    }
    let key = text("kid")
        .and_then(|kid| settings.keys.get(kid))
        .ok_or(Refused("kid"))?;
    let named = match key.algorithm {
        jsonwebtoken::Algorithm::RS256 => "RS256",
        _ => "ES256",
    };
    if text("alg") != Some(named) {
        return Err(Refused("alg"));
    }
    Ok(key)
}

fn times(settings: &Settings, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refused> {
    let now = now.as_millisecond() as f64 / 1000.0;
    let leeway = seconds(settings.leeway);
    let longest = seconds(settings.max_lifetime);
    let at = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_f64()
            .map(Some)
            .ok_or(Refused("a time is no number")),
    };
    let expires = at("exp")?.ok_or(Refused("exp"))?;
    if now >= expires + leeway {
        return Err(Refused("expired"));
    }
    if expires > now + longest + leeway {
        return Err(Refused("valid for too long"));
    }
    if at("nbf")?.is_some_and(|from| now + leeway < from) {
        return Err(Refused("not valid yet"));
    }
    match at("iat")? {
        Some(issued) if now + leeway < issued => Err(Refused("issued in the future")),
        Some(issued) if expires - issued > longest => Err(Refused("valid for too long")),
        _ => Ok(()),
    }
}

fn seconds(duration: Duration) -> f64 {
    duration.as_secs_f64()
}

fn caller(settings: &Settings, claims: &Map<String, Value>) -> Result<Caller, Refused> {
    if claims.get("iss").and_then(Value::as_str) != Some(&settings.issuer) {
        return Err(Refused("iss"));
    }
    let for_us = match claims.get("aud") {
        Some(Value::String(one)) => *one == settings.audience,
        Some(Value::Array(list)) => {
            list.iter().all(Value::is_string)
                && list
                    .iter()
                    .any(|one| one.as_str() == Some(&settings.audience))
        }
        _ => false,
    };
    if !for_us {
        return Err(Refused("aud"));
    }
    let sub = claims
        .get("sub")
        .and_then(Value::as_str)
        .ok_or(Refused("sub"))?;
    if sub.is_empty() || sub.len() > 128 || !sub.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Refused("sub"));
    }
    // It goes to logs and to the audit trail.
    if PersonId::parse(sub).is_ok() {
        return Err(Refused("sub is a personal identity number"));
    }
    let roles = words(claims.get("roles"))?;
    let units = words(claims.get("units"))?;
    if units.len() > MOST_UNITS {
        return Err(Refused("units"));
    }
    let units = if units.contains(&"*") {
        Units::All
    } else {
        Units::Some(units.into_iter().map(HsaId::new).collect())
    };
    Ok(Caller {
        sub: sub.to_owned(),
        roles: roles.into_iter().filter_map(Role::read).collect(),
        units,
    })
}

fn words(claim: Option<&Value>) -> Result<Vec<&str>, Refused> {
    match claim {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(list)) => list
            .iter()
            .map(|word| word.as_str().ok_or(Refused("a list holds no words")))
            .collect(),
        Some(_) => Err(Refused("a list is no list")),
    }
}
