//! Constants of the energy integration. A result names the version of its rules, and later versions of rigbench keep old rules.

use super::Scope;
use crate::units::Watts;

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
    /// A change of a counter counts at most the energy of so many seconds before the reading that preceded it.
    pub max_tick_seconds: f64,
    /// A counter that falls has wrapped if the rise that this implies is at most so many times its largest rise.
    pub max_wrap_rise: f64,
    /// A counter is stuck after so many of its periods without a change, unless it makes up for them.
    pub stuck_counter_periods: f64,
    /// Maximum power over such a gap, as a share of the usual power, at which it was stuck.
    pub stuck_counter_power: f64,
    /// Power readings are stuck after so many of their periods without a change.
    pub stuck_power_periods: f64,
    /// Power readings have settled so many averaging times after a block's start.
    pub settled_averages: f64,
    /// Power before that is uncertain by so many times the largest difference between a tenth of the readings and their mean.
    pub unseen_drifts: f64,
    /// Equal readings are of different updates if they are so many periods apart.
    pub fresh_periods: f64,
    /// Readings are averaged over this share of the shortest idle time before their response is estimated.
    pub response_bin: f64,
    /// Lags are searched in so many steps per shortest idle time, each within these bounds in seconds.
    pub lag_step: (f64, f64, f64),
    /// Readings under load count for a step for so many idle times, or so many periods if that is longer.
    pub response_load: (f64, f64),
    /// Minimum power under load and maximum power of each scope, in watts. Less than the minimum means a wrong unit or another device: an idle laptop draws 2 W at its plug, an idle graphics card 3 W or more, a
    /// phone's processor 0.5 W under load. The largest cards draw 1.4 kW, a rack of 72 of them 140 kW.
    pub plausible_watts: [(Scope, f64, f64); 5],
}

impl Rules {
    /// Minimum power under load and maximum power of a scope.
    pub fn plausible_power(&self, scope: Scope) -> (Watts, Watts) {
        let of_scope = self.plausible_watts.iter().find(|(known, ..)| *known == scope);
        let (_, min, max) = of_scope.expect("each scope is in it");
        (Watts(*min), Watts(*max))
    }

    /// Whether it is the power of a scope under load.
    pub fn is_power(&self, power: Watts) -> bool {
        self.plausible_watts.iter().any(|(_, min, max)| (*min..=*max).contains(&power.0))
    }

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
        max_tick_seconds: 60.0,
        max_wrap_rise: 3.0,
        stuck_counter_periods: 4.0,
        stuck_counter_power: 0.5,
        stuck_power_periods: 20.0,
        settled_averages: 2.0,
        unseen_drifts: 1.5,
        fresh_periods: 0.99,
        response_bin: 0.25,
        lag_step: (3.0, 0.05, 0.25),
        response_load: (1.5, 4.0),
        plausible_watts: [
            (Scope::GpuBoard, 1.5, 3e3),
            (Scope::CpuPackage, 0.2, 5e3),
            (Scope::Dram, 0.02, 2e3),
            (Scope::Machine, 1.0, 200e3),
            (Scope::Wall, 1.0, 200e3),
        ],
    };
}
