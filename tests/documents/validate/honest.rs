//! An honest run that all tests here begin with, and its forger, who has our code.

use crate::support;
use crate::validate::draw::Draw;
use crate::validate::sysfs;
use rigbench::energy::{Idle, Quantity, Readings};
use rigbench::measure::Windows;
use rigbench::oracle::sha256d::{hash, most_significant};
use rigbench::results::read::{self, ParsedDocument, ReadError};
use rigbench::results::{self, Baseline, Depth, Document, Findings, Row, Rules, Verdict};
use rigbench::units::{Seconds, Watts};
use rigbench::workload::data::Seed;
use rigbench::workload::sha256d::{Share, Shares};
use rigbench::workload::{Id, Proof};
use std::ops::Range;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

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
    run.args(["--label", "rack=7", "--challenge", "c0ffee"]);
    run.env("RIGBENCH_SYSFS", sysfs).env("RIGBENCH_LOG", "info");
    draw.run(run.arg("--out").arg(out))
}

/// The rows of a document.
pub fn rows(document: &mut Document) -> impl Iterator<Item = &mut Row> {
    document.evidence.rows.iter_mut().map(|row| row.known_mut().expect("it is of this version"))
}

/// The row at a place.
pub fn row(document: &mut Document, place: usize) -> &mut Row {
    rows(document).nth(place).unwrap()
}

/// The row of a workload.
pub fn row_of(document: &mut Document, id: Id) -> &mut Row {
    rows(document).find(|row| row.workload.id == id).unwrap()
}

/// A run without what other programs did to it: its work is spread evenly, it had all of the processor, and its meters were
/// read on time. How often rows were measured and what they computed stays.
fn undisturbed(written: &Document) -> Document {
    let mut document = written.clone();
    let threads = document.evidence.manifest.host.threads as f64;
    let meters: Vec<(usize, Quantity)> = (document.evidence.manifest.sources.iter().enumerate())
        .filter_map(|(place, source)| Some((place, source.known()?.meter()?.quantity.clone())))
        .collect();
    for row in rows(&mut document) {
        let windows = row.windows.as_mut().expect("it was measured");
        // The same work in all, which the proof shows.
        let mut left: u64 = windows.work.iter().sum();
        let scatter = |i: usize| 1.0 + [0.0, 0.002, -0.002, 0.001, -0.001][i % 5];
        let walls = windows.wall_seconds.iter().enumerate();
        let rate = left as f64 / walls.map(|(i, wall)| scatter(i) * wall).sum::<f64>();
        let last = windows.len() - 1;
        for i in 0..windows.len() {
            let work = (rate * scatter(i) * windows.wall_seconds[i]) as u64;
            windows.work[i] = if i == last { left } else { work };
            left -= windows.work[i];
            windows.cpu_seconds[i] = 0.98 * threads * windows.wall_seconds[i];
        }
        row.telemetry.as_mut().expect("it was measured").cpu_use.clear();
        let cost = row.readings.iter().map(|readings| readings.sampler_core_share).next().unwrap();
        row.readings = meters
            .iter()
            .map(|(place, quantity)| Readings {
                sampler_core_share: cost,
                ..read_on_time(*place, quantity, row)
            })
            .collect();
    }
    let baseline = |(source, quantity): &(usize, Quantity)| {
        let (idle, ..) = power(quantity);
        let (power, half_width) = (Watts(idle), Watts(0.01 * idle));
        let idle = Idle { power, half_width, seconds: Seconds(2.0), again: false };
        Baseline { source: *source, idle }
    };
    document.evidence.baselines = meters.iter().map(baseline).collect();
    sign(&mut document);
    let run = &document.derived.run;
    assert_eq!(run.verdict, Verdict::Valid, "{:?} {:#?}", run.reasons, document.derived.rows);
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    document
}

/// What a meter shows at idle and at work, and how often.
fn power(quantity: &Quantity) -> (f64, f64, f64) {
    match quantity {
        Quantity::Counter { .. } => (20.0, 40.0, 0.04),
        Quantity::Power { .. } => (35.0, 60.0, 0.1),
    }
}

/// Readings of a load of known power: idle while the row rests before a block, and at work otherwise.
fn read_on_time(source: usize, quantity: &Quantity, row: &Row) -> Readings {
    let (idle, load, step) = power(quantity);
    let steps = row.windows.as_ref().unwrap().steps();
    let idles: Vec<(f64, f64)> = steps.iter().map(|s| (s.idle_from.0, s.load_from.0)).collect();
    let is_idle = |t: f64| idles.iter().any(|(from, to)| (*from..*to).contains(&t));
    let saved = |t: f64| idles.iter().map(|(from, to)| (t.min(*to) - from).max(0.0)).sum::<f64>();
    let mut readings = Readings { source, values: vec![Vec::new()], ..Readings::default() };
    let mut number = 0;
    let mut latest = f64::NEG_INFINITY;
    for (block, (begin, _)) in steps.iter().zip(&idles) {
        let mut at = latest.max(begin - 0.7);
        while at < block.measured.to.0 + 0.7 {
            number += 1;
            // As meters do, it never shows quite the same twice.
            let wobble = if number % 2 == 0 { 1.0 } else { -1.0 };
            let value = match quantity {
                Quantity::Counter { .. } => 1e4 + load * at - (load - idle) * saved(at),
                Quantity::Power { .. } => wobble + if is_idle(at) { idle } else { load },
            };
            readings.at_seconds.push(at - 1e-4);
            readings.took_seconds.push(1e-4);
            readings.values[0].push(value);
            at += step;
        }
        latest = at;
    }
    readings
}

/// Derives again what follows by the rules that the document names, as a forger with our code would, and signs it.
pub fn sign(document: &mut Document) {
    let named = Rules::all().iter().find(|rules| rules.version == document.rules);
    let rules = named.unwrap_or(Rules::current());
    document.derived = results::derive(&document.evidence, rules);
    document.proof.document_sha256 = results::document_sha256(document);
}

/// What validate says of a document's text.
pub fn findings_of(text: &[u8]) -> Findings {
    judged(read::read(text))
}

fn judged(read: Result<ParsedDocument, ReadError>) -> Findings {
    match read {
        Ok(given) => results::validate(&given, Depth::Quick),
        Err(fault) => Findings { faults: vec![fault.to_string()], ..Findings::default() },
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

/// Hashes honestly for a seed, so many shares' worth, and gives the row the shares and the work.
pub fn mine(row: &mut Row, seed: Seed, expected: u64) {
    // One hash in 256 is a share.
    const TARGET: u64 = 1 << 56;
    let (seed, words) = (results::row_seed(seed, row), expected << 8);
    let header = seed.header(0);
    let is_share = |nonce: &u32| most_significant(&hash(&header, *nonce)) < TARGET;
    let nonces = (0..words as u32).map(u32::swap_bytes).filter(is_share);
    let shares = nonces.map(|nonce| Share { header: 0, version: 0, nonce }).collect();
    let stretches = vec![Range { start: 0, end: words }];
    row.proof = Some(Proof::Shares(Shares { target: TARGET, versions: 1, stretches, shares }));
    spread(row.windows.as_mut().unwrap(), words);
}

/// Does so much work in all, at one rate.
pub fn spread(windows: &mut Windows, all: u64) {
    let (rate, last) = (all as f64 / windows.seconds().0, windows.len() - 1);
    let mut left = all;
    for (i, work) in windows.work.iter_mut().enumerate() {
        *work = if i == last { left } else { (rate * windows.wall_seconds[i]) as u64 };
        left -= *work;
    }
}

/// Faults that are to say this.
#[track_caller]
pub fn refused(faults: &[String], why: &str) {
    assert!(faults.iter().any(|f| f.contains(why)), "should say '{why}': {faults:#?}");
}

/// The honest document, of a job that hardly needs the processor, as one on a card: so much room others have.
pub fn calm() -> Document {
    let mut document = RUN.document.clone();
    for row in rows(&mut document) {
        let windows = row.windows.as_mut().unwrap();
        windows.cpu_seconds = windows.wall_seconds.iter().map(|wall| 0.1 * wall).collect();
    }
    sign(&mut document);
    assert_eq!(document.derived.run.verdict, Verdict::Valid, "{:?}", document.derived.run.reasons);
    document
}
