//! Reads a document. Rejects files that are not result documents, are from another major version or are too large, with a one-line error.
//! Unknown fields are ignored. Unreadable rows, meters and devices of a newer version are kept as JSON.

use super::derived::{Derived, RowFigures};
use super::difference::differences;
use super::document::{Document, Evidence, Proof, Row, SCHEMA_VERSION};
use super::manifest::Source;
use super::newer::{OrNewer, fault};
use super::rules::Rules;
use super::{derive, scan, seed_from, sha256_without_proof};
use crate::device::{Device, DeviceId};
use crate::measure::Windows;
use crate::seed::Seed;
use crate::text;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;

/// Maximum file size.
const MOST_BYTES: u64 = 32 << 20;
/// Maximum number of rows: together with the limits below it bounds a reader's work. Enough for the maximum number of objects, at a
/// hundred per row.
const MOST_ROWS: usize = 2000;
const MOST_WINDOWS: usize = 1000;
const MOST_BLOCKS: usize = 50;
const MOST_SOURCES: usize = 200;
const MOST_DEVICES: usize = 200;
/// Maximum number of readings in all rows. A publish run on six cards, with five rows each and three sources read five times per second,
/// has 400,000: two minutes per block and half a minute on either side.
const MOST_READINGS: usize = 500_000;
/// The last version of rigbench that reads and writes the formats before this one.
const LAST_WITH_1: &str = "0.1.0";

/// A parsed document, not yet judged.
#[derive(Debug)]
pub struct ParsedDocument {
    /// Its evidence.
    pub evidence: Evidence,
    /// Its derived figures, as stated.
    pub stated: Value,
    /// Version of its format.
    pub schema_version: String,
    /// Version of its rules.
    pub rules: u32,
    /// Its digest, as stated.
    pub proof: Proof,
    /// Whether a later minor version wrote it, possibly with unknown content.
    pub newer: bool,
    /// The seed of its data, which follows from run, challenge, beacon and manifest as given.
    pub seed: Seed,
    /// SHA-256 of its canonical JSON without the proof; `None` if not computed.
    pub sha256: Option<String>,
    /// Whether no string contains hidden characters.
    plain: bool,
}

impl ParsedDocument {
    /// A document that is safe to display, with figures derived from its evidence by the current rules.
    pub fn shown(self) -> Document {
        let rules = Rules::current();
        let evidence = if self.plain { self.evidence } else { printable(&self.evidence) };
        let derived = derive(&evidence, rules);
        let document_sha256 = text::plain(&self.proof.document_sha256).into_owned();
        Document {
            schema_version: text::plain(&self.schema_version).into_owned(),
            rules: rules.version,
            evidence,
            derived,
            proof: Proof { document_sha256 },
        }
    }
}

/// The evidence with every string safe to print in one line. Its digests no longer match.
fn printable(evidence: &Evidence) -> Evidence {
    fn escape(value: &mut Value) {
        match value {
            Value::String(text) => *text = text::plain(text).into_owned(),
            Value::Array(items) => items.iter_mut().for_each(escape),
            Value::Object(members) => {
                let all = std::mem::take(members).into_iter();
                members.extend(all.map(|(name, mut value)| {
                    escape(&mut value);
                    (text::plain(&name).into_owned(), value)
                }));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut value = serde_json::to_value(evidence).expect("evidence is plain data");
    escape(&mut value);
    let mut printable: Evidence =
        serde_json::from_value(value).expect("only the words of strangers changed");
    // A row that was marked as unreadable because of its device or figures stays so.
    for (row, before) in printable.rows.iter_mut().zip(&evidence.rows) {
        if let (OrNewer::Known(known), None) = (&*row, before.known()) {
            *row = OrNewer::newer(known);
        }
    }
    printable
}

/// A document cannot be read. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// Parses a document: [`read`] or [`skim`].
pub type Reader = fn(&[u8]) -> Result<ParsedDocument, ReadError>;

/// Reads a document's file.
///
/// # Errors
/// `Err` if there is no such regular file; the inner `Err` if it is not a document.
pub fn open(path: &Path, reader: Reader) -> std::io::Result<Result<ParsedDocument, ReadError>> {
    Ok(reader(&text::read(path, MOST_BYTES)?))
}

/// Parses one of many documents: faster, without its digest.
///
/// # Errors
/// As [`read`].
pub fn skim(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    parse(bytes, false)
}

/// Parses a document.
///
/// # Errors
/// If it is not a document.
pub fn read(bytes: &[u8]) -> Result<ParsedDocument, ReadError> {
    parse(bytes, true)
}

fn parse(bytes: &[u8], digest: bool) -> Result<ParsedDocument, ReadError> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(reject(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    let text = text::decode(bytes).map_err(reject)?;
    let plain = scan::scan(&text).map_err(reject)?;
    let mut whole: Value = serde_json::from_str(&text).map_err(reject)?;
    let mut given = interpreted(&mut whole, plain).or_else(|error| {
        // Some writers give every number a decimal point. RFC 8785 calls 1.0 and 1 the same.
        if integers(&mut whole) { interpreted(&mut whole, plain) } else { Err(error) }
    })?;
    given.sha256 = digest.then(|| sha256_without_proof(whole));
    Ok(given)
}

/// Turns numbers that are whole into integers; returns whether there were any.
fn integers(value: &mut Value) -> bool {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or(f64::NAN);
            let whole = float.fract() == 0.0 && float.abs() < (1u64 << 53) as f64;
            if whole {
                *value = Value::from(float as i64);
            }
            whole
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| integers(item) | any),
        Value::Object(members) => {
            members.values_mut().fold(false, |any, member| integers(member) | any)
        }
        _ => false,
    }
}

fn interpreted(whole: &mut Value, plain: bool) -> Result<ParsedDocument, ReadError> {
    let missing = |name| reject(format!("missing field `{name}`"));
    let schema_version = whole.get("schema_version").and_then(Value::as_str);
    let schema_version = schema_version.ok_or_else(|| missing("schema_version"))?.to_string();
    let newer = is_newer(&schema_version)?;
    let mut evidence = evidence(whole.get_mut("evidence").ok_or_else(|| missing("evidence"))?)?;
    if let Some(what) = exceeded_limit(&evidence) {
        return Err(reject(format!("too many {what}")));
    }
    let part = |name| whole.get(name).ok_or_else(|| missing(name));
    let stated = part("derived")?;
    if newer {
        mark_unreadable(&mut evidence, stated);
    } else {
        all_known("evidence.manifest.devices", &evidence.manifest.devices)?;
        all_known("evidence.manifest.sources", &evidence.manifest.sources)?;
        all_known("evidence.rows", &evidence.rows)?;
    }
    let derived: Option<Derived> = match parsed("derived", stated) {
        Err(_) if newer && stated["rows"].is_array() && stated["run"].is_object() => None,
        derived => Some(derived?),
    };
    if let (false, Some(derived)) = (newer, &derived) {
        all_known("derived.rows", &derived.rows)?;
        all_known("derived.run.reasons", &derived.run.reasons)?;
    }
    let (rules, proof): (u32, Proof) =
        (parsed("rules", part("rules")?)?, parsed("proof", part("proof")?)?);
    let known = json!({ "evidence": evidence, "derived": derived, "proof": proof });
    if let Some(path) = differences(&known, whole).array_for_object {
        return Err(ReadError(format!("{path} is an array where an object has to be")));
    }
    Ok(ParsedDocument {
        schema_version,
        rules,
        proof,
        seed: seed_from(&whole["evidence"]),
        stated: stated.clone(),
        sha256: None,
        plain,
        evidence,
        newer,
    })
}

/// Parses evidence. Its rows are parsed in place, since the copy that other values of a newer version need takes as long as parsing.
fn evidence(given: &mut Value) -> Result<Evidence, ReadError> {
    let rows = match given.get_mut("rows") {
        Some(Value::Array(rows)) => std::mem::take(rows),
        _ => return parsed("evidence", given),
    };
    let read = |row: &Value| {
        Row::deserialize(row).map_or_else(|_| OrNewer::Newer(row.clone()), OrNewer::Known)
    };
    let evidence = parsed("evidence", given).map(|mut evidence: Evidence| {
        evidence.rows = rows.iter().map(read).collect();
        evidence
    });
    given["rows"] = Value::Array(rows);
    evidence
}

/// Whether a format is a later minor version than this one.
///
/// # Errors
/// If it is another major version.
fn is_newer(version: &str) -> Result<bool, ReadError> {
    let numbers = |version: &str| -> Option<(u64, u64)> {
        let mut parts = version.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let (given, current) = (numbers(version), numbers(SCHEMA_VERSION));
    match (given, current) {
        (Some((major, _)), Some((known, _))) if major < known => Err(ReadError(format!(
            "its format is {version}, which rigbench {LAST_WITH_1} was the last to read; run it again"
        ))),
        (Some((major, _)), Some((known, _))) if major == known => Ok(given > current),
        _ => Err(ReadError(format!(
            "its format is {version}, this rigbench reads {SCHEMA_VERSION}; get a newer rigbench"
        ))),
    }
}

/// Reads sources of unknown devices without these, and marks rows as unreadable whose device, source or figures are unreadable.
fn mark_unreadable(evidence: &mut Evidence, stated: &Value) {
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
fn all_known<T: DeserializeOwned>(path: &str, all: &[OrNewer<T>]) -> Result<(), ReadError> {
    let unreadable = |(i, one): (usize, &OrNewer<T>)| match one {
        OrNewer::Known(_) => None,
        OrNewer::Newer(value) => Some(format!("{path}[{i}]{}", fault::<T>(value)?)),
    };
    all.iter().enumerate().find_map(unreadable).map_or(Ok(()), |fault| Err(ReadError(fault)))
}

/// The error for a file that is not a document.
fn reject(why: impl Display) -> ReadError {
    ReadError(format!("not a rigbench result file: {why}"))
}

/// Parses a part of a document; an error contains the path of the invalid value.
fn parsed<T: DeserializeOwned>(path: &str, value: &Value) -> Result<T, ReadError> {
    // Tracking the path is slower than parsing, so it is done only after an error.
    T::deserialize(value).map_err(|error| {
        let fault = fault::<T>(value).unwrap_or_else(|| format!(": {error}"));
        ReadError(format!("{path}{fault}"))
    })
}

/// Which limit is exceeded.
fn exceeded_limit(evidence: &Evidence) -> Option<&'static str> {
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
        (readings.sum(), MOST_READINGS, "readings"),
        (evidence.rows.len(), MOST_ROWS, "rows"),
        (most(Windows::len), MOST_WINDOWS, "windows"),
        (most(|windows| windows.blocks.windows.len()), MOST_BLOCKS, "blocks"),
        (evidence.manifest.sources.len(), MOST_SOURCES, "energy sources"),
        (evidence.baselines.len(), MOST_SOURCES, "baselines"),
        (evidence.manifest.devices.len(), MOST_DEVICES, "devices"),
        (together.max().unwrap_or(0), MOST_DEVICES, "devices at the same time"),
        (covered.max().unwrap_or(0), MOST_DEVICES, "devices of a source"),
        (read.max().unwrap_or(0), MOST_SOURCES, "sources of a row"),
        (evidence.manifest.workloads.len(), MOST_ROWS, "workloads"),
    ];
    limits.into_iter().find(|(count, limit, _)| count > limit).map(|(.., what)| what)
}
