//! Whether a source responds to the load, and with which lag. Every block steps from idle to load at a known moment.
//!
//! A linear regression of power on "idle or loaded" is fitted to the readings around these steps at each lag. The lag that explains
//! most of the readings' variance is the source's.

use super::counter::{self, Tick, Ticks};
use super::integral::{TimeSpan, middle, upper_median};
use super::{NoFigure, Quantity, Rules, SourceInfo, Stamped, power};
use crate::units::{Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A block as a meter sees it: a step from idle to load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadStep {
    /// The device is idle from this moment.
    pub idle_from: Seconds,
    /// The load begins: the warm-up, then the measured part.
    pub load_from: Seconds,
    /// The measured part of the load.
    pub measured: TimeSpan,
    /// Share of the measured time in which the device was busy by its own timestamps; `None` if it has none.
    pub busy: Option<f64>,
}

impl LoadStep {
    /// Whether a reading is relevant to this block, with its possible lag.
    pub(super) fn is_near(&self, reading: &Stamped) -> bool {
        let step = TimeSpan { from: self.idle_from, to: self.load_from };
        step.is_near(reading) || self.measured.is_near(reading)
    }
}

/// The response of a source to the steps from idle to load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// Lag of the readings behind the load.
    #[serde(rename = "lag_seconds")]
    pub lag: Seconds,
    /// Half-width of the lag's interval.
    #[serde(rename = "lag_half_width_seconds")]
    pub lag_half_width: Seconds,
    /// Mean power before the steps.
    #[serde(rename = "idle_watts")]
    pub idle: Watts,
    /// Mean power after the steps.
    #[serde(rename = "load_watts")]
    pub load: Watts,
    /// Share of the variance around the steps that the regression explains.
    pub explained: f64,
    /// Whether the lag exceeds what the start of a block covers: readings are then shifted by it.
    pub late: bool,
}

/// Mean power over a time span, as a source reads it.
#[derive(Clone, Copy)]
struct Shown {
    from: f64,
    to: f64,
    watts: f64,
}

/// Estimates a source's response to these steps.
///
/// # Errors
/// If the source does not respond, or has too few readings to tell.
pub(super) fn response(
    rules: &Rules,
    info: &SourceInfo,
    readings: &[Stamped],
    steps: &[LoadStep],
) -> Result<Response, NoFigure> {
    let min = |length: fn(&LoadStep) -> f64| steps.iter().map(length).fold(f64::INFINITY, f64::min);
    let shortest = min(|step| (step.load_from - step.idle_from).0);
    let series = Series::new(rules, info, readings, rules.response_bin * shortest)?;
    if series.shown.windows(2).all(|pair| pair[0].watts == pair[1].watts) {
        // A counter that does not move has no ticks, however often it was read.
        let unchanged = readings.windows(2).all(|pair| pair[0].values == pair[1].values);
        let enough = readings.len() as f64 >= rules.fewest_readings;
        let never_moved = series.shown.len() > 1 || (unchanged && enough);
        return Err(if never_moved { NoFigure::NeverMoved } else { NoFigure::FewReadings });
    }
    // A block leaves out its warm-up and averaging time: a lag up to this needs no correction.
    let averaging = info.quantity.averaging().0;
    let max_uncorrected_lag = min(|step| (step.measured.from - step.load_from).0)
        + if averaging > 0.0 { averaging + series.period } else { 0.0 };
    let (steps_per_idle, min_step, max_step) = rules.lag_step;
    let lag_step = (shortest / steps_per_idle).clamp(min_step, max_step);
    let fits: Vec<Fit> = (0..=(rules.longest_lag_seconds / lag_step) as usize)
        .filter_map(|i| series.fit(rules, steps, i as f64 * lag_step))
        .collect();
    let best = |longest: f64| {
        let fits = fits.iter().filter(|fit| fit.lag <= longest);
        fits.max_by(|a, b| a.r_squared.total_cmp(&b.r_squared)).copied()
    };
    let any = best(f64::INFINITY).ok_or(NoFigure::FewReadings)?;
    let best_uncorrected = best(max_uncorrected_lag)
        .filter(|fit| fit.r_squared >= rules.explained.max(any.r_squared - rules.preferred));
    let (chosen, late) = (best_uncorrected.unwrap_or(any), best_uncorrected.is_none());
    if late && any.r_squared < rules.explained_late {
        return Err(NoFigure::NoResponse {
            longest_lag: Seconds(rules.longest_lag_seconds),
            explained: any.r_squared.max(0.0),
        });
    }
    if late && steps.len() < rules.steps_late {
        return Err(NoFigure::LateUnconfirmed { lag: Seconds(any.lag), blocks: steps.len() });
    }
    // Lags around the chosen one that explain about as much.
    let width = fits
        .iter()
        .filter(|fit| fit.r_squared >= chosen.r_squared - rules.plateau)
        .map(|fit| (fit.lag - chosen.lag).abs())
        .filter(|distance| *distance <= 2.0 * (series.period + shortest))
        .fold(0.0f64, f64::max);
    Ok(Response {
        lag: Seconds(chosen.lag),
        lag_half_width: Seconds(width + lag_step),
        idle: Watts(chosen.load - chosen.step_watts),
        load: Watts(chosen.load),
        explained: chosen.r_squared,
        late,
    })
}

/// The readings of a source as mean powers over time.
struct Series {
    shown: Vec<Shown>,
    /// Typical time from one independent reading to the next, in seconds.
    period: f64,
    /// Share of readings that are independent: repeated readings of one update count once.
    independent: f64,
}

/// The regression at one lag.
#[derive(Clone, Copy)]
struct Fit {
    lag: f64,
    /// Power under load.
    load: f64,
    /// Power under load minus idle power.
    step_watts: f64,
    /// Share of the variance explained by the regression; negative if power falls with the load.
    r_squared: f64,
}

impl Series {
    /// Averages over at least `bin_seconds`, which smooths fluctuations of load and clock.
    fn new(
        rules: &Rules,
        info: &SourceInfo,
        readings: &[Stamped],
        bin_seconds: f64,
    ) -> Result<Series, NoFigure> {
        let shown: Vec<Shown> = match &info.quantity {
            Quantity::Counter { ranges, .. } => {
                let Ticks { mut ticks, .. } = Ticks::read(rules, info, ranges, readings)?;
                ticks.dedup_by(|tick, kept| tick.at() - kept.at() < bin_seconds);
                let between = |pair: &[Tick]| Shown {
                    from: pair[0].at(),
                    to: pair[1].at(),
                    watts: counter::power(pair),
                };
                ticks.windows(2).map(between).collect()
            }
            Quantity::Power { averaging } => {
                let despiked = power::without_spikes(rules, info, readings);
                if despiked.is_empty() {
                    return Err(NoFigure::NoUsableReading);
                }
                let mut groups: Vec<Vec<&Stamped>> = Vec::new();
                for reading in despiked {
                    match groups.last_mut() {
                        Some(group) if middle(reading) - middle(group[0]) < bin_seconds => {
                            group.push(reading);
                        }
                        _ => groups.push(vec![reading]),
                    }
                }
                let mean = |group: &Vec<&Stamped>| Shown {
                    from: middle(group[0]) - averaging.0,
                    to: middle(group[group.len() - 1]),
                    watts: group.iter().map(|r| r.values[0]).sum::<f64>() / group.len() as f64,
                };
                groups.iter().map(mean).collect()
            }
        };
        let gaps = shown.windows(2).map(|pair| pair[1].to - pair[0].to).collect();
        let gap = upper_median(gaps).unwrap_or(f64::INFINITY);
        let period = info.update_period.map_or(gap, |period| period.0.max(gap));
        Ok(Series { shown, period, independent: (gap / period).min(1.0) })
    }

    /// Least-squares fit of power on "idle or loaded" at this lag; `None` with too few readings.
    fn fit(&self, rules: &Rules, steps: &[LoadStep], lag: f64) -> Option<Fit> {
        // The share of idle time in each reading, and its watts.
        let mut points = Vec::new();
        let mut end = f64::NEG_INFINITY;
        for step in steps {
            // No reading counts for two blocks, even if a document's blocks overlap.
            let (from, edge) = (step.idle_from.0.max(end) + lag, step.load_from.0 + lag);
            end = step.measured.to.0;
            // Roughly as much load as idle time, so that neither dominates.
            let (idle_times, periods) = rules.response_load;
            let span = (idle_times * (edge - from)).max(periods * self.period);
            let to = (edge + span).min(step.measured.to.0 + lag);
            let first = self.shown.partition_point(|shown| shown.to < from);
            let inside = self.shown[first..].iter().take_while(|shown| shown.to <= to);
            points.extend(inside.filter(|shown| shown.from >= from).map(|shown| {
                let idle = match shown.to - shown.from {
                    0.0 => f64::from(shown.to < edge),
                    length => ((edge - shown.from) / length).clamp(0.0, 1.0),
                };
                (idle, shown.watts)
            }));
        }
        let sum = |term: fn(f64, f64) -> f64| -> f64 {
            points.iter().map(|(idle, watts)| term(*idle, *watts)).sum()
        };
        let (n, idle, watts) = (points.len() as f64, sum(|idle, _| idle), sum(|_, watts| watts));
        if n * self.independent < rules.fewest_readings
            || idle * self.independent < rules.fewest_idle
        {
            return None;
        }
        let idle_variance = sum(|idle, _| idle * idle) - idle * idle / n;
        let watts_variance = sum(|_, watts| watts * watts) - watts * watts / n;
        let covariance = sum(|idle, watts| idle * watts) - idle * watts / n;
        if idle_variance <= 1e-9 || watts_variance <= 0.0 {
            return None;
        }
        let slope = covariance / idle_variance;
        let r_squared = covariance * covariance / (idle_variance * watts_variance);
        Some(Fit {
            lag,
            load: (watts - slope * idle) / n,
            step_watts: -slope,
            r_squared: if slope < 0.0 { r_squared } else { -r_squared },
        })
    }
}
