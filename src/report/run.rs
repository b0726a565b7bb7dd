//! The tables of a run: one for each device, joules per hash and per operation side by side.

use super::notes::{SERVING_STACK, applying};
use super::provenance::{disagreements, no_joules};
use super::published::{Published, ceilings, percent};
use super::table::{Cell, Column, Table, Tone};
use super::view::View;
use crate::device::{Class, Device};
use crate::results::{Document, OrNewer, Outcome, RunReason, conditions};
use crate::units::{EnergyPerWork, Interval, Joules, Provenance, Rate, Seconds, Unit, significant};
use crate::workload::Id;
use std::collections::BTreeSet;

/// The tables of a run, one for each device that has a row; the last one explains the provenances that occur.
pub fn run(document: &Document) -> Vec<Table> {
    let manifest = &document.evidence.manifest;
    let mut tables: Vec<Table> =
        manifest.devices().filter_map(|device| table(document, device)).collect();
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
        last.notes.extend(legend(document));
    }
    tables
}

/// The table of a device; `None` if it has no row.
fn table(document: &Document, device: &Device) -> Option<Table> {
    let rows: Vec<View> = View::all(document).filter(|view| view.row.device == device.id).collect();
    let first = rows.first()?;
    let (id, software) = match device.class {
        Class::Cpu => (String::new(), ""),
        Class::SoftwareGpu => (format!(" {}", device.id), ", a CPU emulating a GPU"),
        _ => (format!(" {}", device.id), ""),
    };
    let mut remarks = conditions(first.manifest(), device.gpu.is_some());
    remarks.extend(rows.iter().flat_map(|view| notes(*view)));
    remarks.extend(about_published(&rows));
    Some(Table {
        title: format!("{}{id} – {}{software}", device.class, device.name),
        columns: vec![
            Column::words("workload"),
            Column::figures("throughput"),
            Column::figures("power"),
            Column::figures("joules"),
            Column::words("energy"),
        ],
        rows: rows.iter().map(|view| row(*view)).collect(),
        notes: remarks,
    })
}

/// Notes on published references, and on those that are unknown for the device.
fn about_published(rows: &[View]) -> Vec<String> {
    let measured = rows.iter().filter(|view| view.is_measured());
    let (known, unknown): (Vec<_>, Vec<_>) =
        measured.filter_map(|view| Published::of(*view)).partition(|p| p.known.is_some());
    let shares = !known.is_empty();
    let unknown: BTreeSet<String> = unknown.into_iter().map(|p| p.reference).collect();
    let rest = if shares { " for rows without a share" } else { "" };
    let names = unknown.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    applying([
        (shares, "of vendor: of the peak that it publishes; of hashcat: of its published rate"),
        (!unknown.is_empty(), &format!("no reference rate for this device{rest}: {names}")),
    ])
}

/// Explains each energy provenance in the document, and the limits of joules per token.
fn legend(document: &Document) -> Vec<String> {
    let has = |test: &dyn Fn(&View) -> bool| View::all(document).any(|view| test(&view));
    let provenance = |view: &View| view.figures.energy.provenance();
    applying([
        (
            has(&|view| provenance(view).is_measured()),
            "measured: read while it ran; the interval is the meter's, its accuracy, its updates and chance.",
        ),
        (
            has(&|view| provenance(view) == Provenance::Declared && !view.is_speed_only()),
            "declared: from watts that the user typed; the interval is of the speed alone.",
        ),
        (
            has(&|view| view.is_speed_only()),
            "declared: one power was typed for all workloads, so their joules compare their speed only.\n\
             Give each its own: --power declared:sha256d=WATTS,gemm=WATTS",
        ),
        (
            has(&|view| provenance(view) == Provenance::Modelled),
            "modelled: no meter was read; the true figure lies somewhere in the range.\n\
             rigbench doctor says what could be read; or read a plug and give its watts: --power declared:WATTS",
        ),
        (has(&|view| view.is_measured() && view.row.workload.unit == Unit::Token), SERVING_STACK),
    ])
}

fn row(view: View) -> Vec<Cell> {
    let shares = ceilings(view).into_iter().chain(Published::of(view).and_then(|p| p.brief()));
    let shares: String = shares.map(|share| format!("\n{share}")).collect();
    let workload = &view.row.workload;
    // A model with its options is too long for a line.
    let shape = workload.spec.split_once(':').map(|(_, shape)| {
        let shape = shape.replacen(":batch=", "\nbatch=", 1).replacen(":context=", "\ncontext=", 1);
        format!("\n{shape}")
    });
    let first = format!("{}{}", workload.id, shape.unwrap_or_default());
    let [power, joules, source] = energy(view);
    let rate = match &view.row.outcome {
        Outcome::Measured if !view.counts() => {
            Cell::from(format!("{}\ninvalid{shares}", throughput(view))).toned(Tone::Wrong)
        }
        Outcome::Measured => format!("{}{shares}", throughput(view)).into(),
        Outcome::Unsupported(_) => "unsupported".into(),
        Outcome::Failed(_) => Cell::from("failed").toned(Tone::Wrong),
    };
    vec![first.into(), rate, power, joules, source]
}

/// `45.1 MH/s` and its relative half-width, or the number of windows if it has no interval.
fn throughput(view: View) -> String {
    let Some(rate) = view.figures.throughput else { return "–".into() };
    let value = Rate { per_second: rate.middle(), unit: view.row.workload.unit };
    let windows = view.row.windows.as_ref().map_or(0, |windows| windows.len());
    format!("{value}{}", half_width(rate).unwrap_or_else(|| format!("\n{windows} windows")))
}

/// `±1.2 %` on a line of its own; `None` if the bounds are unknown.
fn half_width(figure: Interval) -> Option<String> {
    let percent = percent(figure.relative_half_width());
    figure.ends().map(|_| format!("\n±{percent} %"))
}

/// Power, joules per unit of work, and their provenance. A range is never shown as a single value.
fn energy(view: View) -> [Cell; 3] {
    let energy = &view.figures.energy;
    let (Some(joules), Some(power), Some(scope)) =
        (energy.joules_per_unit, energy.power_watts, energy.scope)
    else {
        return ["–".into(), "–".into(), "none".into()];
    };
    let per_work = |joules: f64| EnergyPerWork { joules, unit: view.row.workload.unit };
    let scope = scope.name();
    let source = match joules.provenance {
        Provenance::MeasuredCounter => format!("measured\n{scope}\ncounter"),
        Provenance::MeasuredSampled => format!("measured\n{scope}\nsampled"),
        other => format!("{}\n{scope}", other.name()),
    };
    let (power, joules) = match (joules.value, power.value) {
        (Some(value), Some(watts)) => (
            format!("{} W", significant(watts)),
            format!("{}{}", per_work(value), half_width(joules).unwrap_or_default()),
        ),
        _ => (
            format!("{} W\nto {}", significant(power.low), significant(power.high)),
            format!("{}\nto {}", per_work(joules.low), per_work(joules.high).figure()),
        ),
    };
    [power.into(), joules.into(), source.into()]
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
        format!(
            "a query of {} tokens with an answer of {} takes {}, {} to the first token{joules}",
            query.prompt_tokens,
            query.answer_tokens,
            Seconds(query.seconds),
            Seconds(query.first_token_seconds),
        )
    });
    token.into_iter().chain(query).collect()
}

fn notes(view: View) -> Vec<String> {
    let id = view.row.workload.id;
    let about = |text: String| format!("{id}: {text}");
    let mut notes: Vec<String> = Vec::new();
    notes.extend(tokens(view).iter().map(|line| format!("{}: {line}", view.row.workload.spec)));
    notes.extend(view.reasons().into_iter().map(about));
    if let Some(proven) = view.figures.proven.as_ref().filter(|proven| proven.is_cut()) {
        notes.push(format!(
            "{id}: the rate is cut to the {:.3e} hashes that its {} shares prove",
            proven.counted_hashes, proven.shares
        ));
    }
    for energy in view.figures.energies() {
        notes.extend(disagreements(view.manifest(), energy).into_iter().map(about));
    }
    if view.is_measured() {
        let others = view.figures.energy_other.iter();
        let others = others.filter_map(|energy| no_joules(view, energy));
        notes.extend(others.map(|why| format!("{id}: no energy from a source: {why}")));
        let headline = no_joules(view, &view.figures.energy);
        notes.extend(headline.map(|why| format!("{id}: no energy: {why}")));
    }
    notes
}
