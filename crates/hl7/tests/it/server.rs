use std::{sync::Arc, time::Duration};

use halsonav_hl7::{Answer, Client, Code, Endpoint, Fault, Message, Sender, Settings, mllp};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Inbox, Running, message, serve};

fn client(running: &Running) -> Client {
    Client::new(Endpoint::new(
        running.addr.ip().to_string(),
        running.addr.port(),
    ))
}

async fn ask(stream: &mut TcpStream, bytes: &[u8]) -> Message {
    stream.write_all(&mllp::frame(bytes)).await.unwrap();
    answer(stream).await
}

async fn answer(stream: &mut TcpStream) -> Message {
    let mut framer = mllp::Framer::new(1 << 20);
    let frame = mllp::read_frame(stream, &mut framer)
        .await
        .unwrap()
        .expect("an answer");
    Message::parse(&frame).unwrap()
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0; 64]).await, Ok(0) | Err(_))
}

#[tokio::test]
async fn the_handlers_verdict_is_the_acknowledgement() {
    let inbox = Inbox::new(|message| match message.control_id() {
        "1" => Answer::Accepted,
        "2" => Answer::Retry(Fault::new("207", "later")),
        _ => Answer::Rejected(Fault::new("204", "no such order").at("OBR", 2, 2)),
    });
    let running = serve(Settings::default(), Arc::clone(&inbox)).await;
    let client = client(&running);
    for (id, code, error) in [
        ("1", Code::AA, ""),
        ("2", Code::AE, "207"),
        ("3", Code::AR, "204"),
    ] {
        let ack = client.send(&message(id)).await.unwrap();
        assert_eq!((ack.code, ack.error.as_str()), (code, error));
    }
    assert_eq!(inbox.count(), 3);
}

#[tokio::test]
async fn an_id_with_other_content_is_an_error_and_the_same_message_is_not() {
    let inbox = Inbox::new(|_| Answer::Accepted);
    let running = serve(Settings::default(), Arc::clone(&inbox)).await;
    let client = client(&running);
    let mut other = message("1");
    other.push(halsonav_hl7::Segment::new("NTE").with(3, "more"));
    assert_eq!(client.send(&message("1")).await.unwrap().code, Code::AA);
    assert_eq!(client.send(&message("1")).await.unwrap().code, Code::AA);
    let ack = client.send(&other).await.unwrap();
    assert_eq!((ack.code, ack.error.as_str()), (Code::AE, "205"));
    assert_eq!(inbox.count(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_rejected_and_the_connection_lives_on() {
    let inbox = Inbox::new(|_| Answer::Accepted);
    let running = serve(Settings::default(), Arc::clone(&inbox)).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let cases: [(&[u8], &str, &str); 7] = [
        (
            b"MSH|^~\\&|LIS|LAB|||||ORU^R01|7|P|2.5.1\rpid|1",
            "7",
            "100",
        ),
        (
            b"MSH|^~\\&|LIS|LAB|||||ORU^R01|8|P|2.5.1\rPID|1\rMSH|^~\\&|",
            "8",
            "100",
        ),
        (b"MSH|^~\\&|LIS|LAB|||||ORU^R01||P|2.5.1\rPID|1", "", "101"),
        (b"MSH|^~\\&|LIS|LAB|||||ORU^R01|9|P|3.0\rPID|1", "9", "203"),
        (
            b"MSH|^~\\&|LIS|LAB|||||ORU^R01|10|P|2.5.1||||||UNICODE UTF-8\rPID|\xff",
            "10",
            "102",
        ),
        (b"GET / HTTP/1.1", "", "207"),
        (b"", "", "207"),
    ];
    for (bytes, id, error) in cases {
        let ack = ask(&mut stream, bytes).await;
        assert_eq!(
            (ack.text("MSA", 1), ack.text("MSA", 2)),
            ("AR", id),
            "{}",
            String::from_utf8_lossy(bytes)
        );
        assert_eq!(
            ack.text("ERR", 3),
            error,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
    assert_eq!(inbox.count(), 0);
    assert_eq!(
        ask(&mut stream, &message("11").to_bytes())
            .await
            .text("MSA", 1),
        "AA"
    );
}

#[tokio::test]
async fn pipelined_messages_are_answered_in_order() {
    let running = serve(Settings::default(), Inbox::new(|_| Answer::Accepted)).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let both = [
        mllp::frame(&message("1").to_bytes()),
        mllp::frame(&message("2").to_bytes()),
    ]
    .concat();
    for byte in both {
        stream.write_all(&[byte]).await.unwrap();
    }
    let mut framer = mllp::Framer::new(1 << 20);
    for id in ["1", "2"] {
        let frame = mllp::read_frame(&mut stream, &mut framer)
            .await
            .unwrap()
            .expect("an answer");
        assert_eq!(Message::parse(&frame).unwrap().text("MSA", 2), id);
    }
}

#[tokio::test]
async fn enhanced_mode_has_two_acknowledgements() {
    let running = serve(Settings::default(), Inbox::new(|_| Answer::Accepted)).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let text = b"MSH|^~\\&|LIS|LAB|||||ORU^R01|7|P|2.5.1|||AL|AL\rPID|1";
    stream.write_all(&mllp::frame(text)).await.unwrap();
    let mut framer = mllp::Framer::new(1 << 20);
    let mut ids = Vec::new();
    for code in ["CA", "AA"] {
        let frame = mllp::read_frame(&mut stream, &mut framer)
            .await
            .unwrap()
            .expect("an answer");
        let ack = Message::parse(&frame).unwrap();
        assert_eq!((ack.text("MSA", 1), ack.text("MSA", 2)), (code, "7"));
        ids.push(ack.control_id().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
    assert!(ids.iter().all(|id| !id.is_empty() && id.len() <= 20));
}

#[tokio::test]
async fn broken_frames_end_the_connection_without_an_answer() {
    let settings = Settings {
        limits: halsonav_hl7::Limits {
            bytes: 200,
            ..Default::default()
        },
        ..Default::default()
    };
    let inbox = Inbox::new(|_| Answer::Accepted);
    let running = serve(settings, Arc::clone(&inbox)).await;
    let long = [b"\x0B".as_slice(), &[b'a'; 300]].concat();
    for bytes in [
        &long[..],
        b"\x0BMSH|\x0BMSH|",
        b"\x0BMSH|\x1C|",
        &[b'x'; 2000],
    ] {
        let mut stream = TcpStream::connect(running.addr).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        assert!(is_closed(&mut stream).await);
    }
    let mut half = TcpStream::connect(running.addr).await.unwrap();
    half.write_all(b"\x0BMSH|").await.unwrap();
    half.shutdown().await.unwrap();
    assert!(is_closed(&mut half).await);
    assert_eq!(inbox.count(), 0);
}

#[tokio::test]
async fn only_those_who_may_send_are_heard() {
    let allowed = vec![Sender {
        application: "LIS".into(),
        facility: "LAB".into(),
    }];
    let inbox = Inbox::new(|_| Answer::Accepted);
    let running = serve(
        Settings {
            allowed,
            ..Default::default()
        },
        Arc::clone(&inbox),
    )
    .await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    let stranger = b"MSH|^~\\&|LIS|OTHER|||||ORU^R01|7|P|2.5.1\rPID|1";
    assert_eq!(ask(&mut stream, stranger).await.text("MSA", 1), "AR");
    assert_eq!(inbox.count(), 0);
    assert_eq!(
        ask(&mut stream, &message("1").to_bytes())
            .await
            .text("MSA", 1),
        "AA"
    );
}

#[tokio::test]
async fn connections_are_counted_and_the_idle_ones_closed() {
    let settings = Settings {
        connections: 1,
        idle: Duration::from_millis(30),
        ..Default::default()
    };
    let running = serve(settings, Inbox::new(|_| Answer::Accepted)).await;
    let mut first = TcpStream::connect(running.addr).await.unwrap();
    assert_eq!(
        ask(&mut first, &message("1").to_bytes())
            .await
            .text("MSA", 1),
        "AA"
    );
    let mut second = TcpStream::connect(running.addr).await.unwrap();
    assert!(is_closed(&mut second).await);
    assert!(is_closed(&mut first).await, "silent for too long");
}

#[tokio::test]
async fn a_stop_lets_go_of_idle_connections() {
    let running = serve(Settings::default(), Inbox::new(|_| Answer::Accepted)).await;
    let mut stream = TcpStream::connect(running.addr).await.unwrap();
    ask(&mut stream, &message("1").to_bytes()).await;
    running.stop.send(()).unwrap();
    running.done.await.unwrap();
    assert!(is_closed(&mut stream).await);
    assert!(TcpStream::connect(running.addr).await.is_err());
}
