//! Texts and lines of a picture.

use std::fmt::Write as _;

use super::Point;

pub(super) fn path(points: &[Point]) -> String {
    let step = |(ix, point): (usize, &Point)| {
        format!(
            "{}{:.1} {:.1}",
            if ix == 0 { 'M' } else { 'L' },
            point.x,
            point.y
        )
    };
    points.iter().enumerate().map(step).collect()
}

/// Beside the first straight piece of a flow that is long enough.
pub(super) fn beside(points: &[Point]) -> Point {
    let long = |pair: &&[Point]| (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y) > 30.0;
    let Some([from, to]) = points.windows(2).find(long).or(points.windows(2).next()) else {
        return Point::default();
    };
    Point {
        x: f64::midpoint(from.x, to.x),
        y: f64::midpoint(from.y, to.y) - 8.0,
    }
}

/// A condition as far as there is room for it.
pub(super) fn shortened(text: &str) -> String {
    const ROOM: usize = 48;
    if text.chars().count() <= ROOM {
        return text.to_owned();
    }
    text.chars().take(ROOM - 1).chain(['…']).collect()
}

/// Text in lines around a point, as wide as it may be. Seven pixels a letter is a fair guess.
pub(super) fn lines(text: &str, at: Point, width: f64, class: &str) -> String {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match rows.last_mut() {
            #[expect(clippy::cast_precision_loss, reason = "a row is short")]
            Some(row) if (row.chars().count() + word.chars().count() + 1) as f64 * 6.6 <= width => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a label has few rows")]
    let top = at.y + 4.0 - (rows.len().saturating_sub(1)) as f64 * 7.0;
    let mut out = format!(r#"<text class="{class}" text-anchor="middle">"#);
    for (ix, row) in rows.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a label has few rows")]
        let y = top + ix as f64 * 14.0;
        let _ = write!(
            out,
            r#"<tspan x="{:.1}" y="{y:.1}">{}</tspan>"#,
            at.x,
            escape(row)
        );
    }
    if rows.is_empty() {
        String::new()
    } else {
        out + "</text>"
    }
}

/// Text and attribute values of XML; what XML cannot hold is left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ if letter.is_control() => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}
