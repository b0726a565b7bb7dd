//! Recomputes the recorded tokens of a result on the CPU: each must have the largest logit, or one so close that rounding may decide.

use super::cpu::CpuEngine;
use super::job::{BOUND, Texts};
use super::{Engine, Phase, spec};
use crate::oracle::Verdict;
use crate::seed::Seed;
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

/// Why answers could not be judged, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CannotJudge(String);

fn because(why: impl ToString) -> CannotJudge {
    CannotJudge(why.to_string())
}

/// Judges the recorded answers of a row's first sequence. `spec` is the row's workload; `file` is the model's file, if it has one.
///
/// # Errors
/// If the model cannot be loaded.
pub fn judge(
    spec: &str,
    seed: Seed,
    file: Option<&Path>,
    answers: &Answers,
) -> Result<Verdict, CannotJudge> {
    let decoder = spec::whole(spec, file).map_err(because)?;
    let weights = decoder.weights(seed).map_err(because)?;
    let mut engine = CpuEngine::new(&*weights, 1, decoder.context).map_err(because)?;
    let texts = Texts { seed, vocabulary: weights.config().vocab_size };
    let prompt: Vec<u32> = (0..decoder.prompt).map(|i| texts.prompt(0, i)).collect();
    let mut run = Run { engine: &mut engine };
    if decoder.phase == Phase::Decode {
        run.prefill(0, &prompt)?;
    }
    let mut checked = 0;
    let mut worst = 0.0f64;
    for (window, tokens) in answers.tokens.iter().enumerate() {
        let forced = texts.told(0, window as u32);
        for (i, token) in tokens.iter().enumerate() {
            let logits = match (decoder.phase, i) {
                (Phase::Prefill, 0) => run.prefill(0, &[&[forced], &prompt[1..]].concat())?,
                (Phase::Decode, 0) => run.prefill(decoder.prompt, &[forced])?,
                (Phase::Decode, _) if i < decoder.context - decoder.prompt => {
                    run.prefill(decoder.prompt + i, &[tokens[i - 1]])?
                }
                _ => return Ok(Verdict::Disagrees(format!("window {window} has too many tokens"))),
            };
            let Some(logit) = logits.get(*token as usize) else {
                return Ok(Verdict::Disagrees(format!("there is no token {token}")));
            };
            let spread =
                (logits.iter().map(|x| f64::from(x * x)).sum::<f64>() / logits.len() as f64).sqrt();
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

struct Run<'a> {
    engine: &'a mut dyn Engine,
}

impl Run<'_> {
    /// The logits after processing more tokens.
    fn prefill(&mut self, position: usize, tokens: &[u32]) -> Result<Vec<f32>, CannotJudge> {
        self.engine.rewind(position).map_err(because)?;
        self.engine.submit_prefill(&[tokens.to_vec()]).map_err(because)?;
        let mut logits = self.engine.logits().map_err(because)?;
        Ok(logits.remove(0))
    }
}
