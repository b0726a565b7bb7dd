//! What shows that work was done, in the document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What shows that work was done. It does not show when, where, how fast or at what joules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum WorkProof {
    /// Of sha256d: hashes that met a target.
    Shares(Shares),
    /// Of a matrix product: elements of it. They show that it is right, not how often it was computed.
    Elements(Elements),
    /// Of tokens: some that windows put out.
    Answers(Answers),
}

/// Hashes that met a target. One in 2^zero_bits does, so their number shows how many were computed. A header's bytes:
/// version 0x20000000, exclusive or the share's `version` shifted left by 13; 32 zero bytes; SHA-256 of the row's seed
/// and `header N`; N; 0x1d00ffff; the nonce. Numbers are little-endian, 4 bytes. The row's seed is SHA-256 of the run's seed
/// and `DEVICE WORKLOAD` as the row has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shares {
    /// Zero bits that a share's hash begins with.
    pub zero_bits: u32,
    /// Versions of the header in which every word was hashed.
    pub versions: u32,
    /// What the windows scanned, in order; between blocks the warm-up scans on.
    pub stretches: Vec<Stretch>,
    /// Every share of the stretches.
    pub shares: Vec<Share>,
}

/// A part of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stretch {
    /// Where it begins.
    pub from: Place,
    /// The place after its last.
    pub to: Place,
}

/// A place in the scan: header after header, and of each the words 0 to 2^32 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// Index of the header.
    pub header: u64,
    /// The nonce with its bytes swapped, as the hash reads it.
    pub word: u32,
}

/// A hash that met the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// Index of the header.
    pub header: u64,
    /// Its version.
    pub version: u32,
    /// The nonce.
    pub nonce: u32,
}

/// Elements of C = A·B that windows put out. The values of A and B follow from the row's seed, which is SHA-256 of the run's
/// seed and `DEVICE WORKLOAD` as the row has them. A tensor's key is the first 8 bytes of SHA-256 of the row's seed and the
/// tensor's name; element i adds the four 16-bit parts of SplitMix64's output for key and i, less 131070, over 37837.227.
/// A's index is m·K + k, B's k·N + n; the first 16 terms of A's rows are of the tensor `A in window W`. Integer types round
/// 48 (int8) or 3 (int4) times the value; their scales, one for 32 terms, are 1 and an eighth of tensor `A, scales` or
/// `B, scales`, over 48 or 3, in f16.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Elements {
    /// How often a product may have been rounded to f16 on its way into the sum, which is otherwise in f32.
    pub f16_roundings: u32,
    /// By how much weights may have been added up larger than they are, which was taken off again: unsigned integers.
    pub weight_excess: u32,
    /// The elements, some of each window.
    pub elements: Vec<Element>,
}

/// An element of C.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Element {
    /// The window, from 0.
    pub window: u32,
    /// Its row.
    pub row: u64,
    /// Its column.
    pub column: u64,
    /// Its value, an f32.
    pub value: f64,
}

/// Tokens of the first sequence: of each window those that came first. They show that the model answers so, not how often it
/// was asked. A token that follows from the seed is SplitMix64's output for a key and an index, modulo the vocabulary; the
/// key is the first 8 bytes of SHA-256 of the row's seed and a name. Token i of the prompt has the name `prompt 0`; in window
/// W the sequence is told token W of `told 0`: of `prefill` in place of the prompt's first token, of `decode` after the
/// prompt. What it put out then comes first in the logits, or so near the first that rounding may decide. Weights of a model
/// that is known by name are elements as of a product's tensors, whose names are those of the tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answers {
    /// One for each window.
    pub answers: Vec<Answer>,
}

/// What a window put out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The window, from 0.
    pub window: u32,
    /// Up to 16 tokens.
    pub tokens: Vec<u32>,
}
