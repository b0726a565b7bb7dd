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
pub(super) use spec::parse;

use super::Id;
use crate::model::{Config, Gguf, Type};
use std::rc::Rc;

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
    /// A file with this path and digest.
    File { path: String, sha256: String, file: Rc<Gguf> },
}

/// `prefill` or `decode` of a model.
#[derive(Clone)]
struct Decoder {
    /// [`Id::Prefill`], or [`Id::Decode`] after prompts that were processed before.
    id: Id,
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
        if self.id == Id::Prefill { self.batch * self.prompt } else { self.batch }
    }

    /// Tokens that a sequence generates until it restarts.
    fn answer_tokens(&self) -> usize {
        if self.id == Id::Prefill { 1 } else { self.context - self.prompt }
    }
}
