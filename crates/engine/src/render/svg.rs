//! A definition as SVG, by the positions of a [`Diagram`].

use std::fmt::Write as _;

use halsonav_expression::Expression;

use super::text::{beside, escape, lines, path, shortened};
use super::{Diagram, Marks, Outline, Point, Rect, event_word, label, symbol, unfold::unfolded};
use crate::graph::{Definition, Node, NodeKind, ScopeIx};

const MARGIN: f64 = 20.0;

const STYLE: &str = "text{font:12px sans-serif;fill:#1f2933}\
.shape{fill:#fff;stroke:#1f2933;stroke-width:1.5}\
.frame{fill:#fff;fill-opacity:.6}.event-sub{stroke-dasharray:2 4}\
.end{stroke-width:3.5}.call{stroke-width:4}.side{stroke-dasharray:5 3}\
.flow{fill:none;stroke:#1f2933;stroke-width:1.5}.tie{fill:none;stroke:#5c6b7a;stroke-dasharray:2 4}\
.icon{fill:none;stroke:#1f2933;stroke-width:1.3;stroke-linejoin:round;stroke-linecap:round}.solid{fill:#1f2933}\
.back{fill:none;stroke:#9aa5b1}.note{fill:#5c6b7a;font-size:11px}\
.covered{fill:#e3f4e1;stroke:#2f7d32}.active{fill:#fff3c9;stroke:#b06f00;stroke-width:3}\
.troubled{fill:#fde0dc;stroke:#b3261e;stroke-width:3}path.covered{fill:none;stroke-width:2.5}";

/// Draws a definition. Without a diagram it lays one out.
#[must_use]
pub fn svg(definition: &Definition, diagram: Option<&Diagram>, marks: &Marks) -> String {
    let diagram = match diagram {
        Some(diagram) => unfolded(definition, diagram),
        None => Diagram::laid_out(definition),
    };
    let diagram = &diagram;
    let mut canvas = Canvas {
        definition,
        diagram,
        marks,
        out: String::new(),
    };
    canvas.open();
    canvas.backdrop();
    canvas.scope(0);
    canvas.flows();
    canvas.labels();
    canvas.out.push_str("</svg>\n");
    canvas.out
}

struct Canvas<'d> {
    definition: &'d Definition,
    diagram: &'d Diagram,
    marks: &'d Marks,
    out: String,
}

impl Canvas<'_> {
    fn open(&mut self) {
        let extent = self.diagram.extent();
        let (x, y) = (extent.x - MARGIN, extent.y - MARGIN);
        let (width, height) = (extent.width + 2.0 * MARGIN, extent.height + 2.0 * MARGIN);
        let title = escape(&self.definition.name);
        self.put(&format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="{x:.0} {y:.0} {width:.0} {height:.0}" width="{width:.0}" height="{height:.0}"><title>{title}</title><style>{STYLE}</style><defs><marker id="tip" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L10 5L0 10z" class="solid"/></marker></defs><rect x="{x:.0}" y="{y:.0}" width="{width:.0}" height="{height:.0}" fill="#fff"/>"##
        ));
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn backdrop(&mut self) {
        for part in &self.diagram.backdrop {
            let Rect {
                x,
                y,
                width,
                height,
            } = part.rect;
            let text = escape(&part.text);
            let drawn = match part.sort.as_str() {
                "participant" | "lane" => format!(
                    r#"<rect class="back" x="{x}" y="{y}" width="{width}" height="{height}"/><text transform="translate({:.1} {:.1}) rotate(-90)" text-anchor="middle">{text}</text>"#,
                    x + 18.0,
                    y + height / 2.0
                ),
                "textAnnotation" => format!(
                    r#"<path class="back" d="M{:.1} {y}H{x}V{:.1}H{:.1}"/>{}"#,
                    x + 14.0,
                    y + height,
                    x + 14.0,
                    lines(
                        &part.text,
                        Point {
                            x: x + width / 2.0,
                            y: y + height / 2.0
                        },
                        width,
                        "note"
                    )
                ),
                "inside" => format!(
                    r#"<rect class="back" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/><text x="{:.1}" y="{:.1}">{text}</text>"#,
                    x + 12.0,
                    y + 20.0
                ),
                _ => format!(
                    r#"<rect class="back side" x="{x}" y="{y}" width="{width}" height="{height}"/>"#
                ),
            };
            self.put(&drawn);
        }
    }

    /// Shapes of a scope, those inside a sub-process above it, boundary events last.
    fn scope(&mut self, ix: ScopeIx) {
        let definition = self.definition;
        let nodes = || {
            definition
                .scope(ix)
                .nodes
                .iter()
                .map(|ix| definition.node(*ix))
        };
        let side = |node: &&Node| matches!(node.kind, NodeKind::Boundary { .. });
        for node in nodes()
            .filter(|node| !side(node))
            .chain(nodes().filter(side))
        {
            self.node(node);
            if let NodeKind::SubProcess(inner) | NodeKind::EventSubProcess { scope: inner, .. } =
                node.kind
            {
                self.scope(inner);
            }
        }
    }

    fn node(&mut self, node: &Node) {
        let Some(rect) = self.diagram.shapes.get(&node.id).copied() else {
            return;
        };
        let class = self.marks.class(&node.id);
        let mut outline = Outline::of(node);
        // The file's own shape tells a receive task from a catch event.
        if outline == Outline::Intermediate && rect.width > 60.0 {
            outline = Outline::Activity;
        }
        let _ = writeln!(self.out, r#"<g data-element="{}">"#, escape(&node.id));
        match outline {
            Outline::Start | Outline::End | Outline::Intermediate => {
                self.event(node, rect, outline, class)
            }
            Outline::Gateway => self.gateway(node, rect, class),
            Outline::Activity | Outline::Frame => self.activity(node, rect, outline, class),
        }
        self.put("</g>");
    }

    fn event(&mut self, node: &Node, rect: Rect, outline: Outline, class: &str) {
        let Point { x, y } = rect.middle();
        let radius = rect.width.min(rect.height) / 2.0;
        let quiet = match node.kind {
            NodeKind::Boundary {
                interrupting,
                ref trigger,
                ..
            } => !interrupting && !matches!(trigger, crate::graph::Trigger::Compensation(_)),
            NodeKind::Start(Some(_)) => self.starts_quietly(node),
            _ => false,
        };
        let (side, end) = (
            if quiet { " side" } else { "" },
            if outline == Outline::End { " end" } else { "" },
        );
        self.put(&format!(
            r#"<circle class="shape {class}{side}{end}" cx="{x}" cy="{y}" r="{radius:.1}"/>"#
        ));
        if outline == Outline::Intermediate {
            let inner = radius - 3.5;
            self.put(&format!(
                r#"<circle class="icon{side}" cx="{x}" cy="{y}" r="{inner:.1}"/>"#
            ));
        }
        let throws = matches!(node.kind, NodeKind::End(_) | NodeKind::Throw(_));
        self.put(&symbol::event(
            event_word(node),
            rect.middle(),
            radius / 18.0,
            throws,
        ));
    }

    /// Whether it is the start of an event sub-process that does not interrupt.
    fn starts_quietly(&self, node: &Node) -> bool {
        let host = self.definition.scope(node.scope).host;
        host.is_some_and(|host| {
            matches!(
                self.definition.node(host).kind,
                NodeKind::EventSubProcess {
                    interrupting: false,
                    ..
                }
            )
        })
    }

    fn gateway(&mut self, node: &Node, rect: Rect, class: &str) {
        let (Point { x, y }, half, tall) = (rect.middle(), rect.width / 2.0, rect.height / 2.0);
        self.put(&format!(
            r#"<path class="shape {class}" d="M{x} {:.1}L{:.1} {y}L{x} {:.1}L{:.1} {y}z"/>"#,
            y - tall,
            x + half,
            y + tall,
            x - half
        ));
        self.put(&symbol::gateway(&node.kind, rect.middle()));
    }

    fn activity(&mut self, node: &Node, rect: Rect, outline: Outline, class: &str) {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        let sort = match node.kind {
            NodeKind::EventSubProcess { .. } => " frame event-sub",
            NodeKind::SubProcess(_) => " frame",
            NodeKind::Call(_) => " call",
            _ => "",
        };
        self.put(&format!(
            r#"<rect class="shape {class}{sort}" x="{x}" y="{y}" width="{width}" height="{height}" rx="10"/>"#
        ));
        self.put(&symbol::task(
            &node.kind,
            Point {
                x: x + 8.0,
                y: y + 8.0,
            },
        ));
        self.put(&symbol::markers(
            node,
            Point {
                x: x + width / 2.0,
                y: y + height - 10.0,
            },
        ));
        let at = match outline {
            Outline::Frame if self.holds_something(node) => Point {
                x: x + width / 2.0,
                y: y + 16.0,
            },
            _ => rect.middle(),
        };
        self.put(&lines(label(node), at, width - 12.0, ""));
    }

    fn holds_something(&self, node: &Node) -> bool {
        let (NodeKind::SubProcess(inner) | NodeKind::EventSubProcess { scope: inner, .. }) =
            node.kind
        else {
            return false;
        };
        self.definition.scope(inner).nodes.iter().any(|ix| {
            self.diagram
                .shapes
                .contains_key(&self.definition.node(*ix).id)
        })
    }

    fn flows(&mut self) {
        for (ix, flow) in (0u32..).zip(&self.definition.flows) {
            let Some(points) = self.diagram.edges.get(&flow.id) else {
                continue;
            };
            let class = self.marks.class(&flow.id);
            let id = escape(&flow.id);
            self.put(&format!(
                r#"<path class="flow {class}" data-element="{id}" marker-end="url(#tip)" d="{}"/>"#,
                path(points)
            ));
            let source = self.definition.node(flow.source);
            if source.default == Some(ix) {
                self.put(&symbol::default_mark(points[0], points[1]));
            }
            let written = flow
                .name
                .as_deref()
                .or(flow.condition.as_ref().map(Expression::source));
            if let Some(text) = written {
                let label = self.diagram.labels.get(&flow.id).map(Rect::middle);
                self.put(&lines(
                    &shortened(text),
                    label.unwrap_or_else(|| beside(points)),
                    130.0,
                    "note",
                ));
            }
        }
        for tie in &self.diagram.ties {
            self.put(&format!(r#"<path class="tie" d="{}"/>"#, path(tie)));
        }
    }

    /// Names of events and gateways, which stand outside them.
    fn labels(&mut self) {
        for node in &self.definition.nodes {
            let outside = Outline::of(node).is_event() || Outline::of(node) == Outline::Gateway;
            let Some(rect) = self
                .diagram
                .shapes
                .get(&node.id)
                .filter(|rect| outside && rect.width <= 60.0)
            else {
                continue;
            };
            let below = Point {
                x: rect.middle().x,
                y: rect.y + rect.height + 12.0,
            };
            let above = Point {
                x: rect.middle().x,
                y: rect.y - 8.0,
            };
            let own = if Outline::of(node) == Outline::Gateway {
                above
            } else {
                below
            };
            let at = self
                .diagram
                .labels
                .get(&node.id)
                .map_or(own, |label| label.middle());
            self.put(&lines(label(node), at, 100.0, ""));
        }
    }
}
