//! Decoder-only models of the Llama family: their hyperparameters, and their tensors one at a time. A model is a preset with seeded
//! weights, or a GGUF file.

mod gguf;
mod matrix;
mod presets;
mod seeded;
mod types;

pub use gguf::Gguf;
#[cfg(feature = "tokenizer")]
pub use gguf::Tokenizer;
pub(crate) use matrix::Storage;
pub use matrix::{GROUP, Matrix, Values};
pub use presets::{LAYERS, PRESETS, Preset};
pub use seeded::Seeded;
pub use types::Type;

use half::f16;
use std::fmt;
use std::iter::once;
use std::ops::Range;

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

/// Every part in the order in which a block uses them, with its name in [`Tensor`]'s, on which seeded weights depend, and in GGUF files.
const PARTS: [(Part, &str, &str); 12] = [
    (Part::AttentionNorm, "attention norm", "attn_norm.weight"),
    (Part::Query, "query", "attn_q.weight"),
    (Part::Key, "key", "attn_k.weight"),
    (Part::Value, "value", "attn_v.weight"),
    (Part::QueryBias, "query bias", "attn_q.bias"),
    (Part::KeyBias, "key bias", "attn_k.bias"),
    (Part::ValueBias, "value bias", "attn_v.bias"),
    (Part::Output, "output", "attn_output.weight"),
    (Part::FfnNorm, "inner norm", "ffn_norm.weight"),
    (Part::Gate, "gate", "ffn_gate.weight"),
    (Part::Up, "up", "ffn_up.weight"),
    (Part::Down, "down", "ffn_down.weight"),
];

impl Part {
    /// Its name in GGUF files.
    fn gguf_name(self) -> &'static str {
        PARTS[self as usize].2
    }

    fn is_bias(self) -> bool {
        matches!(self, Part::QueryBias | Part::KeyBias | Part::ValueBias)
    }
}

impl Tensor {
    /// Whether it is a matrix rather than a vector.
    pub fn is_matrix(self) -> bool {
        match self {
            Tensor::Embedding | Tensor::Head => true,
            Tensor::Norm | Tensor::Layer(_, Part::AttentionNorm | Part::FfnNorm) => false,
            Tensor::Layer(_, part) => !part.is_bias(),
        }
    }
}

/// A tensor's unique name: `embedding`, `layer 3 query bias`. Seeded weights depend on it.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Tensor::Embedding => f.write_str("embedding"),
            Tensor::Norm => f.write_str("norm"),
            Tensor::Head => f.write_str("head"),
            Tensor::Layer(layer, part) => write!(f, "layer {layer} {}", PARTS[*part as usize].1),
        }
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
        let parts = PARTS.iter().map(|(part, ..)| *part);
        let parts = parts.filter(|part| self.qkv_bias || !part.is_bias());
        let blocks = (0..self.layers)
            .flat_map(move |layer| parts.clone().map(move |part| Tensor::Layer(layer, part)));
        let head = (!self.tie_word_embeddings).then_some(Tensor::Head);
        once(Tensor::Embedding).chain(blocks).chain([Tensor::Norm]).chain(head)
    }

    /// The tensor whose weights this one has: the embedding for the head of a tied model.
    pub(crate) fn stored(&self, tensor: Tensor) -> Tensor {
        match tensor {
            Tensor::Head if self.tie_word_embeddings => Tensor::Embedding,
            tensor => tensor,
        }
    }

    /// Weights in a token's matrix products, including the head: half of a token's FLOP except for attention.
    pub fn matmul_weights(&self) -> u64 {
        let layers = self.tensors().filter(|t| matches!(t, Tensor::Layer(..)) && t.is_matrix());
        layers.chain([Tensor::Head]).map(|tensor| self.weights(tensor)).sum()
    }

    /// RoPE: radians per position of each pair of a head.
    fn rope_frequencies(&self) -> Vec<f64> {
        let half = self.head_dim / 2;
        let frequency = |pair: usize| {
            let power = -(pair as f64) / half as f64;
            let factor = self.rope.factors.as_ref().map_or(1.0, |factors| factors[pair].into());
            f64::from(self.rope.base).powf(power) / factor
        };
        (0..half).map(frequency).collect()
    }

    /// RoPE: cosine and sine of each pair of a head, at each of these positions.
    pub(crate) fn rope_cos_sin(&self, positions: Range<usize>) -> Vec<Vec<(f32, f32)>> {
        let frequencies = self.rope_frequencies();
        let cos_sin = |angle: f64| (angle.cos() as f32, angle.sin() as f32);
        let pairs = |position| frequencies.iter().map(|f| cos_sin(position as f64 * f)).collect();
        positions.map(pairs).collect()
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
