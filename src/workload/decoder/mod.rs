//! Language models: `prefill` processes prompts, `decode` generates tokens. Decoders of the Llama family run on a GPU and on the CPU,
//! behind one trait.

pub mod cpu;
mod engine;
pub mod gpu;
mod job;
mod proof;
mod spec;
mod texts;
mod workload;

pub use engine::{Done, Engine, EngineError, argmax};
pub use proof::{Answers, judge};
pub(super) use spec::{DECODE_EXAMPLE, PREFILL_EXAMPLE, decode, prefill};

use super::Id;
use crate::model::{Config, Gguf, Type};
use std::rc::Rc;

/// Phase of inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Prompts are processed.
    Prefill,
    /// Tokens are generated after prompts that were processed before.
    Decode,
}

impl Phase {
    fn id(self) -> Id {
        match self {
            Phase::Prefill => Id::Prefill,
            Phase::Decode => Id::Decode,
        }
    }
}

/// A model and where its weights come from.
#[derive(Clone)]
struct Model {
    /// A preset's name, or a file's without folder and colons.
    name: String,
    config: Config,
    source: Source,
}

/// Where a model's weights come from.
#[derive(Clone)]
enum Source {
    /// A seed; they are stored in this type.
    Seed(Type),
    /// A file with this digest.
    File { sha256: String, file: Rc<Gguf> },
}

/// `prefill` or `decode` of a model.
#[derive(Clone)]
struct Decoder {
    phase: Phase,
    model: Model,
    /// Batch size in sequences.
    batch: usize,
    /// Prompt tokens per sequence.
    prompt: usize,
    /// Maximum tokens per sequence, prompt and answer together.
    context: usize,
}

impl Decoder {
    /// Tokens that a step processes.
    fn step_tokens(&self) -> usize {
        match self.phase {
            Phase::Prefill => self.batch * self.prompt,
            Phase::Decode => self.batch,
        }
    }

    /// Tokens that a sequence generates until it restarts.
    fn answer_tokens(&self) -> usize {
        match self.phase {
            Phase::Prefill => 1,
            Phase::Decode => self.context - self.prompt,
        }
    }
}
