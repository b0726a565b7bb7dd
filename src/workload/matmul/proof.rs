//! Sampled elements of a product for the record, and how a third party recomputes them from the seed alone.

use super::data::Operands;
use super::shape::Shape;
use crate::oracle::Verdict;
use crate::oracle::matmul::{Rounding, judge_element};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum elements of C that a window records.
pub(super) const SAMPLED: usize = 4;
/// Maximum roundings to f16 that a record may claim; each widens the error bound.
const MAX_F16_ROUNDINGS: u32 = 64;
/// Maximum terms of an element that is recomputed.
const MAX_TERMS: usize = 1 << 28;
/// Maximum terms of the one element that is recomputed where there is no time for any.
const MAX_QUICK_TERMS: usize = 1 << 20;
/// Maximum weight excess that a record may claim, in standard deviations of the weights.
const MAX_EXCESS: u32 = 4;

/// An element of C from a window's output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Element {
    /// Window number, from 0.
    pub window: u32,
    /// Row.
    pub row: u64,
    /// Column.
    pub column: u64,
    /// Value.
    pub value: f32,
}

/// Sampled elements of C = A·B, which a third party can recompute. The values of A and B follow from the row's seed, which is SHA-256 of
/// the run's seed and `DEVICE WORKLOAD` as the row has them. A tensor's key is the first 8 bytes of SHA-256 of the row's seed and the
/// tensor's name; element i is the sum of the four 16-bit parts of SplitMix64's output for key and i, minus 131070, divided by 37837.227.
/// A's index is m·K + k, B's k·N + n; the first 16 terms of A's rows come from the tensor `A in window W`. Integer types round 48 (int8)
/// or 3 (int4) times the value. Their scales, one per 32 terms, are 1 plus an eighth of tensor `A, scales` or `B, scales`, divided by 48
/// or 3, in f16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Columns", try_from = "Columns")]
#[schemars(with = "Columns")]
pub struct Elements {
    /// How many times a product may have been rounded to f16 before it was accumulated.
    pub f16_roundings: u32,
    /// Maximum offset of unsigned integer weights, which was accumulated and subtracted again.
    pub weight_excess: u32,
    /// The elements.
    pub elements: Vec<Element>,
}

/// Elements in columns.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Columns {
    /// How many times a product may have been rounded to f16 before it was accumulated in f32.
    f16_roundings: u32,
    /// Maximum offset of unsigned integer weights, which was accumulated and subtracted again.
    weight_excess: u32,
    /// Number of elements per window, first window first.
    per_window: Vec<usize>,
    /// Row of each element.
    row: Vec<u64>,
    /// Column of each element.
    column: Vec<u64>,
    /// Value of each element: the shortest decimal number that gives this f32.
    value: Vec<f64>,
}

impl From<Elements> for Columns {
    fn from(from: Elements) -> Columns {
        let all = &from.elements;
        let shortest = |value: f32| value.to_string().parse().unwrap_or(f64::from(value));
        let windows = all.iter().map(|e| e.window as usize + 1).max().unwrap_or(0);
        let mut per_window = vec![0; windows];
        all.iter().for_each(|element| per_window[element.window as usize] += 1);
        Columns {
            f16_roundings: from.f16_roundings,
            weight_excess: from.weight_excess,
            per_window,
            row: all.iter().map(|e| e.row).collect(),
            column: all.iter().map(|e| e.column).collect(),
            value: all.iter().map(|e| shortest(e.value)).collect(),
        }
    }
}

impl TryFrom<Columns> for Elements {
    type Error = &'static str;

    fn try_from(from: Columns) -> Result<Elements, &'static str> {
        let Columns { per_window, row, column, value, .. } = &from;
        let n = row.len();
        let counted = per_window.iter().try_fold(0usize, |sum, count| sum.checked_add(*count));
        if [column.len(), value.len()] != [n; 2] || counted != Some(n) {
            return Err("the columns are not of one length, or not so many for each window");
        }
        let windows = (0u32..).zip(per_window);
        let windows = windows.flat_map(|(window, count)| std::iter::repeat_n(window, *count));
        let element = |(i, window)| Element {
            window,
            row: row[i],
            column: column[i],
            value: value[i] as f32,
        };
        Ok(Elements {
            f16_roundings: from.f16_roundings,
            weight_excess: from.weight_excess,
            elements: windows.enumerate().map(element).collect(),
        })
    }
}

impl Elements {
    /// Recomputes elements of a product with these operands: one, or as many as have no more than `most_terms` terms in total, spread
    /// over the windows. Each of the `windows` windows must have an element.
    pub(super) fn judge(&self, operands: &Operands, windows: usize, most_terms: u64) -> Verdict {
        let wrong = |what: String| Verdict::Disagrees(what);
        if self.f16_roundings > MAX_F16_ROUNDINGS || self.weight_excess > MAX_EXCESS {
            return wrong(format!(
                "{} roundings to f16 and weights larger by {} would let anything pass",
                self.f16_roundings, self.weight_excess
            ));
        }
        let has_element = |window: usize| self.elements.iter().any(|e| e.window as usize == window);
        if let Some(window) = (0..windows).find(|&window| !has_element(window)) {
            return wrong(format!("window {} shows no element", window + 1));
        }
        let Shape { m, n, k } = operands.shape;
        let rounding = Rounding {
            terms: k,
            f16_roundings: self.f16_roundings,
            weight_excess: self.weight_excess,
        };
        let mut verdict = Verdict::NOTHING;
        let affordable = usize::try_from(most_terms / k as u64).unwrap_or(usize::MAX);
        // One element of a moderate length is computed even where there is no time for it.
        let affordable = affordable.max(usize::from(k <= MAX_QUICK_TERMS));
        let every = self.elements.len().div_ceil(affordable.max(1));
        for (i, &Element { window, row, column, value }) in self.elements.iter().enumerate() {
            if row >= m as u64 || column >= n as u64 || window as usize >= windows {
                return wrong(format!(
                    "element ({row}, {column}) of window {} is none of this row",
                    window + 1
                ));
            }
            // A column that does not fit in memory is not recomputed, even with --deep.
            if affordable == 0 || i % every != 0 || k > MAX_TERMS {
                continue;
            }
            let operands = operands.in_window(window);
            let (a, b) = (operands.a.line(row as usize), operands.b.line(column as usize));
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
