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
use work::Shown;

/// Result of judging evidence.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Contradictions, each with its path.
    pub faults: Vec<String>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
    /// Proofs that are wrong by any rules.
    pub forged: Vec<String>,
    /// Whether a proof that follows from the run's seed was computed again.
    pub of_seed: bool,
}

/// Collects faults with their paths.
struct Faults<'a> {
    path: String,
    all: &'a mut Vec<String>,
}

impl Faults<'_> {
    fn add(&mut self, what: impl std::fmt::Display) {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.all.push(format!("evidence.{}{dot}{what}", self.path));
    }

    fn add_if(&mut self, wrong: bool, what: impl std::fmt::Display) {
        if wrong {
            self.add(what);
        }
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
    let mut faults = Faults { path: String::new(), all: &mut judgement.faults };
    bound::run(evidence, rules, newer, &mut faults);
    let products = evidence.known_rows().filter(|row| row.workload.id.is_product()).count() as u64;
    for (i, row) in evidence.rows.iter().enumerate() {
        let OrNewer::Known(row) = row else { continue };
        let mut faults = Faults { path: format!("rows[{i}]"), all: &mut judgement.faults };
        // The other checks require valid columns.
        if bound::row(evidence, row, rules, newer, &mut faults) {
            plausible::row(evidence, row, rules, cards, &mut faults);
        }
        match program::row(evidence, row) {
            Ok(Some(note)) => judgement.notes.push(format!("{}: {note}", row.label())),
            Ok(None) => {}
            Err(what) => faults.add(what),
        }
        let (seed, same) = (super::row_seed(seed, row), is_of_this_program(evidence));
        match work::row(row, seed, rules, same, depth, products.max(1)) {
            Ok(Shown { words, of_seed }) => {
                judgement.of_seed |= of_seed;
                judgement.notes.push(format!("{}: {words}", row.label()));
            }
            Err(what) => judgement.forged.push(format!("evidence.rows[{i}].proof: {what}")),
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
