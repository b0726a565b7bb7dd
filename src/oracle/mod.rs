//! Independent references that share no code with a kernel: hashes from the `sha2` crate, products in f64 from `ndarray`.

pub mod blocks;
pub mod decoder;
pub mod matmul;
pub mod sha256d;

/// An oracle's verdict on an output.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Every compared element is right.
    Agrees {
        /// Number of compared outputs.
        checked: u64,
        /// Largest error as a share of the rounding error bound; 0 for exact outputs.
        worst: f64,
    },
    /// Something is wrong; the text says what.
    Disagrees(String),
}

impl Verdict {
    /// Nothing was compared, and nothing is wrong.
    pub const NOTHING: Verdict = Verdict::Agrees { checked: 0, worst: 0.0 };

    /// Combines two verdicts: any disagreement wins.
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
