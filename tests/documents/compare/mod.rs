//! `rigbench compare`: what it says, what it refuses, and its exit codes.

mod metered;
mod recorded;
mod unlike;

use crate::support;
use rigbench::energy::Stated;
use rigbench::results::{
    self, Document, Evidence, Failure, FailureCode, OrNewer, Origin, Outcome, Row, Verdict, read,
};
use rigbench::units::{Method, Watts};
use rigbench::workload::Shape;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::LazyLock;

/// What the program wrote for `rigbench run --quick --device cpu --workload gemm:40x40x40 --workload gemm:48x40x56 --power
/// declared:gemm=110`.
static RUN: LazyLock<Document> =
    LazyLock::new(|| read::read(include_bytes!("../../golden/compare.json")).unwrap().shown());

/// The rows of evidence, to be changed.
fn rows(evidence: &mut Evidence) -> impl Iterator<Item = &mut Row> {
    evidence.rows.iter_mut().filter_map(OrNewer::known_mut)
}

fn row(evidence: &mut Evidence, i: usize) -> &mut Row {
    evidence.rows[i].known_mut().unwrap()
}

/// The run as on an idle machine: rates scatter by some tenths of a percent, times `factor`. What others
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
    assert!(table.contains("not significant") && table.contains("J/TFLOP"), "{table}");
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
    refused(&cut_off(|rows| drop(rows.pop())), "missing in the new run");
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
    one_line("not a rigbench result file");
    std::fs::remove_file(files.new_run()).unwrap();
    one_line("cannot read");
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
