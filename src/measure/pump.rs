//! Keeps a device busy: several batches in flight, each of a suitable length.

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
pub fn size(job: &mut dyn Job, batch: Seconds) -> Result<(), JobError> {
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
