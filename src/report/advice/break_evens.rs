//! Break-even tables: for each parameter, the value at which a choice stops paying or stops being the better one.

use super::figures::{cell, phrase, phrase_by, plain};
use super::{best_miner, best_of, best_on_each_device, break_even};
use crate::economics::{
    Advice, Answer, BreakEven, Choice, Crossing, HalvingEpoch, Kind, Never, Parameter, Question,
};
use crate::report::table::{Column, Table, cells};

/// One table for hashing, one per device that sells tokens or may be rented out.
pub(super) fn tables(advice: &Advice) -> Vec<Table> {
    let mut tables = vec![hashing(advice)];
    for kind in [Kind::Infer, Kind::Rent] {
        for choice in best_on_each_device(advice, kind) {
            tables.push(selling(advice, choice));
        }
    }
    tables
}

/// The best miner, and the measured device that hashes best.
fn hashing(advice: &Advice) -> Table {
    let mut heads: Vec<(&'static str, bool)> = vec![("", false)];
    let mut questions = Vec::new();
    let mut names = Vec::new();
    if let Some(miner) = best_miner(advice) {
        let pays = Question { choice: miner, other: None };
        heads.extend([("the miner pays if", true), ("after the halving", true)]);
        questions.extend([(pays, HalvingEpoch::Now), (pays, HalvingEpoch::AfterHalving)]);
        names.push(format!("The miner: {}.", advice.choices[miner].subject));
    }
    if let Some(here) = best_of(advice, Kind::HashHere) {
        let pays = Question { choice: here, other: None };
        heads.extend([("hashing here pays if", true), ("after the halving", true)]);
        questions.extend([(pays, HalvingEpoch::Now), (pays, HalvingEpoch::AfterHalving)]);
        names.push(format!("Here: {}.", advice.choices[here].label));
    }
    let mut table =
        question_table(advice, "Where the answer flips: hashing".into(), heads, &questions);
    table.notes.insert(0, names.join(" "));
    let bounded = |i: &usize| !advice.choices[*i].reaches_meter();
    if best_of(advice, Kind::HashHere).as_ref().is_some_and(bounded) {
        table.notes.push("Joules are missing here, so that it takes still more than this.".into());
    }
    table
}

/// A choice that sells tokens or hours, alone and against the best miner.
fn selling(advice: &Advice, choice: usize) -> Table {
    let seller = &advice.choices[choice];
    let title = format!("Where the answer flips: {}", title(seller));
    let pays = Question { choice, other: None };
    let is_miner = |other: &usize| advice.choices[*other].kind == Kind::HashAsic;
    let mut asked = advice.break_evens.iter().map(|found| found.question);
    let miner = asked
        .find_map(|asked| asked.other.filter(|other| asked.choice == choice && is_miner(other)));
    let mut heads: Vec<(&'static str, bool)> = vec![("", false), ("it pays if", true)];
    let mut questions = vec![(pays, HalvingEpoch::Now)];
    if let Some(other) = miner {
        heads.extend([("it beats the miner if", true), ("after the halving", true)]);
        let beats = Question { choice, other: Some(other) };
        questions.extend([(beats, HalvingEpoch::Now), (beats, HalvingEpoch::AfterHalving)]);
    }
    let mut table = question_table(advice, title, heads, &questions);
    table.notes.extend(against_rent(advice, choice));
    table
}

fn title(choice: &Choice) -> String {
    match choice.kind {
        Kind::Rent => format!("rent, {}", choice.subject),
        _ => choice.subject.clone(),
    }
}

/// One row per parameter that matters, one column per question and epoch.
fn question_table(
    advice: &Advice,
    title: String,
    heads: Vec<(&'static str, bool)>,
    questions: &[(Question, HalvingEpoch)],
) -> Table {
    let find = |(question, epoch): (Question, HalvingEpoch), parameter| {
        break_even(advice, question, epoch, parameter)
    };
    let mut rows = Vec::new();
    let today = questions.iter().map(|asked| {
        let any = advice.break_evens.iter().find(|found| (found.question, found.epoch) == *asked);
        any.map_or("–".into(), |found| found.answer.name().into())
    });
    rows.push(cells(std::iter::once("the answer now".to_string()).chain(today)));
    for parameter in Parameter::ALL {
        let found: Vec<Option<&BreakEven>> =
            questions.iter().map(|asked| find(*asked, parameter)).collect();
        let Some(first) = found.iter().flatten().next() else { continue };
        let head = format!(
            "{}, {}\nnow {}",
            parameter.name(),
            parameter.unit(),
            phrase_by(first.current, &plain)
        );
        rows.push(cells(std::iter::once(head).chain(found.iter().map(|found| cell_of(*found)))));
    }
    let counted = advice
        .break_evens
        .iter()
        .any(|found| found.counts_hardware && questions.contains(&(found.question, found.epoch)));
    let mut notes = Vec::new();
    if rows.iter().flatten().any(|cell| cell.text == "–") {
        notes.push("–: it does not enter, or moves both equally.".to_string());
    }
    if counted {
        notes.push("Hardware is counted.".into());
    }
    Table {
        title,
        columns: heads.into_iter().map(|(head, figures)| Column { head, figures }).collect(),
        rows,
        notes,
    }
}

/// `> 0.0303` and its interval; `never` or `always` if there is no break-even.
fn cell_of(found: Option<&BreakEven>) -> String {
    let Some(found) = found else { return "–".into() };
    match &found.crossing {
        Crossing::At { value, yes_above, .. } => {
            let sign = if *yes_above { ">" } else { "<" };
            format!("{sign} {}", cell(*value))
        }
        Crossing::Never(Never::NoEffectOnDifference) => "–".into(),
        Crossing::Never(_) => match found.answer {
            Answer::Yes => "always".into(),
            Answer::No => "never".into(),
            Answer::Open => "open".into(),
        },
    }
}

/// Selling tokens against renting out the same device, one sentence per rental.
fn against_rent(advice: &Advice, choice: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (other, rent) in advice.choices.iter().enumerate().filter(|(_, c)| c.kind == Kind::Rent) {
        let question = Question { choice, other: Some(other) };
        let find = |parameter| break_even(advice, question, HalvingEpoch::Now, parameter);
        let side = |found: &BreakEven| match &found.crossing {
            Crossing::At { value, yes_above, .. } => {
                let side = if *yes_above { "above" } else { "below" };
                Some(format!("{side} {} {}", phrase(*value), found.parameter.unit()))
            }
            Crossing::Never(_) => None,
        };
        let (Some(price), Some(hour)) = (find(Parameter::TokenPrice), find(Parameter::Rent)) else {
            continue;
        };
        let all: Vec<String> = [side(price), side(hour)].into_iter().flatten().collect();
        if !all.is_empty() {
            lines.push(format!(
                "Selling tokens beats the rent ({}, {} $/h) {}.",
                rent.subject,
                phrase_by(hour.current, &plain),
                all.join(", or ")
            ));
        }
    }
    lines
}
