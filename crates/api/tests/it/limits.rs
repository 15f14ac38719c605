//! Nothing is read before the token, and nothing endless after it.

use std::time::Duration;

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::world::*;

/// Sends a head that announces a body, and none of it; answers the first line that comes back.
async fn head(world: &World, head: &str) -> String {
    let mut socket = TcpStream::connect(world.address).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), socket.read_to_end(&mut answer)).await;
    read.expect("it answers and closes").unwrap();
    String::from_utf8_lossy(&answer)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn no_byte_of_a_body_is_read_before_the_token() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let big = "Content-Type: application/json\r\nContent-Length: 10000000000\r\n\r\n";
    let path = format!("/v1/cases/{case}/decline");
    let answer = head(&world, &format!("POST {path} HTTP/1.1\r\nHost: x\r\n{big}")).await;
    assert_eq!(answer, "HTTP/1.1 401 Unauthorized");
    let operator = world.issuer.token("x", &["operator"], &["*"]);
    let answer = head(
        &world,
        &format!("POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {operator}\r\n{big}"),
    )
    .await;
    assert_eq!(answer, "HTTP/1.1 403 Forbidden");
    let nurse = world.nurse();
    let answer = head(&world, &format!("POST {path} HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nAuthorization: Bearer {nurse}\r\n{big}")).await;
    assert_eq!(answer, "HTTP/1.1 413 Payload Too Large");
    let twice = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {nurse}\r\nAuthorization: Bearer {nurse}\r\n{big}"
    );
    assert_eq!(head(&world, &twice).await, "HTTP/1.1 401 Unauthorized");
}

#[tokio::test]
async fn bodies_have_a_size_a_kind_and_a_depth() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let url = format!("http://{}/v1/cases/{case}/decline", world.address);
    let nurse = world.nurse();
    let send = |kind: &'static str, body: String| {
        let request = world
            .client
            .post(&url)
            .bearer_auth(&nurse)
            .header("Idempotency-Key", "k")
            .header("Content-Type", kind);
        async move { request.body(body).send().await.unwrap().status().as_u16() }
    };
    assert_eq!(send("application/json", "[".repeat(200_000)).await, 413);
    assert_eq!(send("application/json", "[".repeat(50_000)).await, 400);
    assert_eq!(
        send("application/json", r#"{"by":"phone","by":"visit"}"#.into()).await,
        400
    );
    assert_eq!(
        send("application/json", r#"{"by":"\ud800"}"#.into()).await,
        400
    );
    assert_eq!(
        send("application/json", "{\"by\":\"phone\"} x".into()).await,
        400
    );
    assert_eq!(send("text/plain", r#"{"by":"phone"}"#.into()).await, 415);
    assert_eq!(send("", r#"{"by":"phone"}"#.into()).await, 415);
    assert_eq!(send("application/json", String::new()).await, 400);
    assert!(world.events().is_empty());
    assert_eq!(
        send(
            "application/json; charset=utf-8",
            json!({ "by": "phone" }).to_string()
        )
        .await,
        202
    );
}

#[tokio::test]
async fn a_chunked_body_has_the_same_limit() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let mut socket = TcpStream::connect(world.address).await.unwrap();
    let head = format!(
        "POST /v1/cases/{case}/decline HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        world.nurse()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 50_000, " ".repeat(50_000));
    for _ in 0..3 {
        if socket.write_all(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}
