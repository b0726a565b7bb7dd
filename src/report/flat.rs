//! Every row of every run as one flat table for machines: a line a measurement, base SI with units in the heads. Modelled energy has
//! columns of its own and never stands where a measured one would.

use super::entry::{Entry, Published};
use super::gather::File;
use super::table::{Cell, Column, Table};
use crate::results::wire::{Document, Energy, Measurement, Outcome, Verdict};

/// The heads, in the order in which `row` writes cells.
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
    let entries = Entry::all(document, 0);
    document.measurements.iter().zip(entries).map(|(m, entry)| row(file, document, m, &entry))
}

fn row(file: &File, document: &Document, m: &Measurement, entry: &Entry) -> Vec<Cell> {
    let text = |text: &str| Cell::from(text);
    let or_nothing = |text: Option<&str>| Cell::from(text.unwrap_or_default());
    let driver = document.manifest.devices.iter().find(|device| device.id == m.device);
    let driver = driver.and_then(|device| Some(device.gpu.as_ref()?.driver.as_str()));
    let throughput = m.throughput.as_ref();
    let verdict = match m.verdict {
        Verdict::Valid => "valid",
        Verdict::Invalid => "invalid",
        Verdict::Incomplete => "incomplete",
    };
    let outcome = match m.outcome {
        Outcome::Measured => "measured",
        Outcome::Unsupported => "unsupported",
        Outcome::Failed => "failed",
    };
    let (share, of) = match &entry.published {
        Published::Share { share, of, .. } => (Some(*share), of.as_str()),
        Published::Unknown { .. } | Published::Nothing => (None, ""),
    };
    let mut cells = vec![
        text(&file.name),
        text(&document.run.id),
        text(&document.run.started_at),
        or_nothing(document.run.finished_at.as_deref()),
        text(&entry.mode),
        text(&document.manifest.rigbench.version),
        text(&m.device),
        text(&entry.name),
        text(&m.class),
        text(if entry.software { "true" } else { "false" }),
        or_nothing(driver),
        text(&m.workload.id),
        or_nothing(m.workload.shape.as_deref()),
        text(&m.workload.unit),
        or_nothing(m.kernel.as_ref().map(|kernel| kernel.id.as_str())),
        text(outcome),
        text(verdict),
        text(&entry.reasons.join("; ")),
        Cell::exact(Some(m.windows.len() as f64)),
        Cell::exact(throughput.map(|t| t.value)),
        Cell::exact(throughput.and_then(|t| t.ci95_low)),
        Cell::exact(throughput.and_then(|t| t.ci95_high)),
        text(entry.provenance.name()),
        text(entry.scope.map_or("", |scope| scope.name())),
        text(&entry.about),
    ];
    cells.extend(energy(&m.energy).map(Cell::exact));
    cells.extend([
        Cell::exact(entry.power_limit),
        Cell::exact(m.roof.as_ref().and_then(|roof| roof.peak_share)),
        Cell::exact(m.roof.as_ref().and_then(|roof| roof.stream_share)),
        Cell::exact(share),
        text(of),
        Cell::exact(m.latency.as_ref().and_then(|latency| latency.p50_seconds)),
        Cell::exact(m.latency.as_ref().and_then(|latency| latency.p99_seconds)),
        or_nothing(m.workload.model_sha256.as_deref()),
        text(&entry.conditions.join("; ")),
    ]);
    cells
}

/// From `power_watts` to `modelled_joules_per_unit_high`.
fn energy(energy: &Energy) -> [Option<f64>; 10] {
    let none = None;
    match energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
            let per = &e.joules_per_unit;
            let (watts, gross) = (Some(e.power_watts), Some(e.gross_joules));
            let (value, low, high) = (Some(per.value), per.ci95_low, per.ci95_high);
            [watts, gross, e.net_joules, value, low, high, none, none, none, none]
        }
        Energy::Declared(e) => {
            let per = &e.joules_per_unit;
            let (watts, gross) = (Some(e.power_watts), Some(e.gross_joules));
            let (value, low, high) = (Some(per.value), per.ci95_low, per.ci95_high);
            [watts, gross, e.net_joules, value, low, high, none, none, none, none]
        }
        Energy::Modelled(e) => [
            none,
            none,
            none,
            none,
            none,
            none,
            Some(e.modelled_power_watts_low),
            Some(e.modelled_power_watts_high),
            Some(e.modelled_joules_per_unit_low),
            Some(e.modelled_joules_per_unit_high),
        ],
        Energy::None(_) => [none; 10],
    }
}
