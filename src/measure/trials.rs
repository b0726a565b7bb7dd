//! Short interleaved trials, so that a temporary disturbance affects all of them.

use super::{MeasureError, pump};
use crate::units::Seconds;
use crate::workload::Job;

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

/// Runs a job for `slice` and returns units of work per second. Batches are sized to `batch`, if given. `stop` is called after each.
///
/// # Errors
/// If the job fails, or `stop` returns true.
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
