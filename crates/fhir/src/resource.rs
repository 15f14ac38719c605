//! The resources of a document, with the elements that the hub fills.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Attachment, CodeableConcept, Coding, HumanName, Identifier, Narrative, Period, Quantity,
    Reference, datatype::element,
};

/// A resource of a document.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "resourceType")]
#[allow(missing_docs)]
pub enum Resource {
    Composition(Box<Composition>),
    Patient(Patient),
    Practitioner(Practitioner),
    Organization(Organization),
    Encounter(Box<Encounter>),
    Observation(Box<Observation>),
    QuestionnaireResponse(Box<QuestionnaireResponse>),
    CarePlan(Box<CarePlan>),
    DocumentReference(Box<DocumentReference>),
    Binary(Binary),
}

macro_rules! resource {
    ($($plain:ident),*; $($boxed:ident),*) => {
        $(impl From<$plain> for Resource {
            fn from(resource: $plain) -> Self { Self::$plain(resource) }
        })*
        $(impl From<$boxed> for Resource {
            fn from(resource: $boxed) -> Self { Self::$boxed(Box::new(resource)) }
        })*
    };
}
resource!(Patient, Practitioner, Organization, Binary; Composition, Encounter, Observation, QuestionnaireResponse, CarePlan, DocumentReference);

element! {
/// What the document says, section by section.
Composition {
    /// `sv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'static str>,
    /// `final`.
    pub status: &'static str,
    /// What kind of document it is.
    #[serde(rename = "type")]
    pub kind: CodeableConcept,
    /// Whom it is about.
    pub subject: Reference,
    /// The meeting it came out of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter: Option<Reference>,
    /// When it was written.
    pub date: Timestamp,
    /// Who wrote it.
    pub author: Vec<Reference>,
    /// Its title.
    pub title: String,
    /// Who keeps it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custodian: Option<Reference>,
    /// Its sections.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub section: Vec<Section>,
}}

element! {
/// A section.
Section {
    /// Heading.
    pub title: String,
    /// What kind of section it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeableConcept>,
    /// What a person reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Narrative>,
    /// The data behind it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entry: Vec<Reference>,
}}

element! {
/// The resident.
Patient {
    /// Numbers.
    pub identifier: Vec<Identifier>,
    /// Names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub name: Vec<HumanName>,
}}

element! {
/// A professional.
Practitioner {
    /// HSA-id.
    pub identifier: Vec<Identifier>,
}}

element! {
/// A unit.
Organization {
    /// HSA-id.
    pub identifier: Vec<Identifier>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}}

element! {
/// A meeting.
Encounter {
    /// `finished`.
    pub status: &'static str,
    /// Setting, such as ambulatory.
    #[serde(rename = "class")]
    pub setting: Coding,
    /// Whom it was with.
    pub subject: Reference,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// The unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_provider: Option<Reference>,
}}

element! {
/// A measured or analysed value, or a panel of them.
Observation {
    /// `final`, `preliminary`, `corrected`, `unknown`.
    pub status: &'static str,
    /// `vital-signs`, `laboratory`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<CodeableConcept>,
    /// What was observed.
    pub code: CodeableConcept,
    /// On whom.
    pub subject: Reference,
    /// At which meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter: Option<Reference>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_date_time: Option<Timestamp>,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_quantity: Option<Quantity>,
    /// The values of a panel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub component: Vec<Component>,
}}

element! {
/// One value of a panel.
Component {
    /// What was observed.
    pub code: CodeableConcept,
    /// The value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_quantity: Option<Quantity>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_absent_reason: Option<CodeableConcept>,
}}

element! {
/// An answered form.
QuestionnaireResponse {
    /// The form, by its canonical address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub questionnaire: Option<String>,
    /// `completed`.
    pub status: &'static str,
    /// Whom the answers are about.
    pub subject: Reference,
    /// Who answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Reference>,
    /// The answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub item: Vec<Item>,
}}

element! {
/// The answers to one question.
Item {
    /// The question's code.
    pub link_id: String,
    /// The answers.
    pub answer: Vec<Answer>,
}}

/// One answer.
#[derive(Clone, PartialEq, Serialize)]
#[allow(missing_docs)]
pub enum Answer {
    #[serde(rename = "valueBoolean")]
    Boolean(bool),
    #[serde(rename = "valueInteger")]
    Integer(i32),
    #[serde(rename = "valueDecimal")]
    Decimal(f64),
    #[serde(rename = "valueString")]
    Text(String),
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer(redacted)")
    }
}

element! {
/// What was agreed.
CarePlan {
    /// `active`.
    pub status: &'static str,
    /// `plan`.
    pub intent: &'static str,
    /// Heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Whom it is for.
    pub subject: Reference,
    /// At which meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounter: Option<Reference>,
    /// When it was agreed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// The measures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub activity: Vec<Activity>,
}}

element! {
/// A measure.
Activity {
    /// What it is.
    pub detail: ActivityDetail,
}}

element! {
/// What a measure is.
ActivityDetail {
    /// Its code.
    pub code: CodeableConcept,
    /// `unknown` where it is not told whether it is carried out.
    pub status: &'static str,
}}

element! {
/// A document that is attached.
DocumentReference {
    /// `current`.
    pub status: &'static str,
    /// What kind of document it is.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<CodeableConcept>,
    /// Whom it is about.
    pub subject: Reference,
    /// When it was noted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// Who made it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub author: Vec<Reference>,
    /// What it is, for a reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it is.
    pub content: Vec<Content>,
    /// What it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
}}

element! {
/// Where an attached document is.
Content {
    /// The place.
    pub attachment: Attachment,
}}

element! {
/// What an attached document belongs to.
Context {
    /// The meeting.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub encounter: Vec<Reference>,
}}

element! {
/// Bytes.
Binary {
    /// Media type.
    pub content_type: String,
    /// The bytes in base64.
    pub data: String,
}}
