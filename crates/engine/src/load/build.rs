//! Third pass: shapes become nodes, sequence flows become flows, and everything knows its neighbours.

use super::reader::Reader;
use super::rule;
use super::sketch::{Shape, Tag};
use super::xml::{self, Element};
use crate::graph::{Flow, FlowIx, Node, NodeIx, NodeKind, ScopeDef, ScopeIx};

impl<'a> Reader<'a, '_> {
    /// Every node, without its flows.
    pub(crate) fn nodes(&mut self) -> Vec<Node> {
        let sketch = self.sketch;
        let mut nodes: Vec<Node> = sketch.shapes.iter().map(|shape| self.node(shape)).collect();
        for ix in 0..nodes.len() {
            let NodeKind::Boundary { host, .. } = nodes[ix].kind else {
                continue;
            };
            if let Ok(boundary) = NodeIx::try_from(ix) {
                nodes[host as usize].boundaries.push(boundary);
            }
        }
        nodes
    }

    fn node(&mut self, shape: &Shape<'a>) -> Node {
        let element = shape.element;
        self.refused_attributes(shape);
        Node {
            id: shape.id.to_owned(),
            name: xml::attribute(element, "name")
                .unwrap_or(shape.id)
                .to_owned(),
            line: self.report.lines.line(element),
            scope: shape.scope,
            // What is faulty stands in as a node that does nothing: the definition is not kept.
            kind: self.kind(shape).unwrap_or(NodeKind::Pass),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            default: None,
            boundaries: Vec::new(),
            io: self.io(element),
            repeat: shape
                .tag
                .is_activity()
                .then(|| self.repeat(element))
                .flatten(),
            headers: self.headers(element),
            properties: self.properties(element),
            for_compensation: shape.tag.is_activity()
                && xml::flag(element, "isForCompensation", false),
        }
    }

    fn kind(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        Some(match shape.tag {
            Tag::Start => self.start(shape)?,
            Tag::End | Tag::Throw => self.throw(shape)?,
            Tag::Catch => self.catch(shape)?,
            Tag::Boundary => self.boundary(shape)?,
            Tag::Service | Tag::Send => NodeKind::Job(self.job(shape.element)?),
            Tag::Receive => NodeKind::Catch(crate::graph::Trigger::Message(
                self.message(shape.element, true)?,
            )),
            Tag::User => self.user(shape.element),
            Tag::Script => self.script(shape.element)?,
            Tag::Rule => self.decision(shape.element)?,
            Tag::Call => self.call(shape)?,
            Tag::SubProcess => NodeKind::SubProcess(shape.inner?),
            Tag::EventSubProcess => self.event_subprocess(shape)?,
            Tag::Exclusive => NodeKind::Exclusive,
            Tag::Parallel => NodeKind::Parallel,
            Tag::Inclusive => NodeKind::Inclusive,
            Tag::EventBased => NodeKind::EventBased,
            Tag::Pass | Tag::Refused => NodeKind::Pass,
        })
    }

    fn refused_attributes(&mut self, shape: &Shape<'a>) {
        let element = shape.element;
        for name in ["startQuantity", "completionQuantity"] {
            if xml::attribute(element, name).is_some_and(|quantity| quantity != "1") {
                self.report.at(
                    &rule::TOKEN_QUANTITY,
                    element,
                    format!("its {name} is not 1"),
                );
            }
        }
        if matches!(shape.tag, Tag::Receive | Tag::EventBased)
            && xml::flag(element, "instantiate", false)
        {
            self.report
                .at(&rule::INSTANTIATING, element, "it would start an instance");
        }
        if xml::attribute(element, "eventGatewayType").is_some_and(|sort| sort != "Exclusive") {
            self.report.at(
                &rule::PARALLEL_EVENT_GATEWAY,
                element,
                "it would wait for all of its events",
            );
        }
    }

    fn event_subprocess(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let scope = shape.inner?;
        let starts = &self.sketch.frames[scope as usize].starts;
        if let [start] = starts[..] {
            let event = self.sketch.shape_at(start).element;
            if xml::children(event).any(is_trigger) {
                let interrupting = xml::flag(event, "isInterrupting", true);
                return Some(NodeKind::EventSubProcess {
                    scope,
                    start,
                    interrupting,
                });
            }
        }
        let message = format!(
            "it has {} start events, or one without trigger",
            starts.len()
        );
        self.report
            .at(&rule::EVENT_SUBPROCESS_START, shape.element, message);
        None
    }

    /// Every sequence flow between two nodes of one scope, tied to both.
    pub(crate) fn flows(&mut self, nodes: &mut [Node]) -> Vec<Flow> {
        let mut flows: Vec<Flow> = Vec::new();
        for (element, scope) in self.sketch.flows.clone() {
            let Some((source, target)) = self.ends(element, scope) else {
                continue;
            };
            let Ok(ix) = FlowIx::try_from(flows.len()) else {
                break;
            };
            let condition = self.condition(element, self.sketch.shape_at(source).tag);
            nodes[source as usize].outgoing.push(ix);
            nodes[target as usize].incoming.push(ix);
            let id = xml::attribute(element, "id").unwrap_or_default().to_owned();
            if id.is_empty() {
                self.report
                    .at(&rule::ID_MISSING, element, "a sequence flow has no id");
            }
            let name = xml::attribute(element, "name").map(str::to_owned);
            flows.push(Flow {
                id,
                name,
                source,
                target,
                condition,
            });
        }
        flows
    }

    fn ends(&mut self, element: Element<'a>, scope: ScopeIx) -> Option<(NodeIx, NodeIx)> {
        let mut end = |name: &str| {
            let id = xml::reference(element, name);
            let found = id.and_then(|id| self.sketch.find(id));
            if found.is_none() {
                let message = format!(
                    "its {name} '{}' is not a flow node of this process",
                    id.unwrap_or_default()
                );
                self.report.at(&rule::FLOW_DANGLING, element, message);
            }
            found
        };
        let (source, target) = (end("sourceRef"), end("targetRef"));
        let (source, target) = (source?, target?);
        let (from, to) = (self.sketch.shape_at(source), self.sketch.shape_at(target));
        if from.scope != to.scope || from.scope != scope {
            let message = format!(
                "it leads from '{}' to '{}', which is in another process or sub-process",
                from.id, to.id
            );
            self.report.at(&rule::FLOW_CROSSES, element, message);
            return None;
        }
        Some((source, target))
    }

    /// Ties default flows to their nodes.
    pub(crate) fn defaults(&mut self, nodes: &mut [Node], flows: &[Flow]) {
        for (shape, node) in self.sketch.shapes.iter().zip(nodes) {
            let Some(id) = xml::reference(shape.element, "default") else {
                continue;
            };
            let own = node
                .outgoing
                .iter()
                .copied()
                .find(|flow| flows[*flow as usize].id == id);
            if own.is_none() {
                self.report.at(
                    &rule::DEFAULT_UNKNOWN,
                    shape.element,
                    format!("its default flow '{id}' does not lead out of it"),
                );
            }
            node.default = own;
        }
    }

    /// Every scope, with what is in it.
    pub(crate) fn scopes(&mut self, nodes: &[Node]) -> Vec<ScopeDef> {
        let empty = |frame: &super::sketch::Frame<'_>| ScopeDef {
            parent: frame.parent,
            host: frame.host,
            start: None,
            implicit_starts: Vec::new(),
            event_starts: Vec::new(),
            event_subprocesses: Vec::new(),
            nodes: Vec::new(),
        };
        let mut scopes: Vec<ScopeDef> = self.sketch.frames.iter().map(empty).collect();
        for (ix, node) in (0..).zip(nodes) {
            let scope = &mut scopes[node.scope as usize];
            scope.nodes.push(ix);
            match &node.kind {
                NodeKind::Start(None) if scope.start.is_some() => {
                    let element = self.sketch.shape_at(ix).element;
                    self.report.at(
                        &rule::START_MANY,
                        element,
                        "there is already a start event without trigger",
                    );
                }
                NodeKind::Start(None) => scope.start = Some(ix),
                NodeKind::Start(Some(_)) if scope.host.is_none() => scope.event_starts.push(ix),
                NodeKind::EventSubProcess { .. } => scope.event_subprocesses.push(ix),
                _ => {}
            }
        }
        for (frame, scope) in self.sketch.frames.iter().zip(&mut scopes) {
            if frame.starts.is_empty() {
                let begins =
                    |ix: &NodeIx| begins(&nodes[*ix as usize], self.sketch.shape_at(*ix).tag);
                scope.implicit_starts = scope.nodes.iter().copied().filter(begins).collect();
            }
        }
        scopes
    }
}

fn is_trigger(child: Element<'_>) -> bool {
    let name = child.tag_name().name();
    name.ends_with("EventDefinition") || name == "eventDefinitionRef"
}

/// Whether a node begins by itself when its scope has no start event.
fn begins(node: &Node, tag: Tag) -> bool {
    let led_to = match tag {
        Tag::Boundary | Tag::EventSubProcess | Tag::Start => true,
        Tag::Catch => matches!(node.kind, NodeKind::Catch(crate::graph::Trigger::Link(_))),
        _ => node.for_compensation,
    };
    !led_to && node.incoming.is_empty()
}
