//! Energy from power readings: mean power once the source has settled, times the length of the time span.

use super::integral::{
    Integral, Terms, TimeSpan, mean_half_width, median_gap, middle, quantum, shown_period, spread,
    upper_median,
};
use super::{NoFigure, Rules, SourceInfo, Stamped};
use crate::units::{Joules, Seconds};

pub(super) fn integrate(
    rules: &Rules,
    info: &SourceInfo,
    averaging: Seconds,
    readings: &[Stamped],
    span: TimeSpan,
) -> Result<Integral, NoFigure> {
    let TimeSpan { from, to } = span;
    // Plausible readings, without spikes above the median of the time span.
    let plausible = plausible(rules, info, readings);
    let inside = plausible.iter().filter(|r| span.contains(r));
    let usual = upper_median(inside.map(|r| value(r)).collect()).unwrap_or(f64::INFINITY);
    let despiked: Vec<&Stamped> =
        plausible.into_iter().filter(|r| value(r) <= rules.spike * usual).collect();

    let poll = median_gap(&despiked).ok_or(NoFigure::NoUsableReading)?;
    // A long period between changes outside the time span may be the load's, not the source's.
    let within =
        despiked.windows(2).any(|pair| value(pair[0]) != value(pair[1]) && span.contains(pair[1]));
    let long = (to - from).0 / rules.fewest_updates as f64;
    let found = shown_period(&despiked, rules).filter(|period| within || *period <= long);
    let period = info.update_period.map(|p| p.0).or(found).unwrap_or(poll).max(poll);

    // Readings before this moment may still average power from before the time span.
    let settled = from.0
        + rules.settled_averages * averaging.0
        + if averaging.0 > 0.0 { period } else { 0.0 };
    let used: Vec<&Stamped> =
        despiked.iter().filter(|r| r.before.0 >= settled && r.after.0 <= to.0).copied().collect();
    let fresh = fresh(&used, rules.fresh_periods * period);
    if fresh.len() < rules.fewest_updates {
        return Err(NoFigure::UpdatedTooSeldom { times: fresh.len(), seconds: to - from });
    }
    let longest = rules.max_gap_periods * period;
    let (first, last) = (middle(used[0]), middle(used[used.len() - 1]));
    let (mut area, mut seconds) = (0.0, 0.0);
    for pair in used.windows(2) {
        let gap = middle(pair[1]) - middle(pair[0]);
        if gap <= longest {
            area += gap * (value(pair[0]) + value(pair[1])) / 2.0;
            seconds += gap;
        }
    }
    let ends = [first - settled, to.0 - last].map(|gap| if gap <= longest { gap } else { 0.0 });
    let coverage = (seconds + ends[0] + ends[1]) / (to.0 - settled);
    if coverage < rules.coverage {
        return Err(NoFigure::Gaps { share: coverage });
    }
    if let Some(found) = found {
        let max_gap = (1.0 - rules.coverage) * (to.0 - settled);
        check_stuck(&used, max_gap.max(rules.stuck_power_periods * found))?;
    }

    let (power, length) = (area / seconds, to.0 - from.0);
    let values: Vec<f64> = fresh.iter().map(|r| value(r)).collect();
    let observed = (averaging.0 / period).min(1.0);
    let statistical = mean_half_width(&values) * (1.0 - observed).sqrt();
    // Unseen power at the start may be as far from the mean as any tenth of the rest (times `rules.unseen_drifts`), and at least by
    // `rules.unseen`, since no load is known to be more constant before it was seen.
    let unseen = (rules.unseen_drifts * max_drift(&values, power)).max(rules.unseen * power);
    let unsettled = (settled - from.0) / length * unseen;
    // A source may round or truncate, and truncation errors do not average out.
    let rounding = quantum(values.iter().copied());
    Ok(Integral {
        gross: Joules(power * length),
        terms: Terms {
            meter: Joules(power * length * info.accuracy.share),
            window: Joules(length * unsettled.hypot(rounding)),
            statistical: Joules(length * statistical),
        },
        period: found.map(Seconds),
        samples: used.len(),
        rejected: readings.len() - despiked.len(),
        coverage,
        wraps: 0,
    })
}

fn value(reading: &Stamped) -> f64 {
    reading.values[0]
}

/// Readings from 0 to the maximum power of source and scope.
fn plausible<'a>(rules: &Rules, info: &SourceInfo, readings: &'a [Stamped]) -> Vec<&'a Stamped> {
    let max_power = info.ceiling.0.min(rules.plausible_power(info.scope).1.0);
    readings.iter().filter(|r| (0.0..=max_power).contains(&value(r))).collect()
}

/// Plausible readings at any load, without spikes of a single reading.
pub(super) fn without_spikes<'a>(
    rules: &Rules,
    info: &SourceInfo,
    readings: &'a [Stamped],
) -> Vec<&'a Stamped> {
    let plausible = plausible(rules, info, readings);
    let watts = |i: usize| plausible.get(i).map_or(0.0, |r| value(r));
    let is_spike = |i: usize| watts(i) > rules.spike * watts(i.wrapping_sub(1)).max(watts(i + 1));
    (0..plausible.len()).filter(|i| !is_spike(*i)).map(|i| plausible[i]).collect()
}

/// Readings that may come from different updates: another value, or this much later.
fn fresh<'a>(readings: &[&'a Stamped], seconds: f64) -> Vec<&'a Stamped> {
    let mut fresh = readings.to_vec();
    fresh.dedup_by(|reading, last| {
        reading.values == last.values && middle(reading) - middle(last) < seconds
    });
    fresh
}

/// Rejects a source that showed one value for more than `longest` seconds.
fn check_stuck(readings: &[&Stamped], longest: f64) -> Result<(), NoFigure> {
    let mut since = readings[0];
    for pair in readings.windows(2) {
        if pair[0].values != pair[1].values {
            since = pair[1];
        }
        let stuck = middle(pair[1]) - middle(since);
        if stuck > longest {
            return Err(NoFigure::Stuck { seconds: Seconds(stuck) });
        }
    }
    Ok(())
}

/// Largest difference between the mean of a tenth of the values and the overall mean.
fn max_drift(values: &[f64], mean: f64) -> f64 {
    let tenth = values.len().div_ceil(10);
    values.chunks(tenth).map(|c| (spread(c).0 - mean).abs()).fold(0.0, f64::max)
}
