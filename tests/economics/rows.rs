//! From result documents to rows: what is of one device, what counts, and what has no joules to speak of.

use rigbench::economics::{Stage, rows};
use rigbench::energy::{Provenance, Scope};
use rigbench::results::wire::{self, Document, Energy, Outcome, Verdict};
use std::path::Path;

/// A real run of hashing, reading and writing tokens with declared watts.
fn run() -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/advise/run.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn changed(change: impl Fn(&mut wire::Measurement)) -> Document {
    let mut document = run();
    document.measurements.iter_mut().for_each(change);
    document
}

#[test]
fn rows_have_the_joules_of_the_document() {
    let document = run();
    let rows = rows(std::slice::from_ref(&document)).rows;
    assert_eq!(rows.len(), document.measurements.len());
    for (row, m) in rows.iter().zip(&document.measurements) {
        let energy = row.energy.as_ref().unwrap();
        let Energy::Declared(declared) = &m.energy else { panic!("{:?}", m.energy) };
        assert_eq!(energy.joules_per_unit.value, Some(declared.joules_per_unit.value));
        assert_eq!(energy.joules_per_unit.low, declared.joules_per_unit.ci95_low.unwrap());
        assert_eq!(energy.watts.value, Some(declared.power_watts));
        assert_eq!((energy.scope, energy.provenance), (Scope::Wall, Provenance::Declared));
        assert_eq!(row.workload, m.workload.spec());
    }
    let decode = rows.iter().find(|row| row.workload.starts_with("decode")).unwrap();
    let tokens = decode.sequences.as_ref().unwrap();
    assert_eq!((tokens.model.as_str(), tokens.weights.as_str()), ("smollm2-135m", "int4"));
    assert_eq!((tokens.batch, tokens.stage), (1, Stage::Decode));
}

#[test]
fn rows_without_joules_say_why() {
    let invalid = |m: &mut wire::Measurement| {
        m.verdict = Verdict::Invalid;
        m.reasons = vec!["thermal slowdown".into()];
    };
    let failed = |m: &mut wire::Measurement| {
        m.outcome = Outcome::Failed;
        m.reason = Some("the kernel is wrong".into());
    };
    let unsupported = |m: &mut wire::Measurement| {
        m.outcome = Outcome::Unsupported;
        m.reason = Some("too large".into());
    };
    let none = |m: &mut wire::Measurement| {
        m.energy = Energy::None(wire::NoEnergy { reason: "--power none".into() });
    };
    for (document, why) in [
        (changed(invalid), "its row is invalid: thermal slowdown"),
        (changed(failed), "failed: the kernel is wrong"),
        (changed(unsupported), "unsupported: too large"),
        (changed(none), "there is no energy: --power none"),
    ] {
        for row in rows(&[document]).rows {
            assert_eq!(row.energy.unwrap_err(), why);
        }
    }
}

#[test]
fn a_model_is_a_range_and_an_interval_never_reaches_below_nothing() {
    let modelled = |m: &mut wire::Measurement| {
        m.energy = Energy::Modelled(wire::ModelledEnergy {
            scope: wire::Scope::GpuBoard,
            modelled_joules_per_unit_low: 0.0,
            modelled_joules_per_unit_high: 2.0,
            modelled_power_watts_low: 0.0,
            modelled_power_watts_high: 450.0,
            basis: "anything up to its limit".into(),
        });
    };
    for row in rows(&[changed(modelled)]).rows {
        let energy = row.energy.unwrap();
        assert_eq!((energy.joules_per_unit.value, energy.joules_per_unit.high), (None, 2.0));
        assert_eq!((energy.watts.high, energy.provenance), (450.0, Provenance::Modelled));
    }
    let wide = |m: &mut wire::Measurement| {
        if let Energy::Declared(e) = &mut m.energy {
            e.joules_per_unit.ci95_low = Some(-1.0);
        }
    };
    assert!(
        rows(&[changed(wide)]).rows.iter().all(|row| row
            .energy
            .as_ref()
            .unwrap()
            .joules_per_unit
            .low
            == 0.0)
    );
}

#[test]
fn runs_of_one_machine_are_put_together_and_the_row_that_says_most_counts() {
    let mut later = run();
    later.run.started_at = "2026-12-24T12:00:00Z".into();
    let found = rows(&[run(), later.clone()]);
    assert_eq!(found.rows.len(), run().measurements.len());
    assert!(found.rows.iter().all(|row| row.date.to_string() == "2026-12-24"));
    assert!(
        found.remarks.iter().any(|remark| remark.contains("more than once")),
        "{:?}",
        found.remarks
    );
    // One without joules does not replace one that has some.
    for m in &mut later.measurements {
        m.energy = Energy::None(wire::NoEnergy { reason: "--power none".into() });
    }
    for order in [[run(), later.clone()], [later.clone(), run()]] {
        assert!(rows(&order).rows.iter().all(|row| row.energy.is_ok()));
    }
}

#[test]
fn other_machines_keep_their_own_rows_and_names() {
    let mut other = run();
    other.manifest.host.memory_bytes = Some(1);
    let found = rows(&[run(), other]).rows;
    assert_eq!(found.len(), 2 * run().measurements.len());
    let mut devices: Vec<&str> = found.iter().map(|row| row.device.as_str()).collect();
    devices.dedup();
    assert_eq!(devices, ["machine 1, cpu", "machine 2, cpu"]);
    assert!(found[0].device_name.ends_with(" (machine 1)"), "{}", found[0].device_name);
}

#[test]
fn a_run_that_is_invalid_as_a_whole_is_remarked_on_and_an_emulated_gpu_too() {
    let mut document = run();
    document.run.reasons.push("other programs used the processor when it began".into());
    for device in &mut document.manifest.devices {
        device.class = "software-gpu".into();
    }
    document.measurements.iter_mut().for_each(|m| m.class = "software-gpu".into());
    let remarks = rows(&[document]).remarks;
    assert!(remarks[0].contains("invalid as a whole: other programs"), "{remarks:?}");
    assert!(remarks[1].contains("emulates a GPU"), "{remarks:?}");
}

#[test]
fn two_models_of_one_file_name_are_two_rows_that_are_told_apart() {
    let of = |digits: &str| {
        let mut document = changed(|m| {
            if m.workload.id == "decode" {
                m.workload.shape = Some("model.gguf:batch=1:prompt=128:context=256".into());
                m.workload.model_sha256 = Some(digits.repeat(32));
            }
        });
        document.run.id = digits.into();
        document
    };
    let found = rows(&[of("a1"), of("b2")]).rows;
    let decodes: Vec<&str> = (found.iter().map(|row| row.workload.as_str()))
        .filter(|workload| workload.starts_with("decode"))
        .collect();
    assert_eq!(
        decodes,
        [
            "decode:model.gguf (a1a1a1a1):batch=1:prompt=128:context=256",
            "decode:model.gguf (b2b2b2b2):batch=1:prompt=128:context=256"
        ]
    );
    // What was run twice of one model is one row, as of any other workload.
    let once = rows(&[of("a1"), of("a1")]).rows;
    assert_eq!(once.iter().filter(|row| row.workload.starts_with("decode")).count(), 1);
    assert!(once.iter().all(|row| !row.workload.contains("a1a1a1a1")));
}
