//! Everything in the subset, with prefixes and orders as tools write them.

use halsonav_engine::graph::{Binding, NodeKind, Throw, TimerDef, Trigger};
use halsonav_engine::{Anything, Definition, load};
use halsonav_expression::Decisions;

use super::sheet;

/// One process with every element of the subset, laid out in three prefixes by the tests.
const EVERYTHING: &str = include_str!("everything.bpmn");

pub fn everything() -> String {
    EVERYTHING.to_owned()
}

fn one(text: &str) -> Definition {
    let mut loaded = load(text, &Decisions::empty(), &Anything).unwrap_or_else(|faults| {
        panic!(
            "{}",
            faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("\n")
        )
    });
    loaded.definitions.remove(0)
}

fn kind<'d>(definition: &'d Definition, id: &str) -> &'d NodeKind {
    &definition.node(definition.find(id).expect(id)).kind
}

#[test]
fn every_element_of_the_subset_loads_without_a_warning() {
    let loaded = load(EVERYTHING, &Decisions::empty(), &Anything).expect("loads");
    let told: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(loaded.definitions.len(), 2);
}

#[test]
fn prefixes_do_not_matter() {
    let plain = one(EVERYTHING);
    let bare = EVERYTHING
        .replace("bpmn:", "")
        .replace("xmlns:bpmn=", "xmlns=");
    for text in [
        EVERYTHING
            .replace("bpmn:", "b2:")
            .replace("xmlns:bpmn", "xmlns:b2"),
        bare,
        EVERYTHING
            .replace("zeebe", "zb")
            .replace("schema/zb", "schema/zeebe"),
    ] {
        let other = one(&text);
        let ids = |definition: &Definition| {
            definition
                .nodes
                .iter()
                .map(|node| node.id.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(&plain), ids(&other));
        assert_eq!(plain.flows.len(), other.flows.len());
        assert_ne!(plain.digest, other.digest);
    }
}

#[test]
fn scopes_come_parents_first_and_know_what_is_in_them() {
    let definition = one(EVERYTHING);
    for (ix, scope) in (0u32..).zip(&definition.scopes) {
        assert!(scope.parent.is_none_or(|parent| parent < ix));
        assert!(
            scope
                .nodes
                .iter()
                .all(|node| definition.node(*node).scope == ix)
        );
    }
    let nodes: usize = definition
        .scopes
        .iter()
        .map(|scope| scope.nodes.len())
        .sum();
    assert_eq!(nodes, definition.nodes.len());
    for (ix, flow) in (0u32..).zip(&definition.flows) {
        assert!(definition.node(flow.source).outgoing.contains(&ix));
        assert!(definition.node(flow.target).incoming.contains(&ix));
    }
}

#[test]
fn events_become_triggers_and_throws() {
    let definition = one(EVERYTHING);
    assert!(
        matches!(kind(&definition, "start_message"), NodeKind::Start(Some(Trigger::Message(m))) if m.correlation.is_none())
    );
    assert!(matches!(
        kind(&definition, "start_timer"),
        NodeKind::Start(Some(Trigger::Timer(TimerDef::Cycle(_))))
    ));
    assert!(matches!(
        kind(&definition, "nudge"),
        NodeKind::Boundary {
            interrupting: false,
            trigger: Trigger::Timer(TimerDef::Cycle(_)),
            ..
        }
    ));
    assert!(matches!(
        kind(&definition, "any_error"),
        NodeKind::Boundary {
            interrupting: true,
            trigger: Trigger::Error(None),
            ..
        }
    ));
    assert!(
        matches!(kind(&definition, "undo"), NodeKind::Boundary { interrupting: false, trigger: Trigger::Compensation(h), .. } if definition.node(*h).id == "handler")
    );
    assert!(
        matches!(kind(&definition, "jump"), NodeKind::Throw(Throw::Link(target)) if definition.node(*target).id == "land")
    );
    assert!(matches!(
        kind(&definition, "shared_timer"),
        NodeKind::Catch(Trigger::Timer(TimerDef::Duration(_)))
    ));
    assert!(
        matches!(kind(&definition, "opt_out"), NodeKind::EventSubProcess { interrupting: true, start, .. } if definition.node(*start).id == "opted_out")
    );
    assert_eq!(definition.scope(0).event_starts.len(), 3);
    assert!(definition.scope(0).start.is_some());
}

#[test]
fn extensions_are_read() {
    let definition = one(EVERYTHING);
    let book = definition.node(definition.find("book").expect("book"));
    assert_eq!(book.io.inputs.len(), 2);
    assert_eq!(book.io.outputs[0].target, "booking.slot");
    assert_eq!(book.headers["topic"], "booking");
    assert_eq!(book.properties["milestone"].literal(), Some("booked"));
    let NodeKind::User(task) = kind(&definition, "dialogue") else {
        panic!("a user task")
    };
    assert_eq!(
        task.form.as_ref().and_then(|form| form.literal()),
        Some("health-dialogue")
    );
    assert!(
        task.due
            .as_ref()
            .is_some_and(|due| due.expression().is_some())
    );
    let NodeKind::Call(call) = kind(&definition, "lab") else {
        panic!("a call activity")
    };
    assert_eq!(
        (&call.binding, call.propagate_in, call.propagate_out),
        (&Binding::VersionTag("2.0".into()), true, false)
    );
    let repeat = definition
        .node(definition.find("forms").expect("forms"))
        .repeat
        .as_ref()
        .expect("repeats");
    assert!(repeat.sequential && !repeat.counted && repeat.completion.is_some());
    assert_eq!(
        repeat.output.as_ref().map(|(name, _)| name.as_str()),
        Some("answers")
    );
    let counted = definition
        .node(definition.find("thrice").expect("thrice"))
        .repeat
        .as_ref()
        .expect("repeats");
    assert!(counted.counted);
    assert_eq!(definition.version_tag.as_deref(), Some("1.4"));
}

#[test]
fn a_process_without_start_event_begins_everywhere_nothing_leads() {
    let definition = one(&sheet::file("task a\ntask b\ntask c\na > c"));
    let starts: Vec<&str> = definition
        .scope(0)
        .implicit_starts
        .iter()
        .map(|ix| definition.node(*ix).id.as_str())
        .collect();
    assert_eq!(starts, ["a", "b"]);
}

#[test]
fn an_activity_may_have_conditional_flows() {
    let definition = one(&sheet::file(
        "start s\n<task id=\"t\" default=\"t_b\"/>\nend a\nend b\ns > t\nt > a : =x > 1\nt > b",
    ));
    let task = definition.node(definition.find("t").expect("t"));
    assert_eq!(task.default, Some(task.outgoing[1]));
    assert!(definition.flow(task.outgoing[0]).condition.is_some());
}

#[test]
fn the_digest_is_of_the_text() {
    let text = sheet::file("start s\nend e\ns > e");
    assert_eq!(one(&text).digest, one(&text).digest);
    assert_ne!(
        one(&text).digest,
        one(&text.replace("\"e\"", "\"e2\"").replace("s_e", "x")).digest
    );
    assert_eq!(one(&text).digest.len(), 16);
}
