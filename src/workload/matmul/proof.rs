//! Elements of a product that go into the record, and how a stranger computes them again from the seed alone.

use super::Shape;
use super::data::Operands;
use crate::oracle::Verdict;
use crate::oracle::matmul::{Rounding, judge_element};

/// Elements of C that a window puts into the record, at most.
pub(super) const SAMPLED: usize = 4;
/// Roundings to f16 that a record may claim; each widens what passes.
const MOST_F16_ROUNDINGS: u32 = 64;
/// Terms of an element that is computed again, at most.
const LONGEST_COLUMN: usize = 1 << 28;
/// Excess of weights, of deviation 1, that a record may claim.
const MOST_EXCESS: u32 = 4;

/// An element of C that a window put out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// The window, from 0.
    pub window: u32,
    /// Its row.
    pub row: u64,
    /// Its column.
    pub column: u64,
    /// Its value.
    pub value: f32,
}

/// Elements of C that a stranger can compute again.
#[derive(Clone, Debug, PartialEq)]
pub struct Elements {
    /// How often a product may have been rounded to f16 on its way into the sum.
    pub f16_roundings: u32,
    /// By how much weights may have been added up larger than they are, which was taken off again.
    pub weight_excess: u32,
    /// The elements.
    pub elements: Vec<Element>,
}

impl Elements {
    /// Computes elements of a product with these operands again, as many as have no more than `most_terms` in all. There
    /// must be one of each of `windows` windows.
    pub(super) fn judge(&self, operands: &Operands, windows: usize, most_terms: u64) -> Verdict {
        let wrong = |what: String| Verdict::Disagrees(what);
        if self.f16_roundings > MOST_F16_ROUNDINGS || self.weight_excess > MOST_EXCESS {
            return wrong(format!(
                "{} roundings to f16 and weights larger by {} would let anything pass",
                self.f16_roundings, self.weight_excess
            ));
        }
        let shown = |window: usize| self.elements.iter().any(|e| e.window as usize == window);
        if let Some(window) = (0..windows).find(|&window| !shown(window)) {
            return wrong(format!("window {} shows no element", window + 1));
        }
        let Shape { m, n, k } = operands.shape;
        let rounding = Rounding {
            terms: k,
            f16_roundings: self.f16_roundings,
            weight_excess: self.weight_excess,
        };
        let mut verdict = Verdict::Agrees { checked: 0, worst: 0.0 };
        let affordable = (most_terms / k as u64) as usize;
        for (i, &Element { window, row, column, value }) in self.elements.iter().enumerate() {
            if row >= m as u64 || column >= n as u64 || window as usize >= windows {
                return wrong(format!(
                    "element ({row}, {column}) of window {} is none of this row",
                    window + 1
                ));
            }
            // A column that memory cannot hold is not computed however deep.
            if i >= affordable || k > LONGEST_COLUMN {
                continue;
            }
            let operands = operands.in_window(window);
            let (a, b) = (operands.row(row as usize), operands.column(column as usize));
            match judge_element(rounding, &a, &b, value) {
                Ok(worst) => verdict = verdict.and(Verdict::Agrees { checked: 1, worst }),
                Err(want) => {
                    return wrong(format!(
                        "element ({row}, {column}) of window {} is {value}, computed again it is {want:.7}",
                        window + 1
                    ));
                }
            }
        }
        verdict
    }
}
