//! The interface of a decoder on a device, and what its implementations share.

use crate::device::memory::InsufficientMemory;
use crate::gpu::GpuError;
use crate::kernels::KernelError;
use crate::model::{Matrix, ModelError, Part, Tensor, Weights};
use crate::units::{Bytes, Seconds};

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
    #[error("the model and its cache need {}, {}", .0.needed, .0.available)]
    TooLarge(InsufficientMemory),
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

/// Without the source: its message says the same.
impl From<InsufficientMemory> for EngineError {
    fn from(error: InsufficientMemory) -> EngineError {
        EngineError::TooLarge(error)
    }
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
///
/// # Errors
/// All methods fail if the device fails.
pub trait Engine {
    /// Tokens per sequence in the KV cache once all submissions are done.
    fn position(&self) -> usize;

    /// Continues from `position` and discards later positions of the KV cache.
    fn rewind(&mut self, position: usize) -> Result<(), EngineError>;

    /// Submits texts of equal length, one per sequence, that continue from the end of the KV cache. The logits are those of their last
    /// tokens.
    ///
    /// # Panics
    /// If there is not one text per sequence, or if texts are empty, of unequal length or exceed the context.
    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError>;

    /// Submits one more token per sequence: those that the step before chose, or forced ones.
    ///
    /// # Panics
    /// If the context is full, or if there is not one token per sequence.
    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError>;

    /// Blocks until the oldest step is done; `None` if nothing is in flight.
    fn wait(&mut self) -> Result<Option<Done>, EngineError>;

    /// Logits of the last step, one row of the vocabulary per sequence. Waits for everything in flight.
    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Overwrites all state with NaN, and the tokens with invalid ones, so that only what is computed afterwards can be right.
    fn poison(&mut self) -> Result<(), EngineError>;
}

/// # Panics
/// As [`Engine::submit_prefill`].
pub(super) fn check_texts(texts: &[Vec<u32>], batch: usize, room: usize) {
    let length = texts[0].len();
    assert!(texts.len() == batch && texts.iter().all(|text| text.len() == length));
    assert!((1..=room).contains(&length), "{length} tokens where there is room for {room}");
}

/// Argmax of the logits; the first on ties.
pub fn argmax(logits: &[f32]) -> u32 {
    (1..logits.len()).fold(0, |best, i| if logits[i] > logits[best] { i } else { best }) as u32
}

/// Several matrices of a layer.
pub(super) fn matrices(
    weights: &dyn Weights,
    layer: usize,
    parts: &[Part],
) -> Result<Vec<Matrix>, ModelError> {
    parts.iter().map(|part| weights.matrix(Tensor::Layer(layer, *part))).collect()
}

/// Q, K and V biases of a layer, one after the other; none if the model has none.
pub(super) fn biases(weights: &dyn Weights, layer: usize) -> Result<Vec<Vec<f32>>, ModelError> {
    let parts = [Part::QueryBias, Part::KeyBias, Part::ValueBias];
    let parts = parts.into_iter().filter(|_| weights.config().qkv_bias);
    parts.map(|part| weights.vector(Tensor::Layer(layer, part))).collect()
}
