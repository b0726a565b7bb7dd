//! Ranks the choices, and recommends one for the next kilowatt-hour.

use super::{Answer, Choice, Scenario};
use serde::Serialize;

/// A ranking of choices.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ranking {
    /// Best first.
    pub order: Vec<Ranked>,
    /// Whether hardware is counted: only if every ranked choice has its cost.
    pub counts_hardware: bool,
}

/// A ranked choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ranked {
    /// Index of the choice.
    pub choice: usize,
    /// Whether its interval lies entirely above the next one's.
    pub settled: bool,
}

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

/// Ranks the choices whose energy can be converted to the facility meter, best first, by their scenarios now or after the halving.
pub(super) fn rank(choices: &[Choice], scenario: impl Fn(&Choice) -> Scenario) -> Ranking {
    let mut order: Vec<usize> =
        (0..choices.len()).filter(|i| choices[*i].has_wall_energy()).collect();
    let counts_hardware = order.iter().all(|i| choices[*i].scenario.capital.is_some());
    let ranking_value = |i: usize| scenario(&choices[i]).ranking_value(counts_hardware);
    order.sort_by(|a, b| ranking_value(*b).middle().total_cmp(&ranking_value(*a).middle()));
    let ranked = |(rank, &choice): (usize, &usize)| {
        let next = order.get(rank + 1);
        let settled = next.is_none_or(|next| ranking_value(*next).is_below(ranking_value(choice)));
        Ranked { choice, settled }
    };
    Ranking { order: order.iter().enumerate().map(ranked).collect(), counts_hardware }
}

/// The recommendation that follows from a ranking.
pub(super) fn recommend(choices: &[Choice], ranking: &Ranking) -> Recommendation {
    let ranking_value = |i: usize| choices[i].scenario.ranking_value(ranking.counts_hardware);
    let best = ranking.order[0].choice;
    let rivals = (0..choices.len())
        .filter(|i| *i != best && ranking_value(*i).high >= ranking_value(best).low);
    let here = (0..choices.len()).filter(|i| choices[*i].device.is_some());
    Recommendation {
        best,
        pays: Answer::of(choices[best].margin),
        pays_after_halving: Answer::of(choices[best].margin_after_halving),
        rivals: rivals.collect(),
        best_here: here
            .max_by(|a, b| ranking_value(*a).middle().total_cmp(&ranking_value(*b).middle())),
    }
}
