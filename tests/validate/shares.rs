//! Proofs of work and products against forgers who have our code: every forgery is signed again, with its seed and digest
//! as an honest run would have them.

use crate::honest::{RUN, findings, forged, sign};
use crate::support;
use rigbench::results::{self, wire};
use std::path::Path;
use wire::{Document, Measurement, Share, Shares, WorkProof};

fn faults(document: &Document) -> Vec<String> {
    findings(document).faults
}

fn hashes(document: &mut Document) -> &mut Measurement {
    document.measurements.iter_mut().find(|m| m.workload.id == "sha256d").unwrap()
}

fn shares(document: &mut Document) -> &mut Shares {
    match hashes(document).work_proof.as_mut() {
        Some(WorkProof::Shares(shares)) => shares,
        _ => panic!("an honest run has shares"),
    }
}

/// Multiplies the work of every window.
fn scale_work(m: &mut Measurement, factor: u64) {
    m.windows.iter_mut().for_each(|window| window.work *= factor);
}

#[track_caller]
fn refused(faults: &[String], why: &str) {
    assert!(faults.iter().any(|f| f.contains(why)), "should say '{why}': {faults:#?}");
}

#[test]
fn an_honest_document_is_truthful_and_so_is_one_signed_again() {
    assert_eq!(findings(&RUN.written).faults, Vec::<String>::new());
    assert_eq!(faults(&RUN.document), Vec::<String>::new());
    assert_eq!(forged(|_| ()), Vec::<String>::new());
    let notes = findings(&RUN.document).notes;
    assert!(notes.iter().any(|n| n.contains("hashes claimed, supported by")), "{notes:?}");
}

#[test]
fn a_share_that_is_none_is_refused() {
    refused(&forged(|d| shares(d).shares[0].nonce ^= 1 << 24), "zero bits of");
    refused(&forged(|d| shares(d).shares[3].version ^= 1), "zero bits of");
    refused(&forged(|d| shares(d).zero_bits += 1), "zero bits of");
    let twice = |d: &mut Document| {
        let shares = &mut shares(d).shares;
        let first = shares[0];
        shares.push(first);
    };
    refused(&forged(twice), "stands twice");
    let unscanned = |d: &mut Document| shares(d).shares[0].version = shares(d).versions;
    refused(&forged(unscanned), "version that was not scanned");
    // A real share of a header that was not scanned.
    let beyond = |d: &mut Document| {
        let outside = real_share(d, 1 << 20);
        shares(d).shares.push(outside);
    };
    refused(&forged(beyond), "outside the range");
}

/// A share as real as any, found by honest work on another header.
fn real_share(document: &Document, header: u64) -> Share {
    use rigbench::oracle::sha256d::{hash, leading_zero_bits};
    let mut copy = document.clone();
    let zero_bits = shares(&mut copy).zero_bits;
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    let seed = results::row_seed(seed, "cpu", "sha256d");
    let nonce = (0..).find(|&n| leading_zero_bits(&hash(&seed.header(header), n)) >= zero_bits);
    Share { header, version: 0, nonce: nonce.unwrap() }
}

#[test]
fn shares_that_are_missing_are_missed() {
    let halve = |d: &mut Document| {
        let mut keep = false;
        shares(d).shares.retain(|_| {
            keep = !keep;
            keep
        });
    };
    refused(&forged(halve), "give about");
    refused(&forged(|d| shares(d).shares.clear()), "give about");
    refused(&forged(|d| hashes(d).work_proof = None), "there is no share");
    // The count is right, for shares that all come of the first half.
    let first_half = |d: &mut Document| {
        let shares = shares(d);
        let n = shares.shares.len();
        shares.shares.sort_by_key(|s| (s.header, s.nonce.swap_bytes()));
        shares.shares.truncate(n / 2);
    };
    refused(&forged(first_half), "give about");
}

#[test]
fn work_that_was_not_done_is_refused() {
    refused(&forged(|d| scale_work(hashes(d), 2)), "the scan has");
    let with_the_scan = |d: &mut Document| {
        scale_work(hashes(d), 2);
        let shares = shares(d);
        let place = |p: wire::Place| (p.header << 32) + u64::from(p.word);
        let words: u64 = shares.stretches.iter().map(|s| place(s.to) - place(s.from)).sum();
        let last = shares.stretches.last_mut().unwrap();
        let to = place(last.to) + words;
        last.to = wire::Place { header: to >> 32, word: to as u32 };
    };
    refused(&forged(with_the_scan), "give about");
    let with_the_versions = |d: &mut Document| {
        scale_work(hashes(d), 2);
        shares(d).versions *= 2;
    };
    refused(&forged(with_the_versions), "give about");
    let mut faster = RUN.document.clone();
    hashes(&mut faster).throughput.as_mut().unwrap().value *= 2.0;
    faster.proof.document_sha256 = results::document_sha256(&faster);
    refused(&faults(&faster), "throughput.value");
    let second_row = |d: &mut Document| {
        let row = hashes(d).clone();
        d.measurements.push(row);
    };
    refused(&forged(second_row), "stands twice");
}

#[test]
fn shares_of_another_run_are_refused() {
    refused(&forged(|d| d.proof.user_seed ^= 1), "zero bits of");
    refused(&forged(|d| d.manifest.host.cpu = "A faster one".into()), "zero bits of");
    refused(&forged(|d| d.manifest.rigbench.commit = None), "zero bits of");
    refused(&forged(|d| hashes(d).device = "gpu:0".into()), "zero bits of");
}

fn elements(document: &mut Document) -> &mut wire::Elements {
    let row = document.measurements.iter_mut().find(|m| m.workload.id == "gemm").unwrap();
    match row.work_proof.as_mut() {
        Some(WorkProof::Elements(elements)) => elements,
        _ => panic!("an honest product shows elements"),
    }
}

#[test]
fn elements_that_do_not_follow_from_the_seed_are_refused() {
    let nudged = |d: &mut Document| elements(d).elements[3].value *= 1.001;
    refused(&forged(nudged), "computed again it is");
    refused(&forged(|d| elements(d).elements[3].value = f64::NAN), "");
    refused(&forged(|d| elements(d).elements[0].row = 48), "none of this row");
    refused(
        &forged(|d| elements(d).elements.retain(|e| e.window != 2)),
        "window 3 shows no element",
    );
    refused(&forged(|d| elements(d).f16_roundings = 2000), "let anything pass");
    refused(&forged(|d| elements(d).weight_excess = 9), "let anything pass");
    refused(&forged(|d| d.measurements[1].work_proof = None), "no element of it is shown");
    let swapped = |d: &mut Document| {
        let proof = d.measurements[0].work_proof.clone();
        d.measurements[1].work_proof = proof;
    };
    refused(&forged(swapped), "no proof of this row");
    let wider = |d: &mut Document| d.measurements[1].workload.shape = Some("48x40x57:int8".into());
    refused(&forged(wider), "computed again it is");
}

#[test]
fn a_change_that_is_not_signed_is_seen() {
    let mut document = RUN.document.clone();
    document.run.started_at = "2009-01-03T18:15:05Z".into();
    refused(&faults(&document), "document_sha256");
}

#[test]
fn the_command_says_what_is_wrong_and_what_it_cannot_know() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let validate = |paths: &[&Path]| {
        let paths: Vec<&str> = paths.iter().map(|p| p.to_str().unwrap()).collect();
        let out = support::rigbench(&[&["validate"], &paths[..]].concat()).output().unwrap();
        let said = String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap();
        (out.status.code(), said)
    };
    let honest = serde_json::to_vec_pretty(&RUN.document).unwrap();
    let good = write("good.json", &honest);
    let (code, said) = validate(&[&good]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("truthful") && said.contains("when, where, how fast"), "{said}");

    let mut forged = RUN.document.clone();
    shares(&mut forged).shares.truncate(10);
    sign(&mut forged);
    let bad = write("bad.json", &serde_json::to_vec(&forged).unwrap());
    let (code, said) = validate(&[&good, &bad]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("bad.json: not truthful"), "{said}");
    assert!(said.contains("measurements[0].work_proof: 10 shares"), "{said}");

    for junk in [&b"junk"[..], b"", b"{}", &honest[..honest.len() / 2]] {
        let (code, said) = validate(&[&write("junk.json", junk)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("no rigbench result"), "{said}");
    }
    let other = String::from_utf8(honest).unwrap().replacen("\"1.0.0\"", "\"2.0.0\"", 1);
    let (code, said) = validate(&[&write("other.json", other.as_bytes())]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("schema_version is 2.0.0"), "{said}");
    let (code, said) = validate(&[&folder.path().join("none.json")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: cannot read"), "{said}");
}
