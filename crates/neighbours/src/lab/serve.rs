//! The lab's end of the wire.

use std::{io, sync::Arc};

use halsonav_hl7::{Message, mllp};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{
    Entry, Shared,
    wire::{self, Request},
};
use crate::faults::Fault;

/// Accepts until it is aborted; its connections end with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                Err(error) => return tracing::warn!(%error, "the lab cannot accept"),
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut framer = mllp::Framer::new(256 << 10);
    while let Ok(Some(frame)) = mllp::read_frame(&mut stream, &mut framer).await {
        let answer = match respond(&frame, &shared) {
            Ok(Some(answer)) => answer,
            Ok(None) => return,
            Err(error) => return tracing::warn!(%error, "the lab cannot remember"),
        };
        if stream.write_all(&mllp::frame(&answer)).await.is_err() {
            return;
        }
    }
}

/// The answer's bytes; `None` drops the connection.
fn respond(frame: &[u8], shared: &Shared) -> io::Result<Option<Vec<u8>>> {
    let now = shared.clock.now();
    let Ok(message) = Message::parse(frame) else {
        return Ok(None);
    };
    let id = message.control_id();
    let refuse = |code| wire::ack(&message, code, id, None, now).to_bytes();
    match shared.faults.take() {
        None => act(&message, shared).map(|answer| Some(answer.to_bytes())),
        Some(Fault::LoseAnswer) => act(&message, shared).map(|_| None),
        Some(Fault::WrongAnswer) => {
            act(&message, shared)?;
            Ok(Some(
                wire::ack(&message, "AA", "SOMEONE-ELSE", None, now).to_bytes(),
            ))
        }
        Some(Fault::DropRequest) => Ok(None),
        Some(Fault::Technical) => Ok(Some(refuse("AE"))),
        Some(Fault::Logical) => Ok(Some(refuse("AR"))),
        Some(Fault::Garbage) => Ok(Some(b"HTTP/1.1 502 Bad Gateway".to_vec())),
    }
}

fn act(message: &Message, shared: &Shared) -> io::Result<Message> {
    let now = shared.clock.now();
    let id = message.control_id();
    let mut state = shared.state();
    match wire::request(message, now) {
        Request::Order(order) => {
            // A number that is known is the same order, come again.
            if state.order(&order.number).is_none() {
                shared.note(&mut state, Entry::Ordered(*order))?;
            }
            Ok(wire::ack(message, "AA", id, None, now))
        }
        Request::Cancel(number) => {
            let Some(order) = state.order(&number) else {
                return Ok(wire::ack(
                    message,
                    "AR",
                    id,
                    Some(("204", "no such order")),
                    now,
                ));
            };
            let cancelled = order.cancelled;
            let control = if state.answered.contains(&number) {
                "UC"
            } else {
                "CR"
            };
            if control == "CR" && !cancelled {
                shared.note(
                    &mut state,
                    Entry::Cancelled {
                        number: number.clone(),
                    },
                )?;
            }
            Ok(wire::order_response(message, &number, control, now))
        }
        Request::Bad(code, text) => Ok(wire::ack(message, "AR", id, Some((code, text)), now)),
    }
}
