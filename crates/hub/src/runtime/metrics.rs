//! Counters for operators: OpenTelemetry instruments behind a Prometheus registry. Labels are
//! adapter and outcome, never anything about a person.

use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge, MeterProvider as _},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Encoder, Registry, TextEncoder};

/// The hub's instruments.
pub struct Metrics {
    registry: Registry,
    /// Kept alive: the instruments report through it.
    _provider: SdkMeterProvider,
    steps: Counter<u64>,
    dropped: Counter<u64>,
    rejected: Counter<u64>,
    effects: Counter<u64>,
    stopped: Gauge<u64>,
    forgotten: Counter<u64>,
}

impl Metrics {
    /// Instruments on a registry of their own.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let mut builder = SdkMeterProvider::builder();
        if let Ok(exporter) = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .build()
        {
            builder = builder.with_reader(exporter);
        }
        let provider = builder.build();
        let meter = provider.meter("halsonav");
        let counter = |name: &'static str, what: &'static str| {
            meter.u64_counter(name).with_description(what).build()
        };
        Self {
            steps: counter("halsonav_engine_steps", "Steps that changed an instance"),
            dropped: counter(
                "halsonav_engine_dropped",
                "Messages that no instance waited for in time",
            ),
            rejected: counter("halsonav_engine_rejected", "Inputs that did not apply"),
            effects: counter("halsonav_effects", "Effects by adapter and outcome"),
            stopped: meter
                .u64_gauge("halsonav_lane_stopped")
                .with_description("1 while the commands of the adapter wait")
                .build(),
            forgotten: counter("halsonav_forgotten", "What housekeeping let go, by kind"),
            registry,
            _provider: provider,
        }
    }

    /// Counts a turn of the processor.
    pub fn steps(&self, steps: usize, dropped: usize, rejected: usize) {
        self.steps.add(steps as u64, &[]);
        self.dropped.add(dropped as u64, &[]);
        self.rejected.add(rejected as u64, &[]);
    }

    /// Counts the end of an effect's turn.
    pub fn effect(&self, adapter: &str, outcome: &'static str) {
        self.effects.add(
            1,
            &[
                KeyValue::new("adapter", adapter.to_owned()),
                KeyValue::new("outcome", outcome),
            ],
        );
    }

    /// Notes whether a lane is stopped.
    pub fn lane(&self, adapter: &str, stopped: bool) {
        let adapter = KeyValue::new("adapter", adapter.to_owned());
        self.stopped.record(u64::from(stopped), &[adapter]);
    }

    /// Counts what was forgotten.
    pub fn forgotten(&self, what: &'static str, count: u64) {
        self.forgotten.add(count, &[KeyValue::new("what", what)]);
    }

    /// The Prometheus text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = Vec::new();
        // Writing into memory fails only for a metric family without a name; ours have names.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
