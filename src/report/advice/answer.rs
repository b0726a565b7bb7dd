//! The advice in sentences: recommendation, certainty and break-even prices.

use super::common::break_even;
use super::figures::{dollars, number, phrase_by, plain, price};
use crate::economics::market::STALE_DAYS;
use crate::economics::{
    Advice, Answer, BreakEven, Choice, Crossing, HalvingEpoch, Kind, Parameter, Question,
};
use crate::units::{Provenance, grouped};

/// One paragraph each: recommendation, certainty, break-evens, market file, remarks.
pub fn answer(advice: &Advice) -> Vec<String> {
    let mut lines = vec![recommendation(advice), certainty(advice), break_evens(advice)];
    lines.push(computed_with(advice));
    lines.extend(advice.remarks.iter().map(|remark| format!("Note: {remark}.")));
    lines
}

/// A choice as an imperative: `rent out NVIDIA H100 (one year)`.
fn action_text(choice: &Choice) -> String {
    let subject = &choice.subject;
    let name = choice.device.as_ref().map_or("", |on| &on.name);
    match choice.kind {
        Kind::HashAsic => format!("hash on a miner ({subject})"),
        Kind::HashHere => format!("hash on {name}"),
        Kind::Infer => format!("sell {subject} of {name}"),
        Kind::Rent => format!("rent out {name} ({subject})"),
    }
}

/// Revenue of a choice, in dollars per kWh.
fn revenue_text(choice: &Choice) -> String {
    match choice.has_wall_energy() {
        true => dollars(choice.revenue),
        false if choice.revenue.high.is_finite() => {
            format!("${} at most", number(choice.revenue.high))
        }
        false => "an unknown amount".into(),
    }
}

fn recommendation(advice: &Advice) -> String {
    let recommendation = &advice.recommendation;
    let best = &advice.choices[recommendation.best];
    let price = price(advice.conditions.electricity);
    let (act_of_best, revenue) = (action_text(best), revenue_text(best));
    let costs = if best.hardware.is_some() { "power and hardware" } else { "power" };
    let first = match recommendation.pays {
        Answer::Yes => format!(
            "Best use of the next kilowatt-hour: {act_of_best}. It earns {revenue}; {} remains after {costs}.",
            dollars(best.margin)
        ),
        Answer::Open => format!(
            "It is uncertain whether any use of a kilowatt-hour pays at {price}. The best one: {act_of_best}. It earns {revenue}."
        ),
        Answer::No => format!(
            "No use of a kilowatt-hour pays at {price}. The best one: {act_of_best}. It earns {revenue}."
        ),
    };
    let here = match recommendation.best_here {
        Some(here) if here == recommendation.best => return first,
        Some(here) => {
            let (act_here, revenue) =
                (action_text(&advice.choices[here]), revenue_text(&advice.choices[here]));
            format!("Best use of the devices measured here: {act_here}. It earns {revenue}.")
        }
        None => {
            "No work of the devices measured here can be sold; the reasons are below the table."
                .into()
        }
    };
    format!("{first} {here}")
}

/// Maximum number of rivals named.
const NAMED_RIVALS: usize = 2;

fn certainty(advice: &Advice) -> String {
    const MEASURE: &str = "rigbench doctor lists the meters of this machine; or read the watts from a plug and pass them: rigbench run --power declared:WATTS";
    let evidence = match advice.evidence {
        measured if measured.is_measured() => "joules were measured here".to_string(),
        Provenance::Declared => "joules here are computed from declared watts, not measured".into(),
        Provenance::Modelled => format!(
            "joules here are modelled, not measured, so they are ranges. To measure: {MEASURE}"
        ),
        _ => format!("no joules are known here. To measure: {MEASURE}"),
    };
    let rivals = &advice.recommendation.rivals;
    let named = rivals.iter().take(NAMED_RIVALS).map(|rival| &advice.choices[*rival]);
    let named = named.map(|rival| format!("{}, {}", action_text(rival), revenue_text(rival)));
    let more = rivals.len().saturating_sub(NAMED_RIVALS);
    let more = (more > 0).then(|| format!("{more} more"));
    let settled = match &named.chain(more).collect::<Vec<_>>()[..] {
        [] => "The interval of the best use lies above all others".to_string(),
        some => {
            format!("Intervals overlap, so another use may be better: {}", some.join(", or "))
        }
    };
    format!("How sure: {evidence}. {settled}.")
}

fn break_evens(advice: &Advice) -> String {
    let recommendation = &advice.recommendation;
    let best = &advice.choices[recommendation.best];
    let pays = Question { choice: recommendation.best, other: None, epoch: HalvingEpoch::Now };
    let sale_price = match best.kind {
        Kind::HashHere | Kind::HashAsic => Parameter::Bitcoin,
        Kind::Infer => Parameter::TokenPrice,
        Kind::Rent => Parameter::Rent,
    };
    let conditions = [Parameter::Electricity, sale_price]
        .map(|parameter| condition(break_even(advice, pays, parameter)?));
    let conditions: Vec<String> = conditions.into_iter().flatten().collect();
    let mut lines = Vec::new();
    if !conditions.is_empty() {
        let (once, and) = match recommendation.pays {
            Answer::Yes => ("It pays as long as", " and "),
            _ => ("It would pay if", ", or "),
        };
        lines.push(format!("{once} {}.", conditions.join(and)));
    }
    let beats = advice.break_evens.iter().find_map(|found| {
        let other = found.question.other?;
        let beats = Question { other: Some(other), ..pays };
        ((found.question, found.parameter) == (beats, Parameter::Hashprice))
            .then_some((other, found))
    });
    if let Some((other, found)) = beats
        && let Some(condition) = condition(found)
    {
        let miner = action_text(&advice.choices[other]);
        lines.push(format!("It earns more than to {miner} as long as {condition}."));
    }
    if best.kind.hashes() {
        let then = match recommendation.pays_after_halving {
            Answer::Yes => "pays",
            Answer::Open => "may not pay",
            Answer::No => "does not pay",
        };
        let block = grouped(advice.halving_block.into());
        let revenue = dollars(best.revenue_after_halving);
        lines.push(format!(
            "After the next halving (block {block}) it earns {revenue} and {then}, at today's difficulty and prices."
        ));
    }
    format!("Break-even: {}", lines.join(" "))
}

/// `power costs less than $0.0844 a kilowatt-hour (now 0.0500)`.
fn condition(found: &BreakEven) -> Option<String> {
    let Crossing::At { value, yes_above, .. } = &found.crossing else { return None };
    let side = if *yes_above { "more than" } else { "less than" };
    let (what, unit) = match found.parameter {
        Parameter::Electricity => ("power costs", " a kilowatt-hour"),
        Parameter::Hashprice => ("a petahash a second earns", " a day"),
        Parameter::Bitcoin => ("a bitcoin costs", ""),
        Parameter::TokenPrice => ("a million tokens sell for", ""),
        Parameter::Rent => ("it rents for", " an hour"),
        Parameter::Utilisation | Parameter::Pue => return None,
    };
    let now = phrase_by(found.current, &plain);
    Some(format!("{what} {side} {}{unit} (now {now})", dollars(*value)))
}

/// The market file, and how many of its figures are examples or stale.
fn computed_with(advice: &Advice) -> String {
    let mut caveats = Vec::new();
    let power =
        advice.example_figures.iter().any(|figure| figure.starts_with("premises.electricity"));
    let among = if power { ", the price of power among them" } else { "" };
    if !advice.example_figures.is_empty() {
        caveats
            .push(format!("{} of its figures are examples{among}", advice.example_figures.len()));
    }
    if !advice.stale_figures.is_empty() {
        let count = advice.stale_figures.len();
        caveats.push(format!("{count} of its prices are older than {STALE_DAYS} days"));
    }
    let caveats = match &caveats[..] {
        [] => ".".into(),
        some => format!(
            ": {} (the last table names them). Give your own: --market FILE.",
            some.join(", ")
        ),
    };
    format!("Computed with the market file of {}{caveats}", advice.market_date)
}
