//! Every run under `results/published` is consistent and stands in the index, `results/README.md`; what the README shows of one is what
//! the commands print of it.

use crate::support;

use rigbench::device::Class;
use rigbench::results::{self, Depth, Document, Outcome, Row, RowFigures, Verdict, read};
use rigbench::units::{EnergyPerWork, Provenance, Rate};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
        (path.file_name().unwrap().to_str().unwrap().to_string(), given.shown())
    };
    paths.into_iter().map(open).collect()
}

#[test]
fn every_published_run_is_consistent_and_finished() {
    let published = published();
    if published.is_empty() {
        support::not_run("every_published_run_is_consistent", "results/published has no run yet");
        return;
    }
    let schema: serde_json::Value = serde_json::from_str(results::SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, document) in &published {
        let Document { evidence, .. } = document;
        assert!(evidence.run.finished_at.is_some(), "{name} is not finished");
        assert!(evidence.manifest.rigbench.commit.is_some(), "{name} tells no commit");
        let text = std::fs::read(folder().join("published").join(name)).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
    // Each class of the machine that they were made on, and its software Vulkan of an older and a newer Mesa.
    let devices =
        || published.iter().flat_map(|(_, document)| document.evidence.manifest.devices());
    let classes: BTreeSet<Class> = devices().map(|device| device.class).collect();
    assert!(classes.contains(&Class::Cpu) && classes.contains(&Class::SoftwareGpu), "{classes:?}");
    let drivers: BTreeSet<&str> =
        devices().filter_map(|d| d.gpu.as_ref()).map(|gpu| gpu.driver.as_str()).collect();
    assert!(drivers.len() >= 2, "{drivers:?}");
    println!("{} published runs are consistent, on {drivers:?}", published.len());
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
        "results/README.md differs; RIGBENCH_BLESS=1 cargo test --test documents published:: writes it anew"
    );
}

/// A block of README.md and docs/ that begins with `$ rigbench ARGUMENTS` shows the first lines of what that prints; `RIGBENCH_BLESS=1`
/// writes as many lines anew, and all of a block without any.
#[test]
fn documents_show_what_the_commands_print() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let markdown = docs.filter(|path| path.extension().is_some_and(|e| e == "md"));
    let mut shown = BTreeSet::new();
    for path in markdown.chain([root.join("README.md")]) {
        let text = std::fs::read_to_string(&path).unwrap();
        let written = with_printed_blocks(&path, &text, &mut shown);
        if std::env::var_os("RIGBENCH_BLESS").is_some() {
            std::fs::write(&path, written).unwrap();
        }
    }
    assert!(shown.iter().eq(["advise", "report", "validate"]), "{shown:?}");
}

/// The text with each block as the command prints it now; without `RIGBENCH_BLESS` they must be equal. `shown` receives the commands.
fn with_printed_blocks(path: &Path, text: &str, shown: &mut BTreeSet<String>) -> String {
    // How old the market's figures are changes by the day.
    let lasting = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains("older than 90 days"));
        lines.map(str::to_string).collect()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written = Vec::new();
    for (i, block) in text.split("```").enumerate() {
        let Some(rest) = block.strip_prefix("text\n$ rigbench ").filter(|_| i % 2 == 1) else {
            written.push(block.to_string());
            continue;
        };
        let (arguments, text) = rest.split_once('\n').unwrap();
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let out = support::rigbench(&arguments).current_dir(root).output().unwrap();
        let mut printed = lasting(String::from_utf8(out.stdout).unwrap().trim_end());
        let lines = lasting(text);
        printed.truncate(if lines.is_empty() { usize::MAX } else { lines.len() });
        let printed = printed.join("\n");
        if std::env::var_os("RIGBENCH_BLESS").is_none() {
            let command = arguments.join(" ");
            assert_eq!(lines.join("\n"), printed, "{}: rigbench {command}", path.display());
        }
        shown.insert(arguments[0].to_string());
        written.push(format!("text\n$ rigbench {}\n{printed}\n", arguments.join(" ")));
    }
    written.join("```")
}

fn index(published: &[(String, Document)]) -> String {
    let mut text = String::from(HEAD);
    if published.is_empty() {
        text += "\nNo run is published yet.\n";
    }
    for (name, document) in published {
        let manifest = &document.evidence.manifest;
        let (host, protocol) = (&manifest.host, &manifest.protocol);
        let started_at = document.evidence.run.started_at.to_string();
        let day = started_at.split('T').next().unwrap();
        text += &format!("\n## [{name}](published/{name})\n\n");
        text += &format!(
            "{day}, protocol `{}`, on {} ({} threads{}), {}.\n",
            protocol.mode,
            host.cpu,
            host.threads,
            if host.virtualized == Some(true) { ", a virtual machine" } else { "" },
            host.os
        );
        for (setting, value) in &manifest.environment {
            text += &format!("Setting: `{setting}={value}`.\n");
        }
        for device in manifest.devices() {
            let driver =
                device.gpu.as_ref().map(|gpu| format!(", {}", gpu.driver)).unwrap_or_default();
            text += &format!(
                "\n**{}**, class `{}`: {}{driver}\n\n",
                device.id, device.class, device.name
            );
            text += "| workload | throughput | joules a unit | energy | verdict |\n|---|--:|--:|---|---|\n";
            let rows = document.rows().filter(|(row, _)| row.device == device.id);
            rows.for_each(|(row, figures)| text += &line(row, figures));
        }
    }
    text
}

fn line(row: &Row, figures: &RowFigures) -> String {
    let unit = row.workload.unit;
    let rate = match (figures.throughput, &row.outcome) {
        (Some(rate), Outcome::Measured) => {
            let value = Rate { per_second: rate.middle(), unit };
            match rate.ends() {
                Some(_) => format!("{value} ±{:.1} %", 100.0 * rate.relative_half_width()),
                None => value.to_string(),
            }
        }
        (_, outcome) => outcome.into_str().into(),
    };
    let figure = |joules: f64| {
        format!("{} {}", EnergyPerWork { joules, unit }.figure(), unit.energy_symbol())
    };
    let scope = figures.energy.scope.map_or("", |scope| scope.into_str());
    let (joules, energy) = match figures.energy.joules_per_unit {
        None => ("–".into(), "none".into()),
        Some(joules) => {
            let how = match joules.provenance {
                Provenance::MeasuredCounter => "measured by a counter",
                Provenance::MeasuredSampled => "measured by samples",
                other => other.into_str(),
            };
            let text = match joules.value {
                Some(value) => figure(value),
                None => format!("{} to {}", figure(joules.low), figure(joules.high)),
            };
            (text, format!("{how}, {scope}"))
        }
    };
    let verdict = match figures.verdict {
        Verdict::Valid => "valid".to_string(),
        Verdict::Invalid | Verdict::Incomplete => {
            format!("invalid: {}", figures.reasons_in_words())
        }
    };
    format!("| `{}` | {rate} | {joules} | {energy} | {verdict} |\n", row.workload.spec)
}

const HEAD: &str = "# Results

Runs that anybody can check: `rigbench validate results/published/*.json` computes every figure and proof again. What a file cannot show,
when, where, how fast and at what joules, is its publisher's word. [rigbench.schema.json](rigbench.schema.json) describes the format;
[hardware.toml](hardware.toml) holds what vendors publish of their cards, [market/](market) what electricity, hashes and tokens cost.

A range of joules is modelled: nobody measured. The class `software-gpu` is a processor that emulates a GPU. It shows that kernels are
right, and says nothing of a GPU's speed or joules. This page is written by `RIGBENCH_BLESS=1 cargo test --test documents published::`.
";
