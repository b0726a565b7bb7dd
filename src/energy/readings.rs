//! The readings of a source around the blocks of a row, as stored in results: in columns, on the run's clock.

use super::{Quantity, Stamped};
use crate::units::{Seconds, to_microseconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Readings of one source, from 30 s before to 30 s after each block of a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readings {
    /// Index of the source in the manifest.
    pub source: usize,
    /// Start of each reading, in seconds on the run's clock.
    pub at_seconds: Vec<f64>,
    /// Duration of each reading.
    pub took_seconds: Vec<f64>,
    /// One column per domain of the source: joules of a counter, or watts.
    pub values: Vec<Vec<f64>>,
    /// Number of failed reads within the measured parts of the blocks.
    pub failed_reads: usize,
    /// The last error of the source; null if no read failed.
    pub last_error: Option<String>,
    /// CPU time of the sampling thread as a share of one core.
    pub sampler_core_share: f64,
}

impl Readings {
    /// Converts readings to columns.
    pub fn of(source: usize, quantity: &Quantity, stamped: &[Stamped]) -> Readings {
        let column = |domain: usize| stamped.iter().map(|r| r.values[domain]).collect();
        let rounded = |r: &Stamped| to_microseconds(r.before);
        // An instantaneous reading, rounded up, would end before it began.
        let took = |r: &Stamped| to_microseconds(r.after - rounded(r)).0.max(0.0);
        Readings {
            source,
            at_seconds: stamped.iter().map(|r| rounded(r).0).collect(),
            took_seconds: stamped.iter().map(took).collect(),
            values: (0..quantity.domains()).map(column).collect(),
            ..Readings::default()
        }
    }

    /// Number of readings.
    pub fn len(&self) -> usize {
        self.at_seconds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at_seconds.is_empty()
    }

    /// The error in the columns; `None` if they fit a source of this quantity.
    pub fn fault(&self, quantity: &Quantity) -> Option<&'static str> {
        let n = self.len();
        let finite = |column: &[f64]| column.iter().all(|value| value.is_finite());
        if self.took_seconds.len() != n || self.values.iter().any(|column| column.len() != n) {
            return Some("the columns are not of one length");
        }
        if self.values.len() != quantity.domains() {
            return Some("there is one column of values for each domain of the source");
        }
        let ordered = self.at_seconds.windows(2).all(|pair| pair[0] <= pair[1])
            && self.took_seconds.iter().all(|took| *took >= 0.0);
        let sound = ordered && finite(&self.at_seconds) && finite(&self.took_seconds);
        (!sound).then_some("time runs backwards")
    }

    /// The readings as rows. The columns must have the same length.
    pub fn stamped(&self) -> Vec<Stamped> {
        let reading = |i: usize| Stamped {
            before: Seconds(self.at_seconds[i]),
            after: Seconds(self.at_seconds[i] + self.took_seconds[i]),
            values: self.values.iter().map(|column| column[i]).collect(),
        };
        (0..self.len()).map(reading).collect()
    }
}
