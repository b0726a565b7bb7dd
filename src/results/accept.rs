//! What this version accepts of a document: a limited size, formats of its own major version, and of a newer minor version also rows,
//! meters and devices that it cannot read, which are kept as JSON.

use super::derived::RowFigures;
use super::document::{Evidence, Row, SCHEMA_VERSION};
use super::manifest::Source;
use super::newer::{OrNewer, fault};
use super::read::ReadError;
use crate::device::{Device, DeviceId};
use crate::measure::Windows;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Maximum number of rows: together with the limits below it bounds a reader's work. Enough for the maximum number of objects, at a
/// hundred per row.
const MAX_ROWS: usize = 2000;
const MAX_WINDOWS: usize = 1000;
const MAX_BLOCKS: usize = 50;
const MAX_SOURCES: usize = 200;
const MAX_DEVICES: usize = 200;
/// Maximum number of readings in all rows. A publish run on six cards, with five rows each and three sources read five times per second,
/// has 400,000: two minutes per block and half a minute on either side.
const MAX_READINGS: usize = 500_000;

/// Which limit is exceeded.
pub(super) fn exceeded_limit(evidence: &Evidence) -> Option<&'static str> {
    let most = |count: fn(&Windows) -> usize| {
        evidence.known_rows().filter_map(|row| row.windows.as_ref().map(count)).max().unwrap_or(0)
    };
    let readings = evidence.known_rows().flat_map(|row| &row.readings).map(|readings| {
        let values: usize = readings.values.iter().map(Vec::len).sum();
        readings.at_seconds.len().max(readings.took_seconds.len()).max(values)
    });
    let read = evidence.known_rows().map(|row| row.readings.len());
    let sources = evidence.manifest.sources.iter().filter_map(OrNewer::known);
    let covered = sources.map(|source| source.devices.len());
    let together = evidence.known_rows().map(|row| row.condition.together_with.len());
    let limits = [
        (readings.sum(), MAX_READINGS, "readings"),
        (evidence.rows.len(), MAX_ROWS, "rows"),
        (most(Windows::len), MAX_WINDOWS, "windows"),
        (most(|windows| windows.blocks.windows.len()), MAX_BLOCKS, "blocks"),
        (evidence.manifest.sources.len(), MAX_SOURCES, "energy sources"),
        (evidence.baselines.len(), MAX_SOURCES, "baselines"),
        (evidence.manifest.devices.len(), MAX_DEVICES, "devices"),
        (together.max().unwrap_or(0), MAX_DEVICES, "devices at the same time"),
        (covered.max().unwrap_or(0), MAX_DEVICES, "devices of a source"),
        (read.max().unwrap_or(0), MAX_SOURCES, "sources of a row"),
        (evidence.manifest.workloads.len(), MAX_ROWS, "workloads"),
    ];
    limits.into_iter().find(|(count, limit, _)| count > limit).map(|(.., what)| what)
}

/// Whether a format is a later minor version than this one.
///
/// # Errors
/// If it is another major version.
pub(super) fn is_newer(version: &str) -> Result<bool, ReadError> {
    let numbers = |version: &str| -> Option<(u64, u64)> {
        let mut parts = version.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let (given, current) = (numbers(version), numbers(SCHEMA_VERSION));
    match (given, current) {
        (Some((major, _)), Some((known, _))) if major < known => Err(ReadError(format!(
            "its format is {version}, which rigbench 0.1.0 was the last to read; run it again"
        ))),
        (Some((major, _)), Some((known, _))) if major == known => Ok(given > current),
        _ => Err(ReadError(format!(
            "its format is {version}, this rigbench reads {SCHEMA_VERSION}; get a newer rigbench"
        ))),
    }
}

/// Reads sources of unknown devices without these, and marks rows as unreadable whose device, source or figures are unreadable.
pub(super) fn mark_unreadable(evidence: &mut Evidence, stated: &Value) {
    for source in &mut evidence.manifest.sources {
        if let OrNewer::Newer(value) = source
            && let Some(known) = of_known_devices(value)
        {
            *source = OrNewer::Known(known);
        }
    }
    let manifest = &evidence.manifest;
    for (i, row) in evidence.rows.iter_mut().enumerate() {
        let OrNewer::Known(known) = &*row else { continue };
        let device = |device: &OrNewer<Device>| matches!(device, OrNewer::Newer(value) if value["id"] == json!(known.device));
        let source = |source: &OrNewer<Source>| matches!(source, OrNewer::Newer(value) if may_cover(value, known));
        let figures = stated["rows"].get(i).map(RowFigures::deserialize);
        let unread = manifest.devices.iter().any(device) || manifest.sources.iter().any(source);
        if unread || matches!(figures, Some(Err(_))) {
            *row = OrNewer::newer(known);
        }
    }
}

/// A source without the devices that this version does not know; `None` if that is not all that is unknown of it.
fn of_known_devices(source: &Value) -> Option<Source> {
    let mut source = source.clone();
    let devices = source.get_mut("devices")?.as_array_mut()?;
    devices.retain(|device| DeviceId::deserialize(device).is_ok());
    Source::deserialize(source).ok()
}

/// Whether an unreadable source may cover a row.
fn may_cover(source: &Value, row: &Row) -> bool {
    let devices = source["devices"].as_array();
    let workload = &source["workload"];
    devices.is_none_or(|devices| devices.contains(&json!(row.device)))
        && (workload.is_null() || workload == row.workload.id.into_str())
}

/// Rejects unreadable values in a document of this version or an older one.
pub(super) fn all_known<T: DeserializeOwned>(
    path: &str,
    all: &[OrNewer<T>],
) -> Result<(), ReadError> {
    let unreadable = |(i, one): (usize, &OrNewer<T>)| match one {
        OrNewer::Known(_) => None,
        OrNewer::Newer(value) => Some(format!("{path}[{i}]{}", fault::<T>(value)?)),
    };
    all.iter().enumerate().find_map(unreadable).map_or(Ok(()), |fault| Err(ReadError(fault)))
}
