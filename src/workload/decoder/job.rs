//! Tokens as a job: a batch is one step of all sequences. Each window begins with tokens of its own, so that what windows
//! before it left behind cannot pass for its work; what it put out is computed again on another way.

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

/// Tokens that are taken in one by one where the rest is taken in together, for a check.
const BESIDES: usize = 2;
/// Tokens of the text that is compared with the reference.
const CHECKED: usize = 5;
/// A logit's distance from the reference, as a share of the spread of logits: keys and values are kept in f16, which has 11
/// bits, and what that changes goes through all layers.
pub(super) const BOUND: f64 = 0.02;
/// Tokens of a window that go into the proof.
const SHOWN: usize = 8;

/// Prompts and the tokens that windows begin with, as functions of the seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts {
    pub(super) seed: Seed,
    pub(super) vocabulary: usize,
}

impl Texts {
    /// The token of a sequence at a position of its prompt.
    pub(super) fn prompt(&self, sequence: usize, position: usize) -> u32 {
        self.token(&format!("prompt {sequence}"), position as u64)
    }

    /// What a sequence is told after its prompt in a window (decode), or instead of its first token (prefill).
    pub(super) fn told(&self, sequence: usize, window: u32) -> u32 {
        self.token(&format!("told {sequence}"), window.into())
    }

    fn token(&self, name: &str, index: u64) -> u32 {
        (mix(self.seed.key(name), index) % self.vocabulary as u64) as u32
    }
}

/// What a closed window leaves behind.
struct Kept {
    /// What every sequence was told and chose after the prompt, but for the last choice.
    since: Vec<Vec<u32>>,
    logits: Vec<Vec<f32>>,
}

/// Tokens on some device.
pub(super) struct DecoderJob {
    phase: Phase,
    batch: usize,
    prompt: usize,
    context: usize,
    weights: Rc<dyn Weights>,
    engine: Box<dyn Engine>,
    kernel: Option<Kernel>,
    texts: Texts,
    /// The window under way, or the last one.
    window: u32,
    /// Whether the next step begins again after the prompt.
    again: bool,
    /// Of each step in flight, whether it began again.
    in_flight: VecDeque<bool>,
    /// Of each sequence, what it chose since it last began again.
    chosen: Vec<Vec<u32>>,
    kept: VecDeque<Kept>,
    /// Of each window, what the first sequence chose first.
    /// Of each window, the tokens of the first sequence that came first.
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
        let vocabulary = weights.config().vocabulary;
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
            again: true,
            in_flight: VecDeque::new(),
            chosen: vec![Vec::new(); batch],
            kept: VecDeque::new(),
            answers: Vec::new(),
            open: false,
        };
        job.take_in_prompts()?;
        Ok(job)
    }

    /// The prompts, as this window has them.
    fn prompts(&self) -> Vec<Vec<u32>> {
        let mut prompts: Vec<Vec<u32>> = (0..self.batch)
            .map(|s| (0..self.prompt).map(|i| self.texts.prompt(s, i)).collect())
            .collect();
        if self.phase == Phase::Prefill {
            prompts.iter_mut().zip(self.told()).for_each(|(prompt, told)| prompt[0] = told);
        }
        prompts
    }

    fn told(&self) -> Vec<u32> {
        (0..self.batch).map(|s| self.texts.told(s, self.window)).collect()
    }

    /// Puts the prompts into the cache, for decoding to begin after them.
    fn take_in_prompts(&mut self) -> Result<(), JobError> {
        self.engine.rewind(0)?;
        self.engine.submit_prefill(&self.prompts())?;
        self.engine.wait()?;
        self.again = true;
        Ok(())
    }

    /// The logits after more tokens of each sequence, taken in together or one by one, from a position on.
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
        self.again = true;
        Ok(self.engine.logits()?)
    }
}

/// How far logits lie apart at most, as a share of [`BOUND`] times their spread. What is no number is infinitely far.
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
    /// A short text of the last sequence against a forward pass in f64: some tokens together, the rest one by one.
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.engine.poison()?;
        let checked = CHECKED.min(self.context);
        let texts: Vec<Vec<u32>> = (0..self.batch)
            .map(|s| (0..checked).map(|i| self.texts.prompt(s, i)).collect())
            .collect();
        let cut = checked - (checked - 1).min(BESIDES);
        let part = |from: usize, to: usize| -> Vec<Vec<u32>> {
            texts.iter().map(|text| text[from..to].to_vec()).collect()
        };
        let logits = self.logits(0, &part(0, cut), &part(cut, checked))?;
        let last = self.batch - 1;
        let reference = forward(&*self.weights, &texts[last]).map_err(EngineError::from)?;
        let row = reference.logits.row(checked - 1);
        let worst = error_share(&logits[last], row.iter().copied());
        self.engine.poison()?;
        self.take_in_prompts()?;
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

    /// A step is as long as it is.
    fn resize(&mut self, _: f64) {}

    fn submit(&mut self) -> Result<(), JobError> {
        match self.phase {
            Phase::Prefill => {
                self.engine.rewind(0)?;
                self.engine.submit_prefill(&self.prompts())?;
                self.in_flight.push_back(true);
            }
            Phase::Decode => {
                let again = self.again || self.engine.position() >= self.context;
                self.again = false;
                if again {
                    self.engine.rewind(self.prompt)?;
                }
                let told = again.then(|| self.told());
                self.engine.submit(told.as_deref())?;
                self.in_flight.push_back(again);
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
        let shown = SHOWN.min(self.answer_length());
        if let Some(answer) = self.answers.last_mut().filter(|_| self.open)
            && answer.len() < shown
        {
            answer.push(done.tokens[0]);
        }
        Ok(Batch { work: Work(tokens as u64), gpu_seconds: done.gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.window = window;
        self.again = true;
        self.open = true;
        self.answers.push(Vec::new());
        Ok(())
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        self.open = false;
        let since = match self.phase {
            Phase::Prefill => Vec::new(),
            Phase::Decode => {
                let told = self.told().into_iter().zip(&self.chosen);
                told.map(|(told, chosen)| [&[told], &chosen[..chosen.len() - 1]].concat()).collect()
            }
        };
        self.kept.push_back(Kept { since, logits: self.engine.logits()? });
        Ok(())
    }

    /// The window's last logits once more: of decoding, by taking in all its tokens together; of a prompt, its last tokens one
    /// by one.
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let Kept { since, logits } = self.kept.pop_front().expect("the window was closed");
        self.window = window;
        let again = match self.phase {
            Phase::Decode => self.logits(self.prompt, &since, &[])?,
            Phase::Prefill => {
                let cut = self.prompt - BESIDES.min(self.prompt - 1);
                let prompts = self.prompts();
                let part = |from: usize, to: usize| -> Vec<Vec<u32>> {
                    prompts.iter().map(|prompt| prompt[from..to].to_vec()).collect()
                };
                self.logits(0, &part(0, cut), &part(cut, self.prompt))?
            }
        };
        let worst = logits.iter().zip(&again).fold(0.0f64, |worst, (is, again)| {
            worst.max(error_share(is, again.iter().map(|x| f64::from(*x))))
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
    /// Tokens until a sequence begins again.
    fn answer_length(&self) -> usize {
        match self.phase {
            Phase::Prefill => 1,
            Phase::Decode => self.context - self.prompt,
        }
    }
}
