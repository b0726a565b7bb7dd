//! Is a document truthful? What follows from the document alone is computed again: digests, the seed, every figure, and
//! the proof of the work that it claims.

use super::difference::{self, Differences};
use super::read::Given;
use super::wire::{Answers, Document, Energy, Measurement, Outcome, Shares, WorkProof};
use super::{SCHEMA_VERSION, bound, conditions, figures, plausible, row_seed, seed_of, wire};
use crate::kernels::{self, hex};
use crate::oracle::Verdict;
use crate::units::{Unit, grouped};
use crate::workload::data::Seed;
use crate::workload::{decoder, matmul};
use std::collections::HashSet;
use std::path::PathBuf;

/// What was found in a document.
#[derive(Debug, Default)]
pub struct Findings {
    /// What cannot be true, each with its place in the document. Truthful if there is none.
    pub faults: Vec<String>,
    /// What a reader should know besides.
    pub notes: Vec<String>,
}

/// How much to compute again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth<'a> {
    /// What takes seconds at most; the rest is noted.
    Quick,
    /// Everything that the models at hand allow.
    Deep {
        /// Files that rows may have been run from.
        models: &'a [Model],
    },
}

/// A model in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Where it is.
    pub path: PathBuf,
    /// SHA-256 of it.
    pub sha256: String,
}

/// Judges a document.
pub fn validate(given: &Given, depth: Depth) -> Findings {
    let mut findings = Findings::default();
    let Given { document, newer, sha256, manifest, .. } = given;
    if *newer {
        findings.notes.push(format!(
            "version {} wrote it: what {SCHEMA_VERSION} does not know of it was not judged",
            document.schema_version
        ));
    }
    let seed = seed_of(manifest, document.proof.user_seed);
    for (path, stated, computed) in [
        ("proof.seed_sha256", &document.proof.seed_sha256, Some(&hex(&seed.0))),
        ("proof.document_sha256", &document.proof.document_sha256, sha256.as_ref()),
    ] {
        if let Some(computed) = computed.filter(|computed| *computed != stated) {
            findings.faults.push(format!("{path} is {stated}, computed again it is {computed}"));
        }
    }
    examine(document, seed, depth, &mut findings);
    findings
}

fn examine(document: &Document, seed: Seed, depth: Depth, findings: &mut Findings) {
    if document.run.finished_at.is_none() {
        findings.notes.push("unfinished: it was interrupted or is under way".into());
    }
    let gpu = document.manifest.devices.iter().any(|device| device.gpu.is_some());
    findings.notes.extend(conditions(&document.manifest.environment, gpu));
    let kernels = &document.manifest.rigbench.kernels_sha256;
    if kernels != kernels::all_sha256() {
        findings.notes.push(
            "another version of the kernels computed it: their texts were not compared with this one's".into(),
        );
    }
    let verdict = match document.run.verdict {
        wire::Verdict::Incomplete => "incomplete",
        wire::Verdict::Valid | wire::Verdict::Invalid => "invalid",
    };
    let reasons = document.run.reasons.iter();
    findings.notes.extend(reasons.map(|reason| format!("{verdict}: {reason}")));
    findings.faults.extend(again(document));
    findings.faults.extend(plausible::faults(document));
    findings.faults.extend(bound::faults(document));
    let mut rows = HashSet::new();
    for (i, m) in document.measurements.iter().enumerate() {
        let mut fault = |what: String| findings.faults.push(format!("measurements[{i}].{what}"));
        if !rows.insert((&m.device, m.workload.spec())) {
            fault(format!("workload: {} on {} stands twice", m.workload.spec(), m.device));
        }
        for kind in without_rest(m) {
            let row = format!("{} {}", m.device, m.workload.spec());
            findings
                .notes
                .push(format!("{row}: {kind} was not read at rest, so it has no net joules"));
        }
        let seed = row_seed(seed, &m.device, &m.workload.spec());
        match work_proof(m, seed, depth) {
            Ok(Some(what)) => {
                findings.notes.push(format!("{} {}: {what}", m.device, m.workload.spec()))
            }
            Ok(None) => {}
            Err(what) => fault(format!("work_proof: {what}")),
        }
    }
}

/// Meters of a row without a baseline.
fn without_rest(m: &Measurement) -> impl Iterator<Item = &str> {
    std::iter::once(&m.energy).chain(&m.energy_other).filter_map(|energy| match energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) if e.idle.is_none() => {
            Some(e.source.kind.as_str())
        }
        _ => None,
    })
}

/// Fills in again what follows from the rest: every place where the document says otherwise.
fn again(document: &Document) -> Vec<String> {
    let mut filled = document.clone();
    figures::fill(&mut filled);
    if filled == *document {
        return Vec::new();
    }
    let value = |document| serde_json::to_value(document).expect("documents are plain data");
    let Differences { told, more } = difference::differences(&value(document), &value(&filled));
    let mut faults: Vec<String> = told
        .into_iter()
        .map(|(path, stated, computed)| {
            format!("{path}: {stated} does not follow from the rest, which gives {computed}")
        })
        .collect();
    if more > 0 {
        faults.push(format!("measurements: {more} more figures do not follow from the rest"));
    }
    faults
}

/// Whether what the row shows of its work is right; what it shows, in words.
fn work_proof(m: &Measurement, seed: Seed, depth: Depth) -> Result<Option<String>, String> {
    match (&m.work_proof, m.outcome, Unit::from_name(&m.workload.unit)) {
        (None, Outcome::Unsupported | Outcome::Failed, _) => Ok(None),
        (Some(WorkProof::Shares(shares)), Outcome::Measured, Some(Unit::Hash)) => {
            hashes(m, shares, seed).map(Some)
        }
        (Some(WorkProof::Elements(elements)), Outcome::Measured, Some(Unit::Flop)) => {
            let most_terms = match depth {
                Depth::Quick => 1 << 28,
                Depth::Deep { .. } => 1 << 36,
            };
            let judged = matmul::judge(
                &m.workload.spec(),
                seed,
                m.windows.len(),
                &elements.read(),
                most_terms,
            );
            let all = elements.elements.len() as u64;
            match judged.map_err(|error| error.to_string())? {
                Verdict::Agrees { checked, .. } if checked == all => {
                    Ok(Some(format!("{all} elements of its product computed again, all right")))
                }
                Verdict::Agrees { checked, .. } => Ok(Some(format!(
                    "{checked} of {all} elements of its product computed again, all right; --deep computes all"
                ))),
                Verdict::Disagrees(what) => Err(what),
            }
        }
        (Some(WorkProof::Answers(answers)), Outcome::Measured, Some(Unit::Token)) => {
            tokens(m, answers, seed, depth).map(Some)
        }
        (Some(_), ..) => Err("it is no proof of this row".into()),
        (None, _, Some(Unit::Token)) => Err("tokens are claimed and none is shown".into()),
        (None, _, Some(Unit::Hash)) => Err("hashes are claimed and there is no share".into()),
        (None, ..) if ["gemm", "gemv"].contains(&m.workload.id.as_str()) => {
            Err("a product is claimed and no element of it is shown".into())
        }
        (None, ..) => Ok(Some("nothing shows its work".into())),
    }
}

/// Whether the model answers so. That takes the model, and a while.
fn tokens(m: &Measurement, answers: &Answers, seed: Seed, depth: Depth) -> Result<String, String> {
    let shown: usize = answers.answers.iter().map(|answer| answer.tokens.len()).sum();
    let windows = answers.answers.iter().map(|answer| answer.window as usize);
    if !windows.eq(0..m.windows.len()) || answers.answers.iter().any(|a| a.tokens.is_empty()) {
        return Err("every window shows some tokens".into());
    }
    let Depth::Deep { models } = depth else {
        return Ok(format!("{shown} tokens are shown; --deep computes them again"));
    };
    let file = match &m.workload.model_sha256 {
        None => None,
        Some(sha256) => match models.iter().find(|model| model.sha256 == *sha256) {
            Some(model) => Some(model.path.as_path()),
            None => {
                return Ok(format!(
                    "{shown} tokens are shown; to compute them again name the model's file, which has the SHA-256 {sha256}: --model FILE"
                ));
            }
        },
    };
    match decoder::judge(&m.workload.spec(), seed, file, &answers.read()) {
        Ok(Verdict::Agrees { checked, .. }) => {
            Ok(format!("{checked} tokens of its answers computed again, all right"))
        }
        Ok(Verdict::Disagrees(what)) => Err(what),
        Err(why) => Ok(format!("its {shown} tokens could not be computed again: {why}")),
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
    match shares.judge_row(seed) {
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
