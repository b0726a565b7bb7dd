//! An honest run that all tests here begin with, and its forger, who has our code.

use crate::draw::Draw;
use crate::{support, sysfs};
use rigbench::kernels::hex;
use rigbench::results::read::{self, Given, ReadError};
use rigbench::results::{self, Depth, Findings, wire};
use std::iter::once;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::{Document, Energy};

/// A run, and what the program told meanwhile.
pub struct Honest {
    /// As the program wrote it.
    pub written: Document,
    /// As it would have written it on an idle machine, with meters that are read on time.
    pub document: Document,
    pub told: String,
}

/// A short run of several workloads on the processor, with a counter, a meter of watts, declared watts and a model.
pub static RUN: LazyLock<Honest> = LazyLock::new(|| {
    let zone = "class/powercap/intel-rapl:0";
    let sysfs = sysfs::Sysfs::with(&[
        (&format!("{zone}/name"), "package-0"),
        (&format!("{zone}/energy_uj"), "1000"),
        (&format!("{zone}/max_energy_range_uj"), "262143328850"),
    ]);
    let file = sysfs.path().join(zone).join("energy_uj");
    let over = AtomicBool::new(false);
    let out = tempfile::tempdir().unwrap();
    let draw = Draw::new(20.0, 40.0);
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                sysfs::put(&file, &format!("{:.0}", 1e3 + 1e6 * draw.joules()));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let output = run(&draw, sysfs.path(), out.path());
        over.store(true, Ordering::Relaxed);
        output
    });
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    let written = serde_json::from_slice(&output.stdout).unwrap();
    Honest { document: undisturbed(&written), written, told }
});

fn run(draw: &Draw, sysfs: &Path, out: &Path) -> std::process::Output {
    let mut run =
        support::rigbench(&["run", "--quick", "--device", "cpu", "--json", "--power", "rapl"]);
    for workload in ["sha256d", "gemm:48x40x56:int8", "peak:f32"] {
        run.args(["--workload", workload]);
    }
    let plug = draw.command(["61", "59"], "0.1");
    run.args(["--power", &plug, "--power", "declared:70", "--power", "model:idle=20,max=90"]);
    run.env("RIGBENCH_SYSFS", sysfs).env("RIGBENCH_LOG", "info");
    draw.run(run.arg("--out").arg(out))
}

/// A run without what other programs did to it: its work is spread evenly, it had all of the processor, and its meters were
/// read on time. How often rows were measured and what they computed stays.
fn undisturbed(written: &Document) -> Document {
    let mut document = written.clone();
    let threads = document.manifest.host.cores as f64;
    for (m, ran) in document.measurements.iter_mut().zip(&written.measurements) {
        // The same work in all, which the proof shows.
        let mut left: u64 = m.windows.iter().map(|window| window.work).sum();
        let rate = left as f64 / m.windows.iter().map(|window| window.wall_seconds).sum::<f64>();
        let last = m.windows.len() - 1;
        for (i, window) in m.windows.iter_mut().enumerate() {
            let scatter = [0.0, 0.002, -0.002, 0.001, -0.001][i % 5];
            let work = (rate * (1.0 + scatter) * window.wall_seconds) as u64;
            window.work = if i == last { left } else { work };
            left -= window.work;
            window.cpu_seconds = 0.98 * threads * window.wall_seconds;
            window.telemetry.cpu_use = None;
        }
        m.reasons.clear();
        let mut energies = Vec::new();
        for meter in written.manifest.sources.iter().filter_map(|source| source.meter.as_ref()) {
            let all =
                || written.measurements.iter().flat_map(|m| once(&m.energy).chain(&m.energy_other));
            let template = all().find(|energy| match energy {
                Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => e.source == *meter,
                _ => false,
            });
            let mut energy = template.expect("each source has joules of some row").clone();
            if let Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) = &mut energy {
                read_on_time(e, ran);
            }
            energies.push(energy);
        }
        let stated = once(&ran.energy).chain(&ran.energy_other);
        energies.extend(
            stated.filter(|e| matches!(e, Energy::Declared(_) | Energy::Modelled(_))).cloned(),
        );
        m.energy = energies.remove(0);
        m.energy_other = energies;
    }
    document.run.reasons.clear();
    sign(&mut document);
    assert_eq!(document.run.verdict, wire::Verdict::Valid, "{:?}", document.run.reasons);
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    document
}

/// Readings of a load of known power: idle while the row rests before a block, and at work otherwise.
fn read_on_time(e: &mut wire::MeasuredEnergy, m: &wire::Measurement) {
    let counts = matches!(e.source.quantity, wire::Quantity::Counter { .. });
    let (idle, load, step) = if counts { (20.0, 40.0, 0.04) } else { (35.0, 60.0, 0.1) };
    let idles: Vec<(f64, f64)> = blocks(m)
        .zip(&m.blocks)
        .map(|((from, _), block)| {
            let warm_up = from - block.warm_up_seconds;
            (warm_up - block.rest_seconds, warm_up)
        })
        .collect();
    let is_idle = |t: f64| idles.iter().any(|(from, to)| (*from..*to).contains(&t));
    let saved = |t: f64| idles.iter().map(|(from, to)| (t.min(*to) - from).max(0.0)).sum::<f64>();
    let readings = &mut e.readings;
    (readings.before_seconds, readings.after_seconds, readings.values) = Default::default();
    let mut number = 0;
    for ((_, end), (begin, _)) in blocks(m).zip(&idles) {
        let latest = readings.after_seconds.last().map_or(f64::NEG_INFINITY, |at| at + step);
        let mut at = latest.max(begin - 0.7);
        while at < end + 0.7 {
            number += 1;
            // As meters do, it never shows quite the same twice.
            let wobble = if number % 2 == 0 { 1.0 } else { -1.0 };
            let value = match counts {
                true => 1e4 + load * at - (load - idle) * saved(at),
                false => wobble + if is_idle(at) { idle } else { load },
            };
            readings.before_seconds.push(at - 1e-4);
            readings.after_seconds.push(at);
            readings.values.push(vec![value]);
            at += step;
        }
    }
    let baseline = e.idle.as_mut().expect("it was read before the first row");
    (baseline.power_watts, baseline.half_width_watts) = (idle, 0.01 * idle);
    e.failed_reads = 0;
}

/// Where the windows of each block begin and end.
fn blocks(m: &wire::Measurement) -> impl Iterator<Item = (f64, f64)> {
    m.windows.chunk_by(|a, b| a.block == b.block).map(|windows| {
        let last = windows.last().unwrap();
        (windows[0].started_seconds, last.started_seconds + last.wall_seconds)
    })
}

/// Fills in again what follows, as a forger with our code would.
pub fn sign(document: &mut Document) {
    results::fill(document);
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    document.proof.seed_sha256 = hex(&seed.0);
    document.proof.document_sha256 = results::document_sha256(document);
}

/// What validate says of a document's text.
pub fn findings_of(text: &[u8]) -> Findings {
    judged(read::read(text))
}

fn judged(read: Result<Given, ReadError>) -> Findings {
    match read {
        Ok(given) => results::validate(&given, Depth::Quick),
        Err(fault) => Findings { faults: vec![fault.to_string()], notes: Vec::new() },
    }
}

/// What validate says of a document.
pub fn findings(document: &Document) -> Findings {
    findings_of(&serde_json::to_vec(document).unwrap())
}

/// What validate says of the honest document after `change`, signed again. A folder's report says the same of it.
pub fn forged(change: impl FnOnce(&mut Document)) -> Vec<String> {
    let mut document = RUN.document.clone();
    change(&mut document);
    sign(&mut document);
    let text = serde_json::to_vec(&document).unwrap();
    let faults = findings_of(&text).faults;
    assert_eq!(judged(read::skim(&text)).faults, faults);
    faults
}

/// The honest document, of a job that hardly needs the processor, as one on a card: so much room others have.
pub fn calm() -> Document {
    let mut document = RUN.document.clone();
    for window in document.measurements.iter_mut().flat_map(|m| &mut m.windows) {
        window.cpu_seconds = 0.1 * window.wall_seconds;
    }
    results::fill(&mut document);
    assert_eq!(document.run.verdict, wire::Verdict::Valid, "{:?}", document.run.reasons);
    document
}

/// What is read of a row, the headline first.
pub fn measured(m: &mut wire::Measurement) -> impl Iterator<Item = &mut wire::MeasuredEnergy> {
    let all = once(&mut m.energy).chain(&mut m.energy_other);
    all.filter_map(|energy| match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => Some(e),
        _ => None,
    })
}
