//! How much an expression can do, worked out before it does it.
//!
//! The engine underneath has no budget: a loop inside a loop, or a text that doubles itself line
//! by line, would run until memory ends. So each expression gets an upper bound when it is read, as a
//! polynomial in the length of the longest list it will meet, and the bound is compared with the
//! limits when the variables are known.

use std::ops::{Add, Mul};

const DEGREES: usize = 6;

/// Steps allowed in one evaluation: about a quarter of a second at worst.
const MAX_WORK: f64 = 5e6;
/// Units (list items, members and bytes of text) that may come to be in one evaluation.
const MAX_SIZE: f64 = 2e7;

/// A polynomial with non-negative coefficients in the length of the longest list.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Poly([f64; DEGREES]);

impl Poly {
    pub const ZERO: Self = Self([0.0; DEGREES]);

    pub fn constant(value: f64) -> Self {
        let mut poly = Self::ZERO;
        poly.0[0] = value;
        poly
    }

    /// The longest list itself.
    pub fn list() -> Self {
        let mut poly = Self::ZERO;
        poly.0[1] = 1.0;
        poly
    }

    fn at(&self, n: f64) -> f64 {
        self.0
            .iter()
            .rev()
            .fold(0.0, |sum, coefficient| sum * n + coefficient)
    }
}

impl Add for Poly {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        for (mine, its) in self.0.iter_mut().zip(other.0) {
            *mine += its;
        }
        self
    }
}

impl Mul for Poly {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let mut product = Self::ZERO;
        for (i, a) in self.0.iter().enumerate() {
            for (j, b) in other.0.iter().enumerate().filter(|(_, b)| **b > 0.0) {
                if *a > 0.0 {
                    match product.0.get_mut(i + j) {
                        Some(slot) => *slot += a * b,
                        None => product.0[0] = f64::INFINITY,
                    }
                }
            }
        }
        product
    }
}

/// Upper bounds of one expression.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// Steps.
    pub work: Poly,
    /// How often a whole variable can be in the result.
    pub wholes: Poly,
    /// How often one item of a list can be in the result.
    pub items: Poly,
    /// What comes from the expression itself.
    pub fixed: Poly,
}

impl Bound {
    /// One step, and a result of `units`.
    pub fn literal(units: usize) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "at most the length of an expression"
        )]
        let fixed = Poly::constant(units as f64);
        Self {
            work: Poly::constant(1.0),
            wholes: Poly::ZERO,
            items: Poly::ZERO,
            fixed,
        }
    }

    pub fn variable() -> Self {
        Self {
            wholes: Poly::constant(1.0),
            ..Self::literal(1)
        }
    }

    pub fn item() -> Self {
        Self {
            items: Poly::constant(1.0),
            ..Self::literal(1)
        }
    }

    /// One after the other.
    pub fn and(self, other: Self) -> Self {
        Self {
            work: self.work + other.work,
            wholes: self.wholes + other.wholes,
            items: self.items + other.items,
            fixed: self.fixed + other.fixed,
        }
    }

    /// Again and again.
    pub fn times(self, n: Poly) -> Self {
        Self {
            work: self.work * n,
            wholes: self.wholes * n,
            items: self.items * n,
            fixed: self.fixed * n,
        }
    }

    pub fn with_work(mut self, work: Poly) -> Self {
        self.work = self.work + work;
        self
    }

    /// How many list items the result can have at most: it is no larger than all it is made of.
    pub fn length(&self) -> Poly {
        (self.wholes + self.items) * Poly::list() + self.fixed
    }

    /// Whether it stays within the limits for variables of this size.
    pub fn allows(&self, meter: &Meter) -> bool {
        let n = f64::from(meter.longest);
        let size = self.wholes.at(n) * f64::from(meter.units)
            + self.items.at(n) * f64::from(meter.largest_item)
            + self.fixed.at(n);
        self.work.at(n) <= MAX_WORK && size <= MAX_SIZE
    }
}

/// The size of the variables that an expression reads.
#[derive(Clone, Copy, Default, Debug)]
pub struct Meter {
    /// List items, members and bytes of text.
    pub units: u32,
    /// Longest list.
    pub longest: u32,
    /// Units of the largest list item.
    pub largest_item: u32,
}

impl Meter {
    /// What no sound expression has trouble with; one that does not allow this is refused when read.
    pub const MODEST: Self = Self {
        units: 1000,
        longest: 10,
        largest_item: 100,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_add_up() {
        let n = Poly::list();
        let cube = n * n * n + Poly::constant(2.0);
        assert!((cube.at(10.0) - 1002.0).abs() < f64::EPSILON);
        let beyond = cube * cube;
        assert!(beyond.at(2.0).is_infinite());
    }
}
