//! Energy of a time span with its 95 % interval, and the statistics of readings that it follows from.

use super::{Rules, Stamped};
use crate::units::{Joules, Seconds};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Readings up to this many seconds before and after a time span are used for it.
pub(super) const MARGIN: f64 = 30.0;

/// A time span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeSpan {
    /// Start.
    pub from: Seconds,
    /// End.
    pub to: Seconds,
}

impl TimeSpan {
    /// Its length.
    pub fn length(&self) -> Seconds {
        self.to - self.from
    }

    /// Whether a reading was taken within the span.
    pub(super) fn contains(&self, reading: &Stamped) -> bool {
        reading.before >= self.from && reading.after <= self.to
    }

    /// Whether a reading is within `MARGIN` of the span.
    pub(super) fn is_near(&self, reading: &Stamped) -> bool {
        reading.after.0 >= self.from.0 - MARGIN && reading.before.0 <= self.to.0 + MARGIN
    }
}

/// Energy of a time span, as one source measured it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Integral {
    /// Energy of the time span, idle power included.
    #[serde(rename = "gross_joules")]
    pub gross: Joules,
    /// Half-widths of the 95 % interval of `gross_joules`, by cause.
    pub terms: Terms,
    /// Median time between changes of the reading; null if too few changes were seen.
    #[serde(rename = "update_period_seconds")]
    pub period: Option<Seconds>,
    /// Number of readings used.
    pub samples: usize,
    /// Number of implausible readings, which were left out.
    #[serde(rename = "rejected_samples")]
    pub rejected: usize,
    /// Share of the time span covered by readings, 0 to 1; the minimum if spans are summed.
    pub coverage: f64,
    /// Number of counter wraps.
    pub wraps: u32,
}

/// Independent parts of the uncertainty, each half of a 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    /// Accuracy of the meter.
    #[serde(rename = "meter_joules")]
    pub meter: Joules,
    /// End points that lie between updates, rounding, and the source's delay in following the load.
    #[serde(rename = "window_joules")]
    pub window: Joules,
    /// Sampling error, where readings are samples.
    #[serde(rename = "statistical_joules")]
    pub statistical: Joules,
}

impl Terms {
    /// Combined half-width: the root of the sum of squares.
    pub fn half_width(&self) -> Joules {
        Joules(self.meter.0.hypot(self.window.0).hypot(self.statistical.0))
    }
}

impl Integral {
    /// Combined half-width as a share of the energy.
    pub(super) fn relative_half_width(&self) -> f64 {
        self.terms.half_width().0 / self.gross.0
    }

    /// Sum over time spans of one source; `None` if empty. Errors of the meter and of the end points are correlated and add up;
    /// sampling errors are independent.
    pub(super) fn together<'a>(parts: impl IntoIterator<Item = &'a Integral>) -> Option<Integral> {
        parts.into_iter().cloned().reduce(|sum, part| Integral {
            gross: sum.gross + part.gross,
            terms: Terms {
                meter: sum.terms.meter + part.terms.meter,
                window: sum.terms.window + part.terms.window,
                statistical: Joules(sum.terms.statistical.0.hypot(part.terms.statistical.0)),
            },
            period: sum.period.or(part.period),
            samples: sum.samples + part.samples,
            rejected: sum.rejected + part.rejected,
            coverage: sum.coverage.min(part.coverage),
            wraps: sum.wraps + part.wraps,
        })
    }
}

/// The midpoint of a reading, in seconds.
pub(super) fn middle(reading: &Stamped) -> f64 {
    (reading.before.0 + reading.after.0) / 2.0
}

/// Median time from one reading to the next, in seconds.
pub(super) fn median_gap(readings: &[&Stamped]) -> Option<f64> {
    upper_median(readings.windows(2).map(|pair| middle(pair[1]) - middle(pair[0])).collect())
}

/// Median time between changes of the reading, in seconds. `None` with few changes, which may all come from the load: a steady load
/// in whole watts shows no update period.
pub(super) fn shown_period(readings: &[&Stamped], rules: &Rules) -> Option<f64> {
    let changed = |pair: &&[&Stamped]| pair[0].values != pair[1].values;
    let changes: Vec<&Stamped> = readings.windows(2).filter(changed).map(|pair| pair[1]).collect();
    median_gap(&changes).filter(|_| changes.len() >= rules.fewest_updates)
}

/// Resolution of a source: the largest power of ten, from 1 down to a millionth, that all values are multiples of.
pub(super) fn quantum(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let fits = |v: f64, scale: f64| ((v * scale).round() / scale - v).abs() <= 1e-9 * v.abs();
    let mut scales = (0..6).map(|digits| 10f64.powi(digits));
    let scale = scales.find(|scale| values.clone().all(|v| fits(v, *scale)));
    scale.map_or(1e-6, |scale| 1.0 / scale)
}

/// The median (the upper one of an even number); `None` if empty.
pub(super) fn upper_median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// Half of the 95 % interval of the mean of a series. It also compares the means of groups, since neighbouring values may be
/// correlated.
pub(super) fn mean_half_width(values: &[f64]) -> f64 {
    let single = t_half_width(values);
    let length = (values.len() as f64).sqrt() as usize;
    let means: Vec<f64> = values.chunks_exact(length.max(1)).map(|c| spread(c).0).collect();
    let grouped = if means.len() >= 4 { t_half_width(&means) } else { 0.0 };
    single.max(grouped)
}

/// Half of the 95 % interval of the mean of independent values (Student's t).
fn t_half_width(values: &[f64]) -> f64 {
    use statrs::distribution::{ContinuousCDF, StudentsT};
    let n = values.len();
    if n < 2 {
        return f64::INFINITY;
    }
    let quantile = StudentsT::new(0.0, 1.0, (n - 1) as f64).expect("degrees of freedom above 0");
    quantile.inverse_cdf(0.975) * spread(values).1 / (n as f64).sqrt()
}

/// Mean and standard deviation.
pub(super) fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}
