//! The server: limits, headers, and the order in which a request is met.

use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::{
    App, HttpServer, ResponseError as _,
    dev::Server,
    middleware::{DefaultHeaders, from_fn},
    web,
};
use halsonav_domain::{Kind, Problem};
use tokio_util::sync::CancellationToken;

use crate::{Api, Door, guard::guard, problem::Fault, routes, state::State};

/// A client has this long to send its headers.
const HEADERS: Duration = Duration::from_secs(10);
/// Connections to the monitor that are answered at the same time.
const PROBES: usize = 4;
/// Requests under way have this long when the hub stops.
const FAREWELL: u64 = 10;

/// Answers requests until `stop`, then finishes those under way.
///
/// # Errors
/// `Unavailable`, `HUB-API-031`, when the socket cannot be used.
pub async fn serve(
    api: Api,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let settings = api.settings.clone();
    let state = State::new(api);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(state.api.door.clone()))
            .app_data(web::Data::new(state.clone()))
            .app_data(web::QueryConfig::default().error_handler(|_, _| Fault::query().into()))
            .app_data(web::PathConfig::default().error_handler(|_, _| Fault::not_found().into()))
            .wrap(from_fn(guard))
            .wrap(headers())
            .configure(routes::configure)
            .default_service(web::to(|| async { Fault::not_found().error_response() }))
    })
    .workers(settings.workers.max(1))
    .client_request_timeout(HEADERS)
    .shutdown_timeout(FAREWELL)
    .disable_signals();
    let server = match settings.tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls),
        None => server.listen(listener),
    };
    let server = server.map_err(|error| socket(&error))?.run();
    until(stop, server).await
}

/// Answers whether this process lives and can work, and its metrics, until `stop`: to anybody who can
/// reach the socket, since probes have no tokens. Nothing of it is about a person.
///
/// # Errors
/// As [`serve`].
pub async fn monitor(
    door: Arc<dyn Door>,
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), Problem> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::from(door.clone()))
            .wrap(headers())
            .configure(routes::monitoring)
            .default_service(web::to(|| async { Fault::not_found().error_response() }))
    })
    .workers(1)
    // Each may take a reader from those who work.
    .max_connections(PROBES)
    .client_request_timeout(HEADERS)
    .shutdown_timeout(FAREWELL)
    .disable_signals()
    .listen(listener);
    let server = server.map_err(|error| socket(&error))?.run();
    until(stop, server).await
}

/// Lets the server run until `stop`, and finish what is under way.
async fn until(stop: CancellationToken, server: Server) -> Result<(), Problem> {
    let handle = server.handle();
    let farewell = tokio::spawn(async move {
        stop.cancelled().await;
        handle.stop(true).await;
    });
    let ended = server.await;
    farewell.abort();
    ended.map_err(|error| socket(&error))
}

fn socket(error: &std::io::Error) -> Problem {
    let message = format!("cannot use the socket: {}", error.kind());
    Problem::new(Kind::Unavailable, "HUB-API-031", message)
}

/// Nothing here is for a cache, a frame or a guess.
fn headers() -> DefaultHeaders {
    DefaultHeaders::new()
        .add(("Cache-Control", "no-store"))
        .add(("X-Content-Type-Options", "nosniff"))
        .add((
            "Content-Security-Policy",
            "default-src 'none'; frame-ancestors 'none'",
        ))
        .add(("Referrer-Policy", "no-referrer"))
}
