//! Mutated result files, read as `validate`, `report`, `advise` and `compare` read them.

use crate::mutations::random::Random;
use crate::mutations::soak::soak;
use crate::mutations::{bytes, tree};
use rigbench::economics::{Market, advise_on};
use rigbench::report::{self, Collection, flat};
use rigbench::results::{self, Depth, Document, read};
use serde_json::{Value, json};

/// A run that never changes, so that a seed names a mutation for ever.
pub fn original() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/2.0/many-sources.json");
    std::fs::read(path).unwrap()
}

/// Derives and signs a document anew, if it still is one, as a careful forger would.
fn sign(bytes: &mut Vec<u8>) {
    if let Ok(document) = serde_json::from_slice::<Document>(bytes) {
        let mut signed = Document::of(document.evidence);
        signed.schema_version = document.schema_version;
        signed.proof.document_sha256 = results::document_sha256(&signed);
        *bytes = serde_json::to_vec(&signed).unwrap();
    }
}

#[test]
fn mutated_results_do_no_harm() {
    let original = original();
    let value: Value = serde_json::from_slice(&original).unwrap();
    let document: Document = serde_json::from_slice(&original).unwrap();
    let mutate = |random: &mut Random| {
        let mut bytes = original.clone();
        let way = random.below(4);
        if way > 0 {
            let mut value = value.clone();
            // Of a newer version more is taken.
            if random.below(3) == 0 {
                value["schema_version"] = json!("2.7.0");
            }
            tree::mutate(&mut value, random);
            bytes = serde_json::to_vec(&value).unwrap();
        }
        match way {
            0 | 1 => bytes::mutate(&mut bytes, random),
            2 => sign(&mut bytes),
            _ => {}
        }
        bytes
    };
    let today = "2026-11-30".parse().unwrap();
    soak("result", &original, mutate, |path| {
        // validate
        let given = read::open(path, read::read).unwrap();
        let faults = match &given {
            Ok(given) => results::validate(given, Depth::Quick).faults,
            Err(why) => vec![why.to_string()],
        };
        // report
        let (mut rows, mut only) = (flat::empty(), None);
        let collection = Collection::gather(&[path.to_path_buf()], |file, document| {
            rows.rows.extend(flat::rows(file, &document));
            only = Some(document);
        });
        let tables = only.as_ref().map(report::run).unwrap_or_default();
        for table in tables.iter().chain([&report::several(&collection)]) {
            table.to_terminal(100, false);
            table.to_markdown();
        }
        rows.to_csv();
        report::page(&collection, only.as_ref());
        // advise and compare
        let Ok(given) = given else { return false };
        if faults.is_empty() {
            let documents = [given.shown()];
            let advice = advise_on(&documents, &Market::embedded(), today);
            report::advice_to_terminal(&advice, 100, false);
            serde_json::to_string(&advice).unwrap();
            let comparison = results::compare(&document, &documents[0], Some(5.0));
            report::comparison(&comparison);
        }
        faults.is_empty()
    });
}
