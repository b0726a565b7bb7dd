//! Decoder-only models of the Llama family: their hyperparameters, and their tensors one at a time. A model is a preset with seeded
//! weights, or a GGUF file.

mod features;
mod figures;
mod foreign;
mod format;
mod gguf;
mod header;
mod kind;
mod presets;
mod seeded;
#[cfg(feature = "tokenizer")]
mod text;

pub use gguf::Gguf;
pub use presets::{LAYERS, PRESETS, Preset};
pub use seeded::{Seeded, Type};
#[cfg(feature = "tokenizer")]
pub use text::Tokenizer;

use half::f16;
use std::fmt;

/// Weights of a row that share a scale in an integer type: the block size of Q8_0, Q4_0 and Q4_1.
pub const GROUP: usize = 32;

/// Why a model cannot be used, in one line that says how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ModelError(pub String);

/// A model's hyperparameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Decoder blocks (`num_hidden_layers`).
    pub layers: usize,
    /// Elements of the residual stream (`hidden_size`).
    pub hidden_size: usize,
    /// Elements of the feed-forward layer (`intermediate_size`).
    pub intermediate_size: usize,
    /// Query heads (`num_attention_heads`).
    pub heads: usize,
    /// Key/value heads (`num_key_value_heads`); `heads / kv_heads` consecutive query heads share one (grouped-query attention).
    pub kv_heads: usize,
    /// Elements of a head (`head_dim`).
    pub head_dim: usize,
    /// Tokens in the vocabulary (`vocab_size`).
    pub vocab_size: usize,
    /// Maximum context in tokens (`max_position_embeddings`).
    pub context: usize,
    /// Rotary position embedding.
    pub rope: Rope,
    /// Added to the mean square in RMSNorm (`rms_norm_eps`).
    pub rms_norm_eps: f32,
    /// Whether the LM head shares the embedding's weights (`tie_word_embeddings`).
    pub tie_word_embeddings: bool,
    /// Whether the Q, K and V projections have a bias, as in Qwen2.5.
    pub qkv_bias: bool,
}

/// Rotary position embedding (RoPE): rotates pair i of a head at position p by p · base^(-2i / head_size) / factors\[i\].
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    /// Base of the frequencies (`rope_theta`).
    pub base: f32,
    /// Which elements of a head form a pair.
    pub pairs: Pairs,
    /// Frequency divisors, `head_size / 2` of them, as in Llama 3.2; `None` means 1.
    pub factors: Option<Vec<f32>>,
}

/// Which elements of a head RoPE rotates together. llama.cpp stores Llama's Q and K weights so that adjacent elements form a pair; Qwen's
/// pairs are half a head apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pairs {
    /// 2i and 2i + 1 (llama.cpp: NORM).
    Neighbours,
    /// i and i + `head_size / 2` (llama.cpp: NEOX).
    Halves,
}

/// One tensor of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tensor {
    /// Token embedding: one row per token.
    Embedding,
    /// Weight of the final RMSNorm, a vector.
    Norm,
    /// LM head: from the residual stream to one logit per token; the embedding itself if tied.
    Head,
    /// A tensor of a decoder block, by layer.
    Layer(usize, Part),
}

/// A tensor of a decoder block. Norms and biases are vectors, all others matrices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Weight of the RMSNorm before attention.
    AttentionNorm,
    /// Q projection, head after head.
    Query,
    /// K projection.
    Key,
    /// V projection.
    Value,
    /// Bias of the Q projection.
    QueryBias,
    /// Bias of the K projection.
    KeyBias,
    /// Bias of the V projection.
    ValueBias,
    /// Attention output projection.
    Output,
    /// Weight of the RMSNorm before the feed-forward network.
    FfnNorm,
    /// SwiGLU gate projection: its output goes through SiLU.
    Gate,
    /// SwiGLU up projection: its output is multiplied by the gate's.
    Up,
    /// Down projection, back to the residual stream.
    Down,
}

impl Part {
    /// Every part, in the order in which a block uses them.
    pub const ALL: [Part; 12] = [
        Part::AttentionNorm,
        Part::Query,
        Part::Key,
        Part::Value,
        Part::QueryBias,
        Part::KeyBias,
        Part::ValueBias,
        Part::Output,
        Part::FfnNorm,
        Part::Gate,
        Part::Up,
        Part::Down,
    ];

    fn is_bias(self) -> bool {
        matches!(self, Part::QueryBias | Part::KeyBias | Part::ValueBias)
    }

    /// Whether it is a matrix rather than a vector.
    pub fn is_matrix(self) -> bool {
        !self.is_bias() && !matches!(self, Part::AttentionNorm | Part::FfnNorm)
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

/// A tensor's unique name: `embedding`, `layer 3 query bias`. Seeded weights depend on it.
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
            Part::FfnNorm => "inner norm",
            Part::Gate => "gate",
            Part::Up => "up",
            Part::Down => "down",
        };
        write!(f, "layer {layer} {part}")
    }
}

impl Config {
    /// (outputs, inputs) of a matrix; a vector has one input.
    pub fn shape(&self, tensor: Tensor) -> (usize, usize) {
        let (queries, keys) = (self.heads * self.head_dim, self.kv_heads * self.head_dim);
        match tensor {
            Tensor::Embedding | Tensor::Head => (self.vocab_size, self.hidden_size),
            Tensor::Norm => (self.hidden_size, 1),
            Tensor::Layer(_, part) => match part {
                Part::AttentionNorm | Part::FfnNorm => (self.hidden_size, 1),
                Part::Query => (queries, self.hidden_size),
                Part::Key | Part::Value => (keys, self.hidden_size),
                Part::QueryBias => (queries, 1),
                Part::KeyBias | Part::ValueBias => (keys, 1),
                Part::Output => (self.hidden_size, queries),
                Part::Gate | Part::Up => (self.intermediate_size, self.hidden_size),
                Part::Down => (self.hidden_size, self.intermediate_size),
            },
        }
    }

    /// Every tensor of the model once: the embedding, the blocks in order, the final norm, and the head unless it is tied.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> {
        let parts = Part::ALL.into_iter().filter(|part| self.qkv_bias || !part.is_bias());
        let parts: Vec<Part> = parts.collect();
        let blocks = (0..self.layers).flat_map(move |layer| {
            parts.clone().into_iter().map(move |part| Tensor::Layer(layer, part))
        });
        let head = if self.tie_word_embeddings { None } else { Some(Tensor::Head) };
        [Tensor::Embedding].into_iter().chain(blocks).chain([Tensor::Norm]).chain(head)
    }

    /// Weights in a token's matrix products, including the head: half of a token's FLOP except for attention.
    pub fn matmul_weights(&self) -> u64 {
        let in_layers = self
            .tensors()
            .filter(|t| t.is_matrix() && !matches!(t, Tensor::Embedding | Tensor::Head));
        in_layers.chain([Tensor::Head]).map(|tensor| self.weights(tensor)).sum()
    }

    /// Elements of a tensor.
    pub fn weights(&self, tensor: Tensor) -> u64 {
        let (rows, columns) = self.shape(tensor);
        rows as u64 * columns as u64
    }

    /// KV cache bytes per token over all layers, in f16.
    pub fn kv_bytes(&self) -> u64 {
        let elements = self.layers as u64 * 2 * self.kv_heads as u64 * self.head_dim as u64;
        elements * size_of::<f16>() as u64
    }
}

/// A row-major matrix: `rows` outputs with `columns` weights each, one per input.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub columns: usize,
    /// The weights as stored.
    pub values: Values,
}

/// Weights in row-major order. Integer types have a scale per [`GROUP`] weights of a row; `columns` is a multiple of [`GROUP`].
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Unquantized.
    F32(Vec<f32>),
    /// Unquantized.
    F16(Vec<f16>),
    /// w = scale · value, as in GGUF's Q8_0.
    Int8 {
        /// One per weight.
        values: Vec<i8>,
        /// One per group.
        scales: Vec<f16>,
    },
    /// w = scale · (nibble − 8) as in GGUF's Q4_0, or with offsets w = scale · nibble + offset as in Q4_1.
    Int4 {
        /// Two weights per byte, low nibble first.
        values: Vec<u8>,
        /// One per group.
        scales: Vec<f16>,
        /// One per group.
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

    /// A row's weights in f32, exact except for rounding when an offset is added. Used for a token's embedding.
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

/// A source of a model's tensors: a file or a seed. Tensors come one at a time, so that the host need not hold the whole model.
pub trait Weights {
    /// The model's hyperparameters.
    fn config(&self) -> &Config;

    /// Bytes of a tensor as stored.
    fn bytes_of(&self, tensor: Tensor) -> u64;

    /// Bytes of all tensors as stored; tied weights count once.
    fn bytes(&self) -> u64 {
        self.config().tensors().map(|tensor| self.bytes_of(tensor)).sum()
    }

    /// A matrix of the shape [`Config::shape`]; the head of a tied model is its embedding.
    ///
    /// # Errors
    /// If the file can no longer be read.
    ///
    /// # Panics
    /// If the model has no such matrix.
    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError>;

    /// A vector: the weight of a norm, or a bias.
    ///
    /// # Errors
    /// If the file can no longer be read.
    ///
    /// # Panics
    /// If the model has no such vector.
    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError>;
}
