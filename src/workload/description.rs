//! A workload in results: its kind, its shape as numbers, and its arithmetic intensity.

use crate::units::Unit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kind of workload.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[derive(strum::IntoStaticStr, strum::Display)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Id {
    /// Bitcoin mining: double SHA-256 of block headers.
    Sha256d,
    /// Matrix-matrix product: many rows of activations.
    Gemm,
    /// Matrix-vector product: one row of activations.
    Gemv,
    /// A language model processes the tokens of prompts.
    Prefill,
    /// A language model generates tokens.
    Decode,
    /// Roofline ceiling: peak compute, multiplying from registers.
    Peak,
    /// Roofline ceiling: memory bandwidth, reading.
    Stream,
}

impl Id {
    /// Whether it measures a roofline ceiling of the device, which is not useful work.
    pub fn is_ceiling(self) -> bool {
        matches!(self, Id::Peak | Id::Stream)
    }

    /// Whether it runs a language model.
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

    /// Unit of work.
    pub(super) fn unit(self) -> Unit {
        match self {
            Id::Sha256d => Unit::Hash,
            Id::Gemm | Id::Gemv | Id::Peak => Unit::Flop,
            Id::Prefill | Id::Decode => Unit::Token,
            Id::Stream => Unit::Byte,
        }
    }
}

/// The workload of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Description {
    /// Kind of workload.
    pub id: Id,
    /// Spec as on the command line: `gemm:64x64x64:f32`. For a model in a file it has the file's name without its folder.
    pub spec: String,
    /// Unit of work. The tokens of `prefill` are prompt tokens, those of `decode` generated ones.
    pub unit: Unit,
    /// Shape of the workload.
    pub shape: Shape,
    /// Arithmetic intensity; null if the workload is neither compute- nor bandwidth-bound.
    pub intensity: Option<Intensity>,
}

/// A workload's shape; members that do not apply to its kind are absent.
#[serde_with::apply(Option => #[serde(default, skip_serializing_if = "Option::is_none")])]
#[derive(
    Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Shape {
    /// Rows of activations (A) and of the product.
    pub m: Option<u64>,
    /// Columns of the weights (B) and of the product.
    pub n: Option<u64>,
    /// Terms of each dot product.
    pub k: Option<u64>,
    /// Storage type of weights: `f32`, `f16`, `int8` or `int4`; absent for a model in a file, which has its own types.
    #[serde(rename = "type")]
    pub weights: Option<String>,
    /// Storage type of activations.
    pub activations: Option<String>,
    /// Operand in column-major order: `a` or `b`.
    pub transpose: Option<String>,
    /// Model layer that the spec named: `llama-3-8b/ffn-up`.
    pub layer: Option<String>,
    /// Model: a preset's name, or the name of its file.
    pub model: Option<String>,
    /// SHA-256 of the model's file; absent for seeded weights.
    pub model_sha256: Option<String>,
    /// Batch size in sequences.
    pub batch: Option<u64>,
    /// Prompt tokens per sequence.
    pub prompt: Option<u64>,
    /// Maximum tokens per sequence, prompt and answer together.
    pub context: Option<u64>,
    /// Arithmetic of a peak compute ceiling: `f32`, `f16`, `dot4` or `matrix`.
    pub arithmetic: Option<String>,
}

/// Arithmetic intensity: the minimum operations and bytes per unit of work.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intensity {
    /// Operations per unit of work.
    pub operations_per_unit: f64,
    /// Bytes read and written per unit of work.
    pub bytes_per_unit: f64,
    /// Whether the bytes must come from memory: the data read before any of it is read again exceeds the last-level cache.
    pub from_memory: bool,
}
