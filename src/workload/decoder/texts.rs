//! What a decoder is measured on, prompts and forced tokens as functions of the seed, and how far its logits may be off.

use crate::seed::{Seed, mix};
use std::ops::Range;

/// Maximum error of a logit, relative to the root mean square of the logits: the KV cache is f16, which has 11 bits, and its rounding
/// goes through all layers.
pub(super) const BOUND: f64 = 0.02;

/// Prompts and the forced tokens of windows, as functions of the seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts {
    pub(super) seed: Seed,
    pub(super) vocabulary: usize,
}

impl Texts {
    /// The first tokens of the prompts of some sequences.
    pub(super) fn prompts(&self, sequences: Range<usize>, length: usize) -> Vec<Vec<u32>> {
        let token = |s, i| self.token(&format!("prompt {s}"), i as u64);
        sequences.map(|s| (0..length).map(|i| token(s, i)).collect()).collect()
    }

    /// A sequence's forced token of a window: after its prompt (decode), or instead of its first token (prefill).
    pub(super) fn forced(&self, sequence: usize, window: u32) -> u32 {
        self.token(&format!("told {sequence}"), window.into())
    }

    fn token(&self, name: &str, index: u64) -> u32 {
        (mix(self.seed.key(name), index) % self.vocabulary as u64) as u32
    }
}
