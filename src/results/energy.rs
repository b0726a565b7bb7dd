//! Joules in memory and in the document, both ways: what was measured is written with its readings, and a reader makes
//! the same figures of them again.

use super::{canonical, wire};
use crate::energy::{
    Accuracy, Basis, Energy, Measured, Provenance, Quantity, Scope, SourceInfo, Stamped, integrate,
};
use crate::kernels::hex;
use crate::measure::stats::Estimate;
use crate::units::{Joules, Seconds, Watts, Work};
use sha2::{Digest, Sha256};
use std::cmp::Ordering;

/// How intervals of joules per unit are found.
const OF_SPEED: &str =
    "all joules over all work, interval of the windows' rates between order statistics";
const OF_METER: &str =
    "all joules over all work, interval of the meter's terms by root sum of squares";
/// How the baseline is taken.
const AT_REST: &str = "the same source, nothing running, before the first row";

/// What a source says of a row, for the document.
pub(super) fn derive(
    energy: &Energy,
    work: Work,
    wall: Seconds,
    rate: Option<&Estimate>,
) -> wire::Energy {
    match energy {
        Energy::Measured(m) => {
            let measured = measured(m, work, wall);
            match m.provenance() {
                Provenance::MeasuredCounter => wire::Energy::MeasuredCounter(measured),
                _ => wire::Energy::MeasuredSampled(measured),
            }
        }
        Energy::Declared { scope, gross, own } => {
            let (value, power) = (gross.0 / work.0 as f64, *gross / wall);
            // Watts are taken as constant, so a window's joules per unit vary as its rate does.
            let ci95 = rate
                .and_then(|r| r.ci95)
                .map(|(low, high)| (value.min(power.0 / high), value.max(power.0 / low)));
            wire::Energy::Declared(wire::DeclaredEnergy {
                scope: (*scope).into(),
                joules_per_unit: wire::PerUnit {
                    value,
                    ci95_low: ci95.map(|(low, _)| low),
                    ci95_high: ci95.map(|(_, high)| high),
                    n: rate.map_or(0, |r| r.n as u64),
                    method: OF_SPEED.to_string(),
                },
                gross_joules: gross.0,
                net_joules: None,
                power_watts: power.0,
                for_this_workload: *own,
            })
        }
        Energy::Modelled { scope, low, high, basis } => {
            let watts = |joules: &Joules| (*joules / wall).0;
            wire::Energy::Modelled(wire::ModelledEnergy {
                scope: (*scope).into(),
                modelled_joules_per_unit_low: low.0 / work.0 as f64,
                modelled_joules_per_unit_high: high.0 / work.0 as f64,
                modelled_power_watts_low: watts(low),
                modelled_power_watts_high: watts(high),
                basis: basis.clone(),
            })
        }
        Energy::None { reason } => wire::Energy::None(wire::NoEnergy { reason: reason.clone() }),
    }
}

fn measured(m: &Measured, work: Work, wall: Seconds) -> wire::MeasuredEnergy {
    let (gross, half) = (m.integral.gross, m.integral.terms.half_width());
    let per = |joules: Joules| joules.0 / work.0 as f64;
    let (includes, excludes) = m.source.scope.extent();
    let seconds = |part: fn(&Stamped) -> Seconds| m.readings.iter().map(|r| part(r).0).collect();
    let readings = wire::Readings {
        before_seconds: seconds(|r| r.before),
        after_seconds: seconds(|r| r.after),
        values: m.readings.iter().map(|r| r.values.clone()).collect(),
    };
    wire::MeasuredEnergy {
        scope: m.source.scope.into(),
        includes: includes.to_string(),
        excludes: excludes.to_string(),
        source: (&m.source).into(),
        joules_per_unit: wire::PerUnit {
            value: per(gross),
            ci95_low: Some(per(gross - half)),
            ci95_high: Some(per(gross + half)),
            n: m.integral.samples as u64,
            method: OF_METER.to_string(),
        },
        gross_joules: gross.0,
        net_joules: m.idle.map(|idle| (gross - idle.power * wall).0),
        power_watts: (gross / wall).0,
        idle: m.idle.map(|idle| wire::Idle {
            power_watts: idle.power.0,
            half_width_watts: idle.half_width.0,
            seconds: idle.seconds.0,
            method: AT_REST.to_string(),
        }),
        uncertainty: wire::Uncertainty {
            meter_joules: m.integral.terms.meter.0,
            window_joules: m.integral.terms.window.0,
            statistical_joules: m.integral.terms.statistical.0,
        },
        update_period_seconds: m.integral.period.map(|p| p.0),
        samples: m.integral.samples as u64,
        rejected_samples: m.integral.rejected as u64,
        failed_reads: m.failed as u64,
        coverage: m.integral.coverage,
        wraps: m.integral.wraps.into(),
        cross_checks: m
            .checks
            .iter()
            .map(|check| wire::CrossCheck {
                with: check.with.clone(),
                scope: check.scope.into(),
                ratio: check.ratio,
                complaint: check.complaint.clone(),
            })
            .collect(),
        sampler_core_share: m.cost,
        readings_sha256: hex(&Sha256::digest(canonical(&readings))),
        readings,
    }
}

/// The headline is measured before it is declared before it is modelled; of measured figures it is the one that
/// covers most, then the one that is known best.
pub(super) fn headline_first(a: &wire::Energy, b: &wire::Energy) -> Ordering {
    let rank = |energy: &wire::Energy| match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => {
            let per = &e.joules_per_unit;
            let width = per.ci95_high.unwrap_or(f64::INFINITY) / per.value;
            (0, e.scope as u8, width)
        }
        wire::Energy::Declared(e) => (1, e.scope as u8, 0.0),
        wire::Energy::Modelled(e) => (2, e.scope as u8, 0.0),
        wire::Energy::None(_) => (3, 0, 0.0),
    };
    let ((kind_a, scope_a, width_a), (kind_b, scope_b, width_b)) = (rank(a), rank(b));
    kind_a.cmp(&kind_b).then(scope_b.cmp(&scope_a)).then(width_a.total_cmp(&width_b))
}

/// Whether a row's energy follows from its readings; the error names the field that does not.
pub(super) fn check(energy: &wire::Energy, m: &wire::Measurement) -> Result<(), String> {
    let work: u64 = m.windows.iter().map(|w| w.work).sum();
    let wall: f64 = m.windows.iter().map(|w| w.wall_seconds).sum();
    let end = m.windows.last().map_or(0.0, |w| w.started_seconds + w.wall_seconds);
    let same = |what: &str, stated: f64, computed: f64| {
        if (stated - computed).abs() <= 1e-9 * computed.abs().max(1e-30) {
            return Ok(());
        }
        Err(format!("{what}: {stated} does not follow from the rest, which gives {computed}"))
    };
    match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => {
            let counter = matches!(e.source.quantity, wire::Quantity::Counter { .. });
            if counter != matches!(energy, wire::Energy::MeasuredCounter(_)) {
                return Err("provenance: it does not go with source.quantity".into());
            }
            let (info, readings) = (e.source.read(e.scope)?, e.readings.read()?);
            let figure = integrate(&info, &readings, Seconds(0.0), Seconds(end))
                .map_err(|error| format!("readings: no figure follows from them: {error}"))?;
            let again = derive(
                &Energy::Measured(Box::new(Measured {
                    source: info,
                    integral: figure,
                    idle: None,
                    checks: Vec::new(),
                    readings,
                    failed: 0,
                    cost: 0.0,
                })),
                Work(work),
                Seconds(wall),
                None,
            );
            let (wire::Energy::MeasuredCounter(again) | wire::Energy::MeasuredSampled(again)) =
                again
            else {
                unreachable!("what is measured is derived as measured");
            };
            if e.readings_sha256 != again.readings_sha256 {
                return Err("readings_sha256: it is not that of the readings".into());
            }
            let (per, per_again) = (&e.joules_per_unit, &again.joules_per_unit);
            let low = |p: &wire::PerUnit| p.ci95_low.unwrap_or(f64::NAN);
            let high = |p: &wire::PerUnit| p.ci95_high.unwrap_or(f64::NAN);
            let (terms, terms_again) = (&e.uncertainty, &again.uncertainty);
            for (what, stated, computed) in [
                ("gross_joules", e.gross_joules, again.gross_joules),
                ("power_watts", e.power_watts, again.power_watts),
                ("joules_per_unit.value", per.value, per_again.value),
                ("joules_per_unit.ci95_low", low(per), low(per_again)),
                ("joules_per_unit.ci95_high", high(per), high(per_again)),
                ("uncertainty.meter_joules", terms.meter_joules, terms_again.meter_joules),
                ("uncertainty.window_joules", terms.window_joules, terms_again.window_joules),
                (
                    "uncertainty.statistical_joules",
                    terms.statistical_joules,
                    terms_again.statistical_joules,
                ),
                ("coverage", e.coverage, again.coverage),
                ("samples", e.samples as f64, again.samples as f64),
                ("rejected_samples", e.rejected_samples as f64, again.rejected_samples as f64),
                ("wraps", e.wraps as f64, again.wraps as f64),
            ] {
                same(what, stated, computed)?;
            }
            match (e.net_joules, &e.idle) {
                (None, None) => Ok(()),
                (Some(net), Some(idle)) => {
                    same("net_joules", net, e.gross_joules - idle.power_watts * wall)
                }
                _ => Err("net_joules: it stands only beside idle".into()),
            }
        }
        wire::Energy::Declared(e) => {
            same("gross_joules", e.gross_joules, e.power_watts * wall)?;
            same("joules_per_unit.value", e.joules_per_unit.value, e.gross_joules / work as f64)
        }
        wire::Energy::Modelled(e) => {
            let (low, high) = (e.modelled_power_watts_low, e.modelled_power_watts_high);
            if low > high {
                return Err(
                    "modelled_power_watts_low: it is above modelled_power_watts_high".into()
                );
            }
            let per = |watts: f64| watts * wall / work as f64;
            same("modelled_joules_per_unit_low", e.modelled_joules_per_unit_low, per(low))?;
            same("modelled_joules_per_unit_high", e.modelled_joules_per_unit_high, per(high))
        }
        wire::Energy::None(_) => Ok(()),
    }
}

impl wire::Readings {
    fn read(&self) -> Result<Vec<Stamped>, String> {
        let n = self.values.len();
        if self.before_seconds.len() != n || self.after_seconds.len() != n {
            return Err("readings: stamps and values are not of one number".into());
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
        let domains = match &self.quantity {
            wire::Quantity::Counter { range_joules, .. } => range_joules.len(),
            wire::Quantity::Power { .. } => 1,
        };
        if domains == 0 {
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
