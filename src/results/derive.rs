//! From the run in memory to the document: medians and intervals from windows and nothing else.

use super::run::{Outcome, Row, Run};
use super::{SCHEMA_VERSION, document_sha256, seed};
use super::{energy, roof, wire};
use crate::kernels::hex;
use crate::measure::stats::{Estimate, median_interval};
use crate::measure::{Latency, Measurement, Protocol, Sample, Window};
use crate::units::{Seconds, Unit, Work};
use crate::workload::DEPTH;
use base64::Engine;

/// How intervals of a median are found.
const ORDER_STATISTICS: &str = "median over windows, interval between order statistics";

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
        longest_seconds: protocol.longest.0,
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
        telemetry_at_start: None,
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
    out.telemetry_at_start = Some(telemetry(&measurement.at_start));
    out.windows = measurement.windows.iter().map(window).collect();
    out.throughput = rate.map(|estimate| throughput(&estimate, unit));
    let mut energy: Vec<wire::Energy> = measurement
        .energy
        .iter()
        .map(|source| energy::derive(source, work, wall, rate.as_ref()))
        .collect();
    energy.sort_by(energy::headline_first);
    out.energy = energy.remove(0);
    out.energy_other = energy;
    out.latency = Some(latency(&measurement.latency));
    out.work_proof = measurement.proof.as_ref().map(wire::WorkProof::from);
    out.reasons = measurement.faults.clone();
    out.verdict = verdict(&out.reasons);
}

fn window(window: &Window) -> wire::Window {
    wire::Window {
        started_seconds: window.started.0,
        wall_seconds: window.wall.0,
        cpu_seconds: window.cpu.0,
        gpu_seconds: window.gpu.map(|s| s.0),
        work: window.work.0,
        telemetry: telemetry(&window.sample),
    }
}

fn telemetry(sample: &Sample) -> wire::Telemetry {
    let Sample { cpu_use, cpu_hertz, temperatures, gpu_use, board } = sample.clone();
    wire::Telemetry {
        cpu_use,
        cpu_hertz,
        temperatures: temperatures
            .into_iter()
            .map(|t| wire::Temperature { sensor: t.sensor, celsius: t.celsius })
            .collect(),
        gpu_use,
        board: board.map(|board| wire::Board {
            celsius: board.celsius,
            core_hertz: board.core_hertz,
            memory_hertz: board.memory_hertz,
            power_limit_watts: board.power_limit.map(|watts| watts.0),
            throttle: board.throttle.iter().map(|t| t.name().to_string()).collect(),
        }),
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
