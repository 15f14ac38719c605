//! The star: a point for each axis, long where it is favourable. A missing axis has no point.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use super::canvas::{Anchor, Canvas, FAINT, RULE, Type, colour, placed, wrap};
use super::{quantity, said};
use crate::profile::{Level, Profile};

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 700.0;
const CENTRE: (f64, f64) = (360.0, 338.0);
const RADIUS: f64 = 196.0;
/// Where points meet, as a share of the radius.
const WAIST: f64 = 0.24;

/// Draws the Stjärnprofil. The longer the point, the more favourable the level.
#[must_use]
pub fn stjarnprofil(profile: &Profile) -> String {
    let mut canvas = Canvas::new(WIDTH, HEIGHT, profile);
    canvas.text(24.0, 34.0, Type::new(20.0).bold(), &profile.label);
    canvas.text(
        24.0,
        54.0,
        Type::new(12.5).faint(),
        "Ju längre spets, desto gynnsammare.",
    );
    let steps = f64::from(
        u32::try_from(profile.scale.len())
            .unwrap_or(u32::MAX)
            .max(1),
    );
    let reach = |level: u8| RADIUS * (steps - f64::from(level)) / steps;
    for (level, fill) in (0..profile.scale.len()).zip(["#ffffff", "#f5f7f8"].iter().cycle()) {
        canvas.ring(
            CENTRE.0,
            CENTRE.1,
            reach(u8::try_from(level).unwrap_or(u8::MAX)),
            fill,
        );
    }
    let axes = f64::from(
        u32::try_from(profile.levels.len())
            .unwrap_or(u32::MAX)
            .max(1),
    );
    for (index, level) in profile.levels.iter().enumerate() {
        let angle = f64::from(u32::try_from(index).unwrap_or(u32::MAX)) / axes * TAU - FRAC_PI_2;
        let placed = placed(profile, level);
        let end = at(angle, RADIUS);
        match placed {
            Some(step) => {
                canvas.line(CENTRE, end, RULE, 1.0, false);
                let half = (PI / axes).min(0.6);
                let waist = (RADIUS * WAIST).min(reach(step) * 0.7);
                let point = [
                    CENTRE,
                    at(angle - half, waist),
                    at(angle, reach(step)),
                    at(angle + half, waist),
                ];
                let colour = colour(profile, level);
                canvas.polygon(&point, &colour);
                let tip = at(angle, reach(step));
                canvas.mark(tip.0, tip.1, 7.0, step, &colour);
            }
            None => canvas.line(CENTRE, end, FAINT, 1.2, true),
        }
        label(&mut canvas, level, angle, placed.is_some());
    }
    canvas.legend(profile, HEIGHT - 44.0);
    canvas.close(profile)
}

fn at(angle: f64, radius: f64) -> (f64, f64) {
    (
        CENTRE.0 + angle.cos() * radius,
        CENTRE.1 + angle.sin() * radius,
    )
}

fn label(canvas: &mut Canvas, level: &Level, angle: f64, placed: bool) {
    let (x, y) = at(angle, RADIUS + 20.0);
    let anchor = match angle.cos() {
        cos if cos > 0.2 => Anchor::Start,
        cos if cos < -0.2 => Anchor::End,
        _ => Anchor::Middle,
    };
    let set = if placed {
        Type::new(12.5)
    } else {
        Type::new(12.5).faint()
    };
    let mut lines: Vec<(String, Type)> = Vec::new();
    lines.extend(
        wrap(&level.label, 18)
            .into_iter()
            .map(|line| (line, Type::new(14.0).bold())),
    );
    lines.extend(wrap(said(level), 20).into_iter().map(|line| (line, set)));
    lines.extend(quantity(level).map(|value| (value, Type::new(11.5).faint())));
    let height = 15.0 * f64::from(u32::try_from(lines.len()).unwrap_or(1));
    // Above the star the block ends at its place, below it begins there, beside it is centred.
    let mut at = y + 11.0 - height * (1.0 - angle.sin()) / 2.0;
    for (line, set) in lines {
        canvas.text(x, at, set.at(anchor), &line);
        at += 15.0;
    }
}
