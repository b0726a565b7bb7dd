//! The constants by which readings become joules. A result names the version of its rules, and later versions of rigbench keep
//! them.

/// Thresholds. Shares are of 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// The least share of a block that readings must cover.
    pub coverage: f64,
    /// A gap between readings of power that is longer than so many update periods is not bridged.
    pub bridged_periods: f64,
    /// Readings of power that are so many times the usual one are garbage.
    pub spike: f64,
    /// Power at the start of a block, where an averaging source cannot have followed yet, may differ from the rest by this share.
    pub unseen: f64,
    /// The fewest updates that a figure may rest on.
    pub fewest_updates: usize,
    /// Within a tick of a counter power may be this much above the tick's mean.
    pub crest: f64,
    /// A figure that is known no better than to this share of itself is none.
    pub widest: f64,
    /// Lags up to this many seconds are looked for.
    pub longest_lag_seconds: f64,
    /// The steps must explain this share of the variance, or the source does not answer to them.
    pub explained: f64,
    /// And this share for a late answer, since among many lags some fit the work of other rows by chance.
    pub explained_late: f64,
    /// And so many steps must agree on it.
    pub steps_late: usize,
    /// A lag within what a block's start covers is preferred to a longer one that explains no more than this share more.
    pub preferred: f64,
    /// A lag that explains less than the best by no more than this may be the true one.
    pub plateau: f64,
    /// Fewest independent readings around the steps.
    pub fewest_readings: f64,
    /// And of them while idle.
    pub fewest_idle: f64,
    /// Even a reading of a moment is the mean of this share of an update period.
    pub least_duty: f64,
    /// Sources that cover the same may differ by this share before it is worth a word.
    pub remarkable: f64,
    /// And by this factor before neither is believed.
    pub contradictory: f64,
}

impl Rules {
    /// Those of version 1.
    pub const V1: Rules = Rules {
        coverage: 0.95,
        bridged_periods: 3.0,
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
