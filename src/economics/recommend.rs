//! The recommendation for the next kilowatt-hour, and which choices may be better.

use super::advice::worth;
use super::{Answer, Choice, Conditions, Ranking};
use serde::Serialize;

/// The recommendation for the next kilowatt-hour. Choices are indices into `Advice::choices`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The first choice of the ranking.
    pub best: usize,
    /// Whether it earns its electricity, and its hardware if counted.
    pub pays: Answer,
    /// The same after the next halving.
    pub pays_after_halving: Answer,
    /// Choices whose interval overlaps that of the best one or lies above it. They include choices that are not ranked.
    pub rivals: Vec<usize>,
    /// The best choice on a measured device.
    pub best_here: Option<usize>,
}

/// The recommendation that follows from a ranking.
pub(super) fn recommend(
    choices: &[Choice],
    ranking: &Ranking,
    conditions: &Conditions,
) -> Recommendation {
    let worth = |i: usize| worth(&choices[i], ranking.counts_hardware, conditions);
    let best = ranking.order[0].choice;
    let rivals = (0..choices.len()).filter(|i| *i != best && worth(*i).high >= worth(best).low);
    let here = (0..choices.len()).filter(|i| choices[*i].device.is_some());
    Recommendation {
        best,
        pays: Answer::of(choices[best].margin),
        pays_after_halving: Answer::of(choices[best].margin_after_halving),
        rivals: rivals.collect(),
        best_here: here.max_by(|a, b| worth(*a).middle().total_cmp(&worth(*b).middle())),
    }
}
