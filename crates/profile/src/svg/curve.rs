//! The curve: a row for each axis, a column for each level, a line through the marks.

use super::canvas::{Anchor, Canvas, FAINT, INK, RULE, Type, colour, placed, tint, wrap};
use super::{quantity, said};
use crate::profile::{Level, Profile};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 212.0;
const RIGHT: f64 = 572.0;
const TOP: f64 = 86.0;
const ROW: f64 = 44.0;

/// Draws the Hälsokurva. The most favourable level stands to the left.
#[must_use]
pub fn halsokurva(profile: &Profile) -> String {
    let rows = f64::from(u32::try_from(profile.levels.len()).unwrap_or(u32::MAX));
    let bottom = TOP + rows * ROW;
    let mut canvas = Canvas::new(WIDTH, bottom + 76.0, profile);
    canvas.text(24.0, 34.0, Type::new(20.0).bold(), &profile.label);
    let steps = u32::try_from(profile.scale.len())
        .unwrap_or(u32::MAX)
        .max(1);
    let column = (RIGHT - LEFT) / f64::from(steps);
    header(&mut canvas, profile, column, bottom);
    let middle = |level: u8| LEFT + (f64::from(level) + 0.5) * column;
    let height = |row: usize| TOP + (f64::from(u32::try_from(row).unwrap_or(u32::MAX)) + 0.5) * ROW;

    let mut stretch = Vec::new();
    for (row, level) in profile.levels.iter().enumerate() {
        match placed(profile, level) {
            Some(step) => stretch.push((middle(step), height(row))),
            None => canvas.path(&std::mem::take(&mut stretch)),
        }
    }
    canvas.path(&stretch);
    for (row, level) in profile.levels.iter().enumerate() {
        let y = height(row);
        labels(&mut canvas, level, y, placed(profile, level).is_some());
        match placed(profile, level) {
            Some(step) => canvas.mark(middle(step), y, 10.0, step, &colour(profile, level)),
            None => canvas.line((LEFT + 8.0, y), (RIGHT - 8.0, y), FAINT, 1.2, true),
        }
    }
    canvas.legend(profile, bottom + 34.0);
    canvas.close(profile)
}

fn header(canvas: &mut Canvas, profile: &Profile, column: f64, bottom: f64) {
    let mut x = LEFT;
    for step in &profile.scale {
        canvas.rect(x, TOP, column, bottom - TOP, &tint(&step.colour, 0.78));
        let lines = wrap(&step.name, 13);
        let mut y =
            TOP - 8.0 - 14.0 * f64::from(u32::try_from(lines.len()).unwrap_or(1).saturating_sub(1));
        for line in &lines {
            canvas.text(
                x + column / 2.0,
                y,
                Type::new(12.5).bold().at(Anchor::Middle),
                line,
            );
            y += 14.0;
        }
        x += column;
    }
    let mut y = TOP;
    while y <= bottom {
        canvas.line((24.0, y), (WIDTH - 24.0, y), RULE, 1.0, false);
        y += ROW;
    }
    canvas.line((LEFT, TOP), (LEFT, bottom), INK, 1.0, false);
}

fn labels(canvas: &mut Canvas, level: &Level, y: f64, placed: bool) {
    let lines = wrap(&level.label, 24);
    let value = quantity(level);
    let rows = lines.len() + usize::from(value.is_some());
    let mut at = y + 5.0 - 8.0 * f64::from(u32::try_from(rows).unwrap_or(1).saturating_sub(1));
    for line in &lines {
        canvas.text(24.0, at, Type::new(14.5).bold(), line);
        at += 15.5;
    }
    if let Some(value) = value {
        canvas.text(24.0, at, Type::new(12.0).faint(), &value);
    }
    let set = if placed {
        Type::new(13.0)
    } else {
        Type::new(13.0).faint()
    };
    let said = wrap(said(level), 16);
    let mut at =
        y + 4.5 - 7.5 * f64::from(u32::try_from(said.len()).unwrap_or(1).saturating_sub(1));
    for line in &said {
        canvas.text(RIGHT + 14.0, at, set, line);
        at += 15.0;
    }
}
