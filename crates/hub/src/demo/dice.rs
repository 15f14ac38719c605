//! Chance as a function: the same seed, person and question give the same answer, in any order and
//! after any restart.

/// A seed with somebody's number in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The dice of the `ordinal`-th person.
    #[must_use]
    pub fn new(seed: u64, ordinal: u64) -> Self {
        Self(mix(seed ^ mix(ordinal)))
    }

    /// A number for `question`.
    #[must_use]
    pub fn roll(self, question: &str) -> u64 {
        let hash = blake3::hash(question.as_bytes());
        let word = hash.as_bytes().first_chunk().copied().unwrap_or_default();
        mix(self.0 ^ u64::from_le_bytes(word))
    }

    /// Evenly in 0..1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double")]
    pub fn unit(self, question: &str) -> f64 {
        (self.roll(question) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    #[must_use]
    pub fn chance(self, question: &str, probability: f64) -> bool {
        self.unit(question) < probability
    }

    /// Evenly in `low..=high`.
    #[must_use]
    pub fn between(self, question: &str, low: u64, high: u64) -> u64 {
        low + self.roll(question) % (high - low + 1)
    }

    /// One of `options`.
    #[must_use]
    pub fn pick<'a, T>(self, question: &str, options: &'a [T]) -> &'a T {
        &options[usize::try_from(self.roll(question) % options.len() as u64).unwrap_or(0)]
    }
}

/// splitmix64's finaliser.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_come_out_about_right() {
        let hits = (0..10_000)
            .filter(|n| Dice::new(1, *n).chance("x", 0.3))
            .count();
        assert!((2_800..3_200).contains(&hits), "{hits}");
    }
}
