//! Reference forward pass of a decoder in f64, for every position of a text at once, written from the formulas alone.

use crate::model::{Config, GROUP, Matrix, ModelError, Pairs, Part, Tensor, Values, Weights};
use half::f16;
use ndarray::{Array1, Array2, Axis, Zip, s};
use std::ops::Range;

/// Output of the model for a text.
pub struct Forward {
    /// Logits of the next token; one row per position.
    pub logits: Array2<f64>,
    /// Residual stream after each layer, before the final norm; one row per position.
    pub layers: Vec<Array2<f64>>,
}

/// Rows of a matrix that are converted to f64 at a time: a whole LM head would take gigabytes.
const HEAD_ROWS: usize = 4096;

/// Runs the model over `tokens` from position 0.
///
/// # Errors
/// If a tensor cannot be read.
///
/// # Panics
/// If a token is not in the vocabulary.
pub fn forward(weights: &dyn Weights, tokens: &[u32]) -> Result<Forward, ModelError> {
    let config = weights.config();
    let vector = |tensor| -> Result<Array1<f64>, ModelError> {
        Ok(weights.vector(tensor)?.into_iter().map(f64::from).collect())
    };
    // RMSNorm: each row divided by its root mean square, then scaled element by element.
    let normalized = |rows: &Array2<f64>, norm| -> Result<Array2<f64>, ModelError> {
        let squares = rows.mapv(|x| x * x).mean_axis(Axis(1)).expect("a stream has elements");
        let roots = squares.mapv(|square| (square + f64::from(config.rms_norm_eps)).sqrt());
        Ok(rows / &roots.insert_axis(Axis(1)) * &vector(norm)?)
    };
    let mut stream = Array2::zeros((tokens.len(), config.hidden_size));
    let embedding = weights.matrix(Tensor::Embedding)?;
    for (mut row, token) in stream.axis_iter_mut(Axis(0)).zip(tokens) {
        let token = *token as usize;
        row.assign(&dequantized(&embedding, token..token + 1).row(0));
    }
    let mut layers = Vec::new();
    for layer in 0..config.layers {
        let tensor = |part| Tensor::Layer(layer, part);
        let product = |rows: &Array2<f64>, part| -> Result<Array2<f64>, ModelError> {
            Ok(product(rows, &weights.matrix(tensor(part))?))
        };
        let normal = normalized(&stream, tensor(Part::AttentionNorm))?;
        let mut queries = product(&normal, Part::Query)?;
        let mut keys = product(&normal, Part::Key)?;
        let mut values = product(&normal, Part::Value)?;
        if config.qkv_bias {
            queries += &vector(tensor(Part::QueryBias))?;
            keys += &vector(tensor(Part::KeyBias))?;
            values += &vector(tensor(Part::ValueBias))?;
        }
        rotate(&mut queries, config);
        rotate(&mut keys, config);
        let attended = attention(&queries, &keys, &values, config);
        stream += &product(&attended, Part::Output)?;

        let normal = normalized(&stream, tensor(Part::FfnNorm))?;
        let mut inner = product(&normal, Part::Gate)?;
        let up = product(&normal, Part::Up)?;
        Zip::from(&mut inner).and(&up).for_each(|gate, up| *gate *= up / (1.0 + (-*gate).exp()));
        stream += &product(&inner, Part::Down)?;
        layers.push(stream.clone());
    }
    let normal = normalized(&stream, Tensor::Norm)?;
    Ok(Forward { logits: product(&normal, &weights.matrix(Tensor::Head)?), layers })
}

/// Rows times a matrix: one output per matrix row.
fn product(rows: &Array2<f64>, matrix: &Matrix) -> Array2<f64> {
    let mut out = Array2::zeros((rows.nrows(), matrix.rows));
    for start in (0..matrix.rows).step_by(HEAD_ROWS) {
        let part = start..matrix.rows.min(start + HEAD_ROWS);
        out.slice_mut(s![.., part.clone()]).assign(&rows.dot(&dequantized(matrix, part).t()));
    }
    out
}

/// RoPE: rotates the pairs of every head by an angle proportional to the position.
pub fn rotate(rows: &mut Array2<f64>, config: &Config) {
    let half = config.head_dim / 2;
    for (position, mut row) in rows.axis_iter_mut(Axis(0)).enumerate() {
        for mut head in row.exact_chunks_mut(config.head_dim) {
            for pair in 0..half {
                let exponent = pair as f64 / half as f64;
                let factor = config.rope.factors.as_ref().map_or(1.0, |f| f64::from(f[pair]));
                let angle = position as f64 / f64::from(config.rope.base).powf(exponent) / factor;
                let (one, other) = match config.rope.pairs {
                    Pairs::Neighbours => (2 * pair, 2 * pair + 1),
                    Pairs::Halves => (pair, pair + half),
                };
                let (x, y) = (head[one], head[other]);
                head[one] = x * angle.cos() - y * angle.sin();
                head[other] = x * angle.sin() + y * angle.cos();
            }
        }
    }
}

/// Causal attention of each position and query head to the positions up to its own, head after head.
fn attention(
    queries: &Array2<f64>,
    keys: &Array2<f64>,
    values: &Array2<f64>,
    config: &Config,
) -> Array2<f64> {
    let size = config.head_dim;
    let sharing = config.heads / config.kv_heads;
    let mut out = Array2::zeros(queries.raw_dim());
    for head in 0..config.heads {
        let query_columns = s![.., head * size..(head + 1) * size];
        let kv_head = head / sharing;
        let kv_columns = s![.., kv_head * size..(kv_head + 1) * size];
        let mut scores =
            queries.slice(query_columns).dot(&keys.slice(kv_columns).t()) / (size as f64).sqrt();
        for (position, mut row) in scores.axis_iter_mut(Axis(0)).enumerate() {
            row.slice_mut(s![position + 1..]).fill(f64::NEG_INFINITY);
            let max = row.fold(f64::NEG_INFINITY, |max, score| max.max(*score));
            row.mapv_inplace(|score| (score - max).exp());
            row /= row.sum();
        }
        out.slice_mut(query_columns).assign(&scores.dot(&values.slice(kv_columns)));
    }
    out
}

/// Rows of a matrix, exactly dequantized to f64.
fn dequantized(matrix: &Matrix, rows: Range<usize>) -> Array2<f64> {
    let columns = matrix.columns;
    let group = |scales: &[f16], row: usize, column: usize| {
        scales[row * (columns / GROUP) + column / GROUP].to_f64()
    };
    let weight = |(row, column): (usize, usize)| {
        let row = rows.start + row;
        let place = row * columns + column;
        match &matrix.values {
            Values::F32(values) => f64::from(values[place]),
            Values::F16(values) => values[place].to_f64(),
            Values::Int8 { values, scales } => {
                f64::from(values[place]) * group(scales, row, column)
            }
            Values::Int4 { values, scales, offsets } => {
                let byte = values[place / 2];
                let nibble = f64::from(if column % 2 == 0 { byte % 16 } else { byte / 16 });
                let scale = group(scales, row, column);
                match offsets {
                    Some(offsets) => scale * nibble + group(offsets, row, column),
                    None => scale * (nibble - 8.0),
                }
            }
        }
    };
    Array2::from_shape_fn((rows.len(), columns), weight)
}
