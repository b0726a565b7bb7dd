//! Where the answer flips: for each thing that may change, the value at which a use stops paying, or stops being the better one.

use super::figures::{cell, phrase, phrase_by, plain};
use super::{best_miner, best_of, best_on_each_device};
use crate::economics::{
    Advice, Answer, Choice, Era, Flip, Kind, Outcome, Parameter, Question, Standing,
};
use crate::report::table::{Column, Table, cells};

/// One table for hashing, one for each device that sells tokens or may be rented.
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
        let pays = Question::Pays { choice: miner };
        heads.extend([("the miner pays if", true), ("after the halving", true)]);
        questions.extend([(pays, Era::Now), (pays, Era::AfterHalving)]);
        names.push(format!("The miner: {}.", advice.choices[miner].subject));
    }
    if let Some(here) = best_of(advice, Kind::HashHere) {
        let pays = Question::Pays { choice: here };
        heads.extend([("hashing here pays if", true), ("after the halving", true)]);
        questions.extend([(pays, Era::Now), (pays, Era::AfterHalving)]);
        names.push(format!("Here: {}.", advice.choices[here].label));
    }
    let mut table =
        of_questions(advice, "Where the answer flips: hashing".into(), heads, &questions);
    table.notes.insert(0, names.join(" "));
    let bounded = |i: &usize| advice.choices[*i].standing != Standing::Meter;
    if best_of(advice, Kind::HashHere).as_ref().is_some_and(bounded) {
        table.notes.push("Joules are missing here, so that it takes still more than this.".into());
    }
    table
}

/// A use that sells tokens or hours, alone and against the best miner.
fn selling(advice: &Advice, choice: usize) -> Table {
    let of = &advice.choices[choice];
    let title = format!("Where the answer flips: {}", title(of));
    let pays = Question::Pays { choice };
    let miner = advice.flips.iter().find_map(|flip| match flip.question {
        Question::Beats { choice: c, other }
            if c == choice && advice.choices[other].kind == Kind::HashAsic =>
        {
            Some(other)
        }
        _ => None,
    });
    let mut heads: Vec<(&'static str, bool)> = vec![("", false), ("it pays if", true)];
    let mut questions = vec![(pays, Era::Now)];
    if let Some(other) = miner {
        heads.extend([("it beats the miner if", true), ("after the halving", true)]);
        let beats = Question::Beats { choice, other };
        questions.extend([(beats, Era::Now), (beats, Era::AfterHalving)]);
    }
    let mut table = of_questions(advice, title, heads, &questions);
    table.notes.extend(against_rent(advice, choice));
    table
}

fn title(choice: &Choice) -> String {
    match choice.kind {
        Kind::Rent => format!("rent, {}", choice.subject),
        _ => choice.subject.clone(),
    }
}

/// A row for each parameter that enters, a column for each question in its era.
fn of_questions(
    advice: &Advice,
    title: String,
    heads: Vec<(&'static str, bool)>,
    questions: &[(Question, Era)],
) -> Table {
    let find = |(question, era): (Question, Era), parameter| {
        advice
            .flips
            .iter()
            .find(|flip| (flip.question, flip.era, flip.parameter) == (question, era, parameter))
    };
    let mut rows = Vec::new();
    let today = questions.iter().map(|asked| {
        let any = advice.flips.iter().find(|flip| (flip.question, flip.era) == *asked);
        any.map_or("–".into(), |flip| flip.answer.name().into())
    });
    rows.push(cells(std::iter::once("the answer now".to_string()).chain(today)));
    for parameter in Parameter::ALL {
        let found: Vec<Option<&Flip>> =
            questions.iter().map(|asked| find(*asked, parameter)).collect();
        let Some(first) = found.iter().flatten().next() else { continue };
        let head = format!(
            "{}, {}\nnow {}",
            parameter.name(),
            parameter.unit(),
            phrase_by(first.current, &plain)
        );
        rows.push(cells(std::iter::once(head).chain(found.iter().map(|flip| flip_cell(*flip)))));
    }
    let counted = advice
        .flips
        .iter()
        .any(|flip| flip.counts_hardware && questions.contains(&(flip.question, flip.era)));
    let mut notes = Vec::new();
    if rows.iter().flatten().any(|cell| cell.text == "–") {
        notes.push("–: it does not enter, or moves both alike.".to_string());
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

/// `> 0.0303` and its interval; `never` and `always` where no value flips it.
fn flip_cell(flip: Option<&Flip>) -> String {
    let Some(flip) = flip else { return "–".into() };
    match &flip.outcome {
        Outcome::At { value, yes_above, .. } => {
            let sign = if *yes_above { ">" } else { "<" };
            format!("{sign} {}", cell(*value))
        }
        Outcome::Never(why) if why.contains("alike") => "–".into(),
        Outcome::Never(_) => match flip.answer {
            Answer::Yes => "always".into(),
            Answer::No => "never".into(),
            Answer::Open => "open".into(),
        },
    }
}

/// Tokens against the rents of the same device, in a sentence each.
fn against_rent(advice: &Advice, choice: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for (other, rent) in advice.choices.iter().enumerate().filter(|(_, c)| c.kind == Kind::Rent) {
        let question = Question::Beats { choice, other };
        let of = |parameter: Parameter| {
            advice
                .flips
                .iter()
                .find(|flip| (flip.question, flip.parameter) == (question, parameter))
        };
        let side = |flip: &Flip| match &flip.outcome {
            Outcome::At { value, yes_above, .. } => {
                let side = if *yes_above { "above" } else { "below" };
                Some(format!("{side} {} {}", phrase(*value), flip.parameter.unit()))
            }
            Outcome::Never(_) => None,
        };
        let (Some(price), Some(hour)) = (of(Parameter::TokenPrice), of(Parameter::Rent)) else {
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
