//! Spans for a collector of traces (OTLP over HTTP): one for each step of a case, and one for each batch
//! that goes to a neighbour. Without a collector none are made, and a `traceparent` is handed on as it
//! came. A span tells ids, kinds and codes, never anything about a person.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use halsonav_adapter::Delivery;
use halsonav_domain::{
    CaseId, CommandId, Envelope, Kind, Outcome, Problem,
    trace::{TRACEPARENT, is_traceparent},
};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
        TraceFlags, TraceId, TraceState, Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{
        BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span,
        TracerProviderBuilder,
    },
};

use crate::config::Traces;

/// Spans that wait for the collector; more are dropped, and the log tells how many.
const WAITING: usize = 32_768;
/// Spans in one request.
const BATCH: usize = 2_048;
/// Commands of one delivery that its span is linked to, at most: as many as any operation takes at once.
const LINKS: u32 = 500;
/// Longest wait for the last of them when the process stops.
const LAST: Duration = Duration::from_secs(3);

/// Makes spans, if there is somebody to send them to.
pub struct Spans(Option<(SdkTracerProvider, SdkTracer)>);

impl Spans {
    /// Makes none.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Makes those that the collector of the settings is to have.
    ///
    /// # Errors
    /// `HUB-CONFIG-013`.
    pub fn of(traces: &Traces) -> Result<Self, Problem> {
        if traces.collector.is_empty() {
            return Ok(Self::none());
        }
        let fault = |what: &str| {
            let message = format!("traces.{what}");
            Problem::new(Kind::Invalid, "HUB-CONFIG-013", message)
        };
        let web = ["http://", "https://"];
        if !web
            .iter()
            .any(|scheme| traces.collector.starts_with(scheme))
        {
            return Err(fault("collector: begins with http:// or https://"));
        }
        if !(0.0..=1.0).contains(&traces.sample) {
            return Err(fault("sample: a share, from 0 to 1"));
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!(
                "{}/v1/traces",
                traces.collector.trim_end_matches('/')
            ))
            .build()
            .map_err(|error| fault(&format!("collector: {error}")))?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING)
            .with_max_export_batch_size(BATCH)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(batches)
            .build();
        let builder = SdkTracerProvider::builder().with_span_processor(processor);
        Ok(Self::from(builder, traces.sample))
    }

    fn from(builder: TracerProviderBuilder, sample: f64) -> Self {
        let share = Sampler::TraceIdRatioBased(sample);
        let resource = Resource::builder().with_service_name("halsonav").build();
        let provider = builder
            .with_sampler(Sampler::ParentBased(Box::new(share)))
            .with_resource(resource)
            .with_max_links_per_span(LINKS)
            .build();
        let tracer = provider.tracer("halsonav");
        Self(Some((provider, tracer)))
    }

    /// A step that a fact leads to. It belongs to the fact's trace, or begins one.
    #[must_use]
    pub fn step(&self, fact: &Envelope, case: CaseId) -> Option<Begun> {
        // Before anything is made: a hub without a collector does this for each step.
        let (_, tracer) = self.0.as_ref()?;
        let parent = fact.traceparent.as_deref().and_then(context);
        let span = tracer
            .span_builder(fact.kind.clone())
            .with_kind(SpanKind::Consumer)
            .with_attributes([KeyValue::new("halsonav.case", case.to_string())]);
        Some(begin(tracer, span, parent))
    }

    /// A batch that a neighbour is given. Of one command it is a part; with several it is linked.
    #[must_use]
    pub fn delivery(
        &self,
        adapter: &str,
        operation: &'static str,
        batch: &[Delivery],
    ) -> Option<Begun> {
        let (_, tracer) = self.0.as_ref()?;
        let count = i64::try_from(batch.len()).unwrap_or(i64::MAX);
        let mut about = vec![
            KeyValue::new("halsonav.adapter", adapter.to_owned()),
            KeyValue::new("messaging.batch.message_count", count),
        ];
        let traced = |delivery: &Delivery| context(delivery.command.headers.get(TRACEPARENT)?);
        let (parent, links) = match batch {
            [one] => {
                about.push(KeyValue::new("halsonav.case", one.command.case.to_string()));
                (traced(one), Vec::new())
            }
            several => {
                let contexts = several.iter().filter_map(traced);
                (None, contexts.map(Link::with_context).collect())
            }
        };
        let span = tracer
            .span_builder(format!("{adapter}.{operation}"))
            .with_kind(SpanKind::Client)
            .with_links(links)
            .with_attributes(about);
        Some(begin(tracer, span, parent))
    }

    /// Sends what is left. Blocks, for some seconds at most.
    pub fn end(&self) {
        let Some((provider, _)) = &self.0 else {
            return;
        };
        if let Err(error) = provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}

fn begin(tracer: &SdkTracer, span: SpanBuilder, parent: Option<SpanContext>) -> Begun {
    let around = parent.map_or_else(Context::new, |parent| {
        Context::new().with_remote_span_context(parent)
    });
    let span = span.start_with_context(tracer, &around);
    Begun {
        context: span.span_context().clone(),
        span: Mutex::new(span),
    }
}

/// A span that has begun. It ends when it is dropped.
pub struct Begun {
    context: SpanContext,
    span: Mutex<Span>,
}

impl Begun {
    /// For what is asked of others within it.
    #[must_use]
    pub fn traceparent(&self) -> String {
        let (trace, span) = (self.context.trace_id(), self.context.span_id());
        format!("00-{trace}-{span}-{:02x}", self.context.trace_flags())
    }

    /// What was decided in it is on disk, and it ends. One that ends without came to nothing: the fact was
    /// known, or rejected, or it was decided once more, since the case had moved on.
    pub fn stored(&self) {
        let mut span = self.span.lock().unwrap_or_else(PoisonError::into_inner);
        span.set_attribute(KeyValue::new("halsonav.stored", true));
        span.end();
    }

    /// This is what came of a batch, and it ends.
    pub fn delivered(self, outcomes: &[(CommandId, Outcome)]) {
        let mut span = self
            .span
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let problem = outcomes.iter().find_map(|(_, outcome)| match outcome {
            Outcome::Failed(problem) | Outcome::Unknown(problem) => Some(problem),
            Outcome::Done(_) | Outcome::Refused { .. } => None,
        });
        if let Some(problem) = problem {
            span.set_attribute(KeyValue::new("error.type", problem.code.clone()));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Begun({})", self.traceparent())
    }
}

/// What a `traceparent` says.
fn context(text: &str) -> Option<SpanContext> {
    if !is_traceparent(text) {
        return None;
    }
    let mut parts = text.split('-').skip(1);
    let trace = TraceId::from_hex(parts.next()?).ok()?;
    let span = SpanId::from_hex(parts.next()?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
    Some(SpanContext::new(trace, span, flags, true, TraceState::NONE))
}
