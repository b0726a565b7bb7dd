//! Joules in memory and in the document. What was seen is written with its readings; what follows from it, a reader
//! makes again of them.

use super::figures::note;
use super::{canonical, wire};
use crate::energy::{
    Accuracy, Basis, Energy, Figures, Integral, LoadStep, Measured, Provenance, Quantity, Scope,
    SourceInfo, Stamped, Stated, Stretch,
};
use crate::kernels::hex;
use crate::units::{Joules, Seconds, Watts};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;

/// How intervals of joules per unit are found.
const OF_SPEED: &str =
    "all joules over all work, interval of the windows' rates between order statistics";
const OF_METER: &str =
    "all joules over all work, interval of the meter's terms by root sum of squares";

/// How the baseline is taken: once, or again after the last row.
pub(super) const AT_REST: [&str; 2] = [
    "the same source, nothing running, before the first row",
    "the same source, nothing running, mean of before the first row and after the last",
];

/// What was seen of a source; the rest follows.
pub(super) fn record(energy: &Energy) -> wire::Energy {
    match energy {
        Energy::Measured(m) => {
            let measured = measured(m);
            match m.provenance() {
                Provenance::MeasuredCounter => wire::Energy::MeasuredCounter(measured),
                _ => wire::Energy::MeasuredSampled(measured),
            }
        }
        Energy::Stated(Stated::Declared { watts, scope, own }) => {
            wire::Energy::Declared(wire::DeclaredEnergy {
                scope: (*scope).into(),
                joules_per_unit: UNKNOWN,
                gross_joules: 0.0,
                net_joules: None,
                power_watts: watts.0,
                for_this_workload: *own,
            })
        }
        Energy::Stated(Stated::Modelled { low, high, scope, basis }) => {
            wire::Energy::Modelled(wire::ModelledEnergy {
                scope: (*scope).into(),
                modelled_joules_per_unit_low: 0.0,
                modelled_joules_per_unit_high: 0.0,
                modelled_power_watts_low: low.0,
                modelled_power_watts_high: high.0,
                basis: basis.clone(),
            })
        }
        Energy::None { reason } => wire::Energy::None(wire::NoEnergy { reason: reason.clone() }),
    }
}

/// Before it is filled in.
const UNKNOWN: wire::PerUnit =
    wire::PerUnit { value: 0.0, ci95_low: None, ci95_high: None, n: 0, method: String::new() };

fn measured(m: &Measured) -> wire::MeasuredEnergy {
    let seconds = |part: fn(&Stamped) -> Seconds| m.readings.iter().map(|r| part(r).0).collect();
    wire::MeasuredEnergy {
        scope: m.source.scope.into(),
        includes: String::new(),
        excludes: String::new(),
        source: (&m.source).into(),
        blocks: Vec::new(),
        joules_per_unit: UNKNOWN,
        gross_joules: 0.0,
        net_joules: None,
        power_watts: 0.0,
        idle: m.idle.as_ref().map(|idle| wire::Idle {
            power_watts: idle.power.0,
            half_width_watts: idle.half_width.0,
            seconds: idle.seconds.0,
            method: AT_REST[usize::from(idle.again)].to_string(),
        }),
        uncertainty: wire::Uncertainty {
            meter_joules: 0.0,
            window_joules: 0.0,
            statistical_joules: 0.0,
        },
        update_period_seconds: None,
        samples: 0,
        rejected_samples: 0,
        failed_reads: m.failed as u64,
        coverage: 0.0,
        wraps: 0,
        cross_checks: Vec::new(),
        response: None,
        sampler_core_share: m.cost,
        readings: wire::Readings {
            before_seconds: seconds(|r| r.before),
            after_seconds: seconds(|r| r.after),
            values: m.readings.iter().map(|r| r.values.clone()).collect(),
        },
        readings_sha256: String::new(),
    }
}

/// A block's windows together.
struct Sum {
    step: LoadStep,
    work: f64,
    wall: f64,
}

/// The blocks of a row.
fn sums(m: &wire::Measurement) -> Vec<Sum> {
    let of = |(i, windows): (usize, &[wire::Window])| {
        let (first, last) = (&windows[0], &windows[windows.len() - 1]);
        let from = Seconds(first.started_seconds);
        let measured = Stretch { from, to: Seconds(last.started_seconds + last.wall_seconds) };
        // A document may be damaged: without its block, nothing is known of what went before the windows.
        let before =
            |seconds: fn(&wire::Block) -> f64| Seconds(m.blocks.get(i).map_or(0.0, seconds));
        let load_from = from - before(|block| block.warm_up_seconds);
        let gpu = windows.iter().map(|w| w.gpu_seconds).sum::<Option<f64>>();
        Sum {
            step: LoadStep {
                idle_from: load_from - before(|block| block.rest_seconds),
                load_from,
                measured,
                busy: gpu.map(|seconds| (seconds / measured.length().0).min(1.0)),
            },
            work: windows.iter().map(|w| w.work as f64).sum(),
            wall: windows.iter().map(|w| w.wall_seconds).sum(),
        }
    };
    m.windows.chunk_by(|a, b| a.block == b.block).enumerate().map(of).collect()
}

/// Fills in the joules of a row, the headline first. A source whose readings give no figure is none, and says why.
///
/// The figures of each source come first, and the order of the sources follows from these alone. Sources are held against
/// each other last, in that order: a reader, who finds them in it, derives the same.
pub(super) fn fill(m: &mut wire::Measurement) {
    let sums = sums(m);
    let steps: Vec<LoadStep> = sums.iter().map(|sum| sum.step).collect();
    let headline = std::mem::replace(&mut m.energy, nothing(String::new()));
    let mut all: Vec<(wire::Energy, Option<Figures>)> = std::iter::once(headline)
        .chain(m.energy_other.drain(..))
        .map(|energy| own_figures(energy, &steps, &sums, m.throughput.as_ref()))
        .collect();
    all.sort_by(|(a, _), (b, _)| headline_first(a, b));
    let figures: Vec<Figures> = all.iter_mut().filter_map(|(_, figures)| figures.take()).collect();
    let mut checks = Figures::checks(&figures).into_iter();
    for (energy, _) in &mut all {
        if let wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) = energy {
            let checks = checks.next().expect("a list for each source");
            e.cross_checks = checks
                .into_iter()
                .map(|check| wire::CrossCheck {
                    with: check.with,
                    scope: check.scope.into(),
                    ratio: check.ratio,
                    complaint: check.complaint,
                })
                .collect();
            if let Some(why) = implausible(e, m) {
                note(&mut m.reasons, why);
            }
        }
    }
    let mut all = all.into_iter().map(|(energy, _)| energy);
    m.energy = all.next().expect("the headline at least");
    m.energy_other = all.collect();
}

/// What a source says by itself, with the figures of its readings if it was read.
fn own_figures(
    mut energy: wire::Energy,
    steps: &[LoadStep],
    sums: &[Sum],
    rate: Option<&wire::Throughput>,
) -> (wire::Energy, Option<Figures>) {
    match &mut energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => {
            match e.figures(steps) {
                Ok(figures) => {
                    e.fill(&figures, sums);
                    return (energy, Some(figures));
                }
                Err(why) => return (nothing(why), None),
            }
        }
        wire::Energy::Declared(e) => e.fill(sums, rate),
        wire::Energy::Modelled(e) => e.fill(sums),
        wire::Energy::None(_) => {}
    }
    (energy, None)
}

fn nothing(reason: String) -> wire::Energy {
    wire::Energy::None(wire::NoEnergy { reason })
}

/// A device at work draws no less than at rest, and no more than its own limit by much.
fn implausible(e: &wire::MeasuredEnergy, m: &wire::Measurement) -> Option<String> {
    let half = |term: f64| term * e.power_watts / e.gross_joules;
    let doubt = half(e.uncertainty.meter_joules)
        .hypot(half(e.uncertainty.window_joules))
        .hypot(half(e.uncertainty.statistical_joules));
    let (kind, power) = (&e.source.kind, e.power_watts);
    if let Some(idle) = &e.idle
        && power + doubt < idle.power_watts - idle.half_width_watts
    {
        return Some(format!(
            "{kind} shows {} at work, less than the {} at rest",
            Watts(power),
            Watts(idle.power_watts)
        ));
    }
    let boards = m.windows.iter().filter_map(|w| w.telemetry.board.as_ref());
    let limit = boards.filter_map(|b| b.power_limit_watts).reduce(f64::max)?;
    // Boards hold their limit on average, not at each moment.
    let over = e.scope == wire::Scope::GpuBoard && power - doubt > 1.1 * limit;
    over.then(|| format!("{kind} shows {}, the limit in force is {}", Watts(power), Watts(limit)))
}

/// The source of a measured energy, in memory.
pub(super) fn source(e: &wire::MeasuredEnergy) -> Result<SourceInfo, String> {
    e.source.read(e.scope)
}

impl wire::MeasuredEnergy {
    /// What the readings give for each block.
    fn figures(&self, steps: &[LoadStep]) -> Result<Figures, String> {
        let source = self.source.read(self.scope)?;
        let readings = self.readings.read(source.quantity.domains())?;
        let figures = Figures::of(&source, &readings, steps);
        match figures.together() {
            Some(_) => Ok(figures),
            None => Err(format!("{}: {}", source.kind, figures.absence())),
        }
    }

    fn fill(&mut self, figures: &Figures, sums: &[Sum]) {
        let Some(Integral { gross, terms, period, samples, rejected, coverage, wraps }) =
            figures.together()
        else {
            return;
        };
        let counted = || sums.iter().zip(&figures.blocks).filter(|(_, figure)| figure.is_ok());
        let work: f64 = counted().map(|(sum, _)| sum.work).sum();
        let wall: f64 = counted().map(|(sum, _)| sum.wall).sum();
        let half = terms.half_width();
        let per = |joules: Joules| joules.0 / work;
        let (includes, excludes) = figures.source.scope.extent();
        (self.includes, self.excludes) = (includes.to_string(), excludes.to_string());
        let block = |figure: &Result<Integral, _>| wire::BlockEnergy {
            gross_joules: figure.as_ref().ok().map(|integral| integral.gross.0),
            reason: figure.as_ref().err().map(ToString::to_string),
        };
        self.blocks = figures.blocks.iter().map(block).collect();
        self.joules_per_unit = wire::PerUnit {
            value: per(gross),
            ci95_low: Some(per(gross - half)),
            ci95_high: Some(per(gross + half)),
            n: samples as u64,
            method: OF_METER.to_string(),
        };
        self.gross_joules = gross.0;
        self.net_joules = self.idle.as_ref().map(|idle| gross.0 - idle.power_watts * wall);
        self.power_watts = gross.0 / wall;
        self.uncertainty = wire::Uncertainty {
            meter_joules: terms.meter.0,
            window_joules: terms.window.0,
            statistical_joules: terms.statistical.0,
        };
        self.response = figures.response.as_ref().ok().map(|response| wire::Response {
            lag_seconds: response.lag.0,
            lag_half_width_seconds: response.lag_half_width.0,
            late: response.late,
            idle_watts: response.idle.0,
            load_watts: response.load.0,
            explained: response.explained,
        });
        self.update_period_seconds = period.map(|p| p.0);
        self.samples = samples as u64;
        self.rejected_samples = rejected as u64;
        self.coverage = coverage;
        self.wraps = wraps.into();
        self.readings_sha256 = hex(&Sha256::digest(canonical(&self.readings)));
    }
}

impl wire::DeclaredEnergy {
    fn fill(&mut self, sums: &[Sum], rate: Option<&wire::Throughput>) {
        let (work, wall) = totals(sums);
        let (gross, watts) = (self.power_watts * wall, self.power_watts);
        let value = gross / work;
        // Watts are taken as constant, so a window's joules per unit vary as its rate does.
        let ci95 = rate.and_then(|rate| Some((watts / rate.ci95_high?, watts / rate.ci95_low?)));
        self.gross_joules = gross;
        self.joules_per_unit = wire::PerUnit {
            value,
            ci95_low: ci95.map(|(low, _)| value.min(low)),
            ci95_high: ci95.map(|(_, high)| value.max(high)),
            n: rate.map_or(0, |rate| rate.n),
            method: OF_SPEED.to_string(),
        };
    }
}

impl wire::ModelledEnergy {
    fn fill(&mut self, sums: &[Sum]) {
        let (work, wall) = totals(sums);
        self.modelled_joules_per_unit_low = self.modelled_power_watts_low * wall / work;
        self.modelled_joules_per_unit_high = self.modelled_power_watts_high * wall / work;
    }
}

/// Work and seconds of all blocks.
fn totals(sums: &[Sum]) -> (f64, f64) {
    (sums.iter().map(|sum| sum.work).sum(), sums.iter().map(|sum| sum.wall).sum())
}

/// How much of what a machine draws a scope has: memory takes less than what computes.
fn breadth(scope: wire::Scope) -> u8 {
    match scope {
        wire::Scope::Dram => 0,
        wire::Scope::GpuBoard | wire::Scope::CpuPackage => 1,
        wire::Scope::Machine => 2,
        wire::Scope::Wall => 3,
    }
}

/// The headline is measured before it is declared before it is modelled; of measured figures it is the one that
/// covers most, then the one of the better source, then the narrower one. A counter misses nothing between two readings,
/// an average only what is older than itself, and samples all that happens between them: a narrow interval does not show
/// what they missed. A counter that is known worse than to a tenth is no better source.
fn headline_first(a: &wire::Energy, b: &wire::Energy) -> Ordering {
    let rank = |energy: &wire::Energy| match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => {
            let per = &e.joules_per_unit;
            let width = per.ci95_high.unwrap_or(f64::INFINITY) / per.value - 1.0;
            let source = match e.source.quantity {
                wire::Quantity::Counter { .. } if width <= 0.1 => 0,
                wire::Quantity::Power { averaging_seconds } if averaging_seconds > 0.0 => 1,
                _ => 2,
            };
            (0, breadth(e.scope), source, width)
        }
        wire::Energy::Declared(e) => (1, breadth(e.scope), 0, 0.0),
        wire::Energy::Modelled(e) => (2, breadth(e.scope), 0, 0.0),
        wire::Energy::None(_) => (3, 0, 0, 0.0),
    };
    let ((kind_a, scope_a, source_a, width_a), (kind_b, scope_b, source_b, width_b)) =
        (rank(a), rank(b));
    kind_a
        .cmp(&kind_b)
        .then(scope_b.cmp(&scope_a))
        .then(source_a.cmp(&source_b))
        .then(width_a.total_cmp(&width_b))
}

impl wire::Readings {
    fn read(&self, domains: usize) -> Result<Vec<Stamped>, String> {
        let n = self.values.len();
        if self.before_seconds.len() != n || self.after_seconds.len() != n {
            return Err("readings: stamps and values are not of one number".into());
        }
        if self.values.iter().any(|values| values.len() != domains) {
            return Err(format!("readings: a reading of this source has {domains} values"));
        }
        let stamps = self.before_seconds.iter().zip(&self.after_seconds);
        let ordered = stamps.clone().all(|(before, after)| before <= after)
            && self.before_seconds.windows(2).all(|pair| pair[0] <= pair[1]);
        if !ordered {
            return Err("readings: time runs backwards in the stamps".into());
        }
        Ok(stamps
            .zip(&self.values)
            .map(|((&before, &after), values)| Stamped {
                before: Seconds(before),
                after: Seconds(after),
                values: values.clone(),
            })
            .collect())
    }
}

impl From<&SourceInfo> for wire::Meter {
    fn from(info: &SourceInfo) -> wire::Meter {
        wire::Meter {
            kind: info.kind.to_string(),
            model: info.model.clone(),
            driver: info.driver.clone(),
            quantity: match &info.quantity {
                Quantity::Counter { ranges, duty } => wire::Quantity::Counter {
                    range_joules: ranges.iter().map(|range| range.map(|joules| joules.0)).collect(),
                    duty: *duty,
                },
                Quantity::Power { averaging } => {
                    wire::Quantity::Power { averaging_seconds: averaging.0 }
                }
            },
            update_period_seconds: info.update_period.map(|p| p.0),
            poll_seconds: info.poll.0,
            ceiling_watts: info.ceiling.0,
            accuracy: info.accuracy.share,
            accuracy_basis: info.accuracy.basis.name().to_string(),
            accuracy_reference: info.accuracy.reference.clone(),
        }
    }
}

impl From<&SourceInfo> for wire::FoundSource {
    fn from(info: &SourceInfo) -> wire::FoundSource {
        wire::FoundSource { scope: info.scope.into(), source: info.into() }
    }
}

impl wire::Meter {
    /// The same in memory.
    fn read(&self, scope: wire::Scope) -> Result<SourceInfo, String> {
        if matches!(&self.quantity, wire::Quantity::Counter { range_joules, .. } if range_joules.is_empty())
        {
            return Err("source.quantity: a counter counts at least one domain".into());
        }
        Ok(SourceInfo {
            kind: crate::energy::KINDS.into_iter().find(|kind| *kind == self.kind).ok_or_else(
                || format!("source.kind: nothing that is read is called '{}'", self.kind),
            )?,
            model: self.model.clone(),
            driver: self.driver.clone(),
            scope: scope.into(),
            quantity: match &self.quantity {
                wire::Quantity::Counter { range_joules, duty } => Quantity::Counter {
                    ranges: range_joules.iter().map(|range| range.map(Joules)).collect(),
                    duty: *duty,
                },
                wire::Quantity::Power { averaging_seconds } => {
                    Quantity::Power { averaging: Seconds(*averaging_seconds) }
                }
            },
            update_period: self.update_period_seconds.map(Seconds),
            poll: Seconds(self.poll_seconds),
            ceiling: Watts(self.ceiling_watts),
            accuracy: Accuracy {
                share: self.accuracy,
                basis: Basis::from_name(&self.accuracy_basis)
                    .ok_or("source.accuracy_basis: it is datasheet, paper or assumed")?,
                reference: self.accuracy_reference.clone(),
            },
        })
    }
}

impl From<Scope> for wire::Scope {
    fn from(scope: Scope) -> wire::Scope {
        match scope {
            Scope::GpuBoard => wire::Scope::GpuBoard,
            Scope::CpuPackage => wire::Scope::CpuPackage,
            Scope::Dram => wire::Scope::Dram,
            Scope::Machine => wire::Scope::Machine,
            Scope::Wall => wire::Scope::Wall,
        }
    }
}

impl From<wire::Scope> for Scope {
    fn from(scope: wire::Scope) -> Scope {
        match scope {
            wire::Scope::GpuBoard => Scope::GpuBoard,
            wire::Scope::CpuPackage => Scope::CpuPackage,
            wire::Scope::Dram => Scope::Dram,
            wire::Scope::Machine => Scope::Machine,
            wire::Scope::Wall => Scope::Wall,
        }
    }
}
