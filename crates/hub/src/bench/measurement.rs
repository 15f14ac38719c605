//! One figure with what it means.

use serde::Serialize;

/// What was measured, in the shape that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Measurement {
    /// Name, as `--only` takes it.
    pub name: &'static str,
    /// The figure.
    pub value: f64,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// What the figure is held against, measured in the same run.
    pub limit: Option<f64>,
    /// Value by limit.
    pub ratio: Option<f64>,
    /// On what, with what and how it was measured, in words.
    pub conditions: String,
}

impl Measurement {
    /// A figure that stands for itself.
    #[must_use]
    pub fn new(name: &'static str, value: f64, unit: &'static str, conditions: String) -> Self {
        Self {
            name,
            value: rounded(value),
            unit,
            limit: None,
            ratio: None,
            conditions,
        }
    }

    /// The same figure, held against `limit`.
    #[must_use]
    pub fn against(mut self, limit: f64) -> Self {
        self.limit = Some(rounded(limit));
        self.ratio = (limit > 0.0).then(|| (self.value / limit * 1000.0).round() / 1000.0);
        self
    }

    /// Cells of a table: name, value, unit, limit, ratio.
    #[must_use]
    pub fn row(&self) -> Vec<String> {
        vec![
            self.name.to_owned(),
            self.value.to_string(),
            self.unit.to_owned(),
            self.limit
                .map(|limit| limit.to_string())
                .unwrap_or_default(),
            self.ratio
                .map(|ratio| format!("{ratio:.2}"))
                .unwrap_or_default(),
        ]
    }
}

/// More digits than a measurement has would only look exact.
fn rounded(value: f64) -> f64 {
    if value.abs() >= 100.0 {
        value.round()
    } else {
        (value * 100.0).round() / 100.0
    }
}

/// The middle one; 0 of none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }

    #[test]
    fn a_ratio_is_value_by_limit() {
        let measured = Measurement::new("x", 1234.56, "a/s", String::new());
        assert_eq!(
            (measured.value, measured.limit, measured.ratio),
            (1235.0, None, None)
        );
        assert_eq!(measured.clone().against(2470.0).ratio, Some(0.5));
        assert_eq!(measured.against(0.0).ratio, None);
    }
}
