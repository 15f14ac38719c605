//! A call, and everything that can become of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use halsonav_domain::{Kind, trace};
use halsonav_rivta::{
    Actor, CallError, Client, ClientConfig, Obstacle, Operations, PING, Server, ServerConfig,
    SoapFault, handler, xml,
};

use tokio::{io::AsyncReadExt as _, net::TcpListener};

use crate::{ASK, TELL, ask, client, clock, serve, told};

#[tokio::test]
async fn a_call_is_answered() {
    let running = serve(
        &ASK,
        handler(|request| async move {
            let question = request.element()?;
            let text = question
                .text_of(&ASK.message_namespace(), "question")
                .unwrap_or_default()
                .to_owned();
            let actor = request.actor.map(|actor| actor.id).unwrap_or_default();
            Ok(told(&format!(
                "{text}|{}|{actor}|{:?}",
                request.logical_address, request.sender
            )))
        }),
    )
    .await;
    let actor = Actor::subject("191212121212");
    let answer = client(&running)
        .ask(&ASK, "SE1-A", Some(&actor), &ask("Å & <ä>?"))
        .await
        .unwrap();
    assert_eq!(
        answer.text_of(&ASK.message_namespace(), "answer"),
        Some("Å & <ä>?|SE1-A|191212121212|None")
    );
    running.stop().await;
}

#[tokio::test]
async fn a_fault_travels() {
    let running = serve(
        &ASK,
        handler(|_| async { Err(SoapFault::client("VP007 [test] inte behörig")) }),
    )
    .await;
    let error = client(&running)
        .call(&ASK, "SE1-A", None, &ask("?"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Denied);
    assert!(!error.outcome_unknown());
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_effect_is_there() {
    let effects = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&effects);
    let running = serve(
        &ASK,
        handler(move |_| {
            seen.fetch_add(1, Ordering::SeqCst);
            async { Err(SoapFault::silence()) }
        }),
    )
    .await;
    let error = client(&running)
        .call(&ASK, "SE1-A", None, &ask("?"))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error:?}");
    assert!(error.outcome_unknown());
    assert_eq!(
        effects.load(Ordering::SeqCst),
        1,
        "the client must not try again by itself"
    );
}

#[tokio::test]
async fn an_answer_that_is_no_answer_is_malformed() {
    let noise = serve(&ASK, handler(|_| async { Err(SoapFault::noise()) })).await;
    let other = serve(
        &ASK,
        handler(|_| async { Ok(told("").replace("AskResponse", "OtherResponse")) }),
    )
    .await;
    let foreign = serve(
        &ASK,
        handler(|_| async { Ok(told("").replace(":1\"", ":2\"")) }),
    )
    .await;
    for running in [noise, other, foreign] {
        let error = client(&running)
            .call(&ASK, "SE1-A", None, &ask("?"))
            .await
            .unwrap_err();
        assert!(
            matches!(error, CallError::Malformed(_)) && error.outcome_unknown(),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_slow_answer_is_unknown() {
    let running = serve(&ASK, handler(|_| std::future::pending())).await;
    let client = Client::new(&ClientConfig {
        timeout_ms: 150,
        ..ClientConfig::to(running.url())
    })
    .unwrap();
    let error = client
        .call(&ASK, "SE1-A", None, &ask("?"))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error:?}");
}

#[tokio::test]
async fn nobody_there_means_nothing_was_done() {
    let running = serve(&ASK, handler(|_| async { Ok(told("x")) })).await;
    let client = client(&running);
    running.stop().await;
    let error = client
        .call(&ASK, "SE1-A", None, &ask("?"))
        .await
        .unwrap_err();
    assert_eq!(error, CallError::NotSent(Obstacle::Unreachable));
    assert_eq!(error.problem("ASK").kind, Kind::Unavailable);
}

#[tokio::test]
async fn too_large_an_answer_is_not_read() {
    let running = serve(&ASK, handler(|_| async { Ok(told(&"x".repeat(100_000))) })).await;
    let client = Client::new(&ClientConfig {
        max_response: 10_000,
        ..ClientConfig::to(running.url())
    })
    .unwrap();
    let error = client
        .call(&ASK, "SE1-A", None, &ask("?"))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Malformed(_)), "{error:?}");
}

#[tokio::test]
async fn a_panic_in_a_handler_is_a_fault() {
    let running = serve(&ASK, handler(|_| async { panic!("a defect") })).await;
    for _ in 0..2 {
        let error = client(&running)
            .call(&ASK, "SE1-A", None, &ask("?"))
            .await
            .unwrap_err();
        assert!(matches!(error, CallError::Fault(_)), "{error:?}");
    }
}

#[tokio::test]
async fn every_server_answers_a_ping() {
    let running = serve(&ASK, handler(|_| async { Ok(told("x")) })).await;
    let pong = client(&running).ping(&ASK, "SE1-A").await.unwrap();
    assert_eq!(pong.at.unwrap().to_string(), "2026-09-01T10:00:00Z");
    assert!(!pong.version.is_empty());
    client(&running).reach(&ASK, "SE1-A", "ASK").await.unwrap();
    let denied = serve(
        &PING,
        handler(|_| async { Err(SoapFault::client("VP007 x")) }),
    )
    .await;
    assert_eq!(
        client(&denied)
            .reach(&ASK, "SE1-A", "ASK")
            .await
            .unwrap_err()
            .kind,
        Kind::Denied
    );
}

#[tokio::test]
async fn one_endpoint_serves_what_several_bring() {
    let tell = handler(|_| async {
        Ok(xml::document(
            "TellResponse",
            &[("", &TELL.message_namespace())],
            |w| w.flag("ok", true),
        ))
    });
    let more = Operations::new().operation(&TELL, tell).unwrap();
    let running = Server::builder(ServerConfig::loopback(), clock())
        .operation(&ASK, handler(|_| async { Ok(told("x")) }))
        .operations(more.clone())
        .start()
        .await
        .unwrap();
    let client = client(&running);
    client.call(&ASK, "A", None, &ask("?")).await.unwrap();
    client
        .call(
            &TELL,
            "A",
            None,
            &xml::document("Tell", &[("", &TELL.message_namespace())], |_| {}),
        )
        .await
        .unwrap();
    assert!(
        more.clone().merge(more).is_err(),
        "an operation has one handler"
    );
}

#[tokio::test]
async fn a_notification_has_several_takers_and_all_must_succeed() {
    let count = Arc::new(AtomicUsize::new(0));
    let taker = |fail: bool| {
        let count = Arc::clone(&count);
        let take = handler(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            async move {
                if fail {
                    Err(SoapFault::server("later"))
                } else {
                    Ok(told("taken"))
                }
            }
        });
        Operations::new().notification(&ASK, take).unwrap()
    };
    let start = |operations| async {
        Server::builder(ServerConfig::loopback(), clock())
            .operations(operations)
            .start()
            .await
            .unwrap()
    };
    let both = start(taker(false).merge(taker(false)).unwrap()).await;
    client(&both)
        .call(&ASK, "A", None, &ask("?"))
        .await
        .unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);
    let failing = start(taker(true).merge(taker(false)).unwrap()).await;
    assert!(matches!(
        client(&failing).call(&ASK, "A", None, &ask("?")).await,
        Err(CallError::Fault(_))
    ));
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn calls_keep_the_pace_and_the_places() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (entered, peak) = (Arc::clone(&now), Arc::clone(&most));
    let running = serve(
        &ASK,
        handler(move |_| {
            let (entered, peak) = (Arc::clone(&entered), Arc::clone(&peak));
            async move {
                peak.fetch_max(entered.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                entered.fetch_sub(1, Ordering::SeqCst);
                Ok(told("x"))
            }
        }),
    )
    .await;
    let config = ClientConfig {
        max_in_flight: 2,
        calls_per_second: Some(200.0),
        ..ClientConfig::to(running.url())
    };
    let client = Client::new(&config).unwrap();
    let start = std::time::Instant::now();
    let calls = (0..20).map(|_| {
        let client = client.clone();
        async move { client.call(&ASK, "A", None, &ask("?")).await }
    });
    for answer in futures::future::join_all(calls).await {
        answer.unwrap();
    }
    assert!(most.load(Ordering::SeqCst) <= 2);
    assert!(
        start.elapsed().as_millis() >= 95,
        "20 calls at 200 a second take 95 ms: {:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_call_belongs_to_the_trace_of_what_it_is_done_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let client = Client::new(&ClientConfig::to(format!("http://{address}/"))).unwrap();
    for trace in [Some("00-1-2-01"), None] {
        let body = ask("?");
        let call = trace::within(trace, client.call(&ASK, "SE1-A", None, &body));
        let heard = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                assert!(stream.read_buf(&mut request).await.unwrap() > 0);
            }
            String::from_utf8(request).unwrap()
        };
        let (answer, heard) = tokio::join!(call, heard);
        assert!(answer.unwrap_err().outcome_unknown());
        assert_eq!(
            heard.contains("\r\ntraceparent: 00-1-2-01\r\n"),
            trace.is_some(),
            "{heard}"
        );
        assert_eq!(heard.contains("traceparent"), trace.is_some());
    }
}
