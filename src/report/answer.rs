//! The answer in plain sentences: who needs the fewest joules for each workload, by how much, how sure that is, and what is only
//! modelled. Ratios and ranks stay within joules of one scope and one provenance.

use super::entry::{Entry, order, span};
use super::group::{Group, Natural};
use super::provenance::short;
use crate::device::Class;
use crate::units::{EnergyPerWork, Interval, Provenance, Unit, significant};
use std::collections::{BTreeMap, BTreeSet};

/// What can be said of one workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The unit of its work.
    pub unit: Unit,
    /// As the command line writes it.
    pub workload: String,
    /// How well it is known.
    pub standing: Standing,
    /// It in a few words: `cpu wins`.
    pub headline: String,
    /// It in full.
    pub sentences: Vec<String>,
}

/// How well an answer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Measured, and the intervals lie apart.
    Sure,
    /// Typed watts say so, and the intervals of the speeds lie apart.
    Declared,
    /// The intervals overlap, or there are none.
    Open,
    /// Nobody measured, and the ranges lie apart nevertheless.
    Modelled,
    /// Nobody measured, and the ranges overlap.
    Unmeasured,
    /// The joules cover different things or come about differently.
    Unlike,
    /// There is nothing to compare with.
    Alone,
    /// No joules are known.
    Unknown,
}

impl Standing {
    /// In a word or two.
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

/// How devices are called: by their class where it has one device, else with their name.
struct Names(BTreeMap<Class, BTreeSet<String>>);

impl Names {
    fn of(&self, entry: &Entry) -> String {
        let alone = self.0.get(&entry.class).is_none_or(|names| names.len() < 2);
        if alone { entry.class.to_string() } else { format!("{} {}", entry.class, entry.name) }
    }
}

/// Answers, a workload each, in the order of units; ceilings have none.
pub fn answers(groups: &[Group]) -> Vec<Answer> {
    let mut names = Names(BTreeMap::new());
    for Group { entry, .. } in groups {
        names.0.entry(entry.class).or_default().insert(entry.name.clone());
    }
    let mut alike: BTreeMap<(Unit, Natural, String), Vec<&Group>> = BTreeMap::new();
    for group in groups {
        let entry = &group.entry;
        if !entry.workload.id.is_ceiling() {
            let key = (entry.unit(), Natural(entry.workload.spec.clone()), entry.mode.clone());
            alike.entry(key).or_default().push(group);
        }
    }
    let modes: BTreeSet<&String> = alike.keys().map(|key| &key.2).collect();
    let several = modes.len() > 1;
    alike
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
    // The strongest kind of joules of which there are two, then the most.
    let mut likes: Vec<Vec<&Entry>> = Vec::new();
    for &entry in &known {
        match likes.iter_mut().find(|like| is_like(like[0], entry)) {
            Some(like) => like.push(entry),
            None => likes.push(vec![entry]),
        }
    }
    likes.sort_by_key(|like| (like.len() < 2, like[0].provenance, usize::MAX - like.len()));
    match likes.first() {
        None => unknown(&mut answer, &counting, names),
        Some(like) if like.len() >= 2 => ranked(&mut answer, like, names),
        Some(_) if likes.len() >= 2 => unlike(&mut answer, &known, names),
        Some(only) => alone(&mut answer, only[0], names),
    }
    if let Some(like) = likes.first().filter(|like| like.len() >= 2) {
        let rest: Vec<&&Entry> = known.iter().filter(|entry| !is_like(like[0], entry)).collect();
        if !rest.is_empty() {
            let rest: Vec<String> = rest.iter().take(3).map(|entry| beside(entry, names)).collect();
            answer.sentences.push(format!("Beside it, in no ratio: {}.", rest.join("; ")));
        }
    }
    let left_out = all.iter().filter(|group| !group.entry.counts()).count();
    match left_out {
        0 => {}
        1 => answer.sentences.push("One row does not count.".into()),
        n => answer.sentences.push(format!("{n} rows do not count.")),
    }
    answer
}

/// Whether ratios and ranks may be made of two.
fn is_like(a: &Entry, b: &Entry) -> bool {
    (a.scope, a.provenance, a.speed_only) == (b.scope, b.provenance, b.speed_only)
}

/// The best of each class; of one class alone all its devices.
fn contenders<'a>(like: &[&'a Entry]) -> Vec<&'a Entry> {
    let mut sorted = like.to_vec();
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

fn ranked(answer: &mut Answer, like: &[&Entry], names: &Names) {
    let contenders = contenders(like);
    let [first, second, ..] = contenders[..] else { return };
    let by_class = first.class != second.class;
    let label = |entry: &Entry| if by_class { entry.class.to_string() } else { entry.name.clone() };
    let scope = first.scope.map_or("", |scope| scope.name());
    let how = short(first.provenance);
    let apart = || match (first.joules, second.joules) {
        (Some(a), Some(b)) => span(a).1 < span(b).0,
        _ => false,
    };
    let figures = |entry: &Entry| format!("{} {}", names.of(entry), amount(entry));
    if first.provenance == Provenance::Modelled {
        answer.standing = if apart() { Standing::Modelled } else { Standing::Unmeasured };
        answer.headline = match answer.standing {
            Standing::Modelled => format!("{} needs fewer", label(first)),
            _ => "undecided: nobody measured".into(),
        };
        answer.sentences.push(format!(
            "No meter was read: {} and {}, both modelled ({scope}).",
            figures(first),
            figures(second)
        ));
        answer.sentences.push(if apart() {
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
    answer.standing = match (both && apart(), first.provenance.is_measured()) {
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
        contenders(known).iter().take(4).map(|entry| beside(entry, names)).collect();
    answer.sentences.push(format!("{}.", all.join("; ")));
    answer.sentences.push(
        "These joules do not cover the same or did not come about alike, so no ratio is given."
            .into(),
    );
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
        .push(format!("{}. Nothing else has joules to hold it to.", beside(only, names)));
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

/// Which is faster, since speed is measured in any case.
fn on_speed(entries: &[&Entry], names: &Names) -> Option<String> {
    let mut sorted = entries.to_vec();
    let rate = |entry: &Entry| entry.rate.map_or(0.0, order);
    sorted.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
    let [first, second, ..] = sorted[..] else { return None };
    let (times, low, high) = ratio(first.rate, second.rate)?;
    Some(format!(
        "On speed alone {} does {} times as much as {} ({} to {}).",
        names.of(first),
        significant(times),
        names.of(second),
        significant(low),
        significant(high)
    ))
}

/// One over another, and how little and how much that may be.
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

/// The customary figure without its unit.
fn figure(entry: &Entry, joules: f64) -> String {
    EnergyPerWork { joules, unit: entry.unit() }.figure()
}

fn beside(entry: &Entry, names: &Names) -> String {
    format!("{} {}, {}", names.of(entry), amount(entry), entry.source_words())
}
