//! Where things stand in the picture: read from the file, or laid out.

use std::collections::HashMap;

use super::layout;
use crate::graph::Definition;
use crate::load::xml::{self, Element};

const DI: &str = "http://www.omg.org/spec/BPMN/20100524/DI";

/// A point, in pixels from the upper left.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A box, in pixels.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Rect {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Rect {
    /// Its middle.
    #[must_use]
    pub fn middle(&self) -> Point {
        Point {
            x: self.x + self.width / 2.0,
            y: self.y + self.height / 2.0,
        }
    }
}

/// Something in the picture that is not run.
#[derive(Clone, PartialEq, Debug)]
pub struct Backdrop {
    /// Where.
    pub rect: Rect,
    /// `participant`, `lane`, `textAnnotation`, …
    pub sort: String,
    /// Its name or text.
    pub text: String,
}

/// Positions of nodes and flows, by id.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diagram {
    /// Boxes of nodes.
    pub shapes: HashMap<String, Rect>,
    /// Way-points of flows and associations.
    pub edges: HashMap<String, Vec<Point>>,
    /// Where labels go, if the file says so.
    pub labels: HashMap<String, Rect>,
    /// Ties between a compensation event and its handler, and other associations.
    pub ties: Vec<Vec<Point>>,
    /// Pools, lanes and notes, in the order of the file.
    pub backdrop: Vec<Backdrop>,
}

impl Diagram {
    /// What a BPMN file draws, in all of its planes. `None`: the file has none, or cannot be read.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let document = xml::read(text).ok()?;
        let root = document.root_element();
        let diagrams = root.children().filter(|child| in_di(*child, "BPMNDiagram"));
        let planes = diagrams.flat_map(|diagram| {
            diagram
                .children()
                .filter(|child| in_di(*child, "BPMNPlane"))
        });
        let model = root
            .descendants()
            .filter(|e| e.tag_name().namespace() == Some(xml::BPMN));
        let by_id: HashMap<&str, Element<'_>> = model
            .filter_map(|element| Some((element.attribute("id")?, element)))
            .collect();
        let mut diagram = Self::default();
        for drawn in planes
            .flat_map(|plane| plane.children())
            .filter(|child| child.is_element())
        {
            let Some(id) = xml::reference(drawn, "bpmnElement") else {
                continue;
            };
            if let Some(rect) = drawn
                .children()
                .find(|c| in_di(*c, "BPMNLabel"))
                .and_then(bounds)
            {
                diagram.labels.insert(id.to_owned(), rect);
            }
            if in_di(drawn, "BPMNEdge") {
                diagram.edge(id, drawn, by_id.get(id).copied());
            } else if let Some(rect) = bounds(drawn) {
                diagram.shape(id, rect, by_id.get(id).copied());
            }
        }
        (!diagram.shapes.is_empty()).then_some(diagram)
    }

    /// A layout for a definition whose file has no diagram.
    #[must_use]
    pub fn laid_out(definition: &Definition) -> Self {
        layout::of(definition)
    }

    fn edge(&mut self, id: &str, drawn: Element<'_>, element: Option<Element<'_>>) {
        let points = drawn
            .children()
            .filter(|child| child.tag_name().name() == "waypoint");
        let points: Vec<Point> = points
            .filter_map(|p| {
                Some(Point {
                    x: number(p, "x")?,
                    y: number(p, "y")?,
                })
            })
            .collect();
        if points.len() < 2 {
            return;
        }
        if element.is_some_and(|element| xml::is(element, "sequenceFlow")) {
            self.edges.insert(id.to_owned(), points);
        } else {
            self.ties.push(points);
        }
    }

    fn shape(&mut self, id: &str, rect: Rect, element: Option<Element<'_>>) {
        const SORTS: [&str; 6] = [
            "participant",
            "lane",
            "textAnnotation",
            "group",
            "dataObjectReference",
            "dataStoreReference",
        ];
        let sort = element.map_or("", |element| element.tag_name().name());
        if !SORTS.contains(&sort) {
            self.shapes.insert(id.to_owned(), rect);
            return;
        }
        let name = element.and_then(|element| xml::attribute(element, "name").map(str::to_owned));
        let note = || {
            element
                .and_then(|element| xml::child(element, "text"))
                .map(xml::text)
        };
        let text = name.or_else(note).unwrap_or_default();
        self.backdrop.push(Backdrop {
            rect,
            sort: sort.to_owned(),
            text,
        });
    }

    /// The box around everything.
    #[must_use]
    pub fn extent(&self) -> Rect {
        let mut low = Point {
            x: f64::MAX,
            y: f64::MAX,
        };
        let mut high = Point {
            x: f64::MIN,
            y: f64::MIN,
        };
        let mut take = |x: f64, y: f64| {
            low = Point {
                x: low.x.min(x),
                y: low.y.min(y),
            };
            high = Point {
                x: high.x.max(x),
                y: high.y.max(y),
            };
        };
        let rects = self
            .shapes
            .values()
            .chain(self.labels.values())
            .chain(self.backdrop.iter().map(|b| &b.rect));
        for rect in rects {
            take(rect.x, rect.y);
            take(rect.x + rect.width, rect.y + rect.height);
        }
        self.edges
            .values()
            .chain(&self.ties)
            .flatten()
            .for_each(|point| take(point.x, point.y));
        if low.x > high.x {
            return Rect::default();
        }
        Rect {
            x: low.x,
            y: low.y,
            width: high.x - low.x,
            height: high.y - low.y,
        }
    }
}

fn in_di(element: Element<'_>, name: &str) -> bool {
    element.tag_name().namespace() == Some(DI) && element.tag_name().name() == name
}

fn bounds(drawn: Element<'_>) -> Option<Rect> {
    let bounds = drawn
        .children()
        .find(|child| child.tag_name().name() == "Bounds")?;
    let (x, y) = (number(bounds, "x")?, number(bounds, "y")?);
    Some(Rect {
        x,
        y,
        width: number(bounds, "width")?.abs(),
        height: number(bounds, "height")?.abs(),
    })
}

/// A coordinate that can be drawn.
fn number(element: Element<'_>, name: &str) -> Option<f64> {
    let value: f64 = xml::attribute(element, name)?.parse().ok()?;
    (value.is_finite() && value.abs() < 1e6).then_some(value)
}
