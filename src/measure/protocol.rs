//! The measurement protocol: warm-up, number and length of windows. Every result contains it.

use crate::units::Seconds;
use crate::workload::DEPTH;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Thoroughness of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Mode {
    /// A first impression: at most 90 s for a GPU and the processor together.
    Quick,
    /// About six minutes for five rows on two devices, if their kernels are already tuned.
    Default,
    /// Ten minutes per workload, as five blocks of two minutes: for publication.
    Publish,
}

/// All numbers of the measurement protocol; the mode is only a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Protocol {
    /// `quick`, `default` or `publish`.
    pub mode: String,
    /// Minimum number of blocks per row; blocks of one device's rows are interleaved.
    pub blocks: usize,
    /// Minimum number of windows per block.
    pub windows: usize,
    /// Mean length of a window; lengths are jittered by ±15 %.
    pub window_seconds: f64,
    /// Maximum length of a block, even if a slow meter needs longer.
    pub block_longest_seconds: f64,
    /// Blocks are added until the half-width of the 95 % intervals is below this share.
    pub precision: f64,
    /// No block is added once a row's windows are this long in total.
    pub longest_seconds: f64,
    /// Minimum idle time before each block.
    pub rest_seconds: f64,
    /// Minimum time over which idle power is measured.
    pub baseline_seconds: f64,
    /// Maximum time for this if a slow meter needs longer than the minimum.
    pub baseline_longest_seconds: f64,
    /// Minimum poll interval of the meters.
    pub least_poll_seconds: f64,
    /// Number of batches in flight.
    pub batches_in_flight: usize,
    /// Length of the slices that the warm-up compares for a steady state.
    pub warm_up_slice_seconds: f64,
    /// Maximum length of the warm-up, steady or not.
    pub warm_up_longest_seconds: f64,
    /// Whether a warm-up without a steady state makes the row invalid.
    pub warm_up_required: bool,
}

impl Protocol {
    /// The protocol of a mode.
    pub fn of(mode: Mode) -> Protocol {
        let common = Protocol {
            mode: mode.into_str().to_string(),
            blocks: 3,
            windows: 5,
            window_seconds: 1.5,
            block_longest_seconds: 20.0,
            precision: 0.02,
            longest_seconds: 30.0,
            rest_seconds: 1.0,
            baseline_seconds: 10.0,
            baseline_longest_seconds: 30.0,
            least_poll_seconds: 0.0,
            batches_in_flight: DEPTH,
            warm_up_slice_seconds: 0.5,
            warm_up_longest_seconds: 8.0,
            // A shorter run has less time to warm up.
            warm_up_required: mode == Mode::Publish,
        };
        match mode {
            Mode::Default => common,
            Mode::Quick => Protocol {
                blocks: 2,
                windows: 4,
                window_seconds: 0.4,
                block_longest_seconds: 5.0,
                // Exactly two blocks: a noisy machine must not prolong a quick run.
                longest_seconds: 3.0,
                rest_seconds: 0.2,
                baseline_seconds: 2.0,
                baseline_longest_seconds: 6.0,
                warm_up_slice_seconds: 0.2,
                warm_up_longest_seconds: 2.0,
                ..common
            },
            // Five blocks of two minutes.
            Mode::Publish => Protocol {
                blocks: 5,
                windows: 13,
                window_seconds: 9.25,
                block_longest_seconds: 180.0,
                longest_seconds: 600.0,
                rest_seconds: 10.0,
                baseline_seconds: 60.0,
                baseline_longest_seconds: 120.0,
                least_poll_seconds: 0.2,
                warm_up_slice_seconds: 2.0,
                warm_up_longest_seconds: 120.0,
                ..common
            },
        }
    }

    /// Length of a window. Lengths are jittered by ±15 %: a meter that samples at fixed intervals would alias with windows of one length
    /// and the idle time between them.
    pub fn window_length(&self, number: usize) -> Seconds {
        Seconds(self.window_seconds * window_share(number))
    }
}

/// The length of a window, by its number, relative to the mean. Results are judged by it: a change needs a new version of the rules.
pub fn window_share(number: usize) -> f64 {
    0.85 + 0.3 * (number as f64 * 0.618_033_988_75).fract()
}
