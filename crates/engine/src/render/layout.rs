//! A plain layout for files without a diagram: layers from left to right, scopes inside out.
//!
//! Each node stands one layer after the last that leads to it; flows that go back are left out of
//! that. A flow over several layers holds a place in each, so that it does not cross a node.

use std::collections::HashMap;

use super::{Diagram, Outline, Point, Rect, label};
use crate::graph::{Definition, FlowIx, NodeIx, NodeKind, ScopeIx};

const GAP_X: f64 = 60.0;
const GAP_Y: f64 = 44.0;
const PADDING: f64 = 40.0;
const EVENT: f64 = 36.0;
/// Places that flows hold in one scope; past that they cross what they must.
const MAX_BENDS: usize = 20_000;

/// Lays out a definition.
pub(super) fn of(definition: &Definition) -> Diagram {
    let mut plan = Plan {
        definition,
        at: HashMap::new(),
        bends: HashMap::new(),
    };
    // Children come after their parents, so that the reverse order goes inside out.
    let mut sizes: HashMap<ScopeIx, Point> = HashMap::new();
    for scope in (0..definition.scopes.len()).rev() {
        let Ok(scope) = ScopeIx::try_from(scope) else {
            continue;
        };
        let size = plan.scope(scope, &sizes);
        sizes.insert(scope, size);
    }
    plan.finish()
}

struct Plan<'d> {
    definition: &'d Definition,
    /// Boxes, relative to the scope they are in.
    at: HashMap<NodeIx, Rect>,
    /// Places that long flows hold, relative to their scope.
    bends: HashMap<FlowIx, Vec<Point>>,
}

/// What holds a place in a layer.
#[derive(Clone, Copy)]
enum Slot {
    Node(NodeIx),
    Flow(FlowIx),
}

impl Plan<'_> {
    /// Places the nodes of a scope, and gives its size.
    fn scope(&mut self, scope: ScopeIx, sizes: &HashMap<ScopeIx, Point>) -> Point {
        let layers = self.layers(scope);
        let mut x = PADDING;
        let mut bottom = PADDING;
        for slots in layers {
            let widest = slots
                .iter()
                .map(|slot| self.size(*slot, sizes).x)
                .fold(0.0, f64::max);
            let mut free = PADDING;
            for slot in self.ordered(slots) {
                let size = self.size(slot, sizes);
                let wish = self.wish(slot).map_or(free, |middle| middle - size.y / 2.0);
                let y = wish.max(free);
                free = y + size.y + GAP_Y;
                self.place(
                    slot,
                    Rect {
                        x: x + (widest - size.x) / 2.0,
                        y,
                        width: size.x,
                        height: size.y,
                    },
                );
                bottom = bottom.max(y + size.y);
            }
            x += widest + GAP_X;
        }
        Point {
            x: x - GAP_X + PADDING,
            y: bottom + PADDING,
        }
    }

    fn layers(&self, scope: ScopeIx) -> Vec<Vec<Slot>> {
        let layer = self.layer_of(scope);
        let depth = layer.values().max().map_or(0, |deepest| deepest + 1);
        let mut layers: Vec<Vec<Slot>> = vec![Vec::new(); depth];
        let mut room = MAX_BENDS;
        for ix in &self.definition.scope(scope).nodes {
            let node = self.definition.node(*ix);
            if let Some(at) = layer
                .get(ix)
                .filter(|_| !matches!(node.kind, NodeKind::Boundary { .. }))
            {
                layers[*at].push(Slot::Node(*ix));
            }
            for flow in &node.outgoing {
                let to = layer
                    .get(&self.definition.flow(*flow).target)
                    .copied()
                    .unwrap_or(0);
                let from = layer.get(ix).copied().unwrap_or(0);
                let places = (from + 1..to).take(room);
                room -= places.len();
                places.for_each(|between| layers[between].push(Slot::Flow(*flow)));
            }
        }
        layers
    }

    /// The longest way to each node, without flows that go back.
    fn layer_of(&self, scope: ScopeIx) -> HashMap<NodeIx, usize> {
        let nodes = &self.definition.scope(scope).nodes;
        let mut done: HashMap<NodeIx, bool> = HashMap::new();
        let mut order = Vec::new();
        let mut back = Vec::new();
        for root in nodes {
            let mut stack = vec![(*root, 0)];
            while let Some((ix, next)) = stack.pop() {
                if next == 0 && done.insert(ix, false).is_some() {
                    continue;
                }
                match self.after(ix).get(next) {
                    Some(to) => {
                        stack.push((ix, next + 1));
                        match done.get(to) {
                            None => stack.push((*to, 0)),
                            Some(false) => back.push((ix, *to)),
                            Some(true) => {}
                        }
                    }
                    None => {
                        done.insert(ix, true);
                        order.push(ix);
                    }
                }
            }
        }
        let back: std::collections::HashSet<(NodeIx, NodeIx)> = back.into_iter().collect();
        let mut layer: HashMap<NodeIx, usize> = nodes.iter().map(|ix| (*ix, 0)).collect();
        for ix in order.into_iter().rev() {
            let at = layer.get(&ix).copied().unwrap_or(0);
            let boundary =
                |to: &NodeIx| matches!(self.definition.node(*to).kind, NodeKind::Boundary { .. });
            for to in self
                .after(ix)
                .into_iter()
                .filter(|to| !back.contains(&(ix, *to)))
            {
                let beside = at + usize::from(!boundary(&to));
                let place = layer.entry(to).or_insert(0);
                *place = (*place).max(beside);
            }
        }
        layer
    }

    /// What follows a node: by flow, on its border, or by compensation.
    fn after(&self, ix: NodeIx) -> Vec<NodeIx> {
        let node = self.definition.node(ix);
        let flows = node
            .outgoing
            .iter()
            .map(|flow| self.definition.flow(*flow).target);
        let handler = match node.kind {
            NodeKind::Boundary {
                trigger: crate::graph::Trigger::Compensation(handler),
                ..
            } => Some(handler),
            _ => None,
        };
        flows
            .chain(node.boundaries.iter().copied())
            .chain(handler)
            .collect()
    }

    fn size(&self, slot: Slot, sizes: &HashMap<ScopeIx, Point>) -> Point {
        let Slot::Node(ix) = slot else {
            return Point { x: 0.0, y: 4.0 };
        };
        let node = self.definition.node(ix);
        match (&node.kind, Outline::of(node)) {
            (NodeKind::SubProcess(scope) | NodeKind::EventSubProcess { scope, .. }, _) => {
                let inner = sizes.get(scope).copied().unwrap_or_default();
                Point {
                    x: inner.x.max(120.0),
                    y: inner.y.max(90.0),
                }
            }
            (_, Outline::Gateway) => Point { x: 50.0, y: 50.0 },
            (_, outline) if outline.is_event() => Point { x: EVENT, y: EVENT },
            _ => Point { x: 110.0, y: 80.0 },
        }
    }

    /// Slots of a layer, by how high what leads to them stands.
    fn ordered(&self, slots: Vec<Slot>) -> Vec<Slot> {
        let height = |slot: Slot| (self.wish(slot).unwrap_or(f64::MAX), slot);
        let mut heights: Vec<(f64, Slot)> = slots.into_iter().map(height).collect();
        heights.sort_by(|a, b| a.0.total_cmp(&b.0));
        heights.into_iter().map(|(_, slot)| slot).collect()
    }

    /// The height at which a slot is straight after what leads to it.
    fn wish(&self, slot: Slot) -> Option<f64> {
        let flows: Vec<FlowIx> = match slot {
            Slot::Flow(flow) => vec![flow],
            Slot::Node(ix) => self.definition.node(ix).incoming.clone(),
        };
        let known: Vec<f64> = flows
            .iter()
            .filter_map(|flow| self.left_of(*flow))
            .collect();
        #[expect(clippy::cast_precision_loss, reason = "a node has few flows")]
        let count = known.len() as f64;
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
    }

    fn left_of(&self, flow: FlowIx) -> Option<f64> {
        let bend = self
            .bends
            .get(&flow)
            .and_then(|bends| bends.last())
            .map(|bend| bend.y);
        bend.or_else(|| {
            self.at
                .get(&self.definition.flow(flow).source)
                .map(|rect| rect.middle().y)
        })
    }

    fn place(&mut self, slot: Slot, rect: Rect) {
        let ix = match slot {
            Slot::Flow(flow) => return self.bends.entry(flow).or_default().push(rect.middle()),
            Slot::Node(ix) => ix,
        };
        self.at.insert(ix, rect);
        let step = EVENT + 8.0;
        let mut x = rect.x + rect.width - EVENT - 6.0;
        for boundary in &self.definition.node(ix).boundaries {
            let y = rect.y + rect.height - EVENT / 2.0;
            self.at.insert(
                *boundary,
                Rect {
                    x,
                    y,
                    width: EVENT,
                    height: EVENT,
                },
            );
            x -= step;
        }
    }

    /// Everything relative to the picture, with flows drawn.
    fn finish(self) -> Diagram {
        let mut diagram = Diagram::default();
        let mut origin = vec![Point::default(); self.definition.scopes.len()];
        for (ix, scope) in self.definition.scopes.iter().enumerate().skip(1) {
            let (Some(parent), Some(host)) = (scope.parent, scope.host) else {
                continue;
            };
            let rect = self.at.get(&host).copied().unwrap_or_default();
            let outer = origin[parent as usize];
            origin[ix] = Point {
                x: outer.x + rect.x,
                y: outer.y + rect.y,
            };
        }
        let moved = |ix: NodeIx| {
            let rect = self.at.get(&ix).copied().unwrap_or_default();
            let by = origin[self.definition.node(ix).scope as usize];
            Rect {
                x: rect.x + by.x,
                y: rect.y + by.y,
                ..rect
            }
        };
        for (ix, node) in (0..).zip(&self.definition.nodes) {
            let rect = moved(ix);
            diagram.shapes.insert(node.id.clone(), rect);
            if Outline::of(node).is_event() && !label(node).is_empty() {
                let below = Rect {
                    x: rect.x - 27.0,
                    y: rect.y + rect.height + 4.0,
                    width: 90.0,
                    height: 14.0,
                };
                diagram.labels.insert(node.id.clone(), below);
            }
        }
        for (ix, flow) in (0..).zip(&self.definition.flows) {
            let (from, to) = (moved(flow.source), moved(flow.target));
            let by = origin[self.definition.node(flow.source).scope as usize];
            let bends = self.bends.get(&ix).into_iter().flatten();
            let bends: Vec<Point> = bends
                .map(|p| Point {
                    x: p.x + by.x,
                    y: p.y + by.y,
                })
                .collect();
            let side = matches!(
                self.definition.node(flow.source).kind,
                NodeKind::Boundary { .. }
            );
            diagram
                .edges
                .insert(flow.id.clone(), route(from, to, &bends, side));
        }
        diagram
    }
}

/// A flow with right angles, through the places it holds; one that goes back passes below.
fn route(from: Rect, to: Rect, bends: &[Point], boundary: bool) -> Vec<Point> {
    let end = Point {
        x: to.x,
        y: to.middle().y,
    };
    let mut points = if boundary {
        vec![Point {
            x: from.middle().x,
            y: from.y + from.height,
        }]
    } else {
        vec![Point {
            x: from.x + from.width,
            y: from.middle().y,
        }]
    };
    let mut last = points[0];
    if end.x < last.x {
        let below = from.y.max(to.y) + from.height.max(to.height) + GAP_Y / 2.0;
        let down = if boundary { last.x } else { last.x + 14.0 };
        let corners = [
            (down, last.y),
            (down, below),
            (to.x - 14.0, below),
            (to.x - 14.0, end.y),
        ];
        points.extend(corners.map(|(x, y)| Point { x, y }));
        points.push(end);
        return points;
    }
    if boundary {
        last.y += 14.0;
        points.push(last);
    }
    for next in bends.iter().copied().chain([end]) {
        if (next.y - last.y).abs() > 0.5 {
            let turn = next.x - GAP_X / 3.0;
            points.extend([Point { x: turn, y: last.y }, Point { x: turn, y: next.y }]);
        }
        points.push(next);
        last = next;
    }
    points
}
