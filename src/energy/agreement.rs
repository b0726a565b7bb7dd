//! Sources of one row held against each other: what covers the same must show the same, and nothing draws more than what it is
//! part of.

use super::{Integral, Rules, SourceInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One source held against another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossCheck {
    /// The other source, by its place in the manifest.
    pub with: usize,
    /// Joules of this one over joules of the other.
    pub ratio: f64,
    /// What is remarkable about that; null if nothing is.
    pub finding: Option<Finding>,
}

/// What is wrong between two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Both cover the same and differ.
    Differ,
    /// This one is part of the other and shows more than it.
    MoreThanTheWhole,
    /// The other is part of this one and shows more than it.
    LessThanItsPart,
}

/// A check, and whether neither source can be believed.
pub(super) struct Checked {
    pub check: CrossCheck,
    pub rejects: bool,
}

/// Holds one source against another, if there is anything to compare. `with` is the other's place.
pub(super) fn check(
    rules: &Rules,
    (info, integral): (&SourceInfo, &Integral),
    (other, theirs): (&SourceInfo, &Integral),
    with: usize,
) -> Option<Checked> {
    let ratio = integral.gross.0 / theirs.gross.0;
    // Beyond what both may be off.
    let share = |i: &Integral| i.terms.half_width().0 / i.gross.0;
    let most = 1.0 + share(integral) + share(theirs);
    let (finding, rejects) = if info.scope == other.scope {
        let apart = ratio.max(1.0 / ratio);
        ((apart > 1.0 + rules.remarkable).then_some(Finding::Differ), apart > rules.contradictory)
    } else if info.scope.within(other.scope) {
        let excess = ratio > most;
        (excess.then_some(Finding::MoreThanTheWhole), excess)
    } else if other.scope.within(info.scope) {
        let excess = 1.0 / ratio > most;
        (excess.then_some(Finding::LessThanItsPart), excess)
    } else {
        return None;
    };
    Some(Checked { check: CrossCheck { with, ratio, finding }, rejects })
}
