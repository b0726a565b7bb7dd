//! The command as a user meets it: documents, exit codes and mistakes.

use crate::support;

use rigbench::energy::{Scope, Stated};
use rigbench::oracle::blocks::BLOCKS;
use rigbench::results::{self, Document, FailureCode, Origin, Outcome, Row, TuningSource};
use rigbench::units::Provenance;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use support::rigbench;

pub fn output(args: &[&str]) -> Output {
    rigbench(args).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The shortest run there is: about five seconds.
pub fn short_run(out: &Path) -> Command {
    let out = out.to_str().unwrap();
    let args = ["run", "--quick", "--device", "cpu", "--workload", "gemm:48x40x56", "--out", out];
    rigbench(&args)
}

pub fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect()
}

pub fn read(path: &Path) -> Document {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub fn assert_fits_the_schema(document: &Value) {
    let schema: Value = serde_json::from_str(results::SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn devices_prints_a_table_or_one_json_document() {
    let table = text(&output(&["devices"]).stdout);
    assert!(table.contains("cpu"), "{table}");
    let json: Value = serde_json::from_slice(&output(&["devices", "--json"]).stdout).unwrap();
    let devices = json.as_array().unwrap();
    assert_eq!(devices.last().unwrap()["id"], "cpu");
    for device in devices {
        assert!(table.contains(device["id"].as_str().unwrap()), "{table}");
    }
    let software = devices.iter().any(|device| device["class"] == "software-gpu");
    assert_eq!(table.contains("software adapter"), software);
}

#[test]
fn a_mistake_gets_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below_a_file = file.join("out");
    let [long, short, odd] = ["ab".repeat(65), "00".repeat(79), "0g".repeat(80)];
    let no_block = BLOCKS[15].header.replace("de62", "de63");
    let mistakes: &[(&[&str], &str)] = &[
        (&["run", "--device", "gpu:99"], "known: "),
        (&["run", "--device", "cuda"], "gpu:0"),
        (&["run", "--workload", "sha1"], "sha256d"),
        (&["run", "--workload", "gemm:0x1x1"], "MxNxK"),
        (&["run", "--workload", "gemm:8x8"], "MxNxK"),
        (&["run", "--workload", "gemm:8x8x8:f64"], "f32"),
        (&["run", "--workload", "gemm:900000x900000x4", "--device", "cpu"], "memory"),
        (&["run", "--power", "wattson"], "declared:WATTS"),
        (&["run", "--power", "declared:-3"], "not the power of a device or machine"),
        (&["run", "--power", "declared:gemv=3"], "gemv"),
        (&["run", "--quick", "--publish"], "--publish"),
        (&["run", "--seed", "x"], "--seed"),
        (&["run", "--label", "rack"], "KEY=VALUE"),
        (&["run", "--label", "=7"], "KEY=VALUE"),
        (&["run", "--challenge", ""], "hex"),
        (&["run", "--challenge", "abc"], "hex"),
        (&["run", "--challenge", "zz"], "hex"),
        (&["run", "--challenge", &long], "1 to 64 bytes"),
        (&["run", "--beacon", "00"], "80 bytes"),
        (&["run", "--beacon", &short], "80 bytes"),
        (&["run", "--beacon", &odd], "160 hex digits"),
        (&["run", "--beacon", &no_block], "does not meet its own target"),
        (&["run", "--beacon", BLOCKS[0].header], "not the main network's"),
        (&["run", "--frobnicate"], "--help"),
        (&["frobnicate"], "--help"),
        (&["validate"], "were not provided: <FILE"),
        (&["compare", "a.json"], "were not provided: <NEW"),
        (&["run", "--out", below_a_file.to_str().unwrap()], "--out"),
        (&["check", "--device", "gpu:99"], "known: "),
    ];
    for (args, expected) in mistakes {
        let out = output(args);
        let line = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{args:?}: {line}");
        assert_eq!(line.trim_end().lines().count(), 1, "{args:?}: {line}");
        assert!(line.starts_with("error: ") && line.contains(expected), "{args:?}: {line}");
        assert!(out.stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_shape_beyond_the_adapter_names_the_limit() {
    if support::gpu("a_shape_beyond_the_adapter_names_the_limit").is_none() {
        return;
    }
    let out = output(&["run", "--device", "gpu:0", "--workload", "gemm:1x1x40000000"]);
    let line = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{line}");
    assert!(line.contains("columns of B") && line.contains("limit of"), "{line}");
}

#[test]
fn a_run_writes_what_it_prints_and_it_fits_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let out = short_run(folder.path())
        .args(["--json", "--seed", "7", "--power", "declared:100@machine", "--power", "model"])
        .env("WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER", "yes")
        .output()
        .unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let printed: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_fits_the_schema(&printed);
    let [path] = &documents(folder.path())[..] else { panic!("one file a run") };
    let written: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(printed, written);

    let document = read(path);
    assert_eq!(serde_json::to_value(&document).unwrap(), written, "nothing is lost by reading");
    let evidence = &document.evidence;
    assert!(evidence.run.finished_at.is_some());
    assert_eq!(evidence.run.user_seed, 7);
    let allowed = "WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER";
    assert_eq!(evidence.manifest.environment[allowed], "1", "which adapters there are");
    let [(row, figures)] = document.rows().collect::<Vec<_>>()[..] else { panic!("one row") };
    // The elements of its proof are of the data that follow from its run, as anyone finds.
    assert!(row.proof.is_some());
    assert!(output(&["validate", "--deep", path.to_str().unwrap()]).status.success());
    let windows = row.windows.as_ref().unwrap();
    assert!(windows.len() >= 8 && row.outcome == Outcome::Measured);
    assert!(windows.iter().all(|w| w.wall.0 >= 0.34 && w.work.0 % (2 * 48 * 40 * 56) == 0));
    let joules = 100.0 * windows.seconds().0 / windows.total_work() as f64;
    let [point, range] = figures.energies().collect::<Vec<_>>()[..] else {
        panic!("{:?}", figures.energy_other)
    };
    let origin = |place: Option<usize>| &evidence.manifest.source(place.unwrap()).unwrap().origin;
    match origin(point.source) {
        Origin::Stated(Stated::Declared { power, scope: Scope::Machine }) => {
            assert_eq!(power.0, 100.0);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(origin(range.source), Origin::Stated(Stated::Modelled { .. })));
    let (point, range) = (point.joules_per_unit.unwrap(), range.joules_per_unit.unwrap());
    assert!((point.value.unwrap() / joules - 1.0).abs() < 1e-3, "{point:?}");
    assert_eq!((point.provenance, range.provenance), (Provenance::Declared, Provenance::Modelled));
    assert!(range.value.is_none() && range.low < range.high, "{range:?}");
}

/// A run of the shortest kind as a JSON document.
fn ran(more: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let out = short_run(folder.path()).arg("--json").args(more).output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let document: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_fits_the_schema(&document);
    let judged = output(&["validate", documents(folder.path())[0].to_str().unwrap()]);
    assert_eq!(judged.status.code(), Some(0), "{}", text(&judged.stdout));
    document
}

#[test]
fn labels_a_challenge_and_a_beacon_stand_in_the_file() {
    let header = BLOCKS[15].header;
    let words = ["--label", "rack=7", "--label", "x=1", "--challenge", "00FF", "--beacon"];
    let document = ran(&[&words[..], &[&header.to_uppercase()]].concat());
    let evidence = &document["evidence"];
    assert_eq!(evidence["run"]["labels"], json!({"rack": "7", "x": "1"}));
    assert_eq!((&evidence["challenge"], &evidence["beacon"]), (&json!("00ff"), &json!(header)));
    // The data follow from each of them: with another one they are no longer this run's.
    for (place, other) in [
        ("/run/labels/rack", json!("8")),
        ("/challenge", json!("00fe")),
        ("/challenge", json!(null)),
        ("/beacon", json!(null)),
        ("/run/id", json!("another")),
    ] {
        let mut evidence = evidence.clone();
        *evidence.pointer_mut(place).unwrap() = other;
        assert_not_its_data(evidence);
    }
}

/// Signed as if it were a run's own evidence, `rigbench validate` finds that its proof is of other data.
fn assert_not_its_data(evidence: Value) {
    let document = Document::of(serde_json::from_value(evidence).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("forged.json");
    std::fs::write(&path, serde_json::to_string(&document).unwrap()).unwrap();
    let judged = output(&["validate", path.to_str().unwrap()]);
    let said = text(&judged.stdout);
    assert_eq!(judged.status.code(), Some(1), "{said}");
    assert!(said.contains("wrong: evidence.rows[0].proof"), "{said}");
    assert_eq!(said.matches("wrong:").count(), 1, "{said}");
}

#[test]
fn two_runs_of_one_seed_are_of_one_machine_and_have_different_data() {
    let seed: &[&str] = &["--seed", "7"];
    let [one, other, anonymous] = std::thread::scope(|scope| {
        let runs = [seed, seed, &["--anonymous"]].map(|more| scope.spawn(|| ran(more)));
        runs.map(|run| run.join().unwrap())
    });
    let proof = |document: &Value| document["evidence"]["rows"][0]["proof"].clone();
    let values = |document: &Value| proof(document)["value"].as_array().unwrap().clone();
    let (own, others) = (values(&one), values(&other));
    assert!(!own.is_empty() && own.iter().zip(&others).all(|(a, b)| a != b), "{own:?} {others:?}");
    let mut swapped = one["evidence"].clone();
    swapped["rows"][0]["proof"] = proof(&other);
    assert_not_its_data(swapped);

    let id = |document: &Value| document["evidence"]["manifest"]["host"]["id"].clone();
    assert_eq!(id(&one), id(&other));
    let is_kept = |path: &str| std::fs::read_to_string(path).is_ok_and(|id| !id.trim().is_empty());
    match id(&one) {
        Value::Null
            if !["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().any(|p| is_kept(p)) =>
        {
            support::not_run(
                "two_runs_of_one_seed_are_of_one_machine_and_have_different_data",
                "this system has no machine id",
            );
        }
        id => {
            let id = id.as_str().expect("the system has a machine id");
            let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            assert!(id.len() == 16 && id.bytes().all(is_digit), "{id}");
        }
    }
    assert_eq!(id(&anonymous), Value::Null);
}

#[test]
fn the_table_shows_modelled_energy_as_a_range() {
    let folder = tempfile::tempdir().unwrap();
    let out = short_run(folder.path()).output().unwrap();
    let table = text(&out.stdout);
    assert!(table.contains("modelled") && table.contains("to "), "{table}");
    assert!(table.contains("J/TFLOP"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    assert!(text(&out.stderr).contains("written to "), "{}", text(&out.stderr));
}

#[test]
fn the_program_runs_alone_in_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("rigbench");
    std::fs::copy(env!("CARGO_BIN_EXE_rigbench"), &copy).unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let status = Command::new(&copy)
        .args(["run", "--quick", "--workload", "gemm:8x8x8", "--power", "none"])
        .env("XDG_CACHE_HOME", cache)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let document = read(&documents(&folder.path().join("rigbench-results"))[0]);
    assert!(document.rows().count() > 0);
    for (row, figures) in document.rows() {
        assert_eq!(figures.energy.provenance(), Provenance::None);
        assert!(row.no_source.as_ref().unwrap().contains("none"), "{:?}", row.no_source);
    }
}

/// `rigbench` with an address space of so many MiB.
#[cfg(target_os = "linux")]
fn limited(mib: u64, args: &[&str]) -> Output {
    let program = rigbench(&[]).get_program().to_owned();
    let script = format!("ulimit -v {}; exec \"$0\" \"$@\"", 1024 * mib);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let mut shell = Command::new("bash");
    shell.args(["-c", &script]).arg(program).args(args).env("XDG_CACHE_HOME", cache);
    shell.stdin(Stdio::null()).output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_on_memory_decides_before_anything_is_allocated() {
    let args = ["run", "--quick", "--device", "cpu", "--workload", "gemm:20000x20000x8"];
    let out = limited(4096, &args);
    let line = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(
        line.contains("it needs 6.2") && line.contains("room for 4.00 GiB (ulimit -v)"),
        "{line}"
    );
}

/// The address space has room for a software adapter and small rows, but not for the weights in the middle as well.
#[cfg(target_os = "linux")]
#[test]
fn a_row_that_finds_no_memory_leaves_the_others_measured_and_says_so_once() {
    let test = "a_row_that_finds_no_memory_leaves_the_others_measured_and_says_so_once";
    let Some(gpu) = support::gpu(test) else { return };
    if gpu.description().class != rigbench::device::Class::SoftwareGpu {
        return support::not_run(test, "only a software adapter's memory is the process's own");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    // Each thread takes address space too.
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mib = 4096 + 256 * threads;
    // Weights of 512 MiB less than the limit: they would fit if nothing else were there.
    let rows = (mib - 512) << 20 >> 16;
    let large = format!("gemv:{rows}x16384:f32");
    let args = ["run", "--quick", "--device", "gpu:0", "--json", "--out", out];
    let rows = ["--workload", "gemm:8x8x8", "--workload", &large, "--workload", "peak:f32"];
    let out = limited(mib, &[&args[..], &rows[..]].concat());
    let said = text(&out.stderr);
    if said.contains("this machine has") || said.contains("control group") {
        return support::not_run(test, "this machine has too little memory");
    }
    let document: Document =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let rows: Vec<&Row> = document.evidence.known_rows().collect();
    let [product, weights, peak] = rows[..] else { panic!("three rows: {said}") };
    for row in [product, peak] {
        assert_eq!(row.outcome, Outcome::Measured);
    }
    let Outcome::Unsupported(failure) = &weights.outcome else { panic!("{:?}", weights.outcome) };
    assert_eq!(failure.code, FailureCode::OutOfMemory);
    let reason = &failure.message;
    assert_eq!(reason.matches("it needs").count(), 1, "{reason}");
    assert!(reason.contains("(ulimit -v)"), "{reason}");
}

#[test]
fn tune_tries_every_kernel_keeps_the_choice_and_run_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let with_cache = |args: &[&str]| {
        rigbench(args).env("XDG_CACHE_HOME", folder.path().join("cache")).output().unwrap()
    };
    let tune = ["tune", "--device", "cpu", "--workload", "sha256d"];
    let out = with_cache(&tune);
    let table = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(table.contains("tried now") && table.contains("sha256d/sha2-crate"), "{table}");
    let chosen = table.lines().find(|l| l.ends_with("chosen")).expect("one is chosen");
    let again = text(&with_cache(&tune).stdout);
    assert!(again.contains("kept from an earlier run") && again.contains(chosen), "{again}");
    let out = folder.path().join("out");
    let run = |setting: Option<&str>| {
        let args = ["run", "--quick", "--device", "cpu", "--workload", "sha256d", "--json"];
        let mut command = rigbench(&args);
        command.env("XDG_CACHE_HOME", folder.path().join("cache")).arg("--out").arg(&out);
        setting.map(|threads| command.env("RAYON_NUM_THREADS", threads));
        let document: Document = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        document.evidence.rows[0].known().unwrap().clone()
    };
    let (kept, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(Some("1")));
        (run(None), other.join().unwrap())
    });
    let tuning = kept.tuning.unwrap();
    assert_eq!(tuning.source, TuningSource::Cache);
    assert_eq!(kept.kernel.unwrap().id, tuning.kernel);
    assert!(tuning.batch_seconds.unwrap() <= 0.05);
    let losers = tuning.trials.iter().filter(|t| t.kernel != tuning.kernel);
    assert!(losers.clone().count() > 0 && losers.into_iter().all(|t| t.throughput > Some(0.0)));
    // Another setting is another machine, and a quick run tries four kernels at most.
    let other = other.tuning.unwrap();
    assert_eq!(other.source, TuningSource::Trials);
    let tried: std::collections::BTreeSet<&String> =
        other.trials.iter().map(|t| &t.kernel).collect();
    assert!(tried.len() <= 4, "{tried:?}");
}

#[test]
fn tune_tries_again_if_it_is_told_to() {
    let cache = tempfile::tempdir().unwrap();
    let retune = ["tune", "--device", "cpu", "--workload", "gemm:48x40x56", "--retune"];
    for _ in 0..2 {
        let out = rigbench(&retune).env("XDG_CACHE_HOME", cache.path()).output().unwrap();
        let retried = text(&out.stdout);
        assert!(retried.contains("tried now"), "{retried}");
    }
}

/// `tests/kernels` compares every kernel on the adapter. A software adapter compiles those of `sha256d` for most of a minute.
#[test]
fn check_names_every_kernel_and_says_right() {
    let hashes = ["check", "--device", "cpu", "--workload", "sha256d"];
    for args in [&hashes[..], &["check", "--workload", "gemm:65x130x67"]] {
        let out = output(args);
        let lines = text(&out.stdout);
        assert_eq!(out.status.code(), Some(0), "{lines}");
        assert!(lines.lines().all(|l| l.starts_with("right")), "{lines}");
        let kernel = if args == hashes { "cpu sha256d sha256d/sha2-crate" } else { "cpu gemm:" };
        assert!(lines.contains(kernel), "{lines}");
    }
}
