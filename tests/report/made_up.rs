//! Documents for reports. **They are made up**: the windows are those of a real quick run on a virtual machine without a GPU
//! (`tests/golden/run.json`); devices, rates, meters, joules and faults are invented here so that everything that can stand in a report
//! does. What follows from them is filled in by the library. No figure of theirs is of any real card, and none of them is truthful.

use rigbench::kernels::hex;
use rigbench::results::{self, wire};
use std::path::PathBuf;
use std::sync::LazyLock;
use wire::{Document, Energy, Measurement, Outcome, Scope};

/// The real run.
pub static BASE: LazyLock<Document> = LazyLock::new(|| {
    let text = std::fs::read(golden("run.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
});

/// A file beside the tests.
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// What a stranger may call a device.
pub const HOSTILE: &str = "<script>alert('x')</script> \"card\" | `a` & *b*_c_ </table> [d](e)";

/// Fills in what follows, and the digests.
pub fn sign(document: &mut Document) {
    results::fill(document);
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    document.proof.seed_sha256 = hex(&seed.0);
    document.proof.document_sha256 = results::document_sha256(document);
}

/// The rows of a device as those of another, so many times as fast, on a machine at rest: rates scatter by some tenths of a percent.
fn taken(id: &str, times: f64) -> Vec<Measurement> {
    let rows = BASE.measurements.iter().filter(|m| m.device == id);
    rows.cloned()
        .map(|mut m| {
            // The real run was made while others were at work, and its roofs were low.
            let roof = ["peak", "stream"].contains(&m.workload.id.as_str());
            let times = if roof { 8.0 * times } else { times };
            let rate = times * m.throughput.as_ref().map_or(0.0, |t| t.value);
            for (i, window) in m.windows.iter_mut().enumerate() {
                let scatter = [0.0, 0.004, -0.003, 0.002, -0.005, 0.001, -0.002][i % 7];
                let of_block = [0.001, -0.002, 0.0][window.block as usize % 3];
                let work = rate * (1.0 + scatter + of_block) * window.wall_seconds;
                window.work = work.round() as u64;
                window.telemetry.cpu_use = None;
                window.cpu_seconds = 0.05 * window.wall_seconds;
            }
            m.reasons.clear();
            m
        })
        .collect()
}

fn device(of: &str, id: &str, class: &str, name: &str) -> wire::Device {
    let mut device = BASE.manifest.devices.iter().find(|d| d.id == of).unwrap().clone();
    (device.id, device.class, device.name) = (id.into(), class.into(), name.into());
    device.software = class == "software-gpu";
    device
}

fn meter(kind: &str, model: &str, quantity: wire::Quantity, accuracy: f64) -> wire::Meter {
    wire::Meter {
        kind: kind.into(),
        model: model.into(),
        driver: None,
        quantity,
        update_period_seconds: Some(0.1),
        poll_seconds: 0.02,
        ceiling_watts: 2000.0,
        accuracy,
        accuracy_basis: "assumed".into(),
        accuracy_reference: "made up for a test".into(),
    }
}

/// Energy of a meter that shows about so many watts: a counter, or readings of watts.
pub fn metered(m: &Measurement, counter: bool, watts: f64, scope: Scope) -> Energy {
    let quantity = match counter {
        true => wire::Quantity::Counter { range_joules: vec![None], duty: 1.0 },
        false => wire::Quantity::Power { averaging_seconds: 0.0 },
    };
    let source = match counter {
        true => meter("nvml", "a made-up card", quantity, 0.02),
        false => meter("shelly", "a made-up plug", quantity, 0.01),
    };
    let (mut before, mut values) = (Vec::new(), Vec::new());
    let load = |t: f64| watts * (1.0 + 0.04 * (3.1 * t).sin() + 0.02 * (17.0 * t).sin());
    let mut joules = 1000.0;
    for (block, went_before) in m.windows.chunk_by(|a, b| a.block == b.block).zip(&m.blocks) {
        let last = &block[block.len() - 1];
        let (from, to) = (block[0].started_seconds, last.started_seconds + last.wall_seconds + 1.0);
        let load_from = from - went_before.warm_up_seconds;
        let mut t = before.last().map_or(f64::NEG_INFINITY, |last| last + 0.1);
        t = t.max(load_from - went_before.rest_seconds);
        while t < to {
            let power = if t < load_from { 0.2 * watts } else { load(t) };
            joules += 0.1 * power;
            before.push(t);
            values.push(vec![if counter { joules } else { power }]);
            t += 0.1;
        }
    }
    let energy = wire::MeasuredEnergy {
        scope,
        includes: String::new(),
        excludes: String::new(),
        source,
        blocks: Vec::new(),
        joules_per_unit: wire::PerUnit {
            value: 0.0,
            ci95_low: None,
            ci95_high: None,
            n: 0,
            method: String::new(),
        },
        gross_joules: 0.0,
        net_joules: None,
        power_watts: 0.0,
        idle: Some(wire::Idle {
            power_watts: 0.2 * watts,
            half_width_watts: 0.5,
            seconds: 4.0,
            method: "the same source, nothing running, before the first row".into(),
        }),
        uncertainty: wire::Uncertainty {
            meter_joules: 0.0,
            window_joules: 0.0,
            statistical_joules: 0.0,
        },
        update_period_seconds: None,
        samples: 0,
        rejected_samples: 0,
        failed_reads: 0,
        coverage: 0.0,
        wraps: 0,
        cross_checks: Vec::new(),
        response: None,
        sampler_core_share: 0.001,
        readings: wire::Readings {
            after_seconds: before.iter().map(|t| t + 0.0005).collect(),
            before_seconds: before,
            values,
        },
        readings_sha256: String::new(),
    };
    match counter {
        true => Energy::MeasuredCounter(energy),
        false => Energy::MeasuredSampled(energy),
    }
}

pub fn declared(watts: f64, scope: Scope, own: bool) -> Energy {
    Energy::Declared(wire::DeclaredEnergy {
        scope,
        joules_per_unit: wire::PerUnit {
            value: 0.0,
            ci95_low: None,
            ci95_high: None,
            n: 0,
            method: String::new(),
        },
        gross_joules: 0.0,
        net_joules: None,
        power_watts: watts,
        for_this_workload: own,
    })
}

fn nothing(reason: &str) -> Energy {
    Energy::None(wire::NoEnergy { reason: reason.into() })
}

pub fn not_measured(m: &mut Measurement, outcome: Outcome, reason: &str) {
    (m.outcome, m.reason) = (outcome, Some(reason.into()));
    (m.windows, m.blocks) = (Vec::new(), Vec::new());
    m.disturbed_windows.clear();
    m.outlier_windows.clear();
    (m.throughput, m.work_proof, m.latency, m.drift) = (None, None, None, None);
    (m.roof, m.query, m.verification) = (None, None, None);
    m.energy = nothing("nothing was measured");
    m.energy_other.clear();
}

/// A run with every kind of energy, of outcome and of class: a discrete card, an integrated one with a long name, a software adapter
/// and the processor.
pub fn everything() -> Document {
    let mut document = BASE.clone();
    document.manifest.host.gpus = Some(2);
    document.run.reasons.clear();
    document.manifest.devices = vec![
        device("gpu:0", "gpu:0", "discrete-gpu", "NVIDIA GeForce RTX 4090"),
        device(
            "gpu:0",
            "gpu:1",
            "integrated-gpu",
            "AMD Radeon Graphics of an uncommonly long name that a driver gives itself (RADV RAPHAEL_MENDOCINO)",
        ),
        device("gpu:0", "gpu:2", "software-gpu", "llvmpipe (LLVM 15.0.6, 256 bits)"),
        device("cpu", "cpu", "cpu", "AMD Ryzen 9 7950X 16-Core Processor"),
    ];
    let of = |from: &str, id: &str, class: &str, times: f64| {
        let mut rows = taken(from, times);
        for m in &mut rows {
            (m.device, m.class) = (id.into(), class.into());
        }
        rows
    };
    let mut rows = of("gpu:0", "gpu:0", "discrete-gpu", 180.0);
    rows.extend(of("gpu:0", "gpu:1", "integrated-gpu", 9.0));
    rows.extend(of("gpu:0", "gpu:2", "software-gpu", 1.0));
    rows.extend(of("cpu", "cpu", "cpu", 8.0));
    for m in &mut rows {
        energies(m);
    }
    document.measurements = rows;
    sign(&mut document);
    document
}

fn energies(m: &mut Measurement) {
    let device = m.device.clone();
    let card = device == "gpu:0";
    let (board, wall) = match device.as_str() {
        "gpu:0" => (310.0, 455.0),
        "gpu:1" => (38.0, 96.0),
        "gpu:2" => (88.0, 150.0),
        _ => (120.0, 190.0),
    };
    m.energy_other.clear();
    let of_board = if device.starts_with("gpu") { Scope::GpuBoard } else { Scope::CpuPackage };
    match m.workload.spec().as_str() {
        "sha256d" => {
            // A plug for all, and the card's own counter besides.
            m.energy = metered(m, false, wall, Scope::Wall);
            m.energy_other = vec![metered(m, true, board, of_board)];
        }
        spec if spec.starts_with("gemm") => m.energy = metered(m, true, board, of_board),
        spec if spec.starts_with("gemv") => m.energy = declared(wall - 20.0, Scope::Wall, true),
        spec if spec.starts_with("decode") && device != "gpu:1" => {
            m.energy = metered(m, true, 0.8 * board, Scope::Machine);
        }
        spec if spec.starts_with("prefill") && card => {
            m.energy = nothing("nvml: the card went to sleep and gave no reading");
        }
        _ => {}
    }
    match (m.workload.spec().as_str(), device.as_str()) {
        ("peak:f16", "cpu") => {
            not_measured(m, Outcome::Unsupported, "this processor does not multiply in f16")
        }
        ("stream", "gpu:1") => {
            not_measured(
                m,
                Outcome::Failed,
                "the device gave up: lost while it was reading 256 MiB",
            );
        }
        ("peak:f32", "gpu:1") => {
            m.reasons.push("the board was slowed down (thermal-hardware) at 4 of 10 looks".into());
        }
        ("sha256d", "gpu:2") => {
            for window in m.windows.iter_mut().take(3) {
                window.telemetry.cpu_use = Some(0.4);
            }
        }
        _ => {}
    }
    // More sequences cost more joules a step, and fewer a token.
    let batch: f64 = m
        .workload
        .shape
        .iter()
        .flat_map(|shape| shape.split(':'))
        .find_map(|part| part.strip_prefix("batch=")?.parse().ok())
        .unwrap_or(1.0);
    if batch > 1.0 && card {
        for window in &mut m.windows {
            window.work = (window.work as f64 * batch.powf(0.7)).round() as u64;
        }
        if let Energy::MeasuredCounter(_) = m.energy {
            m.energy = metered(m, true, 0.8 * board + 3.0 * batch, Scope::Machine);
        }
    }
}

/// A run whose names are those of an attacker.
pub fn hostile() -> Document {
    let mut document = BASE.clone();
    for device in &mut document.manifest.devices {
        device.name = HOSTILE.into();
    }
    document.manifest.host.cpu = HOSTILE.into();
    for m in &mut document.measurements {
        m.reasons.push(HOSTILE.into());
    }
    document.manifest.environment.insert(HOSTILE.into(), HOSTILE.into());
    sign(&mut document);
    document
}

/// Runs of many machines, each with a card and a processor of its own kind or of one that others have too.
pub fn fleet(machines: usize) -> Vec<Document> {
    (0..machines).map(machine).collect()
}

fn machine(number: usize) -> Document {
    let mut document = BASE.clone();
    let spread = |salt: usize| ((number * 37 + salt * 101) % 97) as f64 / 97.0;
    let kind = number * 7 % 23;
    let card = format!("Made-up Card {}{}", 1000 + 90 * kind, ["", " Ti", " XT"][kind % 3]);
    let processor = format!("Made-up Processor {}", 100 + 10 * (kind % 9));
    document.manifest.devices = vec![
        device("gpu:0", "gpu:0", "discrete-gpu", &card),
        device("cpu", "cpu", "cpu", &processor),
    ];
    document.run.reasons.clear();
    document.manifest.host.cpu = processor;
    document.run.id = format!("00000000-0000-4000-8000-{number:012}");
    document.run.started_at =
        format!("2026-{:02}-{:02}T10:00:00Z", 1 + number % 11, 1 + number % 28);
    let faster = 40.0 + 6.0 * kind as f64;
    let mut rows = taken("gpu:0", faster * (0.98 + 0.04 * spread(1)));
    rows.extend(taken("cpu", 1.0 + 0.6 * (kind % 9) as f64 + 0.05 * spread(2)));
    for m in &mut rows {
        let card = m.device == "gpu:0";
        m.class = if card { "discrete-gpu" } else { "cpu" }.into();
        m.energy = match (number % 4, card) {
            (0 | 1, true) => {
                metered(m, true, 180.0 + 11.0 * kind as f64 + 6.0 * spread(3), Scope::GpuBoard)
            }
            (0 | 1, false) => metered(m, true, 90.0 + 8.0 * spread(4), Scope::CpuPackage),
            (2, _) => declared(420.0 + 40.0 * spread(5), Scope::Wall, true),
            _ => m.energy.clone(),
        };
        if number % 19 == 5 && m.workload.id == "gemm" {
            m.reasons.push("others took the processor in 9 of 15 windows".into());
        }
    }
    document.measurements = rows;
    sign(&mut document);
    document
}
