//! Break-even points: the value of one parameter at which the margin is 0, all other parameters unchanged. Each one is verified by
//! recomputing the margin on both sides of it.

use super::revenue::quoted;
use super::{Conditions, Parameter, Scenario};
use crate::units::{Corner, Interval, Method};
use serde::Serialize;

/// A root beyond this multiple of the starting point is taken as infinite.
const MAX_ROOT_RATIO: f64 = 1e11;

/// The question that a break-even answers. Choices are indices into `Advice::choices`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The choice in question.
    pub choice: usize,
    /// The choice to compare it with; null if the question is whether it earns its electricity, and its hardware if counted.
    pub other: Option<usize>,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// The margin is above 0 over its whole interval.
    Yes,
    /// The margin is at most 0 over its whole interval.
    No,
    /// The interval of the margin contains 0.
    Open,
}

impl Answer {
    /// The answer for a margin: yes if it is above 0.
    pub fn of(margin: Interval) -> Answer {
        match (margin.low > 0.0, margin.high > 0.0) {
            (true, _) => Answer::Yes,
            (false, true) => Answer::Open,
            (false, false) => Answer::No,
        }
    }

    /// `yes`, `no` or `open`.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Open => "open",
        }
    }
}

/// The break-even value of one parameter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// The question.
    #[serde(flatten)]
    pub question: Question,
    /// Before or after the next halving.
    pub epoch: HalvingEpoch,
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
    Never(Never),
}

/// Why there is no break-even value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Never {
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
pub const STEP: f64 = 1e-6;

/// The scenarios that a question compares.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// The scenario in question.
    pub one: &'a Scenario,
    /// The scenario to compare it with; `None` compares revenue with the cost of electricity.
    pub other: Option<&'a Scenario>,
}

impl Sides<'_> {
    fn counts_hardware(&self) -> bool {
        self.one.capital.is_some() && self.other.is_none_or(|other| other.capital.is_some())
    }

    /// Dollars per kWh; the answer is yes above 0. A comparison with another scenario counts hardware only if both have its cost.
    pub fn margin(&self, conditions: &Conditions) -> Interval {
        let Some(other) = self.other else { return self.one.margin(conditions) };
        if self.counts_hardware() {
            self.one.net(conditions) - other.net(conditions)
        } else {
            self.one.revenue(conditions) - other.revenue(conditions)
        }
    }

    fn margin_at(&self, conditions: &Conditions, parameter: Parameter, value: f64) -> Interval {
        let one = self.one.with(parameter, value);
        let other = self.other.map(|other| other.with(parameter, value));
        Sides { one: &one, other: other.as_ref() }.margin(&conditions.with(parameter, value))
    }

    /// The parameter's current value; `None` if neither the conditions nor a scenario has it.
    fn current(&self, conditions: &Conditions, parameter: Parameter) -> Option<Interval> {
        let value_in = |scenario: &Scenario| scenario.get(parameter);
        let condition = conditions.get(parameter).map(quoted);
        condition.or_else(|| value_in(self.one)).or_else(|| self.other.and_then(value_in))
    }
}

/// The break-even value of a parameter; `None` if the parameter does not affect the answer.
pub fn break_even(
    sides: Sides,
    question: Question,
    (epoch, conditions): (HalvingEpoch, &Conditions),
    parameter: Parameter,
) -> Option<BreakEven> {
    let current = sides.current(conditions, parameter)?;
    let answer = Answer::of(sides.margin(conditions));
    let margin = |x: f64| sides.margin_at(conditions, parameter, x);
    let crossing = match crossing(parameter, current.middle(), margin) {
        Some(crossing) => crossing,
        None if sides.other.is_some() => Crossing::Never(Never::NoEffectOnDifference),
        None => return None,
    };
    let counts_hardware = sides.counts_hardware();
    Some(BreakEven { question, epoch, parameter, current, answer, counts_hardware, crossing })
}

/// `None` if the margin does not depend on the parameter.
fn crossing(
    parameter: Parameter,
    current: f64,
    margin: impl Fn(f64) -> Interval,
) -> Option<Crossing> {
    let provenance = margin(current).provenance;
    let margin = |x: f64, corner| margin(x).at(corner);
    let root_at = |corner| root(parameter, current, |x| margin(x, corner));
    let [low, value, high] = Corner::ALL.map(root_at);
    let (low, high) = (low?, high?);
    // If hardware costs more than the revenue at one end of the interval, the slope of the margin is reversed there. So the slope is
    // taken at a corner whose root is above 0.
    let roots = [(value, Corner::Value), (Some(low), Corner::Low), (Some(high), Corner::High)];
    let finite = roots.into_iter().filter_map(|(at, corner)| Some((at?, corner)));
    let finite = finite.filter(|(at, _)| at.is_finite());
    let positive = finite.clone().find(|(at, _)| *at > 0.0);
    let Some((at, corner)) = positive.or_else(|| finite.clone().next()) else {
        return Some(Crossing::Never(Never::NoLowerPowerBound));
    };
    let at = if at > 0.0 { at } else { 1.0 };
    let yes_above = margin(2.0 * at, corner)? > margin(at, corner)?;
    // A corner with an infinite margin gives the same answer at every value of the parameter.
    let unbounded_root = |yes: bool| if yes == yes_above { 0.0 } else { f64::INFINITY };
    let low = if low.is_nan() { unbounded_root(false) } else { low };
    let high = if high.is_nan() { unbounded_root(true) } else { high };
    let (least, most) = parameter.domain();
    // A negative electricity price may have a negative break-even.
    let least = if current < 0.0 { f64::NEG_INFINITY } else { least };
    let in_domain = |x: f64| x > least && x <= most;
    let reachable = match value {
        Some(value) => in_domain(value),
        None => low.min(high) <= most && low.max(high) > least,
    };
    if !reachable {
        let beyond = value.unwrap_or(low);
        return Some(Crossing::Never(match parameter {
            Parameter::Utilisation if beyond > most => Never::NotEvenAlwaysSold,
            Parameter::Pue if beyond > 0.0 => Never::NotEvenWithoutLosses,
            _ => Never::AtNoValueAboveZero,
        }));
    }
    let is_verified = |at: Option<f64>, corner| {
        let Some(at) = at.filter(|at| at.is_finite() && *at != 0.0 && *at > least.min(0.0)) else {
            return true;
        };
        let answer_at = |x| margin(x, corner).map(|m| m > 0.0);
        answer_at(at * (1.0 - STEP)) != answer_at(at * (1.0 + STEP))
    };
    let checked = is_verified(Some(low), Corner::Low)
        && is_verified(value, Corner::Value)
        && is_verified(Some(high), Corner::High);
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

#[cfg(test)]
mod tests {
    use super::super::scenario::tests::{conditions, scenarios};
    use super::super::{Capital, Network, Price, RevenueModel, WorkEnergy};
    use super::*;
    use crate::units::{EnergyPerWork, MILLION_TOKENS, Unit};
    use proptest::prelude::*;

    const PAYS: Question = Question { choice: 0, other: None };

    fn today() -> Conditions {
        let network = Network::with_fee_share(124.93e12, 60_000.0, 3.125, 0.005);
        Conditions { network, electricity: 0.05, pue: 1.0, utilisation: 1.0 }
    }

    fn miner(figure: f64) -> Scenario {
        let joules = quoted(EnergyPerWork::quoted(figure, Unit::Hash).joules);
        let revenue_model = RevenueModel::Hash(WorkEnergy { joules, unit: Unit::Hash });
        Scenario { revenue_model, wall: 1.0, capital: None }
    }

    fn inference(joules: Interval) -> Scenario {
        let price = Price { dollars: quoted(0.03 / MILLION_TOKENS), unit: Unit::Token };
        let energy = WorkEnergy { joules, unit: Unit::Token };
        Scenario { revenue_model: RevenueModel::Infer { energy, price }, wall: 1.0, capital: None }
    }

    fn at(sides: Sides, parameter: Parameter) -> Crossing {
        break_even(sides, PAYS, (HalvingEpoch::Now, &today()), parameter).unwrap().crossing
    }

    fn assert_at(crossing: Crossing, expected: f64) {
        let Crossing::At { value, checked: true, .. } = crossing else { panic!("{crossing:?}") };
        let value = value.value.unwrap();
        assert!((value / expected - 1.0).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn miner_break_evens_match_closed_forms() {
        let (one, hashprice) = (&miner(13.5), today().network.hashprice());
        let alone = Sides { one, other: None };
        assert_at(at(alone, Parameter::Electricity), hashprice / (24.0 * 13.5));
        assert_at(at(alone, Parameter::Hashprice), 0.05 * 24.0 * 13.5);
        assert_at(at(alone, Parameter::Bitcoin), 60_000.0 * 0.05 * 24.0 * 13.5 / hashprice);
        assert_at(at(alone, Parameter::Pue), hashprice / (24.0 * 13.5) / 0.05);
        for foreign in [Parameter::Utilisation, Parameter::TokenPrice, Parameter::Rent] {
            assert!(break_even(alone, PAYS, (HalvingEpoch::Now, &today()), foreign).is_none());
        }
    }

    #[test]
    fn inference_against_a_miner() {
        let (one, other) = (&inference(quoted(0.455)), &miner(13.5));
        let both = Sides { one, other: Some(other) };
        let (infers, hashes) = (3.6 * 0.03 / 0.455, today().network.hashprice() / (24.0 * 13.5));
        assert_at(at(both, Parameter::Utilisation), hashes / infers);
        assert_at(at(both, Parameter::TokenPrice), 0.03 * hashes / infers);
        assert_at(at(both, Parameter::Hashprice), infers * 24.0 * 13.5);
        for common in [Parameter::Electricity, Parameter::Pue] {
            match at(both, common) {
                Crossing::Never(_) => {}
                other => panic!("{common:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn reason_is_given_if_there_is_no_break_even() {
        let one = &inference(quoted(20.0));
        let alone = Sides { one, other: None };
        let never = |parameter| match at(alone, parameter) {
            Crossing::Never(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(never(Parameter::Utilisation), Never::NotEvenAlwaysSold);
        assert_eq!(never(Parameter::Pue), Never::NotEvenWithoutLosses);
        assert!(matches!(at(alone, Parameter::TokenPrice), Crossing::At { checked: true, .. }));
    }

    #[test]
    fn a_negative_electricity_price_has_a_negative_break_even() {
        let mut one = miner(13.5);
        one.capital =
            Some(Capital::Megawatt { dollars: Interval::exact(50e6), years: Interval::exact(4.0) });
        let net = one.net(&today()).value.unwrap();
        let paid = today().with(Parameter::Electricity, 2.0 * net);
        assert!(net < 0.0 && one.margin(&paid).value.unwrap() > 0.0);
        let found = |at: &Conditions| {
            break_even(
                Sides { one: &one, other: None },
                PAYS,
                (HalvingEpoch::Now, at),
                Parameter::Electricity,
            )
            .unwrap()
        };
        assert_at(found(&paid).crossing, net);
        assert_eq!(found(&paid).answer, Answer::Yes);
        // At a price above 0 a negative break-even is not reported.
        assert!(matches!(found(&today()).crossing, Crossing::Never(_)));
    }

    #[test]
    fn measured_intervals_propagate_to_break_even_and_answer() {
        let one = &inference(Interval { value: Some(0.455), ..Interval::between(0.40, 0.52) });
        let found = break_even(
            Sides { one, other: None },
            PAYS,
            (HalvingEpoch::Now, &today()),
            Parameter::Electricity,
        )
        .unwrap();
        let Crossing::At { value, checked: true, .. } = found.crossing else { panic!("{found:?}") };
        for (got, joules) in [(value.low, 0.52), (value.value.unwrap(), 0.455), (value.high, 0.40)]
        {
            assert!((got - 0.108 / joules).abs() < 1e-9, "{got}");
        }
        assert_eq!(found.answer, Answer::Yes);
        let dear = today().with(Parameter::Electricity, 0.108 / 0.455);
        assert_eq!(Answer::of(one.margin(&dear)), Answer::Open);
        // A modelled figure has bounds and no value, and so has its break-even.
        let one = &inference(Interval::between(0.40, 0.52));
        match at(Sides { one, other: None }, Parameter::TokenPrice) {
            Crossing::At { value, checked: true, .. } => {
                assert!(value.value.is_none() && value.low < value.high);
            }
            other => panic!("{other:?}"),
        }
    }

    /// At the lower bound of the rent, hardware takes all revenue, whatever the PUE.
    #[test]
    fn hardware_above_revenue_at_one_end_keeps_the_pue_break_even() {
        let rented = |low: f64| Scenario {
            revenue_model: RevenueModel::Rent {
                dollars_per_hour: Interval { low, ..quoted(3.0) },
                watts: Interval::exact(1000.0),
            },
            wall: 1.0,
            capital: Some(Capital::Card {
                dollars: Interval::exact(35_064.0),
                years: Interval::exact(2.0),
                watts: Interval::exact(1000.0),
            }),
        };
        // Hardware costs $2 an hour: $1 is left of a rent of $3, nothing of $1.50.
        for low in [1.5, 3.0] {
            let one = &rented(low);
            match at(Sides { one, other: None }, Parameter::Pue) {
                Crossing::At { value, yes_above: false, checked: true } => {
                    assert!((value.value.unwrap() / 20.0 - 1.0).abs() < 1e-9, "{value:?}");
                }
                other => panic!("{low}: {other:?}"),
            }
        }
    }

    /// Without a meter only the upper bound of a card's power is known, so one end of each break-even is open.
    #[test]
    fn energy_without_a_lower_bound_leaves_one_end_open() {
        let one = &inference(Interval::between(0.0, 0.5));
        let alone = Sides { one, other: None };
        let ends = |sides, parameter| match at(sides, parameter) {
            Crossing::At { value, yes_above, checked: true } => (value.low, value.high, yes_above),
            other => panic!("{other:?}"),
        };
        let (price, electricity) = (0.05 * 0.5 / 3.6, 3.6 * 0.03 / 0.5);
        let is_close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        let (low, high, above) = ends(alone, Parameter::TokenPrice);
        assert!(low == 0.0 && is_close(high, price) && above, "{low} to {high}");
        let (low, high, above) = ends(alone, Parameter::Electricity);
        assert!(is_close(low, electricity) && high == f64::INFINITY && !above, "{low} to {high}");
        let miner = &miner(13.5);
        let (low, high, above) = ends(Sides { one, other: Some(miner) }, Parameter::Hashprice);
        assert!(is_close(low, electricity * 24.0 * 13.5) && high == f64::INFINITY && !above);
        // Without a lower bound on both sides there is no break-even.
        let both = Sides { one, other: Some(&inference(Interval::between(0.0, 0.4))) };
        assert!(matches!(at(both, Parameter::TokenPrice), Crossing::Never(_)));
    }

    proptest! {
        /// The answer changes at every reported break-even, and nowhere if none is reported.
        #[test]
        fn break_evens_change_the_answer(
            one in scenarios(), other in prop_oneof![Just(None), scenarios().prop_map(Some)], at in conditions(),
        ) {
            let sides = Sides { one: &one, other: other.as_ref() };
            for parameter in Parameter::ALL {
                let margin = |x: f64| sides.margin_at(&at, parameter, x);
                let found = break_even(sides, PAYS, (HalvingEpoch::Now, &at), parameter).map(|found| found.crossing);
                // `None` means that the answer must not change either.
                match found.unwrap_or(Crossing::Never(Never::NoEffectOnDifference)) {
                    Crossing::At { value, yes_above, checked } => {
                        prop_assert!(checked, "{parameter:?} {value:?}");
                        if let Some(value) = value.value {
                            let sign = |x: f64| margin(x).value.unwrap() > 0.0;
                            for (factor, yes) in [(1.0 - 1e-5, !yes_above), (1.0 + 1e-5, yes_above)] {
                                let x = value * factor;
                                prop_assert_eq!(sign(x), yes, "{:?} {}: {:?}", parameter, x, margin(x));
                            }
                        }
                    }
                    Crossing::Never(_) => {
                        let (least, most) = parameter.domain();
                        let sign = |x: f64| margin(x).value.map(|m| m > 0.0);
                        let (first, last) = (least.max(1e-9), most.min(1e12));
                        // A difference that is 0 up to rounding has no sign.
                        let flat = (margin(first).middle() - margin(last).middle()).abs() < 1e-12;
                        prop_assert!(flat || sign(first) == sign(last), "{parameter:?}");
                    }
                }
            }
        }
    }
}
