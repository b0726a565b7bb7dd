//! Judges evidence by one version of the rules: it must be consistent and possible, and the work that it claims must be proven. Pure,
//! except that deep checks read models.

mod plausible;
mod program;
mod references;
mod run;
mod work;

pub use work::{Depth, Model};

use super::document::{Evidence, Row};
use super::manifest::program;
use super::newer::OrNewer;
use super::rules::Rules;
use crate::device::hardware::Cards;
use crate::seed::Seed;
use std::fmt::Display;

/// Maximum number of faults that are listed: nobody reads more, and a forged file may have millions.
const MAX_FAULTS: usize = 1000;

/// What evidence is judged by, and what was found so far.
pub(super) struct Judge<'a> {
    evidence: &'a Evidence,
    rules: &'a Rules,
    cards: &'a Cards,
    /// Whether a newer version wrote the document.
    newer: bool,
    /// Whether this program made it, from any commit: then kernels and workloads can be compared.
    pub same_program: bool,
    depth: Depth<'a>,
    /// Path of the row that is judged.
    path: String,
    /// Number of faults, listed or not.
    found: usize,
    /// Contradictions by any rules, each with its path.
    pub faults: Vec<String>,
    /// What these rules do not allow and newer ones may, each with its path.
    pub by_rule: Vec<String>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
    /// Whether a proof that follows from the run's seed was computed again.
    pub of_seed: bool,
}

impl Judge<'_> {
    fn add(&mut self, fault: impl Display) {
        self.found += 1;
        if self.found <= MAX_FAULTS {
            self.faults.push(self.at_path(fault));
        }
    }

    fn require(&mut self, sound: bool, fault: impl Display) {
        if !sound {
            self.add(fault);
        }
    }

    /// Adds a fault that depends on a constant of the rules.
    fn add_by_rule(&mut self, fault: impl Display) {
        self.found += 1;
        if self.found <= MAX_FAULTS {
            self.by_rule.push(self.at_path(fault));
        }
    }

    fn note(&mut self, row: &Row, note: impl Display) {
        self.notes.push(format!("{}: {note}", row.label()));
    }

    fn at_path(&self, fault: impl Display) -> String {
        let dot = if self.path.is_empty() { "" } else { "." };
        format!("evidence.{}{dot}{fault}", self.path)
    }
}

/// Judges evidence, without rows of a newer version. `seed` is the run's.
pub(super) fn judge<'a>(
    evidence: &'a Evidence,
    seed: Seed,
    rules: &'a Rules,
    cards: &'a Cards,
    newer: bool,
    depth: Depth<'a>,
) -> Judge<'a> {
    let (given, this) = (&evidence.manifest.rigbench, program());
    let mut judge = Judge {
        evidence,
        rules,
        cards,
        newer,
        same_program: (&given.version, &given.kernels_sha256)
            == (&this.version, &this.kernels_sha256),
        depth,
        path: String::new(),
        found: 0,
        faults: Vec::new(),
        by_rule: Vec::new(),
        notes: Vec::new(),
        of_seed: false,
    };
    judge.run();
    let products = evidence.known_rows().filter(|row| row.workload.id.is_product()).count() as u64;
    for (i, row) in evidence.rows.iter().enumerate() {
        let OrNewer::Known(row) = row else { continue };
        judge.path = format!("rows[{i}]");
        // The other checks require valid columns.
        if judge.references(row) {
            judge.plausible(row);
        }
        if let Err(fault) = judge.program(row) {
            judge.add(fault);
        }
        if let Err(fault) = judge.work(row, super::row_seed(seed, row), products.max(1)) {
            judge.add(format_args!("proof: {fault}"));
        }
    }
    if judge.found > MAX_FAULTS {
        judge.faults.push(format!("evidence: {} more faults", judge.found - MAX_FAULTS));
    }
    judge
}
