//! Recomputes the recorded tokens of a result on the CPU: each must have the largest logit, or one so close that rounding may decide.

use super::cpu::CpuEngine;
use super::engine::{Engine, EngineError};
use super::spec;
use super::texts::{BOUND, Texts};
use crate::oracle::Verdict;
use crate::seed::Seed;
use crate::workload::Id;
use anyhow::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Tokens that the first sequence generated, the first ones of each window. Prompt and forced tokens follow from the seed: SplitMix64's
/// output for a key and an index, modulo the vocabulary. The key is the first 8 bytes of SHA-256 of the row's seed and a name. Token i of
/// the prompt has the name `prompt 0`; the forced token of window W is token W of `told 0`, for `prefill` instead of the prompt's first
/// token, for `decode` after the prompt. Each generated token has the largest logit, or one so close that rounding may decide. The
/// weights of a preset are elements as of a product's tensors, under the names of the model's tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Answers {
    /// Up to 8 tokens per window.
    pub tokens: Vec<Vec<u32>>,
}

/// Judges the recorded answers of a row's first sequence. `spec` is the row's workload; `file` is the model's file, if it has one.
///
/// # Errors
/// One line if the model cannot be loaded.
pub fn judge(spec: &str, seed: Seed, file: Option<&Path>, answers: &Answers) -> Result<Verdict> {
    let decoder = spec::whole(spec, file)?;
    let weights = decoder.weights(seed)?;
    let mut engine = CpuEngine::new(&*weights, 1, decoder.context)?;
    let texts = Texts { seed, vocabulary: decoder.model.config.vocab_size };
    let prompt = texts.prompts(0..1, decoder.prompt).remove(0);
    // The logits after more tokens from a position on.
    let mut logits_after = |position, tokens: &[u32]| -> Result<Vec<f32>, EngineError> {
        engine.rewind(position)?;
        engine.submit_prefill(&[tokens.to_vec()])?;
        Ok(engine.logits()?.remove(0))
    };
    if decoder.id == Id::Decode {
        logits_after(0, &prompt)?;
    }
    let (mut checked, mut worst) = (0, 0.0f64);
    for (window, tokens) in answers.tokens.iter().enumerate() {
        let forced = texts.forced(0, window as u32);
        for (i, token) in tokens.iter().enumerate() {
            let logits = match (decoder.id, i) {
                (Id::Prefill, 0) => logits_after(0, &[&[forced], &prompt[1..]].concat())?,
                (Id::Decode, 0) => logits_after(decoder.prompt, &[forced])?,
                (Id::Decode, _) if i < decoder.context - decoder.prompt => {
                    logits_after(decoder.prompt + i, &[tokens[i - 1]])?
                }
                _ => return Ok(Verdict::Disagrees(format!("window {window} has too many tokens"))),
            };
            let Some(logit) = logits.get(*token as usize) else {
                return Ok(Verdict::Disagrees(format!("there is no token {token}")));
            };
            let squares: f64 = logits.iter().map(|x| f64::from(x * x)).sum();
            let spread = (squares / logits.len() as f64).sqrt();
            let largest = logits.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
            // Both the largest logit and this one may be off.
            let share = f64::from(largest - logit) / (2.0 * BOUND * spread);
            if share.is_nan() || share > 1.0 {
                return Ok(Verdict::Disagrees(format!(
                    "token {} of window {window} is not what the model answers",
                    i + 1
                )));
            }
            (checked, worst) = (checked + 1, worst.max(share));
        }
    }
    Ok(Verdict::Agrees { checked, worst })
}
