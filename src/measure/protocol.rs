//! The protocol: how long to warm up, how many windows of what length. It stands in every result.

use crate::units::Seconds;

/// How thorough a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A first look: at most 90 s in all over a GPU and the processor.
    Quick,
    /// About six minutes for the five rows of two devices, where their kernels are chosen already.
    Default,
    /// Ten minutes a workload, as five repeats of two: a figure to publish.
    Publish,
}

impl Mode {
    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Quick => "quick",
            Mode::Default => "default",
            Mode::Publish => "publish",
        }
    }
}

/// Lengths and counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Protocol {
    /// How thorough.
    pub mode: Mode,
    /// Blocks of each row, at least. Rows of one device take turns, so that what changes with time meets all of them.
    pub blocks: usize,
    /// Windows of a block, at least: there are more where a slow meter needs longer.
    pub windows: usize,
    /// Mean length of a window; it ends with the batches then in flight.
    pub window: Seconds,
    /// A block's windows end then, though its meter would need longer.
    pub block_longest: Seconds,
    /// Blocks are added until the figures' 95 % intervals are within this share of them.
    pub precision: f64,
    /// No block is added once a row's windows last so long.
    pub longest: Seconds,
    /// Nothing runs for so long before each block.
    pub rest: Seconds,
    /// What is read at rest before the first row is taken over so long.
    pub baseline: Seconds,
    /// Or over as long as a slow source needs, but no longer than this.
    pub baseline_longest: Seconds,
    /// Meters are read no more often than this: long blocks would only fill files.
    pub poll: Seconds,
    /// Batches are sized to last about this long: long enough that their launch costs nothing, short enough for
    /// watchdogs and Ctrl-C.
    pub batch: Option<Seconds>,
    /// The warm-up is steady once slices of this length are alike.
    pub warm_up_slice: Seconds,
    /// The warm-up ends then, steady or not.
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
                // Always two blocks: a busy machine must not make a first look a long one.
                longest: Seconds(3.0),
                rest: Seconds(0.2),
                baseline: Seconds(2.0),
                baseline_longest: Seconds(6.0),
                warm_up_slice: Seconds(0.2),
                warm_up_longest: Seconds(2.0),
                ..common
            },
            // Five repeats of two minutes.
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

    /// How long a window is to be. Lengths vary by 15 % either way, since a meter that reads at fixed intervals would see
    /// windows of one length, and the rest between them, always at the same point.
    pub fn window_length(&self, number: usize) -> Seconds {
        Seconds(self.window.0 * window_share(number))
    }
}

/// The length of a window, by its number, as a share of the mean length. The rules for results know it: another needs other rules.
pub fn window_share(number: usize) -> f64 {
    0.85 + 0.3 * (number as f64 * 0.618_033_988_75).fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_vary_around_their_mean_length() {
        let protocol = Protocol::of(Mode::Default);
        let lengths: Vec<f64> = (0..30).map(|n| protocol.window_length(n).0).collect();
        let mean = lengths.iter().sum::<f64>() / 30.0;
        assert!((mean / protocol.window.0 - 1.0).abs() < 0.02, "{mean}");
        assert!(lengths.iter().all(|l| (1.26..=1.74).contains(l)), "{lengths:?}");
        assert!(lengths.windows(2).all(|l| (l[0] - l[1]).abs() > 0.1), "{lengths:?}");
    }
}
