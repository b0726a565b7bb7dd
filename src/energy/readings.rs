//! What a source said around the blocks of a row, as it stands in results: in columns, on the run's clock.

use super::{Quantity, Stamped};
use crate::units::{Seconds, to_microseconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Readings of one source around the blocks of a row, and of a while before and after each.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readings {
    /// The source, by its place in the manifest.
    pub source: usize,
    /// When each reading began, in seconds on the run's clock.
    pub at_seconds: Vec<f64>,
    /// How long each took.
    pub took_seconds: Vec<f64>,
    /// For each of the source's domains its readings: joules of a counter, or watts.
    pub values: Vec<Vec<f64>>,
    /// Reads within the blocks that gave nothing.
    pub failed_reads: usize,
    /// What the source answered when it failed last; null if it never did.
    pub last_error: Option<String>,
    /// Share of one processor core that reading took.
    pub sampler_core_share: f64,
}

impl Readings {
    /// Readings in columns.
    pub fn of(source: usize, quantity: &Quantity, stamped: &[Stamped]) -> Readings {
        let column = |domain: usize| stamped.iter().map(|r| r.values[domain]).collect();
        let rounded = |r: &Stamped| to_microseconds(r.before);
        // A reading of one moment, rounded up, would end before it began.
        let took = |r: &Stamped| to_microseconds(r.after - rounded(r)).0.max(0.0);
        Readings {
            source,
            at_seconds: stamped.iter().map(|r| rounded(r).0).collect(),
            took_seconds: stamped.iter().map(took).collect(),
            values: (0..quantity.domains()).map(column).collect(),
            ..Readings::default()
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.at_seconds.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.at_seconds.is_empty()
    }

    /// What is wrong with the columns; nothing if they are readings of such a source.
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

    /// The readings one by one. The columns must be of one length.
    pub fn stamped(&self) -> Vec<Stamped> {
        let of = |i: usize| Stamped {
            before: Seconds(self.at_seconds[i]),
            after: Seconds(self.at_seconds[i] + self.took_seconds[i]),
            values: self.values.iter().map(|column| column[i]).collect(),
        };
        (0..self.len()).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a command have one moment each.
    #[test]
    fn readings_of_a_moment_take_no_time_however_they_are_rounded() {
        let quantity = Quantity::Power { averaging: Seconds(0.0) };
        let at = |i: u32| Seconds(0.1 * f64::from(i) + 1e-7 * f64::from(i % 10));
        let of = |i| Stamped { before: at(i), after: at(i), values: vec![50.0] };
        let readings = Readings::of(0, &quantity, &(0..100).map(of).collect::<Vec<_>>());
        assert_eq!(readings.fault(&quantity), None);
        assert!(readings.took_seconds.iter().all(|took| took.is_sign_positive()));
    }
}
