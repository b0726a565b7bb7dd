//! The command itself with meters: it finds them, refuses those that are not there, and goes on without those it loses.

use crate::energy::fake::draw::Draw;
use crate::energy::fake::plug::{Plug, Reply, gen2, json, missing};
use crate::energy::fake::sysfs::{Sysfs, put};
use crate::support;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A short run on the processor.
fn run(out: &Path, sysfs: &Path, power: &[&str]) -> Output {
    command(out, sysfs, power).arg("--json").output().unwrap()
}

fn command(out: &Path, sysfs: &Path, power: &[&str]) -> Command {
    let workloads = ["--workload", "gemm:64x64x64:f32", "--workload", "gemm:96x64x64:f32"];
    let mut command = support::rigbench(&["run", "--quick", "--device", "cpu"]);
    command.args(workloads).arg("--out").arg(out).env("RIGBENCH_SYSFS", sysfs);
    for spec in power {
        command.args(["--power", spec]);
    }
    command
}

fn document(output: &Output) -> Value {
    let errors = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"))
}

fn written(out: &Path) -> Vec<std::path::PathBuf> {
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
    let out = tempfile::tempdir().unwrap();
    let output = draw.run(command(out.path(), sysfs.path(), &[]).arg("--json"));
    over.store(true, Ordering::Relaxed);
    load.join().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document = document(&output);
    let (evidence, derived) = (&document["evidence"], &document["derived"]);
    assert_eq!(evidence["manifest"]["sources"][0]["origin"]["meter"]["kind"], "rapl");
    assert_eq!(evidence["manifest"]["environment"]["RIGBENCH_SYSFS"], "set");
    let idle = evidence["baselines"][0]["idle"]["power_watts"].as_f64().unwrap();
    assert!((idle / draw.idle() - 1.0).abs() < 0.1, "{idle}");
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

/// A command that ends after each reading, and a Tasmota as it is shipped: whole watts, thousandths of a kilowatt-hour.
#[test]
fn slow_meters_have_joules_in_a_quick_run() {
    let (out, nothing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let draw = Draw::new(40.0, 200.0);
    let drawn = draw.clone();
    let plug = Plug::new(move |path| match path {
        "/cm?cmnd=Status%208" => {
            let (watts, total) = (drawn.watts(), 3.262 + drawn.joules() / 3.6e6);
            json(&format!(
                r#"{{"StatusSNS":{{"ENERGY":{{"Power":{watts:.0},"Total":{total:.3}}}}}}}"#
            ))
        }
        _ => missing(),
    });
    let specs =
        [format!("command:cat {}", draw.file().display()), format!("tasmota:{}", plug.url(""))];
    let mut command = support::rigbench(&["run", "--quick", "--device", "cpu", "--json"]);
    command.args(["--workload", "gemm:64x64x64:f32", "--power", &specs[0], "--power", &specs[1]]);
    command.arg("--out").arg(out.path()).env("RIGBENCH_SYSFS", nothing.path());
    let output = draw.run(&mut command);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document = document(&output);
    let row = &document["derived"]["rows"][0];
    let others = row["energy_other"].as_array().unwrap();
    let sources = &document["evidence"]["manifest"]["sources"];
    let kind = |energy: &Value| {
        let source = energy["source"].as_u64().unwrap() as usize;
        &sources[source]["origin"]["meter"]["kind"]
    };
    let measured: Vec<&Value> = std::iter::once(&row["energy"])
        .chain(others)
        .filter(|energy| energy["joules_per_unit"]["provenance"] == "measured-sampled")
        .map(kind)
        .collect();
    assert!(measured.contains(&&"command".into()), "{} {others:?}", row["energy"]);
    assert!(measured.contains(&&"tasmota".into()), "{} {others:?}", row["energy"]);
}

/// It hangs once the first block is kept: that block has its joules, all others have a reason, and the run its figures.
#[test]
fn a_plug_that_is_lost_in_mid_run_costs_its_windows() {
    let lost = Arc::new(AtomicBool::new(false));
    let (theirs, draw) = (Arc::clone(&lost), Draw::new(40.0, 200.0));
    let drawn = draw.clone();
    let plug = Plug::new(move |path| match path {
        _ if theirs.load(Ordering::Relaxed) => Reply::Hang,
        "/rpc/Switch.GetStatus?id=0" => {
            let (watts, watt_hours) = (drawn.watts(), 1000.0 + drawn.joules() / 3600.0);
            json(&format!(r#"{{"apower":{watts:.1},"aenergy":{{"total":{watt_hours:.3}}}}}"#))
        }
        other => gen2(other),
    });
    let (out, nothing) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let spec = format!("shelly:{}", plug.url(""));
    let mut child = command(out.path(), nothing.path(), &[&spec])
        .env("RIGBENCH_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    draw.follow(child.id());
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        said += &(line.unwrap() + "\n");
        lost.fetch_or(said.contains("a block is kept"), Ordering::Relaxed);
    }
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    let path = &written(out.path())[0];
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(document["evidence"]["run"]["finished_at"].is_string());
    let rows = document["evidence"]["rows"].as_array().unwrap();
    let figures = document["derived"]["rows"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["outcome"]["status"] == "measured"));
    assert!(figures.iter().all(|figures| figures["throughput"].is_object()));

    let provenance = |row: &Value| row["energy"]["joules_per_unit"]["provenance"].clone();
    let (read, unread): (Vec<usize>, Vec<usize>) =
        (0..rows.len()).partition(|i| provenance(&figures[*i]) == "measured-counter");
    let (&[read], &[unread]) = (&read[..], &unread[..]) else { panic!("{document:#}") };
    let energy = &figures[read]["energy"];
    let blocks = energy["measured"]["blocks_gross_joules"].as_array().unwrap();
    assert!(blocks.len() > 1 && blocks[0].is_f64(), "{blocks:?}");
    assert!(blocks[1..].iter().all(Value::is_null), "{blocks:?}");
    // Only the work of the block that was read counts for its joules.
    let shown = energy["power_watts"]["value"].as_f64().unwrap();
    assert!((shown / draw.load() - 1.0).abs() < 0.2, "{shown} W");
    let energies = figures[unread]["energy_other"].as_array().unwrap().iter();
    for energy in energies.chain([&figures[unread]["energy"]]) {
        assert!(energy["joules_per_unit"].is_null() && energy["no_figure"].is_object(), "{energy}");
    }
    // What it answered, or that it did not, stands beside the readings that there are.
    for row in rows {
        for readings in row["readings"].as_array().unwrap() {
            let error = readings["last_error"].as_str().unwrap();
            assert!(error.contains("plug") && !plug.is_told_by(error), "{error}");
        }
    }
    let judged = support::rigbench(&["validate"]).arg(path).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
}
