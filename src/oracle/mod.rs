//! Independent references. Nothing here shares code with a kernel: hashes come from the `sha2` crate, products
//! from `ndarray` in f64.

pub mod blocks;
pub mod decoder;
pub mod matmul;
pub mod sha256d;

/// What an oracle says of an output.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Every element that was looked at is right.
    Agrees {
        /// Outputs that were compared.
        checked: u64,
        /// The largest error as a share of what rounding may explain; 0 where outputs are exact.
        worst: f64,
    },
    /// Something is wrong; it says what.
    Disagrees(String),
}

impl Verdict {
    /// Nothing was looked at, and nothing is wrong.
    pub const NOTHING: Verdict = Verdict::Agrees { checked: 0, worst: 0.0 };

    /// Both verdicts together: any disagreement stands.
    pub fn and(self, other: Verdict) -> Verdict {
        match (self, other) {
            (
                Verdict::Agrees { checked: a, worst: x },
                Verdict::Agrees { checked: b, worst: y },
            ) => Verdict::Agrees { checked: a + b, worst: x.max(y) },
            (disagrees @ Verdict::Disagrees(_), _) | (_, disagrees) => disagrees,
        }
    }
}
