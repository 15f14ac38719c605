//! A process file, compiled: a flat graph that is never touched again.
//!
//! Nodes, flows and scopes refer to each other by index, so that `step` neither searches nor
//! allocates to find its way. Made by `load`, read by `step` and `render`.

use std::collections::BTreeMap;

use halsonav_expression::{Expression, Template};

/// Index into [`Definition::nodes`].
pub type NodeIx = u32;
/// Index into [`Definition::flows`].
pub type FlowIx = u32;
/// Index into [`Definition::scopes`]; 0 is the process itself.
pub type ScopeIx = u32;

/// One executable process, at one version.
#[derive(Debug)]
pub struct Definition {
    /// `id` of the process element.
    pub id: String,
    /// `name`, or the id.
    pub name: String,
    /// Counted up by the hub each time a file with another digest is loaded under the same id.
    pub version: u32,
    /// `zeebe:versionTag`.
    pub version_tag: Option<String>,
    /// blake3-free, stable digest of the file's text (64-bit FNV-1a, hex): tells versions apart, proves nothing.
    pub digest: String,
    /// Every flow node.
    pub nodes: Vec<Node>,
    /// Every sequence flow.
    pub flows: Vec<Flow>,
    /// The process and every sub-process; parents before children.
    pub scopes: Vec<ScopeDef>,
}

/// A flow node.
#[derive(Debug)]
pub struct Node {
    /// `id`.
    pub id: String,
    /// `name`, or the id.
    pub name: String,
    /// Line in the file, from 1.
    pub line: u32,
    /// The scope that holds it.
    pub scope: ScopeIx,
    /// What it is.
    pub kind: NodeKind,
    /// Flows in, in document order.
    pub incoming: Vec<FlowIx>,
    /// Flows out, in document order.
    pub outgoing: Vec<FlowIx>,
    /// The flow taken when no condition holds.
    pub default: Option<FlowIx>,
    /// Boundary events attached to it.
    pub boundaries: Vec<NodeIx>,
    /// `zeebe:ioMapping`.
    pub io: IoMapping,
    /// Multi-instance marker.
    pub repeat: Option<Repeat>,
    /// `zeebe:taskHeaders`.
    pub headers: BTreeMap<String, String>,
    /// `zeebe:properties`, values as written: `milestone`, `outcome`, …
    pub properties: BTreeMap<String, Template>,
    /// `isForCompensation`: runs only when compensation is thrown.
    pub for_compensation: bool,
}

/// What a flow node is.
#[derive(Debug)]
pub enum NodeKind {
    /// Start event. `None`: plain. Of a process, or of an event sub-process.
    Start(Option<Trigger>),
    /// End event.
    End(Throw),
    /// Intermediate catch event, or receive task.
    Catch(Trigger),
    /// Intermediate throw event.
    Throw(Throw),
    /// Boundary event.
    Boundary {
        /// The activity it sits on.
        host: NodeIx,
        /// `cancelActivity`.
        interrupting: bool,
        /// What it waits for.
        trigger: Trigger,
    },
    /// Service, send, or business rule task with a job type.
    Job(JobDef),
    /// User task.
    User(UserTask),
    /// Script task with `zeebe:script`.
    Script {
        /// FEEL.
        expression: Expression,
        /// Where the result goes.
        result: String,
    },
    /// Business rule task with `zeebe:calledDecision`.
    Decision {
        /// The decision's id.
        decision: Template,
        /// Where the result goes.
        result: String,
    },
    /// Task, manual task, and anything else that does nothing by itself.
    Pass,
    /// Exclusive gateway.
    Exclusive,
    /// Parallel gateway.
    Parallel,
    /// Inclusive gateway.
    Inclusive,
    /// Event-based gateway.
    EventBased,
    /// Embedded sub-process.
    SubProcess(ScopeIx),
    /// Event sub-process.
    EventSubProcess {
        /// What it holds.
        scope: ScopeIx,
        /// Its one start event.
        start: NodeIx,
        /// `isInterrupting` of the start event.
        interrupting: bool,
    },
    /// Call activity.
    Call(Call),
}

/// What an event waits for.
#[derive(Debug)]
pub enum Trigger {
    /// A message.
    Message(MessageRef),
    /// A moment, or several.
    Timer(TimerDef),
    /// A BPMN error; `None` catches all.
    Error(Option<Template>),
    /// An escalation; `None` catches all.
    Escalation(Option<Template>),
    /// A signal, by name.
    Signal(Template),
    /// Compensation boundary: the handler activity.
    Compensation(NodeIx),
    /// Only after an event-based throw: a link's target.
    Link(String),
}

/// What an end or throw event does.
#[derive(Debug)]
pub enum Throw {
    /// Nothing.
    None,
    /// Ends its scope.
    Terminate,
    /// Throws a BPMN error with this code.
    Error(Template),
    /// Throws an escalation.
    Escalation(Template),
    /// Broadcasts a signal.
    Signal(Template),
    /// Sends a message, as a job.
    Message(JobDef),
    /// Compensates: everything completed in the scope, or one activity.
    Compensation(Option<NodeIx>),
    /// Goes on at the link's target.
    Link(NodeIx),
}

/// `zeebe:taskDefinition`.
#[derive(Debug)]
pub struct JobDef {
    /// Job type; in the hub a [`halsonav_domain::CommandKind`].
    pub kind: Template,
    /// Tries before an incident.
    pub retries: Template,
}

/// A user task.
#[derive(Debug, Default)]
pub struct UserTask {
    /// `zeebe:formDefinition formKey|formId|externalReference`: which kind of work item.
    pub form: Option<Template>,
    /// `zeebe:assignmentDefinition`.
    pub assignee: Option<Template>,
    /// Comma-separated or a list.
    pub candidate_groups: Option<Template>,
    /// `zeebe:taskSchedule dueDate`.
    pub due: Option<Template>,
    /// `zeebe:taskSchedule followUpDate`.
    pub follow_up: Option<Template>,
    /// `zeebe:priorityDefinition`.
    pub priority: Option<Template>,
}

/// A message and how it finds its instance.
#[derive(Debug)]
pub struct MessageRef {
    /// The name.
    pub name: Template,
    /// `zeebe:subscription correlationKey`; absent only on message starts.
    pub correlation: Option<Expression>,
}

/// A timer.
#[derive(Debug)]
pub enum TimerDef {
    /// ISO 8601 date and time.
    Date(Template),
    /// ISO 8601 duration, weeks included.
    Duration(Template),
    /// ISO 8601 repetition.
    Cycle(Template),
}

/// `zeebe:calledElement`.
#[derive(Debug)]
pub struct Call {
    /// The process called.
    pub process: Template,
    /// Which version of it.
    pub binding: Binding,
    /// All parent variables go in.
    pub propagate_in: bool,
    /// All child variables come out.
    pub propagate_out: bool,
}

/// Which version of a called process.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Binding {
    /// The newest when it is called.
    Latest,
    /// The one loaded together with the caller.
    Deployment,
    /// The newest with this tag.
    VersionTag(String),
}

/// `zeebe:ioMapping`.
#[derive(Debug, Default)]
pub struct IoMapping {
    /// Evaluated in order on entry; targets are local to the activity.
    pub inputs: Vec<Mapping>,
    /// Evaluated in order on completion.
    pub outputs: Vec<Mapping>,
}

/// One mapping.
#[derive(Debug)]
pub struct Mapping {
    /// Where from.
    pub source: Template,
    /// A variable, or a path `a.b.c` into one.
    pub target: String,
}

/// Multi-instance.
#[derive(Debug)]
pub struct Repeat {
    /// One after the other.
    pub sequential: bool,
    /// What to repeat over: a list, or if `counted` a whole number n, which means the list 1..n.
    pub collection: Expression,
    /// From `loopCardinality`: `collection` gives a whole number, 0 and up.
    pub counted: bool,
    /// Name of the current element.
    pub element: Option<String>,
    /// Where results are collected, in input order.
    pub output: Option<(String, Expression)>,
    /// Stops the rest once true.
    pub completion: Option<Expression>,
}

/// A sequence flow.
#[derive(Debug)]
pub struct Flow {
    /// `id`.
    pub id: String,
    /// `name`, as drawn beside it; most have none.
    pub name: Option<String>,
    /// From.
    pub source: NodeIx,
    /// To.
    pub target: NodeIx,
    /// Condition, with its meaning by what the flow leaves. Exclusive: the first true one is taken.
    /// Inclusive: every true one. An activity: every true one besides those without condition, and
    /// the default only if no condition was true; none true and no default and no unconditional flow
    /// is an incident. Flows out of parallel and event-based gateways and of events have none.
    pub condition: Option<Expression>,
}

/// A process or sub-process.
#[derive(Debug)]
pub struct ScopeDef {
    /// The scope around it.
    pub parent: Option<ScopeIx>,
    /// The node that holds it; `None` for the process.
    pub host: Option<NodeIx>,
    /// Its plain start event, if it has one. Message, timer and signal starts of a process are in `event_starts`.
    pub start: Option<NodeIx>,
    /// Nodes without incoming flow that begin when the scope begins and has no start event.
    pub implicit_starts: Vec<NodeIx>,
    /// Start events with a trigger; only in a process.
    pub event_starts: Vec<NodeIx>,
    /// Event sub-processes in it.
    pub event_subprocesses: Vec<NodeIx>,
    /// Everything in it, nested scopes not included.
    pub nodes: Vec<NodeIx>,
}

impl Definition {
    /// The node with this index.
    #[must_use]
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix as usize]
    }

    /// The flow with this index.
    #[must_use]
    pub fn flow(&self, ix: FlowIx) -> &Flow {
        &self.flows[ix as usize]
    }

    /// The scope with this index.
    #[must_use]
    pub fn scope(&self, ix: ScopeIx) -> &ScopeDef {
        &self.scopes[ix as usize]
    }

    /// The node with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<NodeIx> {
        self.nodes
            .iter()
            .position(|node| node.id == id)
            .and_then(|ix| NodeIx::try_from(ix).ok())
    }
}
