//! From the bus to the neighbour, exactly one effect. One dispatcher for each adapter: a lane.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use futures::StreamExt;
use halsonav_adapter::{Delivery, Operation, Outbound, Stop};
use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{CaseId, CommandId, Kind, Outcome, Problem, trace};
use halsonav_storage::{Claim, EffectRef, Epoch, Ready};

use super::{
    Core, bus_problem,
    core::DISPATCH,
    fold::REPEATS,
    gate,
    lease::Lease,
    outcome::{self, Verdict},
    prepare, store_problem,
};
use crate::{crash, spans::Begun};

/// Commands taken in one turn.
const BATCH: usize = 500;
/// Deliveries of one lane under way at once, for operations that go one at a time.
const AT_ONCE: usize = 16;

/// Carries out the commands of one adapter.
pub struct Dispatcher {
    pub(super) core: Arc<Core>,
    pub(super) adapter: String,
    pub(super) outbound: Arc<dyn Outbound>,
    consumer: Box<dyn Consumer>,
    lease: Arc<Lease>,
    pub(super) epoch: Epoch,
    /// Effects whose outcome is to be asked for before this turn ends.
    pub(super) unsettled: Vec<Ready>,
    /// A turn failed half-way: what it had in hand is taken over like that of an earlier life.
    broken: bool,
    /// When what others left in hand was looked for last.
    looked: Option<Instant>,
}

impl Dispatcher {
    /// Joins the adapter's topic.
    ///
    /// # Errors
    /// When the bus refuses.
    pub fn new(
        core: Arc<Core>,
        adapter: &str,
        outbound: Arc<dyn Outbound>,
        lease: Arc<Lease>,
    ) -> Result<Self, Problem> {
        let topic = core.adapters.topic(adapter);
        let consumer = core
            .bus
            .subscribe(DISPATCH, &[topic])
            .map_err(bus_problem)?;
        Ok(Self {
            core,
            adapter: adapter.to_owned(),
            outbound,
            consumer,
            lease,
            epoch: Epoch(0),
            unsettled: Vec::new(),
            broken: false,
            looked: None,
        })
    }

    /// Sees to it that this lane has an epoch, and that nobody's unfinished business lies about.
    ///
    /// After a turn that failed half-way the epoch is a new one: what was polled comes again, and
    /// what was claimed is taken over, to be reconciled.
    async fn ready(&mut self) -> Result<(), Problem> {
        if self.broken {
            self.unsettled.clear();
            self.consumer.rewind().await.map_err(bus_problem)?;
            self.lease.let_go().await;
        }
        let epoch = self.lease.hold().await?.ok_or_else(|| self.fenced())?;
        let due = self
            .looked
            .is_none_or(|looked| looked.elapsed() >= self.lease.ttl());
        if self.broken || due || epoch != self.epoch {
            self.epoch = epoch;
            self.take_over().await?;
            self.looked = Some(Instant::now());
        }
        self.broken = false;
        Ok(())
    }

    /// Somebody else may own this lane's effects now: nothing is sent until it is known who does.
    fn fenced(&self) -> Problem {
        let message = format!("the lease of the lane {} is over", self.adapter);
        Problem::new(Kind::Unavailable, "HUB-DISPATCH-008", message)
    }

    async fn take_over(&mut self) -> Result<(), Problem> {
        let adapter = self.adapter.clone();
        let left = self
            .core
            .storage
            .read_async(move |r| r.abandoned(&adapter, 100_000))
            .await
            .map_err(store_problem)?;
        let mine: Vec<EffectRef> = left
            .iter()
            .map(|effect| EffectRef {
                case: effect.command.case,
                command: effect.command.id,
            })
            .collect();
        for chunk in mine.chunks(BATCH) {
            self.carry_out(chunk.to_vec()).await?;
        }
        Ok(())
    }

    /// Leaves the group, so that another process need not wait to have the partitions.
    pub async fn leave(self) {
        if let Err(error) = self.consumer.close().await {
            tracing::warn!(adapter = self.adapter, code = error.code(), %error, "a lane could not leave its group");
        }
    }

    /// One batch, without waiting. Answers how many commands it took.
    ///
    /// # Errors
    /// When store or bus fail. Nothing is lost: what was claimed is reconciled, the rest comes again.
    pub async fn turn(&mut self) -> Result<usize, Problem> {
        self.batch(Duration::ZERO, &Stop::new())
            .await
            .unwrap_or(Ok(0))
    }

    /// One batch, waiting for it up to `wait`; `None` when told to stop while waiting. A batch that
    /// has begun is finished.
    pub async fn batch(&mut self, wait: Duration, stop: &Stop) -> Option<Result<usize, Problem>> {
        if let Err(problem) = self.ready().await {
            self.broken = true;
            return Some(Err(problem));
        }
        let records = tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            records = self.consumer.poll(BATCH, Some(wait.min(self.lease.ttl()))) => records,
        };
        Some(match records {
            Ok(records) => match self.take(records).await {
                Ok(taken) => Ok(taken),
                Err(problem) => {
                    self.broken = true;
                    Err(problem)
                }
            },
            Err(error) => Err(bus_problem(error)),
        })
    }

    async fn take(&mut self, records: Vec<Delivered>) -> Result<usize, Problem> {
        if records.is_empty() {
            return Ok(0);
        }
        let mut wanted = Vec::with_capacity(records.len());
        for record in &records {
            match codec::read_command(&record.record) {
                Ok(command) => wanted.push(EffectRef {
                    case: command.case,
                    command: command.id,
                }),
                Err(error) => {
                    tracing::error!(adapter = self.adapter, %error, code = "HUB-DISPATCH-001", "a command cannot be read")
                }
            }
        }
        crash::point("dispatch.polled", &self.adapter).await;
        self.carry_out(wanted).await?;
        crash::point("dispatch.settled", &self.adapter).await;
        self.consumer.commit().await.map_err(bus_problem)?;
        crash::point("dispatch.committed", &self.adapter).await;
        Ok(records.len())
    }

    async fn carry_out(&mut self, wanted: Vec<EffectRef>) -> Result<(), Problem> {
        let now = self.core.clock.now();
        let (epoch, rules) = (self.epoch, self.core.gate);
        let asked: BTreeMap<CommandId, CaseId> = wanted
            .iter()
            .map(|effect| (effect.command, effect.case))
            .collect();
        let claims = self
            .core
            .storage
            .write_async(move |tx| tx.claim(&wanted, now, epoch, &rules))
            .await
            .map_err(store_problem)?;
        crash::point("dispatch.claimed", &self.adapter).await;
        let mut ready = Vec::new();
        let mut verdicts = Vec::new();
        let mut fenced = false;
        for claim in claims {
            match claim {
                Claim::Ready(effect) => ready.push(*effect),
                Claim::Blocked {
                    effect,
                    job,
                    command,
                    reason,
                    ..
                } => {
                    let Some(case) = asked.get(&command) else {
                        continue;
                    };
                    verdicts.push(match gate::meaning(reason) {
                        gate::Meaning::NotContactable(why) => {
                            outcome::refused_by_gate(effect, *case, job, command, why, now)
                        }
                        gate::Meaning::Skipped(why) => {
                            outcome::skipped_by_gate(effect, *case, job, command, why, now)
                        }
                    });
                }
                Claim::Fenced { .. } => fenced = true,
                // The register is asked where it can be reached; then what is held comes again.
                // The relay brings back what waits for the lane to start.
                Claim::Held { .. } | Claim::Stopped { .. } | Claim::Gone { .. } => {}
            }
        }
        if fenced {
            return Err(self.fenced());
        }
        let (again, first): (Vec<_>, Vec<_>) =
            ready.into_iter().partition(|effect| self.must_ask(effect));
        self.unsettled.extend(again);
        verdicts.extend(self.deliver(first).await?);
        self.settle(verdicts).await?;
        self.ask_again().await?;
        Ok(())
    }

    /// What reaches the resident is asked about even where a repeated command does no harm: it may not
    /// have left, and the gate is asked anew.
    fn must_ask(&self, effect: &Ready) -> bool {
        effect.reconcile
            && !self
                .operation(effect.effect.command.kind.operation())
                .is_some_and(|o| o.idempotent && !o.contact)
    }

    pub(super) fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.outbound
            .operations()
            .iter()
            .find(|operation| operation.name == name)
    }

    /// Sends what may leave, in the batches that each operation wants and in the order decided.
    pub(super) async fn deliver(&self, ready: Vec<Ready>) -> Result<Vec<Verdict>, Problem> {
        let mut by_operation: BTreeMap<String, Vec<Ready>> = BTreeMap::new();
        for effect in ready {
            by_operation
                .entry(effect.effect.command.kind.operation().to_owned())
                .or_default()
                .push(effect);
        }
        let mut verdicts = Vec::new();
        for (name, effects) in by_operation {
            let Some(operation) = self.operation(&name) else {
                let problem = Problem::new(
                    Kind::Invalid,
                    "HUB-DISPATCH-002",
                    format!("{} has no operation '{name}'", self.adapter),
                );
                verdicts.extend(
                    effects
                        .into_iter()
                        .map(|e| outcome::judge(&self.core, e, Outcome::Failed(problem.clone()))),
                );
                continue;
            };
            verdicts.extend(self.deliver_all(operation, effects).await?);
        }
        Ok(verdicts)
    }

    async fn deliver_all(
        &self,
        operation: &'static Operation,
        effects: Vec<Ready>,
    ) -> Result<Vec<Verdict>, Problem> {
        let mut verdicts = Vec::new();
        let mut sent: BTreeMap<CommandId, Ready> = BTreeMap::new();
        let mut batches: Vec<Vec<Delivery>> = Vec::new();
        for (ready, delivery) in prepare::deliveries(&self.core, operation, effects).await? {
            match delivery {
                Ok(delivery) => {
                    sent.insert(delivery.command.id, ready);
                    match batches
                        .last_mut()
                        .filter(|batch| batch.len() < operation.batch)
                    {
                        Some(batch) => batch.push(delivery),
                        None => batches.push(vec![delivery]),
                    }
                }
                Err(problem) => {
                    verdicts.push(outcome::judge(&self.core, ready, Outcome::Failed(problem)))
                }
            }
        }
        let mut answers =
            futures::stream::iter(batches.into_iter().map(|batch| self.send(operation, batch)))
                .buffered(AT_ONCE);
        while let Some(outcomes) = answers.next().await {
            for (id, outcome) in outcomes? {
                if let Some(ready) = sent.remove(&id) {
                    verdicts.push(outcome::judge(&self.core, ready, outcome));
                }
            }
        }
        // An adapter that says nothing about a delivery does not know.
        let silence = Problem::new(
            Kind::Internal,
            "HUB-DISPATCH-003",
            "the adapter gave no outcome",
        );
        verdicts.extend(
            sent.into_values()
                .map(|ready| outcome::judge(&self.core, ready, Outcome::Unknown(silence.clone()))),
        );
        Ok(verdicts)
    }
}

impl Dispatcher {
    /// Hands one batch to the adapter, unless the lease ran out while this process stood still.
    async fn send(
        &self,
        operation: &'static Operation,
        batch: Vec<Delivery>,
    ) -> Result<Vec<(CommandId, Outcome)>, Problem> {
        crash::point("dispatch.sending", operation.name).await;
        if self.lease.epoch() != Some(self.epoch) {
            return Err(self.fenced());
        }
        let spans = &self.core.spans;
        let span = spans.delivery(&self.adapter, operation.name, &batch);
        // Without spans a batch of several is nobody's alone.
        let handed_on = || match batch.as_slice() {
            [one] => one.command.headers.get(trace::TRACEPARENT).cloned(),
            _ => None,
        };
        let trace = span.as_ref().map(Begun::traceparent).or_else(handed_on);
        let trace = trace.filter(|text| trace::is_traceparent(text));
        let work = self.outbound.deliver(operation.name, batch);
        let outcomes = trace::within(trace.as_deref(), work).await;
        if let Some(span) = span {
            span.delivered(&outcomes);
        }
        crash::point("dispatch.sent", operation.name).await;
        Ok(outcomes)
    }
}

/// The id under which the neighbour knows the effect: that of the first asking, when an operator asked again.
#[must_use]
pub fn neighbour_id(ready: &Ready) -> CommandId {
    let command = &ready.effect.command;
    command
        .headers
        .get(REPEATS)
        .and_then(|job| job.parse().ok())
        .map_or(command.id, |job| CommandId::derive(command.case, job))
}
