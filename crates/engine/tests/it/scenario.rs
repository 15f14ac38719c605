//! Runs `tests/scenarios/*.txt`.
//!
//! A file holds a process (see `sketch`) and runs of it. In a run, a line is an input; the lines
//! under it that begin with `-` are its effects, all of them, in order (milestones aside).

use std::path::Path;

use halsonav_domain::Timestamp;
use halsonav_engine::{Effect, Input, Operator, Rejection};
use halsonav_expression::calendar::{self, Duration};
use serde_json::{Value, json};

use crate::sketch::bpmn;
use crate::world::{World, library};

/// Every run of every file; all failures are told at once.
#[test]
fn scenarios() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut failures = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let mut parts = text.split("\n--- ");
        let process = bpmn(parts.next().unwrap());
        for part in parts {
            let (title, lines) = part.split_once('\n').unwrap();
            let run = || play(&process, lines);
            if let Err(panic) = std::panic::catch_unwind(run) {
                let why = panic.downcast_ref::<String>().cloned();
                let why = why.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
                failures.push(format!("{name}: {title}\n{}", why.unwrap_or_default()));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failed\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

fn play(process: &str, lines: &str) {
    let mut world: Option<World> = None;
    let mut lines = lines
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .peekable();
    while let Some(line) = lines.next() {
        let result = act(&mut world, process, line);
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with('-')) {
            expected.push(line.trim_start_matches('-').trim().to_owned());
        }
        let Some(result) = result else { continue };
        let told = match result {
            Ok(effects) => effects
                .iter()
                .filter_map(|effect| tell(world.as_ref().unwrap(), effect))
                .collect(),
            Err(rejection) => vec![format!("rejected: {rejection}")],
        };
        assert_eq!(told, expected, "after: {line}");
    }
}

type Answer = Option<Result<Vec<Effect>, Rejection>>;

fn act(world: &mut Option<World>, process: &str, line: &str) -> Answer {
    let (head, json) = match line.find(['{', '[']) {
        Some(at) => (
            &line[..at],
            serde_json::from_str(&line[at..]).unwrap_or_else(|_| panic!("not JSON: {line}")),
        ),
        None => (line, Value::Null),
    };
    let words: Vec<&str> = head.split_whitespace().collect();
    if let ["start", rest @ ..] = words.as_slice() {
        let process_id = rest.first().unwrap_or(&"p");
        let (started, effects) = World::start(library(&[process]), process_id, &json);
        *world = Some(started);
        return Some(Ok(effects));
    }
    let world = world.as_mut().expect("start comes first");
    Some(match words.as_slice() {
        ["complete", element] => world.complete(element, json),
        ["refuse", element, code] => {
            let job = world.job(element);
            world.step(&Input::Refused {
                job,
                code: (*code).into(),
                variables: json,
            })
        }
        ["fail", element] => world.fail(element, false),
        ["lose", element] => world.fail(element, true),
        ["late", job] => world.step(&Input::Completed {
            job: job.parse().unwrap(),
            variables: json,
        }),
        ["message", name, key, rest @ ..] => {
            let days = rest
                .first()
                .map(|days| days.trim_end_matches('d').parse().unwrap());
            let input = world.message(name, key, json, days);
            world.step(&input)
        }
        ["signal", name] => world.step(&Input::Signal {
            name: (*name).into(),
            variables: json,
        }),
        ["wait", duration] => {
            let duration = Duration::parse(duration).unwrap();
            let until = duration.add(world.now, calendar::stockholm());
            Ok(world.pass(until))
        }
        ["until", moment] => Ok(world.pass(moment.parse::<Timestamp>().unwrap())),
        ["retry", element] => {
            let incident = world.incident(element);
            world.operate(Operator::Retry {
                incident,
                variables: json,
            })
        }
        ["skip", element] => {
            let incident = world.incident(element);
            world.operate(Operator::Skip {
                incident,
                variables: json,
            })
        }
        ["cancel", reason] => world.operate(Operator::Cancel {
            reason: (*reason).into(),
        }),
        ["suspend"] => world.operate(Operator::Suspend),
        ["resume"] => world.operate(Operator::Resume),
        ["set"] => world.operate(Operator::SetVariables {
            scope: 0,
            variables: json,
        }),
        ["has"] => return check(&world.variables(), &json, line),
        ["payload", element] => {
            let payload = world.payloads.get(*element).unwrap_or(&Value::Null);
            assert_eq!(payload, &json, "{line}");
            return None;
        }
        _ => panic!("no such step: {line}"),
    })
}

/// Each of these variables, null for one that must not be there.
fn check(variables: &Value, expected: &Value, line: &str) -> Answer {
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(
            variables.get(name).unwrap_or(&json!(null)),
            value,
            "{name} in: {line}"
        );
    }
    None
}

fn tell(world: &World, effect: &Effect) -> Option<String> {
    let _ = world;
    Some(match effect {
        Effect::Job { element, kind, .. } if element == kind => format!("job {element}"),
        Effect::Job { element, kind, .. } => format!("job {element} {kind}"),
        Effect::WorkItem { element, .. } => format!("work {element}"),
        Effect::Withdraw { .. } => "withdraw".into(),
        Effect::Arm { due, element, .. } => format!("arm {element} {due}"),
        Effect::Disarm { .. } => "disarm".into(),
        Effect::Subscribe {
            message,
            correlation,
            element,
            ..
        } => {
            format!("subscribe {element} {message} {correlation}")
        }
        Effect::Unsubscribe { .. } => "unsubscribe".into(),
        Effect::SubscribeSignal {
            signal, element, ..
        } => format!("hear {element} {signal}"),
        Effect::UnsubscribeSignal { .. } => "unhear".into(),
        Effect::Signal { name, variables } => format!("signal {name} {variables}"),
        Effect::Incident { element, code, .. } => format!("incident {element} {code}"),
        Effect::Resolve { .. } => "resolve".into(),
        Effect::Dropped { name, why, .. } => format!("dropped {name} {why}"),
        Effect::Finished {
            outcome: Some(outcome),
            end,
            ..
        } => format!("end {end} {outcome}"),
        Effect::Finished { end, .. } => format!("end {end}"),
        Effect::Reached { .. } => return None,
    })
}
