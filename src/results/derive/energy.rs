//! Energy of a row: a figure from each source that covers it, the headline first.

use crate::energy::{
    Figures, Idle, Integral, NoFigure, Quantity, Read, Readings, Scope, Stated, figures,
};
use crate::measure::Windows;
use crate::results::derived::{Energy, Measured, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::results::manifest::Origin;
use crate::results::reason::Reason;
use crate::results::rules::Rules;
use crate::units::{Interval, Method, Provenance, Watts};
use std::cmp::{Ordering, Reverse};

/// Sets a row's energy and adds reasons against it. `counted` is the share of its work that counts.
pub(super) fn fill(
    result: &mut RowFigures,
    evidence: &Evidence,
    row: &Row,
    windows: &Windows,
    counted: f64,
    rules: &Rules,
) {
    let read = |readings: &Readings| {
        let info = evidence.manifest.source(readings.source)?.meter()?;
        let sound = readings.fault(&info.quantity).is_none();
        sound.then(|| Read { source_index: readings.source, info, readings: readings.stamped() })
    };
    let read: Vec<Read> = row.readings.iter().filter_map(read).collect();
    let mut all = Vec::new();
    for (source, figures) in read.iter().zip(figures(&rules.energy, &read, &windows.steps())) {
        let idle = evidence.idle(source.source_index);
        let mut energy = metered(source, figures, windows, idle);
        energy.joules_per_unit = energy.joules_per_unit.map(|joules| joules / counted);
        result.reasons.extend(implausible(&energy, source, row, idle, rules));
        all.push(energy);
    }
    for (source_index, source) in evidence.sources_of(row) {
        let from_source =
            Energy { source: Some(source_index), scope: Some(source.scope()), ..Energy::default() };
        match &source.origin {
            Origin::Meter(_) if read.iter().any(|read| read.source_index == source_index) => {}
            Origin::Meter(_) => {
                all.push(Energy { no_figure: Some(NoFigure::NothingMeasured), ..from_source });
            }
            Origin::Stated(stated) => {
                let (joules, power) = from_stated(stated, windows, counted, result.throughput);
                let (joules_per_unit, power_watts) = (Some(joules), Some(power));
                all.push(Energy { joules_per_unit, power_watts, ..from_source });
            }
        }
    }
    all.sort_by(|a, b| headline_first(a, b, evidence, rules));
    let mut all = all.into_iter();
    result.energy = all.next().unwrap_or_default();
    result.energy_other = all.collect();
}

/// Energy from the readings of a meter.
fn metered(source: &Read, figures: Figures, windows: &Windows, idle: Option<Idle>) -> Energy {
    let (source_index, scope) = (Some(source.source_index), Some(source.info.scope));
    let none = Energy { source: source_index, scope, ..Energy::default() };
    let Figures { response, blocks, total, checks } = figures;
    let (total, response) = match (total, response) {
        (Ok(total), Ok(response)) => (total, response),
        (Err(why), _) | (_, Err(why)) => return Energy { no_figure: Some(why), ..none },
    };
    let (mut wall, mut work) = (0.0, 0.0);
    for (block, _) in windows.blocks().iter().zip(&blocks).filter(|(_, figure)| figure.is_ok()) {
        wall += windows.wall_seconds[block.windows.clone()].iter().sum::<f64>();
        work += windows.work[block.windows.clone()].iter().map(|work| *work as f64).sum::<f64>();
    }
    let (gross, half) = (total.gross.0, total.terms.half_width().0);
    let (provenance, method) = (source.info.provenance(), Method::MeterUncertainty);
    let joules = Interval::new(gross, (gross - half, gross + half), provenance, method);
    let gross_of = |block: &Result<Integral, NoFigure>| block.as_ref().ok().map(|b| b.gross.0);
    Energy {
        joules_per_unit: Some(joules / work),
        power_watts: Some(joules / wall),
        net_joules: idle.map(|idle| gross - idle.power.0 * wall),
        measured: Some(Measured {
            total,
            blocks_gross_joules: blocks.iter().map(gross_of).collect(),
            response,
            cross_checks: checks,
        }),
        ..none
    }
}

/// Joules per unit and watts from a declared or modelled power.
fn from_stated(
    stated: &Stated,
    windows: &Windows,
    counted: f64,
    rate: Option<Interval>,
) -> (Interval, Interval) {
    let seconds_per_unit = windows.seconds().0 / (windows.total_work() as f64 * counted);
    match stated {
        Stated::Declared { power, .. } => {
            let value = power.0 * seconds_per_unit;
            let (provenance, method) = (Provenance::Declared, Method::ConstantPower);
            // Power is taken as constant: a window's joules per unit vary as its rate does.
            let rates = rate.and_then(Interval::ends);
            let ends = rates.map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| {
                (value.min(power.0 / high), value.max(power.0 / low))
            });
            let joules = Interval::new(value, ends, provenance, method);
            (joules, Interval::exact(power.0).with_provenance(provenance))
        }
        Stated::Modelled { low, high, .. } => {
            let power = Interval::between(low.0, high.0);
            (power * seconds_per_unit, power)
        }
    }
}

/// Checks that power under load is not below idle power and not far above the power limit.
fn implausible(
    energy: &Energy,
    source: &Read,
    row: &Row,
    idle: Option<Idle>,
    rules: &Rules,
) -> Option<Reason> {
    let power = energy.power_watts?;
    let (meter, shown) = (source.info.kind, Watts(power.value?));
    if let Some(idle) = idle
        && power.high < idle.power.0 - idle.half_width.0
    {
        return Some(Reason::LessThanIdle { meter, power: shown, idle: idle.power });
    }
    let limits = row.telemetry.iter().flat_map(|telemetry| telemetry.power_limits());
    let limit = limits.reduce(f64::max)?;
    // Boards hold their limit on average, not at every moment.
    let over = source.info.scope == Scope::GpuBoard && power.low > rules.above_power_limit * limit;
    over.then_some(Reason::AbovePowerLimit { meter, power: shown, limit: Watts(limit) })
}

/// Rank of a scope by its share of the machine's power; memory draws less than the processors.
fn breadth(scope: Option<Scope>) -> u8 {
    match scope {
        None | Some(Scope::Dram) => 0,
        Some(Scope::GpuBoard | Scope::CpuPackage) => 1,
        Some(Scope::Machine) => 2,
        Some(Scope::Wall) => 3,
    }
}

/// Order of energy figures: measured, declared, modelled; among measured ones the widest scope, then the best source, then the narrowest
/// interval. A counter misses nothing between readings, averaged power misses what is older than its average, and instantaneous samples
/// miss everything between them, which a narrow interval does not show. An inaccurate counter ranks with instantaneous samples.
fn headline_first(a: &Energy, b: &Energy, evidence: &Evidence, rules: &Rules) -> Ordering {
    let width = |e: &Energy| e.joules_per_unit.map_or(f64::INFINITY, Interval::relative_half_width);
    let rank = |energy: &Energy| {
        let provenance = energy.provenance();
        let kind = if provenance.is_measured() { 0 } else { provenance as u8 };
        let meter =
            energy.source.and_then(|source_index| evidence.manifest.source(source_index)?.meter());
        let source = match meter.map(|info| &info.quantity) {
            Some(Quantity::Counter { .. }) if width(energy) <= rules.max_counter_half_width => 0,
            Some(Quantity::Power { averaging }) if averaging.0 > 0.0 => 1,
            _ => 2,
        };
        (kind, Reverse(breadth(energy.scope)), source)
    };
    let by_width = || width(a).total_cmp(&width(b));
    rank(a).cmp(&rank(b)).then_with(by_width).then(a.source.cmp(&b.source))
}
