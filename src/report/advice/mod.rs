//! The advice as text: an answer in sentences, then tables. `rigbench advise --json` has all details.

mod answer;
mod break_evens;
mod figures;
mod megawatts;
mod sources;
mod tokens;
mod uses;

pub use answer::answer;

use super::table::{Column, Table};
use crate::economics::{Advice, BreakEven, Choice, Kind, MeasuredDevice, Parameter, Question};
use crate::text::lines;
use crate::units::Provenance;

/// The tables: revenue per kWh, break-evens, hashes per token, a megawatt against a megawatt, energy of a query, and all sources.
pub fn advice(advice: &Advice) -> Vec<Table> {
    let mut tables = vec![uses::table(advice)];
    tables.extend(break_evens::tables(advice));
    tables.extend(tokens::forgone(advice));
    tables.push(megawatts::table(advice));
    tables.extend(tokens::queries(advice));
    tables.push(sources::table(advice));
    tables
}

/// Sentences and tables for a terminal `width` characters wide; `styled` makes headers bold.
pub fn advice_to_terminal(advised: &Advice, width: u16, styled: bool) -> String {
    let mut out = String::new();
    for line in answer(advised) {
        out += &format!("{}\n", textwrap::fill(&lines(&line), usize::from(width)));
    }
    for table in advice(advised) {
        out += &format!("\n{}", table.to_terminal(width, styled));
    }
    out
}

fn columns<const N: usize>(heads: [(&'static str, bool); N]) -> Vec<Column> {
    heads.into_iter().map(|(head, figures)| Column { head, figures }).collect()
}

/// A choice as an imperative: `rent out NVIDIA H100 (one year)`.
fn act(choice: &Choice) -> String {
    let subject = &choice.subject;
    let name = choice.device.as_ref().map_or("", |on| &on.name);
    match choice.kind {
        Kind::HashAsic => format!("hash on a miner ({subject})"),
        Kind::HashHere => format!("hash on {name}"),
        Kind::Infer => format!("sell {subject} of {name}"),
        Kind::Rent => format!("rent out {name} ({subject})"),
    }
}

/// The measured device, if there is only one.
fn only_device(advice: &Advice) -> Option<&MeasuredDevice> {
    let mut devices = advice.choices.iter().filter_map(|choice| choice.device.as_ref());
    let first = devices.next()?;
    devices.all(|on| on == first).then_some(first)
}

/// A label on several lines: its options on their own line, and its device unless there is only one.
fn short(label: &str, advice: &Advice) -> String {
    let label = label.split(" at the price of ").next().unwrap_or(label).trim_end_matches(',');
    let label = label.replacen(":batch=", "\nbatch=", 1);
    match only_device(advice) {
        Some(on) => {
            let label = label.replacen(&format!(" on {}", on.name), "", 1);
            label.replacen(&format!(" {}", on.name), "", 1)
        }
        None => label.replacen(" on ", "\non ", 1),
    }
}

/// A provenance in a word.
fn how(provenance: Provenance) -> &'static str {
    if provenance.is_measured() { "measured" } else { provenance.name() }
}

/// The break-even value of a parameter for a question.
fn break_even(advice: &Advice, question: Question, parameter: Parameter) -> Option<&BreakEven> {
    let mut all = advice.break_evens.iter();
    all.find(|found| (found.question, found.parameter) == (question, parameter))
}

/// The best choice of a kind on each device, in order of appearance.
fn best_on_each_device(advice: &Advice, kind: Kind) -> Vec<usize> {
    let revenue = |i: usize| advice.choices[i].revenue.middle();
    let better = |best, i| if revenue(i) > revenue(best) { i } else { best };
    let all = (0..advice.choices.len()).filter(|i| advice.choices[*i].kind == kind);
    let devices = grouped(all.map(|i| (&advice.choices[i].device, i))).into_iter();
    devices.filter_map(|(_, own)| own.into_iter().reduce(better)).collect()
}

/// Groups values by their keys, each value once, in order of appearance.
fn grouped<K: PartialEq, V: PartialEq>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
