//! Metadata that makes a decoder compute more than a plain Llama or Qwen2. A file with such metadata is rejected, unless the output is
//! the same without it.

use super::header::{Outcome, Value, wrong};
use std::collections::BTreeMap;

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

/// These preserve the order of logits, so the chosen tokens are the same without them.
const MONOTONIC: &[&str] = &["final_logit_softcapping", "logit_scale"];

/// Rejects a model that computes more than a plain decoder with heads of `head_size` elements.
pub(super) fn check(
    values: &BTreeMap<String, Value>,
    architecture: &str,
    head_size: usize,
) -> Outcome<()> {
    let value = |key: &str| values.get(&format!("{architecture}.{key}"));
    let refuse = |key: &str, what: &str| {
        wrong(format!(
            "the GGUF's model {what} ({architecture}.{key}), which rigbench does not compute: take a plain Llama or Qwen2 model"
        ))
    };
    for (key, neutral, what) in FEATURES {
        if !value(key).is_none_or(|value| is_near(value, *neutral)) {
            return refuse(key, what);
        }
    }
    let usual = 1.0 / (head_size as f64).sqrt();
    if !value("attention.scale").is_none_or(|value| is_near(value, usual)) {
        return refuse("attention.scale", "scales attention scores in its own way");
    }
    for key in MONOTONIC {
        if !value(key).is_none_or(|value| number(value).is_some_and(|number| number >= 0.0)) {
            return refuse(key, "changes the order of logits");
        }
    }
    Ok(())
}

/// Whether a value is 0, which turns the feature off, or `neutral` up to rounding to f32.
fn is_near(value: &Value, neutral: f64) -> bool {
    let number = number(value);
    number.is_some_and(|number| number == 0.0 || (number - neutral).abs() <= 1e-6 * neutral)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Whole(number) => Some(*number as f64),
        Value::Real(number) => Some(*number),
        _ => None,
    }
}
