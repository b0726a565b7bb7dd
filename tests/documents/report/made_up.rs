//! Documents for reports. **They are made up**: the windows are those of a real quick run on a virtual machine without a GPU
//! (`tests/golden/run.json`); devices, rates, meters, joules and faults are invented here so that everything that can stand in a report
//! does. What follows from them is filled in by the library. No figure of theirs is of any real card, and none of them is consistent.

use rigbench::device::{Class, Device, DeviceId};
use rigbench::energy::{
    Accuracy, Basis, Idle, MeterKind, Quantity, Readings, Scope, SourceInfo, Stated, Throttle,
};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{
    Baseline, Document, Evidence, Failure, FailureCode, OrNewer, Origin, Outcome, Row, Source,
};
use rigbench::units::{Seconds, Watts};
use rigbench::workload::Id;
use std::path::PathBuf;
use std::sync::LazyLock;

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

/// The rows of evidence, to be changed.
pub fn rows(evidence: &mut Evidence) -> impl Iterator<Item = &mut Row> {
    evidence.rows.iter_mut().filter_map(OrNewer::known_mut)
}

/// The rows of a device as those of another, so many times as fast, on a machine at rest: rates scatter by some tenths of a percent.
fn taken(from: &str, id: &str, times: f64) -> Vec<Row> {
    let of: DeviceId = from.parse().unwrap();
    let rows = BASE.rows().filter(|(row, _)| row.device == of);
    rows.map(|(row, figures)| {
        let mut row = row.clone();
        row.device = id.parse().unwrap();
        // The real run was made while others were at work, and its ceilings were low.
        let times = if row.workload.id.is_ceiling() { 8.0 * times } else { times };
        let rate = times * figures.throughput.map_or(0.0, |rate| rate.middle());
        calm(&mut row, rate);
        row
    })
    .collect()
}

/// Rates as of a machine at rest.
fn calm(row: &mut Row, rate: f64) {
    let Some(windows) = &mut row.windows else { return };
    let blocks = windows.blocks();
    for (block, of_block) in blocks.iter().zip([0.001, -0.002, 0.0].into_iter().cycle()) {
        for i in block.windows.clone() {
            let scatter = [0.0, 0.004, -0.003, 0.002, -0.005, 0.001, -0.002][i % 7];
            let wall = windows.wall_seconds[i];
            windows.work[i] = (rate * (1.0 + scatter + of_block) * wall).round() as u64;
            windows.cpu_seconds[i] = 0.05 * wall;
            if let Some(gpu) = &mut windows.gpu_seconds {
                gpu[i] = 0.98 * wall;
            }
        }
    }
    // Shares of another claim would cut it.
    row.proof = None;
    row.telemetry.as_mut().unwrap().cpu_use.clear();
}

fn device(of: &str, id: &str, class: Class, name: &str) -> Device {
    let of: DeviceId = of.parse().unwrap();
    let mut device = BASE.evidence.manifest.device(&of).unwrap().clone();
    (device.id, device.class, device.name) = (id.parse().unwrap(), class, name.into());
    device
}

fn devices(evidence: &mut Evidence, all: &[(&str, &str, Class, &str)]) {
    let made = all.iter().map(|(of, id, class, name)| device(of, id, *class, name).into());
    evidence.manifest.devices = made.collect();
}

fn meter(counter: bool, scope: Scope) -> SourceInfo {
    let (kind, model, quantity, share) = match counter {
        true => {
            let quantity = Quantity::Counter { ranges: vec![None], duty: 1.0 };
            (MeterKind::Nvml, "a made-up card", quantity, 0.02)
        }
        false => {
            let quantity = Quantity::Power { averaging: Seconds(0.0) };
            (MeterKind::Shelly, "a made-up plug", quantity, 0.01)
        }
    };
    SourceInfo {
        kind,
        model: model.into(),
        driver: None,
        scope,
        quantity,
        update_period: Some(Seconds(0.1)),
        poll: Seconds(0.02),
        ceiling: Watts(2000.0),
        accuracy: Accuracy { share, basis: Basis::Assumed, reference: "made up for a test".into() },
    }
}

/// What a meter says that shows about so many watts: a counter, or readings of watts.
fn readings(row: &Row, place: usize, counter: bool, watts: f64) -> Readings {
    let mut readings = Readings { source: place, sampler_core_share: 0.001, ..Readings::default() };
    let load = |t: f64| watts * (1.0 + 0.04 * (3.1 * t).sin() + 0.02 * (17.0 * t).sin());
    let (mut joules, mut values) = (1000.0, Vec::new());
    for step in row.windows.as_ref().unwrap().steps() {
        let last = readings.at_seconds.last().map_or(f64::NEG_INFINITY, |last| last + 0.1);
        let mut t = last.max(step.idle_from.0);
        while t < step.measured.to.0 + 1.0 {
            let power = if t < step.load_from.0 { 0.2 * watts } else { load(t) };
            joules += 0.1 * power;
            readings.at_seconds.push(t);
            readings.took_seconds.push(0.0005);
            values.push(if counter { joules } else { power });
            t += 0.1;
        }
    }
    readings.values = vec![values];
    readings
}

/// The place of a source in the manifest, which is added if it is not there.
fn place(evidence: &mut Evidence, source: Source) -> usize {
    let same = |known: &OrNewer<Source>| known.known() == Some(&source);
    if let Some(place) = evidence.manifest.sources.iter().position(same) {
        return place;
    }
    evidence.manifest.sources.push(source.into());
    evidence.manifest.sources.len() - 1
}

/// Gives a row a meter of its device and workload alone, which shows about so many watts.
pub fn metered(evidence: &mut Evidence, i: usize, counter: bool, watts: f64, scope: Scope) {
    let row = evidence.rows[i].known().unwrap().clone();
    if row.outcome != Outcome::Measured {
        return;
    }
    let place = place(
        evidence,
        Source {
            devices: vec![row.device.clone()],
            workload: Some(row.workload.id),
            origin: Origin::Meter(meter(counter, scope)),
        },
    );
    if evidence.baselines.iter().all(|baseline| baseline.source != place) {
        let idle = Idle {
            power: Watts(0.2 * watts),
            half_width: Watts(0.5),
            seconds: Seconds(4.0),
            again: false,
        };
        evidence.baselines.push(Baseline { source: place, idle });
    }
    let readings = readings(&row, place, counter, watts);
    evidence.rows[i].known_mut().unwrap().readings.push(readings);
}

/// Declares the watts of a workload on its device, or of all of them.
pub fn declared(evidence: &mut Evidence, i: usize, watts: f64, scope: Scope, own: bool) {
    let row = evidence.rows[i].known().unwrap();
    let source = Source {
        devices: vec![row.device.clone()],
        workload: own.then_some(row.workload.id),
        origin: Origin::Stated(Stated::Declared { power: Watts(watts), scope }),
    };
    place(evidence, source);
}

/// Bounds for a row's workload on its device, or for all of them.
fn modelled(evidence: &mut Evidence, i: usize, low: f64, high: f64, own: bool) {
    let row = evidence.rows[i].known().unwrap();
    let (low, high, basis) = (Watts(low), Watts(high), "made up for a test".into());
    let source = Source {
        devices: vec![row.device.clone()],
        workload: own.then_some(row.workload.id),
        origin: Origin::Stated(Stated::Modelled { low, high, scope: Scope::Machine, basis }),
    };
    place(evidence, source);
}

/// A row of which nothing was measured.
pub fn not_measured(row: &mut Row, outcome: Outcome) {
    *row = Row { outcome, ..Row::new(row.device.clone(), row.workload.clone()) };
}

/// A card that was slowed down for its heat.
fn slowed_down(row: &mut Row) {
    let telemetry = row.telemetry.as_mut().unwrap();
    let none = vec![None; telemetry.samples];
    let throttle =
        (0..telemetry.samples).map(|i| Some(vec![Throttle::ThermalHardware; (i < 4).into()]));
    telemetry.board = Some(BoardTelemetry {
        celsius: none.clone(),
        core_hertz: none.clone(),
        memory_hertz: none.clone(),
        power_limit_watts: none,
        throttle: throttle.collect(),
    });
}

/// A run with every kind of energy, of outcome and of class: a discrete card, an integrated one with a long name, a software adapter
/// and the processor.
pub fn everything() -> Document {
    let mut evidence = BASE.evidence.clone();
    evidence.manifest.host.gpus = 2;
    devices(
        &mut evidence,
        &[
            ("gpu:0", "gpu:0", Class::DiscreteGpu, "NVIDIA GeForce RTX 4090"),
            (
                "gpu:0",
                "gpu:1",
                Class::IntegratedGpu,
                "AMD Radeon Graphics of an uncommonly long name that a driver gives itself (RADV RAPHAEL_MENDOCINO)",
            ),
            ("gpu:0", "gpu:2", Class::SoftwareGpu, "llvmpipe (LLVM 15.0.6, 256 bits)"),
            ("cpu", "cpu", Class::Cpu, "AMD Ryzen 9 7950X 16-Core Processor"),
        ],
    );
    let mut rows = taken("gpu:0", "gpu:0", 180.0);
    rows.extend(taken("gpu:0", "gpu:1", 9.0));
    rows.extend(taken("gpu:0", "gpu:2", 1.0));
    rows.extend(taken("cpu", "cpu", 8.0));
    evidence.rows = rows.into_iter().map(OrNewer::Known).collect();
    evidence.manifest.sources.clear();
    evidence.baselines.clear();
    for i in 0..evidence.rows.len() {
        energies(&mut evidence, i);
    }
    Document::of(evidence)
}

fn energies(evidence: &mut Evidence, i: usize) {
    let row = evidence.rows[i].known_mut().unwrap();
    let (device, id) = (row.device.to_string(), row.workload.id);
    let card = device == "gpu:0";
    let (board, wall) = match device.as_str() {
        "gpu:0" => (310.0, 455.0),
        "gpu:1" => (38.0, 96.0),
        "gpu:2" => (88.0, 150.0),
        _ => (120.0, 190.0),
    };
    let spec = row.workload.spec.clone();
    match (spec.as_str(), device.as_str()) {
        ("peak:f16", "cpu") => {
            let why = "this processor does not multiply in f16";
            return not_measured(row, Outcome::Unsupported(Failure::new(FailureCode::Limit, why)));
        }
        ("stream", "gpu:1") => {
            let why = "the device gave up: lost while it was reading 256 MiB";
            return not_measured(row, Outcome::Failed(Failure::new(FailureCode::Driver, why)));
        }
        ("peak:f32", "gpu:1") => slowed_down(row),
        ("sha256d", "gpu:2") => {
            let samples = row.telemetry.as_ref().unwrap().samples;
            let used = (0..samples).map(|look| Some(if look < 4 { 0.4 } else { 0.05 }));
            row.telemetry.as_mut().unwrap().cpu_use = used.collect();
        }
        _ => {}
    }
    // More sequences cost more joules a step, and fewer a token.
    let batch = row.workload.shape.batch.unwrap_or(1) as f64;
    if batch > 1.0 && card {
        for work in &mut row.windows.as_mut().unwrap().work {
            *work = (*work as f64 * batch.powf(0.7)).round() as u64;
        }
    }
    let of_board = if device.starts_with("gpu") { Scope::GpuBoard } else { Scope::CpuPackage };
    match id {
        Id::Sha256d => {
            // A plug for all, and the card's own counter besides.
            metered(evidence, i, false, wall, Scope::Wall);
            metered(evidence, i, true, board, of_board);
        }
        Id::Gemm => metered(evidence, i, true, board, of_board),
        Id::Gemv => declared(evidence, i, wall - 20.0, Scope::Wall, true),
        Id::Decode if device != "gpu:1" => {
            let more = if batch > 1.0 { 3.0 * batch } else { 0.0 };
            metered(evidence, i, true, 0.8 * board + more, Scope::Machine);
        }
        Id::Prefill if card => {
            let why = "nvml: the card went to sleep and gave no reading";
            evidence.rows[i].known_mut().unwrap().no_source = Some(why.into());
        }
        _ => modelled(evidence, i, 0.2 * wall, 1.2 * wall, true),
    }
}

/// A run whose names are those of an attacker.
pub fn hostile() -> Document {
    let mut evidence = BASE.evidence.clone();
    for device in evidence.manifest.devices.iter_mut().filter_map(OrNewer::known_mut) {
        device.name = HOSTILE.into();
    }
    evidence.manifest.host.cpu = HOSTILE.into();
    for source in evidence.manifest.sources.iter_mut().filter_map(OrNewer::known_mut) {
        if let Origin::Stated(Stated::Modelled { basis, .. }) = &mut source.origin {
            *basis = HOSTILE.into();
        }
    }
    for row in rows(&mut evidence).filter(|row| row.workload.spec == "peak:f16") {
        not_measured(row, Outcome::Failed(Failure::new(FailureCode::Driver, HOSTILE)));
    }
    evidence.manifest.environment.insert(HOSTILE.into(), HOSTILE.into());
    evidence.run.labels.insert(HOSTILE.into(), HOSTILE.into());
    Document::of(evidence)
}

/// Runs of many machines, each with a card and a processor of its own kind or of one that others have too.
pub fn fleet(machines: usize) -> Vec<Document> {
    (0..machines).map(machine).collect()
}

fn machine(number: usize) -> Document {
    let mut evidence = BASE.evidence.clone();
    let spread = |salt: usize| ((number * 37 + salt * 101) % 97) as f64 / 97.0;
    let kind = number * 7 % 23;
    let card = format!("Made-up Card {}{}", 1000 + 90 * kind, ["", " Ti", " XT"][kind % 3]);
    let processor = format!("Made-up Processor {}", 100 + 10 * (kind % 9));
    devices(
        &mut evidence,
        &[("gpu:0", "gpu:0", Class::DiscreteGpu, &card), ("cpu", "cpu", Class::Cpu, &processor)],
    );
    evidence.manifest.host.cpu = processor;
    evidence.run.id = format!("00000000-0000-4000-8000-{number:012}");
    evidence.run.started_at =
        format!("2027-{:02}-{:02}T10:00:00Z", 1 + number % 11, 1 + number % 28).parse().unwrap();
    let faster = 40.0 + 6.0 * kind as f64;
    let mut all = taken("gpu:0", "gpu:0", faster * (0.98 + 0.04 * spread(1)));
    all.extend(taken("cpu", "cpu", 1.0 + 0.6 * (kind % 9) as f64 + 0.05 * spread(2)));
    evidence.rows = all.into_iter().map(OrNewer::Known).collect();
    evidence.manifest.sources.clear();
    evidence.baselines.clear();
    for i in 0..evidence.rows.len() {
        let row = evidence.rows[i].known_mut().unwrap();
        let card = row.device.to_string() == "gpu:0";
        if number % 19 == 5 && row.workload.id == Id::Gemm {
            let windows = row.windows.as_mut().unwrap();
            windows.cpu_seconds.fill(0.0);
            let samples = row.telemetry.as_ref().unwrap().samples;
            row.telemetry.as_mut().unwrap().cpu_use = vec![Some(0.5); samples];
        }
        match (number % 4, card) {
            (0 | 1, true) => {
                let watts = 180.0 + 11.0 * kind as f64 + 6.0 * spread(3);
                metered(&mut evidence, i, true, watts, Scope::GpuBoard);
            }
            (0 | 1, false) => {
                metered(&mut evidence, i, true, 90.0 + 8.0 * spread(4), Scope::CpuPackage);
            }
            (2, _) => declared(&mut evidence, i, 420.0 + 40.0 * spread(5), Scope::Wall, true),
            _ => modelled(&mut evidence, i, 20.0, 120.0, false),
        }
    }
    Document::of(evidence)
}
