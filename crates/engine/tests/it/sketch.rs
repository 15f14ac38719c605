//! A process in a few lines of text, written out as the BPMN that a modeller would save.
//!
//! One element per line, `a > b > c` for flows, `g > b if x = 1` for a condition, `{` … `}` for what
//! is inside. The id is the second word; flow ids are `source-target`. See `tests/scenarios`.

use std::fmt::Write as _;

#[derive(Default)]
struct Element {
    id: String,
    tag: String,
    attributes: String,
    extensions: String,
    mappings: String,
    properties: String,
    content: String,
    children: Vec<Element>,
    flows: String,
}

/// The BPMN file.
pub fn bpmn(sketch: &str) -> String {
    let mut roots = String::new();
    let mut open = vec![Element {
        id: "p".into(),
        tag: "process".into(),
        attributes: r#" isExecutable="true""#.into(),
        ..Element::default()
    }];
    let mut processes = Vec::new();
    for line in sketch.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            ["process", id, rest @ ..] => {
                let mut process = open.drain(..).next().unwrap();
                if !process.children.is_empty() {
                    processes.push(std::mem::take(&mut process));
                }
                let mut next = Element {
                    id: (*id).into(),
                    tag: "process".into(),
                    ..Element::default()
                };
                next.attributes = r#" isExecutable="true""#.into();
                if let [tag] = rest {
                    next.extensions = format!(r#"<z:versionTag value="{tag}"/>"#);
                }
                open.push(next);
            }
            ["message", id, key @ ..] => {
                let key = attribute(&key.join(" "));
                let subscription = format!(r#"<z:subscription correlationKey="={key}"/>"#);
                let _ = write!(
                    roots,
                    r#"<message id="{id}" name="{id}"><extensionElements>{subscription}</extensionElements></message>"#
                );
            }
            ["error", id] => {
                let _ = write!(roots, r#"<error id="{id}" errorCode="{id}"/>"#);
            }
            ["escalation", id] => {
                let _ = write!(roots, r#"<escalation id="{id}" escalationCode="{id}"/>"#);
            }
            ["signal", id] => {
                let _ = write!(roots, r#"<signal id="{id}" name="{id}"/>"#);
            }
            ["}"] => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            [_, ">", ..] => flows(open.last_mut().unwrap(), line),
            [
                verb @ ("in" | "out" | "prop" | "multi" | "default"),
                id,
                rest @ ..,
            ] => {
                let target = find(&mut open.last_mut().unwrap().children, id);
                modify(target.expect(id), verb, &rest.join(" "));
            }
            _ => {
                let nested = line.ends_with('{');
                let element = element(line.trim_end_matches('{').trim());
                if nested {
                    open.push(element);
                } else {
                    open.last_mut().unwrap().children.push(element);
                }
            }
        }
    }
    processes.append(&mut open);
    let body: String = processes.iter().map(render).collect();
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" targetNamespace="t">{roots}{body}</definitions>"#
    )
}

fn find<'e>(elements: &'e mut [Element], id: &str) -> Option<&'e mut Element> {
    for element in elements {
        if element.id == id {
            return Some(element);
        }
        if let Some(found) = find(&mut element.children, id) {
            return Some(found);
        }
    }
    None
}

fn flows(scope: &mut Element, line: &str) {
    let (path, condition) = line
        .split_once(" if ")
        .map_or((line, None), |(path, condition)| (path, Some(condition)));
    let nodes: Vec<&str> = path.split('>').map(str::trim).collect();
    for pair in nodes.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let condition = condition.map_or(String::new(), |condition| {
            format!(
                "<conditionExpression xsi:type=\"tFormalExpression\">={}</conditionExpression>",
                attribute(condition)
            )
        });
        let _ = write!(
            scope.flows,
            r#"<sequenceFlow id="{from}-{to}" sourceRef="{from}" targetRef="{to}">{condition}</sequenceFlow>"#
        );
    }
}

fn modify(element: &mut Element, verb: &str, rest: &str) {
    let pair = || {
        rest.split_once('=')
            .map(|(name, value)| (name.trim(), attribute(value.trim())))
            .expect(rest)
    };
    match verb {
        "in" => {
            let (name, value) = pair();
            let _ = write!(
                element.mappings,
                r#"<z:input source="={value}" target="{name}"/>"#
            );
        }
        "out" => {
            let (name, value) = pair();
            let _ = write!(
                element.mappings,
                r#"<z:output source="={value}" target="{name}"/>"#
            );
        }
        "prop" => {
            let (name, value) = pair();
            let _ = write!(
                element.properties,
                r#"<z:property name="{name}" value="{value}"/>"#
            );
        }
        "default" => {
            let _ = write!(element.attributes, r#" default="{}-{rest}""#, element.id);
        }
        // multi a items as item [into list = expression] [until condition] [sequential]
        _ => {
            let (rest, sequential) = rest
                .strip_suffix(" sequential")
                .map_or((rest, false), |rest| (rest, true));
            let (rest, until) = rest
                .split_once(" until ")
                .map_or((rest, None), |(rest, until)| (rest, Some(until)));
            let (rest, into) = rest
                .split_once(" into ")
                .map_or((rest, None), |(rest, into)| (rest, Some(into)));
            let (collection, item) = rest.split_once(" as ").expect("multi … as …");
            let output = into.and_then(|into| into.split_once(" = ")).map_or(
                String::new(),
                |(list, expression)| {
                    format!(
                        r#" outputCollection="{list}" outputElement="={}""#,
                        attribute(expression)
                    )
                },
            );
            let until = until.map_or(String::new(), |until| {
                format!(
                    "<completionCondition xsi:type=\"tFormalExpression\">={}</completionCondition>",
                    attribute(until)
                )
            });
            let _ = write!(
                element.content,
                r#"<multiInstanceLoopCharacteristics isSequential="{sequential}"><extensionElements><z:loopCharacteristics inputCollection="={}" inputElement="{item}"{output}/></extensionElements>{until}</multiInstanceLoopCharacteristics>"#,
                attribute(collection)
            );
        }
    }
}

fn element(line: &str) -> Element {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (verb, id, mut rest) = (words[0], words[1], &words[2..]);
    let mut element = Element {
        id: id.into(),
        ..Element::default()
    };
    let non = rest.last() == Some(&"non");
    if non {
        rest = &rest[..rest.len() - 1];
    }
    let text = rest.join(" ");
    element.tag = match verb {
        "start" => {
            if non {
                element.attributes = r#" isInterrupting="false""#.into();
            }
            element.content = event(rest);
            "startEvent"
        }
        "end" => {
            element.content = event(rest);
            "endEvent"
        }
        "catch" => {
            element.content = event(rest);
            "intermediateCatchEvent"
        }
        "throw" => {
            element.content = event(rest);
            "intermediateThrowEvent"
        }
        "boundary" => {
            let mut attributes = format!(r#" attachedToRef="{}""#, rest[0]);
            if non {
                attributes.push_str(r#" cancelActivity="false""#);
            }
            element.attributes = attributes;
            element.content = event(&rest[1..]);
            "boundaryEvent"
        }
        "job" | "undo" => {
            let kind = if text.is_empty() { id } else { &text };
            element.extensions = format!(r#"<z:taskDefinition type="{}"/>"#, attribute(kind));
            if verb == "undo" {
                element.attributes = r#" isForCompensation="true""#.into();
            }
            "serviceTask"
        }
        "user" => {
            element.extensions = "<z:userTask/>".into();
            "userTask"
        }
        "receive" => {
            element.attributes = format!(r#" messageRef="{text}""#);
            "receiveTask"
        }
        "script" => {
            let (name, value) = text.split_once('=').expect(line);
            element.extensions = format!(
                r#"<z:script expression="={}" resultVariable="{}"/>"#,
                attribute(value.trim()),
                name.trim()
            );
            "scriptTask"
        }
        "task" => "task",
        "xor" => "exclusiveGateway",
        "and" => "parallelGateway",
        "or" => "inclusiveGateway",
        "ebg" => "eventBasedGateway",
        "sub" => "subProcess",
        "event" => {
            element.attributes = r#" triggeredByEvent="true""#.into();
            "subProcess"
        }
        "call" => {
            element.extensions = format!(
                r#"<z:calledElement processId="{}" {}/>"#,
                rest[0],
                rest[1..].join(" ")
            );
            "callActivity"
        }
        "link" => {
            element.attributes = format!(r#" sourceRef="{}" targetRef="{}""#, rest[0], rest[1]);
            "association"
        }
        _ => panic!("no such element: {line}"),
    }
    .into();
    element
}

fn event(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        ["timer", text @ ..] => timer("timeDuration", &text.join(" ")),
        ["date", text @ ..] => timer("timeDate", &text.join(" ")),
        ["cycle", text @ ..] => timer("timeCycle", &text.join(" ")),
        ["terminate"] => "<terminateEventDefinition/>".into(),
        ["compensation"] => "<compensateEventDefinition/>".into(),
        ["compensation", activity] => {
            format!(r#"<compensateEventDefinition activityRef="{activity}"/>"#)
        }
        ["link", name] => format!(r#"<linkEventDefinition name="{name}"/>"#),
        [kind] => format!("<{kind}EventDefinition/>"),
        [kind, id, ..] => format!(r#"<{kind}EventDefinition {kind}Ref="{id}"/>"#),
    }
}

fn timer(tag: &str, text: &str) -> String {
    let text = attribute(text);
    format!(
        "<timerEventDefinition><{tag} xsi:type=\"tFormalExpression\">{text}</{tag}></timerEventDefinition>"
    )
}

fn render(element: &Element) -> String {
    let Element {
        id,
        tag,
        attributes,
        content,
        flows,
        ..
    } = element;
    let mut extensions = element.extensions.clone();
    if !element.mappings.is_empty() {
        let _ = write!(
            extensions,
            "<z:ioMapping>{}</z:ioMapping>",
            element.mappings
        );
    }
    if !element.properties.is_empty() {
        let _ = write!(
            extensions,
            "<z:properties>{}</z:properties>",
            element.properties
        );
    }
    if !extensions.is_empty() {
        extensions = format!("<extensionElements>{extensions}</extensionElements>");
    }
    let children: String = element.children.iter().map(render).collect();
    format!("<{tag} id=\"{id}\"{attributes}>{extensions}{content}{children}{flows}</{tag}>\n")
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
