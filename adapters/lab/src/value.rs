//! The value of an `OBX` as a number with a comparator.

use halsonav_hl7::{Field, Segment};

/// The unit's code, or its text.
pub(crate) fn unit(field: Option<&Field>) -> String {
    let part = |n| field.map_or("", |field| field.component(n));
    let first = part(1);
    if first.is_empty() {
        part(2).to_owned()
    } else {
        first.to_owned()
    }
}

/// Comparator and number of OBX-5, by its type; `None` when it is not a number.
pub(crate) fn value(obx: &Segment) -> Option<(Option<String>, f64)> {
    let field = obx.field(5)?;
    match obx.text(2) {
        "SN" if field.component(3).is_empty() && field.component(4).is_empty() => {
            let comparator = Some(field.component(1)).filter(|text| !matches!(*text, "" | "="));
            match comparator {
                Some(text) if !["<", ">", "<=", ">="].contains(&text) => None,
                _ => Some((comparator.map(str::to_owned), number(field.component(2))?)),
            }
        }
        "SN" => None,
        "CE" | "CWE" => {
            let text = [1, 2].map(|n| field.component(n));
            text.into_iter().find_map(limited)
        }
        _ => limited(field.component(1)),
    }
}

/// `5.4`, `5,4`, `< 0,5`, `>=90`.
fn limited(text: &str) -> Option<(Option<String>, f64)> {
    let text = text.trim();
    let digits = text.trim_start_matches(['<', '>', '=']);
    let comparator = match &text[..text.len() - digits.len()] {
        "" | "=" => None,
        sign @ ("<" | ">" | "<=" | ">=") => Some(sign.to_owned()),
        _ => return None,
    };
    Some((comparator, number(digits)?))
}

/// A plain decimal number: no exponent, no infinity, comma or point.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    let plain =
        |part: &str| (1..=15).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if plain(whole) && plain(fraction) {
        text.replace(',', ".").parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(&str, f64)>) {
        let found = limited(text);
        let found = found
            .as_ref()
            .map(|(sign, value)| (sign.as_deref().unwrap_or(""), *value));
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn numbers_may_have_a_comparator_and_a_comma() {
        check("5,4", Some(("", 5.4)));
        check(" >= 90 ", Some((">=", 90.0)));
        check("=5", Some(("", 5.0)));
        check("-1", Some(("", -1.0)));
        for text in [
            "", "<", "<>5", "==5", "5 4", "1e5", "infinity", "٣", "--1", "1.2,3",
        ] {
            check(text, None);
        }
    }
}
