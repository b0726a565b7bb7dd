//! All rows of all runs as one flat, machine-readable table: one line per row, base SI units, units in the column names. Modelled energy
//! has its own columns.

use super::entry::{Entry, Published};
use super::gather::File;
use super::table::{Cell, Column, Table};
use super::view::View;
use crate::results::{Document, Energy, Verdict};

/// Column names, in the order in which `row` writes cells.
const HEADS: &[(&str, bool)] = &[
    ("file", false),
    ("run_id", false),
    ("started_at", false),
    ("finished_at", false),
    ("protocol_mode", false),
    ("rigbench_version", false),
    ("device", false),
    ("device_name", false),
    ("class", false),
    ("software_adapter", false),
    ("driver", false),
    ("workload", false),
    ("shape", false),
    ("unit", false),
    ("kernel", false),
    ("outcome", false),
    ("verdict", false),
    ("reasons", false),
    ("windows", true),
    ("throughput_per_second", true),
    ("throughput_ci95_low_per_second", true),
    ("throughput_ci95_high_per_second", true),
    ("energy_provenance", false),
    ("energy_scope", false),
    ("energy_about", false),
    ("power_watts", true),
    ("gross_joules", true),
    ("net_joules", true),
    ("joules_per_unit", true),
    ("joules_per_unit_ci95_low", true),
    ("joules_per_unit_ci95_high", true),
    ("modelled_power_watts_low", true),
    ("modelled_power_watts_high", true),
    ("modelled_joules_per_unit_low", true),
    ("modelled_joules_per_unit_high", true),
    ("power_limit_watts", true),
    ("peak_share", true),
    ("stream_share", true),
    ("published_share", true),
    ("published_of", false),
    ("latency_p50_seconds", true),
    ("latency_p99_seconds", true),
    ("model_sha256", false),
    ("conditions", false),
];

/// The table without rows.
pub fn empty() -> Table {
    let columns = HEADS.iter().map(|&(head, figures)| Column { head, figures }).collect();
    Table { title: "Measurements".into(), columns, ..Table::default() }
}

/// The rows of a document.
pub fn rows<'a>(file: &'a File, document: &'a Document) -> impl Iterator<Item = Vec<Cell>> + 'a {
    View::all(document).map(|view| row(file, view, &Entry::of(view, 0)))
}

fn row(file: &File, view: View, entry: &Entry) -> Vec<Cell> {
    let (row, figures, run) = (view.row, view.figures, &view.document.evidence.run);
    let text = |text: &str| Cell::from(text);
    let or_nothing = |text: Option<&str>| Cell::from(text.unwrap_or_default());
    let driver = view.device.and_then(|device| Some(device.gpu.as_ref()?.driver.as_str()));
    let verdict = match figures.verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Incomplete => "incomplete",
    };
    let (share, of) = match &entry.published {
        Published::Share { share, of, .. } => (Some(*share), of.as_str()),
        Published::Unknown { .. } | Published::Nothing => (None, ""),
    };
    let rate = figures.throughput;
    let ends = rate.and_then(|rate| rate.ends());
    let shape = row.workload.spec.split_once(':').map(|(_, shape)| shape);
    let windows = row.windows.as_ref().map_or(0, |windows| windows.len());
    let ceilings = figures.ceilings.as_ref();
    let latency = figures.latency.as_ref();
    let mut cells = vec![
        text(&file.name),
        text(&run.id),
        text(&run.started_at.to_string()),
        or_nothing(run.finished_at.map(|at| at.to_string()).as_deref()),
        text(&entry.mode),
        text(&view.manifest().rigbench.version),
        text(&entry.device),
        text(&entry.name),
        text(entry.class.name()),
        text(if entry.is_software() { "true" } else { "false" }),
        or_nothing(driver),
        text(row.workload.id.name()),
        or_nothing(shape),
        text(row.workload.unit.name()),
        or_nothing(row.kernel.as_ref().map(|kernel| kernel.id.as_str())),
        text(row.outcome.name()),
        text(verdict),
        text(&entry.reasons.join("; ")),
        Cell::exact(Some(windows as f64)),
        Cell::exact(rate.and_then(|rate| rate.value)),
        Cell::exact(ends.map(|(low, _)| low)),
        Cell::exact(ends.map(|(_, high)| high)),
        text(entry.provenance.name()),
        text(entry.scope.map_or("", |scope| scope.name())),
        text(&entry.about),
    ];
    cells.extend(energy(&figures.energy).map(Cell::exact));
    cells.extend([
        Cell::exact(entry.power_limit),
        Cell::exact(ceilings.and_then(|ceilings| ceilings.peak_share)),
        Cell::exact(ceilings.and_then(|ceilings| ceilings.stream_share)),
        Cell::exact(share),
        text(of),
        Cell::exact(latency.and_then(|latency| latency.p50_seconds)),
        Cell::exact(latency.and_then(|latency| latency.p99_seconds)),
        or_nothing(row.workload.shape.model_sha256.as_deref()),
        text(&entry.conditions.join("; ")),
    ]);
    cells
}

/// The columns from `power_watts` to `modelled_joules_per_unit_high`.
fn energy(energy: &Energy) -> [Option<f64>; 10] {
    let none = None;
    let (Some(joules), Some(power)) = (energy.joules_per_unit, energy.power_watts) else {
        return [none; 10];
    };
    let Some(value) = joules.value else {
        let ends = [power.low, power.high, joules.low, joules.high].map(Some);
        let [a, b, c, d] = ends;
        return [none, none, none, none, none, none, a, b, c, d];
    };
    let gross = energy.measured.as_ref().map(|measured| measured.total.gross.0);
    let ends = joules.ends();
    let (low, high) = (ends.map(|ends| ends.0), ends.map(|ends| ends.1));
    [power.value, gross, energy.net_joules, Some(value), low, high, none, none, none, none]
}
