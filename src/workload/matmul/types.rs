//! The shape of a product and parts of it.

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
    /// FLOP of a part of C: a multiplication and an addition per term.
    pub fn work(&self, block: &Block) -> Work {
        Work(2 * block.area() as u64 * self.k as u64)
    }
}

/// A part of C.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Block {
    pub fn area(&self) -> usize {
        self.rows.len() * self.columns.len()
    }
}
