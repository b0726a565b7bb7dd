//! Keeps a device busy: several batches in flight, each of a suitable length. Short trials are interleaved, so that a temporary disturbance
//! affects all of them.

use super::MeasureError;
use crate::units::{Seconds, Work};
use crate::workload::{Batch, DEPTH, Job, JobError};
use std::time::Instant;

/// Keeps [`DEPTH`] batches in flight until `until` returns true, then drains them. `until` receives every batch and the seconds since the
/// previous one was done.
pub(super) fn pump(
    job: &mut dyn Job,
    until: &mut dyn FnMut(Batch, Seconds) -> bool,
) -> Result<(), JobError> {
    let (mut in_flight, mut enough) = (0, false);
    let mut last = Instant::now();
    while !enough || in_flight > 0 {
        while !enough && in_flight < DEPTH {
            job.submit()?;
            in_flight += 1;
        }
        let batch = job.wait()?;
        in_flight -= 1;
        let now = Instant::now();
        enough |= until(batch, Seconds((now - last).as_secs_f64()));
        last = now;
    }
    Ok(())
}

/// Sizes batches to about `batch`. The first round may include compilation; each round rescales by its measured time.
///
/// # Errors
/// If the job fails.
pub fn calibrate_batch(job: &mut dyn Job, batch: Seconds) -> Result<(), JobError> {
    for round in 0..10 {
        let began = Instant::now();
        job.submit()?;
        job.wait()?;
        let factor = batch.0 / began.elapsed().as_secs_f64();
        if round > 1 && (0.8..1.25).contains(&factor) {
            break;
        }
        job.resize(factor.clamp(0.05, 16.0));
    }
    Ok(())
}

/// Runs for about `length` and returns units of work per second. `stop` is called after every batch.
pub(super) fn slice(
    job: &mut dyn Job,
    length: Seconds,
    stop: &mut dyn FnMut() -> bool,
) -> Result<f64, MeasureError> {
    let began = Instant::now();
    let elapsed = || Seconds(began.elapsed().as_secs_f64());
    let (mut work, mut stopped) = (Work(0), false);
    pump(job, &mut |batch, _| {
        work = work + batch.work;
        stopped |= stop();
        stopped || elapsed() >= length
    })?;
    if stopped { Err(MeasureError::Interrupted) } else { Ok(work / elapsed()) }
}

/// Runs a job for about `length` and returns units of work per second. Batches are sized to `batch`, if given. `stop` is called after each.
///
/// # Errors
/// If the job fails, or `stop` returns true.
pub fn trial(
    job: &mut dyn Job,
    batch: Option<Seconds>,
    length: Seconds,
    stop: &mut dyn FnMut() -> bool,
) -> Result<f64, MeasureError> {
    if let Some(batch) = batch {
        calibrate_batch(job, batch)?;
    }
    slice(job, length, stop)
}

/// Runs `n` candidates in each of `rounds` rounds, in alternating order (ABBA); returns the rates of each.
///
/// # Errors
/// The first error of `run`.
pub fn interleave<E>(
    n: usize,
    rounds: usize,
    mut run: impl FnMut(usize) -> Result<f64, E>,
) -> Result<Vec<Vec<f64>>, E> {
    let mut rates = vec![Vec::with_capacity(rounds); n];
    for round in 0..rounds {
        let mut order: Vec<usize> = (0..n).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for i in order {
            rates[i].push(run(i)?);
        }
    }
    Ok(rates)
}
