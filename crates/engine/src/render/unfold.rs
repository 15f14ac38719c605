//! Sub-processes that the file draws closed are drawn open, below the rest.
//!
//! Tools keep the inside of a closed sub-process in a plane of its own, or anywhere in the first.

use super::{Backdrop, Diagram, Rect};
use crate::graph::{Definition, NodeIx, ScopeIx};

const GAP: f64 = 40.0;
const TITLE: f64 = 30.0;

/// The diagram with the inside of every closed sub-process moved below.
pub(super) fn unfolded(definition: &Definition, diagram: &Diagram) -> Diagram {
    let mut diagram = diagram.clone();
    let closed: Vec<ScopeIx> = (1..)
        .zip(definition.scopes.iter().skip(1))
        .filter(|(_, scope)| {
            scope
                .host
                .is_some_and(|host| !encloses(definition, &diagram, host, &scope.nodes))
        })
        .map(|(ix, _)| ix)
        .collect();
    if closed.is_empty() {
        return diagram;
    }
    let inside: Vec<Vec<NodeIx>> = closed
        .iter()
        .map(|scope| within(definition, *scope, &closed))
        .collect();
    let mut open = diagram.clone();
    inside
        .iter()
        .flatten()
        .for_each(|ix| remove(definition, &mut open, *ix));
    let page = open.extent();
    let right = page.x + page.width.max(1_200.0);
    let (mut x, mut y, mut row) = (page.x, page.y + page.height + GAP, 0.0_f64);
    for (scope, nodes) in closed.iter().zip(inside) {
        let Some(extent) = extent(definition, &diagram, &nodes) else {
            continue;
        };
        let (width, height) = (extent.width + 2.0 * GAP, extent.height + 2.0 * GAP + TITLE);
        if x > page.x && x + width > right {
            (x, y, row) = (page.x, y + row + GAP, 0.0);
        }
        let by = (x + GAP - extent.x, y + GAP + TITLE - extent.y);
        nodes
            .iter()
            .for_each(|ix| shift(definition, &mut diagram, *ix, by));
        let host = definition
            .scope(*scope)
            .host
            .map(|host| definition.node(host).name.clone());
        diagram.backdrop.push(Backdrop {
            rect: Rect {
                x,
                y,
                width,
                height,
            },
            sort: "inside".to_owned(),
            text: host.unwrap_or_default(),
        });
        x += width + GAP;
        row = row.max(height);
    }
    diagram
}

/// Whether what is drawn of these nodes stands inside the box of their host.
fn encloses(definition: &Definition, diagram: &Diagram, host: NodeIx, nodes: &[NodeIx]) -> bool {
    let Some(frame) = diagram.shapes.get(&definition.node(host).id) else {
        return false;
    };
    let drawn = nodes
        .iter()
        .filter_map(|ix| diagram.shapes.get(&definition.node(*ix).id));
    drawn.map(Rect::middle).all(|point| {
        (frame.x..=frame.x + frame.width).contains(&point.x)
            && (frame.y..=frame.y + frame.height).contains(&point.y)
    })
}

/// The nodes of a scope and of the open scopes in it.
fn within(definition: &Definition, scope: ScopeIx, closed: &[ScopeIx]) -> Vec<NodeIx> {
    let mut nodes = definition.scope(scope).nodes.clone();
    let inner = (0..)
        .zip(&definition.scopes)
        .filter(|(ix, inner)| inner.parent == Some(scope) && !closed.contains(ix));
    for (ix, _) in inner {
        nodes.extend(within(definition, ix, closed));
    }
    nodes
}

fn extent(definition: &Definition, diagram: &Diagram, nodes: &[NodeIx]) -> Option<Rect> {
    let mut part = Diagram::default();
    for node in nodes.iter().map(|ix| definition.node(*ix)) {
        if let Some(rect) = diagram.shapes.get(&node.id) {
            part.shapes.insert(node.id.clone(), *rect);
        }
        for flow in node.outgoing.iter().map(|flow| definition.flow(*flow)) {
            if let Some(points) = diagram.edges.get(&flow.id) {
                part.edges.insert(flow.id.clone(), points.clone());
            }
        }
    }
    (!part.shapes.is_empty()).then(|| part.extent())
}

fn remove(definition: &Definition, diagram: &mut Diagram, ix: NodeIx) {
    let node = definition.node(ix);
    let flows = node.outgoing.iter().map(|flow| &definition.flow(*flow).id);
    for id in flows.chain([&node.id]) {
        diagram.shapes.remove(id);
        diagram.labels.remove(id);
        diagram.edges.remove(id);
    }
}

fn shift(definition: &Definition, diagram: &mut Diagram, ix: NodeIx, (dx, dy): (f64, f64)) {
    let node = definition.node(ix);
    let flows = node.outgoing.iter().map(|flow| &definition.flow(*flow).id);
    for id in flows.chain([&node.id]) {
        let boxes = diagram
            .shapes
            .get_mut(id)
            .into_iter()
            .chain(diagram.labels.get_mut(id));
        boxes.for_each(|rect| (rect.x, rect.y) = (rect.x + dx, rect.y + dy));
        let points = diagram.edges.get_mut(id).into_iter().flatten();
        points.for_each(|point| (point.x, point.y) = (point.x + dx, point.y + dy));
    }
}
