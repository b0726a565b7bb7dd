//! The page's contents, in order: the answer first, then the data behind it.

use super::plot::Plot;
use super::strip::Card;
use super::{batch, cards, power, roofline, windows};
use crate::report::answer::{Answer, Standing, answers};
use crate::report::entry::Entry;
use crate::report::gather::{Collection, File, Run};
use crate::report::group::groups;
use crate::report::lines;
use crate::report::provenance::basis;
use crate::report::view::View;
use crate::results::{Document, OrNewer};
use crate::units::{Unit, significant};
use askama::Template;
use base64::Engine;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Maximum number of plots of single rows.
const MAX_PLOTS: usize = 24;

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    title: String,
    lead: String,
    state: State,
    /// Environment settings that may distort figures.
    conditions: BTreeSet<&'a str>,
    answers: Vec<UnitAnswers<'a>>,
    joules: Vec<Card>,
    rates: Vec<Card>,
    batches: Vec<String>,
    rooflines: Vec<String>,
    power: Vec<String>,
    no_power: String,
    windows: Vec<String>,
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

/// Validity of the shown runs.
struct State {
    good: bool,
    words: String,
    reasons: Vec<String>,
}

/// The answers for one unit of work.
struct UnitAnswers<'a> {
    unit: &'static str,
    name: &'static str,
    /// Each with its workload as text.
    answers: Vec<(&'a Answer, String)>,
    more: usize,
}

/// Maximum number of answers per unit; the cards show the rest.
const MAX_ANSWERS: usize = 4;

/// The page of a collection; `detail` is the document if there is a single run.
pub fn page(collection: &Collection, detail: Option<&Document>) -> String {
    let runs: Vec<(&File, &Run)> = collection.runs().collect();
    let groups = groups(&collection.entries, runs.len());
    let answers = answers(&groups);
    let plots = |draw: &dyn Fn(&Document) -> Vec<Plot>| -> Vec<String> {
        detail.map(draw).unwrap_or_default().iter().map(Plot::markup).collect()
    };
    let (no_power, windows) = match detail {
        Some(document) => (without_power(document), window_plots(document)),
        None => (String::new(), Vec::new()),
    };
    let single = runs.len() == 1;
    let named = |entry: &Entry| match single {
        true => entry.device.clone(),
        false => entry.name.clone(),
    };
    let table = lines::table(&groups, single);
    let page = Page {
        style: include_str!("templates/page.css"),
        script: include_str!("templates/sort.js"),
        title: title(&collection.entries, single),
        lead: lead(&runs, &collection.entries),
        state: state(&runs),
        conditions: collection
            .entries
            .iter()
            .flat_map(|entry| &entry.conditions)
            .map(String::as_str)
            .collect(),
        answers: by_unit(&answers),
        joules: cards::joules(&groups),
        rates: cards::rates(&groups),
        batches: batch::plots(&groups, named).iter().map(Plot::markup).collect(),
        rooflines: plots(&|document| {
            let devices = document.evidence.manifest.devices();
            devices.filter_map(|device| roofline::plot(document, device)).collect()
        }),
        power: plots(&|document| {
            View::all(document).flat_map(power::plots).take(MAX_PLOTS).collect()
        }),
        no_power,
        more_windows: windows.len().saturating_sub(MAX_PLOTS),
        windows: windows.iter().take(MAX_PLOTS).map(Plot::markup).collect(),
        table: table.to_html(),
        notes: table.notes,
        facts: detail.map(facts).unwrap_or_default(),
        refused: collection.refused().collect(),
        runs,
        single,
        modelled: answers
            .iter()
            .any(|a| matches!(a.standing, Standing::Modelled | Standing::Unmeasured)),
        software: collection.entries.iter().any(Entry::is_software),
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

fn state(runs: &[(&File, &Run)]) -> State {
    let invalid = runs.iter().filter(|(_, run)| !run.reasons.is_empty()).count();
    let reasons = match runs {
        [(_, run)] => run.reasons.clone(),
        _ => Vec::new(),
    };
    let words = match (runs.len(), invalid) {
        (1, 0) => "valid: no invalidating condition was found".to_string(),
        (1, _) => "invalid in part: invalid rows enter no answer".into(),
        (_, 0) => "all runs are valid".into(),
        (all, some) => {
            format!("{some} of {all} runs are invalid in part; invalid rows enter no figure")
        }
    };
    State { good: invalid == 0, words, reasons }
}

fn by_unit(answers: &[Answer]) -> Vec<UnitAnswers<'_>> {
    let name = |unit: Unit| match unit {
        Unit::Hash => "Hashes",
        Unit::Flop => "Operations",
        Unit::Byte => "Bytes",
        Unit::Token => "Tokens",
    };
    Unit::ALL
        .into_iter()
        .filter_map(|unit| {
            let all: Vec<&Answer> = answers.iter().filter(|answer| answer.unit == unit).collect();
            (!all.is_empty()).then(|| UnitAnswers {
                unit: unit.energy_symbol(),
                name: name(unit),
                more: all.len().saturating_sub(MAX_ANSWERS),
                answers: all.into_iter().take(MAX_ANSWERS).map(with_subject).collect(),
            })
        })
        .collect()
}

/// An answer with its workload as `decode · smollm2-135m · int4`.
fn with_subject(answer: &Answer) -> (&Answer, String) {
    (answer, answer.workload.replace(':', " · "))
}

/// Rows without a plot of power.
fn without_power(document: &Document) -> String {
    let all = View::all(document).filter(|view| power::plots(*view).is_empty());
    let name = |view: View| format!("{} {}", view.row.device, view.row.workload.spec);
    let all: Vec<String> = all.map(name).collect();
    all.join(", ")
}

fn window_plots(document: &Document) -> Vec<Plot> {
    View::all(document).filter_map(windows::plot).collect()
}

/// Machine, protocol and energy sources.
fn facts(document: &Document) -> Vec<(String, String)> {
    let (run, manifest) = (&document.evidence.run, &document.evidence.manifest);
    let host = &manifest.host;
    let quota = host.cpu_quota.map_or(String::new(), |quota| {
        format!(", of which the control group lets {} work at once", significant(quota))
    });
    let mut facts =
        vec![("processor".to_string(), format!("{}, {} threads{quota}", host.cpu, host.threads))];
    if let Some(bytes) = host.memory_bytes {
        facts.push(("memory".into(), crate::units::Bytes(bytes).to_string()));
    }
    let virtual_machine = match host.virtualized {
        Some(true) => ", a virtual machine",
        _ => "",
    };
    facts.push(("system".into(), format!("{}, kernel {}{virtual_machine}", host.os, host.kernel)));
    for device in manifest.devices() {
        let driver = device.gpu.as_ref().map(|gpu| format!(", {} by {}", gpu.driver, gpu.backend));
        let what = format!("{}: {}{}", device.class, device.name, driver.unwrap_or_default());
        facts.push((device.id.to_string(), what));
    }
    let protocol = &manifest.protocol;
    facts.push((
        "protocol".into(),
        format!(
            "{}: at least {} blocks of {} windows of {}, rows taking turns",
            protocol.mode,
            protocol.blocks,
            protocol.windows,
            crate::units::Seconds(protocol.window_seconds)
        ),
    ));
    let mut sources: Vec<String> = manifest
        .sources
        .iter()
        .filter_map(OrNewer::known)
        .map(|s| format!("{} ({}): {}", s.name(), s.scope().name(), basis(s)))
        .collect();
    sources.sort();
    sources.dedup();
    facts.extend(sources.into_iter().map(|source| ("energy source".into(), source)));
    for (name, value) in &manifest.environment {
        facts.push((name.clone(), value.clone()));
    }
    if !host.driver_layers.is_empty() {
        facts.push(("Vulkan layers".into(), host.driver_layers.join(", ")));
    }
    facts.extend(run.labels.iter().map(|(key, value)| (key.clone(), value.clone())));
    facts.push(("run".into(), run.id.clone()));
    facts.push(("document SHA-256".into(), document.proof.document_sha256.clone()));
    facts
}

impl Page<'_> {
    /// The Content-Security-Policy source that allows exactly this inline text.
    fn hash(&self, text: &str) -> askama::filters::Safe<String> {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        askama::filters::Safe(format!("'sha256-{digest}'"))
    }

    /// CSS class of a badge.
    fn badge(&self, standing: &Standing) -> &'static str {
        match standing {
            Standing::Sure => "good",
            Standing::Declared | Standing::Alone => "plain",
            Standing::Open | Standing::Unlike | Standing::Unknown => "open",
            Standing::Modelled | Standing::Unmeasured => "modelled",
        }
    }
}
