//! Plot axes: positions of values in percent, tick values and their labels.

/// An axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    low: f64,
    high: f64,
    logarithmic: bool,
}

/// Minimum ratio of the ends of a logarithmic axis, so that noise does not look large.
const MIN_RATIO: f64 = 4.0;
/// Minimum pixels between two labels.
const LABEL_GAP: f64 = 8.0;
/// Approximate width of a letter of a label in pixels.
const LETTER: f64 = 7.2;
/// Maximum number of labels.
pub const MAX_LABELS: usize = 5;

impl Axis {
    /// A logarithmic axis that covers all values above 0; `None` if there is no such value.
    pub fn logarithmic(values: impl IntoIterator<Item = f64>) -> Option<Axis> {
        let (low, high) = extremes(values.into_iter().filter(|v| *v > 0.0))?;
        let widen = (MIN_RATIO / (high / low)).max(1.0).sqrt();
        let margin = (high * widen / (low / widen)).powf(0.04);
        let (low, high) = (low / widen / margin, high * widen * margin);
        Some(Axis { low, high, logarithmic: true })
    }

    /// A linear axis that covers all values, with a margin of at least 1 % of the largest magnitude.
    pub fn linear(values: impl IntoIterator<Item = f64>) -> Option<Axis> {
        let (low, high) = extremes(values)?;
        let min_margin = (high.abs().max(low.abs()) * 0.01).max(f64::MIN_POSITIVE);
        let margin = ((high - low) * 0.12).max(min_margin);
        Some(Axis { low: low - margin, high: high + margin, logarithmic: false })
    }

    /// A linear axis from 0 that covers all values.
    pub fn from_zero(values: impl IntoIterator<Item = f64>) -> Option<Axis> {
        let (_, high) = extremes(values)?;
        Some(Axis { low: 0.0, high: high.max(f64::MIN_POSITIVE) * 1.1, logarithmic: false })
    }

    /// Position of a value, 0 to 100.
    pub fn at(&self, value: f64) -> f64 {
        let share = match self.logarithmic {
            false => (value - self.low) / (self.high - self.low),
            true => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        (100.0 * share).clamp(0.0, 100.0)
    }

    /// Position of a value from the top, 100 to 0.
    pub fn height(&self, value: f64) -> f64 {
        100.0 - self.at(value)
    }

    /// The value at a position.
    pub fn value(&self, at: f64) -> f64 {
        match self.logarithmic {
            false => self.low + (self.high - self.low) * at / 100.0,
            true => self.low * (self.high / self.low).powf(at / 100.0),
        }
    }

    /// Round tick values.
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        match self.logarithmic {
            false => linear_ticks(self.low, self.high, most),
            true => logarithmic_ticks(self.low, self.high, most),
        }
    }

    /// Labels of round values that fit side by side in `pixels`, the narrowest width of the plot.
    pub fn labels(&self, pixels: f64, words: impl Fn(f64) -> String) -> Vec<Label> {
        let labelled = |most: usize| -> Vec<Label> {
            let ticks = self.ticks(most).into_iter();
            ticks.map(|tick| Label::new(self.at(tick), words(tick))).collect()
        };
        let fits = |labels: &Vec<Label>| {
            let ends = |label: &Label| {
                let (at, width) =
                    (label.at / 100.0 * pixels, LETTER * label.text.chars().count() as f64);
                match label.anchor {
                    "start" => (at, at + width),
                    "end" => (at - width, at),
                    _ => (at - width / 2.0, at + width / 2.0),
                }
            };
            labels.windows(2).all(|pair| ends(&pair[0]).1 + LABEL_GAP <= ends(&pair[1]).0)
        };
        (2..=MAX_LABELS).rev().map(labelled).find(fits).unwrap_or_else(|| labelled(1))
    }
}

/// A label beside a plot.
pub struct Label {
    /// Position in percent.
    pub at: f64,
    /// SVG text anchor: `start`, `middle` or `end`.
    pub anchor: &'static str,
    /// Its text.
    pub text: String,
}

impl Label {
    /// A label at a position; near the ends it is anchored inwards.
    pub fn new(at: f64, text: impl Into<String>) -> Label {
        let anchor = match at {
            at if at < 12.0 => "start",
            at if at > 88.0 => "end",
            _ => "middle",
        };
        Label { at, anchor, text: text.into() }
    }
}

fn extremes(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.map(|v| (v, v)).reduce(|(low, high), (v, _)| (v.min(low), v.max(high)))
}

fn linear_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let rough = (high - low) / most as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|f| f * decade).into_iter().find(|s| *s >= rough);
    let step = step.unwrap_or(rough);
    let first = (low / step).ceil() as i64;
    (first..).map(|i| i as f64 * step).take_while(|v| *v <= high).collect()
}

fn logarithmic_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let decades = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let multiples = |parts: &[f64]| -> Vec<f64> {
        let all = decades.clone().flat_map(|d| parts.iter().map(move |p| p * 10f64.powi(d)));
        all.filter(|v| (low..=high).contains(v)).collect()
    };
    // The densest that fits; whole decades for long axes.
    let fine: [&[f64]; 5] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0], &[2.0, 5.0], &[3.0]];
    let ticks = fine.into_iter().map(multiples).find(|ticks| (1..=most).contains(&ticks.len()));
    ticks.unwrap_or_else(|| {
        let all = multiples(&[1.0]);
        let every = all.len().div_ceil(most).max(1);
        all.into_iter().step_by(every).collect()
    })
}
