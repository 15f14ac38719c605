//! From the command to the document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use halsonav_adapter::{Attachment, Delivery};
use halsonav_domain::{
    Identity, Kind, PersonIdKind, Problem, Timestamp, command::journal::Document,
};
use halsonav_fhir::{
    self as fhir, Activity, ActivityDetail, Binary, Bundle, CarePlan, CodeableConcept, Coding,
    Composition, Content, Context, DocumentReference, Encounter, HumanName, Identifier, Narrative,
    Organization, Patient, Period, Practitioner, Reference, Section, clean, code,
};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    Config, answers,
    observations::{self, Frame, Line},
};

const GENERATED: &str = "generated";
/// The text says more than the data behind it.
const ADDITIONAL: &str = "additional";

/// The document of a command: the same bytes each time.
pub(crate) fn bundle(
    delivery: &Delivery,
    document: &Document,
    identity: &Identity,
    config: &Config,
) -> Result<Bundle, Problem> {
    let command = &delivery.command;
    let mut made = fhir::Document::new(command.id.0);
    let subject = made.add(patient(identity));
    let unit = made.add(Organization {
        identifier: vec![Identifier::new(code::HSA, command.unit.as_str())],
        name: config.units.get(&command.unit).and_then(|name| clean(name)),
    });
    let author = match document.leader.as_deref().and_then(clean) {
        None => unit.clone(),
        Some(leader) => made.add(Practitioner {
            identifier: vec![Identifier::new(code::HSA, leader)],
        }),
    };
    let encounter = made.add(Encounter {
        status: "finished",
        setting: Coding::new(code::SETTING, "AMB", Some("ambulatory")),
        subject: subject.clone(),
        period: Some(Period {
            start: Some(document.held),
            end: None,
        }),
        service_provider: Some(unit.clone()),
    });
    let mut writer = Writer {
        made,
        subject,
        encounter,
        author,
        issued: command.issued,
        section: Vec::new(),
    };
    writer.meeting(document);
    writer.values(document)?;
    writer.profile(document, &delivery.attachments)?;
    writer.forms(document, config.questionnaires.as_deref())?;
    writer.measures(document)?;
    Ok(writer.finish(unit))
}

struct Writer {
    made: fhir::Document,
    subject: Reference,
    encounter: Reference,
    author: Reference,
    issued: Timestamp,
    section: Vec<Section>,
}

impl Writer {
    fn section(&mut self, title: &str, text: Option<Narrative>, entry: Vec<Reference>) {
        if text.is_some() || !entry.is_empty() {
            self.section.push(Section {
                title: title.to_owned(),
                code: None,
                text,
                entry,
            });
        }
    }

    /// When it was held, and the leader's words.
    fn meeting(&mut self, document: &Document) {
        let held = format!("Riktat hälsosamtal hölls {}.", day(document.held));
        let summary = document.summary.as_deref().unwrap_or_default();
        let lines = std::iter::once(held.as_str()).chain(summary.lines());
        let text = Narrative::paragraphs(ADDITIONAL, lines);
        self.section("Samtalet", text, Vec::new());
    }

    fn values(&mut self, document: &Document) -> Result<(), Problem> {
        let frame = Frame {
            subject: &self.subject,
            encounter: &self.encounter,
            held: document.held,
        };
        let lines = observations::lines(&document.observations, &frame)?;
        let (laboratory, measured): (Vec<_>, Vec<_>) =
            lines.into_iter().partition(|line| line.laboratory);
        self.table("Mätvärden", measured);
        self.table("Laboratorievärden", laboratory);
        Ok(())
    }

    fn table(&mut self, title: &str, lines: Vec<Line>) {
        let mut rows = Vec::with_capacity(lines.len());
        let mut entry = Vec::with_capacity(lines.len());
        for line in lines {
            rows.push(line.row);
            entry.push(self.made.add(line.resource));
        }
        let headings = ["Värde", "Resultat", "Enhet", "Datum"];
        let text = Narrative::table(GENERATED, &headings, rows);
        self.section(title, text, entry);
    }

    /// The levels in a table, and the picture as it was shown.
    fn profile(&mut self, document: &Document, attachments: &[Attachment]) -> Result<(), Problem> {
        let rows = levels(document.profile.as_ref())?;
        let headings = ["Område", "Nivå", "Värde", "Förklaring"];
        let text = Narrative::table(ADDITIONAL, &headings, rows);
        let mut entry = Vec::new();
        for attachment in attachments.iter().filter(|a| a.role == "profile") {
            entry.push(self.picture(attachment));
        }
        self.section("Profil", text, entry);
        Ok(())
    }

    fn picture(&mut self, attachment: &Attachment) -> Reference {
        let binary = self.made.add(Binary {
            content_type: attachment.media_type.to_owned(),
            data: STANDARD.encode(&attachment.bytes),
        });
        self.made.add(DocumentReference {
            status: "current",
            kind: Some(CodeableConcept::new("Grafisk profil", Vec::new())),
            subject: self.subject.clone(),
            date: Some(self.issued),
            author: vec![self.author.clone()],
            description: clean("Grafisk presentation av hälsoprofilen"),
            content: vec![Content {
                attachment: fhir::Attachment {
                    content_type: clean(attachment.media_type),
                    language: Some("sv"),
                    url: Some(binary.reference),
                    size: Some(attachment.bytes.len()),
                    title: clean("Profil"),
                    creation: Some(self.issued),
                },
            }],
            context: Some(Context {
                encounter: vec![self.encounter.clone()],
            }),
        })
    }

    fn forms(&mut self, document: &Document, canonical: Option<&str>) -> Result<(), Problem> {
        let mut rows = Vec::new();
        let mut entry = Vec::new();
        for form in answers::forms(&document.forms, &self.subject, canonical)? {
            rows.extend(form.rows);
            entry.push(self.made.add(form.resource));
        }
        let text = Narrative::table(GENERATED, &["Formulär", "Fråga", "Svar"], rows);
        self.section("Svar på frågor", text, entry);
        Ok(())
    }

    /// What was agreed. The command tells that measures were accepted, not that they are carried
    /// out, so they stand in a plan with an unknown state and not as procedures.
    fn measures(&mut self, document: &Document) -> Result<(), Problem> {
        let mut activity = Vec::with_capacity(document.measures.len());
        let mut rows = Vec::with_capacity(document.measures.len());
        for measure in &document.measures {
            let concept = code::measure(measure).ok_or_else(|| {
                Problem::new(
                    Kind::Invalid,
                    "HUB-JOURNAL-016",
                    "a measure is not a KVÅ code",
                )
            })?;
            rows.push(vec![
                measure.clone(),
                concept.text.clone().unwrap_or_default(),
            ]);
            activity.push(Activity {
                detail: ActivityDetail {
                    code: concept,
                    status: "unknown",
                },
            });
        }
        if activity.is_empty() {
            return Ok(());
        }
        let plan = self.made.add(CarePlan {
            status: "active",
            intent: "plan",
            title: clean("Överenskomna åtgärder"),
            subject: self.subject.clone(),
            encounter: Some(self.encounter.clone()),
            created: Some(document.held),
            activity,
        });
        let text = Narrative::table(GENERATED, &["KVÅ-kod", "Åtgärd"], rows);
        self.section("Åtgärder", text, vec![plan]);
        Ok(())
    }

    fn finish(self, unit: Reference) -> Bundle {
        let composition = Composition {
            language: Some("sv"),
            status: "final",
            kind: CodeableConcept::new(
                "Besöksanteckning, riktat hälsosamtal",
                vec![
                    Coding::new(code::NOTE, "bes", None),
                    Coding::new(code::LOINC, "34108-1", None),
                ],
            ),
            subject: self.subject,
            encounter: Some(self.encounter),
            date: self.issued,
            author: vec![self.author],
            title: "Riktat hälsosamtal".to_owned(),
            custodian: Some(unit),
            section: self.section,
        };
        self.made.finish(composition, self.issued)
    }
}

/// Number and name. Address, birth date and sex are the journal's own to know.
fn patient(identity: &Identity) -> Patient {
    let system = match identity.person_id.kind() {
        PersonIdKind::Personnummer => code::PERSONNUMMER,
        PersonIdKind::Samordningsnummer => code::SAMORDNINGSNUMMER,
        PersonIdKind::Reservnummer => code::RESERVNUMMER,
    };
    let name = clean(&identity.name.full()).map(|text| HumanName {
        usage: Some("official"),
        text: Some(text),
        family: clean(&identity.name.surname),
        given: identity
            .name
            .given
            .split_whitespace()
            .filter_map(clean)
            .collect(),
    });
    Patient {
        identifier: vec![Identifier::new(system, identity.person_id.expose())],
        name: name.into_iter().collect(),
    }
}

/// As much of a level as is read out. Two shapes are known: the levels, or an object with them.
fn levels(profile: Option<&Value>) -> Result<Vec<Vec<String>>, Problem> {
    #[derive(Deserialize)]
    struct Level {
        label: String,
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        value: Option<String>,
        #[serde(default)]
        unit: Option<String>,
        #[serde(default)]
        text: String,
    }
    let levels = match profile {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields.get("levels").unwrap_or(&Value::Null),
        Some(levels) => levels,
    };
    let levels = Option::<Vec<Level>>::deserialize(levels).map_err(|_| {
        Problem::new(
            Kind::Invalid,
            "HUB-JOURNAL-017",
            "the profile's levels are not of the known shape",
        )
    })?;
    let row = |level: Level| {
        let value = [level.value, level.unit];
        let value: Vec<_> = value.into_iter().flatten().collect();
        let name = level.name.unwrap_or_else(|| "uppgift saknas".to_owned());
        vec![level.label, name, value.join(" "), level.text]
    };
    Ok(levels.unwrap_or_default().into_iter().map(row).collect())
}

/// The day in Sweden.
pub(crate) fn day(at: Timestamp) -> String {
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).date().to_string()
}
