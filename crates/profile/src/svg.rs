//! A profile as a picture.
//!
//! The pictures are meant for a screen and for half an A4 page alike: text labels on everything,
//! a shape of its own for each level beside the colour, a `title` and a `desc` that says the whole
//! in words. They hold levels and values, never who they belong to. Equal profiles give equal bytes.

mod canvas;
mod curve;
mod star;

use crate::instrument::Graphic;
use crate::profile::{Level, Profile};

pub use curve::halsokurva;
pub use star::stjarnprofil;

/// The picture that the profile's instrument asks for.
#[must_use]
pub fn draw(profile: &Profile) -> String {
    match profile.graphic {
        Graphic::Halsokurva => halsokurva(profile),
        Graphic::Stjarnprofil => stjarnprofil(profile),
    }
}

/// The picture in words, for those who do not see it.
#[must_use]
pub fn describe(profile: &Profile) -> String {
    let mut out = format!("{}.", profile.label);
    if profile.sample {
        out.push_str(" Exempel, inte för bedömning.");
    }
    for level in &profile.levels {
        out.push(' ');
        out.push_str(&level.label);
        out.push_str(": ");
        out.push_str(said(level));
        if let Some(value) = quantity(level) {
            out.push_str(", ");
            out.push_str(&value);
        }
        out.push('.');
    }
    out
}

/// The level's name, or that it is missing.
fn said(level: &Level) -> &str {
    match &level.name {
        Some(name) if !level.missing => name,
        _ => "Uppgift saknas",
    }
}

/// The value with its unit.
fn quantity(level: &Level) -> Option<String> {
    let value = level.value.as_deref()?;
    Some(match level.unit.as_deref() {
        Some(unit) => format!("{value} {unit}"),
        None => value.to_owned(),
    })
}
