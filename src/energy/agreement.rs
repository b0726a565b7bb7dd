//! Sources of one run held against each other: what covers the same must show the same, and nothing draws more than
//! what it is part of.

use super::{Integral, Scope, SourceInfo};

/// One source held against another.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The other source's kind.
    pub with: String,
    /// What the other covers.
    pub scope: Scope,
    /// Joules of this one over joules of the other.
    pub ratio: f64,
    /// What is wrong with that, in a sentence; none if nothing is.
    pub complaint: Option<String>,
    /// The complaint, if neither can be believed.
    pub rejection: Option<String>,
}

/// Sources that cover the same may differ by this before it is worth a word.
const REMARKABLE: f64 = 0.05;
/// And by this factor before neither is believed.
const ABSURD: f64 = 2.0;

/// Holds one source against another, if there is anything to compare.
pub(super) fn check(
    this: (&SourceInfo, &Integral),
    other: (&SourceInfo, &Integral),
) -> Option<Check> {
    let ((info, integral), (other_info, other_integral)) = (this, other);
    let ratio = integral.gross.0 / other_integral.gross.0;
    let (kind, other_kind) = (info.kind, other_info.kind);
    let (complaint, rejects) = if info.scope == other_info.scope {
        let apart = ratio.max(1.0 / ratio);
        let differ = || {
            format!(
                "{kind} and {other_kind} both cover {} and differ by a factor of {apart:.2}",
                info.scope.name()
            )
        };
        match apart {
            a if a > ABSURD => (Some(differ()), true),
            a if a > 1.0 + REMARKABLE => (Some(differ()), false),
            _ => (None, false),
        }
    } else if info.scope.within(other_info.scope) {
        too_much(ratio, (info, integral), (other_info, other_integral))
    } else if other_info.scope.within(info.scope) {
        too_much(1.0 / ratio, (other_info, other_integral), (info, integral))
    } else {
        return None;
    };
    let rejection = complaint.clone().filter(|_| rejects);
    let with = other_kind.to_string();
    Some(Check { with, scope: other_info.scope, ratio, complaint, rejection })
}

/// Whether the inner of two nested sources shows more than the outer, beyond what both may be off.
fn too_much(
    ratio: f64,
    (inner, part): (&SourceInfo, &Integral),
    (outer, whole): (&SourceInfo, &Integral),
) -> (Option<String>, bool) {
    let share = |i: &Integral| i.terms.half_width().0 / i.gross.0;
    let excess = ratio > 1.0 + share(part) + share(whole);
    let complaint = excess.then(|| {
        format!(
            "{} shows {:.2} times what {} shows of {}, of which it is a part",
            inner.kind,
            ratio,
            outer.kind,
            outer.scope.name()
        )
    });
    (complaint, excess)
}
