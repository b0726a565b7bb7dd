//! Decoder models of the Llama family: their figures, and their tensors one at a time. A model is a preset filled from a
//! seed, or a GGUF file.

mod features;
mod figures;
mod foreign;
mod format;
mod gguf;
mod header;
mod kind;
mod presets;
mod seeded;
mod text;

pub use gguf::Gguf;
pub use presets::{LAYERS, PRESETS, Preset};
pub use seeded::{Seeded, Type};
pub use text::Tokenizer;

use half::f16;
use std::fmt;

/// Weights of a row that share a scale in an integer type.
pub const GROUP: usize = 32;

/// Why a model cannot be had. One line; says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(pub String);

/// A model's figures, under the names of this field.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Decoder blocks.
    pub layers: usize,
    /// Elements of the residual stream (`hidden_size`).
    pub width: usize,
    /// Elements between the feed-forward matrices (`intermediate_size`).
    pub inner: usize,
    /// Heads of queries.
    pub heads: usize,
    /// Heads of keys and of values; `heads / kv_heads` neighbouring heads of queries share one.
    pub kv_heads: usize,
    /// Elements of a head.
    pub head_size: usize,
    /// Tokens that there are.
    pub vocabulary: usize,
    /// Tokens of the longest text that it was made for.
    pub context: usize,
    /// Rotation of queries and keys.
    pub rope: Rope,
    /// What is added to the mean square before its root is taken.
    pub norm_epsilon: f32,
    /// Whether the head is the embedding.
    pub tied: bool,
    /// Whether queries, keys and values have a bias, as in Qwen2.5.
    pub qkv_bias: bool,
}

/// Rotation of queries and keys: pair i of a head at position p turns by p · base^(-2i / head_size) / factors\[i\].
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// What the frequencies are powers of.
    pub base: f32,
    /// Which elements turn together.
    pub pairs: Pairs,
    /// Divisors of the frequencies, `head_size / 2` of them, as in Llama 3.2.
    pub factors: Option<Vec<f32>>,
}

/// Which elements of a head turn together. llama.cpp stores Llama's queries and keys so that neighbours turn together;
/// Qwen's turn at half a head's distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// 2i and 2i + 1.
    Neighbours,
    /// i and i + `head_size / 2`.
    Halves,
}

/// One tensor of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tensor {
    /// A row for each token.
    Embedding,
    /// Scales of the last normalization, a vector.
    Norm,
    /// From the residual stream to a logit for each token; the embedding itself in a tied model.
    Head,
    /// A part of a decoder block.
    Layer(usize, Part),
}

/// A tensor of a decoder block. Norms and biases are vectors, all else matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Scales of the normalization before attention.
    AttentionNorm,
    /// To all heads of queries, head after head.
    Query,
    /// To all heads of keys.
    Key,
    /// To all heads of values.
    Value,
    /// Added to the queries.
    QueryBias,
    /// Added to the keys.
    KeyBias,
    /// Added to the values.
    ValueBias,
    /// From all heads back to the residual stream.
    Output,
    /// Scales of the normalization before the feed-forward part.
    InnerNorm,
    /// The half of the first feed-forward matrix that goes through SiLU.
    Gate,
    /// The half that the gate is multiplied with.
    Up,
    /// Back to the residual stream.
    Down,
}

impl Part {
    /// All of them, in the order in which a block uses them.
    pub const ALL: [Part; 12] = [
        Part::AttentionNorm,
        Part::Query,
        Part::Key,
        Part::Value,
        Part::QueryBias,
        Part::KeyBias,
        Part::ValueBias,
        Part::Output,
        Part::InnerNorm,
        Part::Gate,
        Part::Up,
        Part::Down,
    ];

    fn is_bias(self) -> bool {
        matches!(self, Part::QueryBias | Part::KeyBias | Part::ValueBias)
    }

    /// Whether it is a matrix rather than a vector.
    pub fn is_matrix(self) -> bool {
        !self.is_bias() && !matches!(self, Part::AttentionNorm | Part::InnerNorm)
    }
}

impl Tensor {
    /// Whether it is a matrix rather than a vector.
    pub fn is_matrix(self) -> bool {
        match self {
            Tensor::Embedding | Tensor::Head => true,
            Tensor::Norm => false,
            Tensor::Layer(_, part) => part.is_matrix(),
        }
    }
}

/// A name that tells tensors apart: `embedding`, `layer 3 query bias`. Seeded weights follow from it.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (layer, part) = match self {
            Tensor::Embedding => return f.write_str("embedding"),
            Tensor::Norm => return f.write_str("norm"),
            Tensor::Head => return f.write_str("head"),
            Tensor::Layer(layer, part) => (layer, part),
        };
        let part = match part {
            Part::AttentionNorm => "attention norm",
            Part::Query => "query",
            Part::Key => "key",
            Part::Value => "value",
            Part::QueryBias => "query bias",
            Part::KeyBias => "key bias",
            Part::ValueBias => "value bias",
            Part::Output => "output",
            Part::InnerNorm => "inner norm",
            Part::Gate => "gate",
            Part::Up => "up",
            Part::Down => "down",
        };
        write!(f, "layer {layer} {part}")
    }
}

impl Config {
    /// Outputs and inputs of a matrix; a vector has one input.
    pub fn shape(&self, tensor: Tensor) -> (usize, usize) {
        let (queries, keys) = (self.heads * self.head_size, self.kv_heads * self.head_size);
        match tensor {
            Tensor::Embedding | Tensor::Head => (self.vocabulary, self.width),
            Tensor::Norm => (self.width, 1),
            Tensor::Layer(_, part) => match part {
                Part::AttentionNorm | Part::InnerNorm => (self.width, 1),
                Part::Query => (queries, self.width),
                Part::Key | Part::Value => (keys, self.width),
                Part::QueryBias => (queries, 1),
                Part::KeyBias | Part::ValueBias => (keys, 1),
                Part::Output => (self.width, queries),
                Part::Gate | Part::Up => (self.inner, self.width),
                Part::Down => (self.width, self.inner),
            },
        }
    }

    /// Every tensor of the model once: the embedding, the blocks in order, the last norm, and the head if it is its own.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let parts = Part::ALL.into_iter().filter(|part| self.qkv_bias || !part.is_bias());
        let parts: Vec<Part> = parts.collect();
        let blocks = (0..self.layers).flat_map(move |layer| {
            parts.clone().into_iter().map(move |part| Tensor::Layer(layer, part))
        });
        let head = if self.tied { None } else { Some(Tensor::Head) };
        [Tensor::Embedding].into_iter().chain(blocks).chain([Tensor::Norm]).chain(head)
    }

    /// Weights that every token is multiplied with, the head included: half the operations of a token but for attention.
    pub fn matmul_weights(&self) -> u64 {
        let own = self
            .tensors()
            .filter(|t| t.is_matrix() && !matches!(t, Tensor::Embedding | Tensor::Head));
        own.chain([Tensor::Head]).map(|tensor| self.weights(tensor)).sum()
    }

    /// Elements of a tensor.
    pub fn weights(&self, tensor: Tensor) -> u64 {
        let (rows, columns) = self.shape(tensor);
        rows as u64 * columns as u64
    }

    /// Bytes of keys and values that a token leaves behind in all layers, stored as f16.
    pub fn kv_bytes(&self) -> u64 {
        let elements = self.layers as u64 * 2 * self.kv_heads as u64 * self.head_size as u64;
        elements * size_of::<f16>() as u64
    }
}

/// A matrix: `rows` outputs, each with `columns` weights, one for each input; row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub columns: usize,
    /// The weights as they are stored.
    pub values: Values,
}

/// Weights. Integer ones have a scale for each [`GROUP`] of a row (columns are multiples of it), group after group in the
/// order of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// As they are.
    F32(Vec<f32>),
    /// As they are.
    F16(Vec<f16>),
    /// w = scale · value, as GGUF's Q8_0.
    Int8 {
        /// One for each weight.
        values: Vec<i8>,
        /// One for each group.
        scales: Vec<f16>,
    },
    /// w = scale · (nibble − 8) as GGUF's Q4_0, or with offsets w = scale · nibble + offset as Q4_1.
    Int4 {
        /// Two weights a byte in the order of terms, the low nibble first.
        values: Vec<u8>,
        /// One for each group.
        scales: Vec<f16>,
        /// One for each group.
        offsets: Option<Vec<f16>>,
    },
}

impl Matrix {
    /// Bytes of its weights, scales and offsets.
    pub fn bytes(&self) -> u64 {
        let bytes = match &self.values {
            Values::F32(values) => size_of_val(&values[..]),
            Values::F16(values) => size_of_val(&values[..]),
            Values::Int8 { values, scales } => values.len() + size_of_val(&scales[..]),
            Values::Int4 { values, scales, offsets } => {
                values.len() + size_of_val(&scales[..]) + offsets.as_deref().map_or(0, size_of_val)
            }
        };
        bytes as u64
    }

    /// The weights of a row in f32, exact but for the rounding where an offset is added: a token's embedding.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn dequantised_row(&self, row: usize) -> Vec<f32> {
        assert!(row < self.rows, "row {row} of a matrix that has {}", self.rows);
        let terms = row * self.columns..(row + 1) * self.columns;
        match &self.values {
            Values::F32(values) => values[terms].to_vec(),
            Values::F16(values) => values[terms].iter().map(|v| v.to_f32()).collect(),
            Values::Int8 { values, scales } => {
                terms.map(|i| scales[i / GROUP].to_f32() * f32::from(values[i])).collect()
            }
            Values::Int4 { values, scales, offsets } => {
                let weight = |i: usize| {
                    let nibble = f32::from(values[i / 2] >> (4 * (i % 2)) & 15);
                    let scale = scales[i / GROUP].to_f32();
                    match offsets {
                        Some(offsets) => scale * nibble + offsets[i / GROUP].to_f32(),
                        None => scale * (nibble - 8.0),
                    }
                };
                terms.map(weight).collect()
            }
        }
    }
}

/// Where tensors come from: a file or a seed. One at a time, so that the host need not hold a model.
pub trait Weights {
    /// The model's figures.
    fn config(&self) -> &Config;

    /// Bytes of a tensor as it is stored.
    fn bytes_of(&self, tensor: Tensor) -> u64;

    /// Bytes of all its tensors as they are stored; a tied head counts once.
    fn bytes(&self) -> u64 {
        self.config().tensors().map(|tensor| self.bytes_of(tensor)).sum()
    }

    /// A matrix in the shape that [`Config::shape`] gives; of a tied model the embedding is also its head.
    ///
    /// # Errors
    /// If the file no longer holds it.
    ///
    /// # Panics
    /// If the model has no such matrix.
    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError>;

    /// A vector: the scales of a norm, or a bias.
    ///
    /// # Errors
    /// If the file no longer holds it.
    ///
    /// # Panics
    /// If the model has no such vector.
    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError>;
}
