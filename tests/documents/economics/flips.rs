//! Break-evens, held against the advice that an edited market file gives.

use crate::economics::advise::{advice, edited, place};
use crate::economics::made_up::h100;
use rigbench::economics::{Crossing, HalvingEpoch, Market, Parameter, Question};
use strum::VariantArray;

/// The market with one figure at another value, through the file: nothing of the flip's own computation is used.
fn market_at(
    parameter: Parameter,
    value: f64,
    epoch: HalvingEpoch,
    hashprice: f64,
) -> Option<Market> {
    let text = match parameter {
        Parameter::Electricity => edited("value = 0.05, unit", &format!("value = {value:e}, unit")),
        Parameter::Pue => edited("value = 1.58", &format!("value = {value:e}")),
        Parameter::Utilisation => edited("value = 1.0, unit", &format!("value = {value:e}, unit")),
        Parameter::Bitcoin => edited("value = 60000", &format!("value = {value:e}")),
        Parameter::TokenPrice => edited("value = 0.03", &format!("value = {value:e}")),
        Parameter::Rent => edited("value = 2.35", &format!("value = {value:e}")),
        Parameter::Hashprice => {
            let difficulty = 124.93e12 * hashprice / value;
            edited("value = 124.93e12", &format!("value = {difficulty:e}"))
        }
    };
    let halved = text
        .replacen("value = 3.125", "value = 1.5625", 1)
        .replacen("value = 1050000", "value = 1260000", 1)
        // The same bitcoins of fees are a larger share of half the reward.
        .replacen("value = 0.005", &format!("value = {:e}", 0.005 / 0.5025), 1);
    Market::parse(if epoch == HalvingEpoch::Now { &text } else { &halved }).ok()
}

#[test]
fn flips_flip_when_the_whole_advice_is_made_again_from_an_edited_file() {
    let advice = advice();
    let mut seen = Vec::new();
    for found in &advice.break_evens {
        let Crossing::At { value, yes_above, checked } = &found.crossing else { continue };
        assert!(*checked, "{found:?}");
        let Some(value) = value.value else { continue };
        // The file's edit below is of the one-year rent.
        let on_demand = Some(place(&advice, "on demand"));
        let Question { choice, other, epoch } = found.question;
        if [Some(choice), other].contains(&on_demand) {
            continue;
        }
        let hashprice = match epoch {
            HalvingEpoch::Now => advice.conditions.network.hashprice(),
            HalvingEpoch::AfterHalving => advice.conditions.after_halving().network.hashprice(),
        };
        let answer = |value: f64| {
            let market = market_at(found.parameter, value, epoch, hashprice)?;
            let again = h100().advice(&market);
            let worth = |i: usize| again.choices[i].revenue.value.unwrap();
            Some(match other {
                None => again.choices[choice].margin.value.unwrap() > 0.0,
                Some(other) => worth(choice) > worth(other),
            })
        };
        // Values that the file refuses as absurd cannot be tried through it.
        let (Some(below), Some(above)) = (answer(value * 0.9999), answer(value * 1.0001)) else {
            continue;
        };
        assert_eq!((below, above), (!yes_above, *yes_above), "{found:?}");
        seen.push((epoch, found.parameter));
    }
    for &parameter in Parameter::VARIANTS {
        assert!(seen.contains(&(HalvingEpoch::Now, parameter)), "{parameter:?} was never tried");
    }
    assert!(seen.contains(&(HalvingEpoch::AfterHalving, Parameter::Bitcoin)));
}

#[test]
fn cooling_and_power_never_choose_between_two_uses_of_the_same_kilowatt_hour() {
    for found in &advice().break_evens {
        let common = matches!(found.parameter, Parameter::Pue | Parameter::Electricity);
        if common && found.question.other.is_some() {
            assert!(matches!(found.crossing, Crossing::Never(_)), "{found:?}");
        }
    }
}

#[test]
fn the_break_even_price_of_power_is_divided_by_the_pue() {
    let advice = advice();
    let s21 = place(&advice, "S21 XP");
    let at = |parameter, epoch| {
        let found = advice.break_evens.iter().find(|found| {
            let question = Question { choice: s21, other: None, epoch };
            (found.question, found.parameter) == (question, parameter)
        });
        match &found.unwrap().crossing {
            Crossing::At { value, .. } => value.value.unwrap(),
            never => panic!("{never:?}"),
        }
    };
    let hashprice = advice.conditions.network.hashprice();
    for (got, expected) in [
        (at(Parameter::Electricity, HalvingEpoch::Now), hashprice / (24.0 * 13.5) / 1.58),
        (
            at(Parameter::Electricity, HalvingEpoch::AfterHalving),
            0.5025 * hashprice / (24.0 * 13.5) / 1.58,
        ),
        (at(Parameter::Hashprice, HalvingEpoch::Now), 0.05 * 24.0 * 13.5 * 1.58),
        (
            at(Parameter::Bitcoin, HalvingEpoch::AfterHalving),
            60_000.0 * 0.05 * 24.0 * 13.5 * 1.58 / hashprice / 0.5025,
        ),
        (at(Parameter::Pue, HalvingEpoch::Now), hashprice / (24.0 * 13.5) / 0.05),
    ] {
        assert!((got / expected - 1.0).abs() < 1e-9, "{got}, not {expected}");
    }
}
