//! Rows that may be put into one line: the same workload on the same kind of device, by the same protocol, joules of the same scope
//! and provenance, under the same power limit and conditions. In a page of one run each row stands alone.

use super::entry::{Entry, span};
use crate::measure::stats;
use crate::results::{ModelNames, Outcome};
use crate::units::{Interval, Method};
use std::collections::BTreeMap;

/// A line of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What its rows have in common; its figures are those of the group.
    pub entry: Entry,
    /// Rows that the figures are of.
    pub rows: usize,
    /// Rows that do not count and are in no figure.
    pub left_out: usize,
}

impl Group {
    /// Where its rate comes from, in a sentence.
    pub fn about_rate(&self) -> String {
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        let (windows, blocks) = self.entry.windows;
        let of = match self.rows {
            1 => format!("{} in {}", counted(windows, "window"), counted(blocks, "block")),
            rows => counted(rows, "row"),
        };
        let ends = match (self.entry.rate.map(Interval::ends), self.rows) {
            (Some(None), 1) => ", too few for an interval",
            (_, 1) => ", with its 95 % interval",
            _ => ", from the lowest end of their intervals to the highest",
        };
        format!("The median of {of}{ends}.")
    }
}

/// Words in the order of people: `batch=4` before `batch=16`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Natural(pub String);

impl Natural {
    /// Numbers as numbers, the rest as it is.
    fn parts(&self) -> Vec<(u128, &str)> {
        let digit = |c: char| c.is_ascii_digit();
        let chunks = self.0.as_bytes().chunk_by(|a, b| digit(*a as char) == digit(*b as char));
        let mut from = 0;
        chunks
            .map(|chunk| {
                let text = &self.0[from..from + chunk.len()];
                from += chunk.len();
                (text.parse().unwrap_or(u128::MAX), text)
            })
            .collect()
    }
}

impl Ord for Natural {
    fn cmp(&self, other: &Natural) -> std::cmp::Ordering {
        self.parts().cmp(&other.parts()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Natural {
    fn partial_cmp(&self, other: &Natural) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Lines for rows: of one run each row its own, of several what is alike together, in the order of the rows.
pub fn groups(entries: &[Entry], runs: usize) -> Vec<Group> {
    let models = ModelNames::of(entries.iter().map(|entry| &entry.workload));
    let told =
        |entry: &Entry| Entry { workload: models.tell_apart(&entry.workload), ..entry.clone() };
    let entries: Vec<Entry> = entries.iter().map(told).collect();
    let entries = &entries[..];
    if runs <= 1 {
        let alone = |entry: &Entry| Group { entry: entry.clone(), rows: 1, left_out: 0 };
        return entries.iter().map(alone).collect();
    }
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    let mut alike: Vec<Vec<&Entry>> = Vec::new();
    for entry in entries {
        let place = *places.entry(key(entry)).or_insert(alike.len());
        if place == alike.len() {
            alike.push(Vec::new());
        }
        alike[place].push(entry);
    }
    alike.into_iter().map(merged).collect()
}

type Key<'a> = (Vec<&'a str>, Option<&'a str>, Option<u64>, bool);

fn key(e: &Entry) -> Key<'_> {
    let measured = e.outcome == Outcome::Measured;
    let mut words = vec![
        e.class.name(),
        &e.name,
        &e.workload.spec,
        e.workload.shape.model_sha256.as_deref().unwrap_or_default(),
        &e.mode,
        e.provenance.name(),
        if measured { "" } else { e.state() },
    ];
    words.extend(e.conditions.iter().map(String::as_str));
    let limit = e.power_limit.map(f64::to_bits);
    (words, e.scope.map(|scope| scope.name()), limit, e.speed_only)
}

/// One line for all; only if none counts does it show those that do not.
fn merged(all: Vec<&Entry>) -> Group {
    let counting: Vec<&Entry> = all.iter().copied().filter(|entry| entry.counts()).collect();
    let shown = if counting.is_empty() { &all } else { &counting };
    let first = shown[0];
    let of = |figure: fn(&Entry) -> Option<Interval>| {
        together(shown.iter().filter_map(|entry| figure(entry)))
    };
    let published = shown.iter().map(|entry| entry.published.clone());
    let entry = Entry {
        rate: of(|entry| entry.rate),
        joules: of(|entry| entry.joules),
        watts: of(|entry| entry.watts),
        published: super::entry::Published::best(published),
        ceilings: if shown.len() == 1 { first.ceilings.clone() } else { Vec::new() },
        ..first.clone()
    };
    Group { entry, rows: shown.len(), left_out: all.len() - shown.len() }
}

/// The median of values, from the lowest to the highest end; of one figure itself.
fn together(figures: impl Iterator<Item = Interval>) -> Option<Interval> {
    let figures: Vec<Interval> = figures.collect();
    let first = *figures.first()?;
    if figures.len() == 1 {
        return Some(first);
    }
    let low = figures.iter().map(|figure| span(*figure).0).fold(f64::INFINITY, f64::min);
    let high = figures.iter().map(|figure| span(*figure).1).fold(f64::NEG_INFINITY, f64::max);
    let values: Vec<f64> = figures.iter().filter_map(|figure| figure.value).collect();
    Some(Interval { value: stats::median(&values), low, high, method: Method::Propagated, ..first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_as_numbers() {
        let mut specs =
            ["b=16:é", "b=4:é", "a", "b=4", "b=100000000000000000000000000000000000000000"]
                .map(|spec| Natural(spec.to_string()));
        specs.sort();
        let order = specs.map(|spec| spec.0.chars().take(4).collect::<String>());
        assert_eq!(order, ["a", "b=4", "b=4:", "b=16", "b=10"]);
    }

    #[test]
    fn ranges_stay_ranges_and_points_keep_their_furthest_ends() {
        let point = |value, low, high| Interval { low, high, ..Interval::exact(value) };
        let points = [point(2.0, 1.9, 2.1), point(3.0, 2.7, 3.3), point(2.2, 2.0, 2.4)];
        let all = together(points.into_iter()).unwrap();
        assert_eq!((all.value, all.low, all.high), (Some(2.2), 1.9, 3.3));
        let ranges = [Interval::between(1.0, 4.0), Interval::between(2.0, 9.0)];
        let all = together(ranges.into_iter()).unwrap();
        assert_eq!((all.value, all.low, all.high), (None, 1.0, 9.0));
        assert_eq!(together([].into_iter()), None);
    }
}
