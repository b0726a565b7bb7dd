//! Cards of a page: for each workload the joules, and the rates, of every device on one axis.

use super::axis::Axis;
use super::strip::{Card, Kind, Line, Mark, labels, ticks, track};
use crate::economics::market::Market;
use crate::energy::Provenance;
use crate::report::entry::{Amount, Entry, Published, percent};
use crate::report::group::{Group, Natural};
use crate::results::wire::Outcome;
use crate::units::{EnergyPerWork, Unit, significant};
use std::collections::BTreeMap;

/// Lines of a card, at most; the rest stands in the table.
const MOST_LINES: usize = 12;

/// Groups by unit and workload, in the order of units; roofs last.
fn by_workload(groups: &[Group]) -> Vec<(Unit, String, Vec<&Group>)> {
    let mut all: BTreeMap<(bool, usize, Natural), Vec<&Group>> = BTreeMap::new();
    for group in groups {
        let entry = &group.entry;
        let Some(unit) = entry.unit() else { continue };
        let Some(place) = Unit::ALL.iter().position(|u| *u == unit) else { continue };
        let roof = ["peak", "stream"].contains(&entry.workload.id.as_str());
        all.entry((roof, place, Natural(entry.workload.spec()))).or_default().push(group);
    }
    all.into_iter().map(|((_, place, spec), groups)| (Unit::ALL[place], spec.0, groups)).collect()
}

/// Joules for the same work, a card for each workload. Reference miners stand below the hashes.
pub fn joules(groups: &[Group]) -> Vec<Card> {
    let market = Market::embedded();
    by_workload(groups)
        .into_iter()
        .filter_map(|(unit, spec, mut groups)| {
            let quoted = |joules: f64| EnergyPerWork { joules, unit }.quote();
            let order = |group: &Group| group.entry.joules.order().unwrap_or(f64::INFINITY);
            groups.sort_by(|a, b| order(a).total_cmp(&order(b)));
            let asics: Vec<_> =
                if unit == Unit::Hash { market.asics.iter().collect() } else { Vec::new() };
            let values = groups
                .iter()
                .filter_map(|group| group.entry.joules.ends())
                .flat_map(|(low, high)| [quoted(low), quoted(high)])
                .chain(asics.iter().map(|asic| asic.efficiency.number()));
            let axis = Axis::logarithmic(values)?;
            let marks = ticks(&axis, significant);
            let more = groups.len().saturating_sub(MOST_LINES);
            let mut lines: Vec<Line> = groups
                .iter()
                .take(MOST_LINES)
                .map(|group| {
                    line((&axis, &marks), group, group.entry.joules, quoted, |entry, joules| {
                        EnergyPerWork { joules, unit: entry.unit().unwrap_or(unit) }.figure()
                    })
                })
                .collect();
            for asic in &asics {
                let figure = &asic.efficiency;
                let value = figure.number();
                let mark = Mark { kind: Kind::Published, value: Some(value), ends: (value, value) };
                lines.push(Line {
                    class: "asic".into(),
                    name: asic.name.clone(),
                    value: significant(value),
                    worth: "published, wall".into(),
                    about: format!(
                        "Published, never measured here: {} {} by {}, {}.",
                        significant(value),
                        figure.unit,
                        figure.source,
                        figure.date
                    ),
                    counts: true,
                    track: track(&axis, &marks, Some(mark), "asic"),
                });
            }
            let (subject, options) = parts(&spec);
            Some(Card {
                unit: unit.energy_symbol().to_string(),
                subject,
                options,
                lines,
                ticks: labels(&axis, &marks, significant),
                note: more_lines(more),
            })
        })
        .collect()
}

/// Work a second, a card for each workload.
pub fn rates(groups: &[Group]) -> Vec<Card> {
    by_workload(groups)
        .into_iter()
        .filter_map(|(unit, spec, mut groups)| {
            let order = |group: &Group| group.entry.rate.order().unwrap_or(0.0);
            groups.sort_by(|a, b| order(b).total_cmp(&order(a)));
            let ends = groups.iter().filter_map(|group| group.entry.rate.ends());
            let axis = Axis::logarithmic(ends.flat_map(|(low, high)| [low, high]))?;
            let words = |per_second: f64| crate::units::Rate { per_second, unit }.to_string();
            let marks = ticks(&axis, words);
            let more = groups.len().saturating_sub(MOST_LINES);
            let lines = groups
                .iter()
                .take(MOST_LINES)
                .map(|group| {
                    let line = line(
                        (&axis, &marks),
                        group,
                        group.entry.rate,
                        |rate| rate,
                        |_, rate| words(rate),
                    );
                    Line { worth: share(&group.entry), about: about_rate(group), ..line }
                })
                .collect();
            let (subject, options) = parts(&spec);
            Some(Card {
                unit: String::new(),
                subject,
                options,
                lines,
                ticks: labels(&axis, &marks, words),
                note: more_lines(more),
            })
        })
        .collect()
}

fn more_lines(more: usize) -> String {
    match more {
        0 => String::new(),
        n => format!("and {n} more in the table"),
    }
}

/// `decode`, and `smollm2-135m · int4 · batch=1`.
pub fn parts(spec: &str) -> (String, String) {
    let (id, rest) = spec.split_once(':').unwrap_or((spec, ""));
    (id.to_string(), rest.replace(':', " · "))
}

fn line(
    (axis, ticks): (&Axis, &[f64]),
    group: &Group,
    amount: Amount,
    place: impl Fn(f64) -> f64,
    words: impl Fn(&Entry, f64) -> String,
) -> Line {
    let entry = &group.entry;
    let counts = entry.counts();
    let mark = amount.ends().map(|(low, high)| Mark {
        kind: match (counts, amount, entry.provenance) {
            (false, ..) => Kind::Invalid,
            (_, Amount::Range { .. }, _) => Kind::Modelled,
            (_, _, Provenance::Declared) => Kind::Declared,
            _ => Kind::Measured,
        },
        value: match amount {
            Amount::Point { value, .. } => Some(value),
            _ => None,
        }
        .map(&place),
        ends: (place(low), place(high)),
    });
    let value = match amount {
        Amount::Point { value, ends: Some((low, high)) } if group.rows > 1 => {
            format!("{} ({} to {})", words(entry, value), words(entry, low), words(entry, high))
        }
        Amount::Point { value, ends: Some((low, high)) } => {
            let share = (value - low).max(high - value) / value;
            format!("{} ±{} %", words(entry, value), percent(share))
        }
        Amount::Point { value, ends: None } => words(entry, value),
        Amount::Range { low, high } => format!("{} to {}", words(entry, low), words(entry, high)),
        Amount::Unknown => "–".into(),
    };
    let mut worth = entry.source_words();
    if entry.outcome != Outcome::Measured || !counts {
        worth = format!("{}: {}", entry.state(), entry.reasons.join("; "));
    } else if group.rows > 1 {
        worth = format!("{worth}, {} rows", group.rows);
    }
    Line {
        class: entry.class.clone(),
        name: name(entry),
        value,
        worth,
        about: about(group),
        counts,
        track: track(axis, ticks, mark, &entry.class),
    }
}

/// The device's name; of a GPU in a run of its own the id too.
fn name(entry: &Entry) -> String {
    let flag = if entry.software { ", a CPU emulating a GPU" } else { "" };
    format!("{}{flag}", entry.name)
}

fn about(group: &Group) -> String {
    let entry = &group.entry;
    let mut about = String::new();
    if group.rows > 1 {
        about +=
            &format!("The median of {} rows, from the lowest end to the highest. ", group.rows);
    }
    if group.left_out > 0 {
        about += &format!("{} rows that do not count are left out. ", group.left_out);
    }
    if let Some(limit) = entry.power_limit {
        about += &format!("Power limit {}. ", crate::units::Watts(limit));
    }
    about + &entry.about
}

fn about_rate(group: &Group) -> String {
    let entry = &group.entry;
    let mut about = match &entry.published {
        Published::Share { share, of, source } => {
            format!("{} % of {of}, as published: {source}.", percent(*share))
        }
        Published::Unknown { of } => format!("Not known here: {of} of this device."),
        Published::Nothing => "Nobody publishes a rate to hold this to.".into(),
    };
    if entry.outcome == Outcome::Measured {
        about = format!("{} {about}", group.about_rate());
    }
    if !entry.roofs.is_empty() {
        about += &format!(" In the same run it reaches {}.", entry.roofs.join(" and "));
    }
    if !entry.counts() {
        about = format!("{}: {}. {about}", entry.state(), entry.reasons.join("; "));
    }
    about
}

/// What share of the published it reaches, in few words.
fn share(entry: &Entry) -> String {
    match entry.counts() {
        true => entry.published.words(),
        false => entry.state().to_string(),
    }
}
