//! Is a document truthful? What follows from the document alone is computed again: digests, the seed, every figure, and
//! the proof of the work that it claims.

use super::wire::{Document, Measurement, Outcome, Shares, WorkProof};
use super::{SCHEMA_VERSION, difference, document_sha256, figures, plausible, row_seed, seed};
use crate::kernels::hex;
use crate::oracle::Verdict;
use crate::units::{Unit, grouped};
use crate::workload::data::Seed;
use crate::workload::matmul;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// What was found in a document.
#[derive(Debug, Default)]
pub struct Findings {
    /// What cannot be true, each with its place in the document. Truthful if there is none.
    pub faults: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// Judges the text of a document.
pub fn validate(text: &[u8]) -> Findings {
    let mut findings = Findings::default();
    match parse(text) {
        Ok(document) => examine(&document, &mut findings),
        Err(fault) => findings.faults.push(fault),
    }
    findings
}

/// Reads a document that is truthful.
///
/// # Errors
/// If it is none: the first of what cannot be true.
pub fn read(text: &[u8]) -> Result<Document, String> {
    let document = parse(text)?;
    let mut findings = Findings::default();
    examine(&document, &mut findings);
    match findings.faults.into_iter().next() {
        Some(fault) => Err(format!("it is not truthful: {fault}")),
        None => Ok(document),
    }
}

/// Reads the document; the error says why it is none that this version can judge.
fn parse(text: &[u8]) -> Result<Document, String> {
    #[derive(Deserialize)]
    struct Head {
        schema_version: String,
    }
    let read = |error: serde_json::Error| format!("this is no rigbench result: {error}");
    let head: Head = serde_json::from_slice(text).map_err(read)?;
    let major = |version: &str| version.split('.').next().map(str::to_string);
    if major(&head.schema_version) != major(SCHEMA_VERSION) {
        return Err(format!(
            "schema_version is {}, this rigbench reads {SCHEMA_VERSION}; get the version that wrote it",
            head.schema_version
        ));
    }
    let document: Document = serde_json::from_slice(text).map_err(read)?;
    // Reading takes a field that may be null for null where it is missing: nothing may be missing.
    let whole = serde_json::to_value(&document).map_err(read)?;
    let given: Value = serde_json::from_slice(text).map_err(read)?;
    match difference::missing(&whole, &given) {
        Some(path) => Err(format!("{path} is missing")),
        None => Ok(document),
    }
}

fn examine(document: &Document, findings: &mut Findings) {
    let seed = seed(&document.manifest, document.proof.user_seed);
    for (path, stated, computed) in [
        ("proof.seed_sha256", &document.proof.seed_sha256, hex(&seed.0)),
        ("proof.document_sha256", &document.proof.document_sha256, document_sha256(document)),
    ] {
        if *stated != computed {
            findings.faults.push(format!("{path} is {stated}, computed again it is {computed}"));
        }
    }
    if document.run.finished_at.is_none() {
        findings.notes.push("unfinished: it was interrupted or is under way".into());
    }
    findings.notes.extend(document.run.reasons.iter().map(|reason| format!("invalid: {reason}")));
    findings.faults.extend(again(document));
    findings.faults.extend(plausible::faults(document));
    let mut rows = HashSet::new();
    for (i, m) in document.measurements.iter().enumerate() {
        let mut fault = |what: String| findings.faults.push(format!("measurements[{i}].{what}"));
        if !rows.insert((&m.device, m.workload.spec())) {
            fault(format!("workload: {} on {} stands twice", m.workload.spec(), m.device));
        }
        let seed = row_seed(seed, &m.device, &m.workload.spec());
        match work_proof(m, seed) {
            Ok(Some(what)) => {
                findings.notes.push(format!("{} {}: {what}", m.device, m.workload.spec()))
            }
            Ok(None) => {}
            Err(what) => fault(format!("work_proof: {what}")),
        }
    }
}

/// Fills in again what follows from the rest: every place where the document says otherwise.
fn again(document: &Document) -> Vec<String> {
    let mut filled = document.clone();
    figures::fill(&mut filled);
    let value = |document| serde_json::to_value(document).expect("documents are plain data");
    difference::differences(&value(document), &value(&filled))
        .into_iter()
        .map(|(path, stated, computed)| {
            format!("{path}: {stated} does not follow from the rest, which gives {computed}")
        })
        .collect()
}

/// Whether what the row shows of its work is right; what it shows, in words.
fn work_proof(m: &Measurement, seed: Seed) -> Result<Option<String>, String> {
    match (&m.work_proof, m.outcome, Unit::from_name(&m.workload.unit)) {
        (None, Outcome::Unsupported | Outcome::Failed, _) => Ok(None),
        (Some(WorkProof::Shares(shares)), Outcome::Measured, Some(Unit::Hash)) => {
            hashes(m, shares, seed).map(Some)
        }
        (Some(WorkProof::Elements(elements)), Outcome::Measured, Some(Unit::Flop)) => {
            let verdict =
                matmul::judge(&m.workload.spec(), seed, m.windows.len(), &elements.read());
            match verdict.map_err(|error| error.to_string())? {
                Verdict::Agrees { checked, .. } => {
                    Ok(Some(format!("{checked} elements of its product computed again, all right")))
                }
                Verdict::Disagrees(what) => Err(what),
            }
        }
        (Some(_), ..) => Err("it is no proof of this row".into()),
        (None, _, Some(Unit::Hash)) => Err("hashes are claimed and there is no share".into()),
        (None, ..) => Err("a product is claimed and no element of it is shown".into()),
    }
}

/// Whether the claimed hashes are proven.
fn hashes(m: &Measurement, shares: &Shares, seed: Seed) -> Result<String, String> {
    let shares = shares.read().ok_or("no scan is so long")?;
    let claimed: u128 = m.windows.iter().map(|w| u128::from(w.work)).sum();
    match shares.hashes() {
        Some(scanned) if u128::from(scanned) == claimed => {}
        scanned => {
            return Err(format!(
                "the windows claim {claimed} hashes, the scan has {}",
                scanned.map_or("no number of them".into(), |n| n.to_string())
            ));
        }
    }
    match shares.judge(seed) {
        Verdict::Agrees { .. } => Ok(format!(
            "{} hashes claimed, supported by {} shares of {} zero bits ({:.0} expected)",
            grouped(claimed),
            grouped(shares.shares.len() as u128),
            shares.zero_bits,
            shares.expected()
        )),
        Verdict::Disagrees(what) => Err(what),
    }
}
