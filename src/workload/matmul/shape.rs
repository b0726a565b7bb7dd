//! Dimensions of C = A·B, and rectangular regions of C.

use crate::units::Work;
use std::ops::Range;

/// C is M×N, the dot products have K terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub m: usize,
    pub n: usize,
    pub k: usize,
}

impl Shape {
    /// FLOP of a region of C: a multiplication and an addition per term.
    pub fn work(&self, region: &Region) -> Work {
        Work(2 * region.area() as u64 * self.k as u64)
    }
}

/// A rectangle of C.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Region {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Region {
    pub fn area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}
