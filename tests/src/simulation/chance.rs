//! Chance that is the same each time.

use std::sync::{Mutex, PoisonError};

/// Numbers from a seed (SplitMix64). Shared by everything in one simulated world, so that the order
/// in which it is asked is part of the run.
pub struct Chance(Mutex<u64>);

impl Chance {
    /// Chance of this seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self(Mutex::new(
            seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0x9E37_79B9_7F4A_7C15,
        ))
    }

    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }

    /// True `per_mille` times of a thousand.
    pub fn happens(&self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }
}
