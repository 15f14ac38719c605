//! The judge of fault tests, in a process of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use halsonav_tests::{
    judge::{Answer, Behaviour, Judge, Mode},
    proxy::{Fault, Proxy},
};
use serde_json::Value;

/// Status and content of the answer, if one comes.
fn call(judge: SocketAddr, head: &str, body: &str) -> Option<(u16, Value)> {
    let length = body.len();
    let mut stream = TcpStream::connect(judge).ok()?;
    write!(
        stream,
        "{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let status = answer.get(9..12)?.parse().ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    Some((status, serde_json::from_str(body).unwrap_or_default()))
}

fn ask(judge: SocketAddr, key: &str, body: &str) -> Option<u16> {
    let head = format!("POST /effects/letters HTTP/1.1\r\nIdempotency-Key: {key}");
    call(judge, &head, body).map(|(status, _)| status)
}

fn knows(judge: SocketAddr, key: &str) -> u16 {
    let head = format!("GET /effects/letters/{key} HTTP/1.1");
    call(judge, &head, "").expect("it answers").0
}

fn judge(folder: &Path, mode: Mode) -> Judge {
    let program = Path::new(env!("CARGO_BIN_EXE_judge"));
    Judge::start(program, &folder.join("ledger"), mode).unwrap()
}

#[test]
fn it_keeps_what_reached_it_over_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut judge = judge(folder.path(), Mode::Dedup);
    let at = judge.address();
    assert_eq!(ask(at, "1", "å"), Some(200));
    assert_eq!(ask(at, "1", "å"), Some(200));
    assert_eq!(ask(at, "1", "ä"), Some(409));
    judge.kill().unwrap();
    judge.start_again().unwrap();
    assert_eq!(ask(at, "1", "å"), Some(200));
    assert_eq!((knows(at, "1"), knows(at, "2")), (200, 404));
    assert_eq!(
        call(at, "POST /effects/letters HTTP/1.1", "").unwrap().0,
        400
    );
    let verdict = judge.verdict().unwrap();
    assert_eq!((verdict.entries.len(), verdict.total()), (5, 1));
    assert_eq!((verdict.twice.len(), verdict.changed.len()), (0, 1));
    let (status, told) = call(at, "GET /ledger HTTP/1.1", "").unwrap();
    assert_eq!(status, 200);
    assert_eq!(told, serde_json::to_value(verdict).unwrap());
}

#[test]
fn it_does_and_does_not_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let judge = judge(folder.path(), Mode::NoDedup);
    let at = judge.address();
    let with = |change: fn(&mut Behaviour)| {
        let mut behaviour = Behaviour::default();
        change(&mut behaviour);
        judge.behave(&behaviour).unwrap();
    };
    with(|b| b.drop_after = 1.0);
    assert_eq!((ask(at, "1", ""), knows(at, "1")), (None, 200));
    with(|b| b.drop_before = 1.0);
    assert_eq!((ask(at, "2", ""), knows(at, "2")), (None, 404));
    with(|b| b.fail_before = 1.0);
    assert_eq!((ask(at, "3", ""), knows(at, "3")), (Some(503), 404));
    with(|b| b.fail_after = 1.0);
    assert_eq!((ask(at, "4", ""), knows(at, "4")), (Some(500), 200));
    with(|b| b.refuse = 1.0);
    assert_eq!((ask(at, "5", ""), knows(at, "5")), (Some(422), 404));
    with(|b| b.delay_ms = 100);
    let begun = Instant::now();
    assert_eq!(ask(at, "1", ""), Some(200));
    assert!(begun.elapsed() >= Duration::from_millis(100));
    let verdict = judge.verdict().unwrap();
    assert_eq!(verdict.twice, [("letters".to_owned(), "1".to_owned())]);
    assert_eq!(verdict.answers[&Answer::DroppedAfter], 1);
}

/// What the two are for: 200 requests, of which many lose their answers on the way, each asked again
/// until it is answered. A neighbour that knows its keys has done each once, another has not.
#[test]
fn lost_answers_make_doubles_only_where_keys_are_not_known() {
    for mode in [Mode::Dedup, Mode::NoDedup] {
        let folder = tempfile::tempdir().unwrap();
        let judge = judge(folder.path(), mode);
        let proxy = Proxy::start(judge.address(), 11).unwrap();
        proxy.set([halsonav_tests::proxy::Rule {
            fault: Fault::LoseReply,
            chance: 0.3,
        }]);
        thread::scope(|scope| {
            for lane in 0..4 {
                let at = proxy.address();
                scope.spawn(move || {
                    for n in 0..50 {
                        while ask(at, &format!("{lane}-{n}"), "x").is_none() {}
                    }
                });
            }
        });
        let (verdict, lost) = (judge.verdict().unwrap(), proxy.counts().lost_replies);
        assert!(lost > 40, "{lost}");
        assert_eq!(verdict.effects["letters"].len(), 200);
        assert_eq!(verdict.entries.len() as u64, 200 + lost);
        let doubles = verdict.total() - 200;
        assert_eq!(doubles, if mode == Mode::Dedup { 0 } else { lost });
    }
}
