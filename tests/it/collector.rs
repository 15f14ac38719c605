//! A collector of traces: OTLP over HTTP, protobuf (opentelemetry.io/docs/specs/otlp).

use std::{
    collections::HashSet,
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use actix_web::{App, HttpResponse, HttpServer, rt, web};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message as _;

use crate::numbers::spellings;

type Seen = Arc<Mutex<Vec<Span>>>;

/// One that keeps what it gets. It ends with the test's process.
pub struct Collector {
    address: SocketAddr,
    seen: Seen,
}

async fn take(body: web::Bytes, seen: web::Data<Seen>) -> HttpResponse {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return HttpResponse::BadRequest().finish();
    };
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|it| it.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    seen.lock().unwrap().extend(spans);
    HttpResponse::Ok()
        .content_type("application/x-protobuf")
        .finish()
}

impl Collector {
    pub fn start() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let seen = Seen::default();
        let kept = web::Data::new(seen.clone());
        let app = move || {
            App::new()
                .app_data(kept.clone())
                .app_data(web::PayloadConfig::new(16 << 20))
                .route("/v1/traces", web::post().to(take))
        };
        thread::spawn(move || {
            let server = HttpServer::new(app).workers(1).listen(socket)?;
            rt::System::new().block_on(server.run())
        });
        Self { address, seen }
    }

    /// Puts itself into a site's settings.
    pub fn is_named_in(&self, settings: &Path) {
        let text = fs::read_to_string(settings).unwrap();
        let own = format!("[traces]\ncollector = \"http://{}\"\n", self.address);
        fs::write(settings, format!("{text}{own}")).unwrap();
    }

    /// Whether a delivery of this name follows from a stored step on a fact of that kind: it is a part of
    /// it, or as one of a batch linked to it.
    pub fn caused(&self, fact: &str, delivery: &str) -> Option<()> {
        let seen = self.seen.lock().unwrap();
        let stored = |span: &&Span| span.attributes.iter().any(|it| it.key == "halsonav.stored");
        let steps = seen.iter().filter(|span| span.name == fact).filter(stored);
        let steps: HashSet<_> = steps.map(|step| (&step.trace_id, &step.span_id)).collect();
        let follows = |span: &Span| {
            let mut links = span.links.iter();
            steps.contains(&(&span.trace_id, &span.parent_span_id))
                || links.any(|link| steps.contains(&(&link.trace_id, &link.span_id)))
        };
        let mut deliveries = seen.iter().filter(|span| span.name == delivery);
        deliveries.any(follows).then_some(())
    }

    /// Nobody of the list in this folder can be found by number in what came.
    pub fn names_nobody(&self, neighbours: &Path) {
        let list = fs::read_to_string(neighbours.join("roster.csv")).unwrap();
        let number = |field: &&str| field.len() == 12 && field.bytes().all(|c| c.is_ascii_digit());
        let numbers: Vec<&str> = list.split([';', ',', '\n']).filter(number).collect();
        assert!(numbers.len() > 10, "{}", numbers.len());
        let said = format!("{:?}", self.seen.lock().unwrap());
        for spelling in numbers.into_iter().flat_map(spellings) {
            assert!(!said.contains(&spelling), "a number is in a span");
        }
    }
}
