//! The few shapes the pictures are made of.

use std::fmt::Write as _;

use super::describe;
use crate::profile::{Level, Profile};

/// Ink that carries text: 12:1 against white.
pub(super) const INK: &str = "#26323a";
/// Ink for what comes second: 5.7:1 against white.
pub(super) const FAINT: &str = "#5b6770";
/// Lines of the grid.
pub(super) const RULE: &str = "#c9d0d4";

#[derive(Clone, Copy)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// How a text is set.
#[derive(Clone, Copy)]
pub(super) struct Type {
    pub size: f64,
    pub bold: bool,
    pub anchor: Anchor,
    pub fill: &'static str,
}

impl Type {
    pub fn new(size: f64) -> Self {
        Self {
            size,
            bold: false,
            anchor: Anchor::Start,
            fill: INK,
        }
    }

    pub fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    pub fn faint(self) -> Self {
        Self {
            fill: FAINT,
            ..self
        }
    }

    pub fn at(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }
}

pub(super) struct Canvas {
    out: String,
    width: f64,
    height: f64,
}

impl Canvas {
    pub fn new(width: f64, height: f64, profile: &Profile) -> Self {
        let mut out = String::with_capacity(8192);
        let (title, desc) = (escape(&profile.label), escape(&describe(profile)));
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
             aria-labelledby=\"profile-title profile-desc\" \
             font-family=\"'Source Sans 3','Open Sans',Arial,Helvetica,'Libertinus Serif',sans-serif\">\n\
             <title id=\"profile-title\">{title}</title>\n<desc id=\"profile-desc\">{desc}</desc>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
        );
        Self { out, width, height }
    }

    pub fn text(&mut self, x: f64, y: f64, set: Type, text: &str) {
        let anchor = match set.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = if set.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        let (x, y, size) = (short(x), short(y), short(set.size));
        let text = escape(text);
        let _ = writeln!(
            self.out,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor} fill=\"{}\">{text}</text>",
            set.fill
        );
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str) {
        let (x, y, width, height) = (short(x), short(y), short(width), short(height));
        let _ = writeln!(
            self.out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"/>"
        );
    }

    pub fn line(
        &mut self,
        from: (f64, f64),
        to: (f64, f64),
        stroke: &str,
        width: f64,
        dashed: bool,
    ) {
        let dash = if dashed {
            " stroke-dasharray=\"4 4\""
        } else {
            ""
        };
        let _ = writeln!(
            self.out,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{stroke}\" stroke-width=\"{}\"{dash}/>",
            short(from.0),
            short(from.1),
            short(to.0),
            short(to.1),
            short(width)
        );
    }

    pub fn ring(&mut self, x: f64, y: f64, radius: f64, fill: &str) {
        let (x, y, radius) = (short(x), short(y), short(radius));
        let _ = writeln!(
            self.out,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{RULE}\" stroke-width=\"1\"/>"
        );
    }

    pub fn polygon(&mut self, points: &[(f64, f64)], fill: &str) {
        let points = join(points);
        let _ = writeln!(
            self.out,
            "<polygon points=\"{points}\" fill=\"{fill}\" stroke=\"{INK}\" stroke-width=\"1.2\" stroke-linejoin=\"round\"/>"
        );
    }

    pub fn path(&mut self, points: &[(f64, f64)]) {
        if points.len() > 1 {
            let points = join(points);
            let _ = writeln!(
                self.out,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{INK}\" stroke-width=\"3\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>"
            );
        }
    }

    /// The mark of a level: circle, diamond, triangle, square, then pentagon and on.
    pub fn mark(&mut self, x: f64, y: f64, radius: f64, level: u8, colour: &str) {
        let corners = match level {
            0 => {
                let (x, y, radius) = (short(x), short(y), short(radius));
                let _ = writeln!(
                    self.out,
                    "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{colour}\" stroke=\"{INK}\" stroke-width=\"1.6\"/>"
                );
                return;
            }
            1 => vec![(0.0, -1.2), (1.2, 0.0), (0.0, 1.2), (-1.2, 0.0)],
            2 => vec![(0.0, -1.15), (1.2, 0.9), (-1.2, 0.9)],
            3 => vec![(-0.95, -0.95), (0.95, -0.95), (0.95, 0.95), (-0.95, 0.95)],
            more => {
                let count = u32::from(more) + 1;
                (0..count)
                    .map(|n| f64::from(n) / f64::from(count) * std::f64::consts::TAU)
                    .map(|a| (a.sin() * 1.1, -a.cos() * 1.1))
                    .collect()
            }
        };
        let points: Vec<_> = corners
            .into_iter()
            .map(|(dx, dy)| (x + dx * radius, y + dy * radius))
            .collect();
        self.polygon(&points, colour);
    }

    /// What each mark means, on one line or more.
    pub fn legend(&mut self, profile: &Profile, y: f64) {
        let mut x = 24.0;
        let mut y = y;
        for (level, step) in profile.scale.iter().enumerate() {
            let width = 46.0 + wide(&step.name, 13.0);
            if x + width > self.width {
                (x, y) = (24.0, y + 24.0);
            }
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            self.mark(
                x + 7.0,
                y - 5.0,
                7.0,
                level,
                tint(&step.colour, 0.0).as_str(),
            );
            self.text(x + 22.0, y, Type::new(13.0), &step.name);
            x += width;
        }
    }

    /// The line at the foot, and EXEMPEL across a sample.
    pub fn close(mut self, profile: &Profile) -> String {
        let foot = format!("{}, version {}", profile.instrument, profile.version);
        let note = profile
            .note
            .as_deref()
            .map(|note| format!("{note} "))
            .unwrap_or_default();
        self.text(
            24.0,
            self.height - 12.0,
            Type::new(11.0).faint(),
            &format!("{note}{foot}"),
        );
        if profile.sample {
            let (x, y) = (short(self.width / 2.0), short(self.height / 2.0));
            let _ = writeln!(
                self.out,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"120\" font-weight=\"bold\" text-anchor=\"middle\" dy=\"40\" letter-spacing=\"8\" fill=\"{INK}\" fill-opacity=\"0.1\" transform=\"rotate(-28 {x} {y})\">EXEMPEL</text>"
            );
        }
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// The level's colour, mixed with white; grey where the profile holds no usable colour.
pub(super) fn tint(colour: &str, white: f64) -> String {
    let part = |from: usize| {
        colour
            .get(from..from + 2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
    };
    let whole = colour.len() == 7 && colour.starts_with('#');
    let (Some(r), Some(g), Some(b), true) = (part(1), part(3), part(5), whole) else {
        return "#dddddd".to_owned();
    };
    // Between 0 and 255 by construction.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let mix = |one: u8| (f64::from(one) + (255.0 - f64::from(one)) * white).round() as u8;
    format!("#{:02x}{:02x}{:02x}", mix(r), mix(g), mix(b))
}

/// The colour of a level.
pub(super) fn colour(profile: &Profile, level: &Level) -> String {
    let step = level
        .level
        .and_then(|level| profile.scale.get(usize::from(level)));
    tint(step.map_or("", |step| step.colour.as_str()), 0.0)
}

/// The level, if it is one of the scale's.
pub(super) fn placed(profile: &Profile, level: &Level) -> Option<u8> {
    level
        .level
        .filter(|step| !level.missing && usize::from(*step) < profile.scale.len())
}

/// Breaks at spaces so that no line is longer than `most` characters, if the words allow it.
pub(super) fn wrap(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// About how wide a text is.
fn wide(text: &str, size: f64) -> f64 {
    f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)) * size * 0.58
}

fn join(points: &[(f64, f64)]) -> String {
    points
        .iter()
        .map(|(x, y)| format!("{},{}", short(*x), short(*y)))
        .collect::<Vec<_>>()
        .join(" ")
}

/// One decimal at most.
fn short(number: f64) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// Text for XML; what XML cannot hold is left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_and_cleaned() {
        assert_eq!(
            escape("a<b> & \"c\"\u{0}\u{7}\u{fffe}\n"),
            "a&lt;b&gt; &amp; &quot;c&quot; "
        );
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("Viktigt att tala om", 12), ["Viktigt att", "tala om"]);
        assert_eq!(wrap("Kardiovaskulärt", 5), ["Kardiovaskulärt"]);
        assert!(wrap("", 5).is_empty());
    }

    #[test]
    fn a_bad_colour_is_grey() {
        assert_eq!(tint("#000000", 0.8), "#cccccc");
        assert_eq!(tint("röd", 0.0), "#dddddd");
        assert_eq!(tint("#åååå", 0.0), "#dddddd");
    }
}
