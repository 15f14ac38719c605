//! Client and server over real sockets, against peers that behave and peers that do not.
#![allow(clippy::unwrap_used)]

mod client;
mod corpus;
mod server;
mod tls;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use halsonav_domain::Timestamp;
use halsonav_hl7::{Answer, Handler, Message, Server, Settings};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

type Verdict = Box<dyn Fn(&Message) -> Answer + Send + Sync>;

/// Remembers what it got, and answers by a function.
struct Inbox {
    got: Mutex<Vec<Message>>,
    verdict: Verdict,
}

impl Inbox {
    fn new(verdict: impl Fn(&Message) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            got: Mutex::default(),
            verdict: Box::new(verdict),
        })
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

#[async_trait]
impl Handler for Inbox {
    async fn handle(&self, message: &Message) -> Answer {
        self.got.lock().unwrap().push(message.clone());
        (self.verdict)(message)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn serve(settings: Settings, inbox: Arc<Inbox>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = Server::new(settings, inbox);
    let done = tokio::spawn(server.serve(listener, async {
        let _ = stopped.await;
    }));
    Running { addr, stop, done }
}

fn message(id: &str) -> Message {
    let text =
        format!("MSH|^~\\&|LIS|LAB|HUB|R|20261123072500||ORU^R01^ORU_R01|{id}|P|2.5.1\rPID|1||1");
    Message::parse(text.as_bytes()).unwrap()
}
