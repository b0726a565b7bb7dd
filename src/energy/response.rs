//! Whether a source answers to the load, and how late. Every block goes from idle to load at a known moment: the readings
//! around these steps show when the source follows, or that it does not.
//!
//! The readings are compared with the known steps, moved by a lag, as a linear regression of power on "idle or loaded".
//! The lag that explains the most of the readings' variance is the source's.

use super::counter::{self, Tick};
use super::integral::{MARGIN, median, middle};
use super::{EnergyError, Quantity, SourceInfo, Stamped, Stretch, power};
use crate::units::{Seconds, Watts};

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
    /// The same step on a clock that is 0 at `zero`.
    pub(super) fn since(&self, zero: Seconds) -> LoadStep {
        LoadStep {
            idle_from: self.idle_from - zero,
            load_from: self.load_from - zero,
            measured: self.measured.later(Seconds(-zero.0)),
            busy: self.busy,
        }
    }

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
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Response {
    /// How late its readings follow the load.
    pub lag: Seconds,
    /// Half of the interval in which the lag lies.
    pub lag_half_width: Seconds,
    /// Mean power before the steps.
    pub idle: Watts,
    /// Mean power after the steps.
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

/// Lags up to this are looked for: readings of so long after a block are kept.
const LONGEST_LAG: f64 = MARGIN;
/// The steps must explain this share of the variance, or the source does not answer to them.
const EXPLAINED: f64 = 0.5;
/// And this share for a late answer, since among many lags some fit the work of other rows by chance.
const EXPLAINED_LATE: f64 = 0.85;
/// And so many steps must agree on it.
const STEPS_LATE: usize = 3;
/// A lag within what a block's start covers is preferred to a longer one that explains no more than this share more.
const PREFERRED: f64 = 0.3;
/// A lag that explains less than the best by no more than this may be the true one.
const PLATEAU: f64 = 0.05;
/// Fewest independent readings around the steps, and of them while idle.
const FEWEST: f64 = 4.0;
const FEWEST_IDLE: f64 = 1.0;

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
    info: &SourceInfo,
    readings: &[Stamped],
    steps: &[LoadStep],
) -> Result<Response, EnergyError> {
    let shortest =
        steps.iter().map(|s| (s.load_from - s.idle_from).0).fold(f64::INFINITY, f64::min);
    let series = Series::new(info, readings, shortest / 4.0)?;
    if series.is_constant() {
        return Err(EnergyError(
            "its reading never moved, idle or loaded: is it the meter of this machine, and does it still read?"
                .into(),
        ));
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
    let fits: Vec<Fit> = (0..=(LONGEST_LAG / stride) as usize)
        .filter_map(|i| series.fit(steps, i as f64 * stride))
        .collect();
    let best = |fits: &mut dyn Iterator<Item = &Fit>| {
        fits.max_by(|a, b| a.explained.total_cmp(&b.explained)).copied()
    };
    let Some(any) = best(&mut fits.iter()) else {
        return Err(EnergyError(
            "too few readings around the start of the load to see whether it answers to the load: \
             measure for longer, or read a faster meter"
                .into(),
        ));
    };
    let prompt = best(&mut fits.iter().filter(|fit| fit.lag <= covered))
        .filter(|fit| fit.explained >= EXPLAINED.max(any.explained - PREFERRED));
    let chosen = prompt.unwrap_or(any);
    if prompt.is_none() && any.explained < EXPLAINED_LATE {
        return Err(EnergyError(format!(
            "its readings do not answer to the load, at once or up to {LONGEST_LAG:.0} s late (it explains {:.0} % of \
             their changes): is it the meter of this machine, and does it renew its reading often enough?",
            100.0 * any.explained.max(0.0)
        )));
    }
    if prompt.is_none() && steps.len() < STEPS_LATE {
        return Err(EnergyError(format!(
            "its readings seem to come {:.1} s late, which {} blocks are too few to know: measure without --quick",
            any.lag,
            steps.len()
        )));
    }
    let plateau: Vec<f64> = fits
        .iter()
        .filter(|fit| (fit.lag - chosen.lag).abs() <= 2.0 * (series.period + shortest))
        .filter(|fit| fit.explained >= chosen.explained - PLATEAU)
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
    fn new(info: &SourceInfo, readings: &[Stamped], grain: f64) -> Result<Series, EnergyError> {
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
                let sane = power::without_spikes(info, readings);
                if sane.is_empty() {
                    return Err(EnergyError("it gave no reading that can be true".into()));
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
    fn fit(&self, steps: &[LoadStep], lag: f64) -> Option<Fit> {
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
        if n * self.independent < FEWEST || idle * self.independent < FEWEST_IDLE {
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
