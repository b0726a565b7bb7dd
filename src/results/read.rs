//! Reads a document: what is none, is from another major version or is too large ends in one line; nothing may be missing
//! and, of this version, nothing may be added.

use super::wire::{Document, Energy, Readings};
use super::{SCHEMA_VERSION, canonical, difference, scan, shown};
use crate::kernels::hex;
use crate::text;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::path::Path;

/// No run writes more.
const MOST_BYTES: u64 = 32 << 20;
/// Nor more of these: what a reader computes must end soon.
const MOST_ROWS: usize = 500;
const MOST_WINDOWS: usize = 1000;
const MOST_BLOCKS: usize = 50;
const MOST_SOURCES: usize = 20;
/// Readings of all rows. A rig of six cards to publish, five rows each, three sources read five times a second, has 400,000:
/// of each block those of its two minutes and of half a minute on either side.
const MOST_READINGS: usize = 500_000;
/// A document as it was given.
#[derive(Debug)]
pub struct Given {
    /// What this version knows of it.
    pub document: Document,
    /// Whether a later minor version wrote it, so that it may say more than this version knows.
    pub newer: bool,
    /// SHA-256 of its canonical JSON without `proof.document_sha256`, if that was computed.
    pub sha256: Option<String>,
    /// Its manifest's canonical JSON.
    pub manifest: Vec<u8>,
    /// Whether no string of it has characters that must not be shown.
    plain: bool,
}

impl Given {
    /// The document as it may be shown.
    pub fn shown(self) -> Document {
        if self.plain { self.document } else { shown(&self.document) }
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

/// Reads one of many documents, faster: its digest is left out, and so is the search for fields that nobody knows
/// or that are missing where they might be null.
///
/// # Errors
/// As [`read`].
pub fn skim(bytes: &[u8]) -> Result<Given, ReadError> {
    let (text, scan) = looked_over(bytes)?;
    match serde_json::from_str::<Document>(&text) {
        // The same number of arrays and objects: nothing is an array that must be an object, which serde would take.
        Ok(document)
            if document.schema_version == SCHEMA_VERSION
                && excess(&document).is_none()
                && scan::shape_of(&document) == scan.shape =>
        {
            let manifest = canonical(&document.manifest);
            Ok(Given { document, newer: false, sha256: None, manifest, plain: scan.plain })
        }
        // It says what is wrong, or knows what a later version is allowed.
        _ => read(bytes),
    }
}

/// Reads a document's text.
///
/// # Errors
/// If it is none.
pub fn read(bytes: &[u8]) -> Result<Given, ReadError> {
    let (text, scan) = looked_over(bytes)?;
    let json = |error: serde_json::Error| none(error.to_string());
    let mut given: Value = serde_json::from_str(&text).map_err(json)?;
    let schema_version = given["schema_version"].as_str().map(str::to_string);
    let schema_version =
        schema_version.ok_or_else(|| none("missing field `schema_version`".into()))?;
    let parts = |version: &str| -> Option<(u64, u64)> {
        let mut parts = version.split('.').map(str::parse);
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let (theirs, ours) = (parts(&schema_version), parts(SCHEMA_VERSION));
    let newer = theirs > ours;
    if theirs.map(|v| v.0) != ours.map(|v| v.0) {
        return Err(ReadError(format!(
            "schema_version is {schema_version}, this rigbench reads {SCHEMA_VERSION}; get the version that wrote it"
        )));
    }
    let document: Document = parsed(&text)?;
    if let Some(what) = excess(&document) {
        return Err(none(format!("no run has so many {what}")));
    }
    compare(&document, &given, newer)?;
    let manifest = canonical(&given["manifest"]);
    if let Some(proof) = given.get_mut("proof").and_then(Value::as_object_mut) {
        proof.remove("document_sha256");
    }
    let sha256 = Some(hex(&Sha256::digest(canonical(&given))));
    Ok(Given { document, newer, sha256, manifest, plain: scan.plain })
}

/// Holds what was given to what was read of it: nothing may be missing or, of this version, be added, and no object may be given
/// as an array.
fn compare(document: &Document, given: &Value, newer: bool) -> Result<(), ReadError> {
    let known = serde_json::to_value(document).map_err(|error| none(error.to_string()))?;
    if let Some(path) = difference::other_kind(&known, given) {
        return Err(ReadError(format!("{path} is an array where an object has to be")));
    }
    // Reading takes a field that may be null for null where it is missing.
    if let Some(path) = difference::missing(&known, given) {
        return Err(ReadError(format!("{path} is missing")));
    }
    match difference::missing(given, &known) {
        Some(path) if !newer => {
            Err(ReadError(format!("{path} is nothing that version {SCHEMA_VERSION} knows")))
        }
        _ => Ok(()),
    }
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

/// The document, or where in it something is not what it must be.
fn parsed(text: &str) -> Result<Document, ReadError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let document = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        match error.into_inner() {
            inner if inner.is_data() && path != "." => ReadError(format!("{path}: {inner}")),
            inner => none(inner.to_string()),
        }
    })?;
    json.end().map_err(|error| none(error.to_string()))?;
    Ok(document)
}

/// What there is too much of.
fn excess(document: &Document) -> Option<&'static str> {
    let rows = &document.measurements;
    let any = |most: usize, count: fn(&super::wire::Measurement) -> usize| {
        rows.iter().any(|row| count(row) > most)
    };
    let blocks: fn(&super::wire::Measurement) -> usize =
        |row| row.windows.chunk_by(|a, b| a.block == b.block).count();
    let readings =
        rows.iter().flat_map(|row| std::iter::once(&row.energy).chain(&row.energy_other));
    let readings = readings.map(|energy| match energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
            let Readings { before_seconds, after_seconds, values } = &e.readings;
            let domains = values.iter().map(Vec::len).max().unwrap_or(0);
            before_seconds.len().max(after_seconds.len()).max(values.len()).max(domains)
        }
        _ => 0,
    });
    match () {
        () if readings.sum::<usize>() > MOST_READINGS => Some("readings"),
        () if rows.len() > MOST_ROWS => Some("rows"),
        () if any(MOST_WINDOWS, |row| row.windows.len()) => Some("windows"),
        () if any(MOST_BLOCKS, blocks) => Some("blocks"),
        () if any(MOST_SOURCES, |row| row.energy_other.len()) => Some("energy sources"),
        () => None,
    }
}
