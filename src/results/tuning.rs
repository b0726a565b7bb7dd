//! How a kernel and its batch length were chosen, with the trials in columns.

use super::failure::Failure;
use schemars::JsonSchema;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// How a kernel and its batch length were chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tuning {
    /// Origin of the trials.
    pub source: TuningSource,
    /// The variant chosen.
    pub kernel: String,
    /// Target length of its batches; null if it is fixed, as for the step of a token.
    pub batch_seconds: Option<f64>,
    /// All trials, interleaved: variants at one batch length, then batch lengths of the chosen variant.
    #[serde(serialize_with = "to_columns", deserialize_with = "from_columns")]
    #[schemars(with = "Columns")]
    pub trials: Vec<Trial>,
}

/// Origin of trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TuningSource {
    /// This run.
    Trials,
    /// An earlier run on the same device, driver, program and settings.
    Cache,
}

/// A trial of a variant at a batch length.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Name of the variant.
    pub kernel: String,
    /// Target length of its batches; null if it is fixed.
    pub batch_seconds: Option<f64>,
    /// Median over the slices, in units of work per second; null if it was not timed.
    pub throughput: Option<f64>,
    /// Why it was not timed; null if it was.
    pub failure: Option<Failure>,
}

/// Trials in columns with one entry each.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Columns {
    /// Name of the variant.
    kernel: Vec<String>,
    /// Target length of its batches; null if it is fixed.
    batch_seconds: Vec<Option<f64>>,
    /// Median over the slices, in units of work per second; null if it was not timed.
    throughput: Vec<Option<f64>>,
    /// Why trials were not timed, by index.
    failures: BTreeMap<usize, Failure>,
}

fn to_columns<S: Serializer>(trials: &[Trial], serializer: S) -> Result<S::Ok, S::Error> {
    let failures = trials.iter().enumerate();
    Columns {
        kernel: trials.iter().map(|trial| trial.kernel.clone()).collect(),
        batch_seconds: trials.iter().map(|trial| trial.batch_seconds).collect(),
        throughput: trials.iter().map(|trial| trial.throughput).collect(),
        failures: failures.filter_map(|(i, trial)| Some((i, trial.failure.clone()?))).collect(),
    }
    .serialize(serializer)
}

fn from_columns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Trial>, D::Error> {
    let Columns { kernel, batch_seconds, throughput, mut failures } =
        Columns::deserialize(deserializer)?;
    if [batch_seconds.len(), throughput.len()] != [kernel.len(); 2] {
        return Err(D::Error::custom("the columns are not of one length"));
    }
    let trial = |(i, kernel)| Trial {
        kernel,
        batch_seconds: batch_seconds[i],
        throughput: throughput[i],
        failure: failures.remove(&i),
    };
    Ok(kernel.into_iter().enumerate().map(trial).collect())
}
