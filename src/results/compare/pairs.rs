//! Which row of one document belongs to which of another.

use super::key::{Keyed, unlike};
use crate::results::document::Row;

/// Rows that belong together, by their places, and rows that belong to none.
pub(super) struct Pairs {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) base_only: Vec<usize>,
    pub(super) new_only: Vec<usize>,
}

impl Pairs {
    /// The same workload on the device of the same name belongs together first; then the same workload, where each side
    /// has it on one device more; then what is left of one kind of work, the nearest first, so that a change of shape
    /// or precision is told rather than two rows without partners.
    pub(super) fn of(base: &[Keyed], new: &[Keyed]) -> Pairs {
        let mut pairs = Pairs {
            pairs: Vec::new(),
            base_only: (0..base.len()).collect(),
            new_only: (0..new.len()).collect(),
        };
        let spec = |row: &Row| row.workload.spec.clone();
        let rows = |i: usize, j: usize| (base[i].0, new[j].0);
        pairs.take(|i, j| {
            let (a, b) = rows(i, j);
            (a.device == b.device && spec(a) == spec(b)).then_some(0)
        });
        let left = |places: &[usize], all: &[Keyed], of: &Row| {
            places.iter().filter(|&&i| spec(all[i].0) == spec(of)).count()
        };
        let (base_left, new_left) = (pairs.base_only.clone(), pairs.new_only.clone());
        pairs.take(|i, j| {
            let (a, b) = rows(i, j);
            let alone = left(&base_left, base, a) == 1 && left(&new_left, new, b) == 1;
            (alone && spec(a) == spec(b)).then_some(0)
        });
        pairs.take(|i, j| {
            let (a, b) = rows(i, j);
            let apart = unlike(base[i], new[j]).len();
            let together = a.device == b.device && a.workload.id == b.workload.id;
            (together && spec(a) != spec(b)).then_some(apart)
        });
        pairs.pairs.sort_unstable();
        pairs
    }

    /// Pairs what is left, those first that are least apart.
    fn take(&mut self, apart: impl Fn(usize, usize) -> Option<usize>) {
        let mut found: Vec<(usize, usize, usize)> = self
            .base_only
            .iter()
            .flat_map(|&i| self.new_only.iter().map(move |&j| (i, j)))
            .filter_map(|(i, j)| Some((apart(i, j)?, i, j)))
            .collect();
        found.sort_unstable();
        for (_, i, j) in found {
            if self.base_only.contains(&i) && self.new_only.contains(&j) {
                self.base_only.retain(|&row| row != i);
                self.new_only.retain(|&row| row != j);
                self.pairs.push((i, j));
            }
        }
    }
}
