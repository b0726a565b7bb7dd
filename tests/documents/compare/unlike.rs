//! Rows that are not compared, and what is said of them.

use super::{Files, calm, changed, cut_off, row, rows};
use rigbench::device::Class;
use rigbench::energy::{Scope, Stated};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{self, Document, Evidence, OrNewer, Origin, Row};
use rigbench::units::{Unit, Watts};
use rigbench::workload::{Description, Id, Shape};

const GEMM: &str = "gemm:48x40x56:f32";

/// What the two rows of this workload are refused for.
fn refusal(new: &Document) -> Vec<String> {
    let comparison = results::compare(&calm(1.0), new, None);
    let refused = comparison.refused.iter().find(|r| r.base.workload == GEMM);
    refused.map(|r| r.fields.iter().map(|f| f.field.clone()).collect()).unwrap_or_default()
}

#[test]
fn unlike_rows_are_refused_and_the_field_is_named() {
    let gemm = |change: fn(&mut Evidence, usize)| {
        refusal(&changed(|evidence| {
            let is_gemm = |row: &OrNewer<Row>| row.known().unwrap().workload.spec == GEMM;
            let i = evidence.rows.iter().position(is_gemm).unwrap();
            change(evidence, i);
        }))
    };
    let none = Vec::<String>::new();
    assert_eq!(gemm(|_, _| ()), none);
    let respell = |evidence: &mut Evidence, i, spec: &str, weights: &str, activations: &str| {
        let workload = &mut row(evidence, i).workload;
        workload.spec = spec.into();
        workload.shape.weights = Some(weights.into());
        workload.shape.activations = Some(activations.into());
    };
    let sides = |evidence: &mut Evidence, i: usize| {
        row(evidence, i).workload.spec = "gemm:48x40x57:f32".into();
    };
    assert_eq!(gemm(sides), ["shape"]);
    let int8 = changed(|evidence| respell(evidence, 1, "gemm:48x40x56:int8", "int8", "f32"));
    assert_eq!(refusal(&int8), ["precision"]);
    let halves = "gemm:48x40x56:f32:activations=f16";
    let activations = changed(|evidence| respell(evidence, 1, halves, "f32", "f16"));
    assert_eq!(refusal(&activations), ["precision"]);
    let scope = |evidence: &mut Evidence, _: usize| {
        let origin = &mut evidence.manifest.sources[0].known_mut().unwrap().origin;
        let scope = Scope::CpuPackage;
        *origin = Origin::Stated(Stated::Declared { power: Watts(110.0), scope });
    };
    assert_eq!(gemm(scope), ["scope"]);
    let none = |evidence: &mut Evidence, _: usize| evidence.manifest.sources.clear();
    assert_eq!(gemm(none), ["provenance", "scope"]);
    let limited = |evidence: &mut Evidence, i: usize| {
        row(evidence, i).telemetry.as_mut().unwrap().board = Some(BoardTelemetry {
            power_limit_watts: vec![Some(250.0)],
            ..BoardTelemetry::default()
        });
    };
    assert_eq!(gemm(limited), ["power limit"]);
    let rested = changed(|evidence| evidence.manifest.protocol.rest_seconds += 1.0);
    assert_eq!(refusal(&rested), ["protocol.rest_seconds"]);

    let other_mode = changed(|evidence| {
        evidence.manifest.protocol.mode = "default".into();
        evidence.manifest.protocol.precision = 0.01;
    });
    let comparison = results::compare(&calm(1.0), &other_mode, None);
    assert!(comparison.pairs.is_empty());
    assert_eq!(comparison.refused[0].reason, "protocol.mode differs: quick against default");

    // No row has a counterpart: one line, and the field.
    let first = cut_off(|rows| rows.truncate(1));
    let second = cut_off(|rows| drop(rows.remove(0)));
    let (code, out, err) = Files::of(&first, &second).compare(&[]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains("shape differs: 40x40x40 against 48x40x56"), "{err}");
    assert_eq!(err.lines().count(), 1, "{err}");
}

#[test]
fn a_row_meets_its_like_on_another_device_and_it_is_said() {
    let new = changed(|evidence| {
        let device = evidence.manifest.devices[0].known_mut().unwrap();
        (device.id, device.class) = ("gpu:0".parse().unwrap(), Class::SoftwareGpu);
        evidence.manifest.sources[0].known_mut().unwrap().devices = vec![device.id.clone()];
        rows(evidence).for_each(|row| row.device = "gpu:0".parse().unwrap());
    });
    let comparison = results::compare(&calm(1.0), &new, None);
    assert_eq!(comparison.pairs.len(), 2);
    assert!(comparison.pairs[0].differs[0].contains("(cpu) against"), "{comparison:?}");
    assert!(comparison.pairs[0].differs[0].contains("(software-gpu)"), "{comparison:?}");
}

/// The made-up digest of a model in `model.gguf`.
fn of_model(document: &Document, digits: &str) -> Document {
    let mut document = document.clone();
    document.evidence.rows.truncate(1);
    document.derived.rows.truncate(1);
    row(&mut document.evidence, 0).workload = Description {
        id: Id::Decode,
        spec: "decode:model.gguf:batch=1:prompt=128:context=256".into(),
        unit: Unit::Token,
        shape: Shape {
            model: Some("model.gguf".into()),
            model_sha256: Some(digits.repeat(32)),
            ..Shape::default()
        },
        intensity: None,
    };
    document
}

#[test]
fn two_models_of_one_file_name_are_refused_with_both_digests_in_short() {
    let run = calm(1.0);
    let (a, b) = (of_model(&run, "a1"), of_model(&run, "b2"));
    assert_eq!(results::compare(&a, &a, None).pairs.len(), 1);
    let comparison = results::compare(&a, &b, Some(5.0));
    assert_eq!((comparison.pairs.len(), comparison.refused.len()), (0, 1));
    let refused = &comparison.refused[0];
    assert_eq!(refused.reason, "model differs: a1a1a1a1 against b2b2b2b2");
    let [field] = &refused.fields[..] else { panic!("{refused:?}") };
    assert_eq!(
        (field.field.as_str(), &field.base[..], &field.new[..]),
        ("model", "a1a1a1a1", "b2b2b2b2")
    );
}
