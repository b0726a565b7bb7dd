//! Files of other versions, and a long one.

use crate::honest::{RUN, findings, findings_of, sign};
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use rigbench::kernels::hex;
use rigbench::measure::Latency;
use rigbench::results::{self, wire};
use rigbench::units::Seconds;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The digest as a reader of another program would make it: RFC 8785 without the digest's own field.
fn signed(mut value: Value) -> Value {
    let proof = value["proof"].as_object_mut().unwrap();
    proof.remove("document_sha256");
    let digest = hex(&Sha256::digest(serde_json_canonicalizer::to_vec(&value).unwrap()));
    value["proof"]["document_sha256"] = json!(digest);
    value
}

fn of_version(version: &str) -> Value {
    let mut value = serde_json::to_value(&RUN.document).unwrap();
    value["schema_version"] = json!(version);
    value
}

#[test]
fn a_newer_minor_version_is_read_with_a_warning() {
    let mut newer = of_version("1.7.0");
    newer["run"]["weather"] = json!("rain");
    newer["measurements"][0]["windows"][0]["moon"] = json!({"phase": 0.5});
    let judged = findings_of(signed(newer.clone()).to_string().as_bytes());
    assert_eq!(judged.faults, Vec::<String>::new());
    assert!(
        judged.notes[0].starts_with("version 1.7.0 wrote it: what 1.0.0 does not"),
        "{:?}",
        judged.notes
    );
    // What it does not know is in the digest all the same.
    newer["run"]["weather"] = json!("sun");
    newer["proof"]["document_sha256"] =
        signed(of_version("1.7.0"))["proof"]["document_sha256"].clone();
    let faults = findings_of(newer.to_string().as_bytes()).faults;
    assert!(faults[0].starts_with("proof.document_sha256"), "{faults:?}");
    // And what it does know is judged as ever.
    let mut wrong = of_version("1.7.0");
    wrong["measurements"][0]["throughput"]["value"] = json!(1e15);
    let faults = findings_of(signed(wrong).to_string().as_bytes()).faults;
    assert!(faults[0].starts_with("measurements[0].throughput.value"), "{faults:?}");
}

#[test]
fn a_file_of_other_kernels_says_that_they_were_not_compared() {
    let said = |document| {
        let notes = findings(document).notes;
        notes.iter().any(|note| note.starts_with("another version of the kernels"))
    };
    assert!(!said(&RUN.document));
    let mut other = RUN.document.clone();
    other.manifest.rigbench.kernels_sha256 = hex(&[7; 32]);
    sign(&mut other);
    assert!(said(&other));
}

#[test]
fn other_major_versions_are_refused_in_one_line() {
    for version in ["0.9.0", "2.0.0", "10.0.0"] {
        let faults = findings_of(signed(of_version(version)).to_string().as_bytes()).faults;
        let [line] = &faults[..] else { panic!("{faults:?}") };
        assert!(
            line.starts_with(&format!("schema_version is {version}, this rigbench reads 1.")),
            "{line}"
        );
        assert!(!line.contains('\n') && line.contains("get the version"), "{line}");
    }
    for none in ["", "one", "1", "-1.0.0"] {
        let faults = findings_of(of_version(none).to_string().as_bytes()).faults;
        assert!(faults.len() == 1 && faults[0].starts_with("schema_version is"), "{faults:?}");
    }
}

/// The honest run with more windows of the row that needs no proof of work, a hundred at least in all.
fn long() -> wire::Document {
    let mut document = RUN.document.clone();
    let m = document.measurements.iter_mut().find(|m| m.workload.id == "peak").unwrap();
    let begin = m.windows.last().map(|w| w.started_seconds + w.wall_seconds).unwrap();
    let (windows, block) = (m.windows.clone(), m.windows.last().unwrap().block);
    let mut from = begin;
    for window in windows.iter().cycle().take(100) {
        let window = wire::Window { block, started_seconds: from, ..window.clone() };
        from = window.started_seconds + window.wall_seconds;
        m.windows.push(window);
    }
    let mut batches = Latency::default();
    m.windows.iter().for_each(|window| batches.record(Seconds(window.wall_seconds)));
    m.latency.as_mut().unwrap().hdr_v2_base64 = STANDARD.encode(batches.to_v2());
    document.run.finished_at = None;
    sign(&mut document);
    document
}

/// A second of a processor, which a busy machine does not change, with a build that has all of the tests' checks in it.
#[test]
fn a_hundred_windows_are_judged_within_a_second() {
    let document = long();
    let windows: usize = document.measurements.iter().map(|m| m.windows.len()).sum();
    assert!(windows >= 100);
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), results::text(&document)).unwrap();
    let output = std::process::Command::new("bash")
        .args([
            "-c",
            "ulimit -t 1; exec \"$@\"",
            "bash",
            env!("CARGO_BIN_EXE_rigbench"),
            "validate",
        ])
        .arg(file.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{:?} {said}", output.status);
    assert!(said.contains("hashes claimed, supported by"), "{said}");
}
