//! Fields of work items, and decisions: what the short sketches do not write.

use std::sync::Arc;

use halsonav_engine::{Anything, Deployment, Effect, Library, load, start};
use halsonav_expression::Decisions;
use serde_json::json;

use crate::world::{START, case};

fn effects(task: &str, decisions: Decisions, variables: serde_json::Value) -> Vec<Effect> {
    let xml = format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" targetNamespace="t"><process id="p" isExecutable="true"><startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="a"/>{task}<sequenceFlow id="f2" sourceRef="a" targetRef="e"/><endEvent id="e"/></process></definitions>"#
    );
    let loaded = load(&xml, &decisions, &Anything).unwrap();
    let mut library = Library::new();
    library
        .add(Deployment {
            definitions: loaded.definitions,
            decisions: Arc::new(decisions),
        })
        .unwrap();
    let variables = variables.as_object().cloned().unwrap();
    start(&library, "p", case(), variables, START.parse().unwrap())
        .unwrap()
        .1
}

#[test]
fn a_work_item_has_its_fields_evaluated() {
    let task = r#"<userTask id="a" name="Samtal"><extensionElements><z:userTask/><z:formDefinition formId="health-dialogue"/><z:assignmentDefinition candidateGroups="=[unit, &quot;nurses&quot;]" assignee="=nobody"/><z:taskSchedule dueDate="=string(date(&quot;2026-03-01&quot;))"/><z:priorityDefinition priority="=70"/><z:taskHeaders><z:header key="k" value="v"/></z:taskHeaders><z:properties><z:property name="milestone" value="=unit"/></z:properties></extensionElements></userTask>"#;
    let effects = effects(task, Decisions::empty(), json!({"unit": "u1"}));
    let item = effects.iter().find_map(|effect| match effect {
        Effect::WorkItem {
            name,
            form,
            assignee,
            candidate_groups,
            due,
            follow_up,
            priority,
            properties,
            headers,
            ..
        } => Some(json!([
            name,
            form,
            assignee,
            candidate_groups,
            due,
            follow_up,
            priority,
            properties,
            headers
        ])),
        _ => None,
    });
    let expected = json!(["Samtal", "health-dialogue", null, ["u1", "nurses"], "2026-02-28T23:00:00Z", null, 70, {"milestone": "u1"}, {"k": "v"}]);
    assert_eq!(item, Some(expected), "{effects:?}");
}

#[test]
fn a_field_of_the_wrong_type_is_an_incident() {
    let task = r#"<userTask id="a"><extensionElements><z:userTask/><z:priorityDefinition priority="=&quot;high&quot;"/></extensionElements></userTask>"#;
    let effects = effects(task, Decisions::empty(), json!({}));
    assert!(
        matches!(effects.last(), Some(Effect::Incident { code, .. }) if code == "HUB-ENGINE-011"),
        "{effects:?}"
    );
}

#[test]
fn a_decision_gives_its_result_to_the_process() {
    let dmn = r##"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d" namespace="https://example.org/rules"><inputData id="i" name="age"><variable name="age" typeRef="number"/></inputData><decision id="invite" name="invite"><variable name="invite"/><informationRequirement><requiredInput href="#i"/></informationRequirement><literalExpression><text>if age &gt; 50 then "letter" else "digital"</text></literalExpression></decision></definitions>"##;
    let decisions = Decisions::load(&[("rules.dmn", dmn)]).unwrap();
    let task = r#"<businessRuleTask id="a"><extensionElements><z:calledDecision decisionId="invite" resultVariable="channel"/></extensionElements></businessRuleTask>"#;
    let effects = effects(task, decisions, json!({"age": 60}));
    assert!(
        matches!(effects.last(), Some(Effect::Finished { variables, .. }) if variables["channel"] == "letter"),
        "{effects:?}"
    );
}
