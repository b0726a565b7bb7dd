//! A decoder as a job: a batch is one step of all sequences. Each window begins with its own forced tokens, so that state of earlier
//! windows cannot pass for its work; its output is checked by recomputing it in another way.

use super::engine::{Engine, EngineError};
use super::texts::{BOUND, Texts};
use super::{Answers, Decoder};
use crate::kernels::{Arithmetic, Kernel};
use crate::model::Weights;
use crate::oracle::Verdict;
use crate::oracle::decoder::forward;
use crate::seed::Seed;
use crate::units::Work;
use crate::workload::{Batch, Id, Job, JobError, Proof};
use std::collections::VecDeque;
use std::rc::Rc;

/// Tokens per window in the proof.
const RECORDED: usize = 8;

/// For a check, tokens that are processed one by one where the others are processed together.
const SINGLE_STEP_TOKENS: usize = 2;
/// Tokens of the text that is compared with the reference.
const CHECKED: usize = 5;

/// Saved output of a closed window.
struct SavedWindow {
    /// Tokens of every sequence after the prompt, forced and chosen, without the last choice.
    tokens: Vec<Vec<u32>>,
    logits: Vec<Vec<f32>>,
}

/// A decoder as a job.
pub(super) struct DecoderJob {
    decoder: Decoder,
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
        let mut job = DecoderJob {
            decoder: decoder.clone(),
            weights,
            engine,
            kernel,
            texts: Texts { seed, vocabulary: decoder.model.config.vocab_size },
            window: 0,
            restart: true,
            in_flight: VecDeque::new(),
            chosen: vec![Vec::new(); decoder.batch],
            saved: VecDeque::new(),
            answers: Vec::new(),
            open: false,
        };
        job.prefill_prompts()?;
        Ok(job)
    }

    /// The prompts of this window.
    fn prompts(&self) -> Vec<Vec<u32>> {
        let Decoder { id, batch, prompt, .. } = self.decoder;
        let mut prompts = self.texts.prompts(0..batch, prompt);
        if id == Id::Prefill {
            let forced = self.forced_tokens();
            prompts.iter_mut().zip(forced).for_each(|(prompt, token)| prompt[0] = token);
        }
        prompts
    }

    fn forced_tokens(&self) -> Vec<u32> {
        (0..self.decoder.batch).map(|s| self.texts.forced(s, self.window)).collect()
    }

    /// Prefills the KV cache with the prompts; decoding begins after them.
    fn prefill_prompts(&mut self) -> Result<(), JobError> {
        self.engine.rewind(0)?;
        self.engine.submit_prefill(&self.prompts())?;
        self.engine.wait()?;
        self.restart = true;
        Ok(())
    }

    /// Logits after more tokens of each sequence from a position on: the last `single` tokens are processed one by one, those before them
    /// together.
    fn logits(
        &mut self,
        position: usize,
        texts: &[Vec<u32>],
        single: usize,
    ) -> Result<Vec<Vec<f32>>, JobError> {
        let cut = texts[0].len() - single;
        let together: Vec<Vec<u32>> = texts.iter().map(|text| text[..cut].to_vec()).collect();
        self.engine.rewind(position)?;
        self.engine.submit_prefill(&together)?;
        self.engine.wait()?;
        for i in cut..texts[0].len() {
            let tokens: Vec<u32> = texts.iter().map(|text| text[i]).collect();
            self.engine.submit(Some(&tokens))?;
            self.engine.wait()?;
        }
        self.restart = true;
        Ok(self.engine.logits()?)
    }
}

/// Maximum error of logits as a share of [`BOUND`] times their root mean square; infinite for NaN.
fn error_share(is: &[f32], should_be: &[f64]) -> f64 {
    let squares: f64 = should_be.iter().map(|x| x * x).sum();
    let allowed = BOUND * f64::sqrt(squares / should_be.len() as f64);
    let shares = is.iter().zip(should_be).map(|(is, x)| (f64::from(*is) - x).abs() / allowed);
    shares.fold(0.0, |worst, share| if share.is_nan() { f64::INFINITY } else { worst.max(share) })
}

fn verdict(worst: f64, checked: usize, what: impl FnOnce() -> String) -> Verdict {
    match worst <= 1.0 {
        true => Verdict::Agrees { checked: checked as u64, worst },
        false => Verdict::Disagrees(what()),
    }
}

impl Job for DecoderJob {
    /// Compares a short text of the last sequence with a forward pass in f64: some tokens are processed together, the rest one by one.
    fn verify(&mut self) -> Result<Verdict, JobError> {
        self.engine.poison()?;
        let checked = CHECKED.min(self.decoder.context);
        let texts = self.texts.prompts(0..self.decoder.batch, checked);
        let logits = self.logits(0, &texts, SINGLE_STEP_TOKENS.min(checked - 1))?;
        let last = self.decoder.batch - 1;
        let reference = forward(&*self.weights, &texts[last]).map_err(EngineError::from)?;
        let reference = reference.logits.row(checked - 1).to_vec();
        let worst = error_share(&logits[last], &reference);
        self.engine.poison()?;
        self.prefill_prompts()?;
        Ok(verdict(worst, reference.len(), || {
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
        let restart = if self.decoder.id == Id::Prefill {
            self.engine.rewind(0)?;
            self.engine.submit_prefill(&self.prompts())?;
            true
        } else {
            let restart = self.restart || self.engine.position() >= self.decoder.context;
            self.restart = false;
            if restart {
                self.engine.rewind(self.decoder.prompt)?;
            }
            let forced = restart.then(|| self.forced_tokens());
            self.engine.submit(forced.as_deref())?;
            restart
        };
        self.in_flight.push_back(restart);
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let done = self.engine.wait()?.expect("a step was submitted");
        if self.in_flight.pop_front().expect("likewise") {
            self.chosen.iter_mut().for_each(Vec::clear);
        }
        self.chosen.iter_mut().zip(&done.tokens).for_each(|(chosen, token)| chosen.push(*token));
        let recorded = RECORDED.min(self.decoder.answer_tokens());
        if let Some(answer) = self.answers.last_mut().filter(|_| self.open)
            && answer.len() < recorded
        {
            answer.push(done.tokens[0]);
        }
        let work = Work(self.decoder.step_tokens() as u64);
        Ok(Batch { work, gpu_seconds: done.gpu_seconds })
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
        let tokens = self.forced_tokens().into_iter().zip(&self.chosen);
        let tokens =
            tokens.map(|(forced, chosen)| [&[forced], &chosen[..chosen.len() - 1]].concat());
        self.saved
            .push_back(SavedWindow { tokens: tokens.collect(), logits: self.engine.logits()? });
        Ok(())
    }

    /// Recomputes the window's last logits in another way: of decoding, by processing all its tokens together; of a prompt, by processing
    /// its last tokens one by one.
    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let SavedWindow { tokens, logits } = self.saved.pop_front().expect("the window was closed");
        self.window = window;
        let Decoder { id, prompt, .. } = self.decoder;
        let recomputed = if id == Id::Prefill {
            self.logits(0, &self.prompts(), SINGLE_STEP_TOKENS.min(prompt - 1))?
        } else {
            self.logits(prompt, &tokens, 0)?
        };
        let worst = logits.iter().zip(recomputed).fold(0.0f64, |worst, (is, recomputed)| {
            let recomputed: Vec<f64> = recomputed.into_iter().map(f64::from).collect();
            worst.max(error_share(is, &recomputed))
        });
        Ok(verdict(worst, logits.iter().map(Vec::len).sum(), || {
            format!("computed again, logits are {worst:.1} times as far away as rounding explains")
        }))
    }

    fn proof(&self, windows: usize) -> Option<Proof> {
        let tokens = self.answers[..windows.min(self.answers.len())].to_vec();
        Some(Proof::Answers(Answers { tokens }))
    }
}
