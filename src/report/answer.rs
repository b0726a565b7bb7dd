//! The answer in plain sentences: which device needs the fewest joules per workload, by how much, and how certain that is. Ratios and
//! ranks are only between joules of the same scope and provenance.

use super::entry::{Entry, order, span};
use super::provenance::short;
use crate::device::Class;
use crate::text::natural;
use crate::units::{Interval, Provenance, Unit, significant};
use std::collections::{BTreeMap, BTreeSet};

/// The answer for one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadAnswer {
    /// Its unit of work.
    pub unit: Unit,
    /// The workload as on the command line.
    pub workload: String,
    /// How certain it is.
    pub standing: Standing,
    /// In a few words: `cpu wins`.
    pub headline: String,
    /// In full.
    pub sentences: Vec<String>,
}

/// How certain an answer is: the CSS class of its badge, and its words.
pub type Standing = (&'static str, &'static str);

/// Measured, and the intervals do not overlap.
const SURE: Standing = ("good", "sure");
/// Declared power, and the intervals of the speeds do not overlap.
const DECLARED: Standing = ("plain", "as declared");
/// The intervals overlap or are unknown.
const OPEN: Standing = ("open", "too close to tell");
/// Modelled, and the ranges do not overlap.
const MODELLED: Standing = ("modelled", "modelled, no overlap");
/// Modelled, and the ranges overlap or there is nothing to compare with.
const UNMEASURED: Standing = ("modelled", "only modelled");
/// The joules differ in scope or provenance.
const UNLIKE: Standing = ("open", "not comparable");
/// Nothing to compare with.
const ALONE: Standing = ("plain", "nothing to compare");
/// No joules are known.
const UNKNOWN: Standing = ("open", "no joules known");

/// Device names by class.
type Names<'a> = BTreeMap<Class, BTreeSet<&'a str>>;

/// A device's class, and its name if it is not the only one in its class.
fn display(names: &Names, entry: &Entry) -> String {
    let only_in_class = names.get(&entry.class).is_none_or(|names| names.len() < 2);
    if only_in_class { entry.class.to_string() } else { format!("{} {}", entry.class, entry.name) }
}

/// One answer per workload and protocol mode, in the order of units; ceilings have none.
pub fn answers(entries: &[Entry]) -> Vec<WorkloadAnswer> {
    let mut names = Names::new();
    for entry in entries {
        names.entry(entry.class).or_default().insert(&entry.name);
    }
    let is_ceiling = |entry: &&Entry| entry.workload.id.is_ceiling();
    let mut entries: Vec<&Entry> = entries.iter().filter(|entry| !is_ceiling(entry)).collect();
    entries.sort_by_cached_key(|e| (e.workload.unit, natural(&e.workload.spec), e.mode.clone()));
    let several = entries.iter().any(|entry| entry.mode != entries[0].mode);
    let key = |entry: &Entry| (entry.workload.spec.clone(), entry.mode.clone());
    let of_workload = |entries: &[&Entry]| {
        let (spec, mode) = key(entries[0]);
        let (standing, headline, sentences) = answer(entries, &names);
        let workload = if several { format!("{spec} ({mode})") } else { spec };
        WorkloadAnswer { unit: entries[0].workload.unit, workload, standing, headline, sentences }
    };
    entries.chunk_by(|a, b| key(a) == key(b)).map(of_workload).collect()
}

/// How certain an answer is, its headline and its sentences.
type Words = (Standing, String, Vec<String>);

fn answer(all: &[&Entry], names: &Names) -> Words {
    let counting: Vec<&Entry> = all.iter().copied().filter(|entry| entry.counts()).collect();
    let has_joules = |entry: &&Entry| entry.joules.is_some();
    let known: Vec<&Entry> = counting.iter().copied().filter(has_joules).collect();
    // Prefer the strongest provenance that two or more rows have, then the most rows.
    let mut sets: Vec<Vec<&Entry>> = Vec::new();
    for &entry in &known {
        match sets.iter_mut().find(|set| comparable(set[0], entry)) {
            Some(set) => set.push(entry),
            None => sets.push(vec![entry]),
        }
    }
    sets.sort_by_key(|set| (set.len() < 2, set[0].provenance, usize::MAX - set.len()));
    let (standing, headline, mut sentences) = match &sets[..] {
        [] => unknown(&counting, names),
        [set, ..] if set.len() >= 2 => {
            let mut words = ranked(set, names);
            let incomparable = known.iter().filter(|entry| !comparable(set[0], entry));
            let others: Vec<String> =
                incomparable.take(3).map(|entry| detail(entry, names)).collect();
            if !others.is_empty() {
                words.2.push(format!("Not comparable with these: {}.", others.join("; ")));
            }
            words
        }
        [only] => single_row(only[0], names),
        _ => without_ratio(&known, names),
    };
    match all.len() - counting.len() {
        0 => {}
        1 => sentences.push("One row has no valid figure.".into()),
        n => sentences.push(format!("{n} rows have no valid figure.")),
    }
    (standing, headline, sentences)
}

/// Whether two rows may be ranked, and a ratio computed.
fn comparable(a: &Entry, b: &Entry) -> bool {
    (a.scope, a.provenance, a.speed_only) == (b.scope, b.provenance, b.speed_only)
}

/// The best of each class; all devices if there is only one class.
fn contenders<'a>(rows: &[&'a Entry]) -> Vec<&'a Entry> {
    let mut sorted = rows.to_vec();
    let joules = |entry: &Entry| entry.joules.map_or(f64::INFINITY, order);
    sorted.sort_by(|a, b| joules(a).total_cmp(&joules(b)));
    let mut classes = BTreeSet::new();
    let best: Vec<&Entry> =
        sorted.iter().copied().filter(|entry| classes.insert(entry.class)).collect();
    if best.len() >= 2 { best } else { sorted }
}

/// The answer if several rows are comparable.
fn ranked(rows: &[&Entry], names: &Names) -> Words {
    let contenders = contenders(rows);
    let (first, second) = (contenders[0], contenders[1]);
    let label = |entry: &Entry| {
        if first.class == second.class { entry.name.clone() } else { entry.class.to_string() }
    };
    let scope = first.scope.map_or("", |scope| scope.into_str());
    let disjoint = first.joules.zip(second.joules).is_some_and(|(a, b)| span(a)[1] < span(b)[0]);
    let figures = |entry: &Entry| format!("{} {}", display(names, entry), amount(entry));
    let (winner, next) = (figures(first), figures(second));
    if first.provenance == Provenance::Modelled {
        let (standing, headline, why) = if disjoint {
            (MODELLED, format!("{} needs fewer", label(first)), "The ranges do not overlap.")
        } else {
            let why = "The ranges overlap, so neither is known to need fewer joules.";
            (UNMEASURED, "undecided: not measured".into(), why)
        };
        let figures = format!("No meter was read: {winner} and {next}, both modelled ({scope}).");
        let mut sentences = vec![figures, why.into()];
        sentences.extend(on_speed(&contenders, names));
        return (standing, headline, sentences);
    }
    let has_ends = |entry: &Entry| entry.joules.is_some_and(|joules| joules.ends().is_some());
    let both = has_ends(first) && has_ends(second);
    let measured = first.provenance.is_measured();
    let (standing, why) = match both && disjoint {
        true if measured => (SURE, "Sure: their 95 % intervals do not overlap."),
        true if first.speed_only => {
            (DECLARED, "One power was declared for all workloads, so this compares speed only.")
        }
        true => (DECLARED, "Sure if the declared watts are right: the intervals do not overlap."),
        false if both => (OPEN, "Their 95 % intervals overlap, so there is no winner."),
        false => (OPEN, "One of them has no interval, so there is no winner."),
    };
    let headline = match standing {
        OPEN => format!("{} and {} are too close to tell", label(first), label(second)),
        _ => format!("{} wins", label(first)),
    };
    let times = ratio(second.joules, first.joules).map_or(String::new(), |(times, low, high)| {
        let range = format!(" ({} to {})", significant(low), significant(high));
        format!(": {} times as many{}", significant(times), if both { &range } else { "" })
    });
    let sentences = vec![
        format!("{winner}; the next, {next}{times}."),
        why.into(),
        format!("Both {}, scope {scope}.", short(first.provenance)),
    ];
    (standing, headline, sentences)
}

/// The answer if rows have joules, and no two of them are comparable.
fn without_ratio(known: &[&Entry], names: &Names) -> Words {
    let best = contenders(known);
    let all: Vec<String> = best.iter().take(4).map(|entry| detail(entry, names)).collect();
    let why = "These joules differ in scope or provenance, so no ratio is given.";
    let mut sentences = vec![format!("{}.", all.join("; ")), why.into()];
    sentences.extend(on_speed(known, names));
    (UNLIKE, "different kinds of joules".into(), sentences)
}

/// The answer if only one row has joules.
fn single_row(only: &Entry, names: &Names) -> Words {
    let detail = format!("{}. No other row has joules to compare it with.", detail(only, names));
    let headline = format!("only {}", only.class);
    if only.provenance != Provenance::Modelled {
        return (ALONE, headline, vec![detail]);
    }
    let range = "No meter was read: the true figure lies somewhere in the range.".into();
    (UNMEASURED, headline, vec![detail, range])
}

/// The answer if no row has joules.
fn unknown(counting: &[&Entry], names: &Names) -> Words {
    if counting.is_empty() {
        return (UNKNOWN, "no valid row".into(), Vec::new());
    }
    let mut sentences =
        vec!["No row has joules: no meter was read and no watts were declared.".to_string()];
    sentences.extend(on_speed(counting, names));
    (UNKNOWN, "no joules known".into(), sentences)
}

/// Compares speed, which is always measured.
fn on_speed(entries: &[&Entry], names: &Names) -> Option<String> {
    let mut sorted = entries.to_vec();
    let rate = |entry: &Entry| entry.rate.map_or(0.0, order);
    sorted.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    let [first, second, ..] = sorted[..] else { return None };
    let (times, low, high) = ratio(first.rate, second.rate)?;
    let (fast, slow) = (display(names, first), display(names, second));
    let [times, low, high] = [times, low, high].map(significant);
    Some(format!("By speed alone, {fast} is {times} times as fast as {slow} ({low} to {high})."))
}

/// The ratio of two figures, with its lower and upper bound.
fn ratio(over: Option<Interval>, under: Option<Interval>) -> Option<(f64, f64, f64)> {
    let (over, under) = (over?, under?);
    let (a, b) = (span(over), span(under));
    Some((order(over) / order(under), a[0] / b[1], a[1] / b[0]))
}

/// `needs 12.1 J/TH (11.9 to 12.3)`.
fn amount(entry: &Entry) -> String {
    let words = |joules| entry.joules_words(joules);
    let figure = |joules| entry.joules_figure(joules);
    let Some(joules) = entry.joules else { return "has no joules".into() };
    match (joules.value, joules.ends()) {
        (Some(value), Some((low, high))) => {
            format!("needs {} ({} to {})", words(value), figure(low), figure(high))
        }
        (Some(value), None) => format!("needs {}", words(value)),
        (None, _) => format!("lies between {} and {}", figure(joules.low), words(joules.high)),
    }
}

fn detail(entry: &Entry, names: &Names) -> String {
    format!("{} {}, {}", display(names, entry), amount(entry), entry.source_words())
}
