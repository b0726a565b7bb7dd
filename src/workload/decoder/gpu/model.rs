//! A model on the device: weights, norm weights and biases, and the RoPE table.

use super::weights::{Columns, Product};
use crate::gpu::{Gpu, GpuError, Memory};
use crate::kernels::BindingKind;
use crate::model::{Config, Matrix, Pairs, Part, Tensor, Weights};
use crate::workload::decoder::EngineError;

/// A product with the norm before it and the biases after it.
pub(super) struct NormAndBias {
    pub(super) product: Product,
    /// Norm weights, then biases.
    pub(super) beside: Memory,
}

pub(super) struct Layer {
    pub(super) heads: NormAndBias,
    pub(super) output: Product,
    pub(super) gate: NormAndBias,
    pub(super) down: Product,
}

pub(super) struct Model {
    pub(super) layers: Vec<Layer>,
    /// Token embedding, if it is not the head.
    pub(super) embedding: Option<Product>,
    pub(super) head: NormAndBias,
    /// RoPE table: cosine and sine of each pair at each position.
    pub(super) turns: Memory,
}

/// A texture of these floats, padded to whole texels.
pub(super) fn texture_of_floats(gpu: &Gpu, mut values: Vec<f32>) -> Result<Memory, GpuError> {
    values.resize(values.len().next_multiple_of(4).max(4), 0.0);
    let memory = gpu.memory(BindingKind::Texture, values.len() as u64 / 4)?;
    gpu.write_memory(&memory, 0, bytemuck::cast_slice(&values))?;
    Ok(memory)
}

impl Model {
    pub(super) fn load(
        gpu: &Gpu,
        weights: &dyn Weights,
        context: usize,
    ) -> Result<Model, EngineError> {
        let config = weights.config();
        let layer = |layer| -> Result<Layer, EngineError> {
            let tensor = |part| Tensor::Layer(layer, part);
            let norm = |part| weights.vector(tensor(part));
            let mut beside = norm(Part::AttentionNorm)?;
            beside.extend(biases(weights, layer)?);
            let gains = norm(Part::FfnNorm)?;
            Ok(Layer {
                heads: NormAndBias {
                    product: Product::load(gpu, &qkv(weights, layer)?)?,
                    beside: texture_of_floats(gpu, beside)?,
                },
                output: Product::load(gpu, &single(weights.matrix(tensor(Part::Output))?))?,
                gate: NormAndBias {
                    product: Product::load(gpu, &gate(weights, layer)?)?,
                    beside: texture_of_floats(gpu, gains)?,
                },
                down: Product::load(gpu, &single(weights.matrix(tensor(Part::Down))?))?,
            })
        };
        let layers = (0..config.layers).map(layer).collect::<Result<_, _>>()?;
        let embedding = match config.tie_word_embeddings {
            true => None,
            false => Some(Product::load(gpu, &single(weights.matrix(Tensor::Embedding)?))?),
        };
        let head = if config.tie_word_embeddings { Tensor::Embedding } else { Tensor::Head };
        let head = NormAndBias {
            product: Product::load(gpu, &single(weights.matrix(head)?))?,
            beside: texture_of_floats(gpu, weights.vector(Tensor::Norm)?)?,
        };
        let turns = texture_of_floats(gpu, rope_cos_sin(config, context))?;
        Ok(Model { layers, embedding, head, turns })
    }

    /// The token embedding.
    pub(super) fn embedding(&self) -> &Product {
        self.embedding.as_ref().unwrap_or(&self.head.product)
    }
}

/// The columns of a single matrix.
fn single(matrix: Matrix) -> Columns<'static> {
    let count = matrix.rows;
    Columns { matrices: vec![matrix], count, place: Box::new(|column| (0, column)) }
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

/// Matrix (Q, K or V) and row of a column of [`qkv`].
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

fn qkv(weights: &dyn Weights, layer: usize) -> Result<Columns<'_>, EngineError> {
    let config = weights.config();
    let parts = [Part::Query, Part::Key, Part::Value];
    let matrices = parts.map(|part| weights.matrix(Tensor::Layer(layer, part)));
    Ok(Columns {
        matrices: matrices.into_iter().collect::<Result<_, _>>()?,
        count: (config.heads + 2 * config.kv_heads) * config.head_dim,
        place: Box::new(|column| qkv_row(config, column)),
    })
}

/// Biases of the columns of [`qkv`]; zeros if there are none.
fn biases(weights: &dyn Weights, layer: usize) -> Result<Vec<f32>, EngineError> {
    let config = weights.config();
    let count = (config.heads + 2 * config.kv_heads) * config.head_dim;
    if !config.qkv_bias {
        return Ok(vec![0.0; count]);
    }
    let parts = [Part::QueryBias, Part::KeyBias, Part::ValueBias];
    let vectors = parts.map(|part| weights.vector(Tensor::Layer(layer, part)));
    let vectors = vectors.into_iter().collect::<Result<Vec<_>, _>>()?;
    let bias = |column| {
        let (vector, row) = qkv_row(config, column);
        vectors[vector][row]
    };
    Ok((0..count).map(bias).collect())
}

/// Four gate columns, then the four up columns that they are multiplied with.
fn gate(weights: &dyn Weights, layer: usize) -> Result<Columns<'static>, EngineError> {
    let parts = [Part::Gate, Part::Up];
    let matrices = parts.map(|part| weights.matrix(Tensor::Layer(layer, part)));
    Ok(Columns {
        matrices: matrices.into_iter().collect::<Result<_, _>>()?,
        count: 2 * weights.config().intermediate_size,
        place: Box::new(|column| (column / 4 % 2, column / 8 * 4 + column % 4)),
    })
}

/// Cosine and sine, pair after pair, position after position.
fn rope_cos_sin(config: &Config, context: usize) -> Vec<f32> {
    let half = config.head_dim / 2;
    let frequency = |pair: usize| {
        let power = -(pair as f64) / half as f64;
        let factor = config.rope.factors.as_ref().map_or(1.0, |factors| f64::from(factors[pair]));
        f64::from(config.rope.base).powf(power) / factor
    };
    let frequencies: Vec<f64> = (0..half).map(frequency).collect();
    (0..context)
        .flat_map(|position| {
            let angle = move |frequency: &f64| position as f64 * frequency;
            frequencies.iter().flat_map(move |f| [angle(f).cos() as f32, angle(f).sin() as f32])
        })
        .collect()
}
