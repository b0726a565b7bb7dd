//! What a device can hold of a decoder, and how much work it gets at once.

use super::weights::TILE;
use crate::device::Class;
use crate::gpu::Gpu;
use crate::model::Config;
use crate::units::Bytes;
use crate::workload::decoder::engine::EngineError;

/// Rows per prefill chunk, so many that weights are read rarely and a large device is busy; and the operations that a device of this
/// class executes in about 30 ms.
pub(super) fn rows_and_operations(class: Class) -> (usize, u64) {
    match class {
        Class::SoftwareGpu | Class::VirtualGpu | Class::Cpu => (128, 1_000_000_000),
        Class::IntegratedGpu => (512, 20_000_000_000),
        Class::DiscreteGpu => (512, 200_000_000_000),
    }
}

/// Numbers in a layer's KV cache.
pub(super) fn cache_numbers(config: &Config, batch: usize, context: usize) -> usize {
    batch * context * config.kv_heads * config.head_dim
}

/// Bytes of the logits, in whole tiles.
pub(super) fn logits_bytes(config: &Config, batch: usize) -> u64 {
    4 * (batch * config.vocab_size.next_multiple_of(TILE)) as u64
}

/// Checks what the kernels require of a model, and that its data fits the bindings.
///
/// # Errors
/// If this device does not support it.
pub(in crate::workload::decoder) fn check(
    gpu: &Gpu,
    config: &Config,
    batch: usize,
    context: usize,
) -> Result<(), EngineError> {
    let Config { hidden_size, intermediate_size, heads, kv_heads, head_dim, .. } = *config;
    let unsupported = |why: String| Err(EngineError::Unsupported(why));
    for (what, width) in [
        ("width", hidden_size),
        ("inner width", intermediate_size),
        ("heads together", heads * head_dim),
    ] {
        if !width.is_multiple_of(32) {
            return unsupported(format!("the model's {what} of {width} is no multiple of 32"));
        }
    }
    if !head_dim.is_multiple_of(8) || head_dim > 128 || !heads.is_multiple_of(kv_heads) {
        return unsupported(format!(
            "{heads} heads of {head_dim} with {kv_heads} of keys: heads of up to 128 in eights are supported"
        ));
    }
    let (cache, limit) = (4 * cache_numbers(config, batch, context) as u64, gpu.largest_texture());
    if cache > limit {
        return unsupported(format!(
            "keys and values of a layer need {}, a binding holds {}: take a shorter context or a smaller batch",
            Bytes(cache),
            Bytes(limit)
        ));
    }
    let (logits, limit) = (logits_bytes(config, batch), gpu.details().limits.storage_binding);
    if logits > limit.0 {
        return unsupported(format!(
            "logits need {}, a binding holds {limit}: take a smaller batch",
            Bytes(logits)
        ));
    }
    Ok(())
}
