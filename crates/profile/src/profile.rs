//! The result: a level for each axis.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::instrument::{Graphic, Step};

/// What an instrument says of one set of answers and values. Holds no identity, but it is health
/// data, so `Debug` shows the instrument only.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The instrument's name.
    pub instrument: String,
    /// Its version.
    pub version: String,
    /// Title of the picture.
    pub label: String,
    /// Made with a sample table: not for care.
    pub sample: bool,
    /// How it is drawn.
    pub graphic: Graphic,
    /// A line under the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The day whose tables were used.
    pub at: Date,
    /// The levels there are, most favourable first.
    pub scale: Vec<Step>,
    /// One for each axis, in the order of the picture.
    pub levels: Vec<Level>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Profile({} {}, redacted)", self.instrument, self.version)
    }
}

/// Where the resident stands on one axis.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Level {
    /// The axis.
    pub axis: String,
    /// Its label.
    pub label: String,
    /// 0 is the most favourable; none when missing.
    pub level: Option<u8>,
    /// The least favourable level of the scale.
    pub of: u8,
    /// What the level is called.
    pub name: Option<String>,
    /// Numbers that were read, as a Swedish reader writes them: `27,4`, `142/88`.
    pub value: Option<String>,
    /// Unit of `value`.
    pub unit: Option<String>,
    /// What was read, one for each code.
    #[serde(default)]
    pub readings: Vec<Reading>,
    /// What the level means, in plain words.
    pub text: String,
    /// Where the thresholds come from.
    pub source: String,
    /// There is no level.
    pub missing: bool,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Missing>,
}

/// One thing that was read.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Reading {
    /// Question or observation code, or the name of a derived value.
    pub code: String,
    /// As it was read.
    pub value: Value,
    /// Its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// Why an axis has no level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Not answered, not measured.
    Absent,
    /// The answer is known to give no level, such as "don't know".
    Undecided,
    /// The instrument has nothing for that answer.
    Unknown,
    /// Two forms answer the same question differently.
    Conflict,
    /// In a unit that cannot be converted safely.
    Unit,
    /// Outside what can be believed.
    Implausible,
    /// The source gave a limit (`<`, `>`), and both sides of a threshold are possible.
    Limit,
    /// The level depends on the sex, which is not known.
    Sex,
    /// The level depends on the age, which is not known.
    Age,
    /// The axis had no table on that day.
    NoTable,
}
