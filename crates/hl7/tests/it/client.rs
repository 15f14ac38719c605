use std::time::Duration;

use halsonav_hl7::{Client, Code, Doubt, Endpoint, SendError, mllp};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::message;

/// A peer that answers the n-th message of the n-th connection with what the script says.
/// `None` in the script closes the connection.
async fn peer(script: Vec<Vec<Option<String>>>) -> (Client, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (heard, got) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for answers in script {
            let (mut stream, _) = listener.accept().await.unwrap();
            one(&mut stream, answers, &heard).await;
        }
    });
    let mut endpoint = Endpoint::new(addr.ip().to_string(), addr.port());
    endpoint.ack_timeout = Duration::from_secs(20);
    (Client::new(endpoint), got)
}

async fn one(
    stream: &mut TcpStream,
    answers: Vec<Option<String>>,
    heard: &mpsc::UnboundedSender<String>,
) {
    let mut framer = mllp::Framer::new(1 << 20);
    for answer in answers {
        let Ok(Some(frame)) = mllp::read_frame(stream, &mut framer).await else {
            return;
        };
        let text = String::from_utf8(frame.to_vec()).unwrap();
        heard
            .send(text.split('|').nth(9).unwrap().to_owned())
            .unwrap();
        match answer {
            Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
            None => return,
        }
    }
    // Wait for the other side to close, so that the answer is not lost with the connection.
    let _ = mllp::read_frame(stream, &mut framer).await;
}

fn ack(code: &str, id: &str) -> Option<String> {
    Some(format!(
        "\u{b}MSH|^~\\&|||||||ACK|x|P|2.5.1\rMSA|{code}|{id}\r\u{1c}\r"
    ))
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let (client, mut got) = peer(vec![vec![ack("AA", "1"), ack("CE", "2"), ack("AR", "3")]]).await;
    for (id, code) in [("1", Code::AA), ("2", Code::CE), ("3", Code::AR)] {
        assert_eq!(client.send(&message(id)).await.unwrap().code, code);
        assert_eq!(got.recv().await.unwrap(), id);
    }
}

#[tokio::test]
async fn a_foreign_ack_completes_nothing_and_ends_the_connection() {
    let script = vec![vec![ack("AA", "other")], vec![ack("AA", "2")]];
    let (client, _got) = peer(script).await;
    let first = client.send(&message("1")).await;
    assert!(
        matches!(first, Err(SendError::Unknown(Doubt::Foreign))),
        "{first:?}"
    );
    assert_eq!(client.send(&message("2")).await.unwrap().code, Code::AA);
}

#[tokio::test]
async fn a_second_ack_that_comes_late_completes_nothing() {
    // The first answer is followed by one for the second message, which the peer has not got yet.
    let both = Some([ack("AA", "1").unwrap(), ack("AA", "2").unwrap()].concat());
    let (client, mut got) = peer(vec![vec![both], vec![ack("AE", "2")]]).await;
    assert_eq!(client.send(&message("1")).await.unwrap().code, Code::AA);
    assert_eq!(
        client.send(&message("2")).await.unwrap().code,
        Code::AE,
        "asked on a new connection"
    );
    assert_eq!(
        (got.recv().await.unwrap(), got.recv().await.unwrap()),
        ("1".to_owned(), "2".to_owned())
    );
}

#[tokio::test]
async fn a_lost_ack_is_unknown() {
    let (client, _got) = peer(vec![vec![None]]).await;
    let lost = client.send(&message("1")).await;
    assert!(
        matches!(lost, Err(SendError::Unknown(Doubt::Closed))),
        "{lost:?}"
    );
}

#[tokio::test]
async fn silence_is_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let mut endpoint = Endpoint::new(addr.ip().to_string(), addr.port());
    endpoint.ack_timeout = Duration::from_millis(20);
    // The kernel takes the connection and the bytes; nobody reads them.
    let silent = Client::new(endpoint).send(&message("1")).await;
    assert!(
        matches!(silent, Err(SendError::Unknown(Doubt::Late))),
        "{silent:?}"
    );
}

#[tokio::test]
async fn rubbish_is_unknown() {
    for rubbish in [
        "\u{b}HTTP/1.1 400\u{1c}\r",
        "\u{b}MSH|^~\\&|||||||ACK|1\u{1c}\r",
        "\u{b}MSH\u{b}",
    ] {
        let (client, _got) = peer(vec![vec![Some(rubbish.to_owned())]]).await;
        let answer = client.send(&message("1")).await;
        assert!(
            matches!(answer, Err(SendError::Unknown(Doubt::NotAnAck))),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let client = Client::new(Endpoint::new("127.0.0.1", port));
    assert!(matches!(
        client.send(&message("1")).await,
        Err(SendError::NotSent(_))
    ));
    assert!(client.check().await.is_err());
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used() {
    let (client, mut got) = peer(vec![vec![ack("AA", "1"), None], vec![ack("AA", "3")]]).await;
    client.send(&message("1")).await.unwrap();
    assert!(client.send(&message("2")).await.is_err());
    assert_eq!(client.send(&message("3")).await.unwrap().code, Code::AA);
    assert_eq!(got.recv().await.as_deref(), Some("1"));
}
