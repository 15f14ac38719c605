//! Tokens that must not be accepted, one changed thing at a time.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::world::*;

const HEADER: &str = r#"{"typ":"at+jwt","alg":"ES256","kid":"ec-1"}"#;

async fn status(world: &World, token: &str) -> u16 {
    let (status, body) = world.get("/v1/rounds", token).await;
    if status == 401 {
        assert_eq!(
            body,
            json!({ "type": "urn:halsonav:problem:HUB-API-001", "title": "a valid token is needed", "status": 401, "code": "HUB-API-001" })
        );
    }
    status
}

fn with(name: &str, value: Value) -> String {
    let mut claims = claims("a", &["nurse"], &[UNIT]);
    claims[name] = value;
    claims.to_string()
}

fn without(name: &str) -> String {
    let mut claims = claims("a", &["nurse"], &[UNIT]);
    claims.as_object_mut().unwrap().remove(name);
    claims.to_string()
}

#[tokio::test]
async fn good_tokens_are_accepted() {
    let world = World::new().await;
    let claims = claims("a", &["nurse"], &[UNIT]).to_string();
    for header in [
        HEADER,
        r#"{"typ":"JWT","alg":"ES256","kid":"ec-1"}"#,
        r#"{"typ":"application/at+jwt","alg":"RS256","kid":"rsa-1"}"#,
    ] {
        assert_eq!(
            status(&world, &world.issuer.sign(header, &claims)).await,
            200,
            "{header}"
        );
    }
    for good in [
        with("aud", json!(["x", "halsonav"])),
        with("exp", json!(NOW - 15)),
        with("nbf", json!(NOW + 30)),
        with("units", json!("*")),
    ] {
        assert_eq!(
            status(&world, &world.issuer.sign(HEADER, &good)).await,
            200,
            "{good}"
        );
    }
}

#[tokio::test]
async fn bad_claims_are_refused() {
    let world = World::new().await;
    let mut bad: Vec<String> = ["exp", "iss", "aud", "sub"].map(without).into();
    for (name, values) in [
        (
            "exp",
            vec![
                json!(NOW - 21),
                json!("2100"),
                json!(null),
                json!(NOW + 25 * 3600),
            ],
        ),
        ("nbf", vec![json!(NOW + 100), json!("0")]),
        (
            "iat",
            vec![json!(NOW + 100), json!(NOW - 24 * 3600), json!([])],
        ),
        (
            "iss",
            vec![
                json!("https://issuer.example/"),
                json!(["https://issuer.example"]),
                json!(1),
            ],
        ),
        (
            "aud",
            vec![
                json!("other"),
                json!([]),
                json!(["other"]),
                json!(["halsonav", 1]),
                json!({ "halsonav": 1 }),
                json!("halsonav "),
            ],
        ),
        (
            "sub",
            vec![
                json!(""),
                json!("a b"),
                json!("å"),
                json!("191212121212"),
                json!("a".repeat(129)),
                json!(7),
            ],
        ),
        ("roles", vec![json!([1]), json!({ "nurse": true })]),
        (
            "units",
            vec![json!([null]), json!(7), json!(vec!["SE1"; 2001])],
        ),
    ] {
        bad.extend(values.into_iter().map(|value| with(name, value)));
    }
    let good = claims("a", &["nurse"], &[UNIT]).to_string();
    bad.push(good.replacen('{', r#"{"roles":["operator"],"#, 1));
    bad.push("[]".to_owned());
    bad.push(good[..good.len() - 1].to_owned());
    for claims in bad {
        assert_eq!(
            status(&world, &world.issuer.sign(HEADER, &claims)).await,
            401,
            "{claims:.200}"
        );
    }
}

#[tokio::test]
async fn bad_headers_and_signatures_are_refused() {
    let world = World::new().await;
    let claims = claims("a", &["nurse"], &[UNIT]).to_string();
    for header in [
        r#"{"typ":"at+jwt","alg":"none","kid":"ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"HS256","kid":"ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"RS256","kid":"ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"rsa-1"}"#,
        r#"{"typ":"at+jwt","alg":"ES384","kid":"ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"../ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":["ec-1"]}"#,
        r#"{"alg":"ES256","kid":"ec-1"}"#,
        r#"{"typ":"dpop+jwt","alg":"ES256","kid":"ec-1"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec-1","jku":"http://127.0.0.1/"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec-1","x5u":"http://127.0.0.1/"}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec-1","jwk":{}}"#,
        r#"{"typ":"at+jwt","alg":"ES256","kid":"ec-1","crit":["b64"]}"#,
        r#"{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"ec-1"}"#,
        "7",
    ] {
        assert_eq!(
            status(&world, &world.issuer.sign(header, &claims)).await,
            401,
            "{header}"
        );
    }
    let good = world.nurse();
    let (message, signature) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let other = Issuer::new().token("nurse-1", &["nurse"], &[UNIT]);
    for token in [
        format!("{message}."),
        message.to_owned(),
        format!("{good}."),
        format!("{good}="),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(&bytes[..63])),
        format!(".{good}"),
        other,
        "a".repeat(20_000),
        String::new(),
    ] {
        assert_eq!(status(&world, &token).await, 401, "{token:.100}");
    }
    // Each bit of the claims counts.
    for place in 0..40 {
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        let mut claims = URL_SAFE_NO_PAD.decode(&parts[1]).unwrap();
        let at = place * 7 % claims.len();
        claims[at] ^= 1;
        parts[1] = URL_SAFE_NO_PAD.encode(claims);
        assert_eq!(status(&world, &parts.join(".")).await, 401);
    }
}
