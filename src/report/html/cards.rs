//! Cards of the page: joules and rates of all devices on a common axis, one card per workload.

use super::axis::Axis;
use super::strip::{Card, Kind, Line, Mark, labels, ticks, track};
use crate::economics::market::Market;
use crate::report::entry::{Entry, Published, order, percent, span};
use crate::report::group::{Group, Natural};
use crate::results::Outcome;
use crate::units::{EnergyPerWork, Interval, Provenance, Unit, significant};
use std::collections::BTreeMap;

/// Maximum number of lines per card; the table has the rest.
const MAX_LINES: usize = 12;

/// Groups by unit and workload, in the order of units; ceilings last.
fn by_workload(groups: &[Group]) -> Vec<(Unit, String, Vec<&Group>)> {
    let mut all: BTreeMap<(bool, Unit, Natural), Vec<&Group>> = BTreeMap::new();
    for group in groups {
        let entry = &group.entry;
        let spec = Natural(entry.workload.spec.clone());
        all.entry((entry.workload.id.is_ceiling(), entry.unit(), spec)).or_default().push(group);
    }
    all.into_iter().map(|((_, unit, spec), groups)| (unit, spec.0, groups)).collect()
}

/// Joules per unit of work, one card per workload. Cards of hashes end with the reference miners.
pub fn joules(groups: &[Group]) -> Vec<Card> {
    let market = Market::embedded();
    by_workload(groups)
        .into_iter()
        .filter_map(|(unit, spec, mut groups)| {
            let quoted = |joules: f64| EnergyPerWork { joules, unit }.quote();
            let joules = |group: &Group| group.entry.joules.map_or(f64::INFINITY, order);
            groups.sort_by(|a, b| joules(a).total_cmp(&joules(b)));
            let asics: Vec<_> =
                if unit == Unit::Hash { market.asics.iter().collect() } else { Vec::new() };
            let values = groups
                .iter()
                .filter_map(|group| group.entry.joules.map(span))
                .flat_map(|(low, high)| [quoted(low), quoted(high)])
                .chain(asics.iter().map(|asic| asic.efficiency.number()));
            let axis = Axis::logarithmic(values)?;
            let marks = ticks(&axis, significant);
            let more = groups.len().saturating_sub(MAX_LINES);
            let mut lines: Vec<Line> = groups
                .iter()
                .take(MAX_LINES)
                .map(|group| {
                    line((&axis, &marks), group, group.entry.joules, quoted, |entry, joules| {
                        EnergyPerWork { joules, unit: entry.unit() }.figure()
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

/// Work per second, one card per workload.
pub fn rates(groups: &[Group]) -> Vec<Card> {
    by_workload(groups)
        .into_iter()
        .filter_map(|(unit, spec, mut groups)| {
            let rate = |group: &Group| group.entry.rate.map_or(0.0, order);
            groups.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
            let ends = groups.iter().filter_map(|group| group.entry.rate.map(span));
            let axis = Axis::logarithmic(ends.flat_map(|(low, high)| [low, high]))?;
            let words = |per_second: f64| crate::units::Rate { per_second, unit }.to_string();
            let marks = ticks(&axis, words);
            let more = groups.len().saturating_sub(MAX_LINES);
            let lines = groups
                .iter()
                .take(MAX_LINES)
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
    figure: Option<Interval>,
    place: impl Fn(f64) -> f64,
    words: impl Fn(&Entry, f64) -> String,
) -> Line {
    let entry = &group.entry;
    let counts = entry.counts();
    let mark = figure.map(|figure| Mark {
        kind: match (counts, figure.value, figure.provenance) {
            (false, ..) => Kind::Invalid,
            (_, None, _) => Kind::Modelled,
            (_, _, Provenance::Declared) => Kind::Declared,
            _ => Kind::Measured,
        },
        value: figure.value.map(&place),
        ends: (place(span(figure).0), place(span(figure).1)),
    });
    let value = figure.map_or("–".into(), |figure| match (figure.value, figure.ends()) {
        (Some(value), Some((low, high))) if group.rows > 1 => {
            format!("{} ({} to {})", words(entry, value), words(entry, low), words(entry, high))
        }
        (Some(value), Some(_)) => {
            format!("{} ±{} %", words(entry, value), percent(figure.relative_half_width()))
        }
        (Some(value), None) => words(entry, value),
        (None, _) => {
            format!("{} to {}", words(entry, figure.low), words(entry, figure.high))
        }
    });
    let mut worth = entry.source_words();
    if entry.outcome != Outcome::Measured || !counts {
        worth = format!("{}: {}", entry.state(), entry.reasons.join("; "));
    } else if group.rows > 1 {
        worth = format!("{worth}, {} rows", group.rows);
    }
    Line {
        class: entry.class.to_string(),
        name: name(entry),
        value,
        worth,
        about: about(group),
        counts,
        track: track(axis, ticks, mark, entry.class.name()),
    }
}

/// The device's name, with a remark if it is emulated.
fn name(entry: &Entry) -> String {
    let flag = if entry.is_software() { ", a CPU emulating a GPU" } else { "" };
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
        about += &format!("{} invalid rows are left out. ", group.left_out);
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
    if !entry.ceilings.is_empty() {
        about += &format!(" In the same run it reaches {}.", entry.ceilings.join(" and "));
    }
    if !entry.counts() {
        about = format!("{}: {}. {about}", entry.state(), entry.reasons.join("; "));
    }
    about
}

/// Its fraction of the published rate, or its state if it does not count.
fn share(entry: &Entry) -> String {
    match entry.counts() {
        true => entry.published.words(),
        false => entry.state().to_string(),
    }
}
