//! Tokens: `prefill` takes in prompts, `decode` writes answers. Decoders of the Llama family run on a GPU and on the processor,
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

/// What is done with tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Prompts are taken in.
    Prefill,
    /// Answers are written, after prompts that were taken in before.
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

/// Where a model comes from.
enum Source {
    /// Its name and figures, and how its weights, which follow from the seed, are stored.
    Preset(&'static str, Config, Type),
    /// A file: its label, which has no folder and no colon, and its digest.
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
    /// Sequences side by side.
    batch: usize,
    /// Tokens of a prompt.
    prompt: usize,
    /// Tokens of a prompt and its answer.
    context: usize,
}

/// Why a decoder cannot be had, or cannot go on.
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
        /// What they need.
        needed: Bytes,
        /// What there is.
        there: memory::Limit,
    },
    /// The device was full before all was there.
    #[error("the model and its cache need {needed}, and the device was full before all was there")]
    Full {
        /// What they need.
        needed: Bytes,
    },
    /// The device or the kernels cannot do it.
    #[error("{0}")]
    Unsupported(String),
}

/// A step that is done.
#[derive(Clone, Debug)]
pub struct Done {
    /// The next token of each sequence, as the model would have it: the first of those with the largest logit.
    pub tokens: Vec<u32>,
    /// Time on the device's own clock, where it has one.
    pub gpu_seconds: Option<Seconds>,
}

/// A model on a device with a cache for some sequences, all of the same length. Steps run in the order of their submission.
pub trait Engine {
    /// The model's figures.
    fn config(&self) -> &Config;

    /// Tokens of each sequence that the cache holds once all that was submitted is done.
    fn position(&self) -> usize;

    /// Goes on from `position`: what the cache holds behind it is forgotten.
    ///
    /// # Errors
    /// If the device fails.
    fn rewind(&mut self, position: usize) -> Result<(), EngineError>;

    /// Hands over texts, one for each sequence and all as long, that go on from where the cache ends; the logits are those of
    /// their last tokens.
    ///
    /// # Panics
    /// If there is not one text for each sequence, or if they are empty, of unlike length or longer than the context has
    /// room for.
    ///
    /// # Errors
    /// If the device fails.
    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError>;

    /// Hands over one more token of each sequence: those that the step before chose, or others.
    ///
    /// # Panics
    /// If the context is full, or if there is not one token for each sequence.
    ///
    /// # Errors
    /// If the device fails.
    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError>;

    /// Blocks until the oldest step is done; `None` if nothing is in flight.
    ///
    /// # Errors
    /// If the device fails.
    fn wait(&mut self) -> Result<Option<Done>, EngineError>;

    /// The logits of the last step, a row of the vocabulary for each sequence. Waits for all that is in flight.
    ///
    /// # Errors
    /// If the device fails.
    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Overwrites all that steps leave behind with what is no number, and the tokens with what is none, so that only what is
    /// computed afterwards can look right. Position 0 comes next.
    ///
    /// # Errors
    /// If the device fails.
    fn poison(&mut self) -> Result<(), EngineError>;
}

/// # Panics
/// As [`Engine::submit_prefill`] says.
fn check_texts(texts: &[Vec<u32>], batch: usize, room: usize) {
    let length = texts[0].len();
    assert!(texts.len() == batch && texts.iter().all(|text| text.len() == length));
    assert!((1..=room).contains(&length), "{length} tokens where there is room for {room}");
}

/// The token with the largest logit, the first of several.
pub fn first_of_the_largest(logits: &[f32]) -> u32 {
    let mut best = 0;
    for (token, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = token;
        }
    }
    best as u32
}

/// Whether this process may take so many bytes now.
fn room(needed: u64) -> Result<(), EngineError> {
    memory::check_now(Bytes(needed))
        .map_err(|memory::NoRoom { needed, there }| EngineError::TooLarge { needed, there })
}
