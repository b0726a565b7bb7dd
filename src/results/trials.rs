//! Trials of kernels in columns, as stored in results.

use super::document::Trial;
use super::failure::Failure;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Trials in columns with one entry each.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Columns {
    /// Name of the variant.
    kernel: Vec<String>,
    /// Target length of its batches; null if it is fixed.
    batch_seconds: Vec<Option<f64>>,
    /// Median over the slices, in units of work per second; null if it was not timed.
    throughput: Vec<Option<f64>>,
    /// Why trials were not timed, by index.
    failures: BTreeMap<usize, Failure>,
}

/// Serializes trials.
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

/// Deserializes trials.
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
