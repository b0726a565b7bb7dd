//! Where an answer flips: the value of one parameter at which two sides are even, all else as it is. Every flip is checked by
//! recomputing the whole answer on both sides of it.

use super::revenue::quoted;
use super::{Conditions, Parameter, Scenario};
use crate::units::{Corner, Interval, Method};
use serde::Serialize;

/// A root so many times further than where the search began is none.
const FARTHEST: f64 = 1e11;

/// What is asked. Choices are meant by their place in the advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The choice of which it is asked whether it pays, or leaves more of a kilowatt-hour than another.
    pub choice: usize,
    /// The other; null if the question is whether the choice earns its power, and its hardware where that is counted.
    pub other: Option<usize>,
}

/// When.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HalvingEpoch {
    /// As the market file has it.
    Now,
    /// After the next halving, difficulty, prices and fees as they are.
    AfterHalving,
}

/// What the answer is where the parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Over the whole interval.
    Yes,
    /// Over the whole interval.
    No,
    /// The interval holds both.
    Open,
}

impl Answer {
    /// The answer of a margin, which says yes above 0.
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

/// One parameter and where the answer flips with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BreakEven {
    /// What is asked.
    #[serde(flatten)]
    pub question: Question,
    /// When.
    pub epoch: HalvingEpoch,
    /// What is varied.
    pub parameter: Parameter,
    /// Where it stands.
    pub current: Interval,
    /// The answer there.
    pub answer: Answer,
    /// Whether hardware is counted: alone if its cost is given, against another if both are.
    pub counts_hardware: bool,
    /// Where the answer flips.
    #[serde(flatten)]
    pub crossing: Crossing,
}

/// Where an answer flips.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crossing {
    /// At this value of the parameter.
    At {
        /// In the parameter's unit, with the interval of what it rests on.
        value: Interval,
        /// Whether the answer is yes above it; else below.
        yes_above: bool,
        /// Whether the recomputed answer was seen to differ on the two sides.
        checked: bool,
    },
    /// At no value that the parameter can have.
    Never(Never),
}

/// Why an answer does not flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Never {
    /// The parameter moves both sides by the same.
    MovesBothAlike,
    /// Nothing is known of the least that the device draws.
    LeastPowerUnknown,
    /// Not even if it is sold all the time.
    NotEvenAlwaysSold,
    /// Not even without any losses of the hall.
    NotEvenWithoutLosses,
    /// At no value above 0.
    AtNoValueAboveZero,
}

/// A share of the flipping value, to either side, at which the answer is recomputed.
pub const STEP: f64 = 1e-6;

/// What is asked of scenarios: the first alone, or the first against the second.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// Of which it is asked.
    pub one: &'a Scenario,
    /// What it is held against; if nothing, its power.
    pub other: Option<&'a Scenario>,
}

impl Sides<'_> {
    fn counts_hardware(&self) -> bool {
        self.one.capital.is_some() && self.other.is_none_or(|other| other.capital.is_some())
    }

    /// Dollars a kilowatt-hour by which the answer is yes. Against another scenario hardware counts only if it does on both sides.
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

    /// Where a parameter stands; nothing if it is none of the conditions and neither side's.
    fn current(&self, conditions: &Conditions, parameter: Parameter) -> Option<Interval> {
        let own = |scenario: &Scenario| scenario.get(parameter);
        let condition = conditions.get(parameter).map(quoted);
        condition.or_else(|| own(self.one)).or_else(|| self.other.and_then(own))
    }
}

/// Where the answer flips with a parameter; nothing if the parameter does not enter.
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
        None if sides.other.is_some() => Crossing::Never(Never::MovesBothAlike),
        None => return None,
    };
    let counts_hardware = sides.counts_hardware();
    Some(BreakEven { question, epoch, parameter, current, answer, counts_hardware, crossing })
}

/// Nothing if the parameter does not move the margin.
fn crossing(
    parameter: Parameter,
    current: f64,
    margin: impl Fn(f64) -> Interval,
) -> Option<Crossing> {
    let provenance = margin(current).provenance;
    let margin = |x: f64, corner| margin(x).at(corner);
    let root = |corner| even(parameter, current, |x| margin(x, corner));
    let [low, value, high] = Corner::ALL.map(root);
    let (low, high) = (low?, high?);
    // Where hardware costs more than is earned at one end of an interval, the margin rises there with what it falls with elsewhere:
    // the corner that flips tells the direction.
    let roots = [(value, Corner::Value), (Some(low), Corner::Low), (Some(high), Corner::High)];
    let finite = roots.into_iter().filter_map(|(at, corner)| Some((at?, corner)));
    let finite = finite.filter(|(at, _)| at.is_finite());
    let flipping = finite.clone().find(|(at, _)| *at > 0.0);
    let Some((at, corner)) = flipping.or_else(|| finite.clone().next()) else {
        return Some(Crossing::Never(Never::LeastPowerUnknown));
    };
    let at = if at > 0.0 { at } else { 1.0 };
    let yes_above = margin(2.0 * at, corner)? > margin(at, corner)?;
    // A corner at which it earns or costs without bound says the same wherever the parameter stands.
    let end = |yes: bool| if yes == yes_above { 0.0 } else { f64::INFINITY };
    let low = if low.is_nan() { end(false) } else { low };
    let high = if high.is_nan() { end(true) } else { high };
    let (least, most) = parameter.domain();
    // Who is paid for taking power asks at which payment that ends.
    let least = if current < 0.0 { f64::NEG_INFINITY } else { least };
    let possible = |x: f64| x > least && x <= most;
    let flips = match value {
        Some(value) => possible(value),
        None => low.min(high) <= most && low.max(high) > least,
    };
    if !flips {
        let beyond = value.unwrap_or(low);
        return Some(Crossing::Never(match parameter {
            Parameter::Utilisation if beyond > most => Never::NotEvenAlwaysSold,
            Parameter::Pue if beyond > 0.0 => Never::NotEvenWithoutLosses,
            _ => Never::AtNoValueAboveZero,
        }));
    }
    let differs = |at: Option<f64>, corner| {
        let Some(at) = at.filter(|at| at.is_finite() && *at != 0.0 && *at > least.min(0.0)) else {
            return true;
        };
        let side = |x| margin(x, corner).map(|m| m > 0.0);
        side(at * (1.0 - STEP)) != side(at * (1.0 + STEP))
    };
    let checked = differs(Some(low), Corner::Low)
        && differs(value, Corner::Value)
        && differs(Some(high), Corner::High);
    let (low, high, method) = (low.min(high), low.max(high), Method::Propagated);
    let value = Interval { value, low, high, provenance, method };
    Some(Crossing::At { value, yes_above, checked })
}

/// The value at which a margin is 0; nothing if the parameter does not move it, no number if it is infinite. A margin is a straight line in the
/// parameter, or in its inverse for PUE, so that two points give the root; the second round only polishes it.
fn even(parameter: Parameter, current: f64, margin: impl Fn(f64) -> Option<f64>) -> Option<f64> {
    let straight = |x: f64| if parameter == Parameter::Pue { 1.0 / x } else { x };
    let mut near = if current > 0.0 { current } else { 1.0 };
    for _ in 0..2 {
        let far = 2.0 * near;
        let (a, b) = (margin(near)?, margin(far)?);
        if !(a.is_finite() && b.is_finite()) {
            return Some(f64::NAN);
        }
        let (s, t) = (straight(near), straight(far));
        if (b - a).abs() <= 1e-13 * (a.abs() + b.abs()) {
            return None;
        }
        let root = straight(s - a * (t - s) / (b - a));
        // Even only at infinity: the parameter scales both sides alike, to within rounding.
        if root.abs() > FARTHEST * near {
            return None;
        }
        if root <= 0.0 {
            return Some(root);
        }
        near = root;
    }
    Some(near)
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

    fn near(crossing: Crossing, expected: f64) {
        let Crossing::At { value, checked: true, .. } = crossing else { panic!("{crossing:?}") };
        let value = value.value.unwrap();
        assert!((value / expected - 1.0).abs() < 1e-9, "{value} is not {expected}");
    }

    #[test]
    fn a_miner_flips_where_the_trades_formulas_say() {
        let (one, hashprice) = (&miner(13.5), today().network.hashprice());
        let alone = Sides { one, other: None };
        near(at(alone, Parameter::Electricity), hashprice / (24.0 * 13.5));
        near(at(alone, Parameter::Hashprice), 0.05 * 24.0 * 13.5);
        near(at(alone, Parameter::Bitcoin), 60_000.0 * 0.05 * 24.0 * 13.5 / hashprice);
        near(at(alone, Parameter::Pue), hashprice / (24.0 * 13.5) / 0.05);
        for foreign in [Parameter::Utilisation, Parameter::TokenPrice, Parameter::Rent] {
            assert!(break_even(alone, PAYS, (HalvingEpoch::Now, &today()), foreign).is_none());
        }
    }

    #[test]
    fn inference_against_a_miner() {
        let (one, other) = (&inference(quoted(0.455)), &miner(13.5));
        let both = Sides { one, other: Some(other) };
        let (infers, hashes) = (3.6 * 0.03 / 0.455, today().network.hashprice() / (24.0 * 13.5));
        near(at(both, Parameter::Utilisation), hashes / infers);
        near(at(both, Parameter::TokenPrice), 0.03 * hashes / infers);
        near(at(both, Parameter::Hashprice), infers * 24.0 * 13.5);
        for common in [Parameter::Electricity, Parameter::Pue] {
            match at(both, common) {
                Crossing::Never(_) => {}
                other => panic!("{common:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_no_value_brings_about_is_said() {
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
    fn a_negative_price_of_power_flips_where_it_no_longer_pays_for_the_hardware() {
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
        near(found(&paid).crossing, net);
        assert_eq!(found(&paid).answer, Answer::Yes);
        // At a price above 0 none that is below is talked of.
        assert!(matches!(found(&today()).crossing, Crossing::Never(_)));
    }

    #[test]
    fn the_interval_of_a_measurement_reaches_the_flip_and_the_answer() {
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
        // What is only modelled has bounds and no value, here too.
        let one = &inference(Interval::between(0.40, 0.52));
        match at(Sides { one, other: None }, Parameter::TokenPrice) {
            Crossing::At { value, checked: true, .. } => {
                assert!(value.value.is_none() && value.low < value.high);
            }
            other => panic!("{other:?}"),
        }
    }

    /// At the lowest rent and the dearest hardware nothing is left to pay power with, whatever the PUE.
    #[test]
    fn hardware_that_may_cost_more_than_it_earns_flips_below_a_pue() {
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
        // Hardware takes two dollars an hour; one is left, or at 1.5 none.
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

    /// Of a card without a meter only the most that it may draw is known: one end of each flip is open.
    #[test]
    fn energy_without_a_known_least_flips_from_one_end() {
        let one = &inference(Interval::between(0.0, 0.5));
        let alone = Sides { one, other: None };
        let ends = |sides, parameter| match at(sides, parameter) {
            Crossing::At { value, yes_above, checked: true } => (value.low, value.high, yes_above),
            other => panic!("{other:?}"),
        };
        let (price, electricity) = (0.05 * 0.5 / 3.6, 3.6 * 0.03 / 0.5);
        let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-9;
        let (low, high, above) = ends(alone, Parameter::TokenPrice);
        assert!(low == 0.0 && near(high, price) && above, "{low} to {high}");
        let (low, high, above) = ends(alone, Parameter::Electricity);
        assert!(near(low, electricity) && high == f64::INFINITY && !above, "{low} to {high}");
        let miner = &miner(13.5);
        let (low, high, above) = ends(Sides { one, other: Some(miner) }, Parameter::Hashprice);
        assert!(near(low, electricity * 24.0 * 13.5) && high == f64::INFINITY && !above);
        // Both sides unknown: nothing can be said.
        let both = Sides { one, other: Some(&inference(Interval::between(0.0, 0.4))) };
        assert!(matches!(at(both, Parameter::TokenPrice), Crossing::Never(_)));
    }

    proptest! {
        /// A flip that is not where the answer flips, or one that is kept quiet about, fails here.
        #[test]
        fn flip_points_really_flip(
            one in scenarios(), other in prop_oneof![Just(None), scenarios().prop_map(Some)], at in conditions(),
        ) {
            let sides = Sides { one: &one, other: other.as_ref() };
            for parameter in Parameter::ALL {
                let margin = |x: f64| sides.margin_at(&at, parameter, x);
                let found = break_even(sides, PAYS, (HalvingEpoch::Now, &at), parameter).map(|found| found.crossing);
                // What is not answered must not flip either.
                match found.unwrap_or(Crossing::Never(Never::MovesBothAlike)) {
                    Crossing::At { value, yes_above, checked } => {
                        prop_assert!(checked, "{parameter:?} {value:?}");
                        if let Some(value) = value.value {
                            let sign = |x: f64| margin(x).value.unwrap() > 0.0;
                            for (near, yes) in [(1.0 - 1e-5, !yes_above), (1.0 + 1e-5, yes_above)] {
                                let x = value * near;
                                prop_assert_eq!(sign(x), yes, "{:?} {}: {:?}", parameter, x, margin(x));
                            }
                        }
                    }
                    Crossing::Never(_) => {
                        let (least, most) = parameter.domain();
                        let sign = |x: f64| margin(x).value.map(|m| m > 0.0);
                        let (first, last) = (least.max(1e-9), most.min(1e12));
                        // Differences of figures that are the same but for rounding have no sign.
                        let flat = (margin(first).middle() - margin(last).middle()).abs() < 1e-12;
                        prop_assert!(flat || sign(first) == sign(last), "{parameter:?}");
                    }
                }
            }
        }
    }
}
