//! `prefill` and `decode` as workloads: the memory they need, their arithmetic intensity, and their variants on a device.

use super::cpu::CpuEngine;
use super::gpu::{GpuEngine, choices};
use super::job::DecoderJob;
use super::{Decoder, Engine, EngineError, Phase, Source, room, spec};
use crate::device::Device;
use crate::gpu::GpuError;
use crate::kernels::Kernel;
use crate::model::{Config, Seeded, Tensor, Weights};
use crate::seed::Seed;
use crate::units::{Bytes, Unit};
use crate::workload::{Id, Intensity, Job, JobError, Shape, Target, Variant, Workload};
use std::rc::Rc;

impl Decoder {
    /// The model's weights; those of a preset are seeded.
    pub(super) fn weights(&self, seed: Seed) -> Result<Rc<dyn Weights>, EngineError> {
        Ok(match &self.source {
            Source::Preset(_, config, kind) => Rc::new(Seeded::new(config.clone(), *kind, seed)?),
            Source::File { file, .. } => file.clone(),
        })
    }

    fn config(&self) -> &Config {
        self.source.config()
    }

    /// Mean number of positions that a token attends to.
    fn mean_positions(&self) -> f64 {
        match self.phase {
            Phase::Prefill => (self.prompt as f64 + 1.0) / 2.0,
            Phase::Decode => (self.prompt + self.context + 1) as f64 / 2.0,
        }
    }

    /// Bytes that a device must hold: weights as stored and the KV cache.
    fn held_bytes(&self) -> Result<u64, EngineError> {
        let cache = self.config().kv_bytes() * (self.batch * self.context) as u64;
        Ok(self.weights(Seed([0; 32]))?.bytes() + cache)
    }

    /// Temporary host memory: a tensor on its way to the device with its packed copy, or the embedding and the head for the reference.
    fn temporary_bytes(&self) -> Result<u64, EngineError> {
        let weights = self.weights(Seed([0; 32]))?;
        let largest = self.config().tensors().map(|tensor| weights.bytes_of(tensor)).max();
        Ok(2 * largest.unwrap_or(0))
    }

    /// Bytes of weights that a step reads. An embedding that is not also the head does not count, since only a few of its rows are read.
    fn read_bytes(&self) -> Result<u64, EngineError> {
        let weights = self.weights(Seed([0; 32]))?;
        let looked_up =
            if self.config().tie_word_embeddings { 0 } else { weights.bytes_of(Tensor::Embedding) };
        Ok(weights.bytes() - looked_up)
    }
}

impl Workload for Decoder {
    fn id(&self) -> Id {
        self.phase.id()
    }

    fn unit(&self) -> Unit {
        Unit::Token
    }

    fn arguments(&self) -> String {
        spec::write(self)
    }

    fn shape(&self) -> Shape {
        let (weights, model_sha256) = match &self.source {
            Source::Preset(_, _, kind) => (Some(kind.name().to_string()), None),
            Source::File { sha256, .. } => (None, Some(sha256.clone())),
        };
        Shape {
            weights,
            model: Some(self.source.name().to_string()),
            model_sha256,
            batch: Some(self.batch as u64),
            prompt: Some(self.prompt as u64),
            context: Some(self.context as u64).filter(|_| self.phase == Phase::Decode),
            ..Shape::default()
        }
    }

    /// Weights are read once for all tokens that go through the layers together, and the KV cache per token.
    fn intensity(&self, _: &Device) -> Option<Intensity> {
        let config = self.config();
        let Config {
            layers,
            heads,
            head_dim: head_size,
            vocab_size: vocabulary,
            hidden_size: width,
            ..
        } = *config;
        let attended = (layers * heads * head_size) as f64 * self.mean_positions();
        let head = (vocabulary * width) as f64;
        let body = config.matmul_weights() as f64 - head;
        let (together, heads_per_token) = match self.phase {
            Phase::Prefill => ((self.batch * self.prompt) as f64, 1.0 / self.prompt as f64),
            Phase::Decode => (self.batch as f64, 1.0),
        };
        let cached = match self.phase {
            // Keys and values of a prompt may stay in a cache.
            Phase::Prefill => 0.0,
            Phase::Decode => config.kv_bytes() as f64 * self.mean_positions(),
        };
        Some(Intensity {
            operations_per_unit: 2.0 * (body + head * heads_per_token) + 4.0 * attended,
            bytes_per_unit: self.read_bytes().ok()? as f64 / together + cached,
            from_memory: false,
        })
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        let in_main_memory = target.device().class.uses_main_memory();
        let check = || -> Result<(), EngineError> {
            let held = if in_main_memory { self.held_bytes()? } else { 0 };
            room(held + self.temporary_bytes()?)?;
            match target {
                Target::Cpu(_) => Ok(()),
                Target::Gpu(gpu) => GpuEngine::check(gpu, self.config(), self.batch, self.context),
            }
        };
        check().err().map(|why| why.to_string())
    }

    fn has_fixed_batches(&self) -> bool {
        true
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Cpu(_) => vec![Variant::Cpu(crate::workload::matmul::native::id())],
            Target::Gpu(gpu) => {
                choices(gpu, self.phase, self.batch).into_iter().map(Variant::Decoder).collect()
            }
        }
    }

    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError> {
        let weights = self.weights(seed)?;
        let (engine, kernel): (Box<dyn Engine>, Option<Kernel>) = match (target, variant) {
            (Target::Gpu(gpu), Variant::Decoder(choice)) => {
                let engine = GpuEngine::new(gpu, &*weights, choice, self.batch, self.context);
                // A GPU's memory is only known to be full when an allocation fails.
                let engine = engine.map_err(|error| match (error, self.held_bytes()) {
                    (EngineError::Gpu(GpuError::OutOfMemory(_)), Ok(needed)) => {
                        EngineError::Full { needed: Bytes(needed) }
                    }
                    (error, _) => error,
                })?;
                let kernel = engine.kernel(self.phase).clone();
                (Box::new(engine), Some(kernel))
            }
            _ => (Box::new(CpuEngine::new(&*weights, self.batch, self.context)?), None),
        };
        Ok(Box::new(DecoderJob::new(self, weights, engine, kernel, seed)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::parse;

    /// By hand: weights of all products at 2 FLOP and 2 bytes each, and attention to 192.5 positions in the mean, each with a KV cache of
    /// 131,072 bytes; norms are negligible. Llama-3-8B has an untied embedding, SmolLM2-135M a tied one.
    #[test]
    fn intensity_follows_from_weights_and_kv_cache() {
        for (model, weights, attends, cached) in [
            ("llama-3-8b", 7505e6, 32.0 * 4096.0, 131_072.0),
            ("smollm2-135m", 134.5e6, 30.0 * 576.0, 23_040.0),
        ] {
            let decode = parse(&format!("decode:{model}:f16")).unwrap();
            let Intensity { operations_per_unit, bytes_per_unit, .. } =
                decode.intensity(&Device::cpu()).unwrap();
            let close = |got: f64, want: f64| (got / want - 1.0).abs() < 1e-3;
            assert!(close(operations_per_unit, 2.0 * weights + 4.0 * attends * 192.5), "{model}");
            assert!(close(bytes_per_unit, 2.0 * weights + cached * 192.5), "{model}");
        }
    }
}
