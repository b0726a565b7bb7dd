//! All rows of all runs as one flat, machine-readable table: one line per row, base SI units, units in the column names. Modelled energy
//! has its own columns.

use super::entry::Entry;
use super::gather::File;
use super::table::{Cell, Column, Table};
use crate::results::{Ceilings, Document, Energy, Percentiles, Run, View};
use crate::units::Interval;

/// A row with what its cells are made of.
struct Line<'a> {
    file: &'a File,
    view: View<'a>,
    run: &'a Run,
    entry: Entry,
}

/// A column's name, and the cell of a line in it.
type Named = (&'static str, fn(&Line) -> Cell);

const COLUMNS: [Named; 44] = [
    ("file", |line| text(Some(&line.file.name))),
    ("run_id", |line| text(Some(&line.run.id))),
    ("started_at", |line| line.run.started_at.to_string().into()),
    ("finished_at", |line| text(line.run.finished_at.map(|at| at.to_string()))),
    ("protocol_mode", |line| text(Some(&line.entry.mode))),
    ("rigbench_version", |line| text(Some(&line.view.manifest().rigbench.version))),
    ("device", |line| text(Some(&line.entry.device))),
    ("device_name", |line| text(Some(&line.entry.name))),
    ("class", |line| line.entry.class.into_str().into()),
    ("software_adapter", |line| line.entry.is_software().to_string().into()),
    ("driver", |line| text(line.view.device.and_then(|on| Some(&on.gpu.as_ref()?.driver)))),
    ("workload", |line| line.entry.workload.id.into_str().into()),
    ("shape", |line| text(line.entry.workload.spec.split_once(':').map(|(_, shape)| shape))),
    ("unit", |line| line.entry.workload.unit.into_str().into()),
    ("kernel", |line| text(line.view.row.kernel.as_ref().map(|kernel| &kernel.id))),
    ("outcome", |line| line.entry.outcome.into_str().into()),
    ("verdict", |line| line.view.figures.verdict.into_str().into()),
    ("reasons", |line| line.entry.reasons.join("; ").into()),
    ("windows", |line| Cell::exact(Some(line.entry.windows.0 as f64))),
    ("throughput_per_second", |line| value(line.entry.rate)),
    ("throughput_ci95_low_per_second", |line| low(line.entry.rate)),
    ("throughput_ci95_high_per_second", |line| high(line.entry.rate)),
    ("energy_provenance", |line| line.entry.provenance.into_str().into()),
    ("energy_scope", |line| text(line.entry.scope.map(|scope| scope.into_str()))),
    ("energy_about", |line| text(Some(&line.entry.about))),
    ("power_watts", |line| value(point(line, |energy| energy.power_watts))),
    ("gross_joules", |line| Cell::exact(point(line, |e| Some(e.measured.as_ref()?.total.gross.0)))),
    ("net_joules", |line| Cell::exact(point(line, |energy| energy.net_joules))),
    ("joules_per_unit", |line| value(point(line, |energy| energy.joules_per_unit))),
    ("joules_per_unit_ci95_low", |line| low(point(line, |energy| energy.joules_per_unit))),
    ("joules_per_unit_ci95_high", |line| high(point(line, |energy| energy.joules_per_unit))),
    ("modelled_power_watts_low", |line| Cell::exact(range(line).map(|(power, _)| power.low))),
    ("modelled_power_watts_high", |line| Cell::exact(range(line).map(|(power, _)| power.high))),
    ("modelled_joules_per_unit_low", |line| Cell::exact(range(line).map(|(_, it)| it.low))),
    ("modelled_joules_per_unit_high", |line| Cell::exact(range(line).map(|(_, it)| it.high))),
    ("power_limit_watts", |line| Cell::exact(line.entry.power_limit)),
    ("peak_share", |line| ceiling(line, |ceilings| ceilings.peak_share)),
    ("stream_share", |line| ceiling(line, |ceilings| ceilings.stream_share)),
    ("published_share", |line| Cell::exact(published(line).map(|(share, _)| share))),
    ("published_of", |line| text(published(line).map(|(_, of)| of))),
    ("latency_p50_seconds", |line| latency(line, |latency| latency.p50_seconds)),
    ("latency_p99_seconds", |line| latency(line, |latency| latency.p99_seconds)),
    ("model_sha256", |line| text(line.entry.workload.shape.model_sha256.as_ref())),
    ("conditions", |line| line.entry.conditions.join("; ").into()),
];

/// The table without rows.
pub fn empty() -> Table {
    let columns = COLUMNS.iter().map(|(head, _)| Column::words(head)).collect();
    Table { title: "Measurements".into(), columns, ..Table::default() }
}

/// The rows of a document.
pub fn rows<'a>(file: &'a File, document: &'a Document) -> impl Iterator<Item = Vec<Cell>> + 'a {
    View::all(document).map(move |view| {
        let line = Line { file, view, run: &document.evidence.run, entry: Entry::of(view) };
        COLUMNS.iter().map(|(_, cell)| cell(&line)).collect()
    })
}

fn text(text: Option<impl AsRef<str>>) -> Cell {
    text.map_or(Cell::default(), |text| Cell::from(text.as_ref()))
}

fn value(figure: Option<Interval>) -> Cell {
    Cell::exact(figure.and_then(|figure| figure.value))
}

fn low(figure: Option<Interval>) -> Cell {
    Cell::exact(figure.and_then(|figure| Some(figure.ends()?.0)))
}

fn high(figure: Option<Interval>) -> Cell {
    Cell::exact(figure.and_then(|figure| Some(figure.ends()?.1)))
}

fn published<'a>(line: &'a Line) -> Option<(f64, &'a str)> {
    line.entry.published.as_ref()?.share()
}

fn ceiling(line: &Line, share: fn(&Ceilings) -> Option<f64>) -> Cell {
    Cell::exact(line.view.figures.ceilings.as_ref().and_then(share))
}

fn latency(line: &Line, percentile: fn(&Percentiles) -> Option<f64>) -> Cell {
    Cell::exact(line.view.figures.latency.as_ref().and_then(percentile))
}

/// Something of the row's energy, if that has a value.
fn point<T>(line: &Line, figure: fn(&Energy) -> Option<T>) -> Option<T> {
    let energy = &line.view.figures.energy;
    energy.joules_per_unit?.value.and(energy.power_watts).and_then(|_| figure(energy))
}

/// Power and joules per unit, if they are modelled: ranges without a value.
fn range(line: &Line) -> Option<(Interval, Interval)> {
    let Energy { power_watts, joules_per_unit, .. } = line.view.figures.energy;
    let ranges = (power_watts?, joules_per_unit?);
    ranges.1.value.is_none().then_some(ranges)
}
