//! What R4 demands of a document, checked on JSON, so that it holds for anybody's document.
//!
//! It is not a validator of all of FHIR: terminology, invariants of single resources and profiles
//! are a validator's work. It is what a journal must refuse, because the document could not be
//! read as one.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

mod shape;

/// A rule that is broken, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where, as a path of element names. Holds no values.
    pub at: String,
    /// What is demanded there.
    pub rule: &'static str,
}

/// So many faults are told at most.
const MAX_FAULTS: usize = 50;
/// So many entries a document has at most.
const MAX_ENTRIES: usize = 2_000;

/// Checks a Bundle of type `document`.
///
/// # Errors
/// The rules that are broken, at most 50.
pub fn check(bundle: &Value) -> Result<(), Vec<Fault>> {
    let mut faults = Faults(Vec::new());
    shape::check(bundle, "Bundle", &mut faults);
    envelope(bundle, &mut faults);
    let entries = bundle.get("entry").and_then(Value::as_array);
    let entries = entries.map_or(&[][..], Vec::as_slice);
    if entries.is_empty() || entries.len() > MAX_ENTRIES {
        faults.add("Bundle.entry", "1 to 2000 entries");
    } else {
        let known = addresses(entries, &mut faults);
        composition(&entries[0]["resource"], &known, &mut faults);
        for (place, entry) in entries.iter().enumerate() {
            required(&entry["resource"], place, &mut faults);
        }
        references(entries, &known, &mut faults);
    }
    if faults.0.is_empty() {
        Ok(())
    } else {
        Err(faults.0)
    }
}

struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, at: impl Into<String>, rule: &'static str) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(Fault {
                at: at.into(),
                rule,
            });
        }
    }
}

/// Bundle.identifier with system and value (bdl-9), type, timestamp (bdl-10).
fn envelope(bundle: &Value, faults: &mut Faults) {
    if bundle["resourceType"] != "Bundle" || bundle["type"] != "document" {
        faults.add("Bundle.type", "a Bundle of type document");
    }
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let identifier = &bundle["identifier"];
    if !text(&identifier["system"]) || !text(&identifier["value"]) {
        faults.add("Bundle.identifier", "system and value");
    }
    let instant = bundle["timestamp"].as_str().unwrap_or_default();
    if instant.parse::<jiff::Timestamp>().is_err() {
        faults.add("Bundle.timestamp", "an instant with its offset");
    }
}

/// Place of each `fullUrl`: each entry has one of its own.
fn addresses<'a>(entries: &'a [Value], faults: &mut Faults) -> HashMap<&'a str, usize> {
    let mut known = HashMap::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let url = entry["fullUrl"].as_str().unwrap_or_default();
        let uuid = url.strip_prefix("urn:uuid:").is_some_and(|id| {
            uuid::Uuid::try_parse(id).is_ok() && id.len() == 36 && *id == id.to_lowercase()
        });
        if !uuid && !url.starts_with("https://") && !url.starts_with("http://") {
            faults.add(
                at(place, "fullUrl"),
                "urn:uuid in lower case, or an absolute address",
            );
        } else if known.insert(url, place).is_some() {
            faults.add(at(place, "fullUrl"), "unique in the document");
        }
        for wrong in ["request", "response", "search"] {
            if entry.get(wrong).is_some() {
                faults.add(at(place, wrong), "not in a document");
            }
        }
    }
    known
}

fn composition(composition: &Value, known: &HashMap<&str, usize>, faults: &mut Faults) {
    if composition["resourceType"] != "Composition" {
        return faults.add("Bundle.entry[0]", "the first entry is the Composition");
    }
    let subject = composition["subject"]["reference"].as_str();
    if subject.is_none_or(|subject| !known.contains_key(subject)) {
        faults.add(
            "Composition.subject",
            "refers to a resource of the document",
        );
    }
    let sections = composition["section"].as_array();
    for (place, section) in sections.into_iter().flatten().enumerate() {
        if !["text", "entry", "section"]
            .iter()
            .any(|part| section.get(part).is_some())
        {
            faults.add(
                format!("Composition.section[{place}]"),
                "text, entries or sections of its own (cmp-1)",
            );
        }
    }
}

/// Elements that R4 demands of the resources a document of ours may hold.
fn required(resource: &Value, place: usize, faults: &mut Faults) {
    let kind = resource["resourceType"].as_str().unwrap_or_default();
    let (elements, statuses): (&[&'static str], &[&str]) = match kind {
        "Composition" => (
            &["status", "type", "date", "author", "title"],
            &["preliminary", "final", "amended", "entered-in-error"],
        ),
        "Patient" | "Practitioner" | "Organization" => (&["identifier"], &[]),
        "Encounter" => (&["status", "class"], &[]),
        "Observation" => (
            &["status", "code"],
            &[
                "registered",
                "preliminary",
                "final",
                "amended",
                "corrected",
                "cancelled",
                "entered-in-error",
                "unknown",
            ],
        ),
        "QuestionnaireResponse" => (
            &["status"],
            &[
                "in-progress",
                "completed",
                "amended",
                "entered-in-error",
                "stopped",
            ],
        ),
        "CarePlan" => (&["status", "intent", "subject"], &[]),
        "DocumentReference" => (
            &["status", "content"],
            &["current", "superseded", "entered-in-error"],
        ),
        "Binary" => (&["contentType"], &[]),
        "" => return faults.add(at(place, "resource"), "a resource with its type"),
        _ => (&[], &[]),
    };
    for element in elements {
        if resource.get(element).is_none() {
            faults.add(at(place, element), "required");
        }
    }
    let status = resource["status"].as_str().unwrap_or_default();
    if !statuses.is_empty() && !statuses.contains(&status) {
        faults.add(at(place, "status"), "a code of its value set");
    }
}

/// Every reference resolves inside, and everything is reached from the Composition.
fn references(entries: &[Value], known: &HashMap<&str, usize>, faults: &mut Faults) {
    let mut reached = HashSet::from([0]);
    let mut waiting = vec![0];
    let mut links = Vec::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        let mut found = Vec::new();
        collect(&entry["resource"], &mut found);
        let mut targets = Vec::with_capacity(found.len());
        for link in found {
            match known.get(link) {
                Some(target) => targets.push(*target),
                None if link.starts_with('#') => {}
                None => faults.add(
                    at(place, "reference"),
                    "resolves to an entry of the document",
                ),
            }
        }
        links.push(targets);
    }
    while let Some(place) = waiting.pop() {
        for target in &links[place] {
            if reached.insert(*target) {
                waiting.push(*target);
            }
        }
    }
    for place in (0..entries.len()).filter(|place| !reached.contains(place)) {
        faults.add(
            format!("Bundle.entry[{place}]"),
            "reached from the Composition",
        );
    }
}

/// `reference` of every Reference, and `url` of every Attachment that is a `urn:`.
fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(text(fields, "reference"));
            found.extend(text(fields, "url").filter(|url| url.starts_with("urn:uuid:")));
            fields.values().for_each(|inner| collect(inner, found));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, found)),
        _ => {}
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn at(place: usize, element: &str) -> String {
    format!("Bundle.entry[{place}].{element}")
}
