//! From result documents to the rows that advice takes: whose device a row is of, and what its joules are worth. A row whose
//! joules say nothing keeps its place, with the reason.

use super::Estimate;
use super::row::{MeasuredRow, RowEnergy, Sequences, Stage};
use crate::device::Class;
use crate::energy::{Provenance, Scope};
use crate::results::wire::{self, Document, Energy, Measurement, Outcome, PerUnit, Verdict};
use crate::results::{ModelNames, conditions, run_faults};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The rows of documents, and what a reader has to know of their runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// In the order of the documents; of a workload that one device ran several times, the row that says most.
    pub rows: Vec<MeasuredRow>,
    /// Runs that are invalid as a whole, rows that were passed over, devices that are emulated.
    pub remarks: Vec<String>,
}

/// A row with what tells it from others.
struct Candidate<'a> {
    machine: usize,
    device: &'a wire::Device,
    row: MeasuredRow,
}

/// The rows of documents. Documents of machines that describe themselves alike are taken to be of one machine.
pub fn rows(documents: &[Document]) -> Rows {
    let mut machines: Vec<&wire::Host> = Vec::new();
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut remarks = Vec::new();
    let all = documents.iter().flat_map(|document| &document.measurements);
    let models = ModelNames::of(all.map(|m| &m.workload));
    for document in documents {
        let host = &document.manifest.host;
        let machine = machines.iter().position(|known| alike(known, host)).unwrap_or_else(|| {
            machines.push(host);
            machines.len() - 1
        });
        let date = day(document);
        let faults = run_faults(document).into_iter();
        remarks.extend(faults.map(|why| format!("the run of {date} is invalid as a whole: {why}")));
        let gpu = document.manifest.devices.iter().any(|device| device.gpu.is_some());
        let conditions = conditions(&document.manifest.environment, gpu).into_iter();
        remarks.extend(conditions.map(|condition| format!("the run of {date}: {condition}")));
        for m in &document.measurements {
            let device = document.manifest.devices.iter().find(|device| device.id == m.device);
            let (Some(device), Some(row)) = (device, row(m, document, date, &models)) else {
                continue;
            };
            let candidate = Candidate { machine, device, row };
            let twin = candidates.iter_mut().find(|known| {
                known.machine == machine
                    && same_device(known.device, device)
                    && known.row.workload == candidate.row.workload
            });
            match twin {
                None => candidates.push(candidate),
                Some(twin) => {
                    let (kept, passed) = if says_more(&candidate.row, &twin.row) {
                        (candidate.row.date, std::mem::replace(twin, candidate).row)
                    } else {
                        (twin.row.date, candidate.row)
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
    tell_apart(&mut candidates, machines.len());
    for candidate in &candidates {
        if candidate.row.class == Class::SoftwareGpu {
            let what = format!(
                "{} is a processor that emulates a GPU: its joules say nothing of a GPU's",
                candidate.row.device_name
            );
            if !remarks.contains(&what) {
                remarks.push(what);
            }
        }
    }
    Rows { rows: candidates.into_iter().map(|candidate| candidate.row).collect(), remarks }
}

/// Machines have no names in results: the same hardware is taken for the same machine.
fn alike(one: &wire::Host, other: &wire::Host) -> bool {
    let hardware = |host: &wire::Host| (host.cpu.clone(), host.cores, host.memory_bytes);
    hardware(one) == hardware(other)
}

fn same_device(one: &wire::Device, other: &wire::Device) -> bool {
    (&one.id, &one.name) == (&other.id, &other.name)
}

/// Whether a row is to be preferred to an earlier one: it has joules, better ones, or newer ones.
fn says_more(new: &MeasuredRow, old: &MeasuredRow) -> bool {
    match (&new.energy, &old.energy) {
        (Ok(a), Ok(b)) if a.provenance == b.provenance => new.date >= old.date,
        (Ok(a), Ok(b)) => a.provenance < b.provenance,
        (a, b) => a.is_ok() || b.is_err(),
    }
}

/// Rows of one device get the same id. Devices of one name get something in parentheses, which is no part of a card's name.
fn tell_apart(candidates: &mut [Candidate], machines: usize) {
    let places: Vec<(usize, String, String)> = candidates
        .iter()
        .map(|c| (c.machine, c.device.id.clone(), c.device.name.clone()))
        .collect();
    for candidate in candidates {
        let (machine, device) = (candidate.machine, candidate.device);
        let named = || places.iter().filter(|(.., name)| *name == device.name);
        let mut suffix = Vec::new();
        if named().any(|(other, ..)| *other != machine) {
            suffix.push(format!("machine {}", machine + 1));
        }
        if named().any(|(other, id, _)| *other == machine && *id != device.id) {
            suffix.push(device.id.clone());
        }
        if !suffix.is_empty() {
            candidate.row.device_name = format!("{} ({})", device.name, suffix.join(", "));
        }
        if machines > 1 {
            candidate.row.device = format!("machine {}, {}", machine + 1, device.id);
        }
    }
}

/// The day of a run, in UTC.
fn day(document: &Document) -> Date {
    let started: Timestamp = document.run.started_at.parse().unwrap_or_default();
    started.to_zoned(TimeZone::UTC).date()
}

/// Nothing of work that this version does not know.
fn row(
    m: &Measurement,
    document: &Document,
    date: Date,
    models: &ModelNames,
) -> Option<MeasuredRow> {
    let device = document.manifest.devices.iter().find(|device| device.id == m.device)?;
    Some(MeasuredRow {
        device: device.id.clone(),
        device_name: device.name.clone(),
        class: Class::ALL.into_iter().find(|class| class.name() == m.class)?,
        workload: models.tell_apart(&m.workload).spec(),
        unit: m.workload.unit()?,
        sequences: sequences(&m.workload),
        energy: energy(m),
        date,
    })
}

/// Whose tokens they are: `smollm2-135m:int4:batch=1:prompt=128`, or `NAME.gguf:batch=1:prompt=128`.
fn sequences(workload: &wire::Workload) -> Option<Sequences> {
    let stage = match workload.id.as_str() {
        "prefill" => Stage::Prefill,
        "decode" => Stage::Decode,
        _ => return None,
    };
    let mut parts = workload.shape.as_deref()?.split(':');
    let model = parts.next()?.to_string();
    let mut weights = "its file's types".to_string();
    let mut batch = None;
    for part in parts {
        match part.split_once('=') {
            Some(("batch", number)) => batch = number.parse().ok(),
            Some(_) => {}
            None => weights = part.to_string(),
        }
    }
    Some(Sequences { model, weights, batch: batch?, stage })
}

/// The headline energy, or why it says nothing.
fn energy(m: &Measurement) -> Result<RowEnergy, String> {
    let reason = || m.reason.clone().unwrap_or_else(|| "it does not say why".into());
    match m.outcome {
        Outcome::Unsupported => return Err(format!("unsupported: {}", reason())),
        Outcome::Failed => return Err(format!("failed: {}", reason())),
        Outcome::Measured if m.verdict == Verdict::Invalid => {
            return Err(format!("its row is invalid: {}", m.reasons.join("; ")));
        }
        Outcome::Measured => {}
    }
    Ok(match &m.energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
            let u = &e.uncertainty;
            let half = u.meter_joules.hypot(u.window_joules).hypot(u.statistical_joules);
            let share = (half / e.gross_joules).min(1.0);
            let watts = e.power_watts;
            RowEnergy {
                joules_per_unit: per_unit(&e.joules_per_unit),
                watts: Estimate::measured(watts * (1.0 - share), watts, watts * (1.0 + share)),
                scope: Scope::from(e.scope),
                provenance: match &m.energy {
                    Energy::MeasuredCounter(_) => Provenance::MeasuredCounter,
                    _ => Provenance::MeasuredSampled,
                },
            }
        }
        Energy::Declared(e) => RowEnergy {
            joules_per_unit: per_unit(&e.joules_per_unit),
            watts: Estimate::exact(e.power_watts),
            scope: Scope::from(e.scope),
            provenance: Provenance::Declared,
        },
        Energy::Modelled(e) => RowEnergy {
            joules_per_unit: Estimate::between(
                e.modelled_joules_per_unit_low,
                e.modelled_joules_per_unit_high,
            ),
            watts: Estimate::between(e.modelled_power_watts_low, e.modelled_power_watts_high),
            scope: Scope::from(e.scope),
            provenance: Provenance::Modelled,
        },
        Energy::None(none) => return Err(format!("there is no energy: {}", none.reason)),
    })
}

/// Joules are never below 0, however wide their interval.
fn per_unit(per: &PerUnit) -> Estimate {
    let (low, high) = (per.ci95_low.unwrap_or(per.value), per.ci95_high.unwrap_or(per.value));
    Estimate::measured(low.max(0.0), per.value, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: &str, shape: &str) -> Option<Sequences> {
        sequences(&wire::Workload {
            id: id.into(),
            unit: "token".into(),
            shape: Some(shape.into()),
            layer: None,
            model_sha256: None,
        })
    }

    #[test]
    fn tokens_are_known_by_model_type_and_batch() {
        let known = of("decode", "llama-3-8b:int8:batch=8:prompt=128:context=256").unwrap();
        assert_eq!((known.model.as_str(), known.weights.as_str()), ("llama-3-8b", "int8"));
        assert_eq!((known.batch, known.stage), (8, Stage::Decode));
        let file = of("prefill", "Some.Q4_1.gguf:batch=1:prompt=128").unwrap();
        assert_eq!((file.model.as_str(), file.batch), ("Some.Q4_1.gguf", 1));
        assert_eq!(file.stage, Stage::Prefill);
        assert_eq!(of("gemm", "8x8x8:f32"), None);
    }
}
