//! Short trials against each other, in turns: what disturbs the machine for a while disturbs all of them.

use super::{MeasureError, pump};
use crate::units::Seconds;
use crate::workload::Job;

/// Tries `n` things in each of `rounds` rounds, there and back: the rates that `run` gives for each.
///
/// # Errors
/// The first of `run`.
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

/// Runs a job for `slice` in batches of the length `batch`, or of their own: units of work a second. `stop` is asked after every batch.
///
/// # Errors
/// If the job fails, or `stop` says so.
pub fn trial(
    job: &mut dyn Job,
    batch: Option<Seconds>,
    slice: Seconds,
    stop: &mut dyn FnMut() -> bool,
) -> Result<f64, MeasureError> {
    if let Some(batch) = batch {
        pump::size(job, batch)?;
    }
    pump::slice(job, slice, stop)
}
