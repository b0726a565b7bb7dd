//! Energy of a row: a figure from each source that covers it, the headline first.

use crate::energy::{Figures, NoFigure, Read, Scope, Stated, figures};
use crate::measure::Windows;
use crate::results::derived::{Energy, Measured, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::results::manifest::{Origin, Source};
use crate::results::reason::Reason;
use crate::results::rules::Rules;
use crate::units::{Interval, Method, Provenance, Watts};
use std::cmp::Ordering;

/// Sets a row's energy and adds reasons against it. `counted` is the share of its work that counts.
pub(super) fn fill(
    result: &mut RowFigures,
    evidence: &Evidence,
    row: &Row,
    windows: &Windows,
    counted: f64,
    rules: &Rules,
) {
    let steps = windows.steps();
    let read: Vec<Read> = row
        .readings
        .iter()
        .filter_map(|readings| {
            let info = evidence.manifest.source(readings.source)?.meter()?;
            let sound = readings.fault(&info.quantity).is_none();
            sound.then(|| Read { place: readings.source, info, readings: readings.stamped() })
        })
        .collect();
    let mut all = Vec::new();
    for (source, figures) in read.iter().zip(figures(&rules.energy, &read, &steps)) {
        let idle = evidence.baselines.iter().find(|b| b.source == source.place).map(|b| b.idle);
        let provenance = source.info.provenance();
        let mut energy =
            measured(source.place, source.info.scope, provenance, figures, windows, idle);
        energy.joules_per_unit = energy.joules_per_unit.map(|joules| joules / counted);
        result.reasons.extend(implausible(&energy, source, row, idle, rules));
        all.push(energy);
    }
    for (place, source) in evidence.sources_of(row) {
        match &source.origin {
            Origin::Meter(info) if !read.iter().any(|read| read.place == place) => {
                let scope = Some(info.scope);
                let no_figure = Some(NoFigure::NothingMeasured);
                all.push(Energy { source: Some(place), scope, no_figure, ..Energy::default() });
            }
            Origin::Meter(_) => {}
            Origin::Stated(stated) => {
                all.push(from_stated(place, source, stated, windows, counted, result.throughput));
            }
        }
    }
    all.sort_by(|a, b| headline_first(a, b, evidence, rules));
    let mut all = all.into_iter();
    result.energy = all.next().unwrap_or_default();
    result.energy_other = all.collect();
}

fn measured(
    place: usize,
    scope: Scope,
    provenance: Provenance,
    figures: Figures,
    windows: &Windows,
    idle: Option<crate::energy::Idle>,
) -> Energy {
    let none = Energy { source: Some(place), scope: Some(scope), ..Energy::default() };
    let Figures { response, blocks, total, checks } = figures;
    let (total, response) = match (total, response) {
        (Ok(total), Ok(response)) => (total, response),
        (Err(why), _) | (_, Err(why)) => return Energy { no_figure: Some(why), ..none },
    };
    let all = windows.blocks();
    let counted = || all.iter().zip(&blocks).filter(|(_, figure)| figure.is_ok());
    let sum = |column: &[f64]| -> f64 {
        counted().map(|(block, _)| column[block.windows.clone()].iter().sum::<f64>()).sum()
    };
    let wall = sum(&windows.wall_seconds);
    let work = sum(&windows.work.iter().map(|work| *work as f64).collect::<Vec<_>>());
    let (gross, half) = (total.gross.0, total.terms.half_width().0);
    let joules =
        Interval::new(gross, (gross - half, gross + half), provenance, Method::MeterUncertainty);
    let block = |figure: &Result<crate::energy::Integral, NoFigure>| {
        figure.as_ref().ok().map(|integral| integral.gross.0)
    };
    Energy {
        joules_per_unit: Some(joules / work),
        power_watts: Some(joules / wall),
        net_joules: idle.map(|idle| gross - idle.power.0 * wall),
        measured: Some(Measured {
            total,
            blocks_gross_joules: blocks.iter().map(block).collect(),
            response,
            cross_checks: checks,
        }),
        ..none
    }
}

/// Energy from a declared or modelled power.
fn from_stated(
    place: usize,
    source: &Source,
    stated: &Stated,
    windows: &Windows,
    counted: f64,
    rate: Option<Interval>,
) -> Energy {
    let seconds_per_unit = windows.seconds().0 / (windows.total_work() as f64 * counted);
    let (joules, power) = match stated {
        Stated::Declared { power, .. } => {
            let value = power.0 * seconds_per_unit;
            let (provenance, method) = (Provenance::Declared, Method::ConstantPower);
            // Power is taken as constant: a window's joules per unit vary as its rate does.
            let joules = match rate.and_then(Interval::ends) {
                Some((low, high)) => {
                    let ends = (value.min(power.0 / high), value.max(power.0 / low));
                    Interval::new(value, ends, provenance, method)
                }
                None => Interval::bare(value, provenance, method),
            };
            (joules, Interval::exact(power.0).with_provenance(provenance))
        }
        Stated::Modelled { low, high, .. } => {
            let power = Interval::between(low.0, high.0);
            (power * seconds_per_unit, power)
        }
    };
    Energy {
        source: Some(place),
        scope: Some(source.scope()),
        joules_per_unit: Some(joules),
        power_watts: Some(power),
        ..Energy::default()
    }
}

/// Checks that power under load is not below idle power and not far above the power limit.
fn implausible(
    energy: &Energy,
    source: &Read,
    row: &Row,
    idle: Option<crate::energy::Idle>,
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
    use crate::energy::Quantity;
    let rank = |energy: &Energy| {
        let provenance = energy.provenance();
        let kind = if provenance.is_measured() { 0 } else { provenance as u8 };
        let width = energy.joules_per_unit.map_or(f64::INFINITY, Interval::relative_half_width);
        let meter = energy.source.and_then(|place| evidence.manifest.source(place)?.meter());
        let source = match meter.map(|info| &info.quantity) {
            Some(Quantity::Counter { .. }) if width <= rules.max_counter_half_width => 0,
            Some(Quantity::Power { averaging }) if averaging.0 > 0.0 => 1,
            _ => 2,
        };
        (kind, std::cmp::Reverse(breadth(energy.scope)), source, width)
    };
    let ((kind_a, scope_a, source_a, width_a), (kind_b, scope_b, source_b, width_b)) =
        (rank(a), rank(b));
    (kind_a, scope_a, source_a)
        .cmp(&(kind_b, scope_b, source_b))
        .then(width_a.total_cmp(&width_b))
        .then(a.source.cmp(&b.source))
}
