//! Results: the run in memory, the document that is written, and how one becomes the other. Every derived number of
//! the document follows from its windows, so that a reader can derive it again.

mod bound;
mod compare;
mod difference;
mod energy;
mod environment;
mod figures;
mod layout;
mod manifest;
mod models;
mod plausible;
mod proof;
mod query;
pub mod read;
mod record;
mod roof;
mod run;
mod scan;
mod shown;
mod store;
mod validate;
pub mod wire;

pub use compare::{compare, run_faults};
pub use environment::{HUGE_PAGES, conditions, environment};
pub use figures::{NO_ROW, fill};
pub use layout::text;
pub use manifest::{manifest, program};
pub use models::{ModelNames, short_digest};
pub use run::{Outcome, Row, Run};
pub use shown::shown;
pub use store::{OutDir, RunFile, StoreError};
pub use validate::{Depth, Findings, Model, validate};

use crate::kernels::hex;
use crate::workload::data::Seed;
use sha2::{Digest, Sha256};

/// The version of the document's format.
pub const SCHEMA_VERSION: &str = "1.0.0";

/// The JSON Schema of the document, as committed.
pub const SCHEMA: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/rigbench.schema.json"));

/// The seed of all data of a run: SHA-256 of the manifest's canonical JSON (RFC 8785) and the user's seed, 8 bytes
/// little-endian. Headers, matrices and everything random follow from it.
pub fn seed(manifest: &wire::Manifest, user_seed: u32) -> Seed {
    seed_of(&canonical(manifest), user_seed)
}

fn seed_of(manifest: &[u8], user_seed: u32) -> Seed {
    let mut hash = Sha256::new();
    hash.update(manifest);
    hash.update(u64::from(user_seed).to_le_bytes());
    Seed(hash.finalize().into())
}

/// The seed of a row's data.
pub fn row_seed(run: Seed, device: &str, spec: &str) -> Seed {
    run.child(&format!("{device} {spec}"))
}

/// The digest that [`wire::Proof::document_sha256`] must have.
pub fn document_sha256(document: &wire::Document) -> String {
    let mut value = serde_json::to_value(document).expect("documents are plain data");
    if let Some(proof) = value.get_mut("proof").and_then(|p| p.as_object_mut()) {
        proof.remove("document_sha256");
    }
    hex(&Sha256::digest(canonical(&value)))
}

/// Canonical JSON (RFC 8785).
fn canonical(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value)
        .expect("documents hold only finite numbers and text keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 8785, section 3.2.
    #[test]
    fn canonical_json_is_that_of_the_rfc() {
        let given: serde_json::Value = serde_json::from_str(
            r#"{
                "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
                "literals": [null, true, false]
            }"#,
        )
        .unwrap();
        let expected = r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}"#;
        assert_eq!(String::from_utf8(canonical(&given)).unwrap(), expected);
    }
}
