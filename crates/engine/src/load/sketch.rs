//! First pass over a process: what is there, in which scope, and by which number.

use std::collections::{HashMap, HashSet};

use super::report::Report;
use super::rule::{self, Rule};
use super::xml::{self, Element};
use crate::graph::{NodeIx, ScopeIx};

const MAX_FLOW_NODES: usize = 10_000;

/// What sort of flow node an element is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tag {
    Start,
    End,
    Catch,
    Throw,
    Boundary,
    Pass,
    Service,
    Send,
    Receive,
    User,
    Script,
    Rule,
    Call,
    SubProcess,
    EventSubProcess,
    Exclusive,
    Parallel,
    Inclusive,
    EventBased,
    Refused,
}

impl Tag {
    /// The tag of an element, or the rule by which it is refused. `None`: not a flow node.
    fn of(element: Element<'_>) -> Option<(Self, Option<&'static Rule>)> {
        let tag = match element.tag_name().name() {
            "startEvent" => Self::Start,
            "endEvent" => Self::End,
            "intermediateCatchEvent" => Self::Catch,
            "intermediateThrowEvent" => Self::Throw,
            "boundaryEvent" => Self::Boundary,
            "task" | "manualTask" => Self::Pass,
            "serviceTask" => Self::Service,
            "sendTask" => Self::Send,
            "receiveTask" => Self::Receive,
            "userTask" => Self::User,
            "scriptTask" => Self::Script,
            "businessRuleTask" => Self::Rule,
            "callActivity" => Self::Call,
            "subProcess" if xml::flag(element, "triggeredByEvent", false) => Self::EventSubProcess,
            "subProcess" => Self::SubProcess,
            "exclusiveGateway" => Self::Exclusive,
            "parallelGateway" => Self::Parallel,
            "inclusiveGateway" => Self::Inclusive,
            "eventBasedGateway" => Self::EventBased,
            "complexGateway" => return Some((Self::Refused, Some(&rule::COMPLEX_GATEWAY))),
            "transaction" => return Some((Self::Refused, Some(&rule::TRANSACTION))),
            "adHocSubProcess" => return Some((Self::Refused, Some(&rule::AD_HOC))),
            "choreographyTask" | "subChoreography" | "callChoreography" => {
                return Some((Self::Refused, Some(&rule::CHOREOGRAPHY)));
            }
            "implicitThrowEvent" | "event" => {
                return Some((Self::Refused, Some(&rule::EVENT_PLACE)));
            }
            _ => return None,
        };
        Some((tag, None))
    }

    /// Tasks, sub-processes and call activities.
    pub(crate) fn is_activity(self) -> bool {
        matches!(
            self,
            Self::Pass
                | Self::Service
                | Self::Send
                | Self::Receive
                | Self::User
                | Self::Script
                | Self::Rule
                | Self::Call
                | Self::SubProcess
                | Self::EventSubProcess
        )
    }

    /// Exclusive, parallel, inclusive and event-based.
    pub(crate) fn is_gateway(self) -> bool {
        matches!(
            self,
            Self::Exclusive | Self::Parallel | Self::Inclusive | Self::EventBased
        )
    }

    /// Events of every sort.
    pub(crate) fn is_event(self) -> bool {
        matches!(
            self,
            Self::Start | Self::End | Self::Catch | Self::Throw | Self::Boundary
        )
    }
}

/// A flow node as it stands in the file.
#[derive(Clone, Copy)]
pub(crate) struct Shape<'a> {
    pub(crate) element: Element<'a>,
    pub(crate) id: &'a str,
    pub(crate) tag: Tag,
    pub(crate) scope: ScopeIx,
    /// What it holds, if it is a sub-process.
    pub(crate) inner: Option<ScopeIx>,
}

/// A process or sub-process as it stands in the file.
pub(crate) struct Frame<'a> {
    pub(crate) element: Element<'a>,
    pub(crate) parent: Option<ScopeIx>,
    pub(crate) host: Option<NodeIx>,
    /// Its start events.
    pub(crate) starts: Vec<NodeIx>,
    /// Whether it has an end event.
    pub(crate) ends: bool,
}

/// Everything in a process that is run, numbered.
pub(crate) struct Sketch<'a> {
    pub(crate) shapes: Vec<Shape<'a>>,
    pub(crate) frames: Vec<Frame<'a>>,
    pub(crate) flows: Vec<(Element<'a>, ScopeIx)>,
    /// Targets of associations, by their source.
    pub(crate) ties: HashMap<&'a str, Vec<&'a str>>,
    /// Link catch events by scope and name, the first of each.
    pub(crate) links: HashMap<(ScopeIx, &'a str), NodeIx>,
    /// Ids of activities that a compensation boundary event sits on.
    pub(crate) compensated: HashSet<&'a str>,
    by_id: HashMap<&'a str, NodeIx>,
}

impl<'a> Sketch<'a> {
    /// Looks over a process.
    pub(crate) fn of(process: Element<'a>, report: &mut Report) -> Self {
        let frame = Frame {
            element: process,
            parent: None,
            host: None,
            starts: Vec::new(),
            ends: false,
        };
        let mut sketch = Self {
            shapes: Vec::new(),
            frames: vec![frame],
            flows: Vec::new(),
            ties: HashMap::new(),
            links: HashMap::new(),
            compensated: HashSet::new(),
            by_id: HashMap::new(),
        };
        let mut next = 0;
        while next < sketch.frames.len() {
            sketch.frame(next, report);
            next += 1;
        }
        sketch
    }

    fn frame(&mut self, at: usize, report: &mut Report) {
        let Ok(scope) = ScopeIx::try_from(at) else {
            return;
        };
        let before = self.shapes.len();
        for element in xml::children(self.frames[at].element) {
            match Tag::of(element) {
                Some((tag, refusal)) => {
                    if let Some(rule) = refusal {
                        report.at(
                            rule,
                            element,
                            format!("{} is not run", element.tag_name().name()),
                        );
                    }
                    self.shape(element, tag, scope, report);
                }
                None => match element.tag_name().name() {
                    "sequenceFlow" => self.flows.push((element, scope)),
                    "association" => self.tie(element),
                    name if is_silent(name) => {}
                    name => report.at(
                        &rule::ELEMENT_UNKNOWN,
                        element,
                        format!("'{name}' does not belong in a process"),
                    ),
                },
            }
        }
        if self.shapes.len() == before {
            report.at(
                &rule::PROCESS_EMPTY,
                self.frames[at].element,
                "there is nothing in it to run",
            );
        }
    }

    fn shape(&mut self, element: Element<'a>, tag: Tag, scope: ScopeIx, report: &mut Report) {
        let Some(id) = xml::attribute(element, "id") else {
            return report.at(
                &rule::ID_MISSING,
                element,
                format!("a {} has no id", element.tag_name().name()),
            );
        };
        if self.shapes.len() >= MAX_FLOW_NODES {
            if self.shapes.len() == MAX_FLOW_NODES {
                report.at(
                    &rule::FILE_TOO_LARGE,
                    element,
                    format!("more than {MAX_FLOW_NODES} flow nodes"),
                );
            }
            return;
        }
        let (Ok(ix), Ok(next)) = (
            NodeIx::try_from(self.shapes.len()),
            ScopeIx::try_from(self.frames.len()),
        ) else {
            return;
        };
        let inner = matches!(tag, Tag::SubProcess | Tag::EventSubProcess).then_some(next);
        if inner.is_some() {
            self.frames.push(Frame {
                element,
                parent: Some(scope),
                host: Some(ix),
                starts: Vec::new(),
                ends: false,
            });
        }
        let frame = &mut self.frames[scope as usize];
        match tag {
            Tag::Start => frame.starts.push(ix),
            Tag::End => frame.ends = true,
            _ => {}
        }
        self.pair(element, tag, scope, ix);
        self.by_id.entry(id).or_insert(ix);
        self.shapes.push(Shape {
            element,
            id,
            tag,
            scope,
            inner,
        });
    }

    fn tie(&mut self, association: Element<'a>) {
        let ends =
            xml::reference(association, "sourceRef").zip(xml::reference(association, "targetRef"));
        if let Some((source, target)) = ends {
            self.ties.entry(source).or_default().push(target);
        }
    }

    /// Notes what other elements will look for: links and compensation.
    fn pair(&mut self, element: Element<'a>, tag: Tag, scope: ScopeIx, ix: NodeIx) {
        if tag == Tag::Catch {
            let link = xml::child(element, "linkEventDefinition");
            if let Some(name) = link.and_then(|link| xml::attribute(link, "name")) {
                self.links.entry((scope, name)).or_insert(ix);
            }
        }
        if tag == Tag::Boundary && xml::child(element, "compensateEventDefinition").is_some() {
            self.compensated
                .extend(xml::reference(element, "attachedToRef"));
        }
    }

    /// The node with this id.
    pub(crate) fn find(&self, id: &str) -> Option<NodeIx> {
        self.by_id.get(id).copied()
    }

    /// The shape with this number.
    pub(crate) fn shape_at(&self, ix: NodeIx) -> &Shape<'a> {
        &self.shapes[ix as usize]
    }

    /// Sequence flows by id.
    pub(crate) fn flow_elements(&self) -> HashMap<&'a str, Element<'a>> {
        let named =
            |(flow, _): &(Element<'a>, ScopeIx)| Some((xml::attribute(*flow, "id")?, *flow));
        self.flows.iter().filter_map(named).collect()
    }

    /// Shapes with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (NodeIx, &Shape<'a>)> {
        (0..).zip(&self.shapes)
    }
}

/// What a process may hold that has no part in running it.
fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "documentation"
            | "extensionElements"
            | "incoming"
            | "outgoing"
            | "laneSet"
            | "dataObject"
            | "dataObjectReference"
            | "dataStoreReference"
            | "group"
            | "textAnnotation"
            | "category"
            | "ioSpecification"
            | "ioBinding"
            | "property"
            | "dataInputAssociation"
            | "dataOutputAssociation"
            | "auditing"
            | "monitoring"
            | "supports"
            | "supportedInterfaceRef"
            | "resourceRole"
            | "performer"
            | "humanPerformer"
            | "potentialOwner"
            | "correlationSubscription"
            | "multiInstanceLoopCharacteristics"
            | "standardLoopCharacteristics"
            | "artifact"
    )
}
