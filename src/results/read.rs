//! Reads a document: what is none, is from another major version or is too large ends in one line. Fields that this version does
//! not know are passed over; rows, meters and devices that it cannot read are kept as such, if a newer version wrote them.

use super::derived::{Derived, RowFigures};
use super::document::{Document, Evidence, Proof, Row, SCHEMA_VERSION};
use super::manifest::Source;
use super::newer::OrNewer;
use super::rules::Rules;
use super::{canonical, derive, difference, scan};
use crate::device::Device;
use crate::kernels::hex;
use crate::text;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::Path;

/// No run writes more.
const MOST_BYTES: u64 = 32 << 20;
/// Nor more of these: what a reader computes must end soon.
/// As many rows as the most objects make, a hundred each.
const MOST_ROWS: usize = 2000;
const MOST_WINDOWS: usize = 1000;
const MOST_BLOCKS: usize = 50;
const MOST_SOURCES: usize = 200;
/// Readings of all rows. A rig of six cards to publish, five rows each, three sources read five times a second, has 400,000:
/// of each block those of its two minutes and of half a minute on either side.
const MOST_READINGS: usize = 500_000;
/// The last version of rigbench that wrote and read the formats before this one.
const LAST_WITH_1: &str = "0.1.0";

/// A document as it was given.
#[derive(Debug)]
pub struct Given {
    /// What was observed.
    pub evidence: Evidence,
    /// What it says follows from that.
    pub stated: Value,
    /// The version of its format.
    pub schema_version: String,
    /// The version of its rules.
    pub rules: u32,
    /// The digest that it states.
    pub proof: Proof,
    /// Whether a later minor version wrote it, so that it may say more than this version knows.
    pub newer: bool,
    /// What the seed follows from: the run, challenge, beacon and manifest as they were given.
    pub bound: Value,
    /// SHA-256 of its canonical JSON without the proof, if that was computed.
    pub sha256: Option<String>,
    /// Whether no string of it has characters that must not be shown.
    plain: bool,
}

impl Given {
    /// What follows from its evidence by today's rules, as a document that may be shown.
    pub fn shown(self) -> Document {
        let rules = Rules::today();
        let evidence = if self.plain { self.evidence } else { super::shown::shown(&self.evidence) };
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

/// A document that cannot be read. One line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(pub String);

/// What makes a document of a text: [`read`] or [`skim`].
pub type Reader = fn(&[u8]) -> Result<Given, ReadError>;

/// Reads a document's file.
///
/// # Errors
/// `Err` if there is no such regular file; the inner one if it is no document.
pub fn open(path: &Path, reader: Reader) -> std::io::Result<Result<Given, ReadError>> {
    Ok(reader(&text::read(path, MOST_BYTES)?))
}

/// A document as far as this version can read it, for a look at its form.
#[derive(Serialize)]
struct Known<'a> {
    schema_version: &'a str,
    rules: u32,
    evidence: &'a Evidence,
    derived: &'a Option<Derived>,
    proof: &'a Proof,
}

/// Reads one of many documents, faster: its digest is left out.
///
/// # Errors
/// As [`read`].
pub fn skim(bytes: &[u8]) -> Result<Given, ReadError> {
    Ok(parts(bytes)?.0)
}

/// Reads a document's text.
///
/// # Errors
/// If it is none.
pub fn read(bytes: &[u8]) -> Result<Given, ReadError> {
    let (mut given, mut whole) = parts(bytes)?;
    if let Some(whole) = whole.as_object_mut() {
        whole.remove("proof");
    }
    given.sha256 = Some(hex(&Sha256::digest(canonical(&whole))));
    Ok(given)
}

/// A document, and all of its JSON.
fn parts(bytes: &[u8]) -> Result<(Given, Value), ReadError> {
    let (text, scan) = looked_over(bytes)?;
    let mut whole: Value = serde_json::from_str(&text).map_err(|error| none(error.to_string()))?;
    let schema_version = whole.get("schema_version").and_then(Value::as_str);
    let schema_version =
        schema_version.ok_or_else(|| none("missing field `schema_version`".into()))?.to_string();
    let newer = is_newer(&schema_version)?;
    let missing = |name| none(format!("missing field `{name}`"));
    let mut evidence = evidence(whole.get_mut("evidence").ok_or_else(|| missing("evidence"))?)?;
    let part = |name| whole.get(name).ok_or_else(|| missing(name));
    if let Some(what) = excess(&evidence) {
        return Err(none(format!("no run has so many {what}")));
    }
    let stated = part("derived")?;
    let derived: Result<Derived, ReadError> = parsed("derived", stated);
    let derived = if newer {
        if !stated["rows"].is_array() || !stated["run"].is_object() {
            derived.as_ref().map_err(ReadError::clone)?;
        }
        leave_out(&mut evidence, stated);
        derived.ok()
    } else {
        all_known("evidence.manifest.devices", &evidence.manifest.devices)?;
        all_known("evidence.manifest.sources", &evidence.manifest.sources)?;
        all_known("evidence.rows", &evidence.rows)?;
        let derived = derived?;
        all_known("derived.rows", &derived.rows)?;
        all_known("derived.run.reasons", &derived.run.reasons)?;
        Some(derived)
    };
    let given = Given {
        schema_version,
        rules: parsed("rules", part("rules")?)?,
        proof: parsed("proof", part("proof")?)?,
        bound: super::bound(&whole["evidence"]),
        stated: stated.clone(),
        sha256: None,
        plain: scan.plain,
        evidence,
        newer,
    };
    let Given { schema_version, evidence, rules, proof, .. } = &given;
    let known = Known { schema_version, rules: *rules, evidence, derived: &derived, proof };
    // With as many arrays, objects and members as this version writes, nothing is an array that must be an object, which serde would
    // take, and nothing was passed over.
    if scan::shape_of(&known) != scan.shape {
        let known = serde_json::to_value(known).map_err(|error| none(error.to_string()))?;
        if let Some(path) = difference::other_kind(&known, &whole) {
            return Err(ReadError(format!("{path} is an array where an object has to be")));
        }
    }
    Ok((given, whole))
}

/// Evidence. Its rows are read where they stand: to copy them first, as all else that may be of a newer version, takes as long as to
/// read them.
fn evidence(given: &mut Value) -> Result<Evidence, ReadError> {
    let rows = match given.get_mut("rows") {
        Some(Value::Array(rows)) => std::mem::take(rows),
        _ => return parsed("evidence", given),
    };
    let mut evidence: Evidence = parsed("evidence", given)?;
    let read = |row: &Value| {
        Row::deserialize(row).map_or_else(|_| OrNewer::Newer(row.clone()), OrNewer::Known)
    };
    evidence.rows = rows.iter().map(read).collect();
    given["rows"] = Value::Array(rows);
    Ok(evidence)
}

/// Whether a format is of a later minor version than this one's.
///
/// # Errors
/// If it is of another major version.
fn is_newer(version: &str) -> Result<bool, ReadError> {
    let numbers = |version: &str| -> Option<(u64, u64)> {
        let mut parts = version.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let (theirs, ours) = (numbers(version), numbers(SCHEMA_VERSION));
    match (theirs, ours) {
        (Some((major, _)), Some((own, _))) if major < own => Err(ReadError(format!(
            "its format is {version}, which rigbench {LAST_WITH_1} was the last to read; run it again"
        ))),
        (Some((major, _)), Some((own, _))) if major == own => Ok(theirs > ours),
        _ => Err(ReadError(format!(
            "its format is {version}, this rigbench reads {SCHEMA_VERSION}; get a newer rigbench"
        ))),
    }
}

/// What this version cannot read costs the rows that it concerns: those with a device, a source or figures of a newer version are
/// of a newer version themselves.
fn leave_out(evidence: &mut Evidence, stated: &Value) {
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

/// Whether a source that this version cannot read covers a row, as far as it says.
fn may_cover(source: &Value, row: &Row) -> bool {
    let devices = source["devices"].as_array();
    let workload = &source["workload"];
    devices.is_none_or(|devices| devices.contains(&json!(row.device)))
        && (workload.is_null() || workload == row.workload.id.name())
}

/// Refuses what cannot be read in a document of this version or an older one.
fn all_known<T: DeserializeOwned>(path: &str, all: &[OrNewer<T>]) -> Result<(), ReadError> {
    let fault = |(i, one): (usize, &OrNewer<T>)| Some(format!("{path}[{i}]{}", one.fault()?));
    all.iter().enumerate().find_map(fault).map_or(Ok(()), |fault| Err(ReadError(fault)))
}

/// It is no document, and why.
fn none(why: String) -> ReadError {
    ReadError(format!("this is no rigbench result: {why}"))
}

/// The text of a document, if it is short enough to be read and means the same to every reader.
fn looked_over(bytes: &[u8]) -> Result<(Cow<'_, str>, scan::Scan), ReadError> {
    if bytes.len() as u64 > MOST_BYTES {
        return Err(none(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    let text = text::decode(bytes).map_err(|why| none(why.into()))?;
    let scan = scan::scan(&text).map_err(none)?;
    Ok((text, scan))
}

/// A part of a document, or where in it something is not what it must be.
fn parsed<T: DeserializeOwned>(of: &str, value: &Value) -> Result<T, ReadError> {
    // To keep the path takes longer than to read.
    T::deserialize(value).or_else(|_| {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            match path.as_str() {
                "." => ReadError(format!("{of}: {}", error.inner())),
                _ => ReadError(format!("{of}.{path}: {}", error.inner())),
            }
        })
    })
}

/// What there is too much of.
fn excess(evidence: &Evidence) -> Option<&'static str> {
    let any =
        |most: usize, count: fn(&Row) -> usize| evidence.known_rows().any(|row| count(row) > most);
    let readings = evidence.known_rows().flat_map(|row| &row.readings).map(|readings| {
        let values: usize = readings.values.iter().map(Vec::len).sum();
        readings.at_seconds.len().max(readings.took_seconds.len()).max(values)
    });
    match () {
        () if readings.sum::<usize>() > MOST_READINGS => Some("readings"),
        () if evidence.rows.len() > MOST_ROWS => Some("rows"),
        () if any(MOST_WINDOWS, |row| row.windows.as_ref().map_or(0, |w| w.len())) => {
            Some("windows")
        }
        () if any(MOST_BLOCKS, |row| {
            row.windows.as_ref().map_or(0, |w| w.blocks.windows.len())
        }) =>
        {
            Some("blocks")
        }
        () if evidence.manifest.sources.len() > MOST_SOURCES => Some("energy sources"),
        () => None,
    }
}
