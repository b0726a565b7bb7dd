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
    /// Windows of each row.
    pub windows: usize,
    /// Shortest length of a window; it ends with the batches then in flight.
    pub window: Seconds,
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
        let (windows, window, slice, longest) = match mode {
            Mode::Quick => (7, 0.5, 0.25, 3.0),
            Mode::Default => (30, 2.0, 0.5, 12.0),
            Mode::Publish => (60, 9.0, 2.0, 60.0),
        };
        Protocol {
            mode,
            windows,
            window: Seconds(window),
            batch: Seconds(0.02),
            warm_up_slice: Seconds(slice),
            warm_up_longest: Seconds(longest),
        }
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
    fn flat_looks_at_the_last_slices_only() {
        let protocol = Protocol::of(Mode::Quick);
        assert!(!protocol.is_flat(&[100.0, 100.0]));
        assert!(!protocol.is_flat(&[80.0, 100.0, 101.0]));
        assert!(protocol.is_flat(&[10.0, 100.0, 101.0, 99.0]));
    }
}
