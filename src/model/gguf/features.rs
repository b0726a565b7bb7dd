//! Metadata that makes a decoder compute more than a plain Llama or Qwen2. A file with such metadata is rejected, unless the output is
//! the same without it.

use super::header::Header;
use anyhow::{Result, bail};

/// A key after the architecture's name, the value besides 0 that has no effect, and the effect of other values.
const FEATURES: &[(&str, f64, &str)] = &[
    ("attention.clamp_kqv", 0.0, "clamps queries, keys and values"),
    ("attention.max_alibi_bias", 0.0, "biases attention by distance (ALiBi)"),
    ("attention.temperature_scale", 0.0, "scales attention by position"),
    ("attn_logit_softcapping", 0.0, "caps attention scores"),
    ("embedding_scale", 1.0, "scales embeddings"),
    ("residual_scale", 1.0, "scales the residual stream"),
    ("rope.scaling.attn_factor", 1.0, "scales attention (YaRN)"),
];

/// If positive, these preserve the order of logits, so the chosen tokens are the same without them.
const MONOTONIC: &[&str] = &["final_logit_softcapping", "logit_scale"];

/// Rejects a model that computes more than a plain decoder with heads of `head_dim` elements.
pub(super) fn check(header: &Header, architecture: &str, head_dim: usize) -> Result<()> {
    let refuse_unless = |key: &str, is_harmless: &dyn Fn(f64) -> bool, what: &str| {
        let key = format!("{architecture}.{key}");
        match header.values.get(&key) {
            Some(value) if !value.number().is_some_and(is_harmless) => bail!(
                "the GGUF's model {what} ({key}), which rigbench does not compute: take a plain Llama or Qwen2 model"
            ),
            _ => Ok(()),
        }
    };
    let scale = 1.0 / (head_dim as f64).sqrt();
    let scale = ("attention.scale", scale, "scales attention scores in its own way");
    for (key, neutral, what) in FEATURES.iter().chain([&scale]) {
        // 0 turns a feature off; other values were rounded to f32.
        let is_neutral = |n: f64| n == 0.0 || (n - neutral).abs() <= 1e-6 * neutral;
        refuse_unless(key, &is_neutral, what)?;
    }
    for key in MONOTONIC {
        refuse_unless(key, &|number| number >= 0.0, "changes the order of logits")?;
    }
    Ok(())
}
