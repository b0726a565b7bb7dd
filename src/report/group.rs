//! Groups of comparable rows: same workload, device name and class, protocol mode, energy scope and provenance, power limit and conditions.
//! They are formed row by row, and a row leaves only its figures, so that thousands of runs fit into little memory.

use super::entry::{Entry, span};
use super::published::Published;
use crate::device::Class;
use crate::energy::Scope;
use crate::measure::stats;
use crate::results::ModelNames;
use crate::units::{Interval, Method, Provenance};
use std::collections::BTreeMap;

/// Rows, grouped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Groups {
    groups: BTreeMap<Key, Group>,
    /// Number of rows in all groups.
    pub rows: usize,
}

/// What comparable rows have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    class: Class,
    name: String,
    spec: String,
    model_sha256: Option<String>,
    mode: String,
    provenance: Provenance,
    scope: Option<Scope>,
    speed_only: bool,
    conditions: Vec<String>,
    power_limit_bits: Option<u64>,
    failed_state: Option<&'static str>,
}

/// Comparable rows. Rows that do not count are shown only if none counts.
#[derive(Clone, Debug, PartialEq)]
struct Group {
    /// Index of its first row among all rows.
    index: usize,
    /// The first row that is shown.
    first: Entry,
    /// Figures of the rows that are shown.
    rate: Pool,
    joules: Pool,
    watts: Pool,
    /// The highest fraction of a published rate.
    published: Option<Published>,
    /// Number of rows that are shown.
    shown: usize,
    /// Number of all rows.
    all: usize,
}

/// One figure of several rows.
#[derive(Clone, Debug, Default, PartialEq)]
struct Pool {
    first: Option<Interval>,
    count: usize,
    values: Vec<f64>,
    low: f64,
    high: f64,
}

impl Groups {
    /// Adds a row.
    pub fn add(&mut self, entry: Entry) {
        let index = self.rows;
        self.rows += 1;
        match self.groups.entry(Key::of(&entry)) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(Group::new(index, entry));
            }
            std::collections::btree_map::Entry::Occupied(mut group) => group.get_mut().add(entry),
        }
    }

    /// One entry for each group, in order of their first rows.
    pub fn entries(&self) -> Vec<Entry> {
        let mut groups: Vec<&Group> = self.groups.values().collect();
        groups.sort_by_key(|group| group.index);
        disambiguated(groups.into_iter().map(Group::merged).collect())
    }
}

/// Entries with model names that tell models of one file name apart.
pub fn disambiguated(mut entries: Vec<Entry>) -> Vec<Entry> {
    let models = ModelNames::of(entries.iter().map(|entry| &entry.workload));
    for entry in &mut entries {
        entry.workload = models.disambiguate(&entry.workload);
    }
    entries
}

impl Key {
    fn of(entry: &Entry) -> Key {
        Key {
            class: entry.class,
            name: entry.name.clone(),
            spec: entry.workload.spec.clone(),
            model_sha256: entry.workload.shape.model_sha256.clone(),
            mode: entry.mode.clone(),
            provenance: entry.provenance,
            scope: entry.scope,
            speed_only: entry.speed_only,
            conditions: entry.conditions.clone(),
            power_limit_bits: entry.power_limit.map(f64::to_bits),
            failed_state: entry.outcome.failure().map(|_| entry.state()),
        }
    }
}

impl Group {
    fn new(index: usize, first: Entry) -> Group {
        let [rate, joules, watts] = [first.rate, first.joules, first.watts].map(Pool::of);
        let published = first.published.clone();
        Group { index, first, rate, joules, watts, published, shown: 1, all: 1 }
    }

    fn add(&mut self, entry: Entry) {
        let all = self.all + 1;
        match (entry.counts(), self.first.counts()) {
            // From the first row that counts on, the others are left out.
            (true, false) => *self = Group::new(self.index, entry),
            (false, true) => {}
            (true, true) | (false, false) => {
                self.shown += 1;
                self.rate.add(entry.rate);
                self.joules.add(entry.joules);
                self.watts.add(entry.watts);
                let share = |published: &Option<Published>| {
                    published.as_ref().and_then(Published::share).map(|(share, _)| share)
                };
                if share(&entry.published) >= share(&self.published) {
                    self.published = entry.published;
                }
            }
        }
        self.all = all;
    }

    fn merged(&self) -> Entry {
        let first = self.first.clone();
        Entry {
            rate: self.rate.interval(),
            joules: self.joules.interval(),
            watts: self.watts.interval(),
            published: self.published.clone(),
            ceilings: if self.shown == 1 { first.ceilings } else { Vec::new() },
            rows: self.shown,
            left_out: self.all - self.shown,
            ..first
        }
    }
}

impl Pool {
    fn of(figure: Option<Interval>) -> Pool {
        let mut pool = Pool::default();
        pool.add(figure);
        pool
    }

    fn add(&mut self, figure: Option<Interval>) {
        let Some(figure) = figure else { return };
        let [low, high] = span(figure);
        if self.first.is_none() {
            (self.first, self.low, self.high) = (Some(figure), low, high);
        }
        self.count += 1;
        self.values.extend(figure.value);
        (self.low, self.high) = (self.low.min(low), self.high.max(high));
    }

    /// The median of the values, with the lowest and the highest bound; a single figure is unchanged.
    fn interval(&self) -> Option<Interval> {
        let first = self.first?;
        if self.count == 1 {
            return Some(first);
        }
        let (value, low, high) = (stats::median(&self.values), self.low, self.high);
        Some(Interval { value, low, high, method: Method::Propagated, ..first })
    }
}
