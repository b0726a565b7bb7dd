//! The page's contents, in order: the answer first, then the data behind it.

use super::cards::{self, Card};
use super::plot::Plot;
use super::{batch, power, roofline, windows};
use crate::report::answer::{Answer, answers};
use crate::report::entry::Entry;
use crate::report::gather::{Collection, File, Run};
use crate::report::group::{disambiguated, groups};
use crate::report::lines;
use crate::report::provenance::basis;
use crate::report::view::View;
use crate::results::{Document, OrNewer};
use crate::units::{Bytes, Seconds, Unit, significant};
use askama::Template;
use base64::Engine;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Maximum number of plots of single rows.
const MAX_PLOTS: usize = 24;
/// Maximum number of answers per unit; the cards show the rest.
const MAX_ANSWERS: usize = 4;

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    title: String,
    lead: String,
    /// Number of runs that are invalid, or have invalid rows.
    invalid: usize,
    /// Environment settings that may distort figures.
    conditions: BTreeSet<&'a String>,
    /// The answers of each unit of work.
    answers: Vec<&'a [Answer]>,
    joules: Vec<Card>,
    rates: Vec<Card>,
    batches: Vec<Plot>,
    rooflines: Vec<Plot>,
    power: Vec<Plot>,
    /// Rows without a plot of power.
    no_power: String,
    windows: Vec<Plot>,
    more_windows: usize,
    table: String,
    notes: Vec<String>,
    facts: Vec<(String, String)>,
    runs: Vec<(&'a File, &'a Run)>,
    refused: Vec<(&'a File, &'a String)>,
    single: bool,
    modelled: bool,
    software: bool,
    classes: [&'static str; 6],
}

/// The page of a collection; `detail` is the document if there is a single run.
pub fn page(collection: &Collection, detail: Option<&Document>) -> String {
    let runs: Vec<(&File, &Run)> = collection.runs().collect();
    let single = runs.len() == 1;
    let rows = &collection.entries;
    let entries = if single { disambiguated(rows) } else { groups(rows) };
    let answers = answers(&entries);
    let views = || detail.into_iter().flat_map(View::all);
    let mut windows: Vec<Plot> = views().filter_map(windows::plot).collect();
    let more_windows = windows.len().saturating_sub(MAX_PLOTS);
    windows.truncate(MAX_PLOTS);
    let no_power = views().filter(|view| power::plots(*view).is_empty());
    let no_power: Vec<String> =
        no_power.map(|view| format!("{} {}", view.row.device, view.row.workload.spec)).collect();
    let rooflines = detail.map_or(Vec::new(), |document| {
        let devices = document.evidence.manifest.devices();
        devices.filter_map(|device| roofline::plot(document, device)).collect()
    });
    let table = lines::table(&entries, single);
    let page = Page {
        style: include_str!("templates/page.css"),
        script: include_str!("templates/sort.js"),
        title: title(rows, single),
        lead: lead(&runs, rows),
        invalid: runs.iter().filter(|(_, run)| !run.reasons.is_empty()).count(),
        conditions: rows.iter().flat_map(|entry| &entry.conditions).collect(),
        answers: answers.chunk_by(|a, b| a.unit == b.unit).collect(),
        joules: cards::joules(&entries),
        rates: cards::rates(&entries),
        batches: batch::plots(&entries, single),
        rooflines,
        power: views().flat_map(power::plots).take(MAX_PLOTS).collect(),
        no_power: no_power.join(", "),
        windows,
        more_windows,
        table: table.to_html(),
        notes: table.notes,
        facts: detail.map(facts).unwrap_or_default(),
        refused: collection.refused().collect(),
        runs,
        single,
        modelled: answers.iter().any(|answer| answer.standing.badge().0 == "modelled"),
        software: rows.iter().any(Entry::is_software),
        classes: ["discrete-gpu", "integrated-gpu", "virtual-gpu", "software-gpu", "cpu", "asic"],
    };
    page.render().expect("writing to memory")
}

fn title(entries: &[Entry], single: bool) -> String {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    match (single, names.len()) {
        (true, 1..=3) => names.into_iter().collect::<Vec<_>>().join(" and "),
        (_, 1) => format!("{}, several runs", names.into_iter().next().unwrap_or_default()),
        (_, n) => format!("{n} devices compared"),
    }
}

fn lead(runs: &[(&File, &Run)], entries: &[Entry]) -> String {
    if let [(_, run)] = runs {
        let end = if run.finished { "" } else { ", unfinished" };
        return format!(
            "One run of {}, protocol {}{end}, measured by rigbench {}.",
            run.started_at.split('T').next().unwrap_or_default(),
            run.mode,
            run.version
        );
    }
    let machines: BTreeSet<&str> = runs.iter().map(|(_, run)| run.machine.as_str()).collect();
    let days = || runs.iter().filter_map(|(_, run)| run.started_at.split('T').next());
    let modes: BTreeSet<&str> = runs.iter().map(|(_, run)| run.mode.as_str()).collect();
    format!(
        "{} runs with {} rows on {} kinds of processor, from {} to {}, protocol {}. Rows of one kind are merged into one line.",
        runs.len(),
        entries.len(),
        machines.len(),
        days().min().unwrap_or_default(),
        days().max().unwrap_or_default(),
        modes.into_iter().collect::<Vec<_>>().join(" and "),
    )
}

/// Machine, protocol and energy sources.
fn facts(document: &Document) -> Vec<(String, String)> {
    let (run, manifest) = (&document.evidence.run, &document.evidence.manifest);
    let (host, protocol) = (&manifest.host, &manifest.protocol);
    let fact = |name: &str, value: String| (name.to_string(), value);
    let quota = host.cpu_quota.map_or(String::new(), |quota| {
        format!(", of which the control group lets {} work at once", significant(quota))
    });
    let guest = if host.virtualized == Some(true) { ", a virtual machine" } else { "" };
    let mut facts =
        vec![fact("processor", format!("{}, {} threads{quota}", host.cpu, host.threads))];
    facts.extend(host.memory_bytes.map(|bytes| fact("memory", Bytes(bytes).to_string())));
    facts.push(fact("system", format!("{}, kernel {}{guest}", host.os, host.kernel)));
    facts.extend(manifest.devices().map(|device| {
        let driver = device.gpu.as_ref().map(|gpu| format!(", {} by {}", gpu.driver, gpu.backend));
        let driver = driver.unwrap_or_default();
        (device.id.to_string(), format!("{}: {}{driver}", device.class, device.name))
    }));
    let window = Seconds(protocol.window_seconds);
    let (mode, blocks, windows) = (&protocol.mode, protocol.blocks, protocol.windows);
    let words = format!(
        "{mode}: at least {blocks} blocks of {windows} windows of {window}, rows taking turns"
    );
    facts.push(fact("protocol", words));
    let sources = manifest.sources.iter().filter_map(OrNewer::known);
    let sources: BTreeSet<String> = sources
        .map(|source| format!("{} ({}): {}", source.name(), source.scope().name(), basis(source)))
        .collect();
    facts.extend(sources.into_iter().map(|source| fact("energy source", source)));
    facts.extend(manifest.environment.clone());
    if !host.driver_layers.is_empty() {
        facts.push(fact("Vulkan layers", host.driver_layers.join(", ")));
    }
    facts.extend(run.labels.clone());
    facts.push(fact("run", run.id.clone()));
    facts.push(fact("document SHA-256", document.proof.document_sha256.clone()));
    facts
}

impl Page<'_> {
    /// The Content-Security-Policy source that allows exactly this inline text.
    fn hash(&self, text: &str) -> askama::filters::Safe<String> {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        askama::filters::Safe(format!("'sha256-{digest}'"))
    }

    /// The heading of a unit's answers.
    fn heading(&self, unit: &Unit) -> &'static str {
        match unit {
            Unit::Hash => "Hashes",
            Unit::Flop => "Operations",
            Unit::Byte => "Bytes",
            Unit::Token => "Tokens",
        }
    }
}
