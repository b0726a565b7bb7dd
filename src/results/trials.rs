//! Trials of kernels in columns, as results have them.

use super::document::Trial;
use super::failure::Failure;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Trials in columns: one entry for each.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Columns {
    /// The variant's name.
    kernel: Vec<String>,
    /// The length that its batches were sized for; null if they have a length of their own.
    batch_seconds: Vec<Option<f64>>,
    /// Median over some slices of time, units of work a second; null if it was not timed.
    throughput: Vec<Option<f64>>,
    /// By its place, why a trial was not timed.
    failures: BTreeMap<usize, Failure>,
}

/// Writes trials.
pub fn serialize<S: Serializer>(trials: &[Trial], serializer: S) -> Result<S::Ok, S::Error> {
    let failures = trials.iter().enumerate();
    Columns {
        kernel: trials.iter().map(|trial| trial.kernel.clone()).collect(),
        batch_seconds: trials.iter().map(|trial| trial.batch_seconds).collect(),
        throughput: trials.iter().map(|trial| trial.throughput).collect(),
        failures: failures.filter_map(|(i, trial)| Some((i, trial.failure.clone()?))).collect(),
    }
    .serialize(serializer)
}

/// Reads trials.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Trial>, D::Error> {
    let Columns { kernel, batch_seconds, throughput, mut failures } =
        Columns::deserialize(deserializer)?;
    let n = kernel.len();
    if [batch_seconds.len(), throughput.len()] != [n; 2] {
        return Err(D::Error::custom("the columns are not of one length"));
    }
    let columns = kernel.into_iter().zip(batch_seconds).zip(throughput).enumerate();
    let trial = |(i, ((kernel, batch_seconds), throughput))| Trial {
        kernel,
        batch_seconds,
        throughput,
        failure: failures.remove(&i),
    };
    Ok(columns.map(trial).collect())
}
