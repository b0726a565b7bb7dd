//! Joules from an energy counter. Its ticks are exact, so the uncertainty comes from the interval's end points, which lie between ticks.

use super::integral::{Integral, Terms, TimeSpan, mean_half_width, quantum, upper_median};
use super::{NoFigure, Rules, SourceInfo, Stamped};
use crate::units::{Joules, Seconds};

/// A change of the counter, observed between two readings.
#[derive(Clone, Copy)]
pub(super) struct Tick {
    /// The tick happened between these two moments, in seconds.
    earliest: f64,
    latest: f64,
    /// Joules counted since the first reading.
    total: f64,
}

impl Tick {
    /// The midpoint of the two moments.
    pub fn at(&self) -> f64 {
        (self.earliest + self.latest) / 2.0
    }

    /// Half of the time between them.
    fn half_width(&self) -> f64 {
        (self.latest - self.earliest) / 2.0
    }
}

/// Mean power between two ticks, in watts.
pub(super) fn power(pair: &[Tick]) -> f64 {
    (pair[1].total - pair[0].total) / (pair[1].at() - pair[0].at())
}

/// A counter's ticks, with wraps undone and domains summed.
pub(super) struct Ticks<'a> {
    pub ticks: Vec<Tick>,
    wraps: u32,
    /// The readings with valid values.
    used: Vec<&'a Stamped>,
}

pub(super) fn integrate(
    rules: &Rules,
    info: &SourceInfo,
    ranges: &[Option<Joules>],
    duty: f64,
    readings: &[Stamped],
    span: TimeSpan,
) -> Result<Integral, NoFigure> {
    let TimeSpan { from, to } = span;
    let Ticks { ticks, wraps, used } = Ticks::read(rules, info, ranges, readings)?;
    let inside: Vec<Tick> =
        ticks.iter().filter(|t| t.at() >= from.0 && t.at() <= to.0).copied().collect();
    if inside.len() < 3 {
        return Err(NoFigure::CounterMovedTooSeldom { times: inside.len(), seconds: to - from });
    }
    check_stuck(rules, &ticks, span)?;

    // Before the first tick and after the last, energy is extrapolated at the mean power.
    let ends = [ticks[0], ticks[ticks.len() - 1]];
    let missing = (ends[0].at() - from.0).max(0.0) + (to.0 - ends[1].at()).max(0.0);
    let coverage = 1.0 - missing / (to.0 - from.0);
    if coverage < rules.coverage {
        return Err(NoFigure::Gaps { share: coverage });
    }
    let edge = |at: Seconds| edge(rules, &ticks, power(&ends), at.0);
    let (begin, end) = (edge(from), edge(to));
    let gross = end.total - begin.total;
    // A load in step with the time span shifts both ends the same way: these errors add up. Timing errors are independent.
    let shown = quantum(used.iter().flat_map(|r| r.values.iter().copied()));
    let window = (begin.hidden + end.hidden).hypot(begin.timing).hypot(end.timing).hypot(shown);
    Ok(Integral {
        gross: Joules(gross),
        terms: Terms {
            meter: Joules(gross * info.accuracy.share),
            window: Joules(window),
            statistical: Joules(if duty < 1.0 { sampling_error(&inside, duty) } else { 0.0 }),
        },
        period: Some(Seconds(period(&ticks))),
        samples: used.iter().filter(|r| r.after >= from && r.before <= to).count(),
        rejected: readings.len() - used.len(),
        coverage,
        wraps,
    })
}

impl Ticks<'_> {
    /// The ticks in some readings.
    ///
    /// # Errors
    /// If the counter was reset or jumped, or may have wrapped unseen.
    pub fn read<'a>(
        rules: &Rules,
        info: &SourceInfo,
        ranges: &[Option<Joules>],
        readings: &'a [Stamped],
    ) -> Result<Ticks<'a>, NoFigure> {
        let usable = |r: &&Stamped| r.values.iter().all(|v| v.is_finite() && *v >= 0.0);
        let used: Vec<&Stamped> = readings.iter().filter(usable).collect();
        let (mut ticks, mut wraps, mut total) = (Vec::<Tick>::new(), 0, 0.0);
        // The largest rise between two readings.
        let largest_rise = used
            .windows(2)
            .flat_map(|pair| pair[0].values.iter().zip(&pair[1].values).map(|(a, b)| b - a))
            .fold(0.0, f64::max);
        for pair in used.windows(2) {
            let (before, now) = (pair[0], pair[1]);
            // A tick adds the energy drawn since the previous tick.
            let since = ticks.last().map_or(f64::NEG_INFINITY, |t| t.earliest);
            let slack = info.update_period.map_or(0.0, |p| p.0);
            let drawn_since = since.max(before.before.0 - rules.max_tick_seconds) - slack;
            let max_energy = info.ceiling.0 * (now.after.0 - drawn_since);
            let max_wrapped_rise = max_energy.min(largest_rise * rules.max_wrap_rise);
            let elapsed = now.after.0 - before.before.0;
            let mut added = 0.0;
            for ((&a, &b), range) in before.values.iter().zip(&now.values).zip(ranges) {
                if range.is_some_and(|range| info.ceiling.0 * elapsed >= range.0) {
                    return Err(NoFigure::PossibleUnseenWrap { seconds: Seconds(elapsed) });
                }
                let wrapped_rise = range.filter(|range| a <= range.0).map(|range| b + range.0 - a);
                added += match wrapped_rise {
                    _ if b >= a => b - a,
                    Some(rise) if rise <= max_wrapped_rise => {
                        wraps += 1;
                        rise
                    }
                    _ => return Err(NoFigure::CounterReset { from: Joules(a), to: Joules(b) }),
                };
            }
            if added > max_energy {
                let (joules, ceiling) = (Joules(added), info.ceiling);
                return Err(NoFigure::CounterJumped { joules, ceiling });
            }
            if added > 0.0 {
                total += added;
                ticks.push(Tick { earliest: before.before.0, latest: now.after.0, total });
            }
        }
        Ok(Ticks { ticks, wraps, used })
    }
}

/// Median time between ticks, in seconds.
fn period(ticks: &[Tick]) -> f64 {
    let gaps = ticks.windows(2).map(|t| t[1].at() - t[0].at()).collect();
    upper_median(gaps).expect("three ticks have two gaps between them")
}

/// Rejects a counter that stuck for a large part of the time span and did not make up for it.
fn check_stuck(rules: &Rules, ticks: &[Tick], span: TimeSpan) -> Result<(), NoFigure> {
    let ticks_overlapping =
        || ticks.windows(2).filter(|t| t[1].at() > span.from.0 && t[0].at() < span.to.0);
    let usual = upper_median(ticks_overlapping().map(power).collect()).unwrap_or(0.0);
    let longest =
        (rules.stuck_counter_periods * period(ticks)).max((1.0 - rules.coverage) * span.length().0);
    let gap = |t: &[Tick]| t[1].at() - t[0].at();
    let is_stuck = |t: &&[Tick]| gap(t) > longest && power(t) < rules.stuck_counter_power * usual;
    let stuck = ticks_overlapping().find(is_stuck).map(|t| Seconds(gap(t)));
    stuck.map_or(Ok(()), |seconds| Err(NoFigure::Stuck { seconds }))
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
        let nearest = ticks[after.saturating_sub(1)];
        let distance = at - nearest.at();
        return Edge {
            total: nearest.total + power * distance,
            hidden: power * distance.abs(),
            timing: power * nearest.half_width(),
        };
    }
    let (a, b) = (ticks[after - 1], ticks[after]);
    let (gap, joules) = (b.at() - a.at(), b.total - a.total);
    let share = (at - a.at()) / gap;
    let max_power = (joules / gap).max(power) * rules.crest;
    Edge {
        total: a.total + share * joules,
        // Worst case: the device is idle on one side of the end point and loaded on the other.
        hidden: share * (1.0 - share) * gap * max_power,
        timing: max_power * a.half_width().hypot(b.half_width()) / 2f64.sqrt(),
    }
}

/// Half of the 95 % interval, in joules, of a counter whose sensor samples only a share `duty` of the time.
fn sampling_error(ticks: &[Tick], duty: f64) -> f64 {
    let powers: Vec<f64> = ticks.windows(2).map(power).collect();
    let seconds = ticks[ticks.len() - 1].at() - ticks[0].at();
    mean_half_width(&powers) * seconds * (1.0 - duty).sqrt()
}
