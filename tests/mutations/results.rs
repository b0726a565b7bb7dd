//! Mutated result files, read as `validate`, `report`, `advise` and `compare` read them.

use crate::random::Random;
use crate::soak::soak;
use crate::{bytes, tree};
use rigbench::economics::{Market, advise_on, wire};
use rigbench::report::{self, Collection, flat};
use rigbench::results::wire::Document;
use rigbench::results::{self, Depth, read};
use serde_json::Value;
use std::path::PathBuf;

/// The smallest run that is published.
pub fn published() -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results/published");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let runs = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    runs.map(|path| std::fs::read(path).unwrap()).min_by_key(Vec::len).expect("a published run")
}

/// Derives and signs a document anew, if it still is one, as a careful forger would.
fn sign(bytes: &mut Vec<u8>) {
    if let Ok(mut document) = serde_json::from_slice::<Document>(bytes) {
        results::fill(&mut document);
        document.proof.document_sha256 = results::document_sha256(&document);
        *bytes = serde_json::to_vec(&document).unwrap();
    }
}

#[test]
fn mutated_results_do_no_harm() {
    let original = published();
    let value: Value = serde_json::from_slice(&original).unwrap();
    let document: Document = serde_json::from_slice(&original).unwrap();
    let mutate = |random: &mut Random| {
        let mut bytes = original.clone();
        let way = random.below(4);
        if way > 0 {
            let mut value = value.clone();
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
            let documents = [given.document];
            let advice = advise_on(&documents, &Market::embedded(), today);
            report::advice_to_terminal(&advice, 100, false);
            serde_json::to_string(&wire::Advice::from(&advice)).unwrap();
            let comparison = results::compare(&document, &documents[0], Some(5.0));
            report::comparison(&comparison);
        }
        faults.is_empty()
    });
}
