//! Chance that is the same each time: every decision is a function of the seed and of what it is about.

/// 64 bits that depend on all of `words` and on nothing else.
#[must_use]
pub fn bits(seed: u64, words: &[u64]) -> u64 {
    words
        .iter()
        .fold(mix(seed), |state, word| mix(state ^ mix(*word)))
}

/// Between 0 and 1, without 1.
#[must_use]
pub fn unit(seed: u64, words: &[u64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a float holds")]
    let kept = (bits(seed, words) >> 11) as f64;
    kept / 9_007_199_254_740_992.0
}

/// From `from` to `to`, without `to`; `from` when there is nothing between.
#[must_use]
pub fn between(seed: u64, words: &[u64], from: u64, to: u64) -> u64 {
    from + bits(seed, words) % to.saturating_sub(from).max(1)
}

/// The finaliser of SplitMix64.
fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_even_and_the_same_each_time() {
        let hits = (0..10_000).filter(|n| unit(7, &[*n, 1]) < 0.3).count();
        assert!((2800..3200).contains(&hits), "{hits}");
        assert_eq!(bits(7, &[1, 2]), bits(7, &[1, 2]));
        assert_ne!(bits(7, &[1, 2]), bits(7, &[2, 1]));
        assert_ne!(bits(7, &[1]), bits(8, &[1]));
        assert_eq!(between(1, &[1], 5, 5), 5);
    }
}
