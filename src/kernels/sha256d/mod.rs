//! SHA-256's constants, and the generated double hash: its terms for a header are computed here, its steps by the kernels.

mod program;

pub use program::{INITIAL, K, Program};

use program::Word;

/// SHA-256's rotation counts, in the order in which the host uploads them.
pub const ROTATIONS: [u32; 10] = [2, 13, 22, 6, 11, 25, 7, 18, 17, 19];

/// The fixed words of a header: the midstate, which is the state after its first 64 bytes, and the three words of the second block before
/// the nonce.
#[derive(Clone, Copy, Debug)]
pub struct HeaderWords {
    /// State after the first 64 bytes.
    pub midstate: [u32; 8],
    /// Words 16, 17 and 18 of the header: end of the merkle root, time, bits.
    pub tail: [u32; 3],
}

impl Program {
    /// The header's values of some terms, in their order: of `round_terms`, or of `schedule_terms`, which are the same for every version
    /// of a header.
    pub fn values(&self, terms: &[usize], header: &HeaderWords) -> Vec<u32> {
        let mut values = [&header.midstate[..], &header.tail].concat();
        for term in &self.terms[values.len()..] {
            values.push(term.eval(|word| match word {
                Word::Known(c) => c,
                Word::Term(i) => values[i],
                Word::Let(_) => unreachable!("a term never depends on the nonce"),
            }));
        }
        terms.iter().map(|&i| values[i]).collect()
    }
}
