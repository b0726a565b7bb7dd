//! Scenarios and their break-evens, held to closed forms and to the margins on both sides.

use crate::economics::formulas::interval;
use proptest::prelude::*;
use rigbench::economics::{
    Answer, BreakEven, Capital, Conditions, Crossing, HalvingEpoch, Network, NoBreakEven,
    Parameter, Price, Question, RevenueModel, Scenario, Sides, WorkEnergy,
};
use rigbench::units::{EnergyPerWork, Interval, MILLION_TOKENS, Unit};
use strum::VariantArray;

/// Hash, infer and rent, with and without capital, of realistic size.
fn scenarios() -> impl Strategy<Value = Scenario> {
    let hash = interval(5.0..1e5).prop_map(|terahash| {
        let joules = terahash * EnergyPerWork::quoted(1.0, Unit::Hash).joules;
        RevenueModel::Hash(WorkEnergy { joules, unit: Unit::Hash })
    });
    let infer = (interval(0.01..10.0), interval(0.01..10.0)).prop_map(|(joules, price)| {
        let dollars = price / MILLION_TOKENS;
        RevenueModel::Infer {
            energy: WorkEnergy { joules, unit: Unit::Token },
            price: Price { dollars, unit: Unit::Token },
        }
    });
    let rent = (interval(0.1..10.0), interval(50.0..1000.0))
        .prop_map(|(dollars_per_hour, watts)| RevenueModel::Rent { dollars_per_hour, watts });
    let years = || interval(1.0..8.0);
    let built = (interval(1e5..2e7), years())
        .prop_map(|(dollars, years)| Some(Capital { dollars, years, watts: None }));
    let bought = (interval(200.0..4e4), years(), interval(50.0..1000.0))
        .prop_map(|(dollars, years, watts)| Some(Capital { dollars, years, watts: Some(watts) }));
    let capital = prop_oneof![Just(None), built, bought];
    (prop_oneof![hash, infer, rent], 1.0..2.0, capital, conditions()).prop_map(
        |(revenue_model, wall, capital, conditions)| Scenario {
            revenue_model,
            wall,
            capital,
            conditions,
        },
    )
}

/// Conditions of realistic size.
fn conditions() -> impl Strategy<Value = Conditions> {
    let network = (5e13..5e14, 1e4..5e5, 0.0..0.3).prop_map(|(difficulty, bitcoin, share)| {
        Network::with_fee_share(difficulty, bitcoin, 3.125, share)
    });
    (network, 0.0..0.5, 1.0..2.5, 0.05..1.0).prop_map(|(network, electricity, pue, utilisation)| {
        Conditions { network, electricity, pue, utilisation }
    })
}

proptest! {
    #[test]
    fn margin_is_monotonic_in_each_parameter(scenario in scenarios(), more in 1.001..50.0) {
        let hashes = matches!(scenario.revenue_model, RevenueModel::Hash(_));
        let card = scenario.capital.is_some_and(|capital| capital.watts.is_some());
        for &parameter in Parameter::VARIANTS {
            let Some(value) = scenario.get(parameter).map(Interval::middle) else { continue };
            let from = scenario.with(parameter, value).margin();
            let to = scenario.with(parameter, value * more).margin();
            let raises = match parameter {
                Parameter::Hashprice | Parameter::Bitcoin => Some(true).filter(|_| hashes),
                Parameter::TokenPrice | Parameter::Rent => Some(true),
                Parameter::Utilisation => Some(true).filter(|_| !hashes),
                Parameter::Electricity => Some(false).filter(|_| value > 0.0),
                // A card's cost per kWh falls too if the PUE rises.
                Parameter::Pue => Some(false).filter(|_| !card),
            };
            match raises {
                Some(true) => prop_assert!(to.low > from.low && to.high > from.high, "{parameter:?}"),
                Some(false) => prop_assert!(to.low < from.low && to.high < from.high, "{parameter:?}"),
                None if parameter == Parameter::Pue || value == 0.0 => {}
                None => prop_assert_eq!(to, scenario.margin(), "{:?}", parameter),
            }
        }
    }

    #[test]
    fn intervals_stay_ordered_and_losses_divide_revenue(scenario in scenarios()) {
        let margin = scenario.margin();
        prop_assert!(margin.low <= margin.high);
        prop_assert!(margin.value.is_none_or(|v| margin.low <= v && v <= margin.high));
        let bare = Scenario { wall: 1.0, ..scenario }.with(Parameter::Pue, 1.0);
        let expected = bare.revenue().low / (scenario.wall * scenario.conditions.pue);
        prop_assert!((scenario.revenue().low / expected - 1.0).abs() < 1e-9);
    }
}

const PAYS: Question = Question { choice: 0, other: None, epoch: HalvingEpoch::Now };

fn scenario(revenue_model: RevenueModel) -> Scenario {
    let network = Network::with_fee_share(124.93e12, 60_000.0, 3.125, 0.005);
    let conditions = Conditions { network, electricity: 0.05, pue: 1.0, utilisation: 1.0 };
    Scenario { revenue_model, wall: 1.0, capital: None, conditions }
}

fn miner(figure: f64) -> Scenario {
    let joules = Interval::exact(EnergyPerWork::quoted(figure, Unit::Hash).joules);
    scenario(RevenueModel::Hash(WorkEnergy { joules, unit: Unit::Hash }))
}

fn inference(joules: Interval) -> Scenario {
    let price = Price { dollars: Interval::exact(0.03 / MILLION_TOKENS), unit: Unit::Token };
    let energy = WorkEnergy { joules, unit: Unit::Token };
    scenario(RevenueModel::Infer { energy, price })
}

fn alone(one: Scenario) -> Sides {
    Sides { one, other: None }
}

fn found(sides: Sides, parameter: Parameter) -> BreakEven {
    sides.break_even(PAYS, parameter).unwrap()
}

/// The break-even and whether the answer is yes above it.
fn at(sides: Sides, parameter: Parameter) -> (Interval, bool) {
    match found(sides, parameter).crossing {
        Crossing::At { value, yes_above, checked: true } => (value, yes_above),
        other => panic!("{parameter:?}: {other:?}"),
    }
}

fn never(sides: Sides, parameter: Parameter) -> NoBreakEven {
    match found(sides, parameter).crossing {
        Crossing::Never(why) => why,
        other => panic!("{parameter:?}: {other:?}"),
    }
}

fn is_close(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() < 1e-9
}

fn assert_at(sides: Sides, parameter: Parameter, expected: f64) {
    let value = at(sides, parameter).0.value.unwrap();
    assert!(is_close(value, expected), "{value} is not {expected}");
}

#[test]
fn miner_break_evens_match_closed_forms() {
    let one = miner(13.5);
    let (pays, hashprice) = (alone(one), one.conditions.network.hashprice());
    assert_at(pays, Parameter::Electricity, hashprice / (24.0 * 13.5));
    assert_at(pays, Parameter::Hashprice, 0.05 * 24.0 * 13.5);
    assert_at(pays, Parameter::Bitcoin, 60_000.0 * 0.05 * 24.0 * 13.5 / hashprice);
    assert_at(pays, Parameter::Pue, hashprice / (24.0 * 13.5) / 0.05);
    for foreign in [Parameter::Utilisation, Parameter::TokenPrice, Parameter::Rent] {
        assert!(pays.break_even(PAYS, foreign).is_none());
    }
}

#[test]
fn inference_against_a_miner() {
    let (one, other) = (inference(Interval::exact(0.455)), miner(13.5));
    let hashprice = one.conditions.network.hashprice();
    let both = Sides { one, other: Some(other) };
    let (infers, hashes) = (3.6 * 0.03 / 0.455, hashprice / (24.0 * 13.5));
    assert_at(both, Parameter::Utilisation, hashes / infers);
    assert_at(both, Parameter::TokenPrice, 0.03 * hashes / infers);
    assert_at(both, Parameter::Hashprice, infers * 24.0 * 13.5);
    for common in [Parameter::Electricity, Parameter::Pue] {
        never(both, common);
    }
}

#[test]
fn reason_is_given_if_there_is_no_break_even() {
    let pays = alone(inference(Interval::exact(20.0)));
    assert_eq!(never(pays, Parameter::Utilisation), NoBreakEven::NotEvenAlwaysSold);
    assert_eq!(never(pays, Parameter::Pue), NoBreakEven::NotEvenWithoutLosses);
    at(pays, Parameter::TokenPrice);
}

#[test]
fn a_negative_electricity_price_has_a_negative_break_even() {
    let (dollars, years) = (Interval::exact(50e6), Interval::exact(4.0));
    let one = Scenario { capital: Some(Capital { dollars, years, watts: None }), ..miner(13.5) };
    let net = one.net().value.unwrap();
    let paid = one.with(Parameter::Electricity, 2.0 * net);
    assert!(net < 0.0 && paid.margin().value.unwrap() > 0.0);
    assert_at(alone(paid), Parameter::Electricity, net);
    assert_eq!(found(alone(paid), Parameter::Electricity).answer, Answer::Yes);
    // At a price above 0 a negative break-even is not reported.
    never(alone(one), Parameter::Electricity);
}

#[test]
fn measured_intervals_propagate_to_break_even_and_answer() {
    let one = inference(Interval { value: Some(0.455), ..Interval::between(0.40, 0.52) });
    let (value, _) = at(alone(one), Parameter::Electricity);
    for (got, joules) in [(value.low, 0.52), (value.value.unwrap(), 0.455), (value.high, 0.40)] {
        assert!((got - 0.108 / joules).abs() < 1e-9, "{got}");
    }
    assert_eq!(found(alone(one), Parameter::Electricity).answer, Answer::Yes);
    let dear = one.with(Parameter::Electricity, 0.108 / 0.455);
    assert_eq!(Answer::of(dear.margin()), Answer::Open);
    // A modelled figure has bounds and no value, and so has its break-even.
    let (value, _) = at(alone(inference(Interval::between(0.40, 0.52))), Parameter::TokenPrice);
    assert!(value.value.is_none() && value.low < value.high);
}

/// At the lower bound of the rent, hardware takes all revenue, whatever the PUE.
#[test]
fn hardware_above_revenue_at_one_end_keeps_the_pue_break_even() {
    let watts = Interval::exact(1000.0);
    let (dollars, years) = (Interval::exact(35_064.0), Interval::exact(2.0));
    // Hardware costs $2 an hour: $1 is left of a rent of $3, nothing of $1.50.
    for low in [1.5, 3.0] {
        let dollars_per_hour = Interval { low, ..Interval::exact(3.0) };
        let rented = scenario(RevenueModel::Rent { dollars_per_hour, watts });
        let capital = Some(Capital { dollars, years, watts: Some(watts) });
        let (value, yes_above) = at(alone(Scenario { capital, ..rented }), Parameter::Pue);
        assert!(!yes_above && is_close(value.value.unwrap(), 20.0), "{low}: {value:?}");
    }
}

/// Without a meter only the upper bound of a card's power is known, so one end of each break-even is open.
#[test]
fn energy_without_a_lower_bound_leaves_one_end_open() {
    let one = inference(Interval::between(0.0, 0.5));
    let (price, electricity) = (0.05 * 0.5 / 3.6, 3.6 * 0.03 / 0.5);
    let (value, above) = at(alone(one), Parameter::TokenPrice);
    assert!(value.low == 0.0 && is_close(value.high, price) && above, "{value:?}");
    let (value, above) = at(alone(one), Parameter::Electricity);
    assert!(is_close(value.low, electricity) && value.high == f64::INFINITY && !above, "{value:?}");
    let (value, above) = at(Sides { one, other: Some(miner(13.5)) }, Parameter::Hashprice);
    assert!(is_close(value.low, electricity * 24.0 * 13.5), "{value:?}");
    assert!(value.high == f64::INFINITY && !above);
    // Without a lower bound on both sides there is no break-even.
    let other = Some(inference(Interval::between(0.0, 0.4)));
    never(Sides { one, other }, Parameter::TokenPrice);
}

proptest! {
    /// The answer changes at every reported break-even, and nowhere if none is reported.
    #[test]
    fn break_evens_change_the_answer(
        one in scenarios(), other in prop_oneof![Just(None), scenarios().prop_map(Some)],
    ) {
        let other = other.map(|other| Scenario { conditions: one.conditions, ..other });
        let sides = Sides { one, other };
        for &parameter in Parameter::VARIANTS {
            let margin = |x: f64| sides.with(parameter, x).margin();
            let found = sides.break_even(PAYS, parameter).map(|found| found.crossing);
            // `None` means that the answer must not change either.
            match found.unwrap_or(Crossing::Never(NoBreakEven::NoEffectOnDifference)) {
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
                    let (_, _, (least, most)) = parameter.properties();
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
