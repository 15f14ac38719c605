//! The way to the server, which a test can cut.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs as _},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use halsonav_storage::Place;

use crate::world::Schema;

#[derive(Default)]
struct Way {
    /// Nobody gets through, as when the server is stopped.
    closed: AtomicBool,
    /// A COMMIT gets through, and its answer does not.
    mute: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

/// Listens, and passes on what it hears.
#[derive(Clone)]
pub struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
}

impl Proxy {
    pub fn new(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(Way::default());
        let shared = way.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                if shared.closed.load(Ordering::SeqCst) {
                    continue;
                }
                pass(
                    client.unwrap(),
                    TcpStream::connect(server).unwrap(),
                    &shared,
                );
            }
        });
        Self { address, way }
    }

    /// The server stops: every connection ends, and no new one is made.
    pub fn stop(&self) {
        self.way.closed.store(true, Ordering::SeqCst);
        self.cut();
    }

    pub fn start(&self) {
        self.way.closed.store(false, Ordering::SeqCst);
    }

    /// Every connection ends.
    pub fn cut(&self) {
        for stream in self.way.open.lock().unwrap().drain(..) {
            stream.shutdown(Shutdown::Both).ok();
        }
    }

    /// The next COMMIT is done, and its answer lost.
    pub fn lose_the_next_answer(&self) {
        self.way.mute.store(true, Ordering::SeqCst);
    }
}

fn pass(client: TcpStream, server: TcpStream, way: &Arc<Way>) {
    let mut open = way.open.lock().unwrap();
    open.push(client.try_clone().unwrap());
    open.push(server.try_clone().unwrap());
    drop(open);
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let own = way.clone();
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            let heard = &bytes[..n];
            let commits = heard.windows(6).any(|part| part == b"COMMIT");
            if commits && own.mute.swap(false, Ordering::SeqCst) {
                // What the server answers now nobody hears.
                from.shutdown(Shutdown::Both).ok();
                to.write_all(heard).ok();
                thread::sleep(Duration::from_millis(200));
                break;
            }
            if to.write_all(heard).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        std::io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Both).ok();
    });
}

/// The place of a schema by way of a proxy; `None` for a server that is not reached over TCP.
pub fn by_proxy(schema: &Schema) -> Option<(Proxy, Place)> {
    let url = schema.url();
    let (user, rest) = url.split_once('@')?;
    let (server, path) = rest.split_once('/')?;
    let address = if server.contains(':') {
        server.to_socket_addrs().ok()?.next()?
    } else {
        format!("{server}:5432").to_socket_addrs().ok()?.next()?
    };
    let proxy = Proxy::new(address);
    let url = format!("{user}@{}/{path}", proxy.address);
    Some((proxy, Schema::place(url)))
}
