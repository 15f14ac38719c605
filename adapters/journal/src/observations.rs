//! Measurements and laboratory values as Observations, and as rows that a person reads.

use halsonav_domain::{Kind, Problem, Timestamp, event::Observation};
use halsonav_fhir::{self as fhir, CodeableConcept, Coding, Component, Quantity, Reference, code};

use crate::compose::day;

/// One Observation and its row in the table.
pub(crate) struct Line {
    pub resource: fhir::Observation,
    pub row: Vec<String>,
    /// From a laboratory.
    pub laboratory: bool,
}

/// Whom and which meeting the values belong to.
pub(crate) struct Frame<'a> {
    pub subject: &'a Reference,
    pub encounter: &'a Reference,
    pub held: Timestamp,
}

/// All values, blood pressure as a panel where its halves were taken together.
pub(crate) fn lines(observations: &[Observation], frame: &Frame<'_>) -> Result<Vec<Line>, Problem> {
    let mut lines = Vec::with_capacity(observations.len());
    let mut diastolic: Vec<_> = observations
        .iter()
        .filter(|observation| observation.code == "diastolic")
        .collect();
    for observation in observations {
        match observation.code.as_str() {
            "diastolic" => {}
            "systolic" => {
                let partner = diastolic
                    .iter()
                    .position(|other| other.taken == observation.taken);
                let partner = partner.map(|place| diastolic.remove(place));
                lines.push(pressure(Some(observation), partner, frame)?);
            }
            _ => lines.push(single(observation, frame)?),
        }
    }
    for alone in diastolic {
        lines.push(pressure(None, Some(alone), frame)?);
    }
    Ok(lines)
}

fn single(observation: &Observation, frame: &Frame<'_>) -> Result<Line, Problem> {
    let (concept, category, laboratory) = match code::measurement(&observation.code) {
        Some(concept) => (concept, Some("vital-signs"), false),
        None => match code::analysis(&observation.code) {
            Some(concept) => (concept, Some("laboratory"), true),
            None => (
                CodeableConcept::new(&observation.code, Vec::new()),
                None,
                false,
            ),
        },
    };
    if concept.text.is_none() {
        return Err(invalid("an observation has no code"));
    }
    let value = quantity(observation)?;
    let taken = taken(observation, laboratory, frame);
    let text = concept.text.clone().unwrap_or_default();
    let row = vec![
        text,
        amount(&value),
        unit(&value),
        taken.map(day).unwrap_or_default(),
    ];
    let mut resource = frame.observation(concept, category);
    resource.status = status(observation, laboratory);
    resource.effective_date_time = taken;
    resource.value_quantity = Some(value);
    Ok(Line {
        resource,
        row,
        laboratory,
    })
}

fn pressure(
    systolic: Option<&Observation>,
    diastolic: Option<&Observation>,
    frame: &Frame<'_>,
) -> Result<Line, Problem> {
    let concept = code::blood_pressure();
    let text = concept.text.clone().unwrap_or_default();
    let mut resource = frame.observation(concept, Some("vital-signs"));
    let mut amounts = Vec::with_capacity(2);
    for (word, half) in [("systolic", systolic), ("diastolic", diastolic)] {
        let mut component = Component {
            code: code::measurement(word).unwrap_or_default(),
            ..Component::default()
        };
        match half {
            Some(half) => {
                let value = quantity(half)?;
                amounts.push(amount(&value));
                resource.status = status(half, false);
                resource.effective_date_time = taken(half, false, frame);
                component.value_quantity = Some(value);
            }
            None => {
                amounts.push("–".to_owned());
                let reason = Coding::new(code::ABSENT, "unknown", Some("Unknown"));
                component.data_absent_reason = Some(reason.into());
            }
        }
        resource.component.push(component);
    }
    let unit = systolic.or(diastolic).map(|half| half.unit.clone());
    let when = resource.effective_date_time.map(day).unwrap_or_default();
    let row = vec![text, amounts.join("/"), unit.unwrap_or_default(), when];
    Ok(Line {
        resource,
        row,
        laboratory: false,
    })
}

impl Frame<'_> {
    fn observation(&self, concept: CodeableConcept, category: Option<&str>) -> fhir::Observation {
        fhir::Observation {
            category: category
                .map(|category| Coding::new(code::CATEGORY, category, None).into())
                .into_iter()
                .collect(),
            code: concept,
            subject: self.subject.clone(),
            encounter: Some(self.encounter.clone()),
            ..fhir::Observation::default()
        }
    }
}

/// What is measured at the visit was measured then; a laboratory's time is its own to tell.
fn taken(observation: &Observation, laboratory: bool, frame: &Frame<'_>) -> Option<Timestamp> {
    observation
        .taken
        .or_else(|| (!laboratory).then_some(frame.held))
}

fn status(observation: &Observation, laboratory: bool) -> &'static str {
    match observation.status.as_deref() {
        Some("final") => "final",
        Some("preliminary") => "preliminary",
        Some("corrected") => "corrected",
        None if !laboratory => "final",
        _ => "unknown",
    }
}

/// A limit that lost its sign would be another value, so a sign that R4 does not know stops it.
fn quantity(observation: &Observation) -> Result<Quantity, Problem> {
    let comparator = match observation.comparator.as_deref() {
        None | Some("") => None,
        Some(sign @ ("<" | "<=" | ">=" | ">")) => Some(sign),
        Some(_) => return Err(invalid("an observation's comparator is not <, <=, >= or >")),
    };
    if !observation.value.is_finite() {
        return Err(invalid("an observation's value is not a number"));
    }
    Ok(code::quantity(
        observation.value,
        &observation.unit,
        comparator,
    ))
}

/// As a Swedish reader writes it.
fn amount(value: &Quantity) -> String {
    let number = value.value.to_string().replace('.', ",");
    format!(
        "{}{number}",
        value.comparator.as_deref().unwrap_or_default()
    )
}

fn unit(value: &Quantity) -> String {
    value.unit.clone().unwrap_or_default()
}

fn invalid(message: &str) -> Problem {
    Problem::new(Kind::Invalid, "HUB-JOURNAL-014", message)
}
