//! Elements of a product that go into the record, and how a stranger computes them again from the seed alone.

use super::Shape;
use super::data::Operands;
use crate::oracle::Verdict;
use crate::oracle::matmul::{Rounding, judge_element};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Elements of C = A·B that windows put out and a stranger can compute again. The values of A and B follow from the row's seed,
/// which is SHA-256 of the run's seed and `DEVICE WORKLOAD` as the row has them. A tensor's key is the first 8 bytes of SHA-256 of
/// the row's seed and the tensor's name; element i adds the four 16-bit parts of SplitMix64's output for key and i, less 131070,
/// over 37837.227. A's index is m·K + k, B's k·N + n; the first 16 terms of A's rows are of the tensor `A in window W`. Integer
/// types round 48 (int8) or 3 (int4) times the value; their scales, one for 32 terms, are 1 and an eighth of tensor `A, scales`
/// or `B, scales`, over 48 or 3, in f16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "Columns", try_from = "Columns")]
#[schemars(with = "Columns")]
pub struct Elements {
    /// How often a product may have been rounded to f16 on its way into the sum.
    pub f16_roundings: u32,
    /// By how much weights may have been added up larger than they are, which was taken off again.
    pub weight_excess: u32,
    /// The elements.
    pub elements: Vec<Element>,
}

/// Elements in columns, as results have them.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Columns {
    /// How often a product may have been rounded to f16 on its way into the sum, which is otherwise in f32.
    f16_roundings: u32,
    /// By how much weights may have been added up larger than they are, which was taken off again: unsigned integers.
    weight_excess: u32,
    /// How many of the elements are of each window, the first window's first.
    per_window: Vec<usize>,
    /// The row of each element.
    row: Vec<u64>,
    /// Its column.
    column: Vec<u64>,
    /// Its value: the shortest decimal number that is this f32.
    value: Vec<f64>,
}

impl From<Elements> for Columns {
    fn from(from: Elements) -> Columns {
        let all = &from.elements;
        let shortest = |value: f32| value.to_string().parse().unwrap_or(f64::from(value));
        let windows = all.iter().map(|e| e.window + 1).max().unwrap_or(0);
        let of = |window: u32| all.iter().filter(|e| e.window == window).count();
        Columns {
            f16_roundings: from.f16_roundings,
            weight_excess: from.weight_excess,
            per_window: (0..windows).map(of).collect(),
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
        let counted = per_window.iter().try_fold(0usize, |sum, of| sum.checked_add(*of));
        if [column.len(), value.len()] != [n; 2] || counted != Some(n) {
            return Err("the columns are not of one length, or not so many for each window");
        }
        let windows = (0u32..).zip(per_window);
        let window: Vec<u32> =
            windows.flat_map(|(window, of)| std::iter::repeat_n(window, *of)).collect();
        let of = |i: usize| Element {
            window: window[i],
            row: row[i],
            column: column[i],
            value: value[i] as f32,
        };
        Ok(Elements {
            f16_roundings: from.f16_roundings,
            weight_excess: from.weight_excess,
            elements: (0..n).map(of).collect(),
        })
    }
}

impl Elements {
    /// Computes elements of a product with these operands again: one, and as many as have no more than `most_terms` in all, spread
    /// over the windows. There must be one of each of `windows` windows.
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
        let affordable = usize::try_from(most_terms / k as u64).unwrap_or(usize::MAX).max(1);
        let every = self.elements.len().div_ceil(affordable);
        for (i, &Element { window, row, column, value }) in self.elements.iter().enumerate() {
            if row >= m as u64 || column >= n as u64 || window as usize >= windows {
                return wrong(format!(
                    "element ({row}, {column}) of window {} is none of this row",
                    window + 1
                ));
            }
            // A column that memory cannot hold is not computed however deep.
            if i % every != 0 || k > LONGEST_COLUMN {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Small products are sampled twice at one place, which then counts once.
    #[test]
    fn windows_may_show_different_numbers_of_elements() {
        let of = |window, row| Element { window, row, column: 2, value: 0.1 };
        let elements = vec![of(0, 1), of(0, 3), of(2, 5), of(3, 0), of(3, 1), of(3, 2)];
        let shown = Elements { f16_roundings: 1, weight_excess: 0, elements };
        let json = serde_json::to_string(&shown).unwrap();
        assert!(json.contains(r#""per_window":[2,0,1,3]"#) && json.contains("0.1,"), "{json}");
        assert_eq!(serde_json::from_str::<Elements>(&json).unwrap(), shown);
        for (own, other) in [("[2,0,1,3]", "[2,0,1,2]"), ("[2,0,1,3]", "[6,18446744073709551615]")]
        {
            let other = json.replace(own, other);
            assert!(serde_json::from_str::<Elements>(&other).is_err(), "{other}");
        }
    }
}
