//! Joules between two moments, with their interval, from readings and nothing else: the reader of a result computes
//! the same from the readings that stand in it.

use super::{NoFigure, Quantity, Rules, SourceInfo, Stamped, counter, power};
use crate::units::{Joules, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Readings from so long before and after a stretch bear on it.
pub(super) const MARGIN: f64 = 30.0;

/// A stretch of time, from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    /// Where it begins.
    pub from: Seconds,
    /// Where it ends.
    pub to: Seconds,
}

impl Stretch {
    /// How long it lasts.
    pub fn length(&self) -> Seconds {
        self.to - self.from
    }

    /// The same stretch, so much later.
    pub(super) fn later(&self, by: Seconds) -> Stretch {
        Stretch { from: self.from + by, to: self.to + by }
    }

    /// Whether a reading bears on it.
    pub(super) fn is_near(&self, reading: &Stamped) -> bool {
        reading.after.0 >= self.from.0 - MARGIN && reading.before.0 <= self.to.0 + MARGIN
    }
}

/// What a source makes of a stretch of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Integral {
    /// All joules of the stretch, idle draw included.
    #[serde(rename = "gross_joules")]
    pub gross: Joules,
    /// Half of the 95 % interval around `gross`, by what it comes from.
    pub terms: Terms,
    /// How often the value changed, as readings show it; none if it never did.
    #[serde(rename = "update_period_seconds")]
    pub period: Option<Seconds>,
    /// Readings that the figure rests on.
    pub samples: usize,
    /// Readings that cannot be true and were left out.
    #[serde(rename = "rejected_samples")]
    pub rejected: usize,
    /// The share of the stretch that they cover; of several the least.
    pub coverage: f64,
    /// Times that a counter began again at 0.
    pub wraps: u32,
}

/// Independent parts of an uncertainty, each half of a 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// How far the source's own figures may be off.
    #[serde(rename = "meter_joules")]
    pub meter: Joules,
    /// The ends of the stretch lie between updates, and the source may need time to follow.
    #[serde(rename = "window_joules")]
    pub window: Joules,
    /// Chance, where readings are samples of what happened.
    #[serde(rename = "statistical_joules")]
    pub statistical: Joules,
}

impl Terms {
    /// All of them together.
    pub fn half_width(&self) -> Joules {
        Joules(self.meter.0.hypot(self.window.0).hypot(self.statistical.0))
    }
}

impl Integral {
    /// Stretches of one source together. Where the meter is off, or a load that begins and ends with its stretch shifts
    /// the ends, it is alike in each; chance is not.
    pub fn together(parts: &[&Integral]) -> Option<Integral> {
        let mut all = Integral::clone(parts.first()?);
        for part in &parts[1..] {
            let (sum, term) = (&mut all.terms, &part.terms);
            sum.meter = sum.meter + term.meter;
            sum.window = sum.window + term.window;
            sum.statistical = Joules(sum.statistical.0.hypot(term.statistical.0));
            all.gross = all.gross + part.gross;
            all.period = all.period.or(part.period);
            all.samples += part.samples;
            all.rejected += part.rejected;
            all.coverage = all.coverage.min(part.coverage);
            all.wraps += part.wraps;
        }
        Some(all)
    }
}

/// Joules of a stretch. The readings should begin before it and end some updates after it.
///
/// # Errors
/// Why there is no figure: too few readings, gaps, garbage, a counter that was reset.
pub fn integrate(
    rules: &Rules,
    info: &SourceInfo,
    readings: &[Stamped],
    stretch: Stretch,
) -> Result<Integral, NoFigure> {
    let first = readings.partition_point(|r| r.after < stretch.from && !stretch.is_near(r));
    let near = readings[first..].iter().take_while(|r| stretch.is_near(r)).count();
    let readings = &readings[first..first + near];
    let Stretch { from, to } = stretch;
    let integral = match &info.quantity {
        Quantity::Counter { ranges, duty } => {
            counter::integrate(rules, info, ranges, *duty, readings, from, to)
        }
        Quantity::Power { averaging } => {
            power::integrate(rules, info, *averaging, readings, from, to)
        }
    }?;
    if !(integral.gross.0 > 0.0 && integral.gross.0.is_finite()) {
        return Err(NoFigure::NoEnergy);
    }
    let power = integral.gross / stretch.length();
    if power < info.scope.least() {
        let (scope, least) = (info.scope, info.scope.least());
        return Err(NoFigure::BelowFloor { power, scope, least });
    }
    narrow(rules, integral)
}

/// The figure, if it is known well enough to be one.
///
/// # Errors
/// If it is not.
pub(super) fn narrow(rules: &Rules, figure: Integral) -> Result<Integral, NoFigure> {
    let share = figure.terms.half_width().0 / figure.gross.0;
    if share > rules.widest {
        return Err(NoFigure::TooUncertain { share });
    }
    Ok(figure)
}

/// The moment in the middle of a reading.
pub(super) fn middle(reading: &Stamped) -> f64 {
    (reading.before.0 + reading.after.0) / 2.0
}

/// Seconds from one reading to the next, their median.
pub(super) fn median_gap(readings: &[&Stamped]) -> Option<f64> {
    median(readings.windows(2).map(|pair| middle(pair[1]) - middle(pair[0])).collect())
}

/// Seconds from one update to the next as the changes of the readings show it. A few changes may be those of the load
/// alone: a steady load and whole watts show no period.
pub(super) fn shown_period(readings: &[&Stamped], rules: &Rules) -> Option<f64> {
    let changed = |pair: &&[&Stamped]| pair[0].values != pair[1].values;
    let changes: Vec<&Stamped> = readings.windows(2).filter(changed).map(|pair| pair[1]).collect();
    median_gap(&changes).filter(|_| changes.len() >= rules.fewest_updates)
}

/// The largest power of ten, from 1 down to a millionth, that these values are multiples of: what a source shows
/// no less than.
pub(super) fn quantum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    (0..6)
        .map(|digits| 10f64.powi(digits))
        .find(|scale| {
            values.clone().all(|v| ((v * scale).round() / scale - v).abs() <= 1e-9 * v.abs())
        })
        .map_or(1e-6, |scale| 1.0 / scale)
}

/// The middle one of some numbers; none of none.
pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// How far the mean of values in order may be off by chance. Neighbours may be correlated, so that means of groups are
/// compared too.
pub(super) fn by_chance(values: &[f64]) -> f64 {
    let (_, deviation) = spread(values);
    let alone = chance(deviation, values.len());
    let length = (values.len() as f64).sqrt() as usize;
    let means: Vec<f64> = values.chunks_exact(length.max(1)).map(|c| spread(c).0).collect();
    let together = if means.len() >= 4 { chance(spread(&means).1, means.len()) } else { 0.0 };
    alone.max(together)
}

/// How far the mean of `n` values of this deviation may be off: half of the 95 % interval.
fn chance(deviation: f64, n: usize) -> f64 {
    use statrs::distribution::{ContinuousCDF, StudentsT};
    if n < 2 {
        return f64::INFINITY;
    }
    let quantile = StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("degrees of freedom above 0");
    quantile.inverse_cdf(0.975) * deviation / (n as f64).sqrt()
}

/// Mean and standard deviation.
pub(super) fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}
