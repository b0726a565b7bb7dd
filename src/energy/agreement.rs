//! Cross-checks between the sources of one row: sources of the same scope must agree, and a source must not show more energy than one
//! whose scope contains it.

use super::{Integral, Rules, SourceInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Comparison of a source with another source of the same row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CrossCheck {
    /// The other source: its index in the manifest.
    pub with: usize,
    /// Joules of this source divided by joules of the other.
    pub ratio: f64,
    /// The discrepancy; null if the sources agree.
    pub finding: Option<Finding>,
}

/// A discrepancy between two sources of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Both have the same scope, but their joules differ by more than the rules allow.
    Differ,
    /// This source's scope is part of the other's, yet it shows more energy than their uncertainty explains.
    ExceedsEnclosingScope,
    /// The other source's scope is part of this one's, yet it shows more energy than their uncertainty explains.
    BelowNestedScope,
}

/// A cross-check, and whether it rejects both sources.
pub(super) struct Checked {
    pub check: CrossCheck,
    pub rejects: bool,
}

/// Compares two sources; `None` if their scopes are disjoint. `with` is the other source's index in the manifest.
pub(super) fn check(
    rules: &Rules,
    (info, integral): (&SourceInfo, &Integral),
    (other, other_integral): (&SourceInfo, &Integral),
    with: usize,
) -> Option<Checked> {
    let ratio = integral.gross.0 / other_integral.gross.0;
    // The ratio may exceed 1 by the relative uncertainty of both.
    let share = |i: &Integral| i.terms.half_width().0 / i.gross.0;
    let max_ratio = 1.0 + share(integral) + share(other_integral);
    let (finding, rejects) = if info.scope == other.scope {
        let factor = ratio.max(1.0 / ratio);
        ((factor > 1.0 + rules.remarkable).then_some(Finding::Differ), factor > rules.contradictory)
    } else if info.scope.within(other.scope) {
        let excess = ratio > max_ratio;
        (excess.then_some(Finding::ExceedsEnclosingScope), excess)
    } else if other.scope.within(info.scope) {
        let excess = 1.0 / ratio > max_ratio;
        (excess.then_some(Finding::BelowNestedScope), excess)
    } else {
        return None;
    };
    Some(Checked { check: CrossCheck { with, ratio, finding }, rejects })
}
