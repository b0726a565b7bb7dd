//! Every field of a file changed in every way that a forger would think of, and signed again: all that follows is filled
//! in by our own code, digests included. What is not refused must stand on the list of what nobody can see.

mod support;
#[path = "energy/fake/sysfs.rs"]
mod sysfs;

use rigbench::kernels::hex;
use rigbench::results::{self, Depth, read, wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use wire::Document;

/// A short run of several workloads on the processor, with a counter, a meter of watts, declared watts and a model, as the
/// program wrote it.
static HONEST: LazyLock<Document> = LazyLock::new(|| {
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
        let mut run =
            support::rigbench(&["run", "--quick", "--device", "cpu", "--json", "--power", "rapl"]);
        for workload in ["sha256d", "gemm:48x40x56:int8", "peak:f32"] {
            run.args(["--workload", workload]);
        }
        run.args([
            "--power",
            "command@wall:while :; do echo 61; sleep 0.1; echo 59; sleep 0.1; done",
        ]);
        run.args(["--power", "declared:70", "--power", "model:idle=20,max=90"]);
        let output = run.env("RIGBENCH_SYSFS", sysfs.path()).arg("--out").arg(out.path()).output();
        over.store(true, Ordering::Relaxed);
        output.unwrap()
    });
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
});

/// What nobody can see of a file alone, by the beginnings of paths, and why.
const UNSEEN: &[(&str, &str)] = &[
    ("measurements.[].blocks.[].rest_seconds", "the publisher's clock"),
    ("measurements.[].blocks.[].warm_up", "the publisher's clock"),
    ("measurements.[].blocks.[].telemetry", "what sensors showed"),
    ("measurements.[].windows.[].telemetry", "what sensors showed"),
    ("measurements.[].windows.[].cpu_seconds", "the publisher's clock"),
    ("measurements.[].windows.[].wall_seconds", "the publisher's clock, at the end of a block"),
    ("measurements.[].windows.[].work", "how often a product was computed, up to the roof"),
    ("measurements.[].energy.failed_reads", "what the meter gave"),
    ("measurements.[].energy.readings", "what the meter showed"),
    ("measurements.[].energy.sampler_core_share", "the publisher's clock"),
    ("measurements.[].energy_other.[].failed_reads", "what the meter gave"),
    ("measurements.[].energy_other.[].readings", "what the meter showed"),
    ("measurements.[].energy_other.[].sampler_core_share", "the publisher's clock"),
    ("measurements.[].kernel.arithmetic", "which instruction of native code multiplied"),
    ("measurements.[].tuning", "how the kernel was chosen"),
    ("measurements.[].verification", "how much the publisher compared"),
    ("measurements.[].work_proof.shares", "one share of a thousand more or less is chance"),
    ("measurements.[].reasons", "what speaks against the publisher"),
    ("run.id", "a random number"),
    ("run.reasons", "what speaks against the publisher"),
    ("schema_version", "a patch of the same version"),
];

/// What came of a mutation.
#[derive(Debug, PartialEq)]
enum Fate {
    Refused,
    /// What follows was filled in again, and the file is what it was.
    Restored,
    /// A source's figure is gone: the row says that it has none.
    Withheld,
    Unseen,
}

/// Fills in what follows, signs, and asks.
fn forge(changed: &Value) -> Fate {
    let Ok(mut document) = serde_json::from_value::<Document>(changed.clone()) else {
        return Fate::Refused;
    };
    if serde_json::to_value(&document).unwrap() != *changed {
        return match read::read(changed.to_string().as_bytes()) {
            Ok(_) => Fate::Unseen,
            Err(_) => Fate::Refused,
        };
    }
    results::fill(&mut document);
    document.proof.seed_sha256 =
        hex(&results::seed(&document.manifest, document.proof.user_seed).0);
    document.proof.document_sha256 = results::document_sha256(&document);
    if document == *HONEST {
        return Fate::Restored;
    }
    let measured = |document: &Document| {
        let rows = document.measurements.iter();
        let all = rows.flat_map(|m| std::iter::once(&m.energy).chain(&m.energy_other));
        all.filter(|energy| !matches!(energy, wire::Energy::None(_))).count()
    };
    let withheld = measured(&document) < measured(&HONEST);
    let Ok(given) = read::read(results::text(&document).as_bytes()) else { return Fate::Refused };
    match results::validate(&given, Depth::Quick).faults.is_empty() {
        true if withheld => Fate::Withheld,
        true => Fate::Unseen,
        false => Fate::Refused,
    }
}

/// Every path to something, of arrays the first and the last.
fn paths(value: &Value, at: Vec<String>, found: &mut Vec<Vec<String>>) {
    let mut step = |key: String, value: &Value| {
        let path = [&at[..], &[key]].concat();
        found.push(path.clone());
        paths(value, path, found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| step(key.clone(), value)),
        Value::Array(members) => {
            let n = members.len();
            let mut places = vec![0, n.saturating_sub(1)];
            places.dedup();
            places.iter().filter(|i| **i < n).for_each(|i| step(i.to_string(), &members[*i]));
        }
        _ => {}
    }
}

/// Everything that a leaf is changed to.
fn changes(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(n) if n.is_u64() => {
            let n = n.as_u64().unwrap();
            [n.saturating_mul(10), n + 1, n.saturating_sub(1), n * 1000, 0]
                .into_iter()
                .filter(|m| *m != n)
                .map(|m| json!(m))
                .collect()
        }
        Value::Number(n) => {
            let x = n.as_f64().unwrap();
            [x * 10.0, x / 10.0, x * 1.02, x * 0.5, -x, 0.0, 1e300]
                .into_iter()
                .filter(|y| *y != x)
                .map(|y| json!(y))
                .collect()
        }
        Value::String(text) => {
            ["", "x", "gpu-board", "measured-counter", "publish", "sha256d", "hash", "valid"]
                .into_iter()
                .filter(|other| other != text)
                .map(|other| json!(other))
                .chain([json!(format!("{text}1"))])
                .collect()
        }
        Value::Bool(yes) => vec![json!(!yes)],
        Value::Null => vec![json!(1.5), json!("x"), json!(true)],
        Value::Array(members) if !members.is_empty() => {
            let twice: Vec<Value> = members.iter().chain(members.last()).cloned().collect();
            vec![json!(members[1..]), json!(members[..members.len() - 1]), json!(twice), json!([])]
        }
        _ => Vec::new(),
    }
}

fn place<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
    path.iter().fold(value, |value, key| match value {
        Value::Array(members) => &mut members[key.parse::<usize>().unwrap()],
        other => &mut other[key.as_str()],
    })
}

#[test]
fn every_forgery_is_refused_or_stands_on_the_list() {
    let honest = serde_json::to_value(&*HONEST).unwrap();
    let mut all = Vec::new();
    paths(&honest, Vec::new(), &mut all);
    let mut fates: BTreeMap<String, Vec<Fate>> = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for path in &all {
        let name: Vec<&str> =
            path.iter().map(|p| if p.parse::<usize>().is_ok() { "[]" } else { p }).collect();
        let mut try_one = |changed: Value| {
            let began = Instant::now();
            let fate = forge(&changed);
            slowest = slowest.max(began.elapsed());
            fates.entry(name.join(".")).or_default().push(fate);
        };
        let (last, parent) = path.split_last().unwrap();
        let mut without = honest.clone();
        if let Value::Object(members) = place(&mut without, parent) {
            members.remove(last);
            try_one(without);
        }
        let mut original = honest.clone();
        for change in changes(place(&mut original, path)) {
            let mut changed = honest.clone();
            *place(&mut changed, path) = change;
            try_one(changed);
        }
    }
    let count = |fate: Fate| fates.values().flatten().filter(|f| **f == fate).count();
    let (refused, restored) = (count(Fate::Refused), count(Fate::Restored));
    let (withheld, unseen) = (count(Fate::Withheld), count(Fate::Unseen));
    println!(
        "{refused} refused, {restored} undone by filling in, {withheld} leave out energy, {unseen} that nobody can see"
    );
    println!("the slowest took {slowest:?}");
    let mut unlisted = Vec::new();
    for (path, fates) in &fates {
        let unseen = fates.iter().filter(|f| **f == Fate::Unseen).count();
        if unseen == 0 {
            continue;
        }
        match UNSEEN.iter().find(|(known, _)| path.starts_with(known)) {
            Some((_, why)) => println!("unseen: {path} ({unseen} of {}): {why}", fates.len()),
            None => unlisted.push(format!("{path} ({unseen} of {})", fates.len())),
        }
    }
    assert!(refused >= 300);
    assert!(unlisted.is_empty(), "{unlisted:#?}");
}

/// A change throughout the file that agrees with itself.
fn throughout(change: impl Fn(&mut Document)) -> Fate {
    let mut document = HONEST.clone();
    change(&mut document);
    forge(&serde_json::to_value(&document).unwrap())
}

fn readings(document: &mut Document) -> impl Iterator<Item = &mut wire::MeasuredEnergy> {
    let rows = document.measurements.iter_mut();
    let all = rows.flat_map(|m| std::iter::once(&mut m.energy).chain(&mut m.energy_other));
    all.filter_map(|energy| match energy {
        wire::Energy::MeasuredCounter(e) | wire::Energy::MeasuredSampled(e) => Some(e),
        _ => None,
    })
}

#[test]
fn what_nobody_can_see_is_said_and_all_else_is_seen() {
    // Joules of a meter that nobody else saw are the publisher's word. The program says so after each file.
    let half_the_joules = |document: &mut Document| {
        readings(document).for_each(|e| {
            e.readings.values.iter_mut().flatten().for_each(|value| *value /= 2.0);
            e.idle.iter_mut().for_each(|idle| idle.power_watts /= 2.0);
        });
    };
    assert_eq!(throughout(half_the_joules), Fate::Unseen);
    // Shorter windows are not those of the protocol.
    let faster = |document: &mut Document| {
        for window in document.measurements.iter_mut().flat_map(|m| &mut m.windows) {
            (window.wall_seconds, window.started_seconds) =
                (window.wall_seconds / 2.0, window.started_seconds / 2.0);
            window.cpu_seconds /= 2.0;
        }
    };
    assert_eq!(throughout(faster), Fate::Refused);
    // A counter in other units, a source with another scope, or a better one.
    let tenfold = |document: &mut Document| {
        readings(document).for_each(|e| e.source.accuracy /= 10.0);
    };
    assert_eq!(throughout(tenfold), Fate::Refused);
    let narrower = |document: &mut Document| {
        readings(document).for_each(|e| e.scope = wire::Scope::GpuBoard);
        document.manifest.sources.iter_mut().for_each(|s| s.scope = wire::Scope::GpuBoard);
    };
    assert_eq!(throughout(narrower), Fate::Refused, "the manifest is in the headers");
    let measured = |document: &mut Document| {
        for m in &mut document.measurements {
            let counter = std::iter::once(&m.energy).chain(&m.energy_other).find_map(|e| match e {
                wire::Energy::MeasuredCounter(e) => Some(e.clone()),
                _ => None,
            });
            for energy in &mut m.energy_other {
                if let (wire::Energy::Declared(_), Some(counter)) = (&energy, &counter) {
                    *energy = wire::Energy::MeasuredCounter(counter.clone());
                }
            }
        }
    };
    assert_eq!(throughout(measured), Fate::Refused);
    let published = |document: &mut Document| document.run.protocol.mode = "publish".into();
    assert_eq!(throughout(published), Fate::Refused);
    let a_row_less = |document: &mut Document| {
        document.measurements.pop();
    };
    assert_eq!(throughout(a_row_less), Fate::Refused);
    let heat = |document: &mut Document| {
        let board = wire::Board {
            celsius: Some(95.0),
            core_hertz: Some(1e9),
            memory_hertz: None,
            power_limit_watts: Some(300.0),
            throttle: vec!["power-cap".into(), "thermal-hardware".into()],
        };
        document.measurements[0].windows[1].telemetry.board = Some(board);
        results::fill(document);
        document.measurements[0].reasons.clear();
        document.run.reasons.clear();
    };
    let mut hot = HONEST.clone();
    heat(&mut hot);
    results::fill(&mut hot);
    let why = "the board was slowed down (thermal-hardware) at 1 of 1 looks";
    assert!(
        hot.measurements[0].reasons.iter().any(|r| r == why),
        "{:?}",
        hot.measurements[0].reasons
    );
    assert_eq!(hot.measurements[0].verdict, wire::Verdict::Invalid);
}

/// Files that are no documents, some of them large, in a process that may have 1 GB.
#[test]
fn junk_is_refused_at_once_and_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let honest = results::text(&HONEST);
    let mut files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| (format!("cut-{i}"), honest.as_bytes()[..honest.len() * i / 40].to_vec()))
        .collect();
    let head = "{\"schema_version\": \"1.0.0\", \"run\": ";
    files.push(("deep".into(), [head, &"[".repeat(1 << 20)].concat().into()));
    files.push(("deeper".into(), [head, &"{\"a\":".repeat(1 << 20)].concat().into()));
    files.push(("wide".into(), [head, "[", &"0,".repeat(30 << 20), "0]}"].concat().into()));
    let first = "\"before_seconds\": [";
    let at = honest.find(first).unwrap() + first.len();
    files.push((
        "long".into(),
        [&honest[..at], &"0,".repeat(25 << 20), &honest[at..]].concat().into(),
    ));
    let windows = honest.find("\"windows\": [").unwrap() + "\"windows\": [".len();
    let end = windows + honest[windows..].find("},\n        {").unwrap() + 2;
    let many = honest[windows..end].repeat(20_000);
    files.push(("windows".into(), [&honest[..windows], &many, &honest[windows..]].concat().into()));
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let huge = std::fs::File::create(folder.path().join("huge")).unwrap();
    huge.set_len(1 << 30).unwrap();
    let limited = "ulimit -v 1048576; exec \"$@\"";
    let mut slowest = Duration::ZERO;
    for name in files.iter().map(|(name, _)| name.as_str()).chain(["huge"]) {
        let began = Instant::now();
        let output = std::process::Command::new("bash")
            .args(["-c", limited, "bash", env!("CARGO_BIN_EXE_rigbench"), "validate"])
            .arg(folder.path().join(name))
            .output()
            .unwrap();
        slowest = slowest.max(began.elapsed());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains("no rigbench result"), "{name}: {said}");
    }
    println!("{} files, the slowest took {slowest:?}", files.len() + 1);
}
