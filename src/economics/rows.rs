//! Rows of result documents as the input of the advice, each with its device and energy. A row without a valid energy is kept, with
//! the reason.

use super::WorkEnergy;
use super::market::Figure;
use crate::device::{Class, Device};
use crate::energy::Scope;
use crate::results::{Document, Host, ModelNames, Row, RowFigures, Verdict, run_faults};
use crate::units::{Interval, Provenance};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::cmp::Reverse;

/// The rows of all documents, and remarks on their runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<'a> {
    /// In document order. If a device ran a workload several times, only the best row.
    pub rows: Vec<DeviceRow<'a>>,
    /// Invalid runs, unusual settings, rows left out, emulated devices.
    pub remarks: Vec<String>,
}

/// A row of a document with its device, workload and date.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRow<'a> {
    /// The row.
    pub row: &'a Row,
    /// The figures derived from it.
    pub figures: &'a RowFigures,
    /// The device it ran on.
    pub device: MeasuredDevice,
    /// Its workload as on the command line, with a digest if several model files have its name.
    pub spec: String,
    /// Start of the run.
    pub started_at: Timestamp,
    machine: usize,
}

/// A measured device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeasuredDevice {
    /// Its id, the same in all of its rows; with the machine if there are several.
    pub id: String,
    /// Name from the driver, with a suffix if several devices have it.
    pub name: String,
    /// Its hardware class.
    pub class: Class,
}

/// The gross headline energy of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowEnergy {
    /// Joules per unit of work.
    pub work: WorkEnergy,
    /// Mean power over the windows, in watts.
    pub watts: Interval,
    /// Scope of joules and watts.
    pub scope: Scope,
}

impl RowEnergy {
    /// Provenance of the joules.
    pub fn provenance(&self) -> Provenance {
        self.work.joules.provenance
    }
}

impl MeasuredDevice {
    /// The name without a suffix in parentheses, such as Mesa adds.
    pub(super) fn card(&self) -> &str {
        self.name.split_once(" (").map_or(&self.name, |(card, _)| card)
    }
}

impl DeviceRow<'_> {
    /// Label in tables: workload and device.
    pub fn label(&self) -> String {
        format!("{} on {}", self.spec, self.device.name)
    }

    /// A figure of the row, with its energy as the source.
    pub(super) fn cite(&self, energy: &RowEnergy, interval: Interval, unit: &str) -> Figure {
        Figure {
            key: self.label(),
            interval,
            unit: unit.into(),
            date: date(self.started_at).to_string(),
            source: format!("{}, {}", energy.provenance().into_str(), energy.scope.into_str()),
            example: false,
        }
    }

    /// The headline energy.
    ///
    /// # Errors
    /// Reason for missing energy: no meter, or an invalid or failed row.
    pub fn energy(&self) -> Result<RowEnergy, String> {
        let (row, figures) = (self.row, self.figures);
        if let Some(failure) = row.outcome.failure() {
            return Err(format!("{}: {failure}", row.outcome.into_str()));
        }
        if figures.verdict == Verdict::Invalid {
            return Err(format!("its row is invalid: {}", figures.reasons_in_words()));
        }
        let energy = &figures.energy;
        let (Some(joules), Some(watts), Some(scope)) =
            (energy.joules_per_unit, energy.power_watts, energy.scope)
        else {
            let reason = energy.no_figure.as_ref().map(ToString::to_string);
            let reason = reason.or_else(|| row.no_source.clone());
            let reason = reason.unwrap_or_else(|| "nothing was measured".into());
            return Err(format!("there is no energy: {reason}"));
        };
        let work = WorkEnergy { joules: bounded(joules), unit: row.workload.unit };
        Ok(RowEnergy { work, watts: bounded(watts), scope })
    }

    /// Whether both rows have the same device and energy scope.
    pub fn shares_scope(&self, other: &DeviceRow) -> bool {
        let scope = |row: &DeviceRow| row.energy().ok().map(|energy| energy.scope);
        self.device == other.device && scope(self).is_some() && scope(self) == scope(other)
    }
}

/// A figure without a confidence interval becomes exact, which the advice remarks on. Otherwise a negative lower bound becomes 0.
fn bounded(interval: Interval) -> Interval {
    match interval.value.filter(|_| interval.ends().is_none()) {
        Some(value) => Interval { low: value, high: value, ..interval },
        None => Interval { low: interval.low.max(0.0), ..interval },
    }
}

/// The rows of documents. Hosts without an id are the same machine if they have the same hardware.
pub fn rows(documents: &[Document]) -> Rows<'_> {
    let mut machines: Vec<&Host> = Vec::new();
    let mut rows: Vec<DeviceRow> = Vec::new();
    let mut remarks = Vec::new();
    let all = documents.iter().flat_map(Document::rows);
    let models = ModelNames::of(all.map(|(row, _)| &row.workload));
    for document in documents {
        let manifest = &document.evidence.manifest;
        let host = &manifest.host;
        let known = machines.iter().position(|known| is_same_machine(known, host));
        let machine = known.unwrap_or_else(|| {
            machines.push(host);
            machines.len() - 1
        });
        let started_at = document.evidence.run.started_at;
        let date = date(started_at);
        let faults = run_faults(document).into_iter();
        remarks.extend(faults.map(|why| format!("the run of {date} is invalid as a whole: {why}")));
        let gpu = manifest.devices().any(|device| device.gpu.is_some());
        let conditions = manifest.conditions(gpu).into_iter();
        remarks.extend(conditions.map(|condition| format!("the run of {date}: {condition}")));
        let newer = document.newer_rows().map(|(_, row)| row);
        remarks.extend(newer.map(|row| format!("{row} is from a newer rigbench and left out")));
        for (row, figures) in document.rows() {
            let Some(Device { id, name, class, .. }) = manifest.device(&row.device) else {
                continue;
            };
            let device = MeasuredDevice { id: id.to_string(), name: name.clone(), class: *class };
            let spec = models.disambiguate(&row.workload).spec;
            let new = DeviceRow { row, figures, device, spec, started_at, machine };
            let twin = rows.iter_mut().find(|known| {
                (known.machine, &known.device, &known.spec) == (machine, &new.device, &new.spec)
            });
            let Some(twin) = twin else {
                rows.push(new);
                continue;
            };
            let passed = if replaces(&new, twin) { std::mem::replace(twin, new) } else { new };
            let (label, used, other) = (passed.label(), twin.started_at, passed.started_at);
            remarks.push(format!(
                "{label} was measured more than once: the row of the run of {used} is used, not that of {other}"
            ));
        }
    }
    disambiguate(&mut rows, machines.len());
    for row in rows.iter().filter(|row| row.device.class == Class::SoftwareGpu) {
        let name = &row.device.name;
        let what =
            format!("{name} is a processor that emulates a GPU: its joules do not represent a GPU");
        if !remarks.contains(&what) {
            remarks.push(what);
        }
    }
    Rows { rows, remarks }
}

/// The day of a moment, in UTC.
fn date(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// Compares ids, or hardware if an id is missing.
fn is_same_machine(one: &Host, other: &Host) -> bool {
    let hardware = |host: &Host| (host.cpu.clone(), host.threads, host.memory_bytes);
    match (&one.id, &other.id) {
        (Some(one), Some(other)) => one == other,
        _ => hardware(one) == hardware(other),
    }
}

/// Whether a row replaces an earlier one: by having energy, by a stronger provenance, or by a later run.
fn replaces(new: &DeviceRow, old: &DeviceRow) -> bool {
    // Provenances are in order of strength; the last one is that of no energy.
    let provenance = |row: &DeviceRow| row.energy().map_or(Provenance::None, |e| e.provenance());
    let rank = |row: &DeviceRow| (Reverse(provenance(row)), row.started_at);
    rank(new) >= rank(old)
}

/// Adds machine or id in parentheses to names that several devices have, and the machine to ids if there are several machines.
fn disambiguate(rows: &mut [DeviceRow], machines: usize) {
    let all: Vec<(usize, MeasuredDevice)> =
        rows.iter().map(|row| (row.machine, row.device.clone())).collect();
    for DeviceRow { machine, device, .. } in rows {
        let same_name = || all.iter().filter(|(_, other)| other.name == device.name);
        let mut suffix = Vec::new();
        if same_name().any(|(other, _)| other != machine) {
            suffix.push(format!("machine {}", *machine + 1));
        }
        if same_name().any(|(other, twin)| other == machine && twin.id != device.id) {
            suffix.push(device.id.clone());
        }
        if !suffix.is_empty() {
            device.name = format!("{} ({})", device.name, suffix.join(", "));
        }
        if machines > 1 {
            device.id = format!("machine {}, {}", *machine + 1, device.id);
        }
    }
}
