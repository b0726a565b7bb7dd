//! Files of other versions, and a long one.

use crate::validate::honest::{self, RUN, findings, findings_of, rows};
use crate::validate::novelties::{NOVELTIES, Novelty};
use crate::validate::required::MAPS;
use rigbench::measure::{Latency, window_share};
use rigbench::results::{self, Document, Evidence, Rules, read};
use rigbench::text::hex;
use rigbench::units::Seconds;
use rigbench::workload::Id;
use rigbench::workload::data::Seed;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// SHA-256 of canonical JSON, as a reader in another language would compute it.
fn sha256(value: &Value) -> [u8; 32] {
    Sha256::digest(serde_json_canonicalizer::to_vec(value).unwrap()).into()
}

/// Fills in the digest: RFC 8785 without the proof.
pub fn sign(value: &mut Value) {
    let members = value.as_object_mut().unwrap();
    members.remove("proof");
    let digest = hex(&sha256(value));
    value["proof"] = json!({"document_sha256": digest});
}

/// The seed of a run, as the documentation says.
fn seed(evidence: &Value) -> Seed {
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

fn of_version(version: &str) -> Value {
    let mut value = serde_json::to_value(&RUN.document).unwrap();
    value["schema_version"] = json!(version);
    value
}

/// What validate says of a document once it is signed.
fn judged(value: &Value) -> results::Findings {
    let mut value = value.clone();
    sign(&mut value);
    findings_of(value.to_string().as_bytes())
}

#[test]
fn the_seed_follows_from_the_file_as_documented() {
    let whole = serde_json::to_value(&RUN.document).unwrap();
    assert_eq!(seed(&whole["evidence"]), results::seed(&RUN.document.evidence));
}

#[test]
fn a_newer_minor_version_is_read_with_a_warning() {
    let mut newer = of_version("2.7.0");
    newer["evidence"]["run"]["weather"] = json!("rain");
    newer["evidence"]["rows"][0]["windows"]["moon"] = json!({"phase": [0.5]});
    newer["derived"]["rows"][0]["throughput"]["moon"] = json!("new");
    sign(&mut newer);
    let said = findings_of(newer.to_string().as_bytes());
    assert_eq!(said.faults, Vec::<String>::new());
    assert!(
        said.notes[0].starts_with("version 2.7.0 wrote it: what 2.0.0 does not"),
        "{:?}",
        said.notes
    );
    // What it does not know is in the digest all the same.
    newer["evidence"]["run"]["weather"] = json!("sun");
    let faults = findings_of(newer.to_string().as_bytes()).faults;
    assert!(faults.len() == 1 && faults[0].starts_with("proof.document_sha256"), "{faults:?}");
    // And what it does know is judged as ever.
    let mut wrong = of_version("2.7.0");
    wrong["derived"]["rows"][0]["throughput"]["value"] = json!(1e15);
    let faults = judged(&wrong).faults;
    assert!(
        faults.len() == 1 && faults[0].starts_with("derived.rows[0].throughput.value"),
        "{faults:?}"
    );
}

/// Adds a member to every object whose names are not data.
fn add_everywhere(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                // Of a choice the one member says what is chosen.
                let choice = name == "origin";
                let is_map = MAPS.contains(&&**name);
                if choice {
                    value.as_object_mut().unwrap().values_mut().for_each(add_everywhere);
                } else if !is_map {
                    add_everywhere(value);
                }
            }
            members.insert("of_2036".into(), json!({"a": [1, {"b": null}]}));
        }
        Value::Array(items) => items.iter_mut().for_each(add_everywhere),
        _ => {}
    }
}

#[test]
fn unknown_fields_are_passed_over_whatever_the_minor_version() {
    for version in ["2.0.0", "2.0.9", "2.7.1"] {
        let mut more = handmade(version, &|_| (), &|_| ());
        add_everywhere(&mut more);
        let value = mined(more, &|_| ());
        if version == "2.7.1" {
            keep("fields", value.clone());
        }
        let said = judged(&value);
        assert_eq!(said.faults, Vec::<String>::new(), "{version}");
        assert!(!said.notes.iter().any(|note| note.contains("newer rigbench")), "{:?}", said.notes);
        assert!(said.notes.iter().any(|note| note.contains("proven work")), "{:?}", said.notes);
        // A figure that does not follow is seen among them.
        let mut wrong = value.clone();
        wrong["derived"]["rows"][1]["throughput"]["value"] = json!(1e15);
        let faults = judged(&wrong).faults;
        let place = "derived.rows[1].throughput.value";
        assert!(faults.len() == 1 && faults[0].starts_with(place), "{version}: {faults:?}");
    }
}

/// Two rows of the honest run, `sha256d` and `peak:f32`, after a change of their evidence: with hashes for its seed, derived again
/// and after that changed as a newer version would have it.
fn handmade(version: &str, change: &dyn Fn(&mut Value), after: &dyn Fn(&mut Value)) -> Value {
    let mut document = RUN.document.clone();
    document.evidence.rows.remove(1);
    document.evidence.manifest.workloads.remove(1);
    let mut whole = serde_json::to_value(&document).unwrap();
    whole["schema_version"] = json!(version);
    change(&mut whole["evidence"]);
    mined(whole, after)
}

/// The same document with hashes for the seed that it has now, derived again.
fn mined(mut whole: Value, after: &dyn Fn(&mut Value)) -> Value {
    let evidence = &mut whole["evidence"];
    let seed = seed(evidence);
    let mut honest = RUN.document.clone();
    let row = honest::row_of(&mut honest, Id::Sha256d);
    honest::mine(row, seed, 450);
    evidence["rows"][0]["windows"]["work"] = json!(row.windows.as_ref().unwrap().work);
    // A proof that is none of this version's stays.
    if evidence["rows"][0]["proof"]["kind"] == "shares" {
        let mut proof = serde_json::to_value(&row.proof).unwrap();
        if evidence["rows"][0]["proof"].get("of_2036").is_some() {
            add_everywhere(&mut proof);
        }
        evidence["rows"][0]["proof"] = proof;
    }
    // Whoever knows the device derives the same for the others.
    let mut readable = evidence.clone();
    for source in readable["manifest"]["sources"].as_array_mut().unwrap() {
        source["devices"].as_array_mut().unwrap().retain(|device| device != "npu:0");
    }
    let known: Evidence = serde_json::from_value(readable).unwrap();
    let mut derived = serde_json::to_value(results::derive(&known, Rules::current())).unwrap();
    if whole.get("of_2036").is_some() {
        add_everywhere(&mut derived);
    }
    after(&mut derived);
    whole["derived"] = derived;
    whole
}

/// Rows that validate calls those of a newer version.
fn newer_rows(said: &results::Findings) -> usize {
    said.notes.iter().filter(|note| note.starts_with("from a newer rigbench: ")).count()
}

#[track_caller]
fn rows_alone(novelty: &Novelty, value: &Value, at: &[usize]) {
    let what = novelty.what;
    let said = judged(value);
    assert_eq!(said.faults, Vec::<String>::new(), "{what}");
    assert_eq!(newer_rows(&said), at.len(), "{what}: {:?}", said.notes);
    let rows = value["evidence"]["rows"].as_array().unwrap();
    // What is shown leaves out the same rows.
    let mut signed = value.clone();
    sign(&mut signed);
    let document = read::read(signed.to_string().as_bytes()).unwrap().shown();
    let left_out: Vec<usize> = document.newer_rows().map(|(place, _)| place).collect();
    assert_eq!(left_out, at, "{what}");
    assert_eq!(document.rows().count(), rows.len() - at.len(), "{what}");
    for (place, row) in document.newer_rows() {
        let spec = rows[place]["workload"]["spec"].as_str().unwrap();
        assert!(row.starts_with(spec), "{what}: {row}");
    }
    // The others are judged as ever.
    for place in (0..rows.len()).filter(|place| !at.contains(place)) {
        let mut wrong = value.clone();
        wrong["derived"]["rows"][place]["throughput"]["value"] = json!(1e15);
        let faults = judged(&wrong).faults;
        let at = format!("derived.rows[{place}].throughput.value: ");
        assert!(faults.len() == 1 && faults[0].starts_with(&at), "{what}: {faults:?}");
        let mut wrong = value.clone();
        wrong["evidence"]["rows"][place]["windows"]["wall_seconds"][0] = json!(0.01);
        let faults = judged(&wrong).faults;
        let at = format!("evidence.rows[{place}].windows.wall_seconds[0]: ");
        assert!(faults.iter().any(|fault| fault.starts_with(&at)), "{what}: {faults:?}");
    }
}

/// With `RIGBENCH_BLESS` a file goes into the corpus, if none of its name is there.
fn keep(name: &str, mut value: Value) {
    let path = format!("{}/tests/corpus/2.7/{name}.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("RIGBENCH_BLESS").is_some() && !std::path::Path::new(&path).exists() {
        sign(&mut value);
        std::fs::write(path, results::text(&value)).unwrap();
    }
}

#[test]
fn what_a_newer_version_knows_costs_the_rows_that_it_concerns() {
    for novelty in NOVELTIES {
        let value = handmade("2.7", &novelty.evidence, &novelty.derived);
        rows_alone(novelty, &value, novelty.rows);
        match novelty.what {
            "a kind of meter, of one workload" => keep("meter", value),
            "a workload" => keep("workload", value),
            "a kind of proof" => keep("proof", value),
            "a reason of a row" => keep("reason", value),
            _ => {}
        }
    }
    // All of it at once, with fields everywhere that nobody knows.
    let all = |changes: fn(&Novelty) -> fn(&mut Value), value: &mut Value| {
        let some = NOVELTIES.iter().filter(|n| !["a workload", "an outcome"].contains(&n.what));
        some.filter(|n| !n.place.contains("[1].id")).for_each(|novelty| changes(novelty)(value));
    };
    let mut value =
        handmade("2.7.0", &|evidence| all(|novelty| novelty.evidence, evidence), &|derived| {
            all(|novelty| novelty.derived, derived)
        });
    add_everywhere(&mut value);
    let value = mined(value, &|derived| all(|novelty| novelty.derived, derived));
    let said = judged(&value);
    assert_eq!(said.faults, Vec::<String>::new());
    assert_eq!(newer_rows(&said), 4, "{:?}", said.notes);
}

#[test]
fn a_file_of_this_version_with_what_it_does_not_know_is_refused_with_the_place() {
    for Novelty { what, evidence, derived, place, .. } in NOVELTIES {
        for version in ["2.0.0", "2.0.3"] {
            let faults = judged(&handmade(version, evidence, derived)).faults;
            let [line] = &faults[..] else { panic!("{what}: {faults:?}") };
            assert!(line.starts_with(place) && !line.contains('\n'), "{what}: {line}");
            assert!(!line.contains(" column "), "a line of a part tells nothing: {line}");
        }
    }
}

/// What rows have a part in that cannot be read cannot be computed, and is not called wrong.
#[test]
fn ceilings_of_a_newer_version_are_its_own() {
    let mut value = of_version("2.1.0");
    assert!(value["derived"]["rows"][1]["ceilings"]["peak_share"].is_number());
    let above = json!([{"code": "above-ceiling", "ceiling": "peak:f32"}]);
    value["evidence"]["rows"][2]["tuning"]["source"] = json!("cloud");
    let said = judged(&value);
    assert_eq!(said.faults, Vec::<String>::new());
    assert_eq!(newer_rows(&said), 1, "{:?}", said.notes);
    value["derived"]["rows"][1]["reasons"] = above;
    value["derived"]["rows"][1]["verdict"] = json!("invalid");
    assert_eq!(judged(&value).faults, Vec::<String>::new());
    value["derived"]["rows"][1]["reasons"] = json!([{"code": "failed"}]);
    let faults = judged(&value).faults;
    assert!(faults.iter().any(|f| f.starts_with("derived.rows[1].reasons[0]")), "{faults:?}");
}

/// A row that is left out is missed, whatever version the file claims; so is one of which nothing can be judged.
#[test]
fn a_newer_version_hides_no_row() {
    let mut less = of_version("2.1.0");
    less["evidence"]["rows"].as_array_mut().unwrap().remove(1);
    less["derived"]["rows"].as_array_mut().unwrap().remove(1);
    let faults = judged(&less).faults;
    assert!(faults.iter().any(|fault| fault.contains("asks for are missing")), "{faults:?}");
    let mut unknown = of_version("2.1.0");
    for row in unknown["derived"]["rows"].as_array_mut().unwrap() {
        row["verdict"] = json!("doubtful");
    }
    let found = judged(&unknown);
    assert!(found.unknown && !judged(&of_version("2.1.0")).unknown, "{found:?}");
}

/// A newer version adds; what this one requires is there.
#[test]
fn what_is_missing_in_a_newer_file_is_missed() {
    for (path, key, line) in [
        ("/evidence", "clock", "evidence: missing field `clock`"),
        ("/derived", "rows", "derived: missing field `rows`"),
        ("/derived", "run", "derived: missing field `run`"),
        ("", "rules", "not a rigbench result file: missing field `rules`"),
    ] {
        let mut less = of_version("2.7.0");
        less.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(key);
        let faults = judged(&less).faults;
        assert!(faults.len() == 1 && faults[0].starts_with(line), "{faults:?}");
    }
}

#[test]
fn a_file_of_other_kernels_says_that_they_were_not_compared() {
    let said = |document: &Document| {
        let notes = findings(document).notes;
        notes.iter().any(|note| note.contains("with other kernels than this one's"))
    };
    assert!(!said(&RUN.document));
    let mut other = RUN.document.clone();
    other.evidence.manifest.rigbench.kernels_sha256 = hex(&[7; 32]);
    honest::sign(&mut other);
    assert!(said(&other));
    // Another commit with the same kernels can be compared.
    let mut rebuilt = RUN.document.clone();
    rebuilt.evidence.manifest.rigbench.commit = Some("of my own".into());
    honest::sign(&mut rebuilt);
    assert!(!said(&rebuilt));
}

#[test]
fn other_major_versions_are_refused_in_one_line() {
    let line = |version: &str| {
        let faults = judged(&of_version(version)).faults;
        let [line] = &faults[..] else { panic!("{faults:?}") };
        assert!(!line.contains('\n') && line.contains(version), "{line}");
        line.clone()
    };
    for old in ["0.9.0", "1.0.0", "1.9"] {
        let line = line(old);
        assert!(line.contains("rigbench 0.1.0 was the last to read"), "{line}");
    }
    for new in ["3.0.0", "3.0", "10.0.0"] {
        let line = line(new);
        assert!(
            line.contains("this rigbench reads 2.0.0") && line.contains("get a newer"),
            "{line}"
        );
    }
    for none in ["", "two", "2", "-2.0.0", "2.-1"] {
        let line = line(none);
        assert!(line.starts_with("its format is"), "{line}");
    }
    // Nothing but its version needs to be as this version has it.
    let old = br#"{"schema_version": "1.0.0", "run": {}, "measurements": []}"#;
    let faults = findings_of(old).faults;
    assert!(faults.len() == 1 && faults[0].contains("rigbench 0.1.0"), "{faults:?}");
}

/// The honest run with more windows of the row that needs no proof of work, a hundred at least in all.
fn long() -> Document {
    let mut document = RUN.document.clone();
    let mean = document.evidence.manifest.protocol.window_seconds;
    let row = honest::row_of(&mut document, Id::Peak);
    let windows = row.windows.as_mut().unwrap();
    let (rate, cpu) = (windows.rates()[0], windows.cpu_seconds[0] / windows.wall_seconds[0]);
    for number in windows.len()..windows.len() + 100 {
        let wall = 1.01 * mean * window_share(number);
        let scatter = [0.0, 0.002, -0.002][number % 3];
        windows.wall_seconds.push(wall);
        windows.cpu_seconds.push(cpu * wall);
        windows.work.push((rate * (1.0 + scatter) * wall) as u64);
    }
    *windows.blocks.windows.last_mut().unwrap() += 100;
    let telemetry = row.telemetry.as_mut().unwrap();
    telemetry.samples += 100;
    for column in [&mut telemetry.cpu_hertz, &mut telemetry.gpu_use]
        .into_iter()
        .chain(telemetry.celsius.values_mut())
        // One entry stands for all.
        .filter(|column| column.len() > 1)
    {
        column.extend(vec![None; 100]);
    }
    let mut batches = Latency::default();
    windows.wall_seconds.iter().for_each(|wall| batches.record(Seconds(*wall)));
    row.latency = Some(batches);
    // It runs on into what was measured after it; another run of the device may have been first.
    let end = row.windows.as_ref().unwrap().steps().last().unwrap().measured.to.0;
    let begin = row.windows.as_ref().unwrap().steps().last().unwrap().idle_from.0;
    for row in rows(&mut document).filter(|row| row.workload.id != Id::Peak) {
        crate::validate::forgers::delay_from(row, begin, end);
    }
    document.evidence.run.finished_at = None;
    honest::sign(&mut document);
    document
}

/// A second of a processor, which a busy machine does not change, with a build that has all of the tests' checks in it.
#[test]
fn a_hundred_windows_are_judged_within_a_second() {
    let document = long();
    let windows: usize = document.rows().map(|(row, _)| row.windows.as_ref().unwrap().len()).sum();
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
