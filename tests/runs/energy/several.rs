//! The command itself with several meters at once: which one is the headline, which is waited for, and which is which.

use crate::energy::fake::draw::Draw;
use crate::energy::fake::sysfs::{Sysfs, put};
use crate::energy::run::command;
use crate::support;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A processor that draws 20 W and more under load, and its memory a tenth of that, through the kernel's files, while
/// `work` lasts.
fn beside_a_processor<T>(work: impl FnOnce(&Path, &Draw) -> T) -> T {
    let package = "class/powercap/intel-rapl:0";
    let memory = format!("{package}:0");
    let sysfs = Sysfs::with(&[
        (&format!("{package}/name"), "package-0"),
        (&format!("{package}/energy_uj"), "1000"),
        (&format!("{package}/max_energy_range_uj"), "262143328850"),
        (&format!("{memory}/name"), "dram"),
        (&format!("{memory}/energy_uj"), "1000"),
        (&format!("{memory}/max_energy_range_uj"), "65712999613"),
    ]);
    let files = [package, &memory].map(|zone| sysfs.path().join(zone).join("energy_uj"));
    let (over, draw) = (Arc::new(AtomicBool::new(false)), Draw::new(20.0, 40.0));
    let (theirs, drawn) = (Arc::clone(&over), draw.clone());
    let load = thread::spawn(move || {
        while !theirs.load(Ordering::Relaxed) {
            for (file, share) in files.iter().zip([1e6, 1e5]) {
                put(file, &format!("{:.0}", 1e3 + share * drawn.joules()));
            }
            thread::sleep(Duration::from_millis(5));
        }
    });
    let result = work(sysfs.path(), &draw);
    over.store(true, Ordering::Relaxed);
    load.join().unwrap();
    result
}

/// The document of a short run on the processor with idle power of so many sources, which `rigbench validate` must find consistent.
fn run(sysfs: &Path, draw: &Draw, power: &[&str], baselines: usize) -> Value {
    let (output, out) = draw.run_until_read(baselines, |out| {
        let mut run = command(out, sysfs, power);
        run.arg("--json");
        run
    });
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let file = std::fs::read_dir(out.path()).unwrap().next().unwrap().unwrap().path();
    let judged = support::rigbench(&["validate"]).arg(file).output().unwrap();
    assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_package_is_the_headline_and_not_its_memory() {
    let document = beside_a_processor(|sysfs, draw| run(sysfs, draw, &[], 1));
    for row in document["derived"]["rows"].as_array().unwrap() {
        assert_eq!(row["energy"]["scope"], "cpu-package", "{}", row["energy"]);
        assert_eq!(row["energy_other"][0]["scope"], "dram", "{}", row["energy_other"]);
    }
}

#[test]
fn two_meters_that_say_the_same_of_themselves_are_two() {
    let document = beside_a_processor(|sysfs, draw| {
        let (one, other) =
            (draw.command(["60", "60.5"], "0.1"), draw.command(["90", "90.5"], "0.1"));
        run(sysfs, draw, &[&one, &other], 2)
    });
    let evidence = &document["evidence"];
    assert_eq!(evidence["manifest"]["sources"].as_array().unwrap().len(), 2);
    for row in document["derived"]["rows"].as_array().unwrap() {
        let at_rest = |energy: &Value| {
            let of_source = |b: &&Value| b["source"] == energy["source"];
            let baseline = evidence["baselines"].as_array().unwrap().iter().find(of_source);
            baseline.unwrap()["idle"]["power_watts"].as_f64().unwrap()
        };
        let mut at_rest = [&row["energy"], &row["energy_other"][0]].map(at_rest);
        at_rest.sort_by(f64::total_cmp);
        // On a busy machine the program may seem at work, which adds up to 20 W to both.
        let [one, other] = at_rest;
        assert!((59.9..81.0).contains(&one) && (89.9..111.0).contains(&other), "{at_rest:?}");
    }
}

#[test]
fn a_plug_beside_a_quick_counter_is_waited_for() {
    let document = beside_a_processor(|sysfs, draw| {
        run(sysfs, draw, &["rapl", &draw.command(["60", "60.5"], "0.4")], 1)
    });
    for row in document["derived"]["rows"].as_array().unwrap() {
        assert_eq!(row["energy"]["scope"], "wall", "{}", row["energy"]);
        let provenance = &row["energy"]["joules_per_unit"]["provenance"];
        assert_eq!(provenance, "measured-sampled", "{}", row["energy"]);
    }
}
