//! `prefill` and `decode` as workloads: what a device must hold and move for them, and the ways to run them there.

use super::cpu::CpuEngine;
use super::gpu::{CHOICES, GpuEngine};
use super::job::DecoderJob;
use super::{Decoder, Engine, EngineError, Phase, Source, room, spec};
use crate::device::{Class, Device};
use crate::kernels::Kernel;
use crate::model::{Config, Seeded, Weights};
use crate::seed::Seed;
use crate::units::Unit;
use crate::workload::{Job, JobError, Target, Traffic, Variant, Workload};
use std::rc::Rc;

impl Decoder {
    /// The model with its weights; of a preset they follow from the seed.
    pub(super) fn weights(&self, seed: Seed) -> Result<Rc<dyn Weights>, EngineError> {
        Ok(match &self.source {
            Source::Preset(_, config, kind) => Rc::new(Seeded::new(config.clone(), *kind, seed)?),
            Source::File { file, .. } => file.clone(),
        })
    }

    fn config(&self) -> &Config {
        self.source.config()
    }

    /// Positions that a token attends to, in the mean.
    fn mean_positions(&self) -> f64 {
        match self.phase {
            Phase::Prefill => (self.prompt as f64 + 1.0) / 2.0,
            Phase::Decode => (self.prompt + self.context + 1) as f64 / 2.0,
        }
    }

    fn stored_bytes(&self) -> Result<u64, EngineError> {
        Ok(self.weights(Seed([0; 32]))?.bytes())
    }
}

impl Workload for Decoder {
    fn id(&self) -> &'static str {
        self.phase.id()
    }

    fn unit(&self) -> Unit {
        Unit::Token
    }

    fn shape(&self) -> String {
        spec::write(self)
    }

    fn model_sha256(&self) -> Option<&str> {
        match &self.source {
            Source::Preset(..) => None,
            Source::File { sha256, .. } => Some(sha256),
        }
    }

    /// Every weight once for all tokens that go through the layers together, and what a token attends to.
    fn traffic(&self, _: &Device) -> Option<Traffic> {
        let config = self.config();
        let Config { layers, heads, head_size, vocabulary, width, .. } = *config;
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
        Some(Traffic {
            operations_per_unit: 2.0 * (body + head * heads_per_token) + 4.0 * attended,
            bytes_per_unit: self.stored_bytes().ok()? as f64 / together + cached,
            from_memory: false,
        })
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        let bytes = match self.stored_bytes() {
            Ok(bytes) => bytes + self.config().kv_bytes() * (self.batch * self.context) as u64,
            Err(why) => return Some(why.to_string()),
        };
        match target {
            Target::Cpu(_) => room(bytes).err(),
            Target::Gpu(gpu) => {
                let own = matches!(target.device().class, Class::DiscreteGpu | Class::VirtualGpu);
                let held = if own { Ok(()) } else { room(bytes) };
                held.and_then(|()| GpuEngine::check(gpu, self.config(), self.batch, self.context))
                    .err()
            }
        }
        .map(|why| why.to_string())
    }

    fn has_fixed_batches(&self) -> bool {
        true
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        match target {
            Target::Cpu(_) => vec![Variant::Cpu(crate::workload::matmul::native::id())],
            Target::Gpu(gpu) => {
                let software = gpu.description().class == Class::SoftwareGpu;
                let suits = |choice: &&super::gpu::Choice| software == (choice.workgroup == 8);
                CHOICES.iter().filter(suits).map(Variant::Decoder).collect()
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
                let engine = GpuEngine::new(gpu, &*weights, choice, self.batch, self.context)?;
                let kernel = engine.kernel().clone();
                (Box::new(engine), Some(kernel))
            }
            _ => (Box::new(CpuEngine::new(&*weights, self.batch, self.context)?), None),
        };
        Ok(Box::new(DecoderJob::new(self, weights, engine, kernel, seed)?))
    }
}
