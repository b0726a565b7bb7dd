//! A decoder as a job: a batch is one step of all sequences. Each window begins with its own forced tokens, so that state of earlier
//! windows cannot pass for its work; its output is checked by recomputing it in another way.

use super::{Answers, Decoder, Engine, EngineError, Phase};
use crate::kernels::{Arithmetic, Kernel};
use crate::model::Weights;
use crate::oracle::Verdict;
use crate::oracle::decoder::forward;
use crate::seed::{Seed, mix};
use crate::units::Work;
use crate::workload::{Batch, Job, JobError, Proof};
use std::collections::VecDeque;
use std::rc::Rc;

/// For a check, tokens that are processed one by one where the others are processed together.
const SINGLE_STEP_TOKENS: usize = 2;
/// Tokens of the text that is compared with the reference.
const CHECKED: usize = 5;
/// Maximum error of a logit, relative to the root mean square of the logits: the KV cache is f16, which has 11 bits, and its rounding
/// goes through all layers.
pub(super) const BOUND: f64 = 0.02;
/// Tokens per window in the proof.
const RECORDED: usize = 8;

/// Prompts and the forced tokens of windows, as functions of the seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts {
    pub(super) seed: Seed,
    pub(super) vocabulary: usize,
}

impl Texts {
    /// A sequence's prompt token at a position.
    pub(super) fn prompt(&self, sequence: usize, position: usize) -> u32 {
        self.token(&format!("prompt {sequence}"), position as u64)
    }

    /// A sequence's forced token of a window: after its prompt (decode), or instead of its first token (prefill).
    pub(super) fn told(&self, sequence: usize, window: u32) -> u32 {
        self.token(&format!("told {sequence}"), window.into())
    }

    fn token(&self, name: &str, index: u64) -> u32 {
        (mix(self.seed.key(name), index) % self.vocabulary as u64) as u32
    }
}

/// Saved output of a closed window.
struct SavedWindow {
    /// Tokens of every sequence after the prompt, forced and chosen, without the last choice.
    tokens: Vec<Vec<u32>>,
    logits: Vec<Vec<f32>>,
}

/// A decoder as a job.
pub(super) struct DecoderJob {
    phase: Phase,
    batch: usize,
    prompt: usize,
    context: usize,
    weights: Rc<dyn Weights>,
    engine: Box<dyn Engine>,
    kernel: Option<Kernel>,
    texts: Texts,
    /// The open window, or the last one.
    window: u32,
    /// Whether the next step restarts after the prompt.
    restart: bool,
    /// For each step in flight, whether it restarted.
    in_flight: VecDeque<bool>,
    /// Tokens that each sequence chose since the last restart.
    chosen: Vec<Vec<u32>>,
    saved: VecDeque<SavedWindow>,
    /// First tokens that the first sequence generated in each window.
    answers: Vec<Vec<u32>>,
    /// Whether a window is open.
    open: bool,
}

impl DecoderJob {
    pub(super) fn new(
        decoder: &Decoder,
        weights: Rc<dyn Weights>,
        engine: Box<dyn Engine>,
        kernel: Option<Kernel>,
        seed: Seed,
    ) -> Result<DecoderJob, JobError> {
        let Decoder { phase, batch, prompt, context, .. } = *decoder;
        let vocabulary = weights.config().vocab_size;
        let mut job = DecoderJob {
            phase,
            batch,
            prompt,
            context,
            weights,
            engine,
            kernel,
            texts: Texts { seed, vocabulary },
            window: 0,
            restart: true,
            in_flight: VecDeque::new(),
            chosen: vec![Vec::new(); batch],
            saved: VecDeque::new(),
            answers: Vec::new(),
            open: false,
        };
        job.prefill_prompts()?;
        Ok(job)
    }

    /// The prompts of this window.
    fn prompts(&self) -> Vec<Vec<u32>> {
        let mut prompts: Vec<Vec<u32>> = (0..self.batch)
            .map(|s| (0..self.prompt).map(|i| self.texts.prompt(s, i)).collect())
            .collect();
        if self.phase == Phase::Prefill {
            prompts
                .iter_mut()
                .zip(self.forced_tokens())
                .for_each(|(prompt, token)| prompt[0] = token);
        }
        prompts
    }

    fn forced_tokens(&self) -> Vec<u32> {
        (0..self.batch).map(|s| self.texts.told(s, self.window)).collect()
    }

    /// Prefills the KV cache with the prompts; decoding begins after them.
    fn prefill_prompts(&mut self) -> Result<(), JobError> {
        self.engine.rewind(0)?;
        self.engine.submit_prefill(&self.prompts())?;
        self.engine.wait()?;
        self.restart = true;
        Ok(())
    }

    /// Logits after more tokens of each sequence from a position on, first `together`, then `one_by_one`.
    fn logits(
        &mut self,
        position: usize,
        together: &[Vec<u32>],
        one_by_one: &[Vec<u32>],
    ) -> Result<Vec<Vec<f32>>, JobError> {
        self.engine.rewind(position)?;
        self.engine.submit_prefill(together)?;
        self.engine.wait()?;
        for i in 0..one_by_one.first().map_or(0, Vec::len) {
            let tokens: Vec<u32> = one_by_one.iter().map(|tokens| tokens[i]).collect();
            self.engine.submit(Some(&tokens))?;
            self.engine.wait()?;
        }
        self.restart = true;
        Ok(self.engine.logits()?)
    }
}

/// Maximum error of logits as a share of [`BOUND`] times their root mean square; infinite for NaN.
pub(super) fn error_share(is: &[f32], should_be: impl Iterator<Item = f64> + Clone) -> f64 {
    let (mut squares, mut count) = (0.0, 0.0);
    should_be.clone().for_each(|x| (squares, count) = (squares + x * x, count + 1.0));
    let allowed = BOUND * f64::sqrt(squares / count);
    is.iter().zip(should_be).fold(0.0, |worst: f64, (is, should_be)| {
        let error = (f64::from(*is) - should_be).abs() / allowed;
        if error <= worst {
            worst
        } else if error.is_nan() {
            f64::INFINITY
        } else {
            error
        }
    })
}

fn verdict(worst: f64, checked: u64, what: impl FnOnce() -> String) -> Verdict {
    match worst <= 1.0 {
        true => Verdict::Agrees { checked, worst },
        false => Verdict::Disagrees(what()),
    }
}

impl Job for DecoderJob {
    /// Compares a short text of the last sequence with a forward pass in f64: some tokens are processed together, the rest one by one.
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.engine.poison()?;
        let checked = CHECKED.min(self.context);
        let texts: Vec<Vec<u32>> = (0..self.batch)
            .map(|s| (0..checked).map(|i| self.texts.prompt(s, i)).collect())
            .collect();
        let cut = checked - (checked - 1).min(SINGLE_STEP_TOKENS);
        let part = |from: usize, to: usize| -> Vec<Vec<u32>> {
            texts.iter().map(|text| text[from..to].to_vec()).collect()
        };
        let logits = self.logits(0, &part(0, cut), &part(cut, checked))?;
        let last = self.batch - 1;
        let reference = forward(&*self.weights, &texts[last]).map_err(EngineError::from)?;
        let row = reference.logits.row(checked - 1);
        let worst = error_share(&logits[last], row.iter().copied());
        self.engine.poison()?;
        self.prefill_prompts()?;
        Ok(verdict(worst, row.len() as u64, || {
            format!("logits are {worst:.1} times as far from the reference as rounding explains")
        }))
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.kernel.as_ref()
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        Some(self.kernel.as_ref().map_or(Arithmetic::F32, Kernel::arithmetic))
    }

    /// The length of a step is fixed.
    fn resize(&mut self, _: f64) {}

    fn submit(&mut self) -> Result<(), JobError> {
        match self.phase {
            Phase::Prefill => {
                self.engine.rewind(0)?;
                self.engine.submit_prefill(&self.prompts())?;
                self.in_flight.push_back(true);
            }
            Phase::Decode => {
                let restart = self.restart || self.engine.position() >= self.context;
                self.restart = false;
                if restart {
                    self.engine.rewind(self.prompt)?;
                }
                let forced = restart.then(|| self.forced_tokens());
                self.engine.submit(forced.as_deref())?;
                self.in_flight.push_back(restart);
            }
        }
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let done = self.engine.wait()?.expect("a step was submitted");
        if self.in_flight.pop_front().expect("likewise") {
            self.chosen.iter_mut().for_each(Vec::clear);
        }
        self.chosen.iter_mut().zip(&done.tokens).for_each(|(chosen, token)| chosen.push(*token));
        let tokens = match self.phase {
            Phase::Prefill => self.batch * self.prompt,
            Phase::Decode => self.batch,
        };
        let recorded = RECORDED.min(self.answer_length());
        if let Some(answer) = self.answers.last_mut().filter(|_| self.open)
            && answer.len() < recorded
        {
            answer.push(done.tokens[0]);
        }
        Ok(Batch { work: Work(tokens as u64), gpu_seconds: done.gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.window = window;
        self.restart = true;
        self.open = true;
        self.answers.truncate(window as usize);
        self.answers.push(Vec::new());
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.open = false;
        let tokens = match self.phase {
            Phase::Prefill => Vec::new(),
            Phase::Decode => {
                let forced = self.forced_tokens().into_iter().zip(&self.chosen);
                forced
                    .map(|(token, chosen)| [&[token], &chosen[..chosen.len() - 1]].concat())
                    .collect()
            }
        };
        self.saved.push_back(SavedWindow { tokens, logits: self.engine.logits()? });
        Ok(())
    }

    /// Recomputes the window's last logits in another way: of decoding, by processing all its tokens together; of a prompt, by processing
    /// its last tokens one by one.
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let SavedWindow { tokens, logits } = self.saved.pop_front().expect("the window was closed");
        self.window = window;
        let recomputed = match self.phase {
            Phase::Decode => self.logits(self.prompt, &tokens, &[])?,
            Phase::Prefill => {
                let cut = self.prompt - SINGLE_STEP_TOKENS.min(self.prompt - 1);
                let prompts = self.prompts();
                let part = |from: usize, to: usize| -> Vec<Vec<u32>> {
                    prompts.iter().map(|prompt| prompt[from..to].to_vec()).collect()
                };
                self.logits(0, &part(0, cut), &part(cut, self.prompt))?
            }
        };
        let worst = logits.iter().zip(&recomputed).fold(0.0f64, |worst, (is, recomputed)| {
            worst.max(error_share(is, recomputed.iter().map(|x| f64::from(*x))))
        });
        let checked = logits.iter().map(|row| row.len() as u64).sum();
        Ok(verdict(worst, checked, || {
            format!("computed again, logits are {worst:.1} times as far away as rounding explains")
        }))
    }

    fn proof(&self, windows: usize) -> Option<Proof> {
        let tokens = self.answers[..windows.min(self.answers.len())].to_vec();
        Some(Proof::Answers(Answers { tokens }))
    }
}

impl DecoderJob {
    /// Tokens until a sequence restarts.
    fn answer_length(&self) -> usize {
        match self.phase {
            Phase::Prefill => 1,
            Phase::Decode => self.context - self.prompt,
        }
    }
}
