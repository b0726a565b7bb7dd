//! The answer in plain sentences: which device needs the fewest joules per workload, by how much, and how certain that is. Ratios and
//! ranks are only between joules of the same scope and provenance.

use super::entry::{Entry, order, span};
use super::group::{Group, Natural};
use super::provenance::short;
use crate::device::Class;
use crate::units::{EnergyPerWork, Interval, Provenance, Unit, significant};
use std::collections::{BTreeMap, BTreeSet};

/// The answer for one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
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

/// How certain an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Measured, and the intervals do not overlap.
    Sure,
    /// Declared power, and the intervals of the speeds do not overlap.
    Declared,
    /// The intervals overlap or are unknown.
    Open,
    /// Modelled, and the ranges do not overlap.
    Modelled,
    /// Modelled, and the ranges overlap or there is nothing to compare with.
    Unmeasured,
    /// The joules differ in scope or provenance.
    Unlike,
    /// Nothing to compare with.
    Alone,
    /// No joules are known.
    Unknown,
}

impl Standing {
    /// In a few words.
    pub fn name(self) -> &'static str {
        match self {
            Standing::Sure => "sure",
            Standing::Declared => "as declared",
            Standing::Open => "too close to tell",
            Standing::Modelled => "modelled, yet apart",
            Standing::Unmeasured => "only modelled",
            Standing::Unlike => "not comparable",
            Standing::Alone => "nothing beside it",
            Standing::Unknown => "no joules known",
        }
    }
}

/// Device names by class. A device is called by its class alone if it is the only one in it.
struct Names(BTreeMap<Class, BTreeSet<String>>);

impl Names {
    fn display(&self, entry: &Entry) -> String {
        let alone = self.0.get(&entry.class).is_none_or(|names| names.len() < 2);
        if alone { entry.class.to_string() } else { format!("{} {}", entry.class, entry.name) }
    }
}

/// One answer per workload and protocol mode, in the order of units; ceilings have none.
pub fn answers(groups: &[Group]) -> Vec<Answer> {
    let mut names = Names(BTreeMap::new());
    for Group { entry, .. } in groups {
        names.0.entry(entry.class).or_default().insert(entry.name.clone());
    }
    let mut by_workload: BTreeMap<(Unit, Natural, String), Vec<&Group>> = BTreeMap::new();
    for group in groups {
        let entry = &group.entry;
        if !entry.workload.id.is_ceiling() {
            let key = (entry.unit(), Natural(entry.workload.spec.clone()), entry.mode.clone());
            by_workload.entry(key).or_default().push(group);
        }
    }
    let modes: BTreeSet<&String> = by_workload.keys().map(|key| &key.2).collect();
    let several = modes.len() > 1;
    by_workload
        .iter()
        .map(|((unit, spec, mode), groups)| {
            let spec = spec.0.clone();
            let workload = if several { format!("{spec} ({mode})") } else { spec };
            answer(*unit, workload, groups, &names)
        })
        .collect()
}

fn answer(unit: Unit, workload: String, all: &[&Group], names: &Names) -> Answer {
    let counting: Vec<&Entry> =
        all.iter().map(|group| &group.entry).filter(|entry| entry.counts()).collect();
    let mut answer = Answer {
        unit,
        workload,
        standing: Standing::Unknown,
        headline: "no figure".into(),
        sentences: Vec::new(),
    };
    let known: Vec<&Entry> =
        counting.iter().copied().filter(|entry| entry.joules.is_some()).collect();
    // Prefer the strongest provenance that two or more rows have, then the most rows.
    let mut sets: Vec<Vec<&Entry>> = Vec::new();
    for &entry in &known {
        match sets.iter_mut().find(|set| comparable(set[0], entry)) {
            Some(set) => set.push(entry),
            None => sets.push(vec![entry]),
        }
    }
    sets.sort_by_key(|set| (set.len() < 2, set[0].provenance, usize::MAX - set.len()));
    match sets.first() {
        None => unknown(&mut answer, &counting, names),
        Some(set) if set.len() >= 2 => ranked(&mut answer, set, names),
        Some(_) if sets.len() >= 2 => unlike(&mut answer, &known, names),
        Some(only) => alone(&mut answer, only[0], names),
    }
    if let Some(set) = sets.first().filter(|set| set.len() >= 2) {
        let rest: Vec<&&Entry> = known.iter().filter(|entry| !comparable(set[0], entry)).collect();
        if !rest.is_empty() {
            let rest: Vec<String> = rest.iter().take(3).map(|entry| detail(entry, names)).collect();
            answer.sentences.push(format!("Beside it, in no ratio: {}.", rest.join("; ")));
        }
    }
    let left_out = all.iter().filter(|group| !group.entry.counts()).count();
    match left_out {
        0 => {}
        1 => answer.sentences.push("One row has no valid figure.".into()),
        n => answer.sentences.push(format!("{n} rows have no valid figure.")),
    }
    answer
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
    let mut best: Vec<&Entry> = Vec::new();
    for &entry in &sorted {
        if !best.iter().any(|other| other.class == entry.class) {
            best.push(entry);
        }
    }
    if best.len() >= 2 { best } else { sorted }
}

fn ranked(answer: &mut Answer, rows: &[&Entry], names: &Names) {
    let contenders = contenders(rows);
    let [first, second, ..] = contenders[..] else { return };
    let by_class = first.class != second.class;
    let label = |entry: &Entry| if by_class { entry.class.to_string() } else { entry.name.clone() };
    let scope = first.scope.map_or("", |scope| scope.name());
    let how = short(first.provenance);
    let disjoint = || match (first.joules, second.joules) {
        (Some(a), Some(b)) => span(a).1 < span(b).0,
        _ => false,
    };
    let figures = |entry: &Entry| format!("{} {}", names.display(entry), amount(entry));
    if first.provenance == Provenance::Modelled {
        answer.standing = if disjoint() { Standing::Modelled } else { Standing::Unmeasured };
        answer.headline = match answer.standing {
            Standing::Modelled => format!("{} needs fewer", label(first)),
            _ => "undecided: nobody measured".into(),
        };
        answer.sentences.push(format!(
            "No meter was read: {} and {}, both modelled ({scope}).",
            figures(first),
            figures(second)
        ));
        answer.sentences.push(if disjoint() {
            "Even so the ranges lie apart.".into()
        } else {
            "The ranges overlap, so joules name no winner.".into()
        });
        answer.sentences.extend(on_speed(&contenders, names));
        return;
    }
    let has_ends = |entry: &Entry| entry.joules.is_some_and(|joules| joules.ends().is_some());
    let both = has_ends(first) && has_ends(second);
    let Some((times, low, high)) = ratio(second.joules, first.joules) else { return };
    let range = if both {
        format!(" ({} to {})", significant(low), significant(high))
    } else {
        String::new()
    };
    answer.standing = match (both && disjoint(), first.provenance.is_measured()) {
        (true, true) => Standing::Sure,
        (true, false) => Standing::Declared,
        (false, _) => Standing::Open,
    };
    answer.headline = match answer.standing {
        Standing::Open => format!("{} and {} are too close to tell", label(first), label(second)),
        _ => format!("{} wins", label(first)),
    };
    answer.sentences.push(format!(
        "{}; the next, {}: {} times as many{range}.",
        figures(first),
        figures(second),
        significant(times)
    ));
    answer.sentences.push(match (answer.standing, first.speed_only) {
        (Standing::Open, _) if !both => {
            "No interval is known of one of them, so nothing is shown.".into()
        }
        (Standing::Open, _) => "Their 95 % intervals overlap, so no winner is shown.".into(),
        (_, true) => {
            "One power was typed for all workloads, so this tells of the speed alone.".into()
        }
        (Standing::Declared, _) => {
            "Sure as far as the typed watts are right: the intervals lie apart.".into()
        }
        _ => "Sure: their 95 % intervals lie apart.".into(),
    });
    answer.sentences.push(format!("Both {how}, scope {scope}."));
}

fn unlike(answer: &mut Answer, known: &[&Entry], names: &Names) {
    answer.standing = Standing::Unlike;
    answer.headline = "side by side, in no ratio".into();
    let all: Vec<String> =
        contenders(known).iter().take(4).map(|entry| detail(entry, names)).collect();
    answer.sentences.push(format!("{}.", all.join("; ")));
    answer
        .sentences
        .push("These joules differ in scope or provenance, so no ratio is given.".into());
    answer.sentences.extend(on_speed(known, names));
}

fn alone(answer: &mut Answer, only: &Entry, names: &Names) {
    answer.standing = match only.provenance {
        Provenance::Modelled => Standing::Unmeasured,
        _ => Standing::Alone,
    };
    answer.headline = format!("only {}", only.class);
    answer
        .sentences
        .push(format!("{}. Nothing else has joules to hold it to.", detail(only, names)));
    if only.provenance == Provenance::Modelled {
        answer
            .sentences
            .push("No meter was read: the true figure lies somewhere in the range.".into());
    }
}

fn unknown(answer: &mut Answer, counting: &[&Entry], names: &Names) {
    if counting.is_empty() {
        answer.headline = "no row counts".into();
        return;
    }
    answer.headline = "no joules known".into();
    answer.sentences.push("No row has joules: no meter was read and no watts were typed.".into());
    answer.sentences.extend(on_speed(counting, names));
}

/// Compares speed, which is always measured.
fn on_speed(entries: &[&Entry], names: &Names) -> Option<String> {
    let mut sorted = entries.to_vec();
    let rate = |entry: &Entry| entry.rate.map_or(0.0, order);
    sorted.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    let [first, second, ..] = sorted[..] else { return None };
    let (times, low, high) = ratio(first.rate, second.rate)?;
    Some(format!(
        "On speed alone {} does {} times as much as {} ({} to {}).",
        names.display(first),
        significant(times),
        names.display(second),
        significant(low),
        significant(high)
    ))
}

/// The ratio of two figures, with its lower and upper bound.
fn ratio(over: Option<Interval>, under: Option<Interval>) -> Option<(f64, f64, f64)> {
    let (over, under) = (over?, under?);
    let (a, b) = (span(over), span(under));
    Some((order(over) / order(under), a.0 / b.1, a.1 / b.0))
}

/// `needs 12.1 J/TH (11.9 to 12.3)`.
fn amount(entry: &Entry) -> String {
    let words = |joules| entry.joules_words(joules);
    let Some(joules) = entry.joules else { return "has no joules".into() };
    match (joules.value, joules.ends()) {
        (Some(value), Some((low, high))) => {
            format!("needs {} ({} to {})", words(value), figure(entry, low), figure(entry, high))
        }
        (Some(value), None) => format!("needs {}", words(value)),
        (None, _) => {
            format!("lies between {} and {}", figure(entry, joules.low), words(joules.high))
        }
    }
}

/// Joules in the customary unit, without the unit.
fn figure(entry: &Entry, joules: f64) -> String {
    EnergyPerWork { joules, unit: entry.unit() }.figure()
}

fn detail(entry: &Entry, names: &Names) -> String {
    format!("{} {}, {}", names.display(entry), amount(entry), entry.source_words())
}
