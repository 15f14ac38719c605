//! Which way into a join can still be reached from where: worked out once per definition.

use crate::graph::{Definition, FlowIx, NodeIx, NodeKind, Throw};

/// For every inclusive join, what can still come to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reach {
    joins: Vec<Join>,
}

/// One inclusive join.
#[derive(Clone, Debug)]
struct Join {
    node: NodeIx,
    /// Row per node: which of the join's incoming flows a token there can still come by, without
    /// passing the join itself.
    rows: Vec<Box<[bool]>>,
}

impl Reach {
    pub(crate) fn of(definition: &Definition) -> Self {
        let joins = definition.nodes.iter().zip(0..);
        let joins = joins
            .filter(|(node, _)| matches!(node.kind, NodeKind::Inclusive) && node.incoming.len() > 1)
            .map(|(_, ix)| Join::of(definition, ix));
        Self {
            joins: joins.collect(),
        }
    }

    /// Which of the incoming flows of `join` can be reached from `from`, in their order.
    pub(crate) fn row(&self, join: NodeIx, from: NodeIx) -> &[bool] {
        let join = self.joins.iter().find(|known| known.node == join);
        join.and_then(|join| join.rows.get(from as usize))
            .map_or(&[], |row| row)
    }
}

impl Join {
    fn of(definition: &Definition, node: NodeIx) -> Self {
        let incoming = &definition.node(node).incoming;
        let mut rows = vec![vec![false; incoming.len()].into_boxed_slice(); definition.nodes.len()];
        for (at, &flow) in incoming.iter().enumerate() {
            for from in sources(definition, node, flow) {
                rows[from as usize][at] = true;
            }
        }
        Self { node, rows }
    }
}

/// Every node but `join` from which `flow` can be reached without passing `join`.
fn sources(definition: &Definition, join: NodeIx, flow: FlowIx) -> Vec<NodeIx> {
    let mut seen = vec![false; definition.nodes.len()];
    let mut found = Vec::new();
    let mut open = vec![definition.flow(flow).source];
    while let Some(node) = open.pop() {
        if node == join || std::mem::replace(&mut seen[node as usize], true) {
            continue;
        }
        found.push(node);
        open.extend(before(definition, node));
    }
    found
}

/// The nodes from which a token can come to `node` in one move.
fn before(definition: &Definition, node: NodeIx) -> Vec<NodeIx> {
    let here = definition.node(node);
    let mut nodes: Vec<NodeIx> = here
        .incoming
        .iter()
        .map(|&flow| definition.flow(flow).source)
        .collect();
    if let NodeKind::Boundary { host, .. } = here.kind {
        nodes.push(host);
    }
    let throws = definition.nodes.iter().zip(0..);
    nodes.extend(throws.filter_map(|(other, ix)| match other.kind {
        NodeKind::Throw(Throw::Link(target)) if target == node => Some(ix),
        _ => None,
    }));
    nodes
}
