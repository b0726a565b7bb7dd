//! The tables of a run: one for each device, joules per hash and per operation side by side.

use super::entry::{Published, percent, published};
use super::lines::SERVING_STACK;
use super::scope;
use super::table::{Cell, Column, Table, Tone};
use crate::results::conditions;
use crate::results::wire::{Document, Energy, Measurement, Outcome, PerQuery, PerUnit, Verdict};
use crate::units::{EnergyPerWork, Joules, Rate, Seconds, Unit, significant};

/// The tables of a run, one for each device that has a row; the last says how to read the kinds of energy that occur.
pub fn run(document: &Document) -> Vec<Table> {
    let mut tables: Vec<Table> = document
        .manifest
        .devices
        .iter()
        .filter_map(|device| {
            let rows: Vec<&Measurement> =
                document.measurements.iter().filter(|m| m.device == device.id).collect();
            if rows.is_empty() {
                return None;
            }
            let software = if device.software { ", a CPU emulating a GPU" } else { "" };
            let id = if device.id == device.class { "" } else { &format!(" {}", device.id) };
            let mut remarks = conditions(&document.manifest.environment, device.gpu.is_some());
            remarks.extend(rows.iter().flat_map(|m| notes(m)));
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
                rows: rows.iter().map(|m| row(m, &device.name)).collect(),
                notes: remarks,
            })
        })
        .collect();
    if let Some(last) = tables.last_mut() {
        last.notes.extend(legend(document));
    }
    tables
}

/// What shares of published figures are of, and which of those figures nobody here knows of the device: once for all its rows.
fn about_published(rows: &[&Measurement], name: &str) -> Vec<String> {
    let mut shares = false;
    let mut unknown = Vec::new();
    for m in rows.iter().filter(|m| m.outcome == Outcome::Measured) {
        match published(m, name) {
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
        let rest = if shares { " where no share stands" } else { "" };
        lines.push(format!("unknown here{rest}: {} of this device", unknown.join(" and ")));
    }
    lines
}

/// What each kind of energy in the document means, and what its joules for tokens are not.
fn legend(document: &Document) -> Vec<String> {
    let has = |kind: fn(&Energy) -> bool| document.measurements.iter().any(|m| kind(&m.energy));
    let mut lines = Vec::new();
    if has(|e| matches!(e, Energy::MeasuredCounter(_) | Energy::MeasuredSampled(_))) {
        lines.push(
            "measured: read while it ran; the interval is the meter's, its accuracy, its updates and chance.".into(),
        );
    }
    if has(|e| matches!(e, Energy::Declared(e) if e.for_this_workload)) {
        lines.push(
            "declared: from watts that the user typed; the interval is of the speed alone.".into(),
        );
    }
    if has(|e| matches!(e, Energy::Declared(e) if !e.for_this_workload)) {
        lines.push(
            "declared: one power was typed for all workloads, so their joules compare their speed only.\n\
             Give each its own: --power declared:sha256d=WATTS,gemm=WATTS"
                .into(),
        );
    }
    if has(|e| matches!(e, Energy::Modelled(_))) {
        lines.push(
            "modelled: no meter was read; the true figure lies somewhere in the range.\n\
             rigbench doctor says what could be read; or read a plug and give its watts: --power declared:WATTS"
                .into(),
        );
    }
    let tokens =
        |m: &Measurement| m.outcome == Outcome::Measured && m.workload.unit() == Some(Unit::Token);
    if document.measurements.iter().any(tokens) {
        lines.push(SERVING_STACK.into());
    }
    lines
}

/// The row of a device of this name.
fn row(m: &Measurement, name: &str) -> Vec<Cell> {
    let near = roofs(m).into_iter().chain(published(m, name).brief());
    let near: String = near.map(|share| format!("\n{share}")).collect();
    // A model with its options is too long for a line.
    let shape = m.workload.shape.as_ref().map(|shape| {
        shape.replacen(":batch=", "\nbatch=", 1).replacen(":context=", "\ncontext=", 1)
    });
    let shape = shape.map(|shape| format!("\n{shape}")).unwrap_or_default();
    let workload = format!("{}{shape}", m.workload.id);
    let [power, joules, source] = energy(&m.energy, m.workload.unit());
    let rate = match m.outcome {
        Outcome::Measured if m.verdict == Verdict::Invalid => {
            Cell::from(format!("{}\ninvalid{near}", throughput(m))).toned(Tone::Wrong)
        }
        Outcome::Measured => format!("{}{near}", throughput(m)).into(),
        Outcome::Unsupported => "unsupported".into(),
        Outcome::Failed => Cell::from("failed").toned(Tone::Wrong),
    };
    vec![workload.into(), rate, power, joules, source]
}

/// `45.1 MH/s` and below it `44.8–45.3`.
fn throughput(m: &Measurement) -> String {
    let (Some(t), Some(unit)) = (&m.throughput, m.workload.unit()) else { return "–".into() };
    let value = Rate { per_second: t.value, unit }.to_string();
    match (t.ci95_low, t.ci95_high) {
        (Some(low), Some(high)) => {
            let share = (t.value - low).max(high - t.value) / t.value;
            format!("{value}\n±{} %", percent(share))
        }
        _ => format!("{value}\n{} windows", t.n),
    }
}

/// How near the row is to what its device can do by the same run: `31 % of peak:f32`, `80 % of stream`. The nearer is its limit.
pub(super) fn roofs(m: &Measurement) -> Vec<String> {
    let Some(roof) = &m.roof else { return Vec::new() };
    let peak =
        roof.peak_share.map(|share| format!("{} % of peak:{}", percent(share), roof.arithmetic));
    let stream = roof.stream_share.map(|share| format!("{} % of stream", percent(share)));
    peak.into_iter().chain(stream).collect()
}

/// Power, joules for work in its customary unit, and where they come from. A range never reads as a point.
fn energy(energy: &Energy, unit: Option<Unit>) -> [Cell; 3] {
    let each = |joules: f64| unit.map(|unit| EnergyPerWork { joules, unit });
    let shown = |joules: f64| each(joules).map_or("–".into(), |each| each.to_string());
    let point = |watts: f64, per: &PerUnit, source: String| {
        [
            format!("{} W", significant(watts)).into(),
            format!("{}{}", shown(per.value), interval(per)).into(),
            source.into(),
        ]
    };
    match energy {
        Energy::MeasuredCounter(e) => point(
            e.power_watts,
            &e.joules_per_unit,
            format!("measured\n{}\ncounter", scope(e.scope)),
        ),
        Energy::MeasuredSampled(e) => point(
            e.power_watts,
            &e.joules_per_unit,
            format!("measured\n{}\nsampled", scope(e.scope)),
        ),
        Energy::Declared(e) => {
            point(e.power_watts, &e.joules_per_unit, format!("declared\n{}", scope(e.scope)))
        }
        Energy::Modelled(e) => {
            let watts = [e.modelled_power_watts_low, e.modelled_power_watts_high].map(significant);
            let (low, high) = (e.modelled_joules_per_unit_low, e.modelled_joules_per_unit_high);
            let high = each(high).map_or("–".into(), |each| each.figure());
            [
                format!("{} W\nto {}", watts[0], watts[1]).into(),
                format!("{}\nto {high}", shown(low)).into(),
                format!("modelled\n{}", scope(e.scope)).into(),
            ]
        }
        Energy::None(_) => ["–".into(), "–".into(), "none".into()],
    }
}

/// `±1.2 %` on a line of its own.
fn interval(per: &PerUnit) -> String {
    match (per.ci95_low, per.ci95_high) {
        (Some(low), Some(high)) => {
            let share = (per.value - low).max(high - per.value) / per.value;
            format!("\n±{} %", percent(share))
        }
        _ => String::new(),
    }
}

/// How long tokens take, and what a query does.
fn tokens(m: &Measurement) -> Vec<String> {
    let mut lines = Vec::new();
    let seconds = |seconds: f64| Seconds(seconds).to_string();
    if let Some(latency) = m.latency.as_ref().filter(|_| m.workload.id == "decode")
        && let Some(median) = latency.p50_seconds
    {
        let slow = latency.p99_seconds.map(|p99| format!(", 99 % within {}", seconds(p99)));
        lines.push(format!(
            "a token takes {} (median){}",
            seconds(median),
            slow.unwrap_or_default()
        ));
    }
    if let Some(query) = &m.query {
        let joules = match &query.energy {
            PerQuery::Joules { value, .. } => format!(", and {}", Joules(*value)),
            PerQuery::Modelled { low, high } => {
                format!(", and {} to {} (modelled)", Joules(*low), Joules(*high))
            }
            PerQuery::None { .. } => String::new(),
        };
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

fn notes(m: &Measurement) -> Vec<String> {
    let about = |text: &str| format!("{}: {text}", m.workload.id);
    let mut notes: Vec<String> = m.reason.iter().map(|reason| about(reason)).collect();
    notes.extend(tokens(m).iter().map(|line| format!("{}: {line}", m.workload.spec())));
    if m.reason.is_none() {
        notes.extend(m.reasons.iter().map(|reason| about(reason)));
    }
    let others = [&m.energy].into_iter().chain(&m.energy_other);
    for energy in others {
        if let Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) = energy {
            notes.extend(e.cross_checks.iter().filter_map(|c| c.complaint.as_deref()).map(about));
        }
    }
    notes.extend(m.energy_other.iter().filter_map(|energy| match energy {
        Energy::None(none) => Some(about(&format!("no energy from a source: {}", none.reason))),
        _ => None,
    }));
    match &m.energy {
        Energy::None(none) if m.outcome == Outcome::Measured => {
            notes.push(about(&format!("no energy: {}", none.reason)));
        }
        _ => {}
    }
    notes
}
