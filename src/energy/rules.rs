//! Constants of the energy integration. A result names the version of its rules, and later versions of rigbench keep old rules.

/// Thresholds. Shares are fractions of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Minimum share of a block that readings must cover.
    pub coverage: f64,
    /// Gaps between power readings are bridged up to this many update periods.
    pub max_gap_periods: f64,
    /// Power readings above this multiple of the usual one are rejected.
    pub spike: f64,
    /// Minimum uncertainty, as a share, of the power at a block's start, before an averaging source has settled.
    pub unseen: f64,
    /// Minimum number of updates for a figure.
    pub fewest_updates: usize,
    /// Crest factor: maximum power within a counter's tick over its mean.
    pub crest: f64,
    /// Maximum half-width of a figure's interval as a share of the figure.
    pub widest: f64,
    /// Longest lag searched, in seconds.
    pub longest_lag_seconds: f64,
    /// Minimum share of the variance that the steps must explain.
    pub explained: f64,
    /// The same for a late response, since at some of many lags the load of other rows fits by chance.
    pub explained_late: f64,
    /// Minimum number of steps for a late response.
    pub steps_late: usize,
    /// A lag covered by a block's start is preferred to a longer one that explains at most this share more.
    pub preferred: f64,
    /// Lags that explain at most this share less than the best are within the lag's interval.
    pub plateau: f64,
    /// Minimum number of independent readings around the steps.
    pub fewest_readings: f64,
    /// Minimum number of these while idle.
    pub fewest_idle: f64,
    /// Minimum duty cycle: even an instantaneous reading averages over this share of an update period.
    pub least_duty: f64,
    /// Sources of the same scope that differ by more than this share are reported.
    pub remarkable: f64,
    /// Sources of the same scope that differ by more than this factor are both rejected.
    pub contradictory: f64,
}

impl Rules {
    /// Those of meters that are read now.
    pub const CURRENT: Rules = Rules::V1;

    /// Version 1.
    pub const V1: Rules = Rules {
        coverage: 0.95,
        max_gap_periods: 3.0,
        spike: 6.0,
        unseen: 0.03,
        fewest_updates: 5,
        crest: 1.5,
        widest: 0.25,
        longest_lag_seconds: 30.0,
        explained: 0.5,
        explained_late: 0.85,
        steps_late: 3,
        preferred: 0.3,
        plateau: 0.05,
        fewest_readings: 4.0,
        fewest_idle: 1.0,
        least_duty: 0.25,
        remarkable: 0.05,
        contradictory: 2.0,
    };
}
