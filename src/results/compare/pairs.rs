//! Pairs the rows of two documents.

use super::Entry;
use super::key::unlike;

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
    pub(super) fn of(base: &[Entry], new: &[Entry]) -> Pairs {
        let mut pairs = Pairs {
            pairs: Vec::new(),
            base_only: (0..base.len()).collect(),
            new_only: (0..new.len()).collect(),
        };
        let same_device = |i: usize, j: usize| base[i].row.device == new[j].row.device;
        let same_kind = |i: usize, j: usize| base[i].row.workload.id == new[j].row.workload.id;
        let same_spec = |i: usize, j: usize| base[i].row.workload.spec == new[j].row.workload.spec;
        pairs.pair_by(|i, j| (same_device(i, j) && same_spec(i, j)).then_some(0));
        let (base_left, new_left) = (pairs.base_only.clone(), pairs.new_only.clone());
        pairs.pair_by(|i, j| {
            let in_base = base_left.iter().filter(|&&i| same_spec(i, j)).count();
            let in_new = new_left.iter().filter(|&&j| same_spec(i, j)).count();
            (same_spec(i, j) && in_base == 1 && in_new == 1).then_some(0)
        });
        pairs.pair_by(|i, j| {
            let similar = same_device(i, j) && same_kind(i, j) && !same_spec(i, j);
            similar.then(|| unlike(base[i], new[j]).len())
        });
        pairs.pairs.sort_unstable();
        pairs
    }

    /// Pairs the remaining rows, by ascending distance.
    fn pair_by(&mut self, distance: impl Fn(usize, usize) -> Option<usize>) {
        let all = self.base_only.iter().flat_map(|&i| self.new_only.iter().map(move |&j| (i, j)));
        let mut found: Vec<(usize, usize, usize)> =
            all.filter_map(|(i, j)| Some((distance(i, j)?, i, j))).collect();
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
