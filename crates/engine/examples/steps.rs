//! How fast is a step, and how large is a waiting instance? `cargo run --release -p halsonav-engine --example steps`
//!
//! Service → message → service, with four variables; prints steps per second and core, and the bytes
//! of the instance as JSON while it waits for the message.
#![allow(
    clippy::disallowed_methods,
    reason = "an example measures time and reads files"
)]

use std::sync::Arc;
use std::time::Instant;

use halsonav_domain::{CaseId, Timestamp};
use halsonav_engine::{Anything, Deployment, Effect, Input, Library, load, start, step};
use halsonav_expression::Decisions;
use serde_json::{Value, json};

const PROCESS: &str = r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="t">
<message id="m" name="booking.made"><extensionElements><z:subscription correlationKey="=case"/></extensionElements></message>
<process id="p" isExecutable="true">
<startEvent id="Start"/><sequenceFlow id="f1" sourceRef="Start" targetRef="Invite"/>
<serviceTask id="Invite"><extensionElements><z:taskDefinition type="messaging.send"/></extensionElements></serviceTask><sequenceFlow id="f2" sourceRef="Invite" targetRef="Wait"/>
<intermediateCatchEvent id="Wait"><messageEventDefinition messageRef="m"/></intermediateCatchEvent><sequenceFlow id="f3" sourceRef="Wait" targetRef="Record"/>
<serviceTask id="Record"><extensionElements><z:taskDefinition type="journal.write"/></extensionElements></serviceTask><sequenceFlow id="f4" sourceRef="Record" targetRef="Ok"/>
<exclusiveGateway id="Ok" default="f6"/><sequenceFlow id="f5" sourceRef="Ok" targetRef="Good"><conditionExpression xsi:type="tFormalExpression">=score &gt; 3</conditionExpression></sequenceFlow>
<sequenceFlow id="f6" sourceRef="Ok" targetRef="Bad"/><endEvent id="Good"/><endEvent id="Bad"/>
</process></definitions>"#;

const INSTANCES: usize = 100_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let loaded =
        load(PROCESS, &Decisions::empty(), &Anything).map_err(|faults| format!("{faults:?}"))?;
    let mut library = Library::new();
    let decisions = Arc::new(Decisions::empty());
    library.add(Deployment {
        definitions: loaded.definitions,
        decisions,
    })?;
    let now: Timestamp = "2026-01-10T08:00:00Z".parse()?;
    let id: CaseId = "018f2b6e-7c1a-7def-8123-456789abcdef".parse()?;
    let variables =
        json!({"case": id, "unit": "SE2321000016-1HZ5", "age": 50, "channel": "letter"});
    let variables = variables.as_object().cloned().unwrap_or_default();
    for round in 0..5 {
        let (mut steps, mut effects, mut bytes) = (0, 0, 0);
        let begun = Instant::now();
        for _ in 0..INSTANCES {
            let (mut instance, told) = start(&library, "p", id, variables.clone(), now)?;
            let mut told = told;
            let inputs: [fn(u64, CaseId) -> Input; 3] = [
                |job, _| Input::Completed {
                    job,
                    variables: json!({"letter": "L-1"}),
                },
                |_, id| Input::Message {
                    id: "e1".into(),
                    name: "booking.made".into(),
                    correlation: id.to_string(),
                    variables: json!({"score": 5}),
                    expires: None,
                },
                |job, _| Input::Completed {
                    job,
                    variables: Value::Null,
                },
            ];
            for input in inputs {
                let job = told.iter().find_map(|effect| match effect {
                    Effect::Job { key, .. } => Some(*key),
                    _ => None,
                });
                told = step(
                    &library,
                    &mut instance,
                    &input(job.unwrap_or_default(), id),
                    now,
                )?;
                effects += told.len();
                steps += 1;
                if bytes == 0 {
                    bytes = serde_json::to_vec(&instance)?.len();
                    if round == 0 {
                        println!("{}", serde_json::to_string(&instance)?);
                    }
                }
            }
            assert!(instance.is_ended());
        }
        let seconds = begun.elapsed().as_secs_f64();
        let rate = (steps + INSTANCES) as f64 / seconds;
        println!(
            "{rate:.0} steps/s (starts included), {effects} effects, waiting instance {bytes} bytes"
        );
    }
    Ok(())
}
