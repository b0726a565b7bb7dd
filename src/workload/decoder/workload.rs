//! `prefill` and `decode` as workloads: the memory they need, their arithmetic intensity, and their variants on a device.

use super::cpu::CpuEngine;
use super::engine::{Engine, EngineError};
use super::gpu::{self, GpuEngine};
use super::job::DecoderJob;
use super::{Decoder, Source};
use crate::device::{Device, memory};
use crate::gpu::GpuError;
use crate::kernels::Kernel;
use crate::model::{ModelError, Seeded, Tensor, Weights};
use crate::seed::Seed;
use crate::units::Bytes;
use crate::workload::matmul::native;
use crate::workload::{Id, Intensity, PreparedJob, Shape, Target, Variant, Workload};
use std::rc::Rc;

/// Memory that a decoder takes, and what a step of it reads, in bytes.
struct Memory {
    /// On the device: weights as stored and the KV cache.
    held: u64,
    /// On the host for a while: a tensor on its way to the device with its packed copy, or the embedding and the head for the reference.
    temporary: u64,
    /// Weights that a step reads. An embedding that is not also the head does not count, since only a few of its rows are read.
    read: u64,
}

impl Decoder {
    /// The model's weights; those of a preset are seeded.
    pub(super) fn weights(&self, seed: Seed) -> Result<Rc<dyn Weights>, ModelError> {
        Ok(match &self.model.source {
            Source::Seed(kind) => Rc::new(Seeded::new(self.model.config.clone(), *kind, seed)?),
            Source::File { file, .. } => file.clone(),
        })
    }

    fn memory(&self) -> Result<Memory, ModelError> {
        let config = &self.model.config;
        let weights = self.weights(Seed([0; 32]))?;
        let largest = config.tensors().map(|tensor| weights.bytes_of(tensor)).max();
        let tied = config.tie_word_embeddings;
        let looked_up = if tied { 0 } else { weights.bytes_of(Tensor::Embedding) };
        Ok(Memory {
            held: weights.bytes() + config.kv_bytes() * (self.batch * self.context) as u64,
            temporary: 2 * largest.unwrap_or(0),
            read: weights.bytes() - looked_up,
        })
    }
}

impl Workload for Decoder {
    fn id(&self) -> Id {
        self.id
    }

    /// Model, type and options that parse to this workload; for a file only its label.
    fn arguments(&self) -> String {
        let Decoder { id, model, batch, prompt, context } = self;
        let kind = match &model.source {
            Source::Seed(kind) => format!(":{}", kind.into_str()),
            Source::File { .. } => String::new(),
        };
        let arguments = format!("{}{kind}:batch={batch}:prompt={prompt}", model.name);
        if *id == Id::Prefill { arguments } else { format!("{arguments}:context={context}") }
    }

    fn command_spec(&self) -> String {
        let mut named = self.clone();
        if let Source::File { path, .. } = &self.model.source {
            named.model.name.clone_from(path);
        }
        named.spec()
    }

    fn shape(&self) -> Shape {
        let (weights, model_sha256) = match &self.model.source {
            Source::Seed(kind) => (Some(kind.into_str().to_string()), None),
            Source::File { sha256, .. } => (None, Some(sha256.clone())),
        };
        Shape {
            weights,
            model: Some(self.model.name.clone()),
            model_sha256,
            batch: Some(self.batch as u64),
            prompt: Some(self.prompt as u64),
            context: Some(self.context as u64).filter(|_| self.id == Id::Decode),
            ..Shape::default()
        }
    }

    /// Weights are read once for all tokens that go through the layers together, and the KV cache per token.
    fn intensity(&self, _: &Device) -> Option<Intensity> {
        let config = &self.model.config;
        // Heads per token, the mean number of positions that a token attends to, and those that it reads from memory.
        let (heads, attended, cached) = if self.id == Id::Prefill {
            // Keys and values of a prompt may stay in a cache.
            (1.0 / self.prompt as f64, (self.prompt + 1) as f64 / 2.0, 0.0)
        } else {
            let positions = (self.prompt + self.context + 1) as f64 / 2.0;
            (1.0, positions, positions)
        };
        let attention = (config.layers * config.heads * config.head_dim) as f64 * attended;
        let head = (config.vocab_size * config.hidden_size) as f64;
        let body = config.matmul_weights() as f64 - head;
        Some(Intensity {
            operations_per_unit: 2.0 * (body + head * heads) + 4.0 * attention,
            bytes_per_unit: self.memory().ok()?.read as f64 / self.step_tokens() as f64
                + config.kv_bytes() as f64 * cached,
            from_memory: false,
        })
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        let check = || -> Result<(), EngineError> {
            let Memory { held, temporary, .. } = self.memory()?;
            let in_main_memory = target.device().class.uses_main_memory();
            memory::check_now(Bytes(temporary + if in_main_memory { held } else { 0 }))?;
            match target {
                Target::Cpu(_) => Ok(()),
                Target::Gpu(gpu) => gpu::check(gpu, &self.model.config, self.batch, self.context),
            }
        };
        check().err().map(|why| why.to_string())
    }

    fn has_fixed_batches(&self) -> bool {
        true
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Cpu(_) => vec![Variant::Cpu(native::id())],
            Target::Gpu(gpu) => gpu::kernel_sets(gpu, self.id, self.batch)
                .into_iter()
                .map(Variant::Decoder)
                .collect(),
        }
    }

    fn prepare(&self, target: &Target, variant: &Variant, seed: Seed) -> PreparedJob {
        let weights = self.weights(seed).map_err(EngineError::from)?;
        let (engine, kernel): (Box<dyn Engine>, Option<Kernel>) = match (target, variant) {
            (Target::Gpu(gpu), Variant::Decoder(set)) => {
                let engine = GpuEngine::new(gpu, &*weights, set, self.batch, self.context);
                // A GPU's memory is only known to be full when an allocation fails.
                let engine = engine.map_err(|error| match (error, self.memory()) {
                    (EngineError::Gpu(GpuError::OutOfMemory(_)), Ok(Memory { held, .. })) => {
                        EngineError::Full { needed: Bytes(held) }
                    }
                    (error, _) => error,
                })?;
                let kernel = engine.kernel(self.id).clone();
                (Box::new(engine), Some(kernel))
            }
            _ => (Box::new(CpuEngine::new(&*weights, self.batch, self.context)?), None),
        };
        Ok(Box::new(DecoderJob::new(self, weights, engine, kernel, seed)?))
    }
}
