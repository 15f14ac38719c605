//! A laboratory information system: HL7 v2.5.1 over MLLP, orders in and results out.

use std::{
    collections::{HashMap, HashSet},
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, Timestamp};
use halsonav_hl7::{Ack, Client, Endpoint, Message, SendError};
use serde::{Deserialize, Serialize};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{faults::Faults, tape::Tape};

mod plausible;
mod serve;
mod wire;

pub use plausible::plausible;

/// How the lab is set up.
pub struct Settings {
    /// Where orders and answers are remembered.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it listens for orders.
    pub listen: SocketAddr,
    /// Where results go; may be set later.
    pub target: Option<SocketAddr>,
    /// Makes the values of [`Lab::answer_plausibly`].
    pub seed: u64,
}

impl Settings {
    /// A free port of the loopback address, and no target yet.
    #[must_use]
    pub fn new(tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            tape,
            clock,
            listen,
            target: None,
            seed: 1,
        }
    }
}

/// An order as it was received.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Placer order number.
    pub number: String,
    /// Personal identity number.
    pub person: String,
    /// OID of the number.
    pub authority: String,
    /// Surname and given name.
    pub name: String,
    /// What was asked for, in order.
    pub analyses: Vec<String>,
    /// TQ1-7.
    pub planned: String,
    /// NTE-3.
    pub comment: String,
    /// HSA-id of the ordering unit.
    pub unit: String,
    /// MSH-10.
    pub control_id: String,
    /// When it came.
    pub received: Timestamp,
    /// Withdrawn since.
    pub cancelled: bool,
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({}, {:?}, redacted)", self.number, self.analyses)
    }
}

/// A line of the tape.
#[derive(Clone, Serialize, Deserialize)]
enum Entry {
    Ordered(Order),
    Cancelled {
        number: String,
    },
    Sent {
        control_id: String,
        number: String,
        text: String,
    },
    Acknowledged {
        control_id: String,
    },
}

/// Why a result was not delivered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is no such order.
    #[error("no such order")]
    NoOrder,
    /// Nobody has said where results go.
    #[error("no target")]
    NoTarget,
    /// The hub could not be asked, or did not answer.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The tape cannot be written.
    #[error(transparent)]
    Tape(#[from] io::Error),
}

/// A running lab. It stops when dropped.
pub struct Lab {
    shared: Arc<Shared>,
    addr: SocketAddr,
    accepting: JoinHandle<()>,
    sender: Mutex<Option<Arc<Client>>>,
    seed: u64,
}

struct Shared {
    tape: Tape<Entry>,
    clock: Arc<dyn Clock>,
    faults: Faults,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    orders: Vec<Order>,
    by_number: HashMap<String, usize>,
    /// Results that were sent: control id and text, in order.
    sent: Vec<(String, String)>,
    acknowledged: HashSet<String>,
    answered: HashSet<String>,
}

impl State {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Ordered(order) => {
                self.by_number
                    .insert(order.number.clone(), self.orders.len());
                self.orders.push(order);
            }
            Entry::Cancelled { number } => {
                if let Some(index) = self.by_number.get(&number) {
                    self.orders[*index].cancelled = true;
                }
            }
            Entry::Sent {
                control_id,
                number,
                text,
            } => {
                self.answered.insert(number);
                self.sent.push((control_id, text));
            }
            Entry::Acknowledged { control_id } => {
                self.acknowledged.insert(control_id);
            }
        }
    }

    fn order(&self, number: &str) -> Option<&Order> {
        self.by_number.get(number).map(|index| &self.orders[*index])
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On the tape first, then in mind.
    fn note(&self, state: &mut State, entry: Entry) -> io::Result<()> {
        self.tape.append(&entry)?;
        state.apply(entry);
        Ok(())
    }
}

/// What a lab sends of one analysis.
#[derive(Clone, PartialEq, Debug)]
pub struct Value {
    /// NPU code.
    pub code: String,
    /// The number.
    pub value: f64,
    /// Unit.
    pub unit: String,
}

impl Value {
    /// A value.
    #[must_use]
    pub fn new(code: &str, value: f64, unit: &str) -> Self {
        Self {
            code: code.to_owned(),
            value,
            unit: unit.to_owned(),
        }
    }
}

impl Lab {
    /// Plays the tape back and listens.
    ///
    /// # Errors
    /// When the tape cannot be used or the address cannot be bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, entries) = Tape::open(&settings.tape)?;
        let mut state = State::default();
        entries.into_iter().for_each(|entry| state.apply(entry));
        let listener = TcpListener::bind(settings.listen).await?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared {
            tape,
            clock: settings.clock,
            faults: Faults::default(),
            state: Mutex::new(state),
        });
        let accepting = tokio::spawn(serve::serve(listener, Arc::clone(&shared)));
        Ok(Self {
            sender: Mutex::new(settings.target.map(sender)),
            seed: settings.seed,
            shared,
            addr,
            accepting,
        })
    }

    /// Where it listens for orders.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Misbehaviour to come.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Says where results go from now on.
    pub fn set_target(&self, target: SocketAddr) {
        *self.sender.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender(target));
    }

    /// All orders, oldest first.
    #[must_use]
    pub fn orders(&self) -> Vec<Order> {
        self.shared.state().orders.clone()
    }

    /// One order.
    #[must_use]
    pub fn order(&self, number: &str) -> Option<Order> {
        self.shared.state().order(number).cloned()
    }

    /// How many orders there are, withdrawn ones counted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.state().orders.len()
    }

    /// Orders beyond the first of one person, those withdrawn not counted.
    #[must_use]
    pub fn ordered_twice(&self) -> usize {
        let state = self.shared.state();
        let mut seen = HashSet::new();
        let standing = state.orders.iter().filter(|order| !order.cancelled);
        standing.filter(|order| !seen.insert(&order.person)).count()
    }

    /// Orders that are neither withdrawn nor answered, oldest first.
    #[must_use]
    pub fn waiting(&self) -> Vec<Order> {
        let state = self.shared.state();
        let waits = |order: &&Order| !order.cancelled && !state.answered.contains(&order.number);
        state.orders.iter().filter(waits).cloned().collect()
    }

    /// Results that were sent and not acknowledged.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        let state = self.shared.state();
        state
            .sent
            .iter()
            .filter(|(id, _)| !state.acknowledged.contains(id))
            .count()
    }

    /// Sends a result and waits for its acknowledgement. `partial` values are preliminary.
    ///
    /// # Errors
    /// [`AnswerError`]; a result that was not acknowledged is remembered for [`Lab::resend`].
    pub async fn answer(
        &self,
        number: &str,
        values: &[Value],
        partial: bool,
    ) -> Result<Ack, AnswerError> {
        let (control_id, message) = {
            let mut state = self.shared.state();
            let order = state.order(number).ok_or(AnswerError::NoOrder)?;
            let control_id = format!("R{}", state.sent.len() + 1);
            let message =
                wire::result(order, values, partial, &control_id, self.shared.clock.now());
            let text = String::from_utf8_lossy(&message.to_bytes()).into_owned();
            let entry = Entry::Sent {
                control_id: control_id.clone(),
                number: number.to_owned(),
                text,
            };
            self.shared.note(&mut state, entry)?;
            (control_id, message)
        };
        self.deliver(&control_id, &message).await
    }

    /// Answers an order with a likely value for each analysis.
    ///
    /// # Errors
    /// As [`Lab::answer`].
    pub async fn answer_plausibly(&self, number: &str) -> Result<Ack, AnswerError> {
        let order = self.order(number).ok_or(AnswerError::NoOrder)?;
        let values: Vec<_> = order
            .analyses
            .iter()
            .map(|code| plausible(self.seed, &order.person, code))
            .collect();
        self.answer(number, &values, false).await
    }

    /// Sends again what was not acknowledged, to the byte; answers how many now are.
    ///
    /// # Errors
    /// As [`Lab::answer`], at the first that cannot be sent.
    pub async fn resend(&self) -> Result<usize, AnswerError> {
        let waiting: Vec<_> = {
            let state = self.shared.state();
            let open = |(id, _): &&(String, String)| !state.acknowledged.contains(id);
            state.sent.iter().filter(open).cloned().collect()
        };
        let mut done = 0;
        for (control_id, text) in waiting {
            let message = Message::parse(text.as_bytes()).map_err(io::Error::other)?;
            let ack = self.deliver(&control_id, &message).await?;
            done += usize::from(ack.code.is_accepted());
        }
        Ok(done)
    }

    async fn deliver(&self, control_id: &str, message: &Message) -> Result<Ack, AnswerError> {
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let ack = sender.ok_or(AnswerError::NoTarget)?.send(message).await?;
        if ack.code.is_accepted() {
            let entry = Entry::Acknowledged {
                control_id: control_id.to_owned(),
            };
            self.shared.note(&mut self.shared.state(), entry)?;
        }
        Ok(ack)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn sender(target: SocketAddr) -> Arc<Client> {
    Arc::new(Client::new(Endpoint::new(
        target.ip().to_string(),
        target.port(),
    )))
}
