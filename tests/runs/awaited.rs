//! Runs that take longest: those that wait for meters which are read once a second, and one that other tests wait for. The harness starts
//! tests in the order of their names, so these begin first.

use crate::consistent::{BASE, consistent};
use crate::energy::fake::draw::Draw;
use crate::energy::fake::plug::{Plug, Reply, gen2, json, missing};
use crate::energy::fake::sysfs::Sysfs;
use crate::energy::run::{command, written};
use crate::support;
use serde_json::Value;
use std::fs::read_to_string;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// What came of the run.
pub struct Run {
    pub file_name: String,
    pub written: String,
    pub document: Value,
    /// What the program wrote to stderr.
    pub said: String,
    pub plugs: [Plug; 2],
}

/// With a command that ends after each reading, a Shelly, and a Tasmota as it is shipped: whole watts, thousandths of a kilowatt-hour.
/// Secrets are planted wherever a user may have some, for `energy::privacy` to look for.
pub static RUN: LazyLock<Run> = LazyLock::new(|| {
    let draw = Draw::new(40.0, 200.0);
    let drawn = draw.clone();
    let shelly = Plug::new(move |path| match path {
        "/rpc/Switch.GetStatus?id=0" => {
            let (watts, watt_hours) = (drawn.watts(), 1000.0 + drawn.joules() / 3600.0);
            json(&format!(r#"{{"apower":{watts:.1},"aenergy":{{"total":{watt_hours:.3}}}}}"#))
        }
        other => gen2(other),
    });
    let drawn = draw.clone();
    let tasmota = Plug::new(move |path| match path {
        "/cm?cmnd=Status%208" => {
            let (watts, total) = (drawn.watts(), 3.262 + drawn.joules() / 3.6e6);
            json(&format!(
                r#"{{"StatusSNS":{{"ENERGY":{{"Power":{watts:.0},"Total":{total:.3}}}}}}}"#
            ))
        }
        _ => missing(),
    });
    let specs = [
        format!("command:cat {} # planted-command --password planted-word", draw.file().display()),
        format!("shelly:{}", shelly.url("planted-name:planted%20p%40ss@")),
        format!("tasmota:{}", tasmota.url("")),
    ];
    let nothing = Sysfs::with(&[]);
    let home = tempfile::Builder::new().prefix("planted-home").tempdir().unwrap();
    let out = home.path().join("planted-folder");
    let mut run = support::rigbench(&["run", "--quick", "--device", "cpu", "--json"]);
    run.args(["--workload", "sha256d", "--out"]).arg(&out);
    for spec in &specs {
        run.args(["--power", spec]);
    }
    run.env("RIGBENCH_SYSFS", nothing.path())
        .env("HOME", home.path())
        .env("USER", "planted-user")
        .env("LOGNAME", "planted-user")
        .env("HOSTNAME", "planted-host")
        .env("API_TOKEN", "planted-token")
        // Settings that are recorded, with values that are none.
        .env("RAYON_NUM_THREADS", "planted")
        .env("LP_NATIVE_VECTOR_WIDTH", "plantedvalue")
        .env("VK_INSTANCE_LAYERS", "VK_LAYER_KHRONOS_validation:/home/planted/layer")
        .env("VK_LOADER_LAYERS_ENABLE", "*planted*")
        .env("VK_DRIVER_FILES", "/home/planted/icd.json")
        .env("LD_PRELOAD", "/home/planted/shim.so")
        .env("ENABLE_PLANTED_PROJECT", "1")
        .current_dir(home.path());
    let output = draw.run(&mut run);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let file = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap();
    let written = read_to_string(file.path()).unwrap();
    let document = serde_json::from_str(&written).unwrap();
    let file_name = file.file_name().to_string_lossy().into_owned();
    Run { file_name, written, document, said, plugs: [shelly, tasmota] }
});

#[test]
fn slow_meters_have_joules_in_a_quick_run() {
    let row = &RUN.document["derived"]["rows"][0];
    let others = row["energy_other"].as_array().unwrap();
    let sources = &RUN.document["evidence"]["manifest"]["sources"];
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
        .args(["--workload", "gemm:32x32x32:f32"])
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
    // Readings come with the plug's last error.
    for row in rows {
        for readings in row["readings"].as_array().unwrap() {
            let error = readings["last_error"].as_str().unwrap();
            assert!(error.contains("plug") && !plug.is_told_by(error), "{error}");
        }
    }
    let judged = support::rigbench(&["validate"]).arg(path).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
}

/// Tests of `consistent` make other files of it.
#[test]
fn a_short_run_of_three_workloads_is_consistent() {
    let document = consistent(BASE.path());
    assert!(document.evidence.run.finished_at.is_some());
    assert_eq!(document.rows().count(), 3);
}
