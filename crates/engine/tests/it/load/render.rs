//! Pictures: complete, well-formed, and by the file's own shapes where it has them.

use halsonav_engine::render::{Diagram, Marks, Rect, mermaid, svg};
use halsonav_engine::{Anything, Definition, load};
use halsonav_expression::Decisions;

use super::{accepts, sheet};

fn one(text: &str) -> Definition {
    load(text, &Decisions::empty(), &Anything)
        .expect("loads")
        .definitions
        .remove(0)
}

#[test]
fn every_node_and_flow_is_drawn_without_a_diagram() {
    let definition = one(&accepts::everything());
    let picture = svg(&definition, None, &Marks::default());
    let document = roxmltree::Document::parse(&picture).expect("well-formed");
    let drawn: Vec<&str> = document
        .descendants()
        .filter_map(|e| e.attribute("data-element"))
        .collect();
    for id in definition
        .nodes
        .iter()
        .map(|node| &node.id)
        .chain(definition.flows.iter().map(|flow| &flow.id))
    {
        assert!(drawn.contains(&id.as_str()), "{id}");
    }
    assert!(!picture.contains("NaN"));
}

#[test]
fn a_layout_puts_nodes_apart_and_inside_their_scope() {
    let definition = one(&accepts::everything());
    let diagram = Diagram::laid_out(&definition);
    let boundary = |id: &str| {
        definition.nodes.iter().any(|n| {
            !n.boundaries.is_empty() && n.boundaries.iter().any(|b| definition.node(*b).id == id)
        })
    };
    for scope in &definition.scopes {
        let shapes: Vec<_> = scope
            .nodes
            .iter()
            .map(|ix| &definition.node(*ix).id)
            .filter(|id| !boundary(id))
            .collect();
        for (at, id) in shapes.iter().enumerate() {
            let a = diagram.shapes[*id];
            for other in &shapes[at + 1..] {
                let b = diagram.shapes[*other];
                let apart = a.x + a.width <= b.x
                    || b.x + b.width <= a.x
                    || a.y + a.height <= b.y
                    || b.y + b.height <= a.y;
                assert!(apart, "{id} and {other} overlap: {a:?} {b:?}");
            }
            if let Some(host) = scope.host {
                let frame = diagram.shapes[&definition.node(host).id];
                assert!(
                    a.x >= frame.x && a.x + a.width <= frame.x + frame.width,
                    "{id}"
                );
                assert!(
                    a.y >= frame.y && a.y + a.height <= frame.y + frame.height,
                    "{id}"
                );
            }
        }
    }
}

#[test]
fn a_diagram_in_the_file_is_used() {
    let text = sheet::file(
        "start s\n<receiveTask id=\"r\" name=\"A &lt; &quot;B&quot;\" messageRef=\"m\"/>\nend e\ns > r > e",
    );
    assert_eq!(Diagram::read(&text), None);
    let di = concat!(
        r#"<D:BPMNDiagram xmlns:D="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:c="http://www.omg.org/spec/DD/20100524/DC" xmlns:w="http://www.omg.org/spec/DD/20100524/DI"><D:BPMNPlane>"#,
        r#"<D:BPMNShape bpmnElement="r"><c:Bounds x="200" y="100" width="100" height="80"/></D:BPMNShape>"#,
        r#"<D:BPMNShape bpmnElement="s"><c:Bounds x="NaN" y="1" width="36" height="36"/></D:BPMNShape>"#,
        r#"<D:BPMNEdge bpmnElement="s_r"><w:waypoint x="136" y="140"/><w:waypoint x="200" y="140"/></D:BPMNEdge>"#,
        "</D:BPMNPlane></D:BPMNDiagram></definitions>"
    );
    let text = text.replace("</definitions>", di);
    let diagram = Diagram::read(&text).expect("a diagram");
    assert_eq!((diagram.shapes.len(), diagram.edges["s_r"].len()), (1, 2));
    let picture = svg(&one(&text), Some(&diagram), &Marks::default());
    assert!(picture.contains(r#"x="200" y="100" width="100" height="80""#));
    assert!(picture.contains("A &lt; &quot;B&quot;"));
    roxmltree::Document::parse(&picture).expect("well-formed");
}

#[test]
fn mermaid_names_every_flow_and_mark() {
    let definition = one(&sheet::file(
        "start s\n<exclusiveGateway id=\"g\" name=\"Booked &quot;now&quot;?\" default=\"g_b\"/>\n<task id=\"a\"/><task id=\"b\"/>\nend e\ns > g\ng > a : =x &lt; 1\ng > b > e\na > e",
    ));
    let marks = Marks {
        covered: ["s", "s_g"].map(str::to_owned).into(),
        active: ["a".to_owned()].into(),
        troubled: ["b".to_owned()].into(),
    };
    let text = mermaid(&definition, &marks);
    for line in [
        "n1{\"Booked #34;now#34;?\"}",
        "n1 -->|\"x #60; 1\"| n2",
        "n1 -->|default| n3",
        "class n0 covered",
        "class n2 active",
        "class n3 troubled",
        "linkStyle 0 stroke:#38761d,stroke-width:3px",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    let picture = svg(&definition, None, &marks);
    assert!(
        picture.contains("shape active")
            && picture.contains("shape troubled")
            && picture.contains("flow covered")
    );
}

#[test]
fn a_closed_sub_process_is_drawn_open_below() {
    let text = sheet::file(
        "start s\nend e\n<subProcess id=\"sub\" name=\"Closed\"><startEvent id=\"i\"/><endEvent id=\"j\"/><sequenceFlow id=\"i_j\" sourceRef=\"i\" targetRef=\"j\"/></subProcess>\ns > sub > e",
    );
    let mut diagram = Diagram::default();
    let mut put = |id: &str, x, y, width, height| {
        diagram.shapes.insert(
            id.to_owned(),
            Rect {
                x,
                y,
                width,
                height,
            },
        )
    };
    put("s", 0.0, 22.0, 36.0, 36.0);
    put("sub", 100.0, 0.0, 100.0, 80.0);
    put("i", 0.0, 22.0, 36.0, 36.0);
    put("j", 100.0, 22.0, 36.0, 36.0);
    let picture = svg(&one(&text), Some(&diagram), &Marks::default());
    let document = roxmltree::Document::parse(&picture).expect("well-formed");
    let height = |id: &str| {
        let group = document
            .descendants()
            .find(|e| e.attribute("data-element") == Some(id))
            .expect(id);
        let shape = group.children().find(|e| e.is_element()).expect("a shape");
        shape
            .attribute("cy")
            .or(shape.attribute("y"))
            .and_then(|y| y.parse::<f64>().ok())
            .expect("a height")
    };
    assert!(height("i") > 80.0 && (height("i") - height("j")).abs() < 0.1);
    assert!(height("s") < 80.0);
    assert!(picture.contains(">Closed</text>"));
}
