//! Why readings give no figure. A reader of a result finds the same from the readings that stand in it.

use super::Scope;
use crate::units::{Joules, Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a source has no figure for a block, or for a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum NoFigure {
    /// No block was measured while it was read.
    #[error("nothing was measured")]
    NothingMeasured,
    /// No reading of it can be true.
    #[error("it gave no reading that can be true")]
    NoUsableReading,
    /// The counter has too few changes within the block.
    #[error("its counter moved only {times} times in {:.1} s: measure for longer", .seconds.0)]
    CounterMovedTooSeldom {
        /// Changes.
        times: usize,
        /// How long the block was.
        seconds: Seconds,
    },
    /// Readings lie so far apart that the counter may have begun again between them.
    #[error("it was not read for {:.1} s, in which its counter may have wrapped unseen", .seconds.0)]
    CounterUnread {
        /// How far apart.
        seconds: Seconds,
    },
    /// The counter fell, and not because it began again at 0.
    #[error("its counter fell from {:.0} to {:.0} J: it was reset", .from.0, .to.0)]
    CounterReset {
        /// Before.
        #[serde(rename = "from_joules")]
        from: Joules,
        /// After.
        #[serde(rename = "to_joules")]
        to: Joules,
    },
    /// The counter rose faster than anything can draw.
    #[error("its counter jumped by {:.0} J, which {ceiling} cannot do in that time", .joules.0)]
    CounterJumped {
        /// By how much.
        joules: Joules,
        /// The most that the source can truly show.
        #[serde(rename = "ceiling_watts")]
        ceiling: Watts,
    },
    /// It did not change for a good part of the block, though it does otherwise.
    #[error("it showed the same value for {:.1} s", .seconds.0)]
    StoodStill {
        /// For how long.
        seconds: Seconds,
    },
    /// The readings leave too much of the block out.
    #[error("its readings cover only {:.0} % of the time", 100.0 * share)]
    Gaps {
        /// What they cover.
        share: f64,
    },
    /// The reading was renewed too seldom within the block.
    #[error("it was updated only {times} times in {:.1} s: measure for longer", .seconds.0)]
    UpdatedTooSeldom {
        /// Updates.
        times: usize,
        /// How long the block was.
        seconds: Seconds,
    },
    /// It shows nothing at all.
    #[error("it shows no energy at all")]
    NoEnergy,
    /// It shows less than anything of its scope draws.
    #[error(
        "it shows {power} under load, less than anything that covers {} draws ({least}): is it in another unit?",
        .scope.name()
    )]
    BelowFloor {
        /// What it shows.
        #[serde(rename = "power_watts")]
        power: Watts,
        /// What it covers.
        scope: Scope,
        /// The least that is possible.
        #[serde(rename = "least_watts")]
        least: Watts,
    },
    /// The figure would be too uncertain.
    #[error("its figure would be uncertain by {:.0} %: measure for longer", 100.0 * share)]
    TooUncertain {
        /// Half of the 95 % interval as a share of the figure.
        share: f64,
    },
    /// The reading is the same, idle or loaded.
    #[error(
        "its reading never moved, idle or loaded: is it the meter of this machine, and does it still read?"
    )]
    NeverMoved,
    /// There are too few readings around the steps from idle to load.
    #[error(
        "too few readings around the start of the load to see whether it answers to the load: measure for longer, or read a faster meter"
    )]
    FewReadings,
    /// The readings do not answer to the load.
    #[error(
        "its readings do not answer to the load, at once or up to {:.0} s late (it explains {:.0} % of their changes): is it the meter of this machine, and does it renew its reading often enough?",
        .longest_lag.0, 100.0 * explained
    )]
    NoResponse {
        /// The longest lag that was looked for.
        #[serde(rename = "longest_lag_seconds")]
        longest_lag: Seconds,
        /// The share of the variance that the load explains at best.
        explained: f64,
    },
    /// The readings seem to be late, and there are too few blocks to be sure of it.
    #[error("its readings seem to come {:.1} s late, which {blocks} blocks are too few to know: measure without --quick", .lag.0)]
    LateUnconfirmed {
        /// How late they seem to be.
        #[serde(rename = "lag_seconds")]
        lag: Seconds,
        /// Blocks.
        blocks: usize,
    },
    /// It contradicts another source of the same row, so that neither is believed.
    #[error("it contradicts another source by a factor of {factor:.2}: neither is believed")]
    Contradicted {
        /// The other source, by its place in the manifest.
        by: usize,
        /// By which factor.
        factor: f64,
    },
}
