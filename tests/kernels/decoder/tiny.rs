//! Small models out of a seed, in every way that weights are stored.

use half::f16;
use rigbench::model::{Config, Matrix, ModelError, Pairs, Part, Rope, Tensor, Values, Weights};
use rigbench::workload::data::Seed;

/// How the matrices of a model are stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stored {
    F32,
    F16,
    Int8,
    Int4,
    Offsets,
    /// One way after another.
    Mixed,
}

/// A model out of a seed.
pub struct Tiny {
    pub config: Config,
    pub stored: Stored,
}

impl Tiny {
    /// The tensor itself, or the embedding if that is the head too.
    fn tied(&self, tensor: Tensor) -> Tensor {
        match tensor {
            Tensor::Head if self.config.tie_word_embeddings => Tensor::Embedding,
            tensor => tensor,
        }
    }

    /// How a matrix is stored; never `Mixed`.
    fn stored(&self, tensor: Tensor) -> Stored {
        match self.stored {
            Stored::Mixed => match self.tied(tensor).to_string().len() % 3 {
                0 => Stored::Int4,
                1 => Stored::Int8,
                _ => Stored::Offsets,
            },
            stored => stored,
        }
    }
}

impl Weights for Tiny {
    fn config(&self) -> &Config {
        &self.config
    }

    fn bytes_of(&self, tensor: Tensor) -> u64 {
        match tensor {
            // Without its values, which would take longer than all else where a head has millions of rows.
            tensor if tensor.is_matrix() => {
                let (halves, bits) = match self.stored(tensor) {
                    Stored::F32 => (0, 32),
                    Stored::F16 => (0, 16),
                    Stored::Int8 => (1, 8),
                    Stored::Int4 => (1, 4),
                    _ => (2, 4),
                };
                self.config.weights(tensor) / 32 * (4 * bits + 2 * halves)
            }
            tensor => 4 * self.config.weights(tensor),
        }
    }

    fn bytes(&self) -> u64 {
        // Of models with half a million layers, the others are like the first.
        let first = self.config.tensors().take_while(|t| !matches!(t, Tensor::Layer(1.., _)));
        let (layer, rest): (Vec<_>, Vec<_>) = first.partition(|t| matches!(t, Tensor::Layer(..)));
        let sum = |tensors: Vec<Tensor>| tensors.into_iter().map(|t| self.bytes_of(t)).sum::<u64>();
        sum(rest) + self.config.layers as u64 * sum(layer)
    }

    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError> {
        let (rows, columns) = self.config.shape(tensor);
        let name = self.tied(tensor).to_string();
        let (values, scales) = (Seed([5; 32]).tensor(&name), Seed([6; 32]).tensor(&name));
        let count = (rows * columns) as u64;
        let size = 1.0 / (columns as f32).sqrt();
        let number = |i: u64| values.value(i) * size;
        let scale = |spread: f32| -> Vec<f16> {
            let scale = |g| f16::from_f32((1.0 + scales.value(g) / 8.0) * size / spread);
            (0..count / 32).map(scale).collect()
        };
        let nibbles = || {
            let nibble = |i: u64| (values.value(i) * 3.0 + 8.0).round().clamp(0.0, 15.0) as u8;
            (0..count / 2).map(|i| nibble(2 * i) | nibble(2 * i + 1) << 4).collect()
        };
        let values = match self.stored(tensor) {
            Stored::F32 => Values::F32((0..count).map(number).collect()),
            Stored::F16 => Values::F16((0..count).map(|i| f16::from_f32(number(i))).collect()),
            Stored::Int8 => Values::Int8 {
                values: (0..count).map(|i| (values.value(i) * 40.0).round() as i8).collect(),
                scales: scale(40.0),
            },
            Stored::Int4 => Values::Int4 { values: nibbles(), scales: scale(3.0), offsets: None },
            _ => {
                let scales = scale(3.0);
                // Not just eight scales: each is off by a part of one.
                let offset = |(i, scale): (usize, &f16)| {
                    f16::from_f32(scale.to_f32() * (-8.0 + (i % 5) as f32 / 4.0))
                };
                let offsets = scales.iter().enumerate().map(offset).collect();
                Values::Int4 { values: nibbles(), scales, offsets: Some(offsets) }
            }
        };
        Ok(Matrix { rows, columns, values })
    }

    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError> {
        let bias =
            matches!(tensor, Tensor::Layer(_, Part::QueryBias | Part::KeyBias | Part::ValueBias));
        let mean = if bias { 0.0 } else { 1.0 };
        let values = Seed([7; 32]).tensor(&tensor.to_string());
        let length = self.config.shape(tensor).0 as u64;
        Ok((0..length).map(|i| mean + values.value(i) / 4.0).collect())
    }
}

/// Two layers, grouped queries, sides that are no multiple of a tile.
pub fn tiny() -> Config {
    Config {
        layers: 2,
        hidden_size: 96,
        intermediate_size: 160,
        heads: 6,
        kv_heads: 2,
        head_dim: 16,
        vocab_size: 203,
        context: 64,
        rope: Rope { base: 10_000.0, pairs: Pairs::Neighbours, factors: None },
        rms_norm_eps: 1e-5,
        tie_word_embeddings: true,
        qkv_bias: false,
    }
}
