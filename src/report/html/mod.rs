//! A self-contained HTML page: the answer first, then the data behind it; style, SVG plots and a script for sorting, without external
//! resources. A single run is shown window by window, several runs as groups of comparable rows.

mod axis;
mod batch;
mod cards;
mod plot;
mod power;
mod roofline;
mod windows;

use crate::report::answer::{WorkloadAnswer, answers};
use crate::report::entry::Entry;
use crate::report::gather::{Collection, File, Run};
use crate::report::group::disambiguated;
use crate::report::lines;
use crate::report::provenance::basis;
use crate::report::table::Table;
use crate::results::{Document, OrNewer, Source, View};
use crate::units::{Seconds, Unit};
use askama::Template;
pub use axis::{Axis, MAX_LABELS};
use base64::Engine;
use plot::Plot;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Maximum number of plots of single rows.
const MAX_PLOTS: usize = 24;
/// Maximum number of answers per unit; the cards show the rest.
const MAX_ANSWERS: usize = 4;

const STYLE: &str = include_str!("templates/page.css");
const SCRIPT: &str = include_str!("templates/sort.js");

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'a> {
    collection: &'a Collection,
    /// Its lines: rows, or groups of comparable ones.
    entries: &'a [Entry],
    title: String,
    machines: BTreeSet<&'a str>,
    days: BTreeSet<&'a str>,
    modes: BTreeSet<&'a str>,
    /// Number of runs that are invalid, or have invalid rows.
    invalid: usize,
    /// Environment settings that may distort figures.
    conditions: BTreeSet<&'a String>,
    /// The answers of each unit of work.
    answers: Vec<&'a [WorkloadAnswer]>,
    batches: Vec<Plot>,
    rooflines: Vec<Plot>,
    power: Vec<Plot>,
    /// Rows without a plot of power.
    no_power: String,
    windows: Vec<Plot>,
    table: Table,
    /// The document of a single run.
    detail: Option<&'a Document>,
    sources: BTreeSet<String>,
    runs: Vec<(&'a File, &'a Run)>,
    single: bool,
    modelled: bool,
}

/// The page of a collection; `detail` is the document if a single run is shown.
pub fn page(collection: &Collection, detail: Option<&Document>) -> String {
    let runs: Vec<(&File, &Run)> = collection.runs().collect();
    let of_runs = |word: fn(&Run) -> &str| runs.iter().map(|(_, run)| word(run)).collect();
    let entries = match detail {
        Some(document) => disambiguated(View::all(document).map(Entry::of).collect()),
        None => collection.groups.entries(),
    };
    let single = detail.is_some();
    let answers = answers(&entries);
    let views = || detail.into_iter().flat_map(View::all);
    let no_power = views().filter(|view| power::plots(*view).is_empty());
    let no_power: Vec<String> = no_power.map(View::title).collect();
    let rooflines = detail.map_or(Vec::new(), |document| {
        let devices = document.evidence.manifest.devices();
        devices.filter_map(|device| roofline::plot(document, device)).collect()
    });
    let page = Page {
        collection,
        entries: &entries,
        title: title(&entries, single),
        machines: of_runs(|run| &run.cpu),
        days: of_runs(Run::day),
        modes: of_runs(|run| &run.mode),
        invalid: runs.iter().filter(|(_, run)| run.invalid).count(),
        conditions: entries.iter().flat_map(|entry| &entry.conditions).collect(),
        answers: answers.chunk_by(|a, b| a.unit == b.unit).collect(),
        batches: batch::plots(&entries, single),
        rooflines,
        power: views().flat_map(power::plots).take(MAX_PLOTS).collect(),
        no_power: no_power.join(", "),
        windows: views().filter_map(windows::plot).collect(),
        table: lines::table(&entries, single),
        detail,
        sources: detail.map(sources).unwrap_or_default(),
        runs,
        single,
        modelled: answers.iter().any(|answer| answer.standing.0 == "modelled"),
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

/// The energy sources of a run, each once.
fn sources(document: &Document) -> BTreeSet<String> {
    let sources = document.evidence.manifest.sources.iter().filter_map(OrNewer::known);
    let words = |s: &Source| format!("{} ({}): {}", s.name(), s.scope().into_str(), basis(s));
    sources.map(words).collect()
}

impl Page<'_> {
    /// The Content-Security-Policy source that allows exactly this inline text.
    fn hash(&self, text: &str) -> askama::filters::Safe<String> {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        askama::filters::Safe(format!("'sha256-{digest}'"))
    }

    fn seconds(&self, seconds: &f64) -> Seconds {
        Seconds(*seconds)
    }
}
