//! The measurement protocol: warm-up, number and length of windows. Every result contains it.

use crate::units::Seconds;

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

/// Lengths and counts of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// Its mode.
    pub mode: Mode,
    /// Minimum number of blocks per row. Blocks of one device's rows are interleaved, so that drift affects all of them.
    pub blocks: usize,
    /// Minimum number of windows per block; a slow meter may need more.
    pub windows: usize,
    /// Mean length of a window. A window ends when the batches in flight are done.
    pub window: Seconds,
    /// Maximum length of a block, even if its meter needs longer.
    pub block_longest: Seconds,
    /// Blocks are added until the half-width of the 95 % intervals is below this share.
    pub precision: f64,
    /// No block is added once a row's windows are this long in total.
    pub longest: Seconds,
    /// Minimum idle time before each block.
    pub rest: Seconds,
    /// Minimum time over which the baseline (idle power) is measured before the first row.
    pub baseline: Seconds,
    /// Maximum time for the baseline, if a slow source needs longer than the minimum.
    pub baseline_longest: Seconds,
    /// Minimum poll interval of the meters: more readings would only make the files of long blocks larger.
    pub poll: Seconds,
    /// Target length of a batch: long enough to hide the launch overhead, short enough for watchdogs and Ctrl-C; `None` to leave batches
    /// as they are.
    pub batch: Option<Seconds>,
    /// Length of the slices that the warm-up compares for a steady state.
    pub warm_up_slice: Seconds,
    /// Maximum length of the warm-up, steady or not.
    pub warm_up_longest: Seconds,
}

impl Protocol {
    /// The protocol of a mode.
    pub fn of(mode: Mode) -> Protocol {
        let common = Protocol {
            mode,
            blocks: 3,
            windows: 5,
            window: Seconds(1.5),
            block_longest: Seconds(20.0),
            precision: 0.02,
            longest: Seconds(30.0),
            rest: Seconds(1.0),
            baseline: Seconds(10.0),
            baseline_longest: Seconds(30.0),
            poll: Seconds(0.0),
            batch: Some(Seconds(0.02)),
            warm_up_slice: Seconds(0.5),
            warm_up_longest: Seconds(8.0),
        };
        match mode {
            Mode::Default => common,
            Mode::Quick => Protocol {
                blocks: 2,
                windows: 4,
                window: Seconds(0.4),
                block_longest: Seconds(5.0),
                // Exactly two blocks: a noisy machine must not prolong a quick run.
                longest: Seconds(3.0),
                rest: Seconds(0.2),
                baseline: Seconds(2.0),
                baseline_longest: Seconds(6.0),
                warm_up_slice: Seconds(0.2),
                warm_up_longest: Seconds(2.0),
                ..common
            },
            // Five blocks of two minutes.
            Mode::Publish => Protocol {
                blocks: 5,
                windows: 13,
                window: Seconds(9.25),
                block_longest: Seconds(180.0),
                longest: Seconds(600.0),
                rest: Seconds(10.0),
                baseline: Seconds(60.0),
                baseline_longest: Seconds(120.0),
                poll: Seconds(0.2),
                warm_up_slice: Seconds(2.0),
                warm_up_longest: Seconds(120.0),
                ..common
            },
        }
    }

    /// Length of a window. Lengths are jittered by ±15 %: a meter that samples at fixed intervals would alias with windows of one length
    /// and the idle time between them.
    pub fn window_length(&self, number: usize) -> Seconds {
        Seconds(self.window.0 * window_share(number))
    }
}

/// The length of a window, by its number, relative to the mean. Results are judged by it: a change needs a new version of the rules.
pub fn window_share(number: usize) -> f64 {
    0.85 + 0.3 * (number as f64 * 0.618_033_988_75).fract()
}
