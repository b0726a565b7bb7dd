//! Chooses the kernel and the batch length for a workload on a device: short interleaved trials of all variants that agree with the
//! oracle, then more trials of those close to the best. The choice is cached until adapter, driver, program or settings change.

mod cache;
mod verify;

pub use verify::{COMMAND, Finding, Line, State, verify, verify_isolated};

use crate::measure::stats::median;
use crate::measure::{MeasureError, interleave, trial};
use crate::oracle::Verdict;
use crate::results::{self, Failure, FailureCode, Trial, Tuning, TuningSource};
use crate::units::Seconds;
use crate::workload::data::Seed;
use crate::workload::{Job, JobError, Target, Variant, Workload};
use anyhow::{Result, bail, ensure};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// How thorough the trials are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// The first four variants, a few seconds.
    Quick,
    /// Every variant.
    Full,
}

/// How many trials an [`Effort`] makes, and how long they are.
struct Schedule {
    variants: usize,
    rounds: usize,
    /// Additional rounds for the variants close to the best.
    final_rounds: usize,
    /// Length of one trial.
    slice: Seconds,
}

impl Effort {
    fn schedule(self) -> Schedule {
        let (variants, rounds, final_rounds, slice) = match self {
            Effort::Quick => (4, 3, 0, Seconds(0.1)),
            Effort::Full => (usize::MAX, 5, 15, Seconds(0.2)),
        };
        Schedule { variants, rounds, final_rounds, slice }
    }
}

/// Variants whose median rate is at least this share of the best enter the final rounds.
const FINALIST_RATIO: f64 = 0.8;
/// Batch length while variants are compared: long, so that a product is not split.
const BATCH: Seconds = Seconds(0.04);
/// Batch lengths to try, shortest first. None exceeds 50 ms, because of GPU watchdogs and Ctrl-C.
const BATCHES: [Seconds; 4] = [Seconds(0.005), Seconds(0.01), Seconds(0.02), Seconds(0.04)];
/// The shortest batch length that loses less than this share of the best rate is chosen.
const MAX_BATCH_LOSS: f64 = 0.005;

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
    /// Names of variants that are not tried.
    pub skipped: Vec<String>,
    /// The program whose [`COMMAND`] verifies a GPU's variants in a process of its own before they are tried in this one; `None` if they
    /// are tried at once.
    pub program: Option<PathBuf>,
}

impl Tuner {
    /// A tuner with the user's cache folder, in this process alone.
    pub fn new(effort: Effort, retune: bool) -> Tuner {
        Tuner { effort, retune, cache: cache::folder(), skipped: Vec::new(), program: None }
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
        let mut variants = workload.variants(target);
        let is_skipped = |kernel: &str| self.skipped.iter().any(|skipped| skipped == kernel);
        let kept = self.kept(workload, target, &variants).filter(|kept| !is_skipped(&kept.kernel));
        let record = match kept {
            Some(kept) => kept,
            None => {
                variants.retain(|variant| !is_skipped(variant.id()));
                let schedule = self.effort.schedule();
                variants.truncate(schedule.variants);
                let excluded = self.crashed(workload, target, &variants, on_event);
                let comparison =
                    Comparison { workload, schedule, on_event, excluded, done: 0, planned: 0 };
                let record = comparison.run(target, &variants)?;
                if let (Some(cache), true) = (&self.cache, self.skipped.is_empty()) {
                    cache::write(cache, &key(workload, target, self.effort), &record);
                }
                record
            }
        };
        let variant = variants.iter().find(|variant| variant.id() == record.kernel);
        let variant = variant.expect("one of these variants was chosen").clone();
        Ok(Choice { variant, batch: record.batch_seconds.map(Seconds), record })
    }

    /// The variants in which the driver crashes.
    fn crashed(
        &self,
        workload: &dyn Workload,
        target: &Target,
        variants: &[Variant],
        on_event: &mut dyn FnMut(f64) -> ControlFlow<()>,
    ) -> Vec<(&'static str, MeasureError)> {
        let mut crashed = Vec::new();
        let (Some(program), Target::Gpu(gpu)) = (&self.program, target) else { return crashed };
        let names: Vec<&'static str> = variants.iter().map(Variant::id).collect();
        let (device, spec) = (&gpu.description().id, workload.command_spec());
        let verified = verify_isolated(program, device, &spec, &names, &mut |kernel, finding| {
            if finding.state == State::Crashed {
                crashed
                    .push((kernel, MeasureError::Crashed(format!("{kernel}: {}", finding.what))));
            }
            on_event(0.0)
        });
        if let Err(why) = verified {
            tracing::warn!("kernels of {spec} are not verified in a process of their own: {why}");
        }
        crashed
    }

    fn kept(&self, workload: &dyn Workload, target: &Target, all: &[Variant]) -> Option<Tuning> {
        let cache = self.cache.as_ref().filter(|_| !self.retune)?;
        let good_enough: &[Effort] = match self.effort {
            Effort::Quick => &[Effort::Full, Effort::Quick],
            Effort::Full => &[Effort::Full],
        };
        let check = |record: &Tuning| plausible(record, all, workload.has_fixed_batches());
        let read = |&effort| cache::read(cache, &key(workload, target, effort), check);
        Some(Tuning { source: TuningSource::Cache, ..good_enough.iter().find_map(read)? })
    }
}

/// Checks that trials can have produced this record: known kernels, batch lengths that are tried, and valid rates.
fn plausible(record: &Tuning, variants: &[Variant], fixed: bool) -> Result<()> {
    let known = |kernel: &str| variants.iter().any(|variant| variant.id() == kernel);
    let is_tried = |batch: Option<f64>| match batch {
        Some(seconds) => !fixed && BATCHES.contains(&Seconds(seconds)),
        None => fixed,
    };
    let count = record.trials.len();
    ensure!(count <= variants.len() + BATCHES.len(), "{count} trials are more than are ever made");
    ensure!(known(&record.kernel), "there is no kernel {:?}", record.kernel);
    match record.batch_seconds {
        length if is_tried(length) => {}
        Some(seconds) => bail!("no batches of {seconds} s are ever tried"),
        None => bail!("the length of batches is missing"),
    }
    for Trial { kernel, batch_seconds, throughput, failure } in &record.trials {
        let is_valid = match (throughput, failure) {
            (Some(rate), None) => is_tried(*batch_seconds) && rate.is_finite() && *rate >= 0.0,
            (None, Some(_)) => batch_seconds.is_none(),
            _ => false,
        };
        ensure!(is_valid && known(kernel), "no trial of {kernel:?} ends like that");
    }
    Ok(())
}

/// Cache key: everything that a choice depends on.
fn key(workload: &dyn Workload, target: &Target, effort: Effort) -> serde_json::Value {
    serde_json::json!({
        "workload": workload.spec(),
        "effort": effort,
        "device": target.device(),
        "program": results::program(),
        "environment": results::environment(),
    })
}

/// The comparison of a workload's variants on a device.
struct Comparison<'a> {
    workload: &'a dyn Workload,
    schedule: Schedule,
    on_event: &'a mut dyn FnMut(f64) -> ControlFlow<()>,
    /// Variants that are left out because their output is wrong or they failed.
    excluded: Vec<(&'static str, MeasureError)>,
    /// Trials that are done, and all that are planned.
    done: usize,
    planned: usize,
}

/// A prepared variant that agrees with the oracle.
struct Ready {
    kernel: &'static str,
    job: Box<dyn Job>,
}

/// Why a comparison ended without a choice; `None` if it must start again without a variant that failed.
type Stop = Option<MeasureError>;

impl Comparison<'_> {
    /// Compares the variants. One that fails is excluded and the comparison starts again without it, on a reopened device if the failure
    /// lost it.
    fn run(mut self, target: &mut Target, variants: &[Variant]) -> Result<Tuning, MeasureError> {
        if let ([variant], true, true) =
            (variants, self.workload.has_fixed_batches(), self.excluded.is_empty())
        {
            return Ok(tuning(variant.id(), None, Vec::new()));
        }
        loop {
            let is_left = |v: &&Variant| self.excluded.iter().all(|(kernel, _)| *kernel != v.id());
            let left: Vec<&Variant> = variants.iter().filter(is_left).collect();
            if left.is_empty() {
                return Err(no_variant_error(self.excluded));
            }
            target.reopen_if_lost().map_err(JobError::from)?;
            match self.compare(target, &left) {
                Ok(mut tuning) => {
                    tuning.trials.splice(..0, self.excluded.iter().map(failed));
                    return Ok(tuning);
                }
                Err(Some(error)) => return Err(error),
                Err(None) => {}
            }
        }
    }

    /// Compares variants and chooses one.
    fn compare(&mut self, target: &Target, variants: &[&Variant]) -> Result<Tuning, Stop> {
        let mut ready = self.prepare(target, variants)?;
        if ready.is_empty() || target.is_lost() {
            return Err(None);
        }
        let Schedule { rounds, final_rounds, .. } = self.schedule;
        let fixed = self.workload.has_fixed_batches();
        let (batch, lengths) = if fixed { (None, &[][..]) } else { (Some(BATCH), &BATCHES[..]) };
        let comparisons = if ready.len() > 1 { rounds + final_rounds } else { 0 };
        (self.done, self.planned) = (0, comparisons * ready.len() + rounds * lengths.len());
        let (mut rates, mut trials) = (vec![0.0], Vec::new());
        if ready.len() > 1 {
            rates = self.rates(&mut ready, batch)?;
            trials.extend(ready.iter().zip(&rates).map(|(r, rate)| timed(r.kernel, batch, *rate)));
        }
        let mut best = ready.swap_remove(fastest(&rates));
        drop(ready);
        if fixed {
            return Ok(tuning(best.kernel, None, trials));
        }
        let trial = |i: usize| self.trial(&mut best, Some(lengths[i]));
        let rates = medians(&interleave(lengths.len(), rounds, trial)?);
        let enough = (1.0 - MAX_BATCH_LOSS) * rates[fastest(&rates)];
        let shortest = rates.iter().position(|rate| *rate >= enough);
        let batch = shortest.map_or(BATCH, |i| lengths[i]);
        let of_lengths = lengths.iter().zip(&rates);
        trials.extend(of_lengths.map(|(batch, rate)| timed(best.kernel, Some(*batch), *rate)));
        Ok(tuning(best.kernel, Some(batch), trials))
    }

    /// Prepares the variants that agree with the oracle and excludes the others. Ends early if the device is lost.
    ///
    /// # Errors
    /// If the device cannot hold the workload for the first variant: all variants hold the same data.
    fn prepare(
        &mut self,
        target: &Target,
        variants: &[&Variant],
    ) -> Result<Vec<Ready>, MeasureError> {
        let mut ready = Vec::new();
        for variant in variants {
            if (self.on_event)(0.0).is_break() {
                return Err(MeasureError::Interrupted);
            }
            let prepared = self.workload.prepare(target, variant, Seed([0; 32]));
            let is_first = ready.is_empty() && self.excluded.is_empty();
            let error = match prepared.and_then(|mut job| Ok((job.verify()?, job))) {
                Ok((Verdict::Agrees { .. }, job)) => {
                    ready.push(Ready { kernel: variant.id(), job });
                    continue;
                }
                Ok((Verdict::Disagrees(what), _)) => MeasureError::Wrong(what),
                Err(error) if error.is_unsupported() && is_first => return Err(error.into()),
                Err(error) => error.into(),
            };
            self.excluded.push((variant.id(), error));
            if target.is_lost() {
                break;
            }
        }
        Ok(ready)
    }

    /// Median rates of several variants, with more rounds for those close to the best.
    fn rates(&mut self, ready: &mut [Ready], batch: Option<Seconds>) -> Result<Vec<f64>, Stop> {
        let Schedule { rounds, final_rounds, .. } = self.schedule;
        let mut rates = interleave(ready.len(), rounds, |i| self.trial(&mut ready[i], batch))?;
        let first = medians(&rates);
        let is_close = |i: &usize| first[*i] >= FINALIST_RATIO * first[fastest(&first)];
        let mut close: Vec<usize> = (0..ready.len()).filter(is_close).collect();
        if close.len() == 1 {
            close.clear();
        }
        self.planned -= final_rounds * (ready.len() - close.len());
        let trial = |i: usize| self.trial(&mut ready[close[i]], batch);
        let finals = interleave(close.len(), final_rounds, trial)?;
        close.iter().zip(finals).for_each(|(&i, finals)| rates[i].extend(finals));
        Ok(medians(&rates))
    }

    /// The rate of one trial. A variant that fails is excluded.
    fn trial(&mut self, ready: &mut Ready, batch: Option<Seconds>) -> Result<f64, Stop> {
        let share = self.done as f64 / self.planned as f64;
        self.done += 1;
        let stop = &mut || (self.on_event)(share).is_break();
        trial(ready.job.as_mut(), batch, self.schedule.slice, stop).map_err(|error| match error {
            MeasureError::Job(_) => {
                self.excluded.push((ready.kernel, error));
                None
            }
            other => Some(other),
        })
    }
}

/// The error if no variant is left, with each reason once.
fn no_variant_error(excluded: Vec<(&str, MeasureError)>) -> MeasureError {
    let mut reasons: Vec<String> = Vec::new();
    for (_, error) in &excluded {
        let reason = match error {
            MeasureError::Wrong(what) | MeasureError::Crashed(what) => what.clone(),
            other => other.to_string(),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    let is_wrong = excluded.iter().any(|(_, error)| matches!(error, MeasureError::Wrong(_)));
    let is_crashed = excluded.iter().any(|(_, error)| matches!(error, MeasureError::Crashed(_)));
    match excluded.into_iter().next() {
        _ if is_wrong => MeasureError::Wrong(reasons.join("; ")),
        _ if is_crashed => MeasureError::Crashed(reasons.join("; ")),
        Some((_, error)) if reasons.len() == 1 => error,
        _ => MeasureError::NoKernel(reasons.join("; ")),
    }
}

fn medians(rates: &[Vec<f64>]) -> Vec<f64> {
    rates.iter().map(|rates| median(rates).unwrap_or(0.0)).collect()
}

/// The index of the highest rate.
fn fastest(rates: &[f64]) -> usize {
    (0..rates.len()).max_by(|&a, &b| rates[a].total_cmp(&rates[b])).unwrap_or(0)
}

fn tuning(kernel: &str, batch: Option<Seconds>, trials: Vec<Trial>) -> Tuning {
    let (kernel, batch_seconds) = (kernel.to_string(), batch.map(|batch| batch.0));
    Tuning { source: TuningSource::Trials, kernel, batch_seconds, trials }
}

fn failed((kernel, error): &(&str, MeasureError)) -> Trial {
    let failure = match error {
        MeasureError::Wrong(what) => {
            Failure::new(FailureCode::WrongOutput, format!("its output is wrong: {what}"))
        }
        other => other.into(),
    };
    let kernel = kernel.to_string();
    Trial { kernel, batch_seconds: None, throughput: None, failure: Some(failure) }
}

/// The record of a variant's trials. The rate has four digits: a trial is not a measurement, so more digits only enlarge files.
fn timed(kernel: &str, batch: Option<Seconds>, rate: f64) -> Trial {
    let (kernel, batch_seconds) = (kernel.to_string(), batch.map(|batch| batch.0));
    let throughput = Some(format!("{rate:.3e}").parse().unwrap_or(rate));
    Trial { kernel, batch_seconds, throughput, failure: None }
}
