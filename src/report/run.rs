//! The tables of a run: one for each device, joules per hash and per operation side by side.

use super::entry::{Published, percent, published};
use super::lines::SERVING_STACK;
use super::provenance::{disagreements, no_joules};
use super::table::{Cell, Column, Table, Tone};
use super::view::View;
use crate::device::Class;
use crate::results::{Document, OrNewer, Outcome, RunReason, conditions};
use crate::units::{EnergyPerWork, Interval, Joules, Provenance, Rate, Seconds, Unit, significant};
use crate::workload::Id;

/// The tables of a run, one for each device that has a row; the last one explains the provenances that occur.
pub fn run(document: &Document) -> Vec<Table> {
    let manifest = &document.evidence.manifest;
    let mut tables: Vec<Table> = manifest
        .devices()
        .filter_map(|device| {
            let rows: Vec<View> =
                View::all(document).filter(|view| view.row.device == device.id).collect();
            if rows.is_empty() {
                return None;
            }
            let software =
                if device.class == Class::SoftwareGpu { ", a CPU emulating a GPU" } else { "" };
            let id = match device.class {
                Class::Cpu => String::new(),
                _ => format!(" {}", device.id),
            };
            let mut remarks = conditions(manifest, device.gpu.is_some());
            remarks.extend(rows.iter().flat_map(|view| notes(*view)));
            remarks.extend(about_published(&rows, &device.name));
            Some(Table {
                title: format!("{}{id} – {}{software}", device.class, device.name),
                columns: vec![
                    Column::words("workload"),
                    Column::figures("throughput"),
                    Column::figures("power"),
                    Column::figures("joules"),
                    Column::words("energy"),
                ],
                rows: rows.iter().map(|view| row(*view, &device.name)).collect(),
                notes: remarks,
            })
        })
        .collect();
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

/// Notes on published references, and on those that are unknown for the device.
fn about_published(rows: &[View], name: &str) -> Vec<String> {
    let mut shares = false;
    let mut unknown = Vec::new();
    for view in rows.iter().filter(|view| view.is_measured()) {
        match published(*view, name) {
            Published::Share { .. } => shares = true,
            Published::Unknown { of } => unknown.push(of),
            Published::Nothing => {}
        }
    }
    unknown.sort_unstable();
    unknown.dedup();
    let mut lines = Vec::new();
    if shares {
        lines.push(
            "of vendor: of the peak that it publishes; of hashcat: of its published rate".into(),
        );
    }
    if !unknown.is_empty() {
        let rest = if shares { " for rows without a share" } else { "" };
        lines.push(format!("no reference rate for this device{rest}: {}", unknown.join(", ")));
    }
    lines
}

/// Explains each energy provenance in the document, and the limits of joules per token.
fn legend(document: &Document) -> Vec<String> {
    let has = |test: &dyn Fn(&View) -> bool| View::all(document).any(|view| test(&view));
    let provenance = |view: &View| view.figures.energy.provenance();
    let mut lines = Vec::new();
    if has(&|view| provenance(view).is_measured()) {
        lines.push(
            "measured: read while it ran; the interval is the meter's, its accuracy, its updates and chance.".into(),
        );
    }
    if has(&|view| provenance(view) == Provenance::Declared && !view.is_speed_only()) {
        lines.push(
            "declared: from watts that the user typed; the interval is of the speed alone.".into(),
        );
    }
    if has(&|view| view.is_speed_only()) {
        lines.push(
            "declared: one power was typed for all workloads, so their joules compare their speed only.\n\
             Give each its own: --power declared:sha256d=WATTS,gemm=WATTS"
                .into(),
        );
    }
    if has(&|view| provenance(view) == Provenance::Modelled) {
        lines.push(
            "modelled: no meter was read; the true figure lies somewhere in the range.\n\
             rigbench doctor says what could be read; or read a plug and give its watts: --power declared:WATTS"
                .into(),
        );
    }
    if has(&|view| view.is_measured() && view.row.workload.unit == Unit::Token) {
        lines.push(SERVING_STACK.into());
    }
    lines
}

/// A row of the table; `name` is the device's.
fn row(view: View, name: &str) -> Vec<Cell> {
    let near = ceilings(view).into_iter().chain(published(view, name).brief());
    let near: String = near.map(|share| format!("\n{share}")).collect();
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
            Cell::from(format!("{}\ninvalid{near}", throughput(view))).toned(Tone::Wrong)
        }
        Outcome::Measured => format!("{}{near}", throughput(view)).into(),
        Outcome::Unsupported(_) => "unsupported".into(),
        Outcome::Failed(_) => Cell::from("failed").toned(Tone::Wrong),
    };
    vec![first.into(), rate, power, joules, source]
}

/// `45.1 MH/s` and its relative half-width, or the number of windows if it has no interval.
fn throughput(view: View) -> String {
    let Some(rate) = view.rate() else { return "–".into() };
    let value = Rate { per_second: rate.middle(), unit: view.row.workload.unit };
    match rate.ends() {
        Some(_) => format!("{value}\n±{} %", percent(rate.relative_half_width())),
        None => {
            let windows = view.row.windows.as_ref().map_or(0, |windows| windows.len());
            format!("{value}\n{windows} windows")
        }
    }
}

/// The row's fractions of the roofline ceilings of the same run: `31 % of peak:f32`, `80 % of stream`. The larger is its limit.
pub(super) fn ceilings(view: View) -> Vec<String> {
    let Some(ceilings) = &view.figures.ceilings else { return Vec::new() };
    let arithmetic = &ceilings.arithmetic;
    let peak =
        ceilings.peak_share.map(|share| format!("{} % of peak:{arithmetic}", percent(share)));
    let stream = ceilings.stream_share.map(|share| format!("{} % of stream", percent(share)));
    peak.into_iter().chain(stream).collect()
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
    match (joules.value, power.value) {
        (Some(value), Some(watts)) => [
            format!("{} W", significant(watts)).into(),
            format!("{}{}", per_work(value), interval(joules)).into(),
            source.into(),
        ],
        _ => [
            format!("{} W\nto {}", significant(power.low), significant(power.high)).into(),
            format!("{}\nto {}", per_work(joules.low), per_work(joules.high).figure()).into(),
            source.into(),
        ],
    }
}

/// `±1.2 %` on a line of its own.
fn interval(joules: Interval) -> String {
    match joules.ends() {
        Some(_) => format!("\n±{} %", percent(joules.relative_half_width())),
        None => String::new(),
    }
}

/// Token latency, and time and energy of a query.
fn tokens(view: View) -> Vec<String> {
    let mut lines = Vec::new();
    let seconds = |seconds: f64| Seconds(seconds).to_string();
    if let Some(latency) =
        view.figures.latency.as_ref().filter(|_| view.row.workload.id == Id::Decode)
        && let Some(median) = latency.p50_seconds
    {
        let slow = latency.p99_seconds.map(|p99| format!(", 99 % within {}", seconds(p99)));
        lines.push(format!(
            "a token takes {} (median){}",
            seconds(median),
            slow.unwrap_or_default()
        ));
    }
    if let Some(query) = &view.figures.query {
        let joules = query.joules.map_or(String::new(), |joules| match joules.value {
            Some(value) => format!(", and {}", Joules(value)),
            None => {
                format!(", and {} to {} (modelled)", Joules(joules.low), Joules(joules.high))
            }
        });
        lines.push(format!(
            "a query of {} tokens with an answer of {} takes {}, {} to the first token{joules}",
            query.prompt_tokens,
            query.answer_tokens,
            seconds(query.seconds),
            seconds(query.first_token_seconds),
        ));
    }
    lines
}

fn notes(view: View) -> Vec<String> {
    let id = view.row.workload.id;
    let about = |text: &String| format!("{id}: {text}");
    let mut notes: Vec<String> = Vec::new();
    notes.extend(tokens(view).iter().map(|line| format!("{}: {line}", view.row.workload.spec)));
    notes.extend(view.reasons().iter().map(about));
    if let Some(proven) = view.figures.proven.as_ref().filter(|proven| proven.is_cut()) {
        notes.push(format!(
            "{id}: the rate is cut to the {:.3e} hashes that its {} shares prove",
            proven.counted_hashes, proven.shares
        ));
    }
    for energy in view.figures.energies() {
        if let Some(figures) = &energy.measured {
            notes.extend(disagreements(view.manifest(), energy, figures).iter().map(about));
        }
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
