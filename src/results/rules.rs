//! The rules by which figures and verdicts follow from evidence, by version. A file is judged by the rules that it names, so that
//! a change of a constant makes no old file wrong: change one by adding a version, never by editing one.

use crate::energy;

/// One version of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Its number, as documents name it.
    pub version: u32,
    /// How readings become joules.
    pub energy: energy::Rules,
    /// Other programs may take this share of the processor in a window.
    pub others: f64,
    /// Or this process gets less than this share of what it usually gets: then a window is disturbed.
    pub starved: f64,
    /// A row may have this share of disturbed windows.
    pub disturbed: f64,
    /// And drift by this share.
    pub drift: f64,
    /// An outlier is further from the median than this share of it, whatever the rest's scatter.
    pub outlier: f64,
    /// A board may hold its power limit on average only to this factor.
    pub above_power_limit: f64,
    /// A counter that is known worse than to this share is no better source than readings of watts.
    pub good_counter: f64,
    /// With fewer shares to be expected, a claim of hashes is cut to what they prove.
    pub dense_shares: f64,
    /// Clocks of different kinds may differ by this share.
    pub clocks_share: f64,
    /// And by this many seconds.
    pub clocks_seconds: f64,
    /// No window, and no time of rest before a block, is shorter than this share of what the protocol asks for.
    pub shortest: f64,
    /// A rate above a published peak, or above half of hashcat's, by more than this factor is none: boost clocks exceed what is
    /// published a little.
    pub above_published: f64,
    /// The day on which the format began: RFC 3339.
    pub first_day: &'static str,
    /// The least that runs of a mode measure: mode, seconds of windows a row, windows a row.
    pub modes: &'static [(&'static str, f64, usize)],
}

/// Every version, the newest last.
static ALL: &[Rules] = &[Rules {
    version: 1,
    energy: energy::Rules::V1,
    others: 0.1,
    starved: 0.9,
    disturbed: 0.2,
    drift: 0.05,
    outlier: 0.05,
    above_power_limit: 1.1,
    good_counter: 0.1,
    dense_shares: 400.0,
    clocks_share: 0.05,
    clocks_seconds: 0.1,
    shortest: 0.99,
    above_published: 1.25,
    first_day: "2026-11-30T00:00:00Z",
    modes: &[("quick", 0.0, 0), ("default", 20.0, 15), ("publish", 500.0, 60)],
}];

impl Rules {
    /// Every version that this program knows, the newest last.
    pub fn all() -> &'static [Rules] {
        ALL
    }

    /// Those by which this version of rigbench judges its own runs.
    pub fn today() -> &'static Rules {
        &ALL[ALL.len() - 1]
    }

    /// Those of a version, if this program knows them.
    pub fn of(version: u32) -> Option<&'static Rules> {
        ALL.iter().find(|rules| rules.version == version)
    }
}
