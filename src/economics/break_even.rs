//! Break-even points: the value of one parameter at which the margin is 0, all other parameters unchanged. Each one is verified by
//! recomputing the margin on both sides of it.

use super::{Choice, Kind, Parameter, Scenario};
use crate::units::{Interval, Method};
use serde::Serialize;
use strum::VariantArray;

/// A root beyond this multiple of the starting point is taken as infinite.
const MAX_ROOT_RATIO: f64 = 1e11;

/// The question that a break-even answers. Choices are indices into `Advice::choices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The choice in question.
    pub choice: usize,
    /// The choice to compare it with; null if the question is whether it earns its electricity, and its hardware if counted.
    pub other: Option<usize>,
    /// Before or after the next halving.
    pub epoch: HalvingEpoch,
}

/// Before or after the next halving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HalvingEpoch {
    /// With the block subsidy of the market file.
    Now,
    /// After the next halving, with difficulty, prices and fees unchanged.
    AfterHalving,
}

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Answer {
    /// The margin is above 0 over its whole interval.
    Yes,
    /// The margin is at most 0 over its whole interval.
    No,
    /// The interval of the margin contains 0.
    Open,
}

impl Answer {
    /// The answer for a margin.
    pub fn of(margin: Interval) -> Answer {
        match (margin.low > 0.0, margin.high > 0.0) {
            (true, _) => Answer::Yes,
            (false, true) => Answer::Open,
            (false, false) => Answer::No,
        }
    }
}

/// The break-even value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// The parameter that is varied.
    pub parameter: Parameter,
    /// Its current value, in its unit.
    pub current: Interval,
    /// The answer at the current value.
    pub answer: Answer,
    /// Whether hardware is counted: its cost must be given for the choice, and for the other one if there is one.
    pub counts_hardware: bool,
    /// Break-even value, or the reason it does not exist.
    #[serde(flatten)]
    pub crossing: Crossing,
}

/// Where the answer changes as the parameter varies.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crossing {
    /// At this value of the parameter.
    At {
        /// In the parameter's unit, with the interval propagated from the inputs.
        value: Interval,
        /// Whether the answer is yes above the value; otherwise it is yes below.
        yes_above: bool,
        /// Whether the margins recomputed just below and just above the value have different signs.
        checked: bool,
    },
    /// At no value that the parameter can have.
    Never(NoBreakEven),
}

/// Why there is no break-even value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoBreakEven {
    /// The parameter adds to both sides or scales both equally.
    NoEffectOnDifference,
    /// The device's power has no known lower bound.
    NoLowerPowerBound,
    /// Not even at a utilisation of 1.
    NotEvenAlwaysSold,
    /// Not even at a PUE of 1.
    NotEvenWithoutLosses,
    /// At no value above 0.
    AtNoValueAboveZero,
}

/// Relative distance from the break-even value, to either side, at which the margin is recomputed.
const STEP: f64 = 1e-6;

/// A point of an interval.
type Corner = fn(Interval) -> Option<f64>;
const CORNERS: [Corner; 3] =
    [|margin| margin.value, |margin| Some(margin.low), |margin| Some(margin.high)];

/// The scenarios that a question compares; without another one, revenue is compared with the cost of electricity.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    /// The scenario in question.
    pub one: Scenario,
    /// The scenario to compare it with, under the same conditions.
    pub other: Option<Scenario>,
}

impl Sides {
    fn counts_hardware(&self) -> bool {
        self.one.capital.is_some() && self.other.is_none_or(|other| other.capital.is_some())
    }

    /// Dollars per kWh; the answer is yes above 0. A comparison with another scenario counts hardware only if both have its cost.
    pub fn margin(&self) -> Interval {
        let counts = self.counts_hardware();
        match self.other {
            Some(other) => self.one.ranking_value(counts) - other.ranking_value(counts),
            None => self.one.margin(),
        }
    }

    /// The same sides with one parameter changed.
    pub fn with(self, parameter: Parameter, value: f64) -> Sides {
        let with = |scenario: Scenario| scenario.with(parameter, value);
        Sides { one: with(self.one), other: self.other.map(with) }
    }

    /// The break-even value of a parameter; `None` if the parameter does not affect the answer.
    pub fn break_even(self, question: Question, parameter: Parameter) -> Option<BreakEven> {
        let current = self.one.get(parameter).or_else(|| self.other?.get(parameter))?;
        let crossing = crossing(parameter, current.middle(), |x| self.with(parameter, x).margin());
        // A parameter that does not affect a difference is reported, one that a scenario alone does not have is not.
        let same = self.other.map(|_| Crossing::Never(NoBreakEven::NoEffectOnDifference));
        Some(BreakEven {
            question,
            parameter,
            current,
            answer: Answer::of(self.margin()),
            counts_hardware: self.counts_hardware(),
            crossing: crossing.or(same)?,
        })
    }
}

/// Break-evens of three questions: does a choice pay, do tokens and rent beat the best reference miner, and do tokens beat the rent of
/// their device? Those that involve hashing are asked again for after the halving.
pub(super) fn break_evens(choices: &[Choice], asic: usize) -> Vec<BreakEven> {
    let mut questions = Vec::new();
    let mut ask = |choice, other, hashes| {
        let question = |epoch| Question { choice, other, epoch };
        questions.push(question(HalvingEpoch::Now));
        questions.extend(Some(question(HalvingEpoch::AfterHalving)).filter(|_| hashes));
    };
    for (choice, one) in choices.iter().enumerate() {
        ask(choice, None, one.kind.hashes());
    }
    for (choice, one) in choices.iter().enumerate() {
        if !one.kind.hashes() && one.has_wall_energy() {
            ask(choice, Some(asic), true);
        }
        for (other, rent) in choices.iter().enumerate() {
            let same =
                (&one.device, &one.upper_bound_reason) == (&rent.device, &rent.upper_bound_reason);
            if one.kind == Kind::Infer && rent.kind == Kind::Rent && same {
                ask(choice, Some(other), false);
            }
        }
    }
    let find = |question: Question| {
        let scenario = |choice: usize| match question.epoch {
            HalvingEpoch::Now => choices[choice].scenario,
            HalvingEpoch::AfterHalving => choices[choice].scenario.after_halving(),
        };
        let sides = Sides { one: scenario(question.choice), other: question.other.map(scenario) };
        let parameters = Parameter::VARIANTS.iter().copied();
        parameters.filter_map(move |parameter| sides.break_even(question, parameter))
    };
    questions.into_iter().flat_map(find).collect()
}

/// `None` if the margin does not depend on the parameter.
fn crossing(
    parameter: Parameter,
    current: f64,
    margin: impl Fn(f64) -> Interval,
) -> Option<Crossing> {
    let provenance = margin(current).provenance;
    let margin = |x: f64, corner: Corner| corner(margin(x));
    let root_at = |corner| root(parameter, current, |x| margin(x, corner));
    let [value, low, high] = CORNERS.map(root_at);
    let (low, high) = (low?, high?);
    // If hardware costs more than the revenue at one end of the interval, the slope of the margin is reversed there. So the slope is
    // taken at a corner whose root is above 0.
    let roots = [value, Some(low), Some(high)].into_iter().zip(CORNERS);
    let finite = roots.filter_map(|(at, corner)| Some((at?, corner)));
    let mut finite = finite.filter(|(at, _)| at.is_finite());
    let positive = finite.clone().find(|(at, _)| *at > 0.0);
    let Some((at, corner)) = positive.or_else(|| finite.next()) else {
        return Some(Crossing::Never(NoBreakEven::NoLowerPowerBound));
    };
    let at = if at > 0.0 { at } else { 1.0 };
    let yes_above = margin(2.0 * at, corner)? > margin(at, corner)?;
    // A corner with an infinite margin gives the same answer at every value of the parameter.
    let unbounded_root = |yes: bool| if yes == yes_above { 0.0 } else { f64::INFINITY };
    let low = if low.is_nan() { unbounded_root(false) } else { low };
    let high = if high.is_nan() { unbounded_root(true) } else { high };
    let (_, _, (min, max)) = parameter.properties();
    // A negative electricity price may have a negative break-even.
    let min = if current < 0.0 { f64::NEG_INFINITY } else { min };
    let in_domain = |x: f64| x > min && x <= max;
    let reachable = match value {
        Some(value) => in_domain(value),
        None => low.min(high) <= max && low.max(high) > min,
    };
    if !reachable {
        let beyond = value.unwrap_or(low);
        return Some(Crossing::Never(match parameter {
            Parameter::Utilisation if beyond > max => NoBreakEven::NotEvenAlwaysSold,
            Parameter::Pue if beyond > 0.0 => NoBreakEven::NotEvenWithoutLosses,
            _ => NoBreakEven::AtNoValueAboveZero,
        }));
    }
    let checked = [value, Some(low), Some(high)].into_iter().zip(CORNERS).all(|(at, corner)| {
        let Some(at) = at.filter(|at| at.is_finite() && *at != 0.0 && *at > min.min(0.0)) else {
            return true;
        };
        let answer_at = |x| margin(x, corner).map(|m| m > 0.0);
        answer_at(at * (1.0 - STEP)) != answer_at(at * (1.0 + STEP))
    });
    let (low, high, method) = (low.min(high), low.max(high), Method::Propagated);
    let value = Interval { value, low, high, provenance, method };
    Some(Crossing::At { value, yes_above, checked })
}

/// The value at which a margin is 0, by the secant method; `None` if the margin does not depend on the parameter, NaN if it is infinite.
/// The margin is linear in the parameter, or in its inverse for PUE, so one step finds the root; the second reduces rounding error.
fn root(parameter: Parameter, current: f64, margin: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let linear = |x: f64| if parameter == Parameter::Pue { 1.0 / x } else { x };
    let mut x0 = if current > 0.0 { current } else { 1.0 };
    for _ in 0..2 {
        let x1 = 2.0 * x0;
        let (a, b) = (margin(x0)?, margin(x1)?);
        if !(a.is_finite() && b.is_finite()) {
            return Some(f64::NAN);
        }
        let (s, t) = (linear(x0), linear(x1));
        if (b - a).abs() <= 1e-13 * (a.abs() + b.abs()) {
            return None;
        }
        let estimate = linear(s - a * (t - s) / (b - a));
        // The root is infinite up to rounding: the parameter scales both sides equally.
        if estimate.abs() > MAX_ROOT_RATIO * x0 {
            return None;
        }
        if estimate <= 0.0 {
            return Some(estimate);
        }
        x0 = estimate;
    }
    Some(x0)
}
