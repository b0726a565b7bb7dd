//! What was run, as results have it: the workload as a type, its shape as numbers, and what a unit of its work must compute and
//! move.

use crate::units::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A kind of workload.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Id {
    /// Double SHA-256 of block headers.
    Sha256d,
    /// A matrix product with many rows of activations.
    Gemm,
    /// A matrix product with one row of activations.
    Gemv,
    /// Tokens of prompts are read.
    Prefill,
    /// Tokens of answers are written.
    Decode,
    /// As many multiplications as the device can do, from registers.
    Peak,
    /// As many bytes as the device can read from memory.
    Stream,
}

impl Id {
    /// As the command line writes it.
    pub fn name(self) -> &'static str {
        match self {
            Id::Sha256d => "sha256d",
            Id::Gemm => "gemm",
            Id::Gemv => "gemv",
            Id::Prefill => "prefill",
            Id::Decode => "decode",
            Id::Peak => "peak",
            Id::Stream => "stream",
        }
    }

    /// Whether it measures a limit of the device rather than work that anyone pays for.
    pub fn is_ceiling(self) -> bool {
        matches!(self, Id::Peak | Id::Stream)
    }

    /// Whether a language model does it.
    pub fn has_model(self) -> bool {
        matches!(self, Id::Prefill | Id::Decode)
    }

    /// Whether its kernels multiply, in some arithmetic.
    pub fn multiplies(self) -> bool {
        !matches!(self, Id::Sha256d | Id::Stream)
    }

    /// Whether it is a matrix product.
    pub fn is_product(self) -> bool {
        matches!(self, Id::Gemm | Id::Gemv)
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// The kind.
    pub id: Id,
    /// As the command line writes it: `gemm:64x64x64:f32`. Of a model in a file it has the file's name, without its folder.
    pub spec: String,
    /// The unit of its work. Of `prefill` tokens are read, of `decode` written.
    pub unit: Unit,
    /// Its shape.
    pub shape: Shape,
    /// What a unit of its work must at least compute and move; null if it is no matter of that.
    pub intensity: Option<Intensity>,
}

/// A workload's shape: the members that its kind has.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Shape {
    /// Rows of activations and of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub m: Option<u64>,
    /// Columns of the weights and of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
    /// Terms of each sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub k: Option<u64>,
    /// How weights are stored, `f32`, `f16`, `int8` or `int4`; of a model in a file its own types, and this is absent.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// How activations are stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activations: Option<String>,
    /// The operand that is stored column by column: `a` or `b`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transpose: Option<String>,
    /// The layer of a model that the shape was asked for as, `llama-3-8b/ffn-up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// The model: a preset's name, or the name of its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// SHA-256 of the model's file; absent if its weights follow from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_sha256: Option<String>,
    /// Sequences at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u64>,
    /// Tokens of a prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<u64>,
    /// Tokens of a prompt and its answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<u64>,
    /// The arithmetic that a ceiling is of: `f32`, `f16`, `dot4` or `matrix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arithmetic: Option<String>,
}

/// What a unit of work must at least compute, read and write.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intensity {
    /// Operations for a unit of work.
    pub operations_per_unit: f64,
    /// Bytes for a unit of work.
    pub bytes_per_unit: f64,
    /// Whether they must come from memory, since more than a cache holds is read before the same again.
    pub from_memory: bool,
}
