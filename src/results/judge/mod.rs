//! Judges evidence by one version of the rules: it must be consistent and possible, and the work that it claims must be proven. Pure,
//! except that deep checks read models.

mod bound;
mod plausible;
mod program;
mod work;

pub(super) use program::is_of_this_program;
pub use work::{Depth, Model};

use super::document::{Evidence, Row};
use super::newer::OrNewer;
use super::rules::Rules;
use crate::device::hardware::Cards;
use crate::seed::Seed;
use std::fmt::Display;
use work::Shown;

/// Result of judging evidence.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Contradictions by any rules, each with its path.
    pub faults: Vec<String>,
    /// What these rules do not allow and newer ones may, each with its path.
    pub by_rule: Vec<String>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
    /// Whether a proof that follows from the run's seed was computed again.
    pub of_seed: bool,
}

/// Collects faults with their paths.
struct Faults<'a> {
    path: String,
    all: &'a mut Vec<String>,
    by_rule: &'a mut Vec<String>,
}

impl Faults<'_> {
    fn add(&mut self, what: impl Display) {
        self.all.push(self.at_path(what));
    }

    fn add_if(&mut self, wrong: bool, what: impl Display) {
        if wrong {
            self.add(what);
        }
    }

    /// Adds a fault that depends on a constant of the rules.
    fn add_by_rule(&mut self, wrong: bool, what: impl Display) {
        if wrong {
            self.by_rule.push(self.at_path(what));
        }
    }

    fn at_path(&self, what: impl Display) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("evidence.{}{dot}{what}", self.path)
    }

    /// Number of all faults.
    fn count(&self) -> usize {
        self.all.len() + self.by_rule.len()
    }
}

/// Judges evidence, without rows of a newer version. `seed` is the run's.
pub(super) fn judge(
    evidence: &Evidence,
    seed: Seed,
    rules: &Rules,
    cards: &Cards,
    newer: bool,
    depth: Depth,
) -> Judgement {
    let mut judgement = Judgement::default();
    let Judgement { faults: all, by_rule, notes, of_seed: checked } = &mut judgement;
    let mut faults = Faults { path: String::new(), all, by_rule };
    bound::run(evidence, rules, newer, &mut faults);
    let products = evidence.known_rows().filter(|row| row.workload.id.is_product()).count() as u64;
    for (i, row) in evidence.rows.iter().enumerate() {
        let OrNewer::Known(row) = row else { continue };
        faults.path = format!("rows[{i}]");
        // The other checks require valid columns.
        if bound::row(evidence, row, rules, newer, &mut faults) {
            plausible::row(evidence, row, rules, cards, &mut faults);
        }
        match program::row(evidence, row) {
            Ok(Some(note)) => notes.push(format!("{}: {note}", row.label())),
            Ok(None) => {}
            Err(what) => faults.add(what),
        }
        let (seed, same) = (super::row_seed(seed, row), is_of_this_program(evidence));
        match work::row(row, seed, rules, same, depth, products.max(1)) {
            Ok(Shown { words, of_seed }) => {
                *checked |= of_seed;
                notes.push(format!("{}: {words}", row.label()));
            }
            Err(what) => faults.add(format!("proof: {what}")),
        }
    }
    judgement
}

/// Whether a graphics card's sensor gives the row's joules.
fn has_card_meter(evidence: &Evidence, row: &Row) -> bool {
    row.readings.iter().any(|readings| {
        let meter = evidence.manifest.source(readings.source).and_then(|source| source.meter());
        meter.is_some_and(|info| info.kind.is_of_a_card())
    })
}
