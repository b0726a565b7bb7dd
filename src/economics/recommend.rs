//! What the next kilowatt-hour should do, and how sure that is.

use super::advice::worth;
use super::{Answer, Choice, Conditions, Ranking};
use serde::Serialize;

/// What the next kilowatt-hour should do. Choices are meant by their place in the advice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recommendation {
    /// The use that earns most, of those whose joules reach the hall's meter.
    pub best: usize,
    /// Whether it earns its power, and its hardware where that is counted.
    pub pays: Answer,
    /// The same after the next halving.
    pub pays_after_halving: Answer,
    /// Uses that may earn more than the best, as their intervals reach into its own; those whose joules are not all known
    /// are among them.
    pub rivals: Vec<usize>,
    /// The use that earns most on a measured device.
    pub best_here: Option<usize>,
}

/// What to do, by the order of the choices.
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
