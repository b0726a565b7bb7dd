//! A decoder on the CPU, on every hardware thread: matrix products by the same kernels as `gemm` and `gemv`, over weights as stored.

mod arithmetic;
mod attention;
mod product;

pub use arithmetic::{exp, softmax};

use super::engine::{Done, Engine, EngineError, argmax, biases, check_texts, matrices};
use crate::device::memory;
use crate::model::{Config, Part, Tensor, Weights};
use crate::units::Bytes;
use arithmetic::{gated, norm, rotate, rows, whole};
use attention::Cache;
use ndarray::{Array2, s};
use product::Product;
use rayon::prelude::*;
use std::collections::VecDeque;

/// Rows per prefill chunk.
const PREFILL_ROWS: usize = 256;

struct Layer {
    attention_norm: Vec<f32>,
    /// Q, K and V projections.
    qkv: Product,
    biases: Vec<f32>,
    attention_output: Product,
    ffn_norm: Vec<f32>,
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
    qkv: Array2<f32>,
    attended: Array2<f32>,
    added: Array2<f32>,
    gate_up: Array2<f32>,
    gated: Array2<f32>,
}

/// A submitted step; it runs when it is waited for.
struct Step {
    position: usize,
    /// More tokens of each sequence; `None` if they are those that the step before chose.
    texts: Option<Vec<Vec<u32>>>,
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
        let cache_positions = (batch * context.next_multiple_of(32)) as u64;
        memory::check_now(Bytes(weights.bytes() + config.kv_bytes() * cache_positions))?;
        let layer = |layer| -> Result<Layer, EngineError> {
            let product = |parts: &[Part]| -> Result<Product, EngineError> {
                Ok(Product::new(&matrices(weights, layer, parts)?))
            };
            let norm = |part| weights.vector(Tensor::Layer(layer, part));
            let cache = |_| Cache::new(config.head_dim, context);
            Ok(Layer {
                attention_norm: norm(Part::AttentionNorm)?,
                qkv: product(&[Part::Query, Part::Key, Part::Value])?,
                biases: biases(weights, layer)?.concat(),
                attention_output: product(&[Part::Output])?,
                ffn_norm: norm(Part::FfnNorm)?,
                gate_up: product(&[Part::Gate, Part::Up])?,
                down: product(&[Part::Down])?,
                caches: (0..batch * config.kv_heads).map(cache).collect(),
            })
        };
        let single = |tensor| -> Result<Product, EngineError> {
            Ok(Product::new(&[weights.matrix(config.stored(tensor))?]))
        };
        let untied = !config.tie_word_embeddings;
        Ok(CpuEngine {
            layers: (0..config.layers).map(layer).collect::<Result<_, _>>()?,
            embedding: untied.then(|| single(Tensor::Embedding)).transpose()?,
            norm: weights.vector(Tensor::Norm)?,
            head: single(Tensor::Head)?,
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

    /// Runs as many tokens of each sequence, sequence after sequence, through the layers, from a position on.
    fn layers(&mut self, tokens: &[u32], position: usize) {
        let Config { heads, kv_heads, head_dim, rms_norm_eps, .. } = self.config;
        let count = tokens.len() / self.batch;
        self.rows.fit(&self.config, tokens.len());
        let at = &mut self.rows;
        let embedding = self.embedding.as_ref().unwrap_or(&self.head);
        for (token, mut row) in tokens.iter().zip(at.stream.rows_mut()) {
            embedding.column(*token as usize, row.as_slice_mut().expect("rows of a whole matrix"));
        }
        let rope = self.config.rope_cos_sin(position..position + count);
        for layer in &mut self.layers {
            norm(&at.stream, &layer.attention_norm, rms_norm_eps, &mut at.normed);
            layer.qkv.multiply(at.normed.view(), at.qkv.view_mut());
            let columns = at.qkv.ncols();
            let per_row = |(row, projected): (usize, &mut [f32])| {
                projected.iter_mut().zip(&layer.biases).for_each(|(x, bias)| *x += bias);
                let rotated = projected.chunks_exact_mut(head_dim).take(heads + kv_heads);
                rotated.for_each(|head| rotate(head, &rope[row % count], self.config.rope.pairs));
                let scale = 1.0 / (head_dim as f32).sqrt();
                projected[..heads * head_dim].iter_mut().for_each(|x| *x *= scale);
            };
            let projected = at.qkv.as_slice_mut().expect("it is in one piece");
            projected.par_chunks_exact_mut(columns).enumerate().for_each(per_row);
            let projected = whole(&at.qkv);
            layer.caches.par_iter_mut().enumerate().for_each(|(i, cache)| {
                let (sequence, head) = (i / kv_heads, i % kv_heads);
                let rows = projected.chunks_exact(columns).skip(sequence * count).take(count);
                for (position, row) in (position..).zip(rows) {
                    let of_head = |head: usize| &row[head * head_dim..][..head_dim];
                    cache.put(position, of_head(heads + head), of_head(heads + kv_heads + head));
                }
            });
            let blocks = at.attended.exact_chunks_mut((count, head_dim)).into_iter().enumerate();
            blocks.collect::<Vec<_>>().into_par_iter().for_each(|(i, output)| {
                let (sequence, head) = (i / heads, i % heads);
                let rows = sequence * count..(sequence + 1) * count;
                let queries = at.qkv.slice(s![rows, head * head_dim..(head + 1) * head_dim]);
                let cache = &layer.caches[sequence * kv_heads + head / (heads / kv_heads)];
                cache.attend(queries, output, position + count);
            });
            layer.attention_output.multiply(at.attended.view(), at.added.view_mut());
            at.stream += &at.added;
            norm(&at.stream, &layer.ffn_norm, rms_norm_eps, &mut at.normed);
            layer.gate_up.multiply(at.normed.view(), at.gate_up.view_mut());
            rows(&at.gate_up, &mut at.gated, gated);
            layer.down.multiply(at.gated.view(), at.added.view_mut());
            at.stream += &at.added;
        }
    }

    /// Computes logits and next tokens from the last row of each sequence.
    fn head(&mut self) {
        let count = self.rows.stream.nrows() / self.batch;
        let last = self.rows.stream.slice(s![count - 1..;count, ..]);
        let mut normed = Array2::zeros(last.raw_dim());
        norm(&last.to_owned(), &self.norm, self.config.rms_norm_eps, &mut normed);
        self.head.multiply(normed.view(), self.logits.view_mut());
        let rows = whole(&self.logits).chunks_exact(self.config.vocab_size);
        self.tokens = rows.map(argmax).collect();
    }

    /// Runs the oldest step.
    fn run(&mut self, Step { position, texts }: Step) {
        let texts = texts.unwrap_or_else(|| self.tokens.iter().map(|t| vec![*t]).collect());
        let length = texts[0].len();
        let at_once = (PREFILL_ROWS / self.batch).max(1);
        for first in (0..length).step_by(at_once) {
            let part = first..length.min(first + at_once);
            let parts = texts.iter().flat_map(|text| &text[part.clone()]);
            self.layers(&parts.copied().collect::<Vec<_>>(), position + first);
        }
        self.head();
    }
}

impl Engine for CpuEngine {
    fn position(&self) -> usize {
        self.position
    }

    fn rewind(&mut self, position: usize) -> Result<(), EngineError> {
        self.position = position;
        Ok(())
    }

    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError> {
        check_texts(texts, self.batch, self.context - self.position);
        self.steps.push_back(Step { position: self.position, texts: Some(texts.to_vec()) });
        self.position += texts[0].len();
        Ok(())
    }

    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError> {
        assert!(self.position < self.context, "the context of {} tokens is full", self.context);
        let texts = tokens.map(|tokens| tokens.iter().map(|token| vec![*token]).collect());
        self.steps.push_back(Step { position: self.position, texts });
        self.position += 1;
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Done>, EngineError> {
        let Some(step) = self.steps.pop_front() else { return Ok(None) };
        self.run(step);
        Ok(Some(Done { tokens: self.tokens.clone(), gpu_seconds: None }))
    }

    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError> {
        while self.wait()?.is_some() {}
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
            qkv: zeros(queries + 2 * config.kv_heads * config.head_dim),
            attended: zeros(queries),
            added: zeros(config.hidden_size),
            gate_up: zeros(2 * config.intermediate_size),
            gated: zeros(config.intermediate_size),
        };
    }
}
