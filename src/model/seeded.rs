//! Models with seeded weights. Every weight is a pure function of (seed, tensor, index), distributed as in real models so that
//! activations stay finite and chips draw realistic power.

use super::{Config, GROUP, Matrix, ModelError, Storage, Tensor, Type, Values, Weights};
use crate::seed::Seed;
use half::f16;
use rayon::prelude::*;

/// Standard deviation of norm weights (mean 1) and biases (mean 0).
const STANDARD_DEVIATION: f32 = 0.125;

/// A model with seeded weights.
pub struct Seeded {
    config: Config,
    kind: Type,
    seed: Seed,
}

impl Seeded {
    /// Takes no time and no memory: weights are computed on demand.
    ///
    /// # Errors
    /// If rows of integer weights are not whole groups.
    pub fn new(config: Config, kind: Type, seed: Seed) -> Result<Seeded, ModelError> {
        let odd =
            config.tensors().find(|t| t.is_matrix() && !config.shape(*t).1.is_multiple_of(GROUP));
        match odd {
            Some(tensor) if kind.scaled() => Err(ModelError(format!(
                "rows of the {tensor} have {} weights, not a multiple of {GROUP}: take f16 or f32 for this model",
                config.shape(tensor).1
            ))),
            _ => Ok(Seeded { config, kind, seed }),
        }
    }
}

impl Weights for Seeded {
    fn config(&self) -> &Config {
        &self.config
    }

    fn bytes_of(&self, tensor: Tensor) -> u64 {
        let kind = if tensor.is_matrix() { self.kind } else { Type::F32 };
        let storage = Storage { kind, offsets: false };
        self.config.weights(tensor) * storage.group_bytes() as u64 / GROUP as u64
    }

    fn matrix(&self, tensor: Tensor) -> Result<Matrix, ModelError> {
        assert!(tensor.is_matrix(), "the {tensor} is a vector");
        let (rows, columns) = self.config.shape(tensor);
        let name = self.config.stored(tensor).to_string();
        let values = self.seed.tensor(&name);
        let scales = self.seed.tensor(&format!("{name}, scales"));
        // Dot products with inputs of standard deviation 1 then have standard deviation 1.
        let deviation = 1.0 / (columns as f32).sqrt();
        let weights = (rows * columns) as u64;
        let float = |i: u64| values.value(i) * deviation;
        let stored = |i: u64| self.kind.encode(values.value(i));
        let spread = self.kind.spread();
        let scale = |g| f16::from_f32((1.0 + scales.value(g) / 8.0) * deviation / spread);
        let scales = || (0..weights / GROUP as u64).into_par_iter().map(scale).collect();
        let indices = (0..weights).into_par_iter();
        let values = match self.kind {
            Type::F32 => Values::F32(indices.map(float).collect()),
            Type::F16 => Values::F16(indices.map(|i| f16::from_f32(float(i))).collect()),
            Type::Int8 => {
                let values = indices.map(|i| stored(i) as u8 as i8).collect();
                Values::Int8 { values, scales: scales() }
            }
            Type::Int4 => {
                let pair = |i| (stored(2 * i) | stored(2 * i + 1) << 4) as u8;
                let values = (0..weights / 2).into_par_iter().map(pair).collect();
                Values::Int4 { values, scales: scales(), offsets: None }
            }
        };
        Ok(Matrix { rows, columns, values })
    }

    fn vector(&self, tensor: Tensor) -> Result<Vec<f32>, ModelError> {
        assert!(!tensor.is_matrix(), "the {tensor} is a matrix");
        let bias = matches!(tensor, Tensor::Layer(_, part) if part.is_bias());
        let mean = if bias { 0.0 } else { 1.0 };
        let values = self.seed.tensor(&tensor.to_string());
        let length = self.config.shape(tensor).0 as u64;
        Ok((0..length).map(|i| mean + values.value(i) * STANDARD_DEVIATION).collect())
    }
}
