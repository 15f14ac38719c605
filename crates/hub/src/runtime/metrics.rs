//! Figures for operators: OpenTelemetry instruments behind a Prometheus registry. Labels are
//! adapter and outcome, never anything about a person. Counters are this process's own; gauges are of
//! the whole hub, as the store has it.

use std::collections::BTreeMap;

use halsonav_domain::Timestamp;
use halsonav_storage::Backlog;
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
    in_hand: Gauge<u64>,
    set_aside: Gauge<u64>,
    held: Gauge<u64>,
    incidents: Gauge<u64>,
    command: Gauge<f64>,
    timer: Gauge<f64>,
    store: Gauge<u64>,
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
            // There is one scope; a label for it would stand on every line.
            .scope_info_enabled(false)
            .build()
        {
            builder = builder.with_reader(exporter);
        }
        let provider = builder.build();
        let meter = provider.meter("halsonav");
        let counter = |name: &'static str, what: &'static str| {
            meter.u64_counter(name).with_description(what).build()
        };
        let gauge = |name: &'static str, what: &'static str| {
            meter.u64_gauge(name).with_description(what).build()
        };
        let seconds = |name: &'static str, what: &'static str| {
            meter.f64_gauge(name).with_description(what).build()
        };
        Self {
            steps: counter("halsonav_engine_steps", "Steps that changed an instance"),
            dropped: counter(
                "halsonav_engine_dropped",
                "Messages that no instance waited for in time",
            ),
            rejected: counter("halsonav_engine_rejected", "Inputs that did not apply"),
            effects: counter("halsonav_effects", "Effects by adapter and outcome"),
            stopped: gauge(
                "halsonav_lane_stopped",
                "1 while the commands of the adapter wait",
            ),
            in_hand: gauge(
                "halsonav_effects_in_hand",
                "Commands that the adapter is carrying out",
            ),
            set_aside: gauge(
                "halsonav_effects_stopped",
                "Commands that wait because the lane is stopped",
            ),
            held: gauge(
                "halsonav_effects_held",
                "Commands that wait for fresh data of the register",
            ),
            incidents: gauge("halsonav_incidents_open", "Incidents that are open"),
            command: seconds(
                "halsonav_outbox_oldest_seconds",
                "For how long a command has been due to be put on the bus, 0 if none is",
            ),
            timer: seconds(
                "halsonav_timer_oldest_seconds",
                "For how long a timer has been due, 0 if none is",
            ),
            store: gauge(
                "halsonav_store_up",
                "1 when the store was asked for what waits, 0 when that is as it was last known",
            ),
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

    /// Notes whether the store could be asked.
    pub fn store(&self, up: bool) {
        self.store.record(u64::from(up), &[]);
    }

    /// Notes what waits; `adapters` are all that there are.
    pub fn backlog<'a>(
        &self,
        backlog: &Backlog,
        adapters: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) {
        let since =
            |at: Option<Timestamp>| at.map_or(0.0, |at| now.duration_since(at).as_secs_f64());
        self.command.record(since(backlog.command), &[]);
        self.timer.record(since(backlog.timer), &[]);
        self.held.record(backlog.held, &[]);
        self.incidents.record(backlog.incidents, &[]);
        for adapter in adapters {
            let label = [KeyValue::new("adapter", adapter.to_owned())];
            let of = |counts: &BTreeMap<String, u64>| counts.get(adapter).copied().unwrap_or(0);
            self.in_hand.record(of(&backlog.in_hand), &label);
            self.set_aside.record(of(&backlog.stopped), &label);
        }
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
