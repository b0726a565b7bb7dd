//! The advice in sentences: recommendation, certainty and break-even prices.

use super::figures::{dollars, number, phrase_by, plain, price};
use super::{act, break_even};
use crate::economics::market::STALE_DAYS;
use crate::economics::{
    Advice, Answer, BreakEven, Choice, Crossing, HalvingEpoch, Kind, Parameter, Question,
};
use crate::units::Provenance;

/// One paragraph each: recommendation, certainty, break-evens, market file, remarks.
pub fn answer(advice: &Advice) -> Vec<String> {
    let mut lines = vec![recommendation(advice), certainty(advice), break_evens(advice)];
    lines.push(computed_with(advice));
    lines.extend(advice.remarks.iter().map(|remark| format!("Note: {remark}.")));
    lines
}

/// Revenue of a choice, in dollars per kWh.
fn earns(choice: &Choice) -> String {
    match choice.reaches_meter() {
        true => dollars(choice.revenue),
        false if choice.revenue.high.is_finite() => {
            format!("${} at most", number(choice.revenue.high))
        }
        false => "nobody knows what".into(),
    }
}

fn recommendation(advice: &Advice) -> String {
    let recommendation = &advice.recommendation;
    let best = &advice.choices[recommendation.best];
    let price = price(advice.conditions.electricity);
    let (act_of_best, revenue) = (act(best), earns(best));
    let paid = if best.hardware.is_some() { "power and hardware are" } else { "its power is" };
    let first = match recommendation.pays {
        Answer::Yes => format!(
            "The next kilowatt-hour should {act_of_best}: it earns {revenue}, and {} is left when {paid} paid.",
            dollars(best.margin)
        ),
        Answer::Open => format!(
            "Whether the next kilowatt-hour pays at {price} is open: what earns most of it is to {act_of_best}, {revenue}."
        ),
        Answer::No => format!(
            "The next kilowatt-hour does not pay at {price}: what earns most of it is to {act_of_best}, {revenue}."
        ),
    };
    let here = match recommendation.best_here {
        Some(here) if here == recommendation.best => return first,
        Some(here) => {
            let here = &advice.choices[here];
            format!("Of what was run here this earns most: {}; {}.", act(here), earns(here))
        }
        None => "Nothing that was run here can be sold; the reasons are below the table.".into(),
    };
    format!("{first} {here}")
}

/// Maximum number of rivals named.
const NAMED_RIVALS: usize = 2;

fn certainty(advice: &Advice) -> String {
    const MEASURE: &str = "rigbench doctor says what can be read, or read a plug's watts and give them: rigbench run --power declared:WATTS";
    let evidence = match advice.evidence {
        measured if measured.is_measured() => "joules were measured here".to_string(),
        Provenance::Declared => "joules here follow from watts that somebody typed".to_string(),
        Provenance::Modelled => format!(
            "nobody measured joules here, so that there are ranges and no figures. To measure: {MEASURE}"
        ),
        _ => format!("no joules are known here. To measure: {MEASURE}"),
    };
    let rivals = &advice.recommendation.rivals;
    let settled = match &rivals[..] {
        [] => "Its interval lies above that of every other use".to_string(),
        some => {
            let named: Vec<String> = some
                .iter()
                .take(NAMED_RIVALS)
                .map(|i| format!("to {}, {}", act(&advice.choices[*i]), earns(&advice.choices[*i])))
                .collect();
            let more = match some.len().saturating_sub(NAMED_RIVALS) {
                0 => String::new(),
                more => format!(", or {more} more"),
            };
            format!("The intervals overlap, so that it may be better {}{more}", named.join(", or "))
        }
    };
    format!("How sure: {evidence}. {settled}.")
}

fn break_evens(advice: &Advice) -> String {
    let recommendation = &advice.recommendation;
    let best = &advice.choices[recommendation.best];
    let pays = Question { choice: recommendation.best, other: None };
    let sale_price = match best.kind {
        Kind::HashHere | Kind::HashAsic => Parameter::Bitcoin,
        Kind::Infer => Parameter::TokenPrice,
        Kind::Rent => Parameter::Rent,
    };
    let conditions: Vec<String> = [Parameter::Electricity, sale_price]
        .into_iter()
        .filter_map(|parameter| condition(break_even(advice, pays, HalvingEpoch::Now, parameter)?))
        .collect();
    let mut lines = Vec::new();
    if !conditions.is_empty() {
        let (once, and) = match recommendation.pays {
            Answer::Yes => ("It pays as long as", " and "),
            _ => ("It would pay if", ", or "),
        };
        lines.push(format!("{once} {}.", conditions.join(and)));
    }
    let beaten = advice.break_evens.iter().find(|found| {
        found.question.choice == recommendation.best
            && found.question.other.is_some()
            && (found.epoch, found.parameter) == (HalvingEpoch::Now, Parameter::Hashprice)
    });
    if let Some(found) = beaten
        && let Some(other) = found.question.other
        && let Some(condition) = condition(found)
    {
        let miner = act(&advice.choices[other]);
        lines.push(format!("It is better than to {miner} as long as {condition}."));
    }
    if matches!(best.kind, Kind::HashHere | Kind::HashAsic) {
        let then = match recommendation.pays_after_halving {
            Answer::Yes => "pays",
            Answer::Open => "may not pay",
            Answer::No => "does not pay",
        };
        lines.push(format!(
            "After the next halving (block {}) it earns {} and {then}, difficulty and prices as they are.",
            crate::units::grouped(advice.halving_block.into()),
            dollars(best.revenue_after_halving)
        ));
    }
    format!("Where it flips: {}", lines.join(" "))
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
    let mut doubts = Vec::new();
    let power =
        advice.example_figures.iter().any(|figure| figure.starts_with("premises.electricity"));
    let among = if power { ", the price of power among them" } else { "" };
    match advice.example_figures.len() {
        0 => {}
        n => doubts.push(format!("{n} of its figures are examples{among}")),
    }
    match advice.stale_figures.len() {
        0 => {}
        n => doubts.push(format!("{n} of its prices are older than {STALE_DAYS} days")),
    }
    let file = format!("Computed with the market file of {}", advice.market_date);
    if doubts.is_empty() {
        return format!("{file}.");
    }
    format!(
        "{file}: {} (the last table names them). Give your own: --market FILE.",
        doubts.join(", ")
    )
}
