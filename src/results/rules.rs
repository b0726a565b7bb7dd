//! The rules that derive figures and verdicts from evidence, by version. A file is judged by the rules that it names: to change a
//! constant, add a version, so that old files stay consistent.

use crate::energy;
use std::ops::RangeInclusive;

/// One version of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Version number in documents.
    pub version: u32,
    /// Rules of the energy integration.
    pub energy: energy::Rules,
    /// Maximum CPU share of other processes in a window.
    pub others: f64,
    /// Minimum CPU share of this process in a window, relative to its usual share. Beyond either limit, the window is disturbed.
    pub min_own_cpu: f64,
    /// The second limit applies to rows that usually use more than this share of all threads.
    pub computes: f64,
    /// Maximum share of disturbed windows in a row.
    pub disturbed: f64,
    /// Maximum drift of a row.
    pub drift: f64,
    /// Minimum distance of an outlier from the median, as a share of the median.
    pub outlier: f64,
    /// Maximum ratio of a board's mean power to its power limit.
    pub above_power_limit: f64,
    /// Maximum relative half-width of a counter's figure at which the counter is preferred to power readings.
    pub max_counter_half_width: f64,
    /// Minimum number of expected shares; with fewer, claimed hashes are cut to the lower bound.
    pub min_expected_shares: f64,
    /// Maximum relative difference between clocks.
    pub clocks_share: f64,
    /// Maximum absolute difference between the clocks of a window in seconds, in addition.
    pub clocks_seconds: f64,
    /// The same between the clocks of a run, which are read when it starts and when it ends.
    pub run_clocks_seconds: f64,
    /// Maximum time between the start of a run and the zero of its clock, in seconds.
    pub longest_start: f64,
    /// Minimum length of windows and idle times as a share of the protocol's.
    pub shortest: f64,
    /// Maximum ratio of a rate to the published peak, or to half of hashcat's rate: boost clocks slightly exceed published clocks.
    pub above_published: f64,
    /// A clock that no processor exceeds, in hertz.
    pub cpu_hertz: f64,
    /// Double SHA-256 hashes per cycle and thread that none exceeds: sixteen lanes take some 1,000 cycles.
    pub cpu_hashes_per_cycle: f64,
    /// Operations per cycle and thread that none exceeds: 2,048 in Intel's tiles of 8-bit integers.
    pub cpu_operations_per_cycle: f64,
    /// Bytes per cycle and thread that none reads: 128 from its nearest cache.
    pub cpu_bytes_per_cycle: f64,
    /// First day of the format, RFC 3339.
    pub first_day: &'static str,
    /// Minimum amount of measurement per mode.
    pub modes: &'static [Minimum],
    /// Seconds for which a batch may be sized.
    pub batch_seconds: RangeInclusive<f64>,
    /// Minimum duration of all batches as a share of that of the windows.
    pub min_batches: f64,
    /// Maximum measured share of a device or a processor core: it exceeds 1 slightly, since two clocks measure it.
    pub max_core_share: f64,
    /// Clock frequencies of processors, cards and their memory.
    pub clock_hertz: RangeInclusive<f64>,
    /// Temperatures of machines.
    pub celsius: RangeInclusive<f64>,
}

/// What a mode guarantees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minimum {
    /// Name of the mode.
    pub mode: &'static str,
    /// Seconds of windows per row.
    pub seconds: f64,
    /// Windows per row.
    pub windows: usize,
    /// Idle time before each block.
    pub rest_seconds: f64,
    /// Whether a row without a steady state after its warm-up is invalid.
    pub warm_up_required: bool,
}

const QUICK: Minimum =
    Minimum { mode: "quick", seconds: 3.0, windows: 8, rest_seconds: 0.0, warm_up_required: false };

/// All versions, the newest last.
static ALL: &[Rules] = &[Rules {
    version: 1,
    energy: energy::Rules::V1,
    others: 0.1,
    min_own_cpu: 0.9,
    computes: 0.5,
    disturbed: 0.2,
    drift: 0.05,
    outlier: 0.05,
    above_power_limit: 1.1,
    max_counter_half_width: 0.1,
    min_expected_shares: 400.0,
    clocks_share: 0.05,
    clocks_seconds: 0.1,
    run_clocks_seconds: 6.0,
    longest_start: 3600.0,
    shortest: 0.99,
    above_published: 1.25,
    cpu_hertz: 7e9,
    cpu_hashes_per_cycle: 0.1,
    cpu_operations_per_cycle: 4096.0,
    cpu_bytes_per_cycle: 256.0,
    first_day: "2026-11-30T00:00:00Z",
    modes: &[
        QUICK,
        Minimum { mode: "default", seconds: 20.0, windows: 15, rest_seconds: 1.0, ..QUICK },
        Minimum {
            mode: "publish",
            seconds: 500.0,
            windows: 60,
            rest_seconds: 10.0,
            warm_up_required: true,
        },
    ],
    batch_seconds: 1e-4..=0.05,
    min_batches: 0.5,
    max_core_share: 1.05,
    clock_hertz: 1e6..=1e11,
    celsius: -80.0..=200.0,
}];

impl Rules {
    /// All versions that this program knows, the newest last.
    pub fn all() -> &'static [Rules] {
        ALL
    }

    /// The current version, by which this program judges its own runs.
    pub fn current() -> &'static Rules {
        &ALL[ALL.len() - 1]
    }

    /// Maximum difference between two clocks after a time in seconds, if they may differ by `offset` at its ends.
    pub fn clock_tolerance(&self, seconds: f64, offset: f64) -> f64 {
        seconds * self.clocks_share + offset
    }
}
