//! Writes the program as Rust, generic over vectors of words: `src/workload/sha256d/cpu/program.rs`.

use super::{Program, Step, Word};
use std::fmt::Write;

impl Program {
    /// The contents of `src/workload/sha256d/cpu/program.rs`.
    pub fn rust(&self) -> String {
        let mut steps = String::new();
        for (number, step) in self.steps.iter().enumerate() {
            let _ = writeln!(steps, "        let v{number} = {};", self.expression(step));
        }
        format!(
            "\
//! The double hash of a header, as far as it depends on the nonce, for vectors of nonces.
//! Written by src/kernels/sha256d/rust.rs; do not edit.

use super::lanes::Lanes;

/// Terms of a header.
pub(super) const TERMS: usize = {terms};

/// The last word of the double hash of each lane's word.
///
/// # Safety
/// The processor must have what `V` needs.
#[rustfmt::skip]
#[inline(always)]
pub(super) unsafe fn last_word<V: Lanes>(t: &[u32; TERMS], word: V) -> V {{
    // SAFETY: the caller vouches for V's instructions.
    unsafe {{
{steps}        v{last}
    }}
}}
",
            terms = self.used.len(),
            last = self.steps.len() - 1
        )
    }

    fn expression(&self, step: &Step) -> String {
        let text = |word: Word| match word {
            Word::Known(c) => format!("V::all({c:#010x})"),
            Word::Term(i) => {
                let slot = self.used.binary_search(&i).expect("the program reads this term");
                format!("V::all(t[{slot}])")
            }
            Word::Let(i) => format!("v{i}"),
        };
        match step {
            Step::Nonce => "word".to_string(),
            Step::Sum(words) => {
                // What is known first, then in the order of computing: the last to come is added last.
                let mut words = words.clone();
                words.sort_by_key(|word| if let Word::Let(i) = word { i + 1 } else { 0 });
                let (first, rest) = words.split_first().expect("a sum has words");
                let rest: String = rest.iter().map(|w| format!(".add({})", text(*w))).collect();
                text(*first) + &rest
            }
            Step::Sigma(sigma, x) => format!("{}.{}()", text(*x), sigma.name()),
            Step::Choose(e, f, g) => {
                format!("V::choose({}, {}, {})", text(*e), text(*f), text(*g))
            }
            Step::Majority(a, b, c) => {
                format!("V::majority({}, {}, {})", text(*a), text(*b), text(*c))
            }
            Step::Blend { mask, difference, base } => {
                format!("V::blend({}, {}, {})", text(*mask), text(*difference), text(*base))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_rust_is_what_the_program_writes() {
        let path = "src/workload/sha256d/cpu/program.rs";
        super::super::assert_committed(path, &Program::new().rust());
    }
}
