//! Reads a document. Rejects files that are not result documents, are from another major version or are too large, with a one-line error.
//! Unknown fields are ignored.

use super::accept::{all_known, exceeded_limit, is_newer, mark_unreadable};
use super::derived::Derived;
use super::difference::differences;
use super::document::{Document, Evidence, Proof, Row};
use super::newer::{OrNewer, fault};
use super::rules::Rules;
use super::{derive, scan, seed_from, sha256_without_proof};
use crate::seed::Seed;
use crate::text;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::fmt::Display;
use std::path::Path;

/// Maximum file size.
const MAX_BYTES: u64 = 32 << 20;

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
    Ok(reader(&text::read(path, MAX_BYTES)?))
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
    if bytes.len() as u64 > MAX_BYTES {
        return Err(reject(format!("it is larger than {} MiB", MAX_BYTES >> 20)));
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
