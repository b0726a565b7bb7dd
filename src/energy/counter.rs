//! Joules from an energy counter. Its ticks are exact, so the uncertainty comes from the interval's end points, which lie between ticks.

use super::integral::{Integral, Terms, by_chance, median, quantum};
use super::{NoFigure, Rules, SourceInfo, Stamped};
use crate::units::{Joules, Seconds};

/// A change of the counter, observed between two readings.
#[derive(Clone, Copy)]
pub(super) struct Tick {
    /// The tick happened between these two moments, in seconds.
    earliest: f64,
    latest: f64,
    /// Joules counted since the first reading.
    pub total: f64,
}

impl Tick {
    /// The midpoint of the two moments.
    pub fn at(&self) -> f64 {
        (self.earliest + self.latest) / 2.0
    }
}

pub(super) fn integrate(
    rules: &Rules,
    info: &SourceInfo,
    ranges: &[Option<Joules>],
    duty: f64,
    readings: &[Stamped],
    from: Seconds,
    to: Seconds,
) -> Result<Integral, NoFigure> {
    let used = usable(readings);
    let (ticks, wraps) = ticks(info, ranges, &used)?;
    let inside: Vec<Tick> =
        ticks.iter().filter(|t| t.at() >= from.0 && t.at() <= to.0).copied().collect();
    if inside.len() < 3 {
        return Err(NoFigure::CounterMovedTooSeldom { times: inside.len(), seconds: to - from });
    }
    let gaps: Vec<f64> = ticks.windows(2).map(|t| t[1].at() - t[0].at()).collect();
    let period = median(gaps).expect("three ticks have two gaps between them");
    check_stuck(rules, &ticks, period, from, to)?;

    // Before the first tick and after the last, energy is extrapolated at the mean power.
    let (first, last) = (ticks[0], ticks[ticks.len() - 1]);
    let missing = (first.at() - from.0).max(0.0) + (to.0 - last.at()).max(0.0);
    let coverage = 1.0 - missing / (to.0 - from.0);
    if coverage < rules.coverage {
        return Err(NoFigure::Gaps { share: coverage });
    }
    let power = (last.total - first.total) / (last.at() - first.at());
    let edge = |at: Seconds| edge(rules, &ticks, power, at.0);
    let (begin, end) = (edge(from), edge(to));
    let gross = end.total - begin.total;
    // A load in step with the time span shifts both ends the same way: these errors add up. Timing errors are independent.
    let shown = quantum(used.iter().flat_map(|r| r.values.iter().copied()));
    let window = (begin.hidden + end.hidden).hypot(begin.timing).hypot(end.timing).hypot(shown);
    let statistical = if duty < 1.0 { sampling_error(&inside, duty) } else { 0.0 };
    Ok(Integral {
        gross: Joules(gross),
        terms: Terms {
            meter: Joules(gross * info.accuracy.share),
            window: Joules(window),
            statistical: Joules(statistical),
        },
        period: Some(Seconds(period)),
        samples: used.iter().filter(|r| r.after >= from && r.before <= to).count(),
        rejected: readings.len() - used.len(),
        coverage,
        wraps,
    })
}

fn usable(readings: &[Stamped]) -> Vec<&Stamped> {
    let usable = |r: &&Stamped| r.values.iter().all(|v| v.is_finite() && *v >= 0.0);
    readings.iter().filter(usable).collect()
}

/// The counter's ticks, with wraps undone and domains summed.
///
/// # Errors
/// If the counter was reset or jumped, or may have wrapped unseen.
pub(super) fn of(
    info: &SourceInfo,
    ranges: &[Option<Joules>],
    readings: &[Stamped],
) -> Result<Vec<Tick>, NoFigure> {
    Ok(ticks(info, ranges, &usable(readings))?.0)
}

/// The counter's ticks, with wraps undone and domains summed, and the number of wraps.
fn ticks(
    info: &SourceInfo,
    ranges: &[Option<Joules>],
    readings: &[&Stamped],
) -> Result<(Vec<Tick>, u32), NoFigure> {
    let (mut ticks, mut wraps) = (Vec::<Tick>::new(), 0);
    let mut total = 0.0;
    // The largest rise between two readings: a drop is a wrap only if the rise that it implies is at most 3 times as large.
    let normal = readings
        .windows(2)
        .flat_map(|pair| pair[0].values.iter().zip(&pair[1].values).map(|(a, b)| b - a))
        .fold(0.0, f64::max);
    for pair in readings.windows(2) {
        let (before, now) = (pair[0], pair[1]);
        // A tick adds the energy drawn since the previous tick.
        let since = ticks.last().map_or(f64::NEG_INFINITY, |t| t.earliest);
        let slack = info.update_period.map_or(0.0, |p| p.0);
        let drawn_since = since.max(before.before.0 - 60.0) - slack;
        let most = info.ceiling.0 * (now.after.0 - drawn_since);
        let mut added = 0.0;
        for ((&a, &b), range) in before.values.iter().zip(&now.values).zip(ranges) {
            let elapsed = now.after.0 - before.before.0;
            if let Some(range) = range
                && info.ceiling.0 * elapsed >= range.0
            {
                return Err(NoFigure::PossibleUnseenWrap { seconds: Seconds(elapsed) });
            }
            added += match range {
                _ if b >= a => b - a,
                Some(range) if a <= range.0 && b + range.0 - a <= most.min(normal * 3.0) => {
                    wraps += 1;
                    b + range.0 - a
                }
                _ => {
                    return Err(NoFigure::CounterReset { from: Joules(a), to: Joules(b) });
                }
            };
        }
        if added > most {
            return Err(NoFigure::CounterJumped { joules: Joules(added), ceiling: info.ceiling });
        }
        if added > 0.0 {
            total += added;
            ticks.push(Tick { earliest: before.before.0, latest: now.after.0, total });
        }
    }
    Ok((ticks, wraps))
}

/// Rejects a counter that stuck for a large part of the time span and did not make up for it.
fn check_stuck(
    rules: &Rules,
    ticks: &[Tick],
    period: f64,
    from: Seconds,
    to: Seconds,
) -> Result<(), NoFigure> {
    let around = |t: &[Tick]| t[1].at() > from.0 && t[0].at() < to.0;
    let rate = |t: &[Tick]| (t[1].total - t[0].total) / (t[1].at() - t[0].at());
    let rates = ticks.windows(2).filter(|t| around(t)).map(rate).collect();
    let usual = median(rates).unwrap_or(0.0);
    for t in ticks.windows(2).filter(|t| around(t)) {
        let gap = t[1].at() - t[0].at();
        let long = gap > 4.0 * period && gap > (1.0 - rules.coverage) * (to.0 - from.0);
        if long && rate(t) < 0.5 * usual {
            return Err(NoFigure::Stuck { seconds: Seconds(gap) });
        }
    }
    Ok(())
}

/// The counter at an end point of the time span.
struct Edge {
    total: f64,
    /// Uncertainty because power may vary within the tick, in joules.
    hidden: f64,
    /// Uncertainty because the moment of the tick is known only within bounds, in joules.
    timing: f64,
}

fn edge(rules: &Rules, ticks: &[Tick], power: f64, at: f64) -> Edge {
    let after = ticks.partition_point(|t| t.at() < at);
    if after == 0 || after == ticks.len() {
        let nearest = if after == 0 { ticks[0] } else { ticks[after - 1] };
        let distance = at - nearest.at();
        return Edge {
            total: nearest.total + power * distance,
            hidden: power * distance.abs(),
            timing: power * (nearest.latest - nearest.earliest) / 2.0,
        };
    }
    let (a, b) = (ticks[after - 1], ticks[after]);
    let (gap, joules) = (b.at() - a.at(), b.total - a.total);
    let share = (at - a.at()) / gap;
    let most = (joules / gap).max(power) * rules.crest;
    Edge {
        total: a.total + share * joules,
        // Worst case: the device is idle on one side of the end point and loaded on the other.
        hidden: share * (1.0 - share) * gap * most,
        timing: most * ((a.latest - a.earliest) / 2.0).hypot((b.latest - b.earliest) / 2.0)
            / 2f64.sqrt(),
    }
}

/// Half of the 95 % interval, in joules, of a counter whose sensor samples only a share `duty` of the time.
fn sampling_error(ticks: &[Tick], duty: f64) -> f64 {
    let powers: Vec<f64> =
        ticks.windows(2).map(|t| (t[1].total - t[0].total) / (t[1].at() - t[0].at())).collect();
    let seconds = ticks[ticks.len() - 1].at() - ticks[0].at();
    by_chance(&powers) * seconds * (1.0 - duty).sqrt()
}
