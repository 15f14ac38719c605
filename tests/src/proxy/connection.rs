//! One connection through the proxy: two ways, each with a reader and a writer that lets pieces wait.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::{
        mpsc::{Receiver, Sender, channel},
        watch,
    },
    time::{Instant, sleep, sleep_until},
};

use super::{Fault, Shared, Way, fault::Setting, lock, seed};

const PIECE: usize = 16 * 1024;
/// Pieces that may be under way at once, one way.
const UNDER_WAY: usize = 256;

/// What a reader hands to its writer.
struct Piece {
    read: Instant,
    exchange: u64,
    what: What,
}

enum What {
    Bytes(Vec<u8>),
    /// The sender will send no more.
    End,
    /// The sender is gone.
    Gone,
}

/// A request with its reply: it begins when bytes go out after bytes came back.
#[derive(Default)]
struct Exchange {
    number: u64,
    replied: bool,
    out: u64,
    back: u64,
}

/// Why both ways end before their senders do.
enum Cut {
    Reset,
    Close,
}

impl From<io::Error> for Cut {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

/// The connection, as far as both ways need it.
struct Connection {
    shared: Arc<Shared>,
    number: u64,
    exchange: Mutex<Exchange>,
}

/// Carries what passes until both ends have ended, or something cuts it.
pub(super) async fn serve(shared: Arc<Shared>, number: u64, mut client: TcpStream) {
    let connection = Connection {
        shared,
        number,
        exchange: Mutex::default(),
    };
    connection.wait_for_the_hole_to_end().await;
    let address = *lock(&connection.shared.target);
    let Ok(mut target) = TcpStream::connect(address).await else {
        reset(&client);
        return;
    };
    // Small pieces are passed as they come.
    let _ = (client.set_nodelay(true), target.set_nodelay(true));
    let cut = {
        let ((from_client, to_client), (from_target, to_target)) = (client.split(), target.split());
        let out = connection.carry(Way::Out, from_client, to_target);
        let back = connection.carry(Way::Back, from_target, to_client);
        tokio::try_join!(out, back).err()
    };
    if matches!(cut, Some(Cut::Reset)) {
        reset(&client);
        reset(&target);
    }
}

/// The other end gets a reset instead of an end when this is dropped.
pub(super) fn reset(stream: &TcpStream) {
    // If it fails the other end is gone already.
    let _ = stream.set_zero_linger();
}

impl Connection {
    async fn carry(&self, way: Way, from: ReadHalf<'_>, to: WriteHalf<'_>) -> Result<(), Cut> {
        let (sender, receiver) = channel(UNDER_WAY);
        tokio::try_join!(self.read(way, from, sender), self.write(way, to, receiver)).map(drop)
    }

    async fn read(&self, way: Way, mut from: ReadHalf<'_>, to: Sender<Piece>) -> Result<(), Cut> {
        let mut buffer = vec![0; PIECE];
        loop {
            let what = match from.read(&mut buffer).await {
                Ok(0) => What::End,
                Ok(n) => What::Bytes(buffer[..n].to_vec()),
                Err(_) => What::Gone,
            };
            let more = matches!(what, What::Bytes(_));
            let piece = Piece {
                read: Instant::now(),
                exchange: self.exchange_of(way, more),
                what,
            };
            // The writer ends only with an error of its own, which is told.
            if to.send(piece).await.is_err() || !more {
                return Ok(());
            }
        }
    }

    fn exchange_of(&self, way: Way, bytes: bool) -> u64 {
        let mut exchange = lock(&self.exchange);
        match way {
            Way::Out if exchange.replied && bytes => {
                *exchange = Exchange {
                    number: exchange.number + 1,
                    ..Exchange::default()
                }
            }
            Way::Out => {}
            Way::Back => exchange.replied = true,
        }
        exchange.number
    }

    async fn write(
        &self,
        way: Way,
        mut to: WriteHalf<'_>,
        mut from: Receiver<Piece>,
    ) -> Result<(), Cut> {
        let mut setting = self.shared.setting.subscribe();
        let mut pieces = 0;
        while let Some(piece) = from.recv().await {
            pieces += 1;
            let faults = self.wait_out(way, &piece, &mut setting).await;
            self.delay(&piece, pieces, &faults).await;
            match piece.what {
                What::Bytes(bytes) => self.pass(way, &mut to, &bytes, &faults).await?,
                // It fails when that end is gone; the other way finds out.
                What::End => to.shutdown().await.unwrap_or_default(),
                What::Gone => return Err(Cut::Reset),
            }
        }
        Ok(())
    }

    /// Waits while this way is stalled; then the other faults of the piece.
    async fn wait_out(
        &self,
        way: Way,
        piece: &Piece,
        setting: &mut watch::Receiver<Arc<Setting>>,
    ) -> Vec<Fault> {
        let drawn = |setting: &Setting| -> Vec<Fault> {
            let drawn = setting.drawn(self.shared.seed, self.number, piece.exchange);
            drawn.collect()
        };
        let stalls =
            |fault: &Fault| matches!(fault, Fault::BlackHole) || *fault == Fault::Stall { way };
        let mut faults = drawn(&setting.borrow_and_update());
        if faults.iter().any(stalls) {
            self.shared.count(|counts| counts.stalled += 1);
        }
        while faults.iter().any(stalls) && setting.changed().await.is_ok() {
            faults = drawn(&setting.borrow_and_update());
        }
        faults
    }

    async fn wait_for_the_hole_to_end(&self) {
        let mut setting = self.shared.setting.subscribe();
        let hole = |setting: &Arc<Setting>| {
            let mut drawn = setting.drawn(self.shared.seed, self.number, 0);
            drawn.any(|fault| fault == Fault::BlackHole)
        };
        if hole(&setting.borrow()) {
            self.shared.count(|counts| counts.stalled += 1);
            // It fails only when the proxy ends.
            let _ = setting.wait_for(|setting| !hole(setting)).await;
        }
    }

    async fn delay(&self, piece: &Piece, nth: u64, faults: &[Fault]) {
        for fault in faults {
            if let Fault::Latency { ms, jitter_ms } = fault {
                let words = [self.number, piece.exchange, nth];
                let ms =
                    seed::between(self.shared.seed, &words, *ms, ms.saturating_add(*jitter_ms));
                self.shared.count(|counts| counts.delayed += 1);
                sleep_until(piece.read + Duration::from_millis(ms)).await;
            }
        }
    }

    /// As many of the bytes as the faults let pass.
    async fn pass(
        &self,
        way: Way,
        to: &mut WriteHalf<'_>,
        bytes: &[u8],
        faults: &[Fault],
    ) -> Result<(), Cut> {
        let (out, back) = {
            let exchange = lock(&self.exchange);
            (exchange.out, exchange.back)
        };
        let fits = |after: u64, passed: u64| {
            let left = usize::try_from(after.saturating_sub(passed)).unwrap_or(usize::MAX);
            (left < bytes.len()).then_some(left)
        };
        for fault in faults {
            match *fault {
                Fault::LoseReply if way == Way::Back => {
                    self.shared.count(|counts| counts.lost_replies += 1);
                    return Err(Cut::Reset);
                }
                Fault::Reset { after } => {
                    if let Some(left) = fits(after, out + back) {
                        self.put(way, to, &bytes[..left], faults).await?;
                        self.shared.count(|counts| counts.reset += 1);
                        return Err(Cut::Reset);
                    }
                }
                Fault::Truncate { after } if way == Way::Back => {
                    if let Some(left) = fits(after, back) {
                        self.put(way, to, &bytes[..left], faults).await?;
                        self.shared.count(|counts| counts.truncated += 1);
                        to.shutdown().await?;
                        return Err(Cut::Close);
                    }
                }
                Fault::Duplicate => {
                    self.shared.count(|counts| counts.duplicated += 1);
                    self.put(way, to, bytes, faults).await?;
                }
                _ => {}
            }
        }
        self.put(way, to, bytes, faults).await
    }

    /// All of the bytes, as fast as the bandwidth allows.
    async fn put(
        &self,
        way: Way,
        to: &mut WriteHalf<'_>,
        bytes: &[u8],
        faults: &[Fault],
    ) -> Result<(), Cut> {
        let bandwidth = faults.iter().find_map(|fault| match fault {
            Fault::Bandwidth { bytes_per_s } => Some((*bytes_per_s).max(1)),
            _ => None,
        });
        if let Some(bytes_per_s) = bandwidth {
            self.shared.count(|counts| counts.slowed += 1);
            let slice = usize::try_from(bytes_per_s / 20).unwrap_or(PIECE).max(1);
            for bytes in bytes.chunks(slice) {
                let nanos = bytes.len() as u64 * 1_000_000_000 / bytes_per_s;
                sleep(Duration::from_nanos(nanos)).await;
                to.write_all(bytes).await?;
            }
        } else {
            to.write_all(bytes).await?;
        }
        let mut exchange = lock(&self.exchange);
        let passed = bytes.len() as u64;
        match way {
            Way::Out => exchange.out += passed,
            Way::Back => exchange.back += passed,
        }
        drop(exchange);
        self.shared.count(|counts| match way {
            Way::Out => counts.bytes_out += passed,
            Way::Back => counts.bytes_back += passed,
        });
        Ok(())
    }
}
