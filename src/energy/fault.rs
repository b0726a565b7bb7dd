//! Why readings give no figure. A reader of a result finds the same reasons from the same readings.

use super::Scope;
use crate::units::{Joules, Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a source has no figure for a block, or for a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NoFigure {
    /// No block was measured while the source was read.
    #[error("nothing was measured")]
    NothingMeasured,
    /// No reading of the source is plausible.
    #[error("it gave no reading that can be true")]
    NoUsableReading,
    /// The counter ticked too few times within the block.
    #[error("its counter moved only {times} times in {:.1} s: measure for longer", .seconds.0)]
    CounterMovedTooSeldom {
        /// Number of ticks.
        times: usize,
        /// Length of the block.
        seconds: Seconds,
    },
    /// The readings are so far apart that the counter may have wrapped unseen.
    #[error("it was not read for {:.1} s, in which its counter may have wrapped unseen", .seconds.0)]
    PossibleUnseenWrap {
        /// Time between the two readings.
        seconds: Seconds,
    },
    /// The counter fell without a wrap.
    #[error("its counter fell from {:.0} to {:.0} J: it was reset", .from.0, .to.0)]
    CounterReset {
        /// Counter value before the fall.
        #[serde(rename = "from_joules")]
        from: Joules,
        /// Counter value after the fall.
        #[serde(rename = "to_joules")]
        to: Joules,
    },
    /// The counter rose faster than the source's maximum power allows.
    #[error("its counter jumped by {:.0} J, which {ceiling} cannot do in that time", .joules.0)]
    CounterJumped {
        /// Size of the jump.
        joules: Joules,
        /// Maximum plausible power of the source.
        #[serde(rename = "ceiling_watts")]
        ceiling: Watts,
    },
    /// The value did not change for a large part of the block, though it does otherwise.
    #[error("it showed the same value for {:.1} s", .seconds.0)]
    Stuck {
        /// Time without a change.
        seconds: Seconds,
    },
    /// The readings cover too little of the block.
    #[error("its readings cover only {:.0} % of the time", 100.0 * share)]
    Gaps {
        /// Covered share of the block, 0 to 1.
        share: f64,
    },
    /// The reading was updated too few times within the block.
    #[error("it was updated only {times} times in {:.1} s: measure for longer", .seconds.0)]
    UpdatedTooSeldom {
        /// Number of updates.
        times: usize,
        /// Length of the block.
        seconds: Seconds,
    },
    /// The energy is not a finite number above 0.
    #[error("it shows no energy at all")]
    NoEnergy,
    /// The power is below the minimum of the scope.
    #[error(
        "it shows {power} under load, less than anything that covers {} draws ({least}): is it in another unit?",
        .scope.into_str()
    )]
    BelowScopeMinimum {
        /// Mean power shown by the source.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// Scope of the source.
        scope: Scope,
        /// Minimum power of the scope under load.
        #[serde(rename = "least_watts")]
        least: Watts,
    },
    /// The figure's 95 % interval is too wide.
    #[error("its figure would be uncertain by {:.0} %: measure for longer", 100.0 * share)]
    TooUncertain {
        /// Half of the 95 % interval as a share of the figure.
        share: f64,
    },
    /// The reading never changed, idle or loaded.
    #[error(
        "its reading never moved, idle or loaded: is it the meter of this machine, and does it still read?"
    )]
    NeverMoved,
    /// There are too few readings around the steps from idle to load.
    #[error(
        "too few readings around the start of the load to see whether it answers to the load: measure for longer, or read a faster meter"
    )]
    FewReadings,
    /// The readings do not follow the load.
    #[error(
        "its readings do not answer to the load, at once or up to {:.0} s late (it explains {:.0} % of their changes): is it the meter of this machine, and does it renew its reading often enough?",
        .longest_lag.0, 100.0 * explained
    )]
    NoResponse {
        /// Longest lag searched.
        #[serde(rename = "longest_lag_seconds")]
        longest_lag: Seconds,
        /// Largest share of the variance that the load explains at any lag.
        explained: f64,
    },
    /// The readings seem to lag behind the load, but too few blocks confirm it.
    #[error("its readings seem to come {:.1} s late, which {blocks} blocks are too few to know: measure without --quick", .lag.0)]
    LateUnconfirmed {
        /// Estimated lag.
        #[serde(rename = "lag_seconds")]
        lag: Seconds,
        /// Number of blocks.
        blocks: usize,
    },
    /// It contradicts another source of the same row: both are rejected.
    #[error("it contradicts another source by a factor of {factor:.2}: neither is believed")]
    Contradicted {
        /// The other source: its index in the manifest.
        by: usize,
        /// Ratio of their energies, above 1.
        factor: f64,
    },
}
