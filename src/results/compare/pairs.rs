//! Pairs the rows of two documents.

use super::key::{Keyed, unlike};
use crate::results::document::Row;

/// Indices of paired rows and of rows without a counterpart.
pub(super) struct Pairs {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) base_only: Vec<usize>,
    pub(super) new_only: Vec<usize>,
}

impl Pairs {
    /// Pairs rows in this order: the same workload on the device of the same id; then the same workload, if it has one row left on each
    /// side; then rows of one kind of work on one device, the most similar first, so that a change of shape or precision is reported
    /// instead of two unpaired rows.
    pub(super) fn of(base: &[Keyed], new: &[Keyed]) -> Pairs {
        let mut pairs = Pairs {
            pairs: Vec::new(),
            base_only: (0..base.len()).collect(),
            new_only: (0..new.len()).collect(),
        };
        let spec = |row: &Row| row.workload.spec.clone();
        let rows = |i: usize, j: usize| (base[i].0, new[j].0);
        pairs.pair_by(|i, j| {
            let (a, b) = rows(i, j);
            (a.device == b.device && spec(a) == spec(b)).then_some(0)
        });
        let left = |places: &[usize], all: &[Keyed], row: &Row| {
            places.iter().filter(|&&i| spec(all[i].0) == spec(row)).count()
        };
        let (base_left, new_left) = (pairs.base_only.clone(), pairs.new_only.clone());
        pairs.pair_by(|i, j| {
            let (a, b) = rows(i, j);
            let alone = left(&base_left, base, a) == 1 && left(&new_left, new, b) == 1;
            (alone && spec(a) == spec(b)).then_some(0)
        });
        pairs.pair_by(|i, j| {
            let (a, b) = rows(i, j);
            let distance = unlike(base[i], new[j]).len();
            let same_kind = a.device == b.device && a.workload.id == b.workload.id;
            (same_kind && spec(a) != spec(b)).then_some(distance)
        });
        pairs.pairs.sort_unstable();
        pairs
    }

    /// Pairs the remaining rows, by ascending distance.
    fn pair_by(&mut self, distance: impl Fn(usize, usize) -> Option<usize>) {
        let mut found: Vec<(usize, usize, usize)> = self
            .base_only
            .iter()
            .flat_map(|&i| self.new_only.iter().map(move |&j| (i, j)))
            .filter_map(|(i, j)| Some((distance(i, j)?, i, j)))
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
