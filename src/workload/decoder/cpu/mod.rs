//! A decoder on the CPU, on every hardware thread: matrix products by the same kernels as `gemm` and `gemv`, over weights as stored.

mod arithmetic;
mod attention;
mod product;

use super::{Done, Engine, EngineError, argmax, room};
use crate::model::{Config, Part, Tensor, Weights};
use arithmetic::{gated, norm, rows, turn, turns};
use attention::Cache;
use ndarray::{Array2, Axis, s};
use product::Product;
use rayon::prelude::*;
use std::collections::VecDeque;

/// Rows per prefill chunk.
const PREFILL_ROWS: usize = 256;

struct Layer {
    attention_norm: Vec<f32>,
    /// Q, K and V projections.
    heads: Product,
    biases: Vec<f32>,
    output: Product,
    inner_norm: Vec<f32>,
    gate_up: Product,
    down: Product,
    /// KV caches: of each sequence, of each KV head.
    caches: Vec<Cache>,
}

/// Activations of the rows that go through the layers together, reused from step to step.
#[derive(Default)]
struct Rows {
    stream: Array2<f32>,
    normed: Array2<f32>,
    heads: Array2<f32>,
    attended: Array2<f32>,
    added: Array2<f32>,
    gate_up: Array2<f32>,
    gated: Array2<f32>,
}

/// A submitted step; it runs when it is waited for.
enum Step {
    Prefill(usize, Vec<Vec<u32>>),
    Decode(usize, Option<Vec<u32>>),
}

/// A decoder that is ready to run.
pub struct CpuEngine {
    config: Config,
    batch: usize,
    context: usize,
    layers: Vec<Layer>,
    /// Token embedding, if it is not the head.
    embedding: Option<Product>,
    norm: Vec<f32>,
    head: Product,
    rows: Rows,
    logits: Array2<f32>,
    tokens: Vec<u32>,
    position: usize,
    steps: VecDeque<Step>,
}

impl CpuEngine {
    /// Loads a model, with a KV cache for `batch` sequences of up to `context` tokens.
    ///
    /// # Errors
    /// If it does not fit in memory, or the weights cannot be read.
    pub fn new(
        weights: &dyn Weights,
        batch: usize,
        context: usize,
    ) -> Result<CpuEngine, EngineError> {
        let config = weights.config().clone();
        let needed =
            weights.bytes() + config.kv_bytes() * (batch * context.next_multiple_of(32)) as u64;
        room(needed)?;
        let layer = |layer| -> Result<Layer, EngineError> {
            let tensor = |part| Tensor::Layer(layer, part);
            let product = |parts: &[Part]| -> Result<Product, EngineError> {
                let matrices = parts.iter().map(|part| weights.matrix(tensor(*part)));
                Ok(Product::new(matrices.collect::<Result<_, _>>()?))
            };
            let mut biases = Vec::new();
            for part in [Part::QueryBias, Part::KeyBias, Part::ValueBias] {
                if config.qkv_bias {
                    biases.extend(weights.vector(tensor(part))?);
                }
            }
            Ok(Layer {
                attention_norm: weights.vector(tensor(Part::AttentionNorm))?,
                heads: product(&[Part::Query, Part::Key, Part::Value])?,
                biases,
                output: product(&[Part::Output])?,
                inner_norm: weights.vector(tensor(Part::FfnNorm))?,
                gate_up: product(&[Part::Gate, Part::Up])?,
                down: product(&[Part::Down])?,
                caches: (0..batch * config.kv_heads)
                    .map(|_| Cache::new(config.head_dim, context))
                    .collect(),
            })
        };
        let alone = |tensor| -> Result<Product, EngineError> {
            Ok(Product::new(vec![weights.matrix(tensor)?]))
        };
        let (embedding, head) = match config.tie_word_embeddings {
            true => (None, alone(Tensor::Embedding)?),
            false => (Some(alone(Tensor::Embedding)?), alone(Tensor::Head)?),
        };
        Ok(CpuEngine {
            layers: (0..config.layers).map(layer).collect::<Result<_, _>>()?,
            embedding,
            norm: weights.vector(Tensor::Norm)?,
            head,
            rows: Rows::default(),
            logits: Array2::zeros((batch, config.vocab_size)),
            tokens: vec![u32::MAX; batch],
            position: 0,
            steps: VecDeque::new(),
            batch,
            context,
            config,
        })
    }

    /// Runs `count` tokens of each sequence, sequence after sequence, through the layers, from a position on.
    fn layers(&mut self, tokens: &[u32], position: usize) {
        let Config {
            hidden_size: width,
            intermediate_size: inner,
            heads,
            kv_heads,
            head_dim: head_size,
            ..
        } = self.config;
        let (count, epsilon) = (tokens.len() / self.batch, self.config.rms_norm_eps);
        self.rows.fit(&self.config, tokens.len());
        let at = &mut self.rows;
        let embedding = self.embedding.as_ref().unwrap_or(&self.head);
        for (token, mut row) in tokens.iter().zip(at.stream.rows_mut()) {
            embedding.column(*token as usize, row.as_slice_mut().expect("rows of a whole matrix"));
        }
        let rope: Vec<_> = (position..position + count).map(|p| turns(&self.config, p)).collect();
        for layer in &mut self.layers {
            rows(whole(&at.stream), width, whole_mut(&mut at.normed), width, |from, to| {
                norm(from, &layer.attention_norm, epsilon, to);
            });
            layer.heads.multiply(at.normed.view(), at.heads.view_mut());
            let columns = at.heads.ncols();
            let per_row = |(row, heads): (usize, &mut [f32])| {
                heads.iter_mut().zip(&layer.biases).for_each(|(x, bias)| *x += bias);
                let (queries, rest) = heads.split_at_mut(self.config.heads * head_size);
                let keys = &mut rest[..kv_heads * head_size];
                for head in
                    queries.chunks_exact_mut(head_size).chain(keys.chunks_exact_mut(head_size))
                {
                    turn(head, &rope[row % count], self.config.rope.pairs);
                }
                let scale = 1.0 / (head_size as f32).sqrt();
                queries.iter_mut().for_each(|x| *x *= scale);
            };
            whole_mut(&mut at.heads).par_chunks_exact_mut(columns).enumerate().for_each(per_row);
            let projected = &at.heads;
            layer.caches.par_iter_mut().enumerate().for_each(|(i, cache)| {
                let (sequence, head) = (i / kv_heads, i % kv_heads);
                for token in 0..count {
                    let row = projected.row(sequence * count + token);
                    let head_at = |first: usize| {
                        let first = first + head * head_size;
                        &row.to_slice().expect("rows of a whole matrix")[first..first + head_size]
                    };
                    let keys = heads * head_size;
                    cache.put(
                        position + token,
                        head_at(keys),
                        head_at(keys + kv_heads * head_size),
                    );
                }
            });
            let mut output: Vec<_> = at.attended.axis_chunks_iter_mut(Axis(0), count).collect();
            let parts: Vec<_> = output
                .iter_mut()
                .flat_map(|rows| rows.axis_chunks_iter_mut(Axis(1), head_size))
                .enumerate()
                .collect();
            let caches = &layer.caches;
            parts.into_par_iter().for_each(|(i, output)| {
                let (sequence, head) = (i / heads, i % heads);
                let seq_rows = sequence * count..(sequence + 1) * count;
                let queries =
                    projected.slice(s![seq_rows, head * head_size..(head + 1) * head_size]);
                let cache = &caches[sequence * kv_heads + head / (heads / kv_heads)];
                cache.attend(queries, output, position + count);
            });
            layer.output.multiply(at.attended.view(), at.added.view_mut());
            at.stream += &at.added;
            rows(whole(&at.stream), width, whole_mut(&mut at.normed), width, |from, to| {
                norm(from, &layer.inner_norm, epsilon, to);
            });
            layer.gate_up.multiply(at.normed.view(), at.gate_up.view_mut());
            rows(whole(&at.gate_up), 2 * inner, whole_mut(&mut at.gated), inner, gated);
            layer.down.multiply(at.gated.view(), at.added.view_mut());
            at.stream += &at.added;
        }
    }

    /// Computes logits and next tokens from the last row of each sequence.
    fn head(&mut self) {
        let count = self.rows.stream.nrows() / self.batch;
        let mut normed = Array2::zeros((self.batch, self.config.hidden_size));
        for (sequence, mut to) in normed.rows_mut().into_iter().enumerate() {
            let last = self.rows.stream.row((sequence + 1) * count - 1);
            let to = to.as_slice_mut().expect("rows of a whole matrix");
            norm(last.to_slice().expect("likewise"), &self.norm, self.config.rms_norm_eps, to);
        }
        self.head.multiply(normed.view(), self.logits.view_mut());
        let rows = whole(&self.logits).chunks_exact(self.config.vocab_size);
        self.tokens = rows.map(argmax).collect();
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Prefill(position, texts) => {
                let length = texts[0].len();
                let at_once = (PREFILL_ROWS / self.batch).max(1);
                for first in (0..length).step_by(at_once) {
                    let part = first..length.min(first + at_once);
                    let tokens: Vec<u32> =
                        texts.iter().flat_map(|text| &text[part.clone()]).copied().collect();
                    self.layers(&tokens, position + first);
                }
            }
            Step::Decode(position, told) => {
                let tokens = told.unwrap_or_else(|| self.tokens.clone());
                self.layers(&tokens, position);
            }
        }
        self.head();
    }
}

impl Engine for CpuEngine {
    fn config(&self) -> &Config {
        &self.config
    }

    fn position(&self) -> usize {
        self.position
    }

    fn rewind(&mut self, position: usize) -> Result<(), EngineError> {
        self.position = position;
        Ok(())
    }

    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError> {
        super::check_texts(texts, self.batch, self.context - self.position);
        self.steps.push_back(Step::Prefill(self.position, texts.to_vec()));
        self.position += texts[0].len();
        Ok(())
    }

    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError> {
        assert!(self.position < self.context, "the context of {} tokens is full", self.context);
        self.steps.push_back(Step::Decode(self.position, tokens.map(<[u32]>::to_vec)));
        self.position += 1;
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Done>, EngineError> {
        let Some(step) = self.steps.pop_front() else { return Ok(None) };
        self.run(step);
        Ok(Some(Done { tokens: self.tokens.clone(), gpu_seconds: None }))
    }

    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError> {
        while let Some(step) = self.steps.pop_front() {
            self.run(step);
        }
        Ok(self.logits.rows().into_iter().map(|row| row.to_vec()).collect())
    }

    fn poison(&mut self) -> Result<(), EngineError> {
        self.rows = Rows::default();
        self.logits.fill(f32::NAN);
        self.tokens.fill(u32::MAX);
        self.layers.iter_mut().flat_map(|layer| &mut layer.caches).for_each(Cache::poison);
        Ok(())
    }
}

impl Rows {
    /// Resizes to exactly `rows` rows.
    fn fit(&mut self, config: &Config, rows: usize) {
        if self.stream.nrows() == rows {
            return;
        }
        let queries = config.heads * config.head_dim;
        let zeros = |columns| Array2::zeros((rows, columns));
        *self = Rows {
            stream: zeros(config.hidden_size),
            normed: zeros(config.hidden_size),
            heads: zeros(queries + 2 * config.kv_heads * config.head_dim),
            attended: zeros(queries),
            added: zeros(config.hidden_size),
            gate_up: zeros(2 * config.intermediate_size),
            gated: zeros(config.intermediate_size),
        };
    }
}

fn whole(matrix: &Array2<f32>) -> &[f32] {
    matrix.as_slice().expect("it is in one piece")
}

fn whole_mut(matrix: &mut Array2<f32>) -> &mut [f32] {
    matrix.as_slice_mut().expect("it is in one piece")
}
