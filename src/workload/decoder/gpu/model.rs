//! A model on the device: weights, norm weights and biases, and the RoPE table.

use super::texels::Texels;
use super::weights::Product;
use crate::gpu::Gpu;
use crate::model::{Config, Pairs, Part, Tensor, Weights};
use crate::workload::decoder::engine::{self, EngineError, matrices};

pub(super) struct Layer {
    /// Weights of the RMSNorm before attention, then the biases of `qkv`.
    pub(super) attention_norm: Texels,
    /// Q, K and V projections.
    pub(super) qkv: Product,
    pub(super) attention_output: Product,
    pub(super) ffn_norm: Texels,
    /// Gate and up projections.
    pub(super) gate_up: Product,
    pub(super) down: Product,
}

pub(super) struct Model {
    pub(super) layers: Vec<Layer>,
    /// Token embedding, if it is not the head.
    embedding: Option<Product>,
    pub(super) norm: Texels,
    pub(super) head: Product,
    /// RoPE table: cosine and sine of each pair at each position.
    pub(super) rope: Texels,
}

impl Model {
    pub(super) fn load(
        gpu: &Gpu,
        weights: &dyn Weights,
        context: usize,
    ) -> Result<Model, EngineError> {
        let config = weights.config();
        let vector = |tensor| -> Result<Texels, EngineError> {
            Ok(Texels::of(gpu, weights.vector(tensor)?)?)
        };
        let single = |tensor| {
            let matrix = weights.matrix(config.stored(tensor))?;
            Product::load(gpu, &[matrix], &|column| (0, column))
        };
        let layer = |layer| -> Result<Layer, EngineError> {
            let tensor = |part| Tensor::Layer(layer, part);
            let norm = weights.vector(tensor(Part::AttentionNorm))?;
            let qkv = matrices(weights, layer, &[Part::Query, Part::Key, Part::Value])?;
            let gate_up = matrices(weights, layer, &[Part::Gate, Part::Up])?;
            Ok(Layer {
                attention_norm: Texels::of(gpu, [norm, biases(weights, layer)?].concat())?,
                qkv: Product::load(gpu, &qkv, &|column| qkv_row(config, column))?,
                attention_output: single(tensor(Part::Output))?,
                ffn_norm: vector(tensor(Part::FfnNorm))?,
                // Four gate columns, then the four up columns that they are multiplied with.
                gate_up: Product::load(gpu, &gate_up, &|column| {
                    (column / 4 % 2, column / 8 * 4 + column % 4)
                })?,
                down: single(tensor(Part::Down))?,
            })
        };
        let rope = config.rope_cos_sin(0..context);
        let untied = !config.tie_word_embeddings;
        Ok(Model {
            layers: (0..config.layers).map(layer).collect::<Result<_, _>>()?,
            embedding: untied.then(|| single(Tensor::Embedding)).transpose()?,
            norm: vector(Tensor::Norm)?,
            head: single(Tensor::Head)?,
            rope: Texels::of(gpu, rope.iter().flatten().flat_map(|(c, s)| [*c, *s]).collect())?,
        })
    }

    /// The token embedding.
    pub(super) fn embedding(&self) -> &Product {
        self.embedding.as_ref().unwrap_or(&self.head)
    }
}

/// The row of a Q or K matrix that becomes `column`: RoPE pairs become adjacent, which does not change any product of a query and a key.
fn adjacent_pairs_row(config: &Config, column: usize) -> usize {
    let (head, element) = (column / config.head_dim, column % config.head_dim);
    let element = match config.rope.pairs {
        Pairs::Neighbours => element,
        Pairs::Halves => element / 2 + element % 2 * (config.head_dim / 2),
    };
    head * config.head_dim + element
}

/// Matrix (Q, K or V) and row of a column of their product.
fn qkv_row(config: &Config, column: usize) -> (usize, usize) {
    let (queries, keys) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
    if column < queries {
        (0, adjacent_pairs_row(config, column))
    } else if column < queries + keys {
        (1, adjacent_pairs_row(config, column - queries))
    } else {
        (2, column - queries - keys)
    }
}

/// Biases of the columns of Q, K and V; zeros if there are none.
fn biases(weights: &dyn Weights, layer: usize) -> Result<Vec<f32>, EngineError> {
    let config = weights.config();
    let biases = engine::biases(weights, layer)?;
    let bias = |column| {
        let (matrix, row) = qkv_row(config, column);
        biases.get(matrix).map_or(0.0, |bias| bias[row])
    };
    Ok((0..(config.heads + 2 * config.kv_heads) * config.head_dim).map(bias).collect())
}
