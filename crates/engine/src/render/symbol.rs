//! The small signs in shapes: what an event waits for, what sort of task it is.

use super::Point;
use crate::graph::{Node, NodeKind};

/// The sign of an event. What is thrown is filled.
pub(super) fn event(word: &str, at: Point, scale: f64, thrown: bool) -> String {
    let class = if thrown { "icon solid" } else { "icon" };
    let path = match word {
        "message" => {
            // A filled envelope needs its flap in white.
            let flap = if thrown { "#fff" } else { "#1f2933" };
            return framed(
                at,
                scale,
                &format!(
                    r#"<path class="{class}" d="M-9 -6H9V6H-9z"/><path fill="none" stroke="{flap}" stroke-width="1.3" d="M-9 -6L0 1L9 -6"/>"#
                ),
            );
        }
        "timer" => {
            return framed(
                at,
                scale,
                r#"<circle class="icon" r="9.5"/><path class="icon" d="M0 -6V0L4 3M0 -9.5V-8M0 9.5V8M-9.5 0H-8M9.5 0H8"/>"#,
            );
        }
        "terminate" => return framed(at, scale, r#"<circle class="solid" r="10"/>"#),
        "error" => "M-8 8L-3 -7L3 2L8 -8L3 7L-3 -2z",
        "escalation" => "M0 -9L7 8L0 2L-7 8z",
        "signal" => "M0 -8L8.5 6.5H-8.5z",
        "compensation" => "M0 -6L-8 0L0 6zM8 -6L0 0L8 6z",
        "link" => "M-9 -3.5H1V-8L9 0L1 8V3.5H-9z",
        _ => return String::new(),
    };
    framed(at, scale, &format!(r#"<path class="{class}" d="{path}"/>"#))
}

/// The sign of a gateway.
pub(super) fn gateway(kind: &NodeKind, at: Point) -> String {
    let drawn = match kind {
        NodeKind::Exclusive => {
            r#"<path class="icon" stroke-width="3" d="M-7 -9L7 9M7 -9L-7 9" style="stroke-width:3"/>"#
        }
        NodeKind::Parallel => {
            r#"<path class="icon" d="M0 -11V11M-11 0H11" style="stroke-width:3.5"/>"#
        }
        NodeKind::Inclusive => r#"<circle class="icon" r="10.5" style="stroke-width:2.5"/>"#,
        NodeKind::EventBased => {
            r#"<circle class="icon" r="14"/><circle class="icon" r="11"/><path class="icon" d="M0 -8L7.6 -2.5L4.7 6.5H-4.7L-7.6 -2.5z"/>"#
        }
        _ => "",
    };
    framed(at, 1.0, drawn)
}

/// The sign of a task, from its upper left.
pub(super) fn task(kind: &NodeKind, at: Point) -> String {
    let drawn = match kind {
        NodeKind::Job(_) => {
            r#"<circle class="icon" cx="8" cy="8" r="5.5"/><circle class="icon" cx="8" cy="8" r="2"/><path class="icon" d="M8 .5V2.5M8 13.5V15.5M.5 8H2.5M13.5 8H15.5M2.7 2.7L4.1 4.1M11.9 11.9L13.3 13.3M13.3 2.7L11.9 4.1M4.1 11.9L2.7 13.3"/>"#
        }
        NodeKind::User(_) => {
            r#"<circle class="icon" cx="8" cy="5" r="3.5"/><path class="icon" d="M1 15.5C1 8 15 8 15 15.5z"/>"#
        }
        NodeKind::Script { .. } => {
            r#"<path class="icon" d="M4 1H14C10 5 16 10 12 15H2C6 10 0 5 4 1zM5 5H10M6 8H11M6 11H11"/>"#
        }
        NodeKind::Decision { .. } => {
            r#"<path class="icon" d="M0 2H16V14H0zM0 6H16M5 6V14M0 10H16"/>"#
        }
        NodeKind::Catch(_) => r#"<path class="icon" d="M0 3H16V14H0zM0 3L8 9L16 3"/>"#,
        _ => return String::new(),
    };
    framed(at, 1.0, drawn)
}

/// What stands at the foot of an activity: multi-instance and compensation.
pub(super) fn markers(node: &Node, at: Point) -> String {
    let mut drawn = Vec::new();
    if let Some(repeat) = &node.repeat {
        drawn.push(if repeat.sequential {
            "M-6 -4H6M-6 0H6M-6 4H6"
        } else {
            "M-4 -6V6M0 -6V6M4 -6V6"
        });
    }
    if node.for_compensation {
        drawn.push("M0 -5L-7 0L0 5zM7 -5L0 0L7 5z");
    }
    let mut x = at.x;
    let mut out = String::new();
    for path in drawn {
        let sign = format!(r#"<path class="icon" d="{path}" style="stroke-width:2"/>"#);
        out.push_str(&framed(Point { x, y: at.y }, 1.0, &sign));
        x += 18.0;
    }
    out
}

/// The stroke across the beginning of a default flow.
pub(super) fn default_mark(from: Point, to: Point) -> String {
    let length = (to.x - from.x).hypot(to.y - from.y).max(1.0);
    let (dx, dy) = ((to.x - from.x) / length, (to.y - from.y) / length);
    let middle = Point {
        x: from.x + dx * 10.0,
        y: from.y + dy * 10.0,
    };
    // Turned by 60 degrees against the flow.
    let (sx, sy) = (dx * 0.5 - dy * 0.87, dx * 0.87 + dy * 0.5);
    format!(
        r#"<path class="flow" d="M{:.1} {:.1}L{:.1} {:.1}"/>"#,
        middle.x - sx * 6.0,
        middle.y - sy * 6.0,
        middle.x + sx * 6.0,
        middle.y + sy * 6.0
    )
}

fn framed(at: Point, scale: f64, drawn: &str) -> String {
    format!(
        r#"<g transform="translate({:.1} {:.1}) scale({scale:.2})">{drawn}</g>"#,
        at.x, at.y
    )
}
