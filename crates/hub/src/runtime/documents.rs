//! What residents read: messages and letters, made just before they leave.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::Attachment;
use halsonav_document::{Options, Templates, address_block};
use halsonav_domain::{Command, HsaId, Identity, Kind, Problem, Timestamp, command::print};
use halsonav_profile::FormDefinition;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::texts::Texts;
use crate::{
    config::{Region, region::Unit},
    site,
};

/// The region's templates, checked.
pub struct Documents {
    texts: Texts,
    letters: Templates,
    forms: BTreeMap<String, FormDefinition>,
    units: BTreeMap<HsaId, Unit>,
    sender: String,
    zone: TimeZone,
    lab: bool,
    online: bool,
}

impl Documents {
    /// Reads texts, letters and forms of the region.
    ///
    /// # Errors
    /// Every fault in all of them.
    pub fn load(region: &Region) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let texts = Texts::load(region.files.of("texts", ".txt")).unwrap_or_else(|found| {
            problems.extend(found);
            Texts::default()
        });
        let files = region
            .files
            .of("letters", ".typ")
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        let letters = Templates::load(files, Vec::new())
            .map_err(|faults| {
                problems.extend(
                    faults
                        .iter()
                        .map(|f| Problem::new(Kind::Invalid, f.code, f.to_string())),
                )
            })
            .ok();
        let forms = site::forms(region).unwrap_or_else(|found| {
            problems.extend(found);
            Vec::new()
        });
        let zone = TimeZone::get("Europe/Stockholm")
            .map_err(|error| {
                problems.push(Problem::new(
                    Kind::Internal,
                    "HUB-TEXT-003",
                    error.to_string(),
                ))
            })
            .ok();
        match (letters, zone) {
            (Some(letters), Some(zone)) if problems.is_empty() => Ok(Self {
                texts,
                letters,
                forms: forms
                    .into_iter()
                    .map(|form| (form.template.clone(), form))
                    .collect(),
                units: region
                    .units
                    .iter()
                    .map(|unit| (unit.hsa_id.clone(), unit.clone()))
                    .collect(),
                sender: region.title.clone(),
                zone,
                online: region.switches.get("channel").and_then(Value::as_str) != Some("letter"),
                lab: region
                    .switches
                    .get("lab")
                    .and_then(Value::as_bool)
                    .unwrap_or(false),
            }),
            _ => Err(problems),
        }
    }

    /// The text of `messaging.send`.
    ///
    /// # Errors
    /// `Invalid` when the payload, the text or the unit is not there.
    pub fn message(
        &self,
        command: &Command,
        identity: Option<&Identity>,
    ) -> Result<Attachment, Problem> {
        let text = |field: &str| {
            command
                .payload
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let language = text("language");
        let unit = self.unit(&command.unit)?;
        let given = identity
            .map(|identity| identity.name.given.as_str())
            .unwrap_or_default();
        let when = command
            .payload
            .get("start")
            .and_then(Value::as_str)
            .and_then(|start| start.parse().ok());
        let rendered = self
            .texts
            .render(&text("template"), &language, &|name| match name {
                "given_name" => given.to_owned(),
                "unit_name" => unit.name.clone(),
                "unit_phone" => unit.phone.clone(),
                "booking_time" => when.map(|at| self.moment(at)).unwrap_or_default(),
                _ => String::new(),
            })?;
        Ok(Attachment {
            role: "message",
            media_type: "text/plain; charset=utf-8",
            bytes: Arc::from(rendered.into_bytes()),
        })
    }

    /// The letter of `print.letter`, and the paper forms that go in the same envelope.
    ///
    /// # Errors
    /// `Invalid` when payload, template, unit or address will not do.
    pub fn letter(
        &self,
        command: &Command,
        identity: Option<&Identity>,
        now: Timestamp,
    ) -> Result<Vec<Attachment>, Problem> {
        let letter: print::Letter = halsonav_adapter::payload(command)?;
        let identity = identity.ok_or_else(|| {
            Problem::new(
                Kind::NotFound,
                "HUB-DISPATCH-005",
                "the vault has nothing about the resident",
            )
        })?;
        let unit = self.unit(&command.unit)?;
        let unit = json!({ "name": unit.name, "address": unit.address, "phone": unit.phone });
        let region = json!({ "name": self.sender });
        let reference = reference(command);
        let mut data = json!({
            "recipient": address_block(identity).map_err(|error| Problem::new(Kind::Invalid, error.code(), error.to_string()))?,
            "reference": reference,
            "region": region,
            "unit": unit,
            "free": true,
            "phone": true,
            "online": self.online,
            "sampling": { "needed": self.lab, "fasting": false },
            "forms": { "online": letter.enclosures.is_empty() && self.online, "enclosed": !letter.enclosures.is_empty() },
        });
        if let Some(start) = letter.start {
            data["start"] = json!(start);
        }
        let mut options = Options::new(now.to_zoned(self.zone.clone()).date());
        if let Some(language) = letter.language {
            options.language = language;
        }
        let mut attachments = vec![self.page("letter", &letter.template, &data, &options)?];
        for name in &letter.enclosures {
            let form = self.forms.get(name).ok_or_else(|| {
                Problem::new(
                    Kind::Invalid,
                    "HUB-TEXT-005",
                    format!("the region has no form '{name}' to enclose"),
                )
            })?;
            let data = json!({ "reference": reference, "region": region, "unit": unit, "envelope": true, "form": form });
            attachments.push(self.page("enclosure", "paper-form", &data, &options)?);
        }
        Ok(attachments)
    }

    fn page(
        &self,
        role: &'static str,
        template: &str,
        data: &Value,
        options: &Options,
    ) -> Result<Attachment, Problem> {
        let pdf = self
            .letters
            .render(template, data, options)
            .map_err(|error| Problem::new(Kind::Invalid, error.code(), error.to_string()))?;
        Ok(Attachment {
            role,
            media_type: "application/pdf",
            bytes: Arc::from(pdf.bytes),
        })
    }

    fn unit(&self, unit: &HsaId) -> Result<&Unit, Problem> {
        self.units.get(unit).ok_or_else(|| {
            Problem::new(
                Kind::Invalid,
                "HUB-TEXT-004",
                format!("the region has no unit {unit}"),
            )
        })
    }

    /// `tisdag 17 februari 2026 klockan 9.30`.
    fn moment(&self, at: Timestamp) -> String {
        const DAYS: [&str; 7] = [
            "måndag", "tisdag", "onsdag", "torsdag", "fredag", "lördag", "söndag",
        ];
        const MONTHS: [&str; 12] = [
            "januari",
            "februari",
            "mars",
            "april",
            "maj",
            "juni",
            "juli",
            "augusti",
            "september",
            "oktober",
            "november",
            "december",
        ];
        let local = at.to_zoned(self.zone.clone());
        let day = DAYS[usize::try_from(local.weekday().to_monday_zero_offset()).unwrap_or(0)];
        let month = MONTHS[usize::try_from(local.month() - 1).unwrap_or(0)];
        format!(
            "{day} {} {month} {} klockan {}.{:02}",
            local.day(),
            local.year(),
            local.hour(),
            local.minute()
        )
    }
}

/// What the unit asks for on the telephone: eight characters of the command's id, no one's number.
fn reference(command: &Command) -> String {
    let id = command.id.0.simple().to_string().to_uppercase();
    format!("{}-{}", &id[..4], &id[28..])
}
