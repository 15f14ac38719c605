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
/// Units that may be copied on the way.
const MAX_MOVED: f64 = 1e8;

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

/// The size of a value, in terms of the variables it is made of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Size {
    /// How often a whole variable can be in it.
    pub wholes: Poly,
    /// How often one item of a list can be in it.
    pub items: Poly,
    /// What comes from the expression itself.
    pub fixed: Poly,
}

impl Size {
    const NONE: Self = Self {
        wholes: Poly::ZERO,
        items: Poly::ZERO,
        fixed: Poly::ZERO,
    };

    fn of(units: usize) -> Self {
        #[expect(
            clippy::cast_precision_loss,
            reason = "at most the length of an expression"
        )]
        let fixed = Poly::constant(units as f64);
        Self {
            fixed,
            ..Self::NONE
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            wholes: self.wholes + other.wholes,
            items: self.items + other.items,
            fixed: self.fixed + other.fixed,
        }
    }

    fn times(self, n: Poly) -> Self {
        Self {
            wholes: self.wholes * n,
            items: self.items * n,
            fixed: self.fixed * n,
        }
    }

    /// This size with the value `given` in place of every variable.
    fn with(self, given: Self) -> Self {
        let copied = given.times(self.wholes + self.items);
        Self {
            fixed: copied.fixed + self.fixed,
            ..copied
        }
    }

    fn at(&self, meter: &Meter) -> f64 {
        let n = f64::from(meter.longest);
        self.wholes.at(n) * f64::from(meter.units)
            + self.items.at(n) * f64::from(meter.largest_item)
            + self.fixed.at(n)
    }
}

/// Upper bounds of one expression.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bound {
    /// Steps.
    pub work: Poly,
    /// The result.
    pub size: Size,
    /// What is copied on the way and then dropped.
    pub moved: Size,
}

impl Bound {
    /// One step, and a result of `units`.
    pub fn literal(units: usize) -> Self {
        Self {
            work: Poly::constant(1.0),
            size: Size::of(units),
            moved: Size::NONE,
        }
    }

    pub fn variable() -> Self {
        let size = Size {
            wholes: Poly::constant(1.0),
            ..Size::of(1)
        };
        Self {
            size,
            ..Self::literal(1)
        }
    }

    pub fn item() -> Self {
        let size = Size {
            items: Poly::constant(1.0),
            ..Size::of(1)
        };
        Self {
            size,
            ..Self::literal(1)
        }
    }

    /// One after the other, both in the result.
    pub fn and(self, other: Self) -> Self {
        Self {
            work: self.work + other.work,
            size: self.size.and(other.size),
            moved: self.moved.and(other.moved),
        }
    }

    /// Again and again.
    pub fn times(self, n: Poly) -> Self {
        Self {
            work: self.work * n,
            size: self.size.times(n),
            moved: self.moved.times(n),
        }
    }

    pub fn with_work(mut self, work: Poly) -> Self {
        self.work = self.work + work;
        self
    }

    /// Nothing of it is in the result.
    pub fn dropped(self) -> Self {
        Self {
            work: self.work,
            size: Size::NONE,
            moved: self.moved.and(self.size),
        }
    }

    /// The result is one number, date or truth, whatever it was made from.
    pub fn scalar(self) -> Self {
        Self {
            size: Size::of(1),
            ..self.dropped()
        }
    }

    /// A value that was made before and is only looked up.
    pub fn looked_up(self) -> Self {
        Self {
            size: self.size,
            ..Self::literal(1)
        }
    }

    /// A call, with what is `given`, of a function whose parameters were reckoned as variables.
    pub fn call(self, given: Self) -> Self {
        Self {
            work: given.work + self.work,
            size: self.size.with(given.size),
            moved: given.moved.and(given.size).and(self.moved.with(given.size)),
        }
    }

    /// How many list items the result can have at most: it is no larger than all it is made of.
    pub fn length(&self) -> Poly {
        (self.size.wholes + self.size.items) * Poly::list() + self.size.fixed
    }

    /// Whether it stays within the limits for variables of this size, given that it was not refused
    /// when it was read.
    pub fn still_allows(&self, meter: &Meter) -> bool {
        let modest = Meter::MODEST;
        let is_modest = meter.units <= modest.units
            && meter.longest <= modest.longest
            && meter.largest_item <= modest.largest_item;
        is_modest || self.allows(meter)
    }

    /// Whether it stays within the limits for variables of this size.
    pub fn allows(&self, meter: &Meter) -> bool {
        self.work.at(f64::from(meter.longest)) <= MAX_WORK
            && self.size.at(meter) <= MAX_SIZE
            && self.moved.at(meter) <= MAX_MOVED
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
