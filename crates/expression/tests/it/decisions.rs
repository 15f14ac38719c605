//! DMN files: what they decide, and what is refused.

use halsonav_expression::{Decisions, Fault};
use serde_json::{Value, json};

const REMINDER: &str = include_str!("../data/reminder.dmn");

fn file(body: &str) -> String {
    format!(
        r#"<d:definitions xmlns:d="https://www.omg.org/spec/DMN/20230324/MODEL/" id="defs" name="m" namespace="urn:m">{body}</d:definitions>"#
    )
}

fn literal(id: &str, requires: &str, text: &str) -> String {
    format!(
        r#"<d:decision id="{id}" name="{id}"><d:variable name="{id}"/>{requires}<d:literalExpression id="{id}-e"><d:text>{text}</d:text></d:literalExpression></d:decision>"#
    )
}

fn knowledge(id: &str, requires: &str, text: &str) -> String {
    format!(
        r#"<d:businessKnowledgeModel id="{id}" name="{id}"><d:variable name="{id}"/><d:encapsulatedLogic><d:formalParameter name="a" typeRef="Any"/><d:literalExpression><d:text>{text}</d:text></d:literalExpression></d:encapsulatedLogic>{requires}</d:businessKnowledgeModel>"#
    )
}

fn needs(kind: &str, id: &str) -> String {
    let (outer, inner) = match kind {
        "knowledge" => ("knowledgeRequirement", "requiredKnowledge"),
        "input" => ("informationRequirement", "requiredInput"),
        _ => ("informationRequirement", "requiredDecision"),
    };
    format!(r##"<d:{outer}><d:{inner} href="#{id}"/></d:{outer}>"##)
}

fn load(body: &str) -> Result<Decisions, Vec<Fault>> {
    Decisions::load(&[("m.dmn", file(body))])
}

fn decide(body: &str, id: &str, variables: &Value) -> Value {
    load(body)
        .unwrap_or_else(|faults| panic!("{faults:?}"))
        .evaluate(id, variables)
        .unwrap()
}

#[test]
fn a_table_as_the_modeller_writes_it() {
    let decisions = Decisions::load(&[("reminder.dmn", REMINDER)])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    assert!(decisions.contains("reminder"));
    assert_eq!(decisions.ids().collect::<Vec<_>>(), ["reminder"]);
    assert_eq!(decisions.inputs("reminder"), ["age", "channel", "sent"]);
    for (channel, sent, age, expect) in [
        ("inbox", json!(0), 50, json!({"days": 14, "again": true})),
        ("inbox", json!(3), 50, json!({"days": 21, "again": false})),
        ("letter", json!(0), 50, json!({"days": 21, "again": true})),
        ("letter", json!(2), 50, json!({"days": 35, "again": true})),
        ("letter", json!(2), 60, json!({"days": 30, "again": null})),
        ("sms", json!(0), 50, json!({"days": 0, "again": false})),
        (
            "letter",
            json!(null),
            50,
            json!({"days": 0, "again": false}),
        ),
    ] {
        let variables = json!({"channel": channel, "sent": sent, "age": age, "other": "x"});
        assert_eq!(
            decisions.evaluate("reminder", &variables),
            Ok(expect),
            "{variables}"
        );
    }
    let error = decisions.evaluate("nothing", &()).unwrap_err();
    assert_eq!(error.code(), "HUB-EXPRESSION-007");
    assert!(!Decisions::empty().contains("reminder"));
    assert!(Decisions::load::<&str, &str>(&[]).is_ok());
}

#[test]
fn requirements() {
    let input = r#"<d:inputData id="in" name="Antal besök"><d:variable name="Antal besök" typeRef="number"/></d:inputData>"#;
    let body = format!(
        "{input}{}",
        literal("many", &needs("input", "in"), "Antal besök &gt; 3")
    );
    assert_eq!(
        decide(&body, "many", &json!({"Antal besök": 4})),
        json!(true)
    );
    let body = literal("base", "", "x + 1")
        + literal("top", &needs("decision", "base"), "base * 2").as_str();
    assert_eq!(decide(&body, "top", &json!({"x": 2})), json!(6));
    assert_eq!(load(&body).unwrap().inputs("top"), ["x"]);
    let body = knowledge("double", "", "a * 2")
        + literal("top", &needs("knowledge", "double"), "double(x) + 1").as_str();
    assert_eq!(decide(&body, "top", &json!({"x": 2})), json!(5));
    let body = literal("path", "", "case.round - 1 + case.list[item &gt; limit][1]");
    assert_eq!(
        decide(
            &body,
            "path",
            &json!({"case": {"round": 3, "list": [1, 5]}, "limit": 2})
        ),
        json!(7)
    );
    // A name that is no FEEL name: the value goes by the id.
    let odd = r#"<d:decision id="odd" name="Vad? (nu)"><d:literalExpression><d:text>x</d:text></d:literalExpression></d:decision>"#;
    let body = format!(
        "{odd}{}",
        literal("top", &needs("decision", "odd"), "odd + 1")
    );
    assert_eq!(decide(&body, "top", &json!({"x": 1})), json!(2));
}

#[test]
fn files_refer_to_each_other() {
    let base = file(&literal("base", "", "x + 1"));
    let top = r#"<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d2" name="n" namespace="urn:n">
        <decision id="alone" name="alone"><variable name="alone"/><literalExpression><text>x</text></literalExpression></decision></definitions>"#;
    let decisions = Decisions::load(&[("a.dmn", base.as_str()), ("b.dmn", top)])
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    assert_eq!(decisions.ids().collect::<Vec<_>>(), ["alone", "base"]);
    assert_eq!(decisions.evaluate("alone", &json!({"x": 7})), Ok(json!(7)));
}

#[test]
fn boxed_contexts() {
    let body = r#"<d:decision id="c" name="c"><d:variable name="c"/><d:context>
        <d:contextEntry><d:variable name="a"/><d:literalExpression><d:text>x + 1</d:text></d:literalExpression></d:contextEntry>
        <d:contextEntry><d:literalExpression><d:text>a * 2</d:text></d:literalExpression></d:contextEntry>
        </d:context></d:decision>"#;
    assert_eq!(decide(body, "c", &json!({"x": 2})), json!(6));
}

fn table(policy: &str, rules: &str) -> String {
    format!(
        r#"<d:decision id="t" name="t"><d:variable name="t"/><d:decisionTable hitPolicy="{policy}"><d:input><d:inputExpression><d:text>x</d:text></d:inputExpression></d:input><d:output name="r"/>{rules}</d:decisionTable></d:decision>"#
    )
}

fn rule(test: &str, result: &str) -> String {
    format!(
        "<d:rule><d:inputEntry><d:text>{test}</d:text></d:inputEntry><d:outputEntry><d:text>{result}</d:text></d:outputEntry></d:rule>"
    )
}

#[test]
fn hit_policies() {
    let rules = rule("&gt; 1", "\"a\"") + rule("&gt; 2", "\"b\"").as_str();
    let check = |policy: &str, x: i32, expect: Value| {
        assert_eq!(
            decide(&table(policy, &rules), "t", &json!({"x": x})),
            expect,
            "{policy} {x}"
        );
    };
    check("FIRST", 3, json!("a"));
    check("UNIQUE", 2, json!("a"));
    check("UNIQUE", 0, json!(null));
    check("RULE ORDER", 3, json!(["a", "b"]));
    check("COLLECT", 3, json!(["a", "b"]));
    for policy in ["UNIQUE", "ANY"] {
        let error = load(&table(policy, &rules))
            .unwrap()
            .evaluate("t", &json!({"x": 3}))
            .unwrap_err();
        assert_eq!(error.code(), "HUB-EXPRESSION-008", "{policy}");
    }
}

fn refused(body: &str, rule: &str) {
    let faults = load(body).map(|_| ()).expect_err(rule);
    assert!(
        faults.iter().any(|fault| fault.rule == rule),
        "{rule}: {faults:?}"
    );
    assert!(
        faults
            .iter()
            .all(|fault| fault.element.is_some() && fault.line.is_some()),
        "{faults:?}"
    );
}

#[test]
fn what_is_refused() {
    refused(&literal("a", "", "now()"), "feel-clock");
    refused(&literal("a", "", "date(today ( )) = x"), "feel-clock");
    refused(&table("FIRST", &rule("&lt; today()", "1")), "feel-clock");
    refused(&table("FIRST", &rule("1", "now()")), "feel-clock");
    refused(
        &literal("a", "", "for i in 1..100000 return i"),
        "feel-range",
    );
    refused(&literal("a", "", "1 +"), "feel-parse");
    refused(
        &literal("a", "", "function(x) external {java: {}}"),
        "feel-external-function",
    );
    refused(&literal("a", "", "unknown(1)"), "feel-function");
    refused(&literal("a", &needs("decision", "a"), "a"), "dmn-cycle");
    refused(
        &(literal("a", &needs("decision", "b"), "b")
            + literal("b", &needs("decision", "a"), "a").as_str()),
        "dmn-cycle",
    );
    refused(
        &literal("a", &needs("decision", "gone"), "1"),
        "dmn-reference",
    );
    refused(
        &(literal("a", "", "1") + literal("a", "", "2").as_str()),
        "dmn-duplicate-id",
    );
}

#[test]
fn functions_in_decisions() {
    // A function that calls itself has no end.
    refused(&knowledge("f", "", "f(a)"), "feel-function");
    refused(
        &knowledge("f", &needs("knowledge", "f"), "f(a)"),
        "dmn-cycle",
    );
    refused(
        &(knowledge("f", "", "a(a)") + literal("top", &needs("knowledge", "f"), "f(f)").as_str()),
        "feel-function",
    );
    let java = knowledge("f", "", "a").replace(
        "<d:encapsulatedLogic>",
        "<d:encapsulatedLogic kind=\"Java\">",
    );
    refused(&java, "dmn-external-function");
    refused(&java.replace("Java", "PMML"), "dmn-external-function");
    let juel = literal("a", "", "1").replace(
        "<d:literalExpression ",
        "<d:literalExpression expressionLanguage=\"juel\" ",
    );
    refused(&juel, "dmn-language");
    refused(
        &table(
            "FIRST",
            "<d:rule><d:outputEntry><d:text>1</d:text></d:outputEntry></d:rule>",
        ),
        "dmn-table",
    );
    refused(
        &literal("a", "", "1").replace("id=\"a\"", ""),
        "dmn-definitions",
    );
    let doubled = (1..60).fold(literal("d0", "", "x"), |all, i| {
        let before = format!("d{}", i - 1);
        all + literal(
            &format!("d{i}"),
            &needs("decision", &before),
            &format!("{before} + {before}"),
        )
        .as_str()
    });
    let faults = load(&doubled).map(|_| ()).unwrap_err();
    assert!(
        faults
            .iter()
            .any(|fault| matches!(fault.rule, "dmn-too-deep" | "feel-growth")),
        "{faults:?}"
    );
}

#[test]
fn what_is_no_dmn() {
    let check = |xml: &str, rule: &str| {
        let faults = Decisions::load(&[("x.dmn", xml)])
            .map(|_| ())
            .expect_err(rule);
        assert_eq!(faults[0].rule, rule, "{faults:?}");
    };
    check("", "dmn-xml");
    check("<a/>", "dmn-xml");
    check(
        "<definitions xmlns='http://www.omg.org/spec/DMN/20151101/dmn.xsd' name='a' namespace='b'/>",
        "dmn-version",
    );
    check("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "dmn-xml");
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    check(&file(&deep), "dmn-too-deep");
    let faults = Decisions::load(&[
        ("a.dmn", file(&literal("a", "", "now()"))),
        ("b.dmn", file(&literal("b", "", "1 +"))),
    ]);
    assert_eq!(
        faults.map(|_| ()).unwrap_err().len(),
        2,
        "all faults of all files"
    );
}
