//! The protocol: how long to warm up, how many windows of what length. It stands in every result.

use crate::units::Seconds;

/// How thorough a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A first look: at most 90 s in all over a GPU and the processor.
    Quick,
    /// About five minutes.
    Default,
    /// Ten minutes a workload: a figure to publish.
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
    /// Windows of each row, at least: there are more where a slow meter needs longer.
    pub windows: usize,
    /// Mean length of a window; it ends with the batches then in flight.
    pub window: Seconds,
    /// A row's windows end then, though its meter would need longer.
    pub longest: Seconds,
    /// What is read at rest before the first row is taken over so long.
    pub baseline: Seconds,
    /// Or over as long as a slow source needs, but no longer than this.
    pub baseline_longest: Seconds,
    /// Batches are sized to last about this long: long enough that their launch costs nothing, short enough for
    /// watchdogs and Ctrl-C.
    pub batch: Seconds,
    /// Throughput is compared over slices of this length.
    pub warm_up_slice: Seconds,
    /// The warm-up ends then, steady or not.
    pub warm_up_longest: Seconds,
}

/// Slices whose throughput is compared to tell whether it is flat.
const FLAT_SLICES: usize = 3;
/// Flat means that they differ by no more than this.
const FLAT_SPREAD: f64 = 0.03;

impl Protocol {
    /// The protocol of a mode.
    pub fn of(mode: Mode) -> Protocol {
        let (windows, window, longest, slice, longest_warm_up) = match mode {
            Mode::Quick => (7, 0.5, 7.0, 0.25, 3.0),
            Mode::Default => (30, 2.0, 120.0, 0.5, 12.0),
            Mode::Publish => (60, 9.0, 1200.0, 2.0, 60.0),
        };
        let (baseline, baseline_longest) = match mode {
            Mode::Quick => (2.0, 6.0),
            Mode::Default => (10.0, 30.0),
            Mode::Publish => (60.0, 120.0),
        };
        Protocol {
            mode,
            windows,
            baseline: Seconds(baseline),
            baseline_longest: Seconds(baseline_longest),
            window: Seconds(window),
            longest: Seconds(longest),
            batch: Seconds(0.02),
            warm_up_slice: Seconds(slice),
            warm_up_longest: Seconds(longest_warm_up),
        }
    }

    /// How long a window is to be. Lengths vary by 15 % either way, since a meter that reads at fixed intervals would see
    /// windows of one length, and the rest between them, always at the same point.
    pub fn window_length(&self, number: usize) -> Seconds {
        let step = (number as f64 * 0.618_033_988_75).fract();
        Seconds(self.window.0 * (0.85 + 0.3 * step))
    }

    /// Whether the throughput of the last slices is flat.
    pub fn is_flat(&self, rates: &[f64]) -> bool {
        let Some(last) = rates.last_chunk::<FLAT_SLICES>() else { return false };
        let (low, high) =
            last.iter().fold((f64::MAX, 0f64), |(low, high), r| (low.min(*r), high.max(*r)));
        high <= low * (1.0 + FLAT_SPREAD)
    }
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
        assert!(lengths.iter().all(|l| (1.69..=2.31).contains(l)), "{lengths:?}");
        assert!(lengths.windows(2).all(|l| (l[0] - l[1]).abs() > 0.1), "{lengths:?}");
    }

    #[test]
    fn flat_looks_at_the_last_slices_only() {
        let protocol = Protocol::of(Mode::Quick);
        assert!(!protocol.is_flat(&[100.0, 100.0]));
        assert!(!protocol.is_flat(&[80.0, 100.0, 101.0]));
        assert!(protocol.is_flat(&[10.0, 100.0, 101.0, 99.0]));
    }
}
