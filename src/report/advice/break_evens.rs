//! Break-even tables: for each parameter, the value at which a choice stops paying or stops being the better one.

use super::common::{break_even, grouped};
use super::figures::{cell, phrase, phrase_by, plain};
use crate::economics::{
    Advice, Answer, BreakEven, Choice, Crossing, HalvingEpoch, Kind, NoBreakEven, Parameter,
    Question, best_of,
};
use crate::report::table::{Column, Table, cells};
use strum::VariantArray;

/// One table for hashing, one per device that sells tokens or may be rented out.
pub(super) fn tables(advice: &Advice) -> Vec<Table> {
    let kinds = [Kind::Infer, Kind::Rent].into_iter();
    let sellers = kinds.flat_map(|kind| best_on_each_device(advice, kind));
    std::iter::once(hashing(advice)).chain(sellers.map(|choice| selling(advice, choice))).collect()
}

/// The best choice of a kind on each device, in order of appearance.
fn best_on_each_device(advice: &Advice, kind: Kind) -> Vec<usize> {
    let revenue = |i: usize| advice.choices[i].revenue.middle();
    let better = |best, i| if revenue(i) > revenue(best) { i } else { best };
    let all = (0..advice.choices.len()).filter(|i| advice.choices[*i].kind == kind);
    let devices = grouped(all.map(|i| (&advice.choices[i].device, i))).into_iter();
    devices.filter_map(|(_, indices)| indices.into_iter().reduce(better)).collect()
}

fn pays(choice: usize) -> Question {
    Question { choice, other: None, epoch: HalvingEpoch::Now }
}

/// A question under its heading, and again for after the halving.
fn twice(head: &'static str, now: Question) -> [(&'static str, Question); 2] {
    let after = Question { epoch: HalvingEpoch::AfterHalving, ..now };
    [(head, now), ("after the halving", after)]
}

/// The best miner, and the measured device that hashes best.
fn hashing(advice: &Advice) -> Table {
    let (mut questions, mut names, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    if let Some(miner) = best_of(&advice.choices, Kind::HashAsic) {
        questions.extend(twice("the miner pays if", pays(miner)));
        names.push(format!("The miner: {}.", advice.choices[miner].subject));
    }
    if let Some(here) = best_of(&advice.choices, Kind::HashHere) {
        let choice = &advice.choices[here];
        questions.extend(twice("hashing here pays if", pays(here)));
        names.push(format!("Measured here: {}.", choice.label));
        let bound = "The energy here is incomplete: the true break-even is even harder to reach.";
        notes.extend((!choice.has_wall_energy()).then(|| bound.to_string()));
    }
    let mut table = table(advice, "hashing", &questions);
    table.notes.insert(0, names.join(" "));
    table.notes.extend(notes);
    table
}

/// A choice that sells tokens or hours, alone and against the best miner.
fn selling(advice: &Advice, choice: usize) -> Table {
    let seller = &advice.choices[choice];
    let mut asked = advice.break_evens.iter().map(|found| found.question);
    let beats_miner = asked.find(|asked| {
        let is_miner = |other: usize| advice.choices[other].kind == Kind::HashAsic;
        asked.choice == choice && asked.other.is_some_and(is_miner)
    });
    let mut questions = vec![("it pays if", pays(choice))];
    questions.extend(beats_miner.into_iter().flat_map(|now| twice("it beats the miner if", now)));
    let subject = match seller.kind {
        Kind::Rent => format!("rent, {}", seller.subject),
        _ => seller.subject.clone(),
    };
    let mut table = table(advice, &subject, &questions);
    table.notes.extend(against_rent(advice, choice));
    table
}

/// One row per parameter that matters, one column per question.
fn table(advice: &Advice, subject: &str, questions: &[(&'static str, Question)]) -> Table {
    let asked = |question: Question| {
        let mut all = advice.break_evens.iter();
        all.find(move |found| found.question == question)
    };
    let now = questions.iter().map(|(_, question)| {
        asked(*question).map_or("–".into(), |found| found.answer.into_str().to_string())
    });
    let mut rows = vec![cells(std::iter::once("the answer now".to_string()).chain(now))];
    for &parameter in Parameter::VARIANTS {
        let answer_to = |(_, question): &(_, Question)| break_even(advice, *question, parameter);
        let found: Vec<Option<&BreakEven>> = questions.iter().map(answer_to).collect();
        let Some(first) = found.iter().flatten().next() else { continue };
        let (name, unit, _) = parameter.properties();
        let head = format!("{name}, {unit}\nnow {}", phrase_by(first.current, &plain));
        rows.push(cells(std::iter::once(head).chain(found.into_iter().map(cell_of))));
    }
    let mut notes = Vec::new();
    if rows.iter().flatten().any(|cell| cell.text == "–") {
        notes.push("–: no effect on this answer.".to_string());
    }
    let counted =
        |(_, question): &(_, Question)| asked(*question).is_some_and(|f| f.counts_hardware);
    if questions.iter().any(counted) {
        notes.push("The cost of hardware is included.".into());
    }
    let heads = questions.iter().map(|(head, _)| Column::figures(head));
    Table {
        title: format!("Break-even: {subject}"),
        columns: std::iter::once(Column::words("")).chain(heads).collect(),
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
        Crossing::Never(NoBreakEven::NoEffectOnDifference) => "–".into(),
        Crossing::Never(_) => match found.answer {
            Answer::Yes => "always".into(),
            Answer::No => "never".into(),
            Answer::Open => "open".into(),
        },
    }
}

/// Selling tokens against renting out the same device, one sentence per rental.
fn against_rent(advice: &Advice, choice: usize) -> Vec<String> {
    let line = |(other, rent): (usize, &Choice)| {
        let question = Question { other: Some(other), ..pays(choice) };
        let price = break_even(advice, question, Parameter::TokenPrice)?;
        let hour = break_even(advice, question, Parameter::Rent)?;
        let side = |found: &BreakEven| {
            let Crossing::At { value, yes_above, .. } = found.crossing else { return None };
            let side = if yes_above { "above" } else { "below" };
            let (_, unit, _) = found.parameter.properties();
            Some(format!("{side} {} {unit}", phrase(value)))
        };
        let sides: Vec<String> = [price, hour].into_iter().filter_map(side).collect();
        let now = phrase_by(hour.current, &plain);
        (!sides.is_empty()).then(|| {
            let (rent, sides) = (&rent.subject, sides.join(", or "));
            format!("Selling tokens beats the rent ({rent}, {now} $/h) {sides}.")
        })
    };
    let rents = advice.choices.iter().enumerate().filter(|(_, rent)| rent.kind == Kind::Rent);
    rents.filter_map(line).collect()
}
