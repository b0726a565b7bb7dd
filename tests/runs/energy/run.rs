//! The command itself with meters: it finds them, refuses those that are not there, and goes on without those it loses.

use crate::energy::fake::draw::Draw;
use crate::energy::fake::sysfs::{Sysfs, put};
use crate::support;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A short run on the processor.
fn run(out: &Path, sysfs: &Path, power: &[&str]) -> Output {
    command(out, sysfs, power).arg("--json").output().unwrap()
}

/// A short run on the processor with these sources.
pub fn command(out: &Path, sysfs: &Path, power: &[&str]) -> Command {
    let mut command = support::rigbench(&["run", "--quick", "--device", "cpu"]);
    command
        .args(["--workload", "gemm:48x40x56:f32", "--out"])
        .arg(out)
        .env("RIGBENCH_SYSFS", sysfs);
    for spec in power {
        command.args(["--power", spec]);
    }
    command
}

fn document(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
}

/// The result files in a folder.
pub fn written(out: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(out).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).filter(|p| p.extension().is_some()).collect()
}

/// A processor that draws 20 W, and 60 W at work, through the kernel's files.
#[test]
fn a_meter_is_found_without_being_asked_for() {
    let zone = "class/powercap/intel-rapl:0";
    let sysfs = Sysfs::with(&[
        (&format!("{zone}/name"), "package-0"),
        (&format!("{zone}/energy_uj"), "1000"),
        (&format!("{zone}/max_energy_range_uj"), "262143328850"),
    ]);
    let (over, file) =
        (Arc::new(AtomicBool::new(false)), sysfs.path().join(zone).join("energy_uj"));
    let draw = Draw::new(20.0, 60.0);
    let (theirs, drawn) = (Arc::clone(&over), draw.clone());
    let load = thread::spawn(move || {
        while !theirs.load(Ordering::Relaxed) {
            put(&file, &format!("{:.0}", 1e3 + 1e6 * drawn.joules()));
            thread::sleep(Duration::from_millis(5));
        }
    });
    let (output, out) = draw.run_until_read(1, |out| {
        let mut run = command(out, sysfs.path(), &[]);
        run.arg("--json");
        run
    });
    over.store(true, Ordering::Relaxed);
    load.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document = document(&output);
    let (evidence, derived) = (&document["evidence"], &document["derived"]);
    assert_eq!(evidence["manifest"]["sources"][0]["origin"]["meter"]["kind"], "rapl");
    assert_eq!(evidence["manifest"]["environment"]["RIGBENCH_SYSFS"], "set");
    let idle = evidence["baselines"][0]["idle"]["power_watts"].as_f64().unwrap();
    // On a busy machine the program may seem at work for some of the time.
    assert!((0.9 * draw.idle()..0.9 * draw.load()).contains(&idle), "{idle}");
    let rows = evidence["rows"].as_array().unwrap();
    for (row, figures) in rows.iter().zip(derived["rows"].as_array().unwrap()) {
        let energy = &figures["energy"];
        let per_unit = &energy["joules_per_unit"];
        assert_eq!(
            (&per_unit["provenance"], &energy["scope"]),
            (&"measured-counter".into(), &"cpu-package".into())
        );
        let number = |path: &str| {
            energy
                .pointer(path)
                .and_then(Value::as_f64)
                .unwrap_or_else(|| panic!("{path}: {energy}"))
        };
        // The truth lies in the stated interval. How narrow it is depends on when this machine took the readings; simulated time
        // decides that (`coverage`).
        let gross = number("/measured/total/gross_joules");
        let seconds = gross / number("/power_watts/value");
        let sum = |key: &str| -> f64 {
            row["windows"][key].as_array().unwrap().iter().map(|w| w.as_f64().unwrap()).sum()
        };
        let drawn = draw.load() * sum("wall_seconds");
        let truth = drawn / sum("work");
        let [low, high] = ["low", "high"].map(|end| per_unit[end].as_f64().unwrap());
        assert!(low < truth && truth < high, "{low} {truth} {high}");
        // It answers to the load at once, from idle power to what the work draws.
        let response = &energy["measured"]["response"];
        assert!(response["late"] == false && response["explained"].as_f64() > Some(0.5));
        assert!(response["idle_watts"].as_f64() < response["load_watts"].as_f64(), "{response}");
        let net = gross - idle * seconds;
        assert!((number("/net_joules") - net).abs() < 1e-7 * gross, "{energy}");
        assert!(number("/measured/total/samples") > 50.0);
        assert!(row["readings"][0]["sampler_core_share"].as_f64() < Some(0.02), "{row}");
    }
    let text = output.stdout.clone();
    assert!(!String::from_utf8_lossy(&text).contains(&*sysfs.path().to_string_lossy()));
    let path = &written(out.path())[0];
    let judged = support::rigbench(&["validate"]).arg(path).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
    // Nothing that a figure must come with may be left out.
    let read = |document: &Value| rigbench::results::read::read(document.to_string().as_bytes());
    let energy = "/derived/rows/0/energy";
    for (of, key) in [
        ("joules_per_unit", "provenance"),
        ("joules_per_unit", "method"),
        ("measured", "total"),
        ("measured", "response"),
        ("measured/total", "terms"),
        ("measured/total/terms", "meter_joules"),
        ("measured/response", "explained"),
    ] {
        let mut less = document.clone();
        let figure = less.pointer_mut(&format!("{energy}/{of}")).unwrap();
        assert!(figure.as_object_mut().unwrap().remove(key).is_some(), "{key}");
        let fault = read(&less).unwrap_err();
        assert!(fault.0.contains(key), "{key}: {fault}");
    }
    // Whole figures may, since readers derive them again.
    let whole = read(&document).unwrap().shown().derived;
    for key in document.pointer(energy).unwrap().as_object().unwrap().keys() {
        let mut less = document.clone();
        less.pointer_mut(energy).unwrap().as_object_mut().unwrap().remove(key);
        assert_eq!(read(&less).unwrap().shown().derived, whole, "{key}");
    }
    // A reading that was changed is found by the joules that follow from it, and so are other joules.
    let middle = rows[0]["readings"][0]["values"][0].as_array().unwrap().len() / 2;
    for (place, fault) in [
        (format!("/evidence/rows/0/readings/0/values/0/{middle}"), "energy.measured"),
        (
            "/derived/rows/0/energy/measured/total/gross_joules".into(),
            "energy.measured.total.gross_joules",
        ),
    ] {
        let mut changed = document.clone();
        *changed.pointer_mut(&place).unwrap() = 1.0.into();
        std::fs::write(path, changed.to_string()).unwrap();
        let judged = support::rigbench(&["validate"]).arg(path).output().unwrap();
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        assert_eq!(judged.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("derived.rows[0].{fault}")), "{said}");
    }
}

#[test]
fn a_meter_that_is_not_there_ends_the_request_before_anything_is_measured() {
    let nothing = tempfile::tempdir().unwrap();
    for spec in [
        "shelly:http://127.0.0.1:1",
        "tasmota:http://127.0.0.1:1",
        "command:exit 3",
        "rapl",
        "nvml",
    ] {
        let out = tempfile::tempdir().unwrap();
        let output = run(out.path(), nothing.path(), &[spec]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{spec}: {said}");
        assert_eq!(said.lines().filter(|l| l.starts_with("error:")).count(), 1, "{spec}: {said}");
        assert!(!said.contains("127.0.0.1") && output.stdout.is_empty(), "{spec}: {said}");
        assert!(written(out.path()).is_empty(), "{spec}");
    }
}
