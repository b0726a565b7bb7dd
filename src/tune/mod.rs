//! Chooses the kernel and the batch length for a workload on a device: short interleaved trials of all variants that agree with the
//! oracle, then more trials of those close to the best. The choice is cached until adapter, driver, program or settings change.

mod cache;

use crate::measure::stats::median;
use crate::measure::{MeasureError, interleave, trial};
use crate::oracle::Verdict;
use crate::results::{self, Failure, FailureCode, Trial, Tuning, TuningSource};
use crate::units::Seconds;
use crate::workload::data::Seed;
use crate::workload::{Job, JobError, Target, Variant, Workload};
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

    /// Additional rounds for the variants close to the best.
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

/// Variants whose median rate is at least this share of the best enter the final rounds.
const CLOSE: f64 = 0.8;
/// Batch length while variants are compared: long, so that a product is not split.
const BATCH: Seconds = Seconds(0.04);
/// Batch lengths to try, shortest first. None exceeds 50 ms, because of GPU watchdogs and Ctrl-C.
const BATCHES: [Seconds; 4] = [Seconds(0.005), Seconds(0.01), Seconds(0.02), Seconds(0.04)];
/// The shortest batch length that loses less than this share of the best rate is chosen.
const TOLERATED: f64 = 0.005;

/// The tuner's choice.
pub struct Choice {
    /// The variant.
    pub variant: Variant,
    /// Batch length; `None` if the workload has fixed batches.
    pub batch: Option<Seconds>,
    /// All trials, for the result file.
    pub record: Tuning,
}

/// Settings of the tuner.
pub struct Tuner {
    /// How thorough trials are.
    pub effort: Effort,
    /// Whether to ignore cached choices.
    pub retune: bool,
    /// Cache folder; `None` disables the cache.
    pub cache: Option<PathBuf>,
}

impl Tuner {
    /// A tuner with the user's cache folder.
    pub fn new(effort: Effort, retune: bool) -> Tuner {
        Tuner { effort, retune, cache: cache::folder() }
    }

    /// Chooses from the cache, or by trials if it has no entry. A device that is lost during trials is reopened. `on_event` receives the
    /// progress from 0 to 1 and may break to stop.
    ///
    /// # Errors
    /// If no variant is right, the device fails, or the caller stops.
    pub fn choose(
        &self,
        workload: &dyn Workload,
        target: &mut Target,
        on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Result<Choice, MeasureError> {
        let variants = workload.variants(target);
        let choice = |record: Tuning| {
            let variant = variants.iter().find(|v| v.id() == record.kernel)?.clone();
            Some(Choice { variant, batch: record.batch_seconds.map(Seconds), record })
        };
        if let Some(choice) = self.kept(workload, target, &variants).and_then(choice) {
            return Ok(choice);
        }
        let record = try_all(workload, target, &variants, self.effort, on_event)?;
        if let Some(cache) = &self.cache {
            cache::write(cache, &key(workload, target, self.effort), &record);
        }
        Ok(choice(record).expect("one of these variants was chosen"))
    }

    fn kept(
        &self,
        workload: &dyn Workload,
        target: &Target,
        variants: &[Variant],
    ) -> Option<Tuning> {
        let cache = self.cache.as_ref().filter(|_| !self.retune)?;
        let good_enough: &[Effort] = match self.effort {
            Effort::Quick => &[Effort::Full, Effort::Quick],
            Effort::Full => &[Effort::Full],
        };
        let check = |record: &Tuning| plausible(record, variants, workload.has_fixed_batches());
        let record = good_enough
            .iter()
            .find_map(|&effort| cache::read(cache, &key(workload, target, effort), check))?;
        Some(Tuning { source: TuningSource::Cache, ..record })
    }
}

/// Checks that trials can have produced this record: known kernels, batch lengths that are tried, and valid rates.
fn plausible(record: &Tuning, variants: &[Variant], fixed: bool) -> Result<(), String> {
    let known = |kernel: &str| variants.iter().any(|variant| variant.id() == kernel);
    let length = |batch: Option<f64>| match batch {
        Some(seconds) => !fixed && BATCHES.contains(&Seconds(seconds)),
        None => fixed,
    };
    if record.trials.len() > variants.len() + BATCHES.len() {
        return Err(format!("{} trials are more than are ever made", record.trials.len()));
    }
    if !known(&record.kernel) {
        return Err(format!("there is no kernel {:?}", record.kernel));
    }
    if !length(record.batch_seconds) {
        return Err(match record.batch_seconds {
            Some(seconds) => format!("no batches of {seconds} s are ever tried"),
            None => "the length of batches is missing".into(),
        });
    }
    for trial in &record.trials {
        let timed = length(trial.batch_seconds)
            && trial.failure.is_none()
            && trial.throughput.is_some_and(|rate| rate.is_finite() && rate >= 0.0);
        let failed =
            trial.batch_seconds.is_none() && trial.failure.is_some() && trial.throughput.is_none();
        let is_valid = (timed || failed) && known(&trial.kernel);
        if !is_valid {
            return Err(format!("no trial of {:?} ends like that", trial.kernel));
        }
    }
    Ok(())
}

/// Cache key: everything that a choice depends on.
fn key(workload: &dyn Workload, target: &Target, effort: Effort) -> serde_json::Value {
    serde_json::json!({
        "workload": workload.spec(),
        "effort": effort.name(),
        "device": target.device(),
        "program": results::program(),
        "environment": results::environment(),
    })
}

/// A variant that is excluded from the comparison, and why.
struct Excluded<'a> {
    variant: &'a Variant,
    why: Why,
}

enum Why {
    /// Its output is wrong; the text says how.
    Wrong(String),
    /// It did not run.
    Failed(JobError),
}

impl Why {
    fn failure(&self) -> Failure {
        match self {
            Why::Wrong(what) => {
                Failure::new(FailureCode::WrongOutput, format!("its output is wrong: {what}"))
            }
            Why::Failed(error) => error.into(),
        }
    }
}

/// Compares the variants. One that fails is excluded and the comparison starts again without it, on a reopened device if the failure lost
/// it.
fn try_all(
    workload: &dyn Workload,
    target: &mut Target,
    variants: &[Variant],
    effort: Effort,
    on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Tuning, MeasureError> {
    let variants = &variants[..variants.len().min(effort.variants())];
    if let ([variant], true) = (variants, workload.has_fixed_batches()) {
        return Ok(tuning(variant, None, Vec::new()));
    }
    let mut excluded: Vec<Excluded> = Vec::new();
    loop {
        let is_left = |v: &&Variant| excluded.iter().all(|e| e.variant.id() != v.id());
        let left: Vec<&Variant> = variants.iter().filter(is_left).collect();
        if left.is_empty() {
            return Err(none_is_right(excluded));
        }
        target.reopen_if_lost().map_err(JobError::from)?;
        let compared = compare(workload, target, &left, effort, &mut excluded, on_event)?;
        if let Some(mut tuning) = compared {
            let failed = excluded.iter().map(|e| failed(e.variant, e.why.failure()));
            tuning.trials.splice(..0, failed);
            return Ok(tuning);
        }
    }
}

/// Compares variants and chooses one. Returns `None` if a failure excludes one, since the comparison must then start again.
fn compare<'a>(
    workload: &dyn Workload,
    target: &Target,
    variants: &[&'a Variant],
    effort: Effort,
    excluded: &mut Vec<Excluded<'a>>,
    on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Option<Tuning>, MeasureError> {
    let mut ready = prepare(workload, target, variants, excluded, on_event)?;
    if ready.is_empty() || target.is_lost() {
        return Ok(None);
    }
    let mut exclude = |variant, error| match error {
        MeasureError::Job(error) => {
            excluded.push(Excluded { variant, why: Why::Failed(error) });
            Ok(None)
        }
        other => Err(other),
    };
    let fixed = workload.has_fixed_batches();
    let lengths = if fixed { &[][..] } else { &BATCHES };
    let mut interleaved = Interleaved::new(effort, ready.len(), lengths.len(), on_event);
    let batch = (!fixed).then_some(BATCH);
    let rates = match interleaved.variants(&mut ready, batch) {
        Ok(rates) => rates,
        Err((i, error)) => return exclude(ready[i].variant, error),
    };
    let mut trials = Vec::new();
    if ready.len() > 1 {
        trials.extend(ready.iter().zip(&rates).map(|(r, rates)| timed(r.variant, batch, rates)));
    }
    let Ready { variant, mut job } = ready.swap_remove(fastest(&rates));
    drop(ready);
    if fixed {
        return Ok(Some(tuning(variant, None, trials)));
    }
    let run = |i: usize| interleaved.run(job.as_mut(), Some(lengths[i]));
    let rates = match interleave(lengths.len(), effort.rounds(), run) {
        Ok(rates) => rates,
        Err(error) => return exclude(variant, error),
    };
    let enough = (1.0 - TOLERATED) * median_of(&rates[fastest(&rates)]);
    let batch = (lengths.iter().zip(&rates))
        .find(|(_, rates)| median_of(rates) >= enough)
        .map_or(BATCH, |(&batch, _)| batch);
    trials.extend(lengths.iter().zip(&rates).map(|(&b, rates)| timed(variant, Some(b), rates)));
    Ok(Some(tuning(variant, Some(batch), trials)))
}

fn tuning(variant: &Variant, batch: Option<Seconds>, trials: Vec<Trial>) -> Tuning {
    Tuning {
        source: TuningSource::Trials,
        kernel: variant.id().to_string(),
        batch_seconds: batch.map(|batch| batch.0),
        trials,
    }
}

/// A prepared variant that agrees with the oracle.
struct Ready<'a> {
    variant: &'a Variant,
    job: Box<dyn Job>,
}

/// Prepares the variants that agree with the oracle and excludes the others. Ends early if the device is lost.
///
/// # Errors
/// If the device cannot hold the workload for the first variant: all variants hold the same data.
fn prepare<'a>(
    workload: &dyn Workload,
    target: &Target,
    variants: &[&'a Variant],
    excluded: &mut Vec<Excluded<'a>>,
    on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
) -> Result<Vec<Ready<'a>>, MeasureError> {
    let mut ready: Vec<Ready> = Vec::new();
    for variant in variants {
        if on_event(0.0).is_break() {
            return Err(MeasureError::Interrupted);
        }
        let prepared = workload
            .prepare(target, variant, Seed([0; 32]))
            .and_then(|mut job| job.verify().map(|verdict| (job, verdict)));
        let why = match prepared {
            Ok((job, Verdict::Agrees { .. })) => {
                ready.push(Ready { variant, job });
                continue;
            }
            Ok((_, Verdict::Disagrees(what))) => Why::Wrong(what),
            Err(error) if error.is_unsupported() && ready.is_empty() && excluded.is_empty() => {
                return Err(MeasureError::Job(error));
            }
            Err(error) => Why::Failed(error),
        };
        excluded.push(Excluded { variant, why });
        if target.is_lost() {
            break;
        }
    }
    Ok(ready)
}

/// The error if no variant is left, with each reason once.
fn none_is_right(excluded: Vec<Excluded>) -> MeasureError {
    let mut reasons: Vec<String> = Vec::new();
    for Excluded { why, .. } in &excluded {
        let text = match why {
            Why::Wrong(what) => what.clone(),
            Why::Failed(error) => error.to_string(),
        };
        if !reasons.contains(&text) {
            reasons.push(text);
        }
    }
    let wrong = excluded.iter().any(|e| matches!(e.why, Why::Wrong(_)));
    let several = reasons.len() > 1;
    match excluded.into_iter().next().map(|e| e.why) {
        _ if wrong => MeasureError::Wrong(reasons.join("; ")),
        Some(Why::Failed(error)) if !several => MeasureError::Job(error),
        _ => MeasureError::NoKernel(reasons.join("; ")),
    }
}

/// Interleaved trials, with counts of those done and remaining.
struct Interleaved<'a> {
    effort: Effort,
    done: usize,
    remaining: usize,
    on_event: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
}

impl<'a> Interleaved<'a> {
    fn new(
        effort: Effort,
        variants: usize,
        lengths: usize,
        on_event: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Interleaved<'a> {
        let comparisons = if variants > 1 { effort.rounds() + effort.final_rounds() } else { 0 };
        let remaining = comparisons * variants + effort.rounds() * lengths;
        Interleaved { effort, done: 0, remaining, on_event }
    }

    fn run(&mut self, job: &mut dyn Job, batch: Option<Seconds>) -> Result<f64, MeasureError> {
        let share = self.done as f64 / (self.done + self.remaining) as f64;
        self.done += 1;
        self.remaining -= 1;
        trial(job, batch, self.effort.slice(), &mut || (self.on_event)(share).is_break())
    }

    /// Rates of all variants, with more rounds for those close to the best; no rates if there is only one variant.
    ///
    /// # Errors
    /// The index of the variant that failed, and why.
    fn variants(
        &mut self,
        ready: &mut [Ready],
        batch: Option<Seconds>,
    ) -> Result<Vec<Vec<f64>>, (usize, MeasureError)> {
        if ready.len() == 1 {
            return Ok(vec![Vec::new()]);
        }
        let (rounds, more) = (self.effort.rounds(), self.effort.final_rounds());
        let run = |interleaved: &mut Self, ready: &mut Ready, i: usize| {
            interleaved.run(ready.job.as_mut(), batch).map_err(|error| (i, error))
        };
        let mut rates = interleave(ready.len(), rounds, |i| run(self, &mut ready[i], i))?;
        let close = match close_to_best(&rates) {
            close if close.len() > 1 => close,
            _ => Vec::new(),
        };
        self.remaining -= more * (ready.len() - close.len());
        let finals = interleave(close.len(), more, |i| run(self, &mut ready[close[i]], close[i]))?;
        close.iter().zip(finals).for_each(|(&i, finals)| rates[i].extend(finals));
        Ok(rates)
    }
}

fn median_of(rates: &[f64]) -> f64 {
    median(rates).unwrap_or(0.0)
}

/// The index of the highest median.
fn fastest(rates: &[Vec<f64>]) -> usize {
    let median_at = |i: usize| median_of(&rates[i]);
    (0..rates.len()).max_by(|&a, &b| median_at(a).total_cmp(&median_at(b))).unwrap_or(0)
}

/// The indices of all variants whose median is close to the highest.
fn close_to_best(rates: &[Vec<f64>]) -> Vec<usize> {
    let enough = CLOSE * median_of(&rates[fastest(rates)]);
    (0..rates.len()).filter(|&i| median_of(&rates[i]) >= enough).collect()
}

fn failed(variant: &Variant, failure: Failure) -> Trial {
    Trial {
        kernel: variant.id().to_string(),
        batch_seconds: None,
        throughput: None,
        failure: Some(failure),
    }
}

fn timed(variant: &Variant, batch: Option<Seconds>, rates: &[f64]) -> Trial {
    Trial {
        kernel: variant.id().to_string(),
        batch_seconds: batch.map(|batch| batch.0),
        throughput: median(rates).map(to_four_digits),
        failure: None,
    }
}

/// Rounds to four digits: a trial is not a measurement, so more digits only enlarge files.
fn to_four_digits(rate: f64) -> f64 {
    format!("{rate:.3e}").parse().unwrap_or(rate)
}
