//! From the run in memory to the document: medians and intervals from windows and nothing else.

use super::run::{Outcome, Row, Run};
use super::{SCHEMA_VERSION, document_sha256, seed};
use super::{roof, wire};
use crate::energy::{Energy, Scope};
use crate::kernels::hex;
use crate::measure::stats::{Estimate, median_interval};
use crate::measure::{Latency, Measurement, Protocol, Sample, Window};
use crate::units::{Joules, Seconds, Unit, Work};
use crate::workload::DEPTH;
use base64::Engine;

/// How intervals of a median are found.
const ORDER_STATISTICS: &str = "median over windows, interval between order statistics";
/// How intervals of joules per unit are found.
const RATIO: &str =
    "all joules over all work, interval of the windows' rates between order statistics";

impl From<&Run> for wire::Document {
    fn from(run: &Run) -> wire::Document {
        let mut measurements: Vec<wire::Measurement> = run.rows.iter().map(row).collect();
        roof::apply(&mut measurements, &run.rows);
        let mut reasons = run.faults.clone();
        for m in &measurements {
            if m.verdict == wire::Verdict::Invalid {
                reasons.push(format!(
                    "{} on {}: {}",
                    m.workload.id,
                    m.device,
                    m.reasons.join("; ")
                ));
            }
        }
        let mut document = wire::Document {
            schema_version: SCHEMA_VERSION.to_string(),
            run: wire::Run {
                id: run.id.clone(),
                started_at: run.started_at.to_string(),
                finished_at: run.finished_at.map(|at| at.to_string()),
                protocol: protocol(&run.protocol),
                verdict: verdict(&reasons),
                reasons,
            },
            manifest: run.manifest.clone(),
            measurements,
            proof: wire::Proof {
                user_seed: run.user_seed,
                seed_sha256: hex(&seed(&run.manifest, run.user_seed).0),
                document_sha256: String::new(),
            },
        };
        document.proof.document_sha256 = document_sha256(&document);
        document
    }
}

fn verdict(reasons: &[String]) -> wire::Verdict {
    if reasons.is_empty() { wire::Verdict::Valid } else { wire::Verdict::Invalid }
}

fn protocol(protocol: &Protocol) -> wire::Protocol {
    wire::Protocol {
        mode: protocol.mode.name().to_string(),
        windows: protocol.windows as u64,
        window_seconds: protocol.window.0,
        batches_in_flight: DEPTH as u64,
        warm_up_slice_seconds: protocol.warm_up_slice.0,
        warm_up_longest_seconds: protocol.warm_up_longest.0,
    }
}

fn row(row: &Row) -> wire::Measurement {
    let mut out = wire::Measurement {
        device: row.device.id.to_string(),
        class: row.device.class.name().to_string(),
        workload: wire::Workload {
            id: row.workload.to_string(),
            unit: row.unit.name().to_string(),
            shape: Some(row.shape.clone()).filter(|shape| !shape.is_empty()),
            layer: row.layer.clone(),
        },
        kernel: row.kernel.clone(),
        tuning: row.tuning.clone(),
        outcome: wire::Outcome::Measured,
        reason: None,
        verification: None,
        warm_up: None,
        windows: Vec::new(),
        throughput: None,
        roof: None,
        energy: wire::Energy::None(wire::NoEnergy { reason: "nothing was measured".into() }),
        energy_other: Vec::new(),
        latency: None,
        work_proof: None,
        verdict: wire::Verdict::Valid,
        reasons: Vec::new(),
    };
    match &row.outcome {
        Outcome::Measured(measurement) => fill(&mut out, row.unit, measurement),
        Outcome::Unsupported(reason) => {
            out.outcome = wire::Outcome::Unsupported;
            out.reason = Some(reason.clone());
        }
        Outcome::Failed(reason) => {
            out.outcome = wire::Outcome::Failed;
            out.reason = Some(reason.clone());
            out.reasons = vec![reason.clone()];
            out.verdict = wire::Verdict::Invalid;
        }
    }
    out
}

fn fill(out: &mut wire::Measurement, unit: Unit, measurement: &Measurement) {
    let rates: Vec<f64> = measurement.windows.iter().map(|w| w.work / w.wall).collect();
    let rate = median_interval(&rates);
    let work = measurement.windows.iter().fold(Work(0), |sum, w| sum + w.work);
    let wall = measurement.windows.iter().fold(Seconds(0.0), |sum, w| sum + w.wall);
    out.verification = Some(wire::Verification {
        checked: measurement.verified.checked,
        checked_in_windows: measurement.verified.checked_in_windows,
        worst_error_share: measurement.verified.worst,
    });
    out.warm_up = Some(wire::WarmUp {
        seconds: measurement.warm_up.seconds.0,
        steady: measurement.warm_up.steady,
    });
    out.windows = measurement.windows.iter().map(window).collect();
    out.throughput = rate.map(|estimate| throughput(&estimate, unit));
    let mut energy: Vec<wire::Energy> = measurement
        .energy
        .iter()
        .map(|source| energy_of(source, work, wall, rate.as_ref()))
        .collect();
    energy.sort_by_key(rank);
    out.energy = energy.remove(0);
    out.energy_other = energy;
    out.latency = Some(latency(&measurement.latency));
    out.work_proof = measurement.proof.as_ref().map(wire::WorkProof::from);
    out.reasons = measurement.faults.clone();
    out.verdict = verdict(&out.reasons);
}

/// The headline is of the strongest provenance, then of the widest scope.
fn rank(energy: &wire::Energy) -> (u8, u8) {
    let width = |scope: wire::Scope| u8::MAX - scope as u8;
    match energy {
        wire::Energy::Declared(e) => (0, width(e.scope)),
        wire::Energy::Modelled(e) => (1, width(e.scope)),
        wire::Energy::None(_) => (2, 0),
    }
}

fn window(window: &Window) -> wire::Window {
    let Sample { cpu_use, cpu_hertz, temperatures, gpu_use } = window.sample.clone();
    wire::Window {
        started_seconds: window.started.0,
        wall_seconds: window.wall.0,
        cpu_seconds: window.cpu.0,
        gpu_seconds: window.gpu.map(|s| s.0),
        work: window.work.0,
        telemetry: wire::Telemetry {
            cpu_use,
            cpu_hertz,
            temperatures: temperatures
                .into_iter()
                .map(|t| wire::Temperature { sensor: t.sensor, celsius: t.celsius })
                .collect(),
            gpu_use,
        },
    }
}

pub(super) fn throughput(estimate: &Estimate, unit: Unit) -> wire::Throughput {
    wire::Throughput {
        value: estimate.value,
        unit: format!("{}/s", unit.name()),
        ci95_low: estimate.ci95.map(|(low, _)| low),
        ci95_high: estimate.ci95.map(|(_, high)| high),
        n: estimate.n as u64,
        method: ORDER_STATISTICS.to_string(),
    }
}

fn energy_of(energy: &Energy, work: Work, wall: Seconds, rate: Option<&Estimate>) -> wire::Energy {
    let work = work.0 as f64;
    match energy {
        Energy::Declared { source, gross } => {
            let (value, power) = (gross.0 / work, *gross / wall);
            // Watts are taken as constant, so a window's joules per unit vary as its rate does.
            let ci95 = rate
                .and_then(|r| r.ci95)
                .map(|(low, high)| (value.min(power.0 / high), value.max(power.0 / low)));
            wire::Energy::Declared(wire::PointEnergy {
                scope: source.scope.into(),
                source: source.kind.to_string(),
                joules_per_unit: wire::PerUnit {
                    value,
                    ci95_low: ci95.map(|(low, _)| low),
                    ci95_high: ci95.map(|(_, high)| high),
                    n: rate.map_or(0, |r| r.n as u64),
                    method: RATIO.to_string(),
                },
                gross_joules: gross.0,
                net_joules: None,
                power_watts: power.0,
            })
        }
        Energy::Modelled { source, low, high } => {
            let watts = |joules: &Joules| (*joules / wall).0;
            wire::Energy::Modelled(wire::ModelledEnergy {
                scope: source.scope.into(),
                source: source.kind.to_string(),
                modelled_joules_per_unit_low: low.0 / work,
                modelled_joules_per_unit_high: high.0 / work,
                modelled_power_watts_low: watts(low),
                modelled_power_watts_high: watts(high),
                basis: source.basis.clone(),
            })
        }
        Energy::None { reason } => wire::Energy::None(wire::NoEnergy { reason: reason.clone() }),
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

fn latency(latency: &Latency) -> wire::Latency {
    let at = |p| latency.percentile(p).map(|s| s.0);
    wire::Latency {
        n: latency.count(),
        p50_seconds: at(0.5),
        p90_seconds: at(0.9),
        p99_seconds: at(0.99),
        p999_seconds: at(0.999),
        hdr_v2_base64: base64::engine::general_purpose::STANDARD.encode(latency.to_v2()),
    }
}
