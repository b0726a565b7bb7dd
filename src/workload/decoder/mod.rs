//! Language models: `prefill` processes prompts, `decode` generates tokens. Decoders of the Llama family run on a GPU and on the CPU,
//! behind one trait.

pub mod cpu;
pub mod gpu;
mod job;
mod named;
mod proof;
mod spec;
mod workload;

pub use proof::{Answers, judge};
pub(super) use spec::{DECODE_EXAMPLE, PREFILL_EXAMPLE, decode, prefill};

use super::Id;
use crate::device::memory;
use crate::gpu::GpuError;
use crate::kernels::KernelError;
use crate::model::{Config, Gguf, ModelError, Type, Weights};
use crate::units::{Bytes, Seconds};
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

    fn example(self) -> &'static str {
        match self {
            Phase::Prefill => PREFILL_EXAMPLE,
            Phase::Decode => DECODE_EXAMPLE,
        }
    }
}

/// Source of a model.
enum Source {
    /// Name, hyperparameters and storage type of the weights, which are seeded.
    Preset(&'static str, Config, Type),
    /// A file: its label without folder and colons, and its digest.
    File { name: String, sha256: String, file: Rc<Gguf> },
}

impl Source {
    /// The preset's name or the file's label.
    fn name(&self) -> &str {
        match self {
            Source::Preset(name, ..) => name,
            Source::File { name, .. } => name,
        }
    }

    fn config(&self) -> &Config {
        match self {
            Source::Preset(_, config, _) => config,
            Source::File { file, .. } => file.config(),
        }
    }
}

/// `prefill` or `decode` of a model.
struct Decoder {
    phase: Phase,
    source: Source,
    /// Batch size in sequences.
    batch: usize,
    /// Prompt tokens per sequence.
    prompt: usize,
    /// Maximum tokens per sequence, prompt and answer together.
    context: usize,
}

/// A decoder cannot be prepared, or cannot continue.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The GPU failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// A kernel does not build.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The weights cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The device has no room for the model and its cache.
    #[error("the model and its cache need {needed}, {there}")]
    TooLarge {
        /// Memory needed.
        needed: Bytes,
        /// Memory available.
        there: memory::Limit,
    },
    /// The device ran out of memory while the model was loaded.
    #[error("the model and its cache need {needed}, and the device was full before all was there")]
    Full {
        /// Memory needed.
        needed: Bytes,
    },
    /// The device or the kernels do not support the model.
    #[error("{0}")]
    Unsupported(String),
}

/// A finished step.
#[derive(Clone, Debug)]
pub struct Done {
    /// Next token of each sequence by greedy decoding: the argmax of its logits, the first on ties.
    pub tokens: Vec<u32>,
    /// Time on the device's clock, if it supports timestamps.
    pub gpu_seconds: Option<Seconds>,
}

/// A model on a device with a KV cache for some sequences of equal length. Steps run in submission order.
pub trait Engine {
    /// The model's hyperparameters.
    fn config(&self) -> &Config;

    /// Tokens per sequence in the KV cache once all submissions are done.
    fn position(&self) -> usize;

    /// Continues from `position` and discards later positions of the KV cache.
    ///
    /// # Errors
    /// If the device fails.
    fn rewind(&mut self, position: usize) -> Result<(), EngineError>;

    /// Submits texts of equal length, one per sequence, that continue from the end of the KV cache. The logits are those of their last
    /// tokens.
    ///
    /// # Panics
    /// If there is not one text per sequence, or if texts are empty, of unequal length or exceed the context.
    ///
    /// # Errors
    /// If the device fails.
    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError>;

    /// Submits one more token per sequence: those that the step before chose, or forced ones.
    ///
    /// # Panics
    /// If the context is full, or if there is not one token per sequence.
    ///
    /// # Errors
    /// If the device fails.
    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError>;

    /// Blocks until the oldest step is done; `None` if nothing is in flight.
    ///
    /// # Errors
    /// If the device fails.
    fn wait(&mut self) -> Result<Option<Done>, EngineError>;

    /// Logits of the last step, one row of the vocabulary per sequence. Waits for everything in flight.
    ///
    /// # Errors
    /// If the device fails.
    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Overwrites all state with NaN, and the tokens with invalid ones, so that only what is computed afterwards can be right. The next
    /// position is 0.
    ///
    /// # Errors
    /// If the device fails.
    fn poison(&mut self) -> Result<(), EngineError>;
}

/// # Panics
/// As [`Engine::submit_prefill`].
fn check_texts(texts: &[Vec<u32>], batch: usize, room: usize) {
    let length = texts[0].len();
    assert!(texts.len() == batch && texts.iter().all(|text| text.len() == length));
    assert!((1..=room).contains(&length), "{length} tokens where there is room for {room}");
}

/// Argmax of the logits; the first on ties.
pub fn argmax(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

/// Checks that this process can allocate `needed` bytes now.
fn room(needed: u64) -> Result<(), EngineError> {
    memory::check_now(Bytes(needed)).map_err(|memory::InsufficientMemory { needed, there }| {
        EngineError::TooLarge { needed, there }
    })
}
