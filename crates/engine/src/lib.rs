//! The decision: BPMN file to graph to step. Pure, total, bounded.
