//! From the run in memory to the document: what was seen. Everything that follows from it is filled in afterwards.

use super::run::{Outcome, Row, Run};
use super::{SCHEMA_VERSION, document_sha256, energy, figures, seed, wire};
use crate::kernels::hex;
use crate::measure::{Block, Latency, Measurement, Protocol, Sample, Window};
use crate::workload::DEPTH;
use base64::Engine;

impl From<&Run> for wire::Document {
    fn from(run: &Run) -> wire::Document {
        let mut document = wire::Document {
            schema_version: SCHEMA_VERSION.to_string(),
            run: wire::Run {
                id: run.id.clone(),
                started_at: run.started_at.to_string(),
                finished_at: run.finished_at.map(|at| at.to_string()),
                protocol: protocol(&run.protocol),
                verdict: wire::Verdict::Valid,
                reasons: run.faults.clone(),
            },
            manifest: run.manifest.clone(),
            measurements: run.rows.iter().filter_map(row).collect(),
            proof: wire::Proof {
                user_seed: run.user_seed,
                seed_sha256: hex(&seed(&run.manifest, run.user_seed).0),
                document_sha256: String::new(),
            },
        };
        figures::fill(&mut document);
        document.proof.document_sha256 = document_sha256(&document);
        document
    }
}

/// Every field of the protocol stands in the document, but for the length of batches, which each row's tuning chooses.
pub(super) fn protocol(protocol: &Protocol) -> wire::Protocol {
    let Protocol {
        mode,
        blocks,
        windows,
        window,
        block_longest,
        precision,
        longest,
        rest,
        baseline,
        baseline_longest,
        poll,
        batch: _,
        warm_up_slice,
        warm_up_longest,
    } = *protocol;
    wire::Protocol {
        mode: mode.name().to_string(),
        blocks: blocks as u64,
        windows: windows as u64,
        window_seconds: window.0,
        block_longest_seconds: block_longest.0,
        precision,
        longest_seconds: longest.0,
        rest_seconds: rest.0,
        baseline_seconds: baseline.0,
        baseline_longest_seconds: baseline_longest.0,
        least_poll_seconds: poll.0,
        batches_in_flight: DEPTH as u64,
        warm_up_slice_seconds: warm_up_slice.0,
        warm_up_longest_seconds: warm_up_longest.0,
    }
}

/// A row of which something is known.
fn row(row: &Row) -> Option<wire::Measurement> {
    let outcome = row.outcome.as_ref()?;
    let mut out = wire::Measurement {
        device: row.device.id.to_string(),
        class: row.device.class.name().to_string(),
        workload: wire::Workload {
            id: row.workload.to_string(),
            unit: row.unit.name().to_string(),
            shape: Some(row.shape.clone()).filter(|shape| !shape.is_empty()),
            layer: row.layer.clone(),
            model_sha256: row.model_sha256.clone(),
        },
        kernel: row.kernel.clone(),
        tuning: row.tuning.clone(),
        outcome: wire::Outcome::Measured,
        reason: None,
        verification: None,
        traffic: row.traffic.map(|traffic| wire::Traffic {
            operations_per_unit: traffic.operations_per_unit,
            bytes_per_unit: traffic.bytes_per_unit,
            from_memory: traffic.from_memory,
        }),
        blocks: Vec::new(),
        windows: Vec::new(),
        disturbed_windows: Vec::new(),
        outlier_windows: Vec::new(),
        drift: None,
        throughput: None,
        roof: None,
        energy: wire::Energy::None(wire::NoEnergy { reason: "nothing was measured".into() }),
        energy_other: Vec::new(),
        query: None,
        latency: None,
        work_proof: None,
        verdict: wire::Verdict::Valid,
        reasons: Vec::new(),
    };
    match outcome {
        Outcome::Measured(measurement) => fill(&mut out, measurement),
        Outcome::Unsupported(reason) => {
            out.outcome = wire::Outcome::Unsupported;
            out.reason = Some(reason.clone());
        }
        Outcome::Failed(reason) => {
            out.outcome = wire::Outcome::Failed;
            out.reason = Some(reason.clone());
        }
    }
    Some(out)
}

fn fill(out: &mut wire::Measurement, measurement: &Measurement) {
    let Measurement { verified, blocks, windows, latency, energy, proof, faults } = measurement;
    out.verification = Some(wire::Verification {
        checked: verified.checked,
        checked_in_windows: verified.checked_in_windows,
        worst_error_share: verified.worst,
    });
    out.blocks = blocks.iter().map(block).collect();
    out.windows = windows.iter().map(window).collect();
    let mut sources = energy.iter().map(energy::record);
    out.energy = sources.next().expect("a meter says at least that nothing is known");
    out.energy_other = sources.collect();
    out.latency = Some(histogram(latency));
    out.work_proof = proof.as_ref().map(wire::WorkProof::from);
    out.reasons = faults.clone();
}

fn block(block: &Block) -> wire::Block {
    wire::Block {
        rest_seconds: (block.step.load_from - block.step.idle_from).0,
        warm_up_seconds: (block.step.measured.from - block.step.load_from).0,
        warm_up_steady: block.warm_up_steady,
        telemetry_at_start: telemetry(&block.at_start),
    }
}

fn window(window: &Window) -> wire::Window {
    wire::Window {
        block: window.block as u64,
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
            throttle: board
                .throttle
                .map(|reasons| reasons.iter().map(|t| t.name().to_string()).collect()),
        }),
    }
}

/// The histogram; its percentiles follow.
fn histogram(latency: &Latency) -> wire::Latency {
    wire::Latency {
        n: latency.count(),
        p50_seconds: None,
        p90_seconds: None,
        p99_seconds: None,
        p999_seconds: None,
        hdr_v2_base64: base64::engine::general_purpose::STANDARD.encode(latency.to_v2()),
    }
}
