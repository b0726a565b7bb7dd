//! From result documents to rows: what is of one device, what counts, and what has no joules to speak of.

use crate::economics::made_up::failed;
use rigbench::device::Class;
use rigbench::economics::rows;
use rigbench::energy::Scope;
use rigbench::results::{
    Document, Energy, Failure, FailureCode, Outcome, Reason, Row, RowFigures, RunReason, Verdict,
    read,
};
use rigbench::units::{Interval, Provenance};
use rigbench::workload::Id;
use std::path::Path;

/// A real run of hashing, reading and writing tokens with declared watts.
fn run() -> Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/advise/run.json");
    read::read(&std::fs::read(path).unwrap()).unwrap().shown()
}

fn changed(change: impl Fn(&mut Row, &mut RowFigures)) -> Document {
    let mut document = run();
    for (row, figures) in document.evidence.rows.iter_mut().zip(&mut document.derived.rows) {
        change(row.known_mut().unwrap(), figures.known_mut().unwrap());
    }
    document
}

#[test]
fn rows_have_the_joules_of_the_document() {
    let documents = [run()];
    let rows = rows(&documents).rows;
    assert_eq!(rows.len(), documents[0].rows().count());
    for (row, (_, figures)) in rows.iter().zip(documents[0].rows()) {
        let energy = row.energy().unwrap();
        assert_eq!(Some(energy.work.joules), figures.energy.joules_per_unit);
        assert_eq!(Some(energy.watts), figures.energy.power_watts);
        assert_eq!((energy.scope, energy.provenance()), (Scope::Wall, Provenance::Declared));
        assert_eq!(row.spec, row.row.workload.spec);
    }
}

#[test]
fn rows_without_joules_say_why() {
    let invalid = |_: &mut Row, figures: &mut RowFigures| {
        figures.verdict = Verdict::Invalid;
        figures.reasons = vec![Reason::WrongOutput { windows: 3 }];
    };
    let wrong = |row: &mut Row, _: &mut RowFigures| row.outcome = failed("the kernel is wrong");
    let unsupported = |row: &mut Row, _: &mut RowFigures| {
        row.outcome = Outcome::Unsupported(Failure::new(FailureCode::Limit, "too large"));
    };
    let none = |row: &mut Row, figures: &mut RowFigures| {
        figures.energy = Energy::default();
        row.no_source = Some("--power none".into());
    };
    for (document, why) in [
        (changed(invalid), "its row is invalid: the output of 3 windows is wrong"),
        (changed(wrong), "failed: the kernel is wrong"),
        (changed(unsupported), "unsupported: too large"),
        (changed(none), "there is no energy: --power none"),
    ] {
        for row in rows(&[document]).rows {
            assert_eq!(row.energy().unwrap_err(), why);
        }
    }
}

#[test]
fn a_model_is_a_range_and_an_interval_never_reaches_below_nothing() {
    let modelled = |_: &mut Row, figures: &mut RowFigures| {
        figures.energy.scope = Some(Scope::GpuBoard);
        figures.energy.joules_per_unit = Some(Interval::between(0.0, 2.0));
        figures.energy.power_watts = Some(Interval::between(0.0, 450.0));
    };
    for row in rows(&[changed(modelled)]).rows {
        let energy = row.energy().unwrap();
        assert_eq!((energy.work.joules.value, energy.work.joules.high), (None, 2.0));
        assert_eq!((energy.watts.high, energy.provenance()), (450.0, Provenance::Modelled));
    }
    let wide = |_: &mut Row, figures: &mut RowFigures| {
        figures.energy.joules_per_unit.as_mut().unwrap().low = -1.0;
    };
    let zero = |document| {
        rows(&[document]).rows.iter().all(|row| row.energy().unwrap().work.joules.low == 0.0)
    };
    assert!(zero(changed(wide)));
}

#[test]
fn runs_of_one_machine_are_put_together_and_the_row_that_says_most_counts() {
    let mut later = run();
    later.evidence.run.started_at = "2026-12-24T12:00:00Z".parse().unwrap();
    let documents = [run(), later.clone()];
    let found = rows(&documents);
    assert_eq!(found.rows.len(), run().rows().count());
    assert!(found.rows.iter().all(|row| row.started_at.to_string().starts_with("2026-12-24T")));
    assert!(
        found.remarks.iter().any(|remark| remark.contains("more than once")),
        "{:?}",
        found.remarks
    );
    // One without joules does not replace one that has some.
    for figures in &mut later.derived.rows {
        figures.known_mut().unwrap().energy = Energy::default();
    }
    for order in [[run(), later.clone()], [later.clone(), run()]] {
        assert!(rows(&order).rows.iter().all(|row| row.energy().is_ok()));
    }
}

#[test]
fn machines_are_told_apart_by_their_ids_or_else_by_their_hardware() {
    let of = |id: Option<&str>, memory_bytes| {
        let mut document = run();
        document.evidence.manifest.host.id = id.map(str::to_string);
        document.evidence.manifest.host.memory_bytes = memory_bytes;
        document
    };
    for (one, other, same) in [
        (of(None, Some(1)), of(None, Some(2)), false),
        (of(None, Some(1)), of(Some("a"), Some(1)), true),
        (of(Some("a"), Some(1)), of(Some("b"), Some(1)), false),
        // Memory was added.
        (of(Some("a"), Some(1)), of(Some("a"), Some(2)), true),
    ] {
        let documents = [one, other];
        let found = rows(&documents).rows;
        let mut devices: Vec<&str> = found.iter().map(|row| row.device.id.as_str()).collect();
        devices.dedup();
        if same {
            assert_eq!(devices, ["cpu"]);
        } else {
            assert_eq!(devices, ["machine 1, cpu", "machine 2, cpu"]);
            assert!(found[0].device.name.ends_with(" (machine 1)"), "{:?}", found[0].device);
        }
    }
}

#[test]
fn a_run_that_is_invalid_as_a_whole_is_remarked_on_and_an_emulated_gpu_too() {
    let mut document = run();
    document.derived.run.reasons.push(RunReason::BeganBusy.into());
    for device in &mut document.evidence.manifest.devices {
        device.known_mut().unwrap().class = Class::SoftwareGpu;
    }
    let remarks = rows(&[document]).remarks;
    assert!(remarks[0].contains("invalid as a whole: other programs"), "{remarks:?}");
    assert!(remarks[1].contains("emulates a GPU"), "{remarks:?}");
}

#[test]
fn two_models_of_one_file_name_are_two_rows_that_are_told_apart() {
    let of = |digits: &str| {
        let mut document = changed(|row, _| {
            let workload = &mut row.workload;
            if workload.id == Id::Decode {
                workload.spec = "decode:model.gguf:batch=1:prompt=128:context=256".into();
                workload.shape.model = Some("model.gguf".into());
                workload.shape.model_sha256 = Some(digits.repeat(32));
            }
        });
        document.evidence.run.id = digits.into();
        document
    };
    let decodes = |documents: &[Document]| -> Vec<String> {
        let rows = rows(documents).rows.into_iter();
        rows.filter(|row| row.row.workload.id == Id::Decode).map(|row| row.spec).collect()
    };
    assert_eq!(
        decodes(&[of("a1"), of("b2")]),
        [
            "decode:model.gguf (a1a1a1a1):batch=1:prompt=128:context=256",
            "decode:model.gguf (b2b2b2b2):batch=1:prompt=128:context=256"
        ]
    );
    // What was run twice of one model is one row, as of any other workload.
    let once = decodes(&[of("a1"), of("a1")]);
    assert_eq!(once, ["decode:model.gguf:batch=1:prompt=128:context=256"]);
}

#[test]
fn a_row_of_a_newer_rigbench_is_remarked_on_and_left_out() {
    let mut document = run();
    let count = document.rows().count();
    let row = serde_json::json!({"workload": {"spec": "fold:x"}, "device": "npu:0"});
    document.evidence.rows[0] = serde_json::from_value(row).unwrap();
    let documents = [document];
    let found = rows(&documents);
    assert_eq!(found.rows.len(), count - 1);
    let said = "fold:x on npu:0 is from a newer rigbench and left out";
    assert!(found.remarks.iter().any(|remark| remark == said), "{:?}", found.remarks);
}
