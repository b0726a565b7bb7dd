//! Every run under `results/published` is truthful and stands in the index, `results/README.md`; what the README shows of one is what
//! the commands print of it.

mod support;

use rigbench::results::{self, Depth, read, wire};
use rigbench::units::{EnergyPerWork, Rate, significant};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use wire::{Document, Energy, Measurement, Outcome, PerUnit, Verdict};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// Every published file, by name, in order.
fn published() -> Vec<(String, Document)> {
    let entries = std::fs::read_dir(folder().join("published")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let open = |path: PathBuf| {
        let given = read::open(&path, read::read)
            .unwrap()
            .unwrap_or_else(|why| panic!("{}: {why}", path.display()));
        let findings = results::validate(&given, Depth::Quick);
        assert!(findings.faults.is_empty(), "{}: {:#?}", path.display(), findings.faults);
        (path.file_name().unwrap().to_str().unwrap().to_string(), given.document)
    };
    paths.into_iter().map(open).collect()
}

#[test]
fn every_published_run_is_truthful_and_finished() {
    let published = published();
    if published.is_empty() {
        support::not_run("every_published_run_is_truthful", "results/published has no run yet");
        return;
    }
    let schema: serde_json::Value = serde_json::from_str(results::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, document) in &published {
        assert!(document.run.finished_at.is_some(), "{name} is not finished");
        assert!(document.manifest.rigbench.commit.is_some(), "{name} tells no commit");
        let value = serde_json::to_value(document).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    // Each class of the machine that they were made on, and its software Vulkan of an older and a newer Mesa.
    let devices = || published.iter().flat_map(|(_, document)| &document.manifest.devices);
    let classes: BTreeSet<&str> = devices().map(|device| device.class.as_str()).collect();
    assert!(classes.contains("cpu") && classes.contains("software-gpu"), "{classes:?}");
    let drivers: BTreeSet<&str> =
        devices().filter_map(|d| d.gpu.as_ref()).map(|gpu| gpu.driver.as_str()).collect();
    assert!(drivers.len() >= 2, "{drivers:?}");
    println!("{} published runs are truthful, on {drivers:?}", published.len());
}

/// Run with `RIGBENCH_BLESS=1` to write the index anew. While there is no run it says so, and it never loses one in silence.
#[test]
fn the_index_lists_every_published_run() {
    let path = folder().join("README.md");
    let text = index(&published());
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "results/README.md differs; RIGBENCH_BLESS=1 cargo test --test published writes it anew"
    );
}

#[test]
fn the_readme_shows_what_the_commands_print() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let blocks: Vec<&str> = readme.split("```").skip(1).step_by(2).collect();
    let run =
        readme.split("`rigbench report results").nth(1).and_then(|rest| rest.split('`').next());
    let run = format!("results{}", run.expect("a table, and the command that prints it"));
    let printed = |command: &str| {
        let out = support::rigbench(&[command, &run])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        String::from_utf8(out.stdout).unwrap()
    };
    let report = printed("report");
    assert!(blocks.contains(&&*format!("text\n{}\n", report.trim_end())), "{report}");
    let after = |command: &str| {
        let command = format!("text\n$ rigbench {command} {run}\n");
        let shown = blocks.iter().find_map(|block| block.strip_prefix(&command));
        shown.unwrap_or_else(|| panic!("no block begins with {command}"))
    };
    assert_eq!(after("validate"), printed("validate"));
    // How old the market's figures are changes by the day.
    let lasting = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("older than 90 days"));
        lines.map(str::to_string).collect()
    };
    let shown = lasting(after("advise"));
    assert_eq!(shown, lasting(&printed("advise"))[..shown.len()]);
}

fn index(published: &[(String, Document)]) -> String {
    let mut text = String::from(HEAD);
    if published.is_empty() {
        text += "\nNo run is published yet.\n";
    }
    for (name, document) in published {
        let wire::Run { started_at, protocol, .. } = &document.run;
        let host = &document.manifest.host;
        let day = started_at.split('T').next().unwrap();
        text += &format!("\n## [{name}](published/{name})\n\n");
        text += &format!(
            "{day}, protocol `{}`, on {} ({} threads{}), {}.\n",
            protocol.mode,
            host.cpu,
            host.cores,
            if host.virtualized == Some(true) { ", a virtual machine" } else { "" },
            host.os
        );
        for (setting, value) in &document.manifest.environment {
            text += &format!("Setting: `{setting}={value}`.\n");
        }
        for device in &document.manifest.devices {
            let driver =
                device.gpu.as_ref().map(|gpu| format!(", {}", gpu.driver)).unwrap_or_default();
            text += &format!(
                "\n**{}**, class `{}`: {}{driver}\n\n",
                device.id, device.class, device.name
            );
            text += "| workload | throughput | joules a unit | energy | verdict |\n|---|--:|--:|---|---|\n";
            let rows = document.measurements.iter().filter(|m| m.device == device.id);
            rows.for_each(|m| text += &row(m));
        }
    }
    text
}

fn row(m: &Measurement) -> String {
    let unit = m.workload.unit();
    let rate = match (&m.throughput, unit, m.outcome) {
        (Some(t), Some(unit), _) => {
            let value = Rate { per_second: t.value, unit };
            let interval = |low: f64, high: f64| (t.value - low).max(high - t.value) / t.value;
            match t.ci95_low.zip(t.ci95_high) {
                Some((low, high)) => format!("{value} ±{:.1} %", 100.0 * interval(low, high)),
                None => value.to_string(),
            }
        }
        (.., Outcome::Unsupported) => "unsupported".into(),
        _ => "failed".into(),
    };
    let figure = |joules: f64| match unit {
        Some(unit) => {
            format!("{} {}", EnergyPerWork { joules, unit }.figure(), unit.energy_symbol())
        }
        None => format!("{} J", significant(joules)),
    };
    let point = |per: &PerUnit| figure(per.value);
    let scope = |scope: wire::Scope| rigbench::energy::Scope::from(scope).name();
    let (joules, energy) = match &m.energy {
        Energy::MeasuredCounter(e) => {
            (point(&e.joules_per_unit), format!("measured by a counter, {}", scope(e.scope)))
        }
        Energy::MeasuredSampled(e) => {
            (point(&e.joules_per_unit), format!("measured by samples, {}", scope(e.scope)))
        }
        Energy::Declared(e) => (point(&e.joules_per_unit), format!("declared, {}", scope(e.scope))),
        Energy::Modelled(e) => {
            let (low, high) = (e.modelled_joules_per_unit_low, e.modelled_joules_per_unit_high);
            (
                format!("{} to {}", figure(low), figure(high)),
                format!("modelled, {}", scope(e.scope)),
            )
        }
        Energy::None(_) => ("–".into(), "none".into()),
    };
    let verdict = match m.verdict {
        Verdict::Valid => "valid".to_string(),
        Verdict::Invalid | Verdict::Incomplete => format!("invalid: {}", m.reasons.join("; ")),
    };
    format!("| `{}` | {rate} | {joules} | {energy} | {verdict} |\n", m.workload.spec())
}

const HEAD: &str = "# Results

Runs that anybody can check: `rigbench validate results/published/*.json` computes every figure and proof again. What a file cannot show,
when, where, how fast and at what joules, is its publisher's word. [rigbench.schema.json](rigbench.schema.json) describes the format;
[hardware.toml](hardware.toml) holds what vendors publish of their cards, [market/](market) what electricity, hashes and tokens cost.

A range of joules is modelled: nobody measured. The class `software-gpu` is a processor that emulates a GPU. It shows that kernels are
right, and says nothing of a GPU's speed or joules. This page is written by `RIGBENCH_BLESS=1 cargo test --test published`.
";
