//! What a new file does to running instances, and limits that are not a process's own.

use std::sync::Arc;

use halsonav_engine::{
    Coverage, Deployment, Effect, Input, Instance, Library, Operator, Rejection, WaitingFor,
    start_at, step,
};
use halsonav_expression::Decisions;
use serde_json::{Map, Value, json};

use crate::sketch::bpmn;
use crate::world::{START, World, case, library};

fn file(job: &str, tag: &str) -> String {
    bpmn(&format!(
        "process p {tag}\nstart s\njob first\ncall c lab\njob {job}\nend e\ns > first > c > {job} > e\nprocess lab\nstart ls\njob order-{job}\nend le\nls > order-{job} > le"
    ))
}

#[test]
fn trap_16_a_new_version_changes_no_running_instance() {
    let (old, new) = (file("old", "v1"), file("new", "v2"));
    let both = || library(&[&old, &new]);
    let (mut world, _) = World::start(library(&[&old]), "p", &json!({}));
    world.library = both();
    world.complete("first", json!({})).unwrap();
    // The binding is `latest`: what is called is decided when it is called, and kept from then on.
    assert_eq!(world.open.jobs.values().collect::<Vec<_>>(), ["order-new"]);
    assert_eq!(
        world.instance.definitions().collect::<Vec<_>>(),
        [("p", 1), ("lab", 2)]
    );
    world.complete("order-new", json!({})).unwrap();
    assert_eq!(world.open.jobs.values().collect::<Vec<_>>(), ["old"]);
    let (fresh, _) = World::start(both(), "p", &json!({}));
    assert_eq!(fresh.instance.version(), 2);
}

#[test]
fn trap_16_an_instance_whose_version_is_gone_is_rejected_not_guessed() {
    let (old, new) = (file("old", "v1"), file("new", "v2"));
    let (mut world, _) = World::start(library(&[&old]), "p", &json!({}));
    let job = world.job("first");
    let mut other = Library::new();
    let loaded =
        halsonav_engine::load(&new, &Decisions::empty(), &halsonav_engine::Anything).unwrap();
    let mut definitions = loaded.definitions;
    definitions
        .iter_mut()
        .for_each(|definition| definition.version = 2);
    other
        .add(Deployment {
            definitions,
            decisions: Arc::new(Decisions::empty()),
        })
        .unwrap();
    world.library = other;
    let result = world.step(&Input::Completed {
        job,
        variables: Value::Null,
    });
    let expected = Rejection::UnknownProcess {
        process: "p".into(),
        version: Some(1),
    };
    assert_eq!(result, Err(expected));
}

#[test]
fn a_version_cannot_be_replaced_by_another_file() {
    let mut library = library(&[&file("old", "v1")]);
    let loaded = halsonav_engine::load(
        &file("new", "v1"),
        &Decisions::empty(),
        &halsonav_engine::Anything,
    );
    let mut definitions = loaded.unwrap().definitions;
    definitions
        .iter_mut()
        .for_each(|definition| definition.version = 1);
    let again = Deployment {
        definitions,
        decisions: Arc::new(Decisions::empty()),
    };
    assert_eq!(library.add(again).unwrap_err().process, "p");
    assert!(library.get("p", 1).unwrap().find("old").is_some());
}

#[test]
fn message_starts_are_listed_and_take_their_payload() {
    let xml = bpmn(
        "message booked case\nstart s message booked\njob a\nend e\ns > a > e\nout s slot = time",
    );
    let library = library(&[&xml]);
    let start = library.starts().next().unwrap();
    let mut payload = Map::new();
    payload.insert("time".into(), json!("10:00"));
    let now = START.parse().unwrap();
    let begun = start_at(
        &library,
        "p",
        start.element(),
        case(),
        Map::new(),
        payload,
        now,
    )
    .unwrap();
    assert_eq!(
        begun.0.variables().unwrap(),
        json!({"slot": "10:00"}).as_object().unwrap()
    );
    let plain = halsonav_engine::start(&library, "p", case(), Map::new(), now);
    assert_eq!(plain.unwrap_err(), Rejection::NotStartable("p".into()));
}

#[test]
fn processes_that_call_each_other_for_ever_become_an_incident() {
    let xml = bpmn("start s\ncall c p\nend e\ns > c > e");
    let (_, effects) = World::start(library(&[&xml]), "p", &json!({}));
    let codes = effects.iter().filter_map(|effect| match effect {
        Effect::Incident { code, .. } => Some(code.as_str()),
        _ => None,
    });
    assert_eq!(codes.collect::<Vec<_>>(), ["HUB-ENGINE-008"]);
}

#[test]
fn trap_20_state_does_not_grow_with_loops() {
    let xml = bpmn(
        "start s\nxor again\njob a\nxor more\nend e\ns > again > a > more\nmore > again if n > 0\nmore > e\ndefault more e",
    );
    let (mut world, _) = World::start(library(&[&xml]), "p", &json!({"n": 1}));
    let size = |world: &World| serde_json::to_vec(&world.instance).unwrap().len();
    world.complete("a", json!({})).unwrap();
    let before = size(&world);
    for _ in 0..500 {
        world.complete("a", json!({})).unwrap();
    }
    // Only counters have more digits.
    assert!(
        size(&world) <= before + 16,
        "{before} bytes became {}",
        size(&world)
    );
}

#[test]
fn buffers_are_bounded_and_say_so() {
    let xml = bpmn("message m case\nstart s\njob a\ncatch c message m\nend e\ns > a > c > e");
    let (mut world, _) = World::start(library(&[&xml]), "p", &json!({"case": "k"}));
    let mut dropped = 0;
    for _ in 0..100 {
        let input = world.message("m", "k", json!({}), Some(9));
        let effects = world.step(&input).unwrap();
        dropped += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Dropped { why, .. } if why == "buffer-full"))
            .count();
    }
    assert_eq!(dropped, 36);
    world.operate(Operator::Suspend).unwrap();
    let mut full = 0;
    for _ in 0..300 {
        let input = world.message("m", "k", json!({}), Some(9));
        full += usize::from(world.step(&input) == Err(Rejection::QueueFull));
    }
    assert_eq!(full, 44);
}

#[test]
fn an_unknown_outcome_is_repeated_under_its_first_key() {
    let xml = bpmn("start s\njob a\nend e\ns > a > e");
    let (mut world, _) = World::start(library(&[&xml]), "p", &json!({}));
    let first = world.job("a");
    world.fail("a", true).unwrap();
    let incident = world.incident("a");
    let effects = world
        .operate(Operator::Retry {
            incident,
            variables: Value::Null,
        })
        .unwrap();
    let repeats = effects.iter().find_map(|effect| match effect {
        Effect::Job { repeats, key, .. } => Some((*repeats, *key == first)),
        _ => None,
    });
    assert_eq!(repeats, Some((Some(first), false)));
}

#[test]
fn timers_do_not_fire_early_and_only_once() {
    let xml = bpmn("start s\ncatch c timer P1D\nend e\ns > c > e");
    let (mut world, _) = World::start(library(&[&xml]), "p", &json!({}));
    let (&timer, &(due, _)) = world.open.timers.iter().next().unwrap();
    assert_eq!(
        world.step(&Input::TimerDue { timer }),
        Err(Rejection::NotDue { timer, due })
    );
    world.pass(due);
    assert_eq!(
        world.step(&Input::TimerDue { timer }),
        Err(Rejection::Ended)
    );
}

#[test]
fn coverage_tells_the_flows_not_taken() {
    let xml = bpmn("start s\nxor g\nend a\nend b\ns > g\ng > a if x\ng > b\ndefault g b");
    let library = library(&[&xml]);
    let mut coverage = Coverage::new();
    let variables = json!({"x": true}).as_object().cloned().unwrap();
    coverage
        .start(&library, "p", case(), variables, START.parse().unwrap())
        .unwrap();
    assert_eq!(coverage.missing(library.latest("p").unwrap()), ["g-b"]);
}

#[test]
fn what_an_instance_waits_for_can_be_told() {
    let xml = bpmn(
        "start s\nuser talk\nboundary t talk timer P1D non\nend e\nend x\ns > talk > e\nt > x",
    );
    let (world, _) = World::start(library(&[&xml]), "p", &json!({}));
    let waiting = world.instance.waiting(&world.library);
    let told: Vec<_> = waiting
        .iter()
        .map(|waiting| (waiting.element.as_str(), &waiting.what))
        .collect();
    let due = "2026-01-11T08:00:00Z".parse().unwrap();
    assert_eq!(
        told,
        [
            ("talk", &WaitingFor::WorkItem),
            ("t", &WaitingFor::Timer { due })
        ]
    );
    assert_eq!(world.instance.next_due(), Some(due));
}

#[test]
fn variables_must_be_an_object_and_ended_is_ended() {
    let xml = bpmn("start s\njob a\nend e\ns > a > e");
    let library = library(&[&xml]);
    let (mut instance, _): (Instance, _) =
        halsonav_engine::start(&library, "p", case(), Map::new(), START.parse().unwrap()).unwrap();
    let now = START.parse().unwrap();
    let mut send = |variables| {
        step(
            &library,
            &mut instance,
            &Input::Completed { job: 3, variables },
            now,
        )
    };
    assert_eq!(send(json!([1])), Err(Rejection::NotAnObject));
    assert!(send(Value::Null).is_ok());
    assert_eq!(send(Value::Null), Err(Rejection::Ended));
}

#[test]
fn a_stored_instance_that_does_not_fit_is_rejected() {
    let xml = bpmn("start s\njob a\nend e\ns > a > e");
    let (world, _) = World::start(library(&[&xml]), "p", &json!({}));
    let stored = serde_json::to_string(&world.instance).unwrap();
    let mut broken: Instance =
        serde_json::from_str(&stored.replace("\"n\":1", "\"n\":99")).unwrap();
    assert_ne!(broken, world.instance, "{stored}");
    let input = Input::Completed {
        job: 3,
        variables: Value::Null,
    };
    let result = step(&world.library, &mut broken, &input, world.now);
    assert_eq!(result, Err(Rejection::Unfit));
}
