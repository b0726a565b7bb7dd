//! Results: the document of a run, the derivation of its figures from evidence, and the validation by third parties. Evidence is separate
//! from derived figures, and a file is judged by the version of the rules that it names.

mod accept;
mod beacon;
mod compare;
mod derive;
mod derived;
mod difference;
mod document;
mod environment;
mod failure;
mod judge;
mod manifest;
mod models;
mod newer;
pub mod read;
mod reason;
mod rules;
mod scan;
mod store;
mod tuning;
mod validate;
mod view;

pub use beacon::judge as judge_beacon;
pub use compare::{
    Change, Comparison, KeyField, Pair, Refused, RowName, Side, compare, run_faults,
};
pub use derive::derive;
pub use derived::{
    Ceilings, Derived, Energy, Measured, Percentiles, Proven, QueryFigures, RowFigures, RunVerdict,
    Verdict,
};
pub use difference::{Differences, differences};
pub use document::{
    Baseline, Clock, Condition, Document, Evidence, Kernel, Outcome, Proof, Row, Run,
    SCHEMA_VERSION,
};
pub use environment::{HUGE_PAGES, Variable, enabled_layers, environment, recorded_settings};
pub use failure::{Failure, FailureCode};
pub use judge::{Depth, Model};
pub use manifest::{Host, Manifest, Origin, Program, Source, host_id, program};
pub use models::{ModelNames, short_digest};
pub use newer::OrNewer;
pub use reason::{Reason, RunReason};
pub use rules::{Minimum, Rules};
pub use scan::scan;
pub use store::{OutDir, RunFile, StoreError, text};
pub use tuning::{Trial, Tuning, TuningSource};
pub use validate::{Findings, validate, validate_with};
pub use view::View;

use crate::seed::Seed;
use crate::text::hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The JSON Schema of the document, as committed.
pub const SCHEMA: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/rigbench.schema.json"));

/// The seed of all data of a run: SHA-256 of the canonical JSON (RFC 8785) of an object with the run's `id`, `labels` and `user_seed`,
/// and `challenge`, `beacon` and `manifest`, as in the document. All random data depend on it, so the work of one run is no proof for
/// another.
pub fn seed(evidence: &Evidence) -> Seed {
    seed_from(&serde_json::to_value(evidence).expect("plain data"))
}

/// [`seed`] from evidence in JSON, with what this version does not know.
fn seed_from(evidence: &Value) -> Seed {
    let run = &evidence["run"];
    Seed(sha256(&json!({
        "id": run["id"],
        "labels": run["labels"],
        "user_seed": run["user_seed"],
        "challenge": evidence["challenge"],
        "beacon": evidence["beacon"],
        "manifest": evidence["manifest"],
    })))
}

/// The seed of a row's data: SHA-256 of the run's seed and `DEVICE WORKLOAD`. Rows of one workload under several conditions share it and
/// must scan disjoint ranges.
pub fn row_seed(run: Seed, row: &Row) -> Seed {
    run.child(&format!("{} {}", row.device, row.workload.spec))
}

impl Document {
    /// The document of a run: its figures by the current rules, and its digest.
    pub fn of(evidence: Evidence) -> Document {
        let rules = Rules::current();
        let derived = derive(&evidence, rules);
        let mut document = Document {
            schema_version: SCHEMA_VERSION.to_string(),
            rules: rules.version,
            evidence,
            derived,
            proof: Proof { document_sha256: String::new() },
        };
        document.proof.document_sha256 = document_sha256(&document);
        document
    }
}

/// The correct value of [`Proof::document_sha256`].
pub fn document_sha256(document: &Document) -> String {
    sha256_without_proof(serde_json::to_value(document).expect("documents are plain data"))
}

fn sha256_without_proof(mut document: Value) -> String {
    if let Some(members) = document.as_object_mut() {
        members.remove("proof");
    }
    hex(&sha256(&document))
}

/// SHA-256 of canonical JSON (RFC 8785).
fn sha256(value: &Value) -> [u8; 32] {
    let canonical = serde_json_canonicalizer::to_vec(value);
    Sha256::digest(canonical.expect("documents hold only finite numbers and text keys")).into()
}
