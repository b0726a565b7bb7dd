//! Whether a source responds to the load, and with which lag. Every block steps from idle to load at a known moment.
//!
//! A linear regression of power on "idle or loaded" is fitted to the readings around these steps at each lag. The lag that explains
//! most of the readings' variance is the source's.

use super::counter::{self, Tick};
use super::integral::{median, middle};
use super::{NoFigure, Quantity, Rules, SourceInfo, Stamped, TimeSpan, power};
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

    /// Duration of the warm-up, in seconds.
    fn warm_up(&self) -> f64 {
        self.measured.from.0 - self.load_from.0
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

impl Response {
    /// Time by which readings of a time span are shifted: the lag if it matters, else 0.
    pub fn shift(&self) -> Seconds {
        if self.late { self.lag } else { Seconds(0.0) }
    }

    /// Share of the power under load that exceeds idle power, 0 to 1.
    pub fn contrast(&self) -> f64 {
        (1.0 - self.idle.0 / self.load.0).clamp(0.0, 1.0)
    }
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
    let shortest =
        steps.iter().map(|s| (s.load_from - s.idle_from).0).fold(f64::INFINITY, f64::min);
    let series = Series::new(rules, info, readings, shortest / 4.0)?;
    if series.is_constant() {
        return Err(NoFigure::NeverMoved);
    }
    // A block leaves out its warm-up and averaging time: a lag up to this needs no correction.
    let covered = steps.iter().map(LoadStep::warm_up).fold(f64::INFINITY, f64::min)
        + match info.quantity {
            Quantity::Power { averaging: Seconds(averaging) } if averaging > 0.0 => {
                averaging + series.period
            }
            _ => 0.0,
        };
    let stride = (shortest / 3.0).clamp(0.05, 0.25);
    let fits: Vec<Fit> = (0..=(rules.longest_lag_seconds / stride) as usize)
        .filter_map(|i| series.fit(rules, steps, i as f64 * stride))
        .collect();
    let best = |fits: &mut dyn Iterator<Item = &Fit>| {
        fits.max_by(|a, b| a.explained.total_cmp(&b.explained)).copied()
    };
    let Some(any) = best(&mut fits.iter()) else {
        return Err(NoFigure::FewReadings);
    };
    let prompt = best(&mut fits.iter().filter(|fit| fit.lag <= covered))
        .filter(|fit| fit.explained >= rules.explained.max(any.explained - rules.preferred));
    let chosen = prompt.unwrap_or(any);
    if prompt.is_none() && any.explained < rules.explained_late {
        return Err(NoFigure::NoResponse {
            longest_lag: Seconds(rules.longest_lag_seconds),
            explained: any.explained.max(0.0),
        });
    }
    if prompt.is_none() && steps.len() < rules.steps_late {
        return Err(NoFigure::LateUnconfirmed { lag: Seconds(any.lag), blocks: steps.len() });
    }
    let plateau: Vec<f64> = fits
        .iter()
        .filter(|fit| (fit.lag - chosen.lag).abs() <= 2.0 * (series.period + shortest))
        .filter(|fit| fit.explained >= chosen.explained - rules.plateau)
        .map(|fit| fit.lag)
        .collect();
    let width = plateau.iter().fold(0.0f64, |width, lag| width.max((lag - chosen.lag).abs()));
    Ok(Response {
        lag: Seconds(chosen.lag),
        lag_half_width: Seconds(width + stride),
        idle: Watts(chosen.load - chosen.contrast),
        load: Watts(chosen.load),
        explained: chosen.explained,
        late: prompt.is_none(),
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
    contrast: f64,
    /// Share of the variance explained by the regression; negative if power falls with the load.
    explained: f64,
}

impl Series {
    /// Averages over at least `grain` seconds, which smooths fluctuations of load and clock.
    fn new(
        rules: &Rules,
        info: &SourceInfo,
        readings: &[Stamped],
        grain: f64,
    ) -> Result<Series, NoFigure> {
        let shown: Vec<Shown> = match &info.quantity {
            Quantity::Counter { ranges, .. } => {
                let ticks = counter::of(info, ranges, readings)?;
                let between = |pair: &[Tick]| Shown {
                    from: pair[0].at(),
                    to: pair[1].at(),
                    watts: (pair[1].total - pair[0].total) / (pair[1].at() - pair[0].at()),
                };
                let mut kept: Vec<Tick> = Vec::new();
                for tick in ticks {
                    if kept.last().is_none_or(|last| tick.at() - last.at() >= grain) {
                        kept.push(tick);
                    }
                }
                kept.windows(2).map(between).collect()
            }
            Quantity::Power { averaging } => {
                let sane = power::without_spikes(rules, info, readings);
                if sane.is_empty() {
                    return Err(NoFigure::NoUsableReading);
                }
                let mut groups: Vec<Vec<&Stamped>> = Vec::new();
                for reading in sane {
                    match groups.last_mut() {
                        Some(group) if middle(reading) - middle(group[0]) < grain => {
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
        let gap = median(gaps).unwrap_or(f64::INFINITY);
        let period = info.update_period.map_or(gap, |period| period.0.max(gap));
        Ok(Series { shown, period, independent: (gap / period).min(1.0) })
    }

    fn is_constant(&self) -> bool {
        self.shown.windows(2).all(|pair| pair[0].watts == pair[1].watts)
    }

    /// Least-squares fit of power on "idle or loaded" at this lag; `None` with too few readings.
    fn fit(&self, rules: &Rules, steps: &[LoadStep], lag: f64) -> Option<Fit> {
        let (mut n, mut idle, mut watts) = (0.0, 0.0, 0.0);
        let (mut idle_idle, mut idle_watts, mut watts_watts) = (0.0, 0.0, 0.0);
        let mut end = f64::NEG_INFINITY;
        for step in steps {
            // No reading counts for two blocks, even if a document's blocks overlap.
            let (from, edge) = (step.idle_from.0.max(end) + lag, step.load_from.0 + lag);
            end = step.measured.to.0;
            // Roughly as much load as idle time, so that neither dominates.
            let span = (1.5 * (edge - from)).max(4.0 * self.period);
            let to = (edge + span).min(step.measured.to.0 + lag);
            let first = self.shown.partition_point(|shown| shown.to < from);
            for shown in self.shown[first..].iter().take_while(|shown| shown.to <= to) {
                if shown.from < from {
                    continue;
                }
                let share = match shown.to - shown.from {
                    0.0 => f64::from(shown.to < edge),
                    length => ((edge - shown.from) / length).clamp(0.0, 1.0),
                };
                n += 1.0;
                idle += share;
                watts += shown.watts;
                idle_idle += share * share;
                idle_watts += share * shown.watts;
                watts_watts += shown.watts * shown.watts;
            }
        }
        if n * self.independent < rules.fewest_readings
            || idle * self.independent < rules.fewest_idle
        {
            return None;
        }
        let idle_variance = idle_idle - idle * idle / n;
        let watts_variance = watts_watts - watts * watts / n;
        let covariance = idle_watts - idle * watts / n;
        if idle_variance <= 1e-9 || watts_variance <= 0.0 {
            return None;
        }
        let slope = covariance / idle_variance;
        let explained = covariance * covariance / (idle_variance * watts_variance);
        Some(Fit {
            lag,
            load: (watts - slope * idle) / n,
            contrast: -slope,
            explained: if slope < 0.0 { explained } else { -explained },
        })
    }
}
