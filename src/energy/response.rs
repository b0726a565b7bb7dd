//! Whether a source answers to the load, and how late. Every block goes from idle to load at a known moment: the readings
//! around these steps show when the source follows, or that it does not.
//!
//! The readings are compared with the known steps, moved by a lag, as a linear regression of power on "idle or loaded".
//! The lag that explains the most of the readings' variance is the source's.

use super::counter::{self, Tick};
use super::integral::{median, middle};
use super::{NoFigure, Quantity, Rules, SourceInfo, Stamped, Stretch, power};
use crate::units::{Seconds, Watts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A block as a meter sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadStep {
    /// The device is idle from here on.
    pub idle_from: Seconds,
    /// The load begins: the warm-up, then what is measured.
    pub load_from: Seconds,
    /// The part of the load that is measured.
    pub measured: Stretch,
    /// Share of the measured time in which the device was busy, by its own clock; `None` if it has no clock.
    pub busy: Option<f64>,
}

impl LoadStep {
    /// Whether a reading says anything about this block, a late reading included.
    pub(super) fn is_near(&self, reading: &Stamped) -> bool {
        let step = Stretch { from: self.idle_from, to: self.load_from };
        step.is_near(reading) || self.measured.is_near(reading)
    }

    /// How long the load runs before it is measured.
    fn warm_up(&self) -> f64 {
        self.measured.from.0 - self.load_from.0
    }
}

/// How a source answered to the steps from idle to load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Response {
    /// How late its readings follow the load.
    #[serde(rename = "lag_seconds")]
    pub lag: Seconds,
    /// Half of the interval in which the lag lies.
    #[serde(rename = "lag_half_width_seconds")]
    pub lag_half_width: Seconds,
    /// Mean power before the steps.
    #[serde(rename = "idle_watts")]
    pub idle: Watts,
    /// Mean power after the steps.
    #[serde(rename = "load_watts")]
    pub load: Watts,
    /// Share of the variance of the readings around the steps that the steps explain.
    pub explained: f64,
    /// Whether the lag is longer than what the start of a block covers, so that the readings are moved by it.
    pub late: bool,
}

impl Response {
    /// How much later the readings of a stretch come than the stretch itself, as far as it matters.
    pub fn shift(&self) -> Seconds {
        if self.late { self.lag } else { Seconds(0.0) }
    }

    /// Share of the power under load that the load itself adds, 0 to 1.
    pub fn contrast(&self) -> f64 {
        (1.0 - self.idle.0 / self.load.0).clamp(0.0, 1.0)
    }
}

/// Mean power over some time, as a source shows it.
#[derive(Clone, Copy)]
struct Shown {
    from: f64,
    to: f64,
    watts: f64,
}

/// How a source answers to these steps.
///
/// # Errors
/// If it does not, or if too little was read to know.
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
    // What a block leaves out at its start: readings that are no later than this still show the load.
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

/// What a source showed over time.
struct Series {
    shown: Vec<Shown>,
    /// Typical time from one independent reading to the next.
    period: f64,
    /// Share of the readings that are independent: repeated readings of one update count once.
    independent: f64,
}

/// The regression at one lag.
#[derive(Clone, Copy)]
struct Fit {
    lag: f64,
    /// Power under load.
    load: f64,
    /// Power under load less power while idle.
    contrast: f64,
    /// Share of the variance that the regression explains; negative if power falls with the load.
    explained: f64,
}

impl Series {
    /// Means over at least `grain` seconds, which even out what the load and the clock do from reading to reading.
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

    /// Power on "idle or loaded" by least squares, if the source is so late; `None` with too few readings.
    fn fit(&self, rules: &Rules, steps: &[LoadStep], lag: f64) -> Option<Fit> {
        let (mut n, mut idle, mut watts) = (0.0, 0.0, 0.0);
        let (mut idle_idle, mut idle_watts, mut watts_watts) = (0.0, 0.0, 0.0);
        let mut end = f64::NEG_INFINITY;
        for step in steps {
            // No reading counts for two blocks, whatever a document says of them.
            let (from, edge) = (step.idle_from.0.max(end) + lag, step.load_from.0 + lag);
            end = step.measured.to.0;
            // As much of the load as of the idle time, so that both count.
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
        let of_idle = idle_idle - idle * idle / n;
        let of_watts = watts_watts - watts * watts / n;
        let of_both = idle_watts - idle * watts / n;
        if of_idle <= 1e-9 || of_watts <= 0.0 {
            return None;
        }
        let slope = of_both / of_idle;
        let explained = of_both * of_both / (of_idle * of_watts);
        Some(Fit {
            lag,
            load: (watts - slope * idle) / n,
            contrast: -slope,
            explained: if slope < 0.0 { explained } else { -explained },
        })
    }
}
