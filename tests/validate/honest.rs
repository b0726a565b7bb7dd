//! An honest run that all tests here begin with, and its forger, who has our code.

use crate::{support, sysfs};
use rigbench::kernels::hex;
use rigbench::results::read::{self, Given, ReadError};
use rigbench::results::{self, Depth, Findings, wire};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::Document;

/// A run as the program wrote it, and what it told meanwhile.
pub struct Honest {
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
    let start = Instant::now();
    let output = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                sysfs::put(&file, &format!("{:.0}", 1e3 + 40e6 * start.elapsed().as_secs_f64()));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let output = run(sysfs.path(), out.path());
        over.store(true, Ordering::Relaxed);
        output
    });
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    Honest { document: serde_json::from_slice(&output.stdout).unwrap(), told }
});

fn run(sysfs: &Path, out: &Path) -> std::process::Output {
    let mut run =
        support::rigbench(&["run", "--quick", "--device", "cpu", "--json", "--power", "rapl"]);
    for workload in ["sha256d", "gemm:48x40x56:int8", "peak:f32"] {
        run.args(["--workload", workload]);
    }
    let plug = "command@wall:while :; do echo 61; sleep 0.1; echo 59; sleep 0.1; done";
    run.args(["--power", plug, "--power", "declared:70", "--power", "model:idle=20,max=90"]);
    run.env("RIGBENCH_SYSFS", sysfs).env("RIGBENCH_LOG", "info");
    run.arg("--out").arg(out).output().unwrap()
}

/// The same on a machine at rest, with fewer readings, those around its windows: as truthful, and read in a fraction of the time.
pub static SMALL: LazyLock<Document> = LazyLock::new(|| {
    let mut document = calm();
    for (m, ran) in document.measurements.iter_mut().zip(&RUN.document.measurements) {
        // As much of the processor as the row really took, evenly.
        let cpu: f64 = ran.windows.iter().map(|window| window.cpu_seconds).sum();
        let wall: f64 = ran.windows.iter().map(|window| window.wall_seconds).sum();
        m.windows.iter_mut().for_each(|w| w.cpu_seconds = cpu / wall * w.wall_seconds);
        let blocks: Vec<(f64, f64)> = m
            .windows
            .chunk_by(|a, b| a.block == b.block)
            .map(|windows| {
                let last = windows.last().unwrap();
                (windows[0].started_seconds, last.started_seconds + last.wall_seconds)
            })
            .collect();
        for e in measured(m) {
            let near = |at: f64| blocks.iter().any(|(from, to)| at > from - 0.7 && at < to + 0.7);
            let keep: Vec<bool> = e.readings.before_seconds.iter().map(|at| near(*at)).collect();
            fn retain<T>(list: &mut Vec<T>, keep: &[bool]) {
                let mut keep = keep.iter();
                list.retain(|_| *keep.next().unwrap());
            }
            retain(&mut e.readings.before_seconds, &keep);
            retain(&mut e.readings.after_seconds, &keep);
            retain(&mut e.readings.values, &keep);
        }
    }
    let kinds = |document: &Document| -> Vec<_> {
        let rows = document.measurements.iter();
        rows.map(|m| (std::mem::discriminant(&m.energy), m.energy_other.len())).collect()
    };
    sign(&mut document);
    assert_eq!(kinds(&document), kinds(&RUN.document));
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    document
});

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

/// The honest document as a machine at rest would have it: what others did to this machine is no matter of these tests.
pub fn calm() -> Document {
    let mut document = RUN.document.clone();
    for m in &mut document.measurements {
        // The same work in all, which the proof shows.
        let mut left: u64 = m.windows.iter().map(|window| window.work).sum();
        let rate = left as f64 / m.windows.iter().map(|window| window.wall_seconds).sum::<f64>();
        let last = m.windows.len() - 1;
        for (i, window) in m.windows.iter_mut().enumerate() {
            let scatter = [0.0, 0.002, -0.002, 0.001, -0.001][i % 5];
            let work = (rate * (1.0 + scatter) * window.wall_seconds) as u64;
            window.work = if i == last { left } else { work };
            left -= window.work;
            window.cpu_seconds = 0.1 * window.wall_seconds;
            window.telemetry.cpu_use = None;
        }
        m.reasons.clear();
    }
    document.run.reasons.clear();
    results::fill(&mut document);
    assert_eq!(document.run.verdict, wire::Verdict::Valid, "{:?}", document.run.reasons);
    document
}

/// What is read of a row, the headline first.
pub fn measured(m: &mut wire::Measurement) -> impl Iterator<Item = &mut wire::MeasuredEnergy> {
    let all = std::iter::once(&mut m.energy).chain(&mut m.energy_other);
    all.filter_map(|energy| match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => Some(e),
        _ => None,
    })
}
