//! The judge's HTTP side.

use std::{
    any::Any,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream},
    os::fd::AsFd,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    dev::{Extensions, Server},
    error::ErrorInternalServerError,
    rt,
    web::{self, Bytes, Data},
};
use anyhow::Result;
use serde_json::json;

use super::{Answer, Ledger, Mode, Verdict};

/// Letters with pictures are large.
const LARGEST: usize = 16 * 1024 * 1024;

type Court = Data<Mutex<Ledger>>;

/// Listens on a loopback port, 0 for a free one: where, and the server to run.
///
/// # Errors
/// When the file cannot be used or the port is taken.
pub fn serve(file: &Path, mode: Mode, port: u16) -> Result<(SocketAddr, Server)> {
    let court = Data::new(Mutex::new(Ledger::open(file, mode)?));
    let app = move || {
        App::new()
            .app_data(court.clone())
            .app_data(web::PayloadConfig::new(LARGEST))
            .route("/effects/{channel}", web::post().to(take))
            .route("/effects/{channel}/{key}", web::get().to(known))
            .route("/ledger", web::get().to(ledger))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .on_connect(keep_socket)
        .disable_signals()
        .bind((Ipv4Addr::LOCALHOST, port))?;
    let address = server.addrs()[0];
    Ok((address, server.run()))
}

/// A second handle of the connection's socket, to drop it without an answer.
fn keep_socket(connection: &dyn Any, kept: &mut Extensions) {
    let stream = connection.downcast_ref::<rt::net::TcpStream>();
    if let Some(socket) = stream.and_then(|stream| stream.as_fd().try_clone_to_owned().ok()) {
        kept.insert(Arc::new(TcpStream::from(socket)));
    }
}

async fn take(
    request: HttpRequest,
    channel: web::Path<String>,
    body: Bytes,
    court: Court,
) -> actix_web::Result<HttpResponse> {
    let key = request.headers().get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok()).map(str::to_owned);
    let told = key.clone();
    let judged = web::block(move || {
        let mut ledger = court.lock().unwrap_or_else(PoisonError::into_inner);
        let behaviour = ledger.behaviour()?;
        let (answer, n) = ledger.take(&channel, key.as_deref(), &body, &behaviour)?;
        anyhow::Ok((answer, n, behaviour.delay_ms))
    });
    let (answer, n, delay_ms) = judged.await?.map_err(ErrorInternalServerError)?;
    rt::time::sleep(Duration::from_millis(delay_ms)).await;
    let mut response = match answer {
        Answer::Done | Answer::Again => HttpResponse::Ok(),
        Answer::Conflict => HttpResponse::Conflict(),
        Answer::NoKey => HttpResponse::BadRequest(),
        Answer::Refused => HttpResponse::UnprocessableEntity(),
        Answer::FailedBefore => HttpResponse::ServiceUnavailable(),
        Answer::FailedAfter => HttpResponse::InternalServerError(),
        Answer::DroppedBefore | Answer::DroppedAfter => {
            let socket = request.conn_data::<Arc<TcpStream>>();
            socket.map(|socket| socket.shutdown(Shutdown::Both));
            HttpResponse::InternalServerError()
        }
    };
    Ok(match answer {
        Answer::Done | Answer::Again => response.json(json!({ "key": told, "effect": n })),
        _ => response.finish(),
    })
}

async fn known(which: web::Path<(String, String)>, court: Court) -> HttpResponse {
    let (channel, key) = which.into_inner();
    let ledger = court.lock().unwrap_or_else(PoisonError::into_inner);
    match ledger.effects(&channel, &key) {
        0 => HttpResponse::NotFound().finish(),
        times => HttpResponse::Ok().json(json!({ "key": key, "effects": times })),
    }
}

async fn ledger(court: Court) -> HttpResponse {
    let ledger = court.lock().unwrap_or_else(PoisonError::into_inner);
    HttpResponse::Ok().json(Verdict::of(ledger.entries().to_vec()))
}
