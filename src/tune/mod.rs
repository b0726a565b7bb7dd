//! Chooses the kernel and the length of its batches for a workload on a device: short trials in turns among variants
//! that agree with the oracle, and more of them among those that come close to the best. The choice is kept in the
//! user's cache folder until adapter, driver, program or settings change.

mod cache;

use crate::measure::stats::median;
use crate::measure::{MeasureError, interleave, trial};
use crate::oracle::Verdict;
use crate::results;
use crate::results::wire::{Trial, Tuning, TuningSource};
use crate::units::Seconds;
use crate::workload::data::Seed;
use crate::workload::{Job, Target, Variant, Workload};
use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How thorough the trials are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// The first four variants, a few seconds.
    Quick,
    /// Every variant.
    Full,
}

impl Effort {
    fn variants(self) -> usize {
        match self {
            Effort::Quick => 4,
            Effort::Full => usize::MAX,
        }
    }

    fn rounds(self) -> usize {
        match self {
            Effort::Quick => 3,
            Effort::Full => 5,
        }
    }

    /// More rounds among the variants that come close to the best.
    fn final_rounds(self) -> usize {
        match self {
            Effort::Quick => 0,
            Effort::Full => 15,
        }
    }

    fn slice(self) -> Seconds {
        match self {
            Effort::Quick => Seconds(0.1),
            Effort::Full => Seconds(0.2),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Effort::Quick => "quick",
            Effort::Full => "full",
        }
    }
}

/// What share of the best median brings a variant to the final rounds.
const CLOSE: f64 = 0.8;
/// Batches while variants are compared: long, so that a product is not cut in parts.
const BATCH: Seconds = Seconds(0.04);
/// Lengths of batches that are tried, the shortest first. None may last over 50 ms: watchdogs, Ctrl-C.
const BATCHES: [Seconds; 4] = [Seconds(0.005), Seconds(0.01), Seconds(0.02), Seconds(0.04)];
/// The shortest batches that lose less than this are taken.
const TOLERATED: f64 = 0.005;

/// What was chosen.
pub struct Choice {
    /// The variant.
    pub variant: Variant,
    /// The length of its batches; none if they have one of their own.
    pub batch: Option<Seconds>,
    /// Everything that was tried, for the result.
    pub record: Tuning,
}

/// How to choose.
pub struct Tuner {
    /// How thorough trials are.
    pub effort: Effort,
    /// Whether to try again where a choice is kept.
    pub retune: bool,
    /// The folder where choices are kept; none keeps nothing.
    pub cache: Option<PathBuf>,
}

impl Tuner {
    /// A tuner that keeps its choices in the user's cache folder.
    pub fn new(effort: Effort, retune: bool) -> Tuner {
        Tuner { effort, retune, cache: cache::folder() }
    }

    /// Chooses from the cache, or by trials if it has nothing. `on_event` is told how much is over, from 0 to 1, and may
    /// break to stop.
    ///
    /// # Errors
    /// If no variant is right, the device fails, or the caller stops.
    pub fn choose(
        &self,
        workload: &dyn Workload,
        target: &Target,
        on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Choice, MeasureError> {
        let variants = workload.variants(target);
        let choice = |record: Tuning| {
            let variant = variants.iter().find(|v| v.id() == record.kernel)?.clone();
            Some(Choice { variant, batch: record.batch_seconds.map(Seconds), record })
        };
        if let Some(choice) = self.kept(workload, target).and_then(choice) {
            return Ok(choice);
        }
        let record = try_all(workload, target, &variants, self.effort, on_event)?;
        if let Some(cache) = &self.cache {
            cache::write(cache, &key(workload, target, self.effort), &record);
        }
        Ok(choice(record).expect("one of these variants was chosen"))
    }

    fn kept(&self, workload: &dyn Workload, target: &Target) -> Option<Tuning> {
        let cache = self.cache.as_ref().filter(|_| !self.retune)?;
        let good_enough: &[Effort] = match self.effort {
            Effort::Quick => &[Effort::Full, Effort::Quick],
            Effort::Full => &[Effort::Full],
        };
        let record = good_enough
            .iter()
            .find_map(|&effort| cache::read(cache, &key(workload, target, effort)))?;
        Some(Tuning { source: TuningSource::Cache, ..record })
    }
}

/// What a choice depends on.
fn key(workload: &dyn Workload, target: &Target, effort: Effort) -> serde_json::Value {
    serde_json::json!({
        "workload": workload.spec(),
        "effort": effort.name(),
        "device": results::wire::Device::from(target.device()),
        "program": results::program(),
        "environment": results::environment(),
    })
}

fn try_all(
    workload: &dyn Workload,
    target: &Target,
    variants: &[Variant],
    effort: Effort,
    on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Tuning, MeasureError> {
    let variants = &variants[..variants.len().min(effort.variants())];
    if let ([variant], true) = (variants, workload.has_fixed_batches()) {
        return Ok(Tuning {
            source: TuningSource::Trials,
            kernel: variant.id().to_string(),
            batch_seconds: None,
            trials: Vec::new(),
        });
    }
    // If all variants come close; where they do not, progress leaps.
    let slices = (effort.rounds() * (variants.len() + BATCHES.len())
        + effort.final_rounds() * variants.len()) as f64;
    let done = Cell::new(0);
    let mut jobs: Vec<(&Variant, Box<dyn Job>)> = Vec::new();
    let mut trials: Vec<Trial> = Vec::new();
    for variant in variants {
        if on_event(0.0).is_break() {
            return Err(MeasureError::Interrupted);
        }
        let prepared = workload
            .prepare(target, variant, Seed([0; 32]))
            .and_then(|mut job| job.verify().map(|verdict| (job, verdict)));
        let reason = match prepared {
            Ok((job, Verdict::Agrees { .. })) => {
                jobs.push((variant, job));
                continue;
            }
            Ok((_, Verdict::Disagrees(what))) => format!("its output is wrong: {what}"),
            Err(error) => {
                let none_is_left = jobs.is_empty() && trials.len() + 1 == variants.len();
                if none_is_left && error.is_unsupported() {
                    return Err(MeasureError::Job(error));
                }
                error.to_string()
            }
        };
        trials.push(lost(variant, reason));
    }
    if jobs.is_empty() {
        let reasons: Vec<String> = trials.into_iter().filter_map(|t| t.reason).collect();
        return Err(MeasureError::Wrong(reasons.join("; ")));
    }
    let mut run = |job: &mut dyn Job, batch| {
        let over = f64::from(done.replace(done.get() + 1)) / slices;
        trial(job, batch, effort.slice(), &mut || on_event(over).is_break())
    };
    let batch = (!workload.has_fixed_batches()).then_some(BATCH);
    let mut best = 0;
    if jobs.len() > 1 {
        let mut rates =
            interleave(jobs.len(), effort.rounds(), |i| run(jobs[i].1.as_mut(), batch))?;
        let close = close_to_best(&rates);
        if close.len() > 1 {
            let more = interleave(close.len(), effort.final_rounds(), |i| {
                run(jobs[close[i]].1.as_mut(), batch)
            })?;
            close.iter().zip(more).for_each(|(&i, more)| rates[i].extend(more));
        }
        let finals = if close.len() > 1 { close.len() } else { 0 };
        done.set(done.get() + (effort.final_rounds() * (variants.len() - finals)) as u32);
        trials.extend(jobs.iter().zip(&rates).map(|((v, _), rates)| tried(v, batch, rates)));
        best = fastest(&rates);
    }
    let (variant, mut job) = jobs.swap_remove(best);
    jobs.clear();
    if workload.has_fixed_batches() {
        return Ok(Tuning {
            source: TuningSource::Trials,
            kernel: variant.id().to_string(),
            batch_seconds: None,
            trials,
        });
    }
    let rates =
        interleave(BATCHES.len(), effort.rounds(), |i| run(job.as_mut(), Some(BATCHES[i])))?;
    let enough = (1.0 - TOLERATED) * median(&rates[fastest(&rates)]).unwrap_or(0.0);
    let batch = (0..BATCHES.len())
        .find(|&i| median(&rates[i]).unwrap_or(0.0) >= enough)
        .map_or(BATCH, |i| BATCHES[i]);
    trials.extend(
        BATCHES.iter().zip(&rates).map(|(batch, rates)| tried(variant, Some(*batch), rates)),
    );
    Ok(Tuning {
        source: TuningSource::Trials,
        kernel: variant.id().to_string(),
        batch_seconds: Some(batch.0),
        trials,
    })
}

/// The index of the highest median.
fn fastest(rates: &[Vec<f64>]) -> usize {
    let median_of = |i: usize| median(&rates[i]).unwrap_or(0.0);
    (0..rates.len()).max_by(|&a, &b| median_of(a).total_cmp(&median_of(b))).unwrap_or(0)
}

/// The indices of all whose median comes close to the highest.
fn close_to_best(rates: &[Vec<f64>]) -> Vec<usize> {
    let median_of = |i: usize| median(&rates[i]).unwrap_or(0.0);
    let enough = CLOSE * median_of(fastest(rates));
    (0..rates.len()).filter(|&i| median_of(i) >= enough).collect()
}

fn lost(variant: &Variant, reason: String) -> Trial {
    Trial {
        kernel: variant.id().to_string(),
        batch_seconds: None,
        throughput: None,
        slices: Vec::new(),
        reason: Some(reason),
    }
}

fn tried(variant: &Variant, batch: Option<Seconds>, rates: &[f64]) -> Trial {
    Trial {
        kernel: variant.id().to_string(),
        batch_seconds: batch.map(|batch| batch.0),
        throughput: median(rates),
        slices: rates.to_vec(),
        reason: None,
    }
}
