//! `rigbench compare`: what it says, what it refuses, and its exit codes.

mod recorded;

use crate::support;
use rigbench::device::Class;
use rigbench::energy::{
    Accuracy, Basis, Integral, MeterKind, Quantity, Response, Scope, SourceInfo, Stated, Terms,
};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{
    self, Document, Energy, Evidence, Failure, FailureCode, Measured, OrNewer, Origin, Outcome,
    Row, RowFigures, Source, Verdict,
};
use rigbench::units::{Interval, Joules, Method, Provenance, Seconds, Unit, Watts};
use rigbench::workload::{Description, Id, Shape};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::LazyLock;

/// A short run of two products on the processor, as the program wrote it.
static RUN: LazyLock<Document> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let args = ["run", "--quick", "--device", "cpu", "--json", "--out", out];
    let mut command = support::rigbench(&args);
    command.args(["--workload", "gemm:40x40x40", "--workload", "gemm:48x40x56"]);
    let ran = command.args(["--power", "declared:gemm=110"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
});

/// The rows of evidence, to be changed.
fn rows(evidence: &mut Evidence) -> impl Iterator<Item = &mut Row> {
    evidence.rows.iter_mut().filter_map(OrNewer::known_mut)
}

fn row(evidence: &mut Evidence, i: usize) -> &mut Row {
    evidence.rows[i].known_mut().unwrap()
}

/// The run as a machine at rest would have it: rates scatter by some tenths of a percent, times `factor`. What others
/// did to this machine meanwhile is no matter of these tests. Times stay, since more than the windows tells of them.
fn calm(factor: f64) -> Document {
    let mut evidence = RUN.evidence.clone();
    let rates: Vec<f64> = RUN.rows().map(|(_, own)| own.throughput.unwrap().middle()).collect();
    for (row, rate) in rows(&mut evidence).zip(rates) {
        let Shape { m, n, k, .. } = row.workload.shape;
        let one = 2 * m.unwrap() * n.unwrap() * k.unwrap();
        let windows = row.windows.as_mut().unwrap();
        for (block, of_block) in windows.blocks().iter().zip([0.001, -0.001, 0.0].iter().cycle()) {
            for i in block.windows.clone() {
                let scatter = [0.0, 0.002, -0.002, 0.001, -0.001][i % 5];
                let wall = windows.wall_seconds[i];
                let work = rate * factor * (1.0 + scatter + of_block) * wall;
                windows.work[i] = (work / one as f64).round() as u64 * one;
                windows.cpu_seconds[i] = 0.1 * wall;
            }
        }
        row.telemetry.as_mut().unwrap().cpu_use.clear();
    }
    let document = Document::of(evidence);
    assert_eq!(document.derived.run.verdict, Verdict::Valid, "{:?}", document.derived.run);
    document
}

fn changed(change: impl FnOnce(&mut Evidence)) -> Document {
    let mut evidence = calm(1.0).evidence;
    change(&mut evidence);
    Document::of(evidence)
}

/// A run that was cut off before it had all rows.
fn cut_off(change: fn(&mut Vec<OrNewer<Row>>)) -> Document {
    changed(|evidence| {
        evidence.run.finished_at = None;
        change(&mut evidence.rows);
    })
}

/// A folder with the two files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn of(base: &Document, new: &Document) -> Files {
        let files = Files { folder: tempfile::tempdir().unwrap() };
        std::fs::write(files.base(), serde_json::to_vec(base).unwrap()).unwrap();
        std::fs::write(files.new_run(), serde_json::to_vec(new).unwrap()).unwrap();
        files
    }

    fn base(&self) -> PathBuf {
        self.folder.path().join("base.json")
    }

    fn new_run(&self) -> PathBuf {
        self.folder.path().join("new.json")
    }

    /// Exit code, stdout and stderr.
    fn compare(&self, more: &[&str]) -> (i32, String, String) {
        let (base, new) = (self.base(), self.new_run());
        let paths = ["compare", base.to_str().unwrap(), new.to_str().unwrap()];
        let out = support::rigbench(&[&paths, more].concat()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (out.status.code().unwrap(), text(out.stdout), text(out.stderr))
    }
}

#[test]
fn a_file_against_itself_has_the_ratio_one_and_passes() {
    let document = calm(1.0);
    let files = Files::of(&document, &document);
    let (code, out, err) = files.compare(&["--gate", "5", "--json"]);
    assert_eq!(code, 0, "{err}");
    let comparison: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(comparison["past_gate"], false);
    let pairs = comparison["pairs"].as_array().unwrap();
    assert_eq!(pairs.len(), 2);
    for pair in pairs {
        for change in [&pair["throughput"], &pair["joules_per_unit"]] {
            let ratio = &change["ratio"];
            assert_eq!((&ratio["value"], &change["p"]), (&1.0.into(), &1.0.into()), "{change}");
            assert!(ratio["low"].as_f64() < Some(1.0), "{change}");
            assert!(ratio["high"].as_f64() > Some(1.0), "{change}");
        }
    }
    let (code, table, _) = files.compare(&[]);
    assert_eq!(code, 0);
    assert!(table.contains("not shown") && table.contains("J/TFLOP"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 110), "{table}");
}

#[test]
fn the_gate_fails_on_a_regression_past_it_and_on_no_other() {
    let base = calm(1.0);
    let slower = Files::of(&base, &calm(0.9));
    let (code, table, err) = slower.compare(&["--gate", "5"]);
    assert_eq!(code, 1, "{table}{err}");
    assert!(table.contains("slower, past gate") && table.contains("−10.0 ("), "{table}");
    assert!(table.contains("more, past gate"), "{table}");
    assert_eq!(slower.compare(&["--gate", "5", "--json"]).0, 1);
    assert_eq!(slower.compare(&["--gate", "15"]).0, 0);
    assert_eq!(slower.compare(&[]).0, 0);

    // A regression that is one, and shown to be smaller than the gate.
    let a_little = Files::of(&base, &calm(0.97));
    let (code, table, _) = a_little.compare(&["--gate", "6"]);
    assert!(code == 0 && table.contains("slower") && !table.contains("past"), "{table}");

    let (code, table, _) = Files::of(&base, &calm(1.2)).compare(&["--gate", "5"]);
    assert!(code == 0 && table.contains("faster") && table.contains("fewer"), "{table}");

    // As fast as before, at a fifth more joules.
    let hungrier = changed(|evidence| *declared(evidence) = Watts(132.0));
    let comparison = results::compare(&base, &hungrier, Some(5.0));
    assert_eq!(comparison.past_gate, Some(true));
    assert_eq!(comparison.pairs[0].throughput.past_gate, Some(false));
    assert_eq!(comparison.pairs[0].joules_per_unit.as_ref().unwrap().past_gate, Some(true));

    for gate in ["-1", "100", "five"] {
        let (code, _, err) = slower.compare(&[&format!("--gate={gate}")]);
        assert!(code == 2 && err.contains("--gate 5") && err.lines().count() == 1, "{err}");
    }
}

/// The watts that were declared.
fn declared(evidence: &mut Evidence) -> &mut Watts {
    match &mut evidence.manifest.sources[0].known_mut().unwrap().origin {
        Origin::Stated(Stated::Declared { power, .. }) => power,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_gate_lets_nothing_pass_that_it_cannot_judge() {
    let base = calm(1.0);
    let refused = |new: &Document, why: &str| {
        let (code, table, err) = Files::of(&base, new).compare(&["--gate", "5"]);
        assert_eq!(code, 2, "{table}{err}");
        assert!(err.starts_with("error: the gate cannot judge") && err.contains(why), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
        assert_eq!(Files::of(&base, new).compare(&[]).0, 0);
    };
    refused(&cut_off(|rows| drop(rows.pop())), "not in the new run");
    let disturbed = changed(|evidence| {
        let telemetry = row(evidence, 0).telemetry.as_mut().unwrap();
        telemetry.cpu_use = vec![Some(1.0)];
    });
    refused(&disturbed, "other programs used the processor");
    let failed = changed(|evidence| {
        let row = row(evidence, 1);
        let gave_up = Failure::new(FailureCode::Driver, "the device gave up");
        let empty = Row::new(row.device.clone(), row.workload.clone());
        *row = Row { outcome: Outcome::Failed(gave_up), ..empty };
    });
    refused(&failed, "the device gave up");
    // What only the new run has is told, and needs no judgement.
    let fewer = cut_off(|rows| drop(rows.pop()));
    let (code, table, err) = Files::of(&fewer, &base).compare(&["--gate", "5"]);
    assert!(code == 0 && table.contains("only in the new run"), "{table}{err}");
}

#[test]
fn only_consistent_files_are_compared() {
    let base = calm(1.0);
    let mut forged = base.clone();
    let own = forged.derived.rows[0].known_mut().unwrap();
    own.throughput = own.throughput.map(|rate| rate * 2.0);
    let files = Files::of(&base, &forged);
    let one_line = |why: &str| {
        let (code, out, err) = files.compare(&[]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.lines().count() == 1 && err.contains(why), "{err}");
        assert!(err.contains("new.json"), "{err}");
    };
    one_line("is not consistent");
    std::fs::write(files.new_run(), "{}").unwrap();
    one_line("no rigbench result");
    std::fs::remove_file(files.new_run()).unwrap();
    one_line("cannot read");
}

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

    // Nothing alike is left: one line, and the field.
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

/// Keeps so many windows of each row, in one block.
fn in_one_block(evidence: &mut Evidence, n: usize) {
    for row in rows(evidence) {
        let windows = row.windows.as_mut().unwrap();
        for column in [&mut windows.wall_seconds, &mut windows.cpu_seconds] {
            column.truncate(n);
        }
        windows.work.truncate(n);
        windows.gpu_seconds = None;
        let blocks = &mut windows.blocks;
        let columns = [
            &mut blocks.idle_from_seconds,
            &mut blocks.load_from_seconds,
            &mut blocks.measured_from_seconds,
        ];
        columns.into_iter().for_each(|column| column.truncate(1));
        blocks.warm_up_steady.truncate(1);
        blocks.windows = vec![n];
    }
}

#[test]
fn a_row_that_was_cut_off_is_compared_as_far_as_it_goes() {
    let cut = |n: usize| {
        let mut evidence = calm(0.8).evidence;
        in_one_block(&mut evidence, n);
        Document::of(evidence)
    };
    let comparison = results::compare(&calm(1.0), &cut(6), None);
    let change = &comparison.pairs[0].throughput;
    assert_eq!(change.ratio.method, Method::Bootstrap, "{change:?}");
    assert!(change.regression && (change.ratio.middle() - 0.8).abs() < 0.005, "{change:?}");
    let comparison = results::compare(&calm(1.0), &cut(3), Some(5.0));
    assert_eq!(comparison.pairs[0].throughput.p, None);
    let unsure = |why: &String| why.contains("too few windows");
    assert!(comparison.not_judged.iter().any(unsure), "{comparison:?}");
}

/// Joules from a counter of 5 % accuracy: blocks as they are, times `factor`. Its figures are given, not derived.
fn metered(factor: f64) -> Document {
    let mut document = calm(1.0);
    let kept = document.evidence.rows[0].known().unwrap().clone();
    let windows = kept.windows.unwrap();
    document.evidence.manifest.sources[0] = OrNewer::Known(Source {
        devices: vec![kept.device],
        workload: None,
        origin: Origin::Meter(SourceInfo {
            kind: MeterKind::Nvml,
            model: "a card".into(),
            driver: None,
            scope: Scope::GpuBoard,
            quantity: Quantity::Counter { ranges: vec![None], duty: 1.0 },
            update_period: Some(Seconds(0.1)),
            poll: Seconds(0.05),
            ceiling: Watts(1000.0),
            accuracy: Accuracy { share: 0.05, basis: Basis::Assumed, reference: "a test".into() },
        }),
    });
    let seconds = |block: &rigbench::measure::Block| {
        windows.wall_seconds[block.windows.clone()].iter().sum::<f64>()
    };
    let joules: Vec<f64> = windows.blocks().iter().map(|b| 50.0 * factor * seconds(b)).collect();
    let gross: f64 = joules.iter().sum();
    let interval = Interval::new(
        gross,
        (0.95 * gross, 1.05 * gross),
        Provenance::MeasuredCounter,
        Method::MeterUncertainty,
    );
    let own: &mut RowFigures = document.derived.rows[0].known_mut().unwrap();
    own.energy = Energy {
        source: Some(0),
        scope: Some(Scope::GpuBoard),
        joules_per_unit: Some(interval / windows.total_work() as f64),
        power_watts: Some(interval / windows.seconds().0),
        measured: Some(Measured {
            total: Integral {
                gross: Joules(gross),
                terms: Terms {
                    meter: Joules(0.05 * gross),
                    window: Joules(0.002 * gross),
                    statistical: Joules(0.0),
                },
                period: Some(Seconds(0.1)),
                samples: 100,
                rejected: 0,
                coverage: 1.0,
                wraps: 0,
            },
            blocks_gross_joules: joules.into_iter().map(Some).collect(),
            response: Response {
                lag: Seconds(0.0),
                lag_half_width: Seconds(0.1),
                idle: Watts(10.0),
                load: Watts(50.0),
                explained: 1.0,
                late: false,
            },
            cross_checks: Vec::new(),
        }),
        ..Energy::default()
    };
    document
}

#[test]
fn a_meter_is_wrong_by_the_same_share_twice_and_two_meters_are_not() {
    let joules = |new: &Document| {
        let comparison = results::compare(&metered(1.0), new, Some(5.0));
        comparison.pairs[0].joules_per_unit.clone().unwrap()
    };
    let one = joules(&metered(1.06));
    assert!((one.ratio.middle() - 1.06).abs() < 1e-9 && one.regression, "{one:?}");
    assert!(one.p < Some(0.05) && one.past_gate == Some(true), "{one:?}");
    assert!(one.one_meter, "{one:?}");
    // Half of the interval is at least the ends of both rows' windows.
    assert!(one.ratio.high / one.ratio.middle() > 1.0028, "{one:?}");

    let mut elsewhere = metered(1.06);
    elsewhere.evidence.manifest.host.cpu = "Another".into();
    let two = joules(&elsewhere);
    assert!(!two.regression && two.p > Some(0.05), "{two:?}");
    let half = (two.ratio.high / two.ratio.middle()).ln();
    assert!(half > 0.05 * 2f64.sqrt() && half < 0.09, "{two:?}");

    let modelled = changed(|evidence| {
        let (low, high, scope) = (Watts(10.0), Watts(90.0), Scope::Machine);
        let origin = &mut evidence.manifest.sources[0].known_mut().unwrap().origin;
        *origin = Origin::Stated(Stated::Modelled { low, high, scope, basis: "a test".into() });
    });
    let comparison = results::compare(&modelled, &modelled, Some(5.0));
    assert_eq!(comparison.pairs[0].joules_per_unit, None);
    assert!(comparison.pairs[0].no_joules_reason.as_ref().unwrap().contains("modelled"));
    assert_eq!(comparison.not_judged, Vec::<String>::new());
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
