//! Groups of comparable rows: same workload, device name and class, protocol mode, energy scope and provenance, power limit and conditions.

use super::entry::{Entry, span};
use super::published::Published;
use crate::measure::stats;
use crate::results::ModelNames;
use crate::units::{Interval, Method};
use std::collections::BTreeMap;

/// Entries of rows with model names that tell models of one file name apart.
pub fn disambiguated(entries: &[Entry]) -> Vec<Entry> {
    let models = ModelNames::of(entries.iter().map(|entry| &entry.workload));
    let rename = |e: &Entry| Entry { workload: models.disambiguate(&e.workload), ..e.clone() };
    entries.iter().map(rename).collect()
}

/// One entry for each group of comparable rows, in order of their first row.
pub fn groups(entries: &[Entry]) -> Vec<Entry> {
    let entries = disambiguated(entries);
    let mut groups: BTreeMap<_, (usize, Vec<&Entry>)> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        groups.entry(key(entry)).or_insert((index, Vec::new())).1.push(entry);
    }
    let mut groups: Vec<(usize, Vec<&Entry>)> = groups.into_values().collect();
    groups.sort_by_key(|(index, _)| *index);
    groups.iter().map(|(_, rows)| merged(rows)).collect()
}

/// What comparable rows have in common.
fn key(entry: &Entry) -> impl Ord {
    let workload = &entry.workload;
    (
        (entry.class, &entry.name, &workload.spec, &workload.shape.model_sha256, &entry.mode),
        (entry.provenance, entry.scope, entry.speed_only, &entry.conditions),
        (entry.power_limit.map(f64::to_bits), entry.outcome.failure().map(|_| entry.state())),
    )
}

/// The entry of comparable rows. Rows that do not count are shown only if none counts.
fn merged(all: &[&Entry]) -> Entry {
    let counting: Vec<&Entry> = all.iter().copied().filter(|entry| entry.counts()).collect();
    let shown = if counting.is_empty() { all } else { &counting };
    let first = shown[0];
    let combine = |figure: fn(&Entry) -> Option<Interval>| {
        pooled(shown.iter().filter_map(|entry| figure(entry)))
    };
    let published_share = |entry: &Entry| {
        let published = entry.published.as_ref().and_then(Published::share);
        published.map_or(-1.0, |(share, _)| share)
    };
    let best = shown.iter().max_by(|a, b| published_share(a).total_cmp(&published_share(b)));
    Entry {
        rate: combine(|entry| entry.rate),
        joules: combine(|entry| entry.joules),
        watts: combine(|entry| entry.watts),
        published: best.and_then(|entry| entry.published.clone()),
        ceilings: if shown.len() == 1 { first.ceilings.clone() } else { Vec::new() },
        rows: shown.len(),
        left_out: all.len() - shown.len(),
        ..first.clone()
    }
}

/// The median of the values, with the lowest and the highest bound; a single figure is unchanged.
fn pooled(figures: impl Iterator<Item = Interval>) -> Option<Interval> {
    let figures: Vec<Interval> = figures.collect();
    let first = *figures.first()?;
    if figures.len() == 1 {
        return Some(first);
    }
    let low = figures.iter().map(|figure| span(*figure)[0]).fold(f64::INFINITY, f64::min);
    let high = figures.iter().map(|figure| span(*figure)[1]).fold(f64::NEG_INFINITY, f64::max);
    let values: Vec<f64> = figures.iter().filter_map(|figure| figure.value).collect();
    Some(Interval { value: stats::median(&values), low, high, method: Method::Propagated, ..first })
}
