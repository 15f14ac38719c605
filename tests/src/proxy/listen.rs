//! The proxy's port: takes connections, and orders to let things go wrong.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{Arc, mpsc::Sender},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::UnboundedReceiver,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    Fault, Rule, Schedule, Shared,
    connection::{self, reset},
    fault::Setting,
};

/// What the owner of a proxy wants; `done` is told when it is so.
pub(super) enum Order {
    Set {
        rules: Vec<Rule>,
        done: Sender<()>,
    },
    Play {
        schedule: Schedule,
        done: Sender<()>,
    },
}

pub(super) struct Listen {
    shared: Arc<Shared>,
    address: SocketAddr,
    orders: UnboundedReceiver<Order>,
    /// Changes to come, with the pause before each.
    changes: VecDeque<(Duration, Vec<Rule>)>,
    /// When the first of them comes.
    next: Instant,
    connections: u64,
}

impl Listen {
    pub fn new(shared: Arc<Shared>, address: SocketAddr, orders: UnboundedReceiver<Order>) -> Self {
        Self {
            shared,
            address,
            orders,
            changes: VecDeque::new(),
            next: Instant::now(),
            connections: 0,
        }
    }

    /// Until nobody can give orders any more. Open connections end with it.
    pub async fn run(mut self, listener: std::net::TcpListener) {
        let mut listener = TcpListener::from_std(listener).ok();
        let mut open = JoinSet::new();
        loop {
            tokio::select! {
                order = self.orders.recv() => {
                    let Some(order) = order else { break };
                    self.obey(order, &mut listener).await;
                }
                () = sleep_until(self.next), if !self.changes.is_empty() => {
                    if let Some((_, rules)) = self.changes.pop_front() {
                        self.change(rules, &mut listener).await;
                    }
                    self.wait_for_next();
                }
                Some(client) = accept(listener.as_ref()) => self.take(client, &mut open),
                Some(_) = open.join_next() => {}
            }
        }
    }

    async fn obey(&mut self, order: Order, listener: &mut Option<TcpListener>) {
        self.changes.clear();
        let done = match order {
            Order::Set { rules, done } => {
                self.change(rules, listener).await;
                done
            }
            Order::Play { schedule, done } => {
                let mut pause = Duration::ZERO;
                for spell in schedule.0 {
                    self.changes.push_back((pause + spell.calm, spell.rules));
                    self.changes.push_back((spell.lasts, Vec::new()));
                    pause = Duration::ZERO;
                }
                self.wait_for_next();
                done
            }
        };
        // Whoever asked may have gone.
        let _ = done.send(());
    }

    fn wait_for_next(&mut self) {
        let pause = self.changes.front().map(|(pause, _)| *pause);
        self.next = Instant::now() + pause.unwrap_or_default();
    }

    async fn change(&mut self, rules: Vec<Rule>, listener: &mut Option<TcpListener>) {
        let number = self.shared.setting.borrow().number + 1;
        let setting = Arc::new(Setting { number, rules });
        let refuses = setting.refuses_all();
        self.shared.setting.send_replace(setting);
        if refuses {
            self.shared.count(|counts| counts.refused += 1);
            *listener = None;
        } else if listener.is_none() {
            *listener = Some(again(self.address).await);
        }
    }

    fn take(&mut self, client: TcpStream, open: &mut JoinSet<()>) {
        self.connections += 1;
        self.shared.count(|counts| counts.connections += 1);
        let setting = self.shared.setting.borrow().clone();
        let mut drawn = setting.drawn(self.shared.seed, self.connections, 0);
        if drawn.any(|fault| fault == Fault::Refuse) {
            self.shared.count(|counts| counts.refused += 1);
            reset(&client);
        } else {
            open.spawn(connection::serve(
                self.shared.clone(),
                self.connections,
                client,
            ));
        }
    }
}

/// The next client; never, while nobody listens. One that is gone again is nobody.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// Listens on the same port again. Somebody may have it for a moment: a client's own port.
async fn again(address: SocketAddr) -> TcpListener {
    loop {
        let bound: io::Result<TcpListener> = TcpListener::bind(address).await;
        match bound {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
