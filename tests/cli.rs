//! The command as a user meets it: documents, exit codes, mistakes, interruptions, kills and full disks.

mod support;

use rigbench::results::{self, wire};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use support::rigbench;

fn output(args: &[&str]) -> Output {
    rigbench(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The shortest run there is: about five seconds.
fn short_run(out: &Path) -> Command {
    let out = out.to_str().unwrap();
    let args = ["run", "--quick", "--device", "cpu", "--workload", "gemm:48x40x56", "--out", out];
    rigbench(&args)
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect()
}

fn read(path: &Path) -> wire::Document {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn assert_fits_the_schema(document: &Value) {
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
        assert_eq!(device["software"], device["class"] == "software-gpu", "{device}");
        assert!(table.contains(device["id"].as_str().unwrap()), "{table}");
    }
    assert_eq!(table.contains("software adapter"), devices.iter().any(|d| d["software"] == true));
}

#[test]
fn a_mistake_gets_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below_a_file = file.join("out");
    let mistakes: &[(&[&str], &str)] = &[
        (&["run", "--device", "gpu:99"], "known: "),
        (&["run", "--device", "cuda"], "gpu:0"),
        (&["run", "--workload", "sha1"], "sha256d"),
        (&["run", "--workload", "gemm:0x1x1"], "MxNxK"),
        (&["run", "--workload", "gemm:8x8"], "MxNxK"),
        (&["run", "--workload", "gemm:8x8x8:f64"], "f32"),
        (&["run", "--workload", "gemm:900000x900000x4", "--device", "cpu"], "memory"),
        (&["run", "--power", "wattson"], "declared:WATTS"),
        (&["run", "--power", "declared:-3"], "above 0"),
        (&["run", "--power", "declared:gemv=3"], "gemv"),
        (&["run", "--quick", "--publish"], "--publish"),
        (&["run", "--seed", "x"], "--seed"),
        (&["run", "--frobnicate"], "--help"),
        (&["frobnicate"], "--help"),
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
    assert!(document.run.finished_at.is_some());
    assert_eq!(document.proof.user_seed, 7);
    let allowed = "WGPU_ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER";
    assert_eq!(document.manifest.environment[allowed], "1", "which adapters there are");
    let seed = results::seed(&document.manifest, 7);
    assert_eq!(rigbench::kernels::hex(&seed.0), document.proof.seed_sha256);
    let [m] = &document.measurements[..] else { panic!("one row") };
    assert!(m.windows.len() >= 8 && m.outcome == wire::Outcome::Measured);
    assert!(m.windows.iter().all(|w| w.wall_seconds >= 0.34 && w.work % (2 * 48 * 40 * 56) == 0));
    let (work, wall) = m
        .windows
        .iter()
        .fold((0.0, 0.0), |(work, wall), w| (work + w.work as f64, wall + w.wall_seconds));
    match (&m.energy, &m.energy_other[..]) {
        (wire::Energy::Declared(point), [wire::Energy::Modelled(range)]) => {
            let joules = 100.0 * wall / work;
            assert!((point.joules_per_unit.value / joules - 1.0).abs() < 1e-3, "{point:?}");
            assert!(range.modelled_joules_per_unit_low < range.modelled_joules_per_unit_high);
        }
        other => panic!("{other:?}"),
    }
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
    let status = Command::new(&copy)
        .args(["run", "--quick", "--workload", "gemm:8x8x8", "--power", "none"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", text(&status.stderr));
    let document = read(&documents(&folder.path().join("rigbench-results"))[0]);
    for m in &document.measurements {
        assert!(matches!(&m.energy, wire::Energy::None(none) if none.reason.contains("none")));
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
    let rows = ["--workload", "sha256d", "--workload", &large, "--workload", "peak:f32"];
    let out = limited(mib, &[&args[..], &rows[..]].concat());
    let said = text(&out.stderr);
    if said.contains("this machine has") || said.contains("control group") {
        return support::not_run(test, "this machine has too little memory");
    }
    let document: wire::Document =
        serde_json::from_slice(&out.stdout).unwrap_or_else(|e| panic!("{e}: {said}"));
    let [hashes, weights, peak] = &document.measurements[..] else { panic!("three rows: {said}") };
    for row in [hashes, peak] {
        assert_eq!(row.outcome, wire::Outcome::Measured, "{:?}", row.reason);
    }
    assert_eq!(weights.outcome, wire::Outcome::Unsupported, "{:?}", weights.reason);
    let reason = weights.reason.as_ref().unwrap();
    assert_eq!(reason.matches("it needs").count(), 1, "{reason}");
    assert!(reason.contains("(ulimit -v)"), "{reason}");
}

/// A file appears as soon as the run begins; waits for it.
fn wait_for_document(folder: &Path) -> PathBuf {
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        if let Some(path) = documents(folder).pop() {
            return path;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no document appeared");
}

fn send(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_finished_windows_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = short_run(folder.path())
        .env("RIGBENCH_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.contains("window 1/8") {
            send("-INT", child.id());
        }
        said += &line;
        said.push('\n');
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("interrupted after"), "{said}");
    let path = documents(folder.path()).remove(0);
    let document = read(&path);
    assert_fits_the_schema(&serde_json::to_value(&document).unwrap());
    assert_eq!(document.run.finished_at, None);
    assert_eq!(document.run.verdict, wire::Verdict::Invalid);
    let [m] = &document.measurements[..] else { panic!("the row is kept: {said}") };
    assert!((1..8).contains(&m.windows.len()), "{}", m.windows.len());
    assert!(m.reasons.iter().any(|r| r.starts_with("interrupted after")), "{:?}", m.reasons);
}

/// Killed at moments that are spread over a run; `scripts/soak.sh` sets RIGBENCH_KILLS to 50.
#[cfg(unix)]
#[test]
fn a_kill_loses_no_finished_block() {
    let kills: usize = std::env::var("RIGBENCH_KILLS").map_or(5, |n| n.parse().unwrap());
    // Two rows of two blocks.
    const BLOCKS: usize = 4;
    let mut kept_in_all = 0;
    for kill in 0..kills {
        let folder = tempfile::tempdir().unwrap();
        let mut child = short_run(folder.path())
            .args(["--workload", "gemm:32x32x32", "--seed", "1"])
            .env("RIGBENCH_LOG", "info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let path = wait_for_document(folder.path());
        // After some of the blocks, as the program reports them, so that a slow machine is killed at the same points; then the
        // golden ratio spreads any number of moments over the two seconds and more that a block takes.
        let blocks = kill % BLOCKS;
        let mut kept = 0;
        while kept < blocks {
            let line = said.next().expect("the run goes on").unwrap();
            kept += usize::from(line.contains("is kept"));
        }
        let moment = (kill as f64 * 0.618_034).fract() * 2.0;
        std::thread::sleep(Duration::from_secs_f64(moment));
        send("-KILL", child.id());
        child.wait().unwrap();
        kept += said.filter(|line| line.as_ref().unwrap().contains("is kept")).count();
        let document = read(&path);
        let blocks: usize = document.measurements.iter().map(|m| m.blocks.len()).sum();
        assert!(blocks >= kept, "killed {moment:.2} s later: {blocks} blocks of {kept}");
        kept_in_all += kept;
        if document.run.finished_at.is_none() {
            assert_fits_the_schema(&serde_json::to_value(&document).unwrap());
            let judged = output(&["validate", path.to_str().unwrap()]);
            let said = text(&judged.stdout);
            assert_eq!(judged.status.code(), Some(0), "killed {moment:.2} s later: {said}");
            assert!(said.contains("unfinished"), "{said}");
        }
    }
    println!("{kills} kills, {kept_in_all} blocks were finished, none was lost");
    assert!(kept_in_all > 0);
}

/// A limit on the size of files stands in for a full disk: writing fails half-way in both.
#[cfg(unix)]
#[test]
fn a_full_disk_is_one_line_and_leaves_the_old_file() {
    let limited = |folder: &Path, kib: u32| {
        let run = short_run(folder);
        let words: Vec<&str> = [run.get_program()]
            .into_iter()
            .chain(run.get_args())
            .map(|w| w.to_str().unwrap())
            .collect();
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
        let mut shell = Command::new("bash");
        shell.args(["-c", &script, "bash"]).args(words).stdin(Stdio::null()).output().unwrap()
    };
    let at_once = tempfile::tempdir().unwrap();
    let out = limited(at_once.path(), 1);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.starts_with("error: cannot write results to") && said.contains("--out"), "{said}");
    assert_eq!(documents(at_once.path()), Vec::<PathBuf>::new());

    // Room for the first document, without figures, and not for the second.
    let later = tempfile::tempdir().unwrap();
    let out = limited(later.path(), 4);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    let document = read(&documents(later.path())[0]);
    assert_eq!(document.measurements, []);
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
    let small = ["tune", "--device", "cpu", "--workload", "gemm:48x40x56", "--retune"];
    for _ in 0..2 {
        let retried = text(&with_cache(&small).stdout);
        assert!(retried.contains("tried now"), "{retried}");
    }

    let out = folder.path().join("out");
    let run = |setting: Option<&str>| {
        let args = ["run", "--quick", "--device", "cpu", "--workload", "sha256d", "--json"];
        let mut command = rigbench(&args);
        command.env("XDG_CACHE_HOME", folder.path().join("cache")).arg("--out").arg(&out);
        setting.map(|threads| command.env("RAYON_NUM_THREADS", threads));
        let document: wire::Document =
            serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        document.measurements[0].clone()
    };
    let kept = run(None);
    let tuning = kept.tuning.unwrap();
    assert_eq!(tuning.source, wire::TuningSource::Cache);
    assert_eq!(kept.kernel.unwrap().id, tuning.kernel);
    assert!(tuning.batch_seconds.unwrap() <= 0.05);
    let losers = tuning.trials.iter().filter(|t| t.kernel != tuning.kernel);
    assert!(losers.clone().count() > 0 && losers.into_iter().all(|t| t.throughput > Some(0.0)));
    // Another setting is another machine, and a quick run tries four kernels at most.
    let other = run(Some("1")).tuning.unwrap();
    assert_eq!(other.source, wire::TuningSource::Trials);
    let tried: std::collections::BTreeSet<&String> =
        other.trials.iter().map(|t| &t.kernel).collect();
    assert!(tried.len() <= 4, "{tried:?}");
}

#[test]
fn check_names_every_kernel_and_says_right() {
    let out = output(&["check", "--workload", "sha256d", "--workload", "gemm:65x130x67"]);
    let lines = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{lines}");
    assert!(lines.lines().all(|l| l.starts_with("right")), "{lines}");
    assert!(lines.contains("cpu sha256d sha256d/sha2-crate"), "{lines}");
}
