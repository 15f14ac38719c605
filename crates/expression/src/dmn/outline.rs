//! The elements of a DMN file that take part in decisions.

use roxmltree::{Document, Node, ParsingOptions};

use crate::Fault;
use crate::calendar::shorten;

/// Largest file, in bytes.
const MAX_FILE: usize = 2 * 1024 * 1024;
const MAX_NODES: u32 = 200_000;
const MAX_XML_DEPTH: usize = 64;
/// DMN 1.3 to 1.5; the namespaces of 1.1 and 1.2 are not read.
const NAMESPACES: [&str; 3] = [
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
];

/// Namespace of the definitions, and id of the element.
pub type Key = (String, String);

/// What an element is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ElementKind {
    Input,
    Decision,
    Knowledge,
    Service,
}

/// An input, a decision, or a function it needs.
#[derive(Clone, Debug)]
pub struct Element {
    pub key: Key,
    pub kind: ElementKind,
    pub name: String,
    /// Name of its value: that of its variable, or its own.
    pub variable: String,
    pub has_variable: bool,
    /// What it requires, with the line of each reference.
    pub requires: Vec<(Key, u32)>,
    pub line: u32,
}

/// A file that has been looked at.
pub struct File<'a> {
    pub name: &'a str,
    pub document: Document<'a>,
    pub namespace: String,
    pub model: String,
    pub elements: Vec<Element>,
    /// Names under which other files are imported.
    pub imports: Vec<String>,
}

impl<'a> File<'a> {
    /// Reads a file.
    pub fn read(name: &'a str, xml: &'a str) -> Result<Self, Vec<Fault>> {
        let whole = |fault: Fault| vec![fault.within(name, Some(1))];
        if xml.len() > MAX_FILE {
            let fault = Fault::new(
                "dmn-too-large",
                "the file is larger than 2 MB",
                "Split it over several files",
            );
            return Err(whole(fault));
        }
        let options = ParsingOptions {
            nodes_limit: MAX_NODES,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(xml, options).map_err(|error| {
            let line = error.pos().row;
            let message = format!("the file is not XML: {}", shorten(&error.to_string()));
            vec![
                Fault::new("dmn-xml", message, "Export it again from the modeller")
                    .within(name, Some(line)),
            ]
        })?;
        if document
            .descendants()
            .any(|node| node.ancestors().take(MAX_XML_DEPTH + 1).count() > MAX_XML_DEPTH)
        {
            return Err(whole(Fault::new(
                "dmn-too-deep",
                "the file is nested too deeply",
                "Split the decision",
            )));
        }
        let root = document.root_element();
        check_root(root).map_err(whole)?;
        let namespace = root.attribute("namespace").unwrap_or_default().to_owned();
        let model = root.attribute("name").unwrap_or_default().to_owned();
        let mut faults = Vec::new();
        let elements = root
            .children()
            .filter_map(|node| element(&namespace, name, node, &mut faults))
            .collect();
        let imports = root
            .children()
            .filter(|node| is(node, "import"))
            .filter_map(|node| node.attribute("name"));
        let imports = imports.map(str::to_owned).collect();
        if faults.is_empty() {
            Ok(Self {
                name,
                namespace,
                model,
                elements,
                imports,
                document,
            })
        } else {
            Err(faults)
        }
    }

    /// Where an element is, for a fault.
    pub fn place(&self, element: &Element) -> String {
        format!("{}#{}", self.name, element.key.1)
    }

    /// The XML of an element.
    pub fn node(&self, element: &Element) -> Option<Node<'_, '_>> {
        self.document
            .root_element()
            .children()
            .find(|node| node.attribute("id") == Some(&element.key.1))
    }
}

/// Whether a node is the DMN element `name`.
pub fn is(node: &Node<'_, '_>, name: &str) -> bool {
    node.is_element() && node.tag_name().name() == name
}

/// The line a node begins on.
pub fn line(node: &Node<'_, '_>) -> u32 {
    node.document().text_pos_at(node.range().start).row
}

fn check_root(root: Node<'_, '_>) -> Result<(), Fault> {
    if !is(&root, "definitions") {
        return Err(Fault::new(
            "dmn-xml",
            "the file is not DMN",
            "Export it again from the modeller",
        ));
    }
    if !root
        .tag_name()
        .namespace()
        .is_some_and(|namespace| NAMESPACES.contains(&namespace))
    {
        return Err(Fault::new(
            "dmn-version",
            "the file is not DMN 1.3, 1.4 or 1.5",
            "Save it with a current modeller",
        ));
    }
    for (attribute, advice) in [
        ("namespace", "Give the definitions a namespace"),
        ("name", "Give the definitions a name"),
    ] {
        if root.attribute(attribute).is_none_or(str::is_empty) {
            return Err(Fault::new(
                "dmn-definitions",
                format!("the definitions have no {attribute}"),
                advice,
            ));
        }
    }
    Ok(())
}

fn element(
    namespace: &str,
    file: &str,
    node: Node<'_, '_>,
    faults: &mut Vec<Fault>,
) -> Option<Element> {
    let kind = match node.tag_name().name() {
        "inputData" => ElementKind::Input,
        "decision" => ElementKind::Decision,
        "businessKnowledgeModel" => ElementKind::Knowledge,
        "decisionService" => ElementKind::Service,
        _ => return None,
    };
    let line = line(&node);
    let (Some(id), Some(name)) = (node.attribute("id"), node.attribute("name")) else {
        let message = format!("a {} has no id or no name", node.tag_name().name());
        faults
            .push(Fault::new("dmn-definitions", message, "Give it both").within(file, Some(line)));
        return None;
    };
    let variable = node
        .children()
        .find(|child| is(child, "variable"))
        .and_then(|child| child.attribute("name"));
    Some(Element {
        key: (namespace.to_owned(), id.to_owned()),
        kind,
        name: name.to_owned(),
        variable: flat(variable.unwrap_or(name)),
        has_variable: variable.is_some(),
        requires: references(namespace, node),
        line,
    })
}

/// A name with single spaces.
pub fn flat(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn references(namespace: &str, node: Node<'_, '_>) -> Vec<(Key, u32)> {
    const KINDS: [&str; 7] = [
        "requiredInput",
        "requiredDecision",
        "requiredKnowledge",
        "outputDecision",
        "encapsulatedDecision",
        "inputDecision",
        "inputData",
    ];
    let wanted = |child: &Node<'_, '_>| {
        child.is_element()
            && KINDS.contains(&child.tag_name().name())
            && child.attribute("href").is_some()
    };
    node.descendants()
        .filter(wanted)
        .filter_map(|child| {
            let (space, id) = child.attribute("href")?.split_once('#')?;
            let space = if space.is_empty() { namespace } else { space };
            Some(((space.to_owned(), id.to_owned()), line(&child)))
        })
        .collect()
}
