//! The rows of result documents as advice reads them: which device a row is of, and what its joules are worth. A row without
//! joules that count keeps its place, with the reason.

use super::WorkEnergy;
use crate::device::{Class, Device};
use crate::energy::Scope;
use crate::results::{
    Document, Host, ModelNames, Row, RowFigures, Verdict, conditions, run_faults,
};
use crate::units::{Interval, Provenance};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

/// The rows of documents, and what a reader has to know of their runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows<'a> {
    /// In the order of the documents; of a workload that one device ran several times, the row that says most.
    pub rows: Vec<DeviceRow<'a>>,
    /// Runs that are invalid as a whole, rows that were passed over, devices that are emulated.
    pub remarks: Vec<String>,
}

/// A row of a document, with what tells its device and its run from others.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRow<'a> {
    /// The row.
    pub row: &'a Row,
    /// What follows from it.
    pub figures: &'a RowFigures,
    /// The device that it ran on.
    pub device: MeasuredDevice,
    /// Its workload as the command line writes it; models in files of one name are told apart.
    pub spec: String,
    /// The day of the run, in UTC.
    pub date: Date,
    machine: usize,
}

/// A measured device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MeasuredDevice {
    /// Its id, the same in all of its rows; with its machine where there are several.
    pub id: String,
    /// As its driver calls it.
    pub name: String,
    /// Its hardware class.
    pub class: Class,
}

/// The headline energy of a row, gross.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowEnergy {
    /// Joules for a unit of work.
    pub work: WorkEnergy,
    /// Mean power over the windows, in watts.
    pub watts: Interval,
    /// What it covers.
    pub scope: Scope,
}

impl RowEnergy {
    /// How it came about.
    pub fn provenance(&self) -> Provenance {
        self.work.joules.provenance
    }
}

impl MeasuredDevice {
    /// Its name without what Mesa adds to it in parentheses.
    pub(super) fn card(&self) -> &str {
        self.name.split_once(" (").map_or(&self.name, |(card, _)| card)
    }
}

impl DeviceRow<'_> {
    /// What stands for the row in a table: its workload on its device.
    pub fn label(&self) -> String {
        format!("{} on {}", self.spec, self.device.name)
    }

    /// The headline energy.
    ///
    /// # Errors
    /// Why there is none: no meter, an invalid row, a failed one.
    pub fn energy(&self) -> Result<RowEnergy, String> {
        let (row, figures) = (self.row, self.figures);
        if let Some(failure) = row.outcome.failure() {
            return Err(format!("{}: {failure}", row.outcome.name()));
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
        let work = WorkEnergy { joules: known(joules), unit: row.workload.unit };
        Ok(RowEnergy { work, watts: known(watts), scope })
    }

    /// Whether a row is of the same device and its energy of the same scope.
    pub fn shares_scope(&self, other: &DeviceRow) -> bool {
        let scope = |row: &DeviceRow| row.energy().ok().map(|energy| energy.scope);
        self.device == other.device && scope(self).is_some() && scope(self) == scope(other)
    }
}

/// A figure without a known interval is taken as it stands, which is remarked on. Joules are never below 0, however wide their
/// interval.
fn known(interval: Interval) -> Interval {
    match interval.value.filter(|_| interval.ends().is_none()) {
        Some(value) => Interval { low: value, high: value, ..interval },
        None => interval.not_negative(),
    }
}

/// The rows of documents. Documents of machines that describe themselves alike are taken to be of one machine.
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
        let date = document.evidence.run.started_at.to_zoned(TimeZone::UTC).date();
        let faults = run_faults(document).into_iter();
        remarks.extend(faults.map(|why| format!("the run of {date} is invalid as a whole: {why}")));
        let gpu = manifest.devices().any(|device| device.gpu.is_some());
        let conditions = conditions(manifest, gpu).into_iter();
        remarks.extend(conditions.map(|condition| format!("the run of {date}: {condition}")));
        let newer = document.newer_rows();
        remarks
            .extend(newer.map(|(_, row)| format!("{row} is from a newer rigbench and left out")));
        for (row, figures) in document.rows() {
            let Some(Device { id, name, class, .. }) = manifest.device(&row.device) else {
                continue;
            };
            let device = MeasuredDevice { id: id.to_string(), name: name.clone(), class: *class };
            let spec = models.tell_apart(&row.workload).spec;
            let new = DeviceRow { row, figures, device, spec, date, machine };
            let twin = rows.iter_mut().find(|known| {
                (known.machine, &known.device, &known.spec) == (machine, &new.device, &new.spec)
            });
            match twin {
                None => rows.push(new),
                Some(twin) => {
                    let (kept, passed) = if says_more(&new, twin) {
                        (new.date, std::mem::replace(twin, new))
                    } else {
                        (twin.date, new)
                    };
                    remarks.push(format!(
                        "{} was run more than once: the row of {kept} counts, that of {} does not",
                        passed.label(),
                        passed.date
                    ));
                }
            }
        }
    }
    tell_apart(&mut rows, machines.len());
    for row in rows.iter().filter(|row| row.device.class == Class::SoftwareGpu) {
        let what = format!(
            "{} is a processor that emulates a GPU: its joules say nothing of a GPU's",
            row.device.name
        );
        if !remarks.contains(&what) {
            remarks.push(what);
        }
    }
    Rows { rows, remarks }
}

/// Where an id is left out, the same hardware is taken for the same machine.
fn is_same_machine(one: &Host, other: &Host) -> bool {
    let hardware = |host: &Host| (host.cpu.clone(), host.threads, host.memory_bytes);
    match (&one.id, &other.id) {
        (Some(one), Some(other)) => one == other,
        _ => hardware(one) == hardware(other),
    }
}

/// Whether a row is to be preferred to an earlier one: it has joules, better ones, or newer ones.
fn says_more(new: &DeviceRow, old: &DeviceRow) -> bool {
    match (new.energy(), old.energy()) {
        (Ok(a), Ok(b)) if a.provenance() == b.provenance() => new.date >= old.date,
        (Ok(a), Ok(b)) => a.provenance() < b.provenance(),
        (a, b) => a.is_ok() || b.is_err(),
    }
}

/// Devices of one name get something in parentheses, which is no part of a card's name, and ids of several machines name theirs.
fn tell_apart(rows: &mut [DeviceRow], machines: usize) {
    let all: Vec<(usize, MeasuredDevice)> =
        rows.iter().map(|row| (row.machine, row.device.clone())).collect();
    for DeviceRow { machine, device, .. } in rows {
        let named = || all.iter().filter(|(_, other)| other.name == device.name);
        let mut suffix = Vec::new();
        if named().any(|(other, _)| other != machine) {
            suffix.push(format!("machine {}", *machine + 1));
        }
        if named().any(|(other, of)| other == machine && of.id != device.id) {
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
