//! The instrument: axes, what they read, and the thresholds that give a level.

mod check;
mod cover;
mod load;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::fault::{DATES, Fault};
use crate::score::Sex;

pub(crate) use check::{ages, numbers_of};
pub use cover::uncovered;

/// How the profile is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Graphic {
    /// The curve.
    Halsokurva,
    /// The star.
    Stjarnprofil,
}

impl Graphic {
    /// As in a file and in `profile.draw`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Halsokurva => "halsokurva",
            Self::Stjarnprofil => "stjarnprofil",
        }
    }
}

/// One level of the scale. Level 0 is the most favourable.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What the level is called, in the resident's words.
    pub name: String,
    /// `#rrggbb`. Never the only bearer of the level.
    pub colour: String,
}

/// A scoring table as a region owns it.
#[derive(Clone, PartialEq, Debug)]
pub struct Instrument {
    /// Its name; several versions may share it if their dates do not overlap.
    pub id: String,
    /// The version, shown with every profile.
    pub version: String,
    /// Title of the picture.
    pub label: String,
    /// Not for care: the picture is marked EXEMPEL.
    pub sample: bool,
    /// How it is drawn.
    pub graphic: Graphic,
    /// A line under the picture.
    pub note: Option<String>,
    /// First day in force.
    pub valid_from: Option<Date>,
    /// Last day in force.
    pub valid_to: Option<Date>,
    /// The levels, most favourable first.
    pub scale: Vec<Step>,
    /// Question code → answer → the number it stands for.
    pub values: BTreeMap<String, BTreeMap<String, f64>>,
    /// In the order they are drawn.
    pub axes: Vec<Axis>,
}

/// One axis of the picture.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// Its name.
    pub id: String,
    /// Its label in the picture.
    pub label: String,
    /// One table for each period.
    pub tables: Vec<Table>,
}

impl Axis {
    /// The table in force on a day.
    #[must_use]
    pub fn table(&self, day: Date) -> Option<&Table> {
        self.tables
            .iter()
            .find(|table| in_force(table.valid_from, table.valid_to, day))
    }
}

/// The thresholds of an axis during a period.
#[derive(Clone, PartialEq, Debug)]
pub struct Table {
    /// First day in force; from the beginning of time when absent.
    pub valid_from: Option<Date>,
    /// Last day in force; until further notice when absent.
    pub valid_to: Option<Date>,
    /// Where the thresholds come from.
    pub source: String,
    /// Whether every part is needed.
    pub need: Need,
    /// One text for each level of the scale; empty where no rule gives that level.
    pub texts: Vec<String>,
    /// What is read. The axis gets the least favourable level of its parts.
    pub parts: Vec<Part>,
}

/// Whether an axis of several parts can do with some.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// One missing part makes the axis missing: both blood pressures.
    #[default]
    All,
    /// What is there decides: fasting glucose or HbA1c.
    Any,
}

/// One thing that an axis reads, and its thresholds.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    /// What is read.
    pub reads: Reads,
    /// Unit of the thresholds. A value in another unit is converted if that is safe, else missing.
    pub unit: Option<String>,
    /// Decimals to show.
    pub decimals: u8,
    /// Values outside are not believed.
    pub plausible: Option<(f64, f64)>,
    /// Answers that are known but have no level, such as "don't know".
    pub undecided: Vec<String>,
    /// First match wins.
    pub rules: Vec<Rule>,
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum Reads {
    /// An answer: `code`, or `template.code` where two forms share a code.
    Form(String),
    /// A measurement or laboratory value; several codes are alternatives, the newest counts.
    Observation(Vec<String>),
    /// A quotient of measurements.
    Derived(Derived),
    /// Answers as numbers, weighed and added.
    Sum(Vec<Term>),
}

/// Quotients of measurements.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Derived {
    /// `weight` in kg by the square of `height` in metres.
    Bmi,
    /// `waist` by `hip`.
    WaistHip,
    /// `waist` by `height`.
    WaistHeight,
}

/// One answer in a sum.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// The question.
    pub form: String,
    /// Its weight.
    #[serde(default = "once")]
    pub times: f64,
}

fn once() -> f64 {
    1.0
}

/// A threshold: the level, if everything it asks for holds.
#[derive(Clone, PartialEq, Debug)]
pub struct Rule {
    /// The level given.
    pub level: u8,
    /// What it asks of the value.
    pub test: Test,
    /// Only for this sex.
    pub sex: Option<Sex>,
    /// Only from this age, in years.
    pub from_age: Option<u8>,
    /// Only below this age.
    pub below_age: Option<u8>,
}

/// What a rule asks of the value.
#[derive(Clone, PartialEq, Debug)]
pub enum Test {
    /// Anything: the rule of last resort.
    Otherwise,
    /// The answer is one of these.
    Is(Vec<String>),
    /// The number lies within all the limits that are stated.
    Limits {
        /// Less than.
        lt: Option<f64>,
        /// At most.
        le: Option<f64>,
        /// More than.
        gt: Option<f64>,
        /// At least.
        ge: Option<f64>,
    },
}

impl Instrument {
    /// Reads an instrument from TOML.
    ///
    /// # Errors
    /// Every fault of the file, with its line.
    pub fn load(file: &str, text: &str) -> Result<Self, Vec<Fault>> {
        load::load(file, text)
    }
}

/// The instruments of a region, by name and date.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Instruments(Vec<Instrument>);

impl Instruments {
    /// Reads all files, given as name and text.
    ///
    /// # Errors
    /// Every fault of every file, and two versions that are in force on the same day.
    pub fn load<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Self, Vec<Fault>> {
        let (mut all, mut faults) = (Vec::<Instrument>::new(), Vec::new());
        for (file, text) in files {
            match Instrument::load(file, text) {
                Ok(one) => {
                    if all
                        .iter()
                        .any(|other| other.id == one.id && together(other, &one))
                    {
                        let message = format!(
                            "another version of `{}` is in force at the same time",
                            one.id
                        );
                        faults.push(Fault {
                            file: file.to_owned(),
                            line: 0,
                            code: DATES,
                            message,
                        });
                    }
                    all.push(one);
                }
                Err(more) => faults.extend(more),
            }
        }
        if faults.is_empty() {
            Ok(Self(all))
        } else {
            Err(faults)
        }
    }

    /// The version in force on a day.
    #[must_use]
    pub fn get(&self, id: &str, day: Date) -> Option<&Instrument> {
        self.0
            .iter()
            .find(|one| one.id == id && in_force(one.valid_from, one.valid_to, day))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Instrument> {
        self.0.iter()
    }
}

fn in_force(from: Option<Date>, to: Option<Date>, day: Date) -> bool {
    from.is_none_or(|from| from <= day) && to.is_none_or(|to| day <= to)
}

fn together(a: &Instrument, b: &Instrument) -> bool {
    overlap((a.valid_from, a.valid_to), (b.valid_from, b.valid_to))
}

/// Whether two periods, both ends included, share a day.
fn overlap(a: (Option<Date>, Option<Date>), b: (Option<Date>, Option<Date>)) -> bool {
    let begins_in_time = |from: Option<Date>, to: Option<Date>| match (from, to) {
        (Some(from), Some(to)) => from <= to,
        _ => true,
    };
    begins_in_time(a.0, b.1) && begins_in_time(b.0, a.1)
}
