//! What the server makes of requests that our client would never send.

use halsonav_rivta::{Running, handler};

use crate::{ASK, ask, serve, told};

async fn server() -> Running {
    serve(&ASK, handler(|_| async { Ok(told("x")) })).await
}

async fn post(
    running: &Running,
    action: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, String, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client
        .post(running.url())
        .header("Content-Type", "text/xml;charset=UTF-8")
        .header("SOAPAction", action);
    let response = request.body(body).send().await.unwrap();
    let kind = response
        .headers()
        .get("content-type")
        .map(|v| v.to_str().unwrap().to_owned())
        .unwrap_or_default();
    (
        response.status().as_u16(),
        kind,
        response.text().await.unwrap(),
    )
}

fn envelope(headers: &str, body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:i='urn:riv:itintegration:registry:1'>\
         <s:Header>{headers}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
}

const ADDRESS: &str = "<i:LogicalAddress>SE1-A</i:LogicalAddress>";

#[tokio::test]
async fn routing_is_by_the_body_never_by_soap_action() {
    let running = server().await;
    for action in [
        "",
        "\"\"",
        "\"urn:riv:test:asking:OtherResponder:7:Other\"",
        "nonsense",
    ] {
        let (status, kind, text) = post(&running, action, envelope(ADDRESS, &ask("?"))).await;
        assert_eq!(
            (status, kind.as_str()),
            (200, "text/xml;charset=UTF-8"),
            "{action}: {text}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_a_client_fault_with_status_500() {
    let running = server().await;
    let check = |body: String, expect: &'static str| {
        let running = &running;
        async move {
            let (status, kind, text) = post(running, "", body).await;
            assert_eq!(
                (status, kind.as_str()),
                (500, "text/xml;charset=UTF-8"),
                "{text}"
            );
            assert!(text.contains(expect), "expected {expect} in {text}");
        }
    };
    check(envelope("", &ask("?")), "logical address").await;
    check(
        envelope("<i:LogicalAddress/>", &ask("?")),
        "logical address",
    )
    .await;
    check(
        envelope(ADDRESS, "<x:Ask xmlns:x='urn:other'/>"),
        "no such contract",
    )
    .await;
    check(
        envelope(ADDRESS, &ask("?").replace("r:Ask", "r:Beg")),
        "no such element",
    )
    .await;
    check(envelope(ADDRESS, ""), "f:Client").await;
    check(
        envelope(
            &format!("{ADDRESS}<x:Sec xmlns:x='urn:x' s:mustUnderstand='1'/>"),
            &ask("?"),
        ),
        "MustUnderstand",
    )
    .await;
    check(
        envelope(ADDRESS, &ask("?")).replace(
            "schemas.xmlsoap.org/soap/envelope/",
            "www.w3.org/2003/05/soap-envelope",
        ),
        "VersionMismatch",
    )
    .await;
    check("<html>".to_owned(), "f:Client").await;
    check(String::new(), "f:Client").await;
    check(
        format!(
            "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{}",
            envelope(ADDRESS, "<a>&e;</a>")
        ),
        "f:Client",
    )
    .await;
    check(envelope(ADDRESS, &"<a>".repeat(10_000)), "depth").await;
}

#[tokio::test]
async fn foreign_headers_that_need_not_be_understood_are_passed_over() {
    let running = server().await;
    let headers =
        format!("<w:Action xmlns:w='http://www.w3.org/2005/08/addressing'>x</w:Action>{ADDRESS}");
    assert_eq!(
        post(&running, "", envelope(&headers, &ask("?"))).await.0,
        200
    );
}

#[tokio::test]
async fn utf_16_is_read_and_latin_1_is_not() {
    let running = server().await;
    let wide: Vec<u8> = format!("\u{feff}{}", envelope(ADDRESS, &ask("å")))
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert_eq!(post(&running, "", wide).await.0, 200);
    let narrow: Vec<u8> = envelope(ADDRESS, &ask("å"))
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    assert_eq!(post(&running, "", narrow).await.0, 500);
}

#[tokio::test]
async fn limits_and_methods() {
    let running = server().await;
    assert_eq!(post(&running, "", vec![b' '; 5 << 20]).await.0, 413);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(
        client
            .get(format!("{}?wsdl", running.url()))
            .send()
            .await
            .unwrap()
            .status()
            .as_u16(),
        405
    );
}
