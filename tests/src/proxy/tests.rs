//! Each fault happens for real, over sockets.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use super::*;

/// Sends back what it gets.
struct Echo {
    address: SocketAddr,
    bytes: Arc<AtomicU64>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = Arc::new(AtomicU64::new(0));
        let count = bytes.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, count) = (stream.unwrap(), count.clone());
                thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while let Ok(n @ 1..) = stream.read(&mut buffer) {
                        count.fetch_add(n as u64, Ordering::SeqCst);
                        if stream.write_all(&buffer[..n]).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, bytes }
    }
}

fn proxy() -> (Echo, Proxy) {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.address, 7).unwrap();
    (echo, proxy)
}

fn client(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Whether nothing comes back, for as long as a test can wait for nothing.
fn is_silent(stream: &mut TcpStream, bytes: usize) -> bool {
    let patience = stream.read_timeout().unwrap();
    let short = Some(Duration::from_millis(300));
    stream.set_read_timeout(short).unwrap();
    let answer = ask(stream, bytes);
    stream.set_read_timeout(patience).unwrap();
    answer.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// A request of so many bytes and as much of its reply as comes.
fn ask(stream: &mut TcpStream, bytes: usize) -> io::Result<Vec<u8>> {
    stream.write_all(&vec![7; bytes])?;
    let mut reply = Vec::new();
    while reply.len() < bytes {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer)? {
            0 => break,
            n => reply.extend(&buffer[..n]),
        }
    }
    Ok(reply)
}

fn none() -> [Fault; 0] {
    []
}

fn kind(answer: io::Result<Vec<u8>>) -> ErrorKind {
    answer.expect_err("it went well").kind()
}

#[test]
fn without_faults_all_passes_and_an_end_is_passed_on() {
    let (_echo, proxy) = proxy();
    let mut stream = client(&proxy);
    assert_eq!(ask(&mut stream, 100_000).unwrap().len(), 100_000);
    stream.write_all(b"last").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"last");
    let counts = proxy.counts();
    assert_eq!((counts.bytes_out, counts.bytes_back), (100_004, 100_004));
    assert_eq!(counts.connections, 1);
}

#[test]
fn latency_makes_late_and_not_slow() {
    let (_echo, proxy) = proxy();
    let latency = Fault::Latency {
        ms: 200,
        jitter_ms: 10,
    };
    proxy.set([latency]);
    let mut stream = client(&proxy);
    let begun = Instant::now();
    ask(&mut stream, 1).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(400));
    // At least 19 pieces each way: if one waited for the other, this would take four seconds.
    let begun = Instant::now();
    assert_eq!(ask(&mut stream, 300_000).unwrap().len(), 300_000);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert!(proxy.counts().delayed >= 40);
}

#[test]
fn bandwidth_makes_slow() {
    let (_echo, proxy) = proxy();
    proxy.set([Fault::Bandwidth {
        bytes_per_s: 50_000,
    }]);
    let begun = Instant::now();
    ask(&mut client(&proxy), 10_000).unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert!(proxy.counts().slowed >= 2);
}

#[test]
fn refused_while_nobody_listens() {
    let (_echo, proxy) = proxy();
    let mut open = client(&proxy);
    ask(&mut open, 1).unwrap();
    proxy.set([Fault::Refuse]);
    let refused = TcpStream::connect(proxy.address()).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    ask(&mut open, 1).unwrap();
    proxy.set(none());
    ask(&mut client(&proxy), 1).unwrap();
    assert_eq!(proxy.counts().refused, 1);
}

#[test]
fn some_are_refused() {
    let (_echo, proxy) = proxy();
    proxy.set([Rule {
        fault: Fault::Refuse,
        chance: 0.5,
    }]);
    let answers = (0..40).map(|_| ask(&mut client(&proxy), 1).is_err());
    let failed = answers.filter(|failed| *failed).count() as u64;
    assert!((8..32).contains(&failed), "{failed}");
    assert_eq!(proxy.counts().refused, failed);
}

#[test]
fn reset_in_the_middle() {
    let (echo, proxy) = proxy();
    proxy.set([Fault::Reset { after: 1500 }]);
    let mut stream = client(&proxy);
    assert_eq!(kind(ask(&mut stream, 1000)), ErrorKind::ConnectionReset);
    assert_eq!(echo.bytes.load(Ordering::SeqCst), 1000);
    let counts = proxy.counts();
    assert_eq!((counts.reset, counts.bytes_back), (1, 500));
}

#[test]
fn a_black_hole_takes_connections_and_answers_nothing() {
    let (echo, proxy) = proxy();
    let mut before = client(&proxy);
    ask(&mut before, 1).unwrap();
    proxy.set([Fault::BlackHole]);
    let mut during = client(&proxy);
    for stream in [&mut before, &mut during] {
        assert!(is_silent(stream, 1));
    }
    assert_eq!(echo.bytes.load(Ordering::SeqCst), 1);
    assert_eq!(proxy.counts().stalled, 2);
    // What was on its way arrives when it is over.
    proxy.set(none());
    for stream in [&mut before, &mut during] {
        assert_eq!(stream.read(&mut [0; 9]).unwrap(), 1);
    }
}

#[test]
fn one_way_stalls() {
    let (echo, proxy) = proxy();
    let mut stream = client(&proxy);
    proxy.set([Fault::Stall { way: Way::Back }]);
    assert!(is_silent(&mut stream, 5));
    assert_eq!(echo.bytes.load(Ordering::SeqCst), 5);
    proxy.set([Fault::Stall { way: Way::Out }]);
    assert_eq!(stream.read(&mut [0; 9]).unwrap(), 5);
    assert!(is_silent(&mut stream, 5));
    assert_eq!(echo.bytes.load(Ordering::SeqCst), 5);
    assert_eq!(proxy.counts().stalled, 2);
}

#[test]
fn a_reply_is_lost_after_its_request_has_passed() {
    let (echo, proxy) = proxy();
    let mut stream = client(&proxy);
    ask(&mut stream, 10).unwrap();
    proxy.set([Fault::LoseReply]);
    assert_eq!(kind(ask(&mut stream, 10)), ErrorKind::ConnectionReset);
    assert_eq!(echo.bytes.load(Ordering::SeqCst), 20);
    let counts = proxy.counts();
    assert_eq!((counts.lost_replies, counts.bytes_back), (1, 10));
}

#[test]
fn a_reply_ends_early() {
    let (_echo, proxy) = proxy();
    proxy.set([Fault::Truncate { after: 300 }]);
    let reply = ask(&mut client(&proxy), 1000).unwrap();
    assert_eq!(reply.len(), 300);
    assert_eq!(proxy.counts().truncated, 1);
}

#[test]
fn bytes_come_twice_when_asked_for() {
    let (_echo, proxy) = proxy();
    proxy.set([Fault::Duplicate]);
    let mut stream = client(&proxy);
    stream.write_all(b"ab").unwrap();
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"abababab");
}

#[test]
fn the_same_seed_strikes_the_same_exchanges() {
    let rule = Rule {
        fault: Fault::LoseReply,
        chance: 0.3,
    };
    let struck = |seed| {
        let proxy = Proxy::start(Echo::start().address, seed).unwrap();
        proxy.set([rule]);
        let mut stream = client(&proxy);
        let mut struck = Vec::new();
        for _ in 0..40 {
            let lost = ask(&mut stream, 8).is_err();
            if lost {
                stream = client(&proxy);
            }
            struck.push(lost);
        }
        assert!(proxy.counts().lost_replies > 3);
        struck
    };
    assert_eq!(struck(3), struck(3));
    assert_ne!(struck(3), struck(4));
}

#[test]
fn a_schedule_plays_and_is_over() {
    let (_echo, proxy) = proxy();
    let spell = |fault: Fault| Spell {
        calm: Duration::from_millis(50),
        rules: vec![fault.into()],
        lasts: Duration::from_millis(150),
    };
    proxy.play(Schedule(vec![
        spell(Fault::LoseReply),
        spell(Fault::Refuse),
    ]));
    let until = Instant::now() + Duration::from_secs(20);
    let mut failed = 0;
    while proxy.counts().refused == 0 || TcpStream::connect(proxy.address()).is_err() {
        assert!(Instant::now() < until, "{:?}", proxy.counts());
        let answer = TcpStream::connect(proxy.address()).and_then(|mut stream| ask(&mut stream, 1));
        failed += u64::from(answer.is_err());
    }
    assert!(failed > 1 && proxy.counts().lost_replies > 0);
    ask(&mut client(&proxy), 1).unwrap();
}

#[test]
fn nobody_listens_after_the_end_and_a_target_that_is_away_is_a_reset() {
    let (_echo, proxy) = proxy();
    let away = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    proxy.forward_to(away);
    assert!(matches!(
        kind(ask(&mut client(&proxy), 1)),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe
    ));
    let address = proxy.address();
    drop(proxy);
    assert!(TcpStream::connect(address).is_err());
}
