//! The tables of a run: one for each device, joules per hash and per operation side by side.

use super::entry::Entry;
use super::notes::{EMULATES, MODELLED, SERVING_STACK, SPEED_ONLY, applying};
use super::provenance::{disagreements, no_joules};
use super::published::percent;
use super::table::{Cell, Column, Field, Table, Tone};
use crate::device::{Class, Device};
use crate::results::{Document, OrNewer, Outcome, RunReason, View};
use crate::units::{Interval, Joules, Provenance, Seconds, Unit, significant};
use crate::workload::Id;
use std::collections::BTreeSet;

/// The tables of a run, one for each device that has a row; the last one explains the provenances that occur.
pub fn run(document: &Document) -> Vec<Table> {
    let devices = document.evidence.manifest.devices();
    let mut tables: Vec<Table> = devices.filter_map(|device| table(document, device)).collect();
    if tables.is_empty() && document.newer_rows().next().is_some() {
        tables.push(Table { title: "no row that can be shown".into(), ..Table::default() });
    }
    if let Some(last) = tables.last_mut() {
        let reasons = document.derived.run.reasons.iter().filter_map(OrNewer::known);
        // Invalid rows are named in their own notes.
        let of_run = reasons.filter(|reason| !matches!(reason, RunReason::InvalidRows { .. }));
        last.notes.extend(of_run.map(|reason| format!("the run is invalid: {reason}")));
        let newer = document.newer_rows().map(|(_, row)| format!("from a newer rigbench: {row}"));
        last.notes.extend(newer);
        last.notes.extend(legend(&View::all(document).map(Entry::of).collect::<Vec<_>>()));
    }
    tables
}

/// The table of a device; `None` if it has no row.
fn table(document: &Document, device: &Device) -> Option<Table> {
    let views = || View::all(document).filter(|view| view.row.device == device.id);
    let entries: Vec<Entry> = views().map(Entry::of).collect();
    if entries.is_empty() {
        return None;
    }
    let (id, software) = match device.class {
        Class::Cpu => (String::new(), String::new()),
        Class::SoftwareGpu => (format!(" {}", device.id), format!(", {EMULATES}")),
        _ => (format!(" {}", device.id), String::new()),
    };
    let fields: [Field<Entry>; 5] = [
        (Column::words("workload"), workload),
        (Column::figures("throughput"), throughput),
        (Column::figures("power"), power),
        (Column::figures("joules"), joules),
        (Column::words("energy"), source),
    ];
    let mut notes = document.evidence.manifest.conditions(device.gpu.is_some());
    notes.extend(views().flat_map(about));
    notes.extend(about_published(&entries));
    let title = format!("{}{id} – {}{software}", device.class, device.name);
    Some(Table { notes, ..Table::of(title, &fields, &entries) })
}

/// Notes on published references, and on those that are unknown for the device.
fn about_published(entries: &[Entry]) -> Vec<String> {
    let measured = entries.iter().filter(|entry| entry.outcome == Outcome::Measured);
    let published = measured.filter_map(|entry| entry.published.as_ref());
    let (known, unknown): (Vec<_>, Vec<_>) = published.partition(|p| p.known.is_some());
    let unknown: BTreeSet<&str> = unknown.iter().map(|p| p.reference.as_str()).collect();
    let names = unknown.iter().copied().collect::<Vec<_>>().join(", ");
    let which_rows = if known.is_empty() { "" } else { " for rows without a share" };
    applying([
        (
            !known.is_empty(),
            "of vendor: of the peak that it publishes; of hashcat: of its published rate",
        ),
        (!unknown.is_empty(), &format!("no reference rate for this device{which_rows}: {names}")),
    ])
}

/// Explains each energy provenance that occurs, and the limits of joules per token.
fn legend(entries: &[Entry]) -> Vec<String> {
    let any = |test: fn(&Entry) -> bool| entries.iter().any(test);
    applying([
        (
            any(|entry| entry.provenance.is_measured()),
            "measured: read from a meter during the run; the interval covers its accuracy, its update period and scatter.",
        ),
        (
            any(|entry| entry.provenance == Provenance::Declared && !entry.speed_only),
            "declared: from watts that the user stated; the interval covers speed only.",
        ),
        (
            any(|entry| entry.speed_only),
            &format!("{SPEED_ONLY}\nGive each its own: --power declared:sha256d=WATTS,gemm=WATTS"),
        ),
        (
            any(|entry| entry.provenance == Provenance::Modelled),
            &format!(
                "{MODELLED}\nrigbench doctor lists the meters of this machine; or read the watts from a plug and pass them: --power declared:WATTS"
            ),
        ),
        (any(|e| e.outcome == Outcome::Measured && e.workload.unit == Unit::Token), SERVING_STACK),
    ])
}

fn workload(entry: &Entry) -> Cell {
    // A model with its options is too long for a line.
    let spec = entry.workload.spec.replacen(':', "\n", 1);
    spec.replacen(":batch=", "\nbatch=", 1).replacen(":context=", "\ncontext=", 1).into()
}

/// `45.1 MH/s` and its relative half-width, or the number of windows if it has no interval; below them its shares of ceilings.
fn throughput(entry: &Entry) -> Cell {
    let rate = entry.rate.map_or("–".into(), |rate| {
        let windows = || format!("\n{} windows", entry.windows.0);
        entry.rate_words(rate.middle()) + &half_width(rate).unwrap_or_else(windows)
    });
    let published = entry.published.as_ref().and_then(|published| published.brief());
    let shares = entry.ceilings.iter().chain(&published).map(|share| format!("\n{share}"));
    let shares: String = shares.collect();
    match &entry.outcome {
        Outcome::Measured if entry.counts() => (rate + &shares).into(),
        Outcome::Measured => Cell::from(format!("{rate}\ninvalid{shares}")).toned(Tone::Wrong),
        Outcome::Unsupported(_) => "unsupported".into(),
        Outcome::Failed(_) | Outcome::Crashed(_) => Cell::from(entry.state()).toned(Tone::Wrong),
    }
}

/// `±1.2 %` on a line of its own; `None` if the bounds are unknown.
fn half_width(figure: Interval) -> Option<String> {
    let percent = percent(figure.relative_half_width());
    figure.ends().map(|_| format!("\n±{percent} %"))
}

/// Mean power; a range is never shown as a single value.
fn power(entry: &Entry) -> Cell {
    let Some(watts) = entry.watts else { return "–".into() };
    match watts.value {
        Some(value) => format!("{} W", significant(value)).into(),
        None => format!("{} W\nto {}", significant(watts.low), significant(watts.high)).into(),
    }
}

/// Joules per unit of work; a range is never shown as a single value.
fn joules(entry: &Entry) -> Cell {
    let Some(joules) = entry.joules else { return "–".into() };
    let text = match joules.value {
        Some(value) => entry.joules_words(value) + &half_width(joules).unwrap_or_default(),
        None => {
            format!("{}\nto {}", entry.joules_words(joules.low), entry.joules_figure(joules.high))
        }
    };
    text.into()
}

fn source(entry: &Entry) -> Cell {
    let Some(scope) = entry.scope.map(|scope| scope.into_str()) else { return "none".into() };
    match entry.provenance {
        Provenance::MeasuredCounter => format!("measured\n{scope}\ncounter").into(),
        Provenance::MeasuredSampled => format!("measured\n{scope}\nsampled").into(),
        other => format!("{}\n{scope}", other.into_str()).into(),
    }
}

/// Token latency, and time and energy of a query.
fn tokens(view: View) -> Vec<String> {
    let latency = view.figures.latency.as_ref().filter(|_| view.row.workload.id == Id::Decode);
    let token = latency.and_then(|latency| {
        let slow = latency.p99_seconds.map(|p99| format!(", 99 % within {}", Seconds(p99)));
        let median = Seconds(latency.p50_seconds?);
        Some(format!("a token takes {median} (median){}", slow.unwrap_or_default()))
    });
    let query = view.figures.query.as_ref().map(|query| {
        let joules = query.joules.map_or(String::new(), |joules| match joules.value {
            Some(value) => format!(", and {}", Joules(value)),
            None => {
                format!(", and {} to {} (modelled)", Joules(joules.low), Joules(joules.high))
            }
        });
        let (all, first) = (Seconds(query.seconds), Seconds(query.first_token_seconds));
        format!(
            "a query of {} tokens with an answer of {} takes {all}, {first} to the first token{joules}",
            query.prompt_tokens, query.answer_tokens
        )
    });
    token.into_iter().chain(query).collect()
}

/// Notes on a row: latencies, what makes it invalid, and what its sources disagree on or do not say.
fn about(view: View) -> Vec<String> {
    let id = view.row.workload.id;
    let mut notes: Vec<String> = Vec::new();
    notes.extend(tokens(view).iter().map(|line| format!("{}: {line}", view.row.workload.spec)));
    notes.extend(view.reasons().iter().map(|reason| format!("{id}: {reason}")));
    if let Some(proven) = view.figures.proven.as_ref().filter(|proven| proven.is_cut()) {
        notes.push(format!(
            "{id}: the rate is cut to the {:.3e} hashes that its {} shares prove",
            proven.counted_hashes, proven.shares
        ));
    }
    let differ = view.figures.energies().flat_map(|energy| disagreements(view.manifest(), energy));
    notes.extend(differ.map(|text| format!("{id}: {text}")));
    if view.row.outcome == Outcome::Measured {
        let others = view.figures.energy_other.iter();
        let others = others.filter_map(|energy| no_joules(view, energy));
        notes.extend(others.map(|why| format!("{id}: no energy from a source: {why}")));
        let headline = no_joules(view, &view.figures.energy);
        notes.extend(headline.map(|why| format!("{id}: no energy: {why}")));
    }
    notes
}
