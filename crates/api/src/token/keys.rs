//! The issuer's keys, pinned: read once from a JWK set, each for one algorithm.

use std::{collections::BTreeMap, fmt, sync::Arc};

use halsonav_domain::{Kind, Problem};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

use super::strict;

/// Public keys by key id. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<BTreeMap<String, Key>>);

pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) public: DecodingKey,
}

/// RSA keys of fewer bits are refused (base64url characters of the modulus: 256 bytes).
const RSA_CHARACTERS: usize = 341;

impl Keys {
    /// Reads a JWK set (RFC 7517 §5): RSA keys for RS256 and P-256 keys for ES256, each with a
    /// `kid` of its own. Nothing that is private or symmetric may be in it.
    ///
    /// # Errors
    /// `Invalid`, `HUB-API-030`, says which key is wrong by its place, never what it holds.
    pub fn parse(jwks: &str) -> Result<Self, Problem> {
        let set = strict::parse(jwks.as_bytes()).ok_or_else(|| wrong("it is not JSON"))?;
        let list = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or_else(|| wrong("it has no keys"))?;
        let mut keys = BTreeMap::new();
        for (place, jwk) in list.iter().enumerate() {
            let (kid, key) =
                read(jwk).map_err(|why| wrong(&format!("key {}: {why}", place + 1)))?;
            if keys.insert(kid, key).is_some() {
                return Err(wrong(&format!(
                    "key {}: its kid comes a second time",
                    place + 1
                )));
            }
        }
        if keys.is_empty() {
            return Err(wrong("it has no keys"));
        }
        Ok(Self(Arc::new(keys)))
    }

    pub(super) fn get(&self, kid: &str) -> Option<&Key> {
        self.0.get(kid)
    }
}

fn wrong(why: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "HUB-API-030",
        format!("the JWK set cannot be used: {why}"),
    )
}

fn read(jwk: &Value) -> Result<(String, Key), &'static str> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if ["d", "p", "q", "k"]
        .iter()
        .any(|secret| jwk.get(secret).is_some())
    {
        return Err("it holds a secret; only public keys belong here");
    }
    if text("use").is_some_and(|word| word != "sig") {
        return Err("it is not for signatures");
    }
    let kid = text("kid")
        .filter(|kid| !kid.is_empty())
        .ok_or("it has no kid")?;
    let (algorithm, name, public) = match text("kty") {
        Some("RSA") => {
            let n = text("n").filter(|n| n.len() >= RSA_CHARACTERS);
            let n = n.ok_or("an RSA key has at least 2048 bits")?;
            let public = DecodingKey::from_rsa_components(n, text("e").ok_or("it has no e")?);
            (Algorithm::RS256, "RS256", public)
        }
        Some("EC") if text("crv") == Some("P-256") => {
            let (x, y) = (
                text("x").ok_or("it has no x")?,
                text("y").ok_or("it has no y")?,
            );
            (
                Algorithm::ES256,
                "ES256",
                DecodingKey::from_ec_components(x, y),
            )
        }
        _ => return Err("only RSA and P-256 keys are used"),
    };
    if text("alg").is_some_and(|word| word != name) {
        return Err("its alg is neither RS256 nor ES256, or not of its kind");
    }
    let public = public.map_err(|_| "its numbers cannot be read")?;
    Ok((kid.to_owned(), Key { algorithm, public }))
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(jwks: &str, expect: &str) {
        let problem = Keys::parse(jwks).expect_err("it is wrong");
        assert_eq!(problem.code, "HUB-API-030");
        assert!(problem.message.contains(expect), "{}", problem.message);
    }

    #[test]
    fn a_set_holds_public_keys_of_known_kinds_alone() {
        check("{", "not JSON");
        check("{}", "no keys");
        check(r#"{"keys":[]}"#, "no keys");
        check(
            r#"{"keys":[{"kty":"oct","kid":"a","k":"c2VjcmV0"}]}"#,
            "secret",
        );
        check(r#"{"keys":[{"kty":"OKP","kid":"a","x":"AA"}]}"#, "only RSA");
        check(
            r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
            "no kid",
        );
        check(
            r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#,
            "2048",
        );
        check(
            r#"{"keys":[{"kty":"EC","kid":"a","crv":"P-256","alg":"HS256","x":"AA","y":"AA"}]}"#,
            "alg",
        );
    }
}
