//! `rigbench compare`: how often it is wrong on windows as they come, what it refuses, and its exit codes.

mod support;

use rigbench::kernels::hex;
use rigbench::measure::stats;
use rigbench::results::{self, wire};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use wire::{Document, Energy, Outcome, Verdict};

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

/// The run as a machine at rest would have it: rates scatter by some tenths of a percent, times `factor`. What others
/// did to this machine meanwhile is no matter of these tests. Times stay, since more than the windows tells of them.
fn calm(factor: f64) -> Document {
    let mut document = RUN.clone();
    for m in &mut document.measurements {
        let sides = m.workload.shape.as_deref().unwrap().split(':').next().unwrap().split('x');
        let one: u64 = 2 * sides.map(|side| side.parse::<u64>().unwrap()).product::<u64>();
        let rate = m.throughput.as_ref().unwrap().value * factor;
        for (i, window) in m.windows.iter_mut().enumerate() {
            let scatter = [0.0, 0.002, -0.002, 0.001, -0.001][i % 5];
            let of_block = [0.001, -0.001, 0.0][window.block as usize % 3];
            let work = rate * (1.0 + scatter + of_block) * window.wall_seconds;
            window.work = (work / one as f64).round() as u64 * one;
            window.cpu_seconds = 0.1 * window.wall_seconds;
            window.telemetry.cpu_use = None;
        }
        m.reasons.clear();
    }
    document.run.reasons.clear();
    sign(&mut document);
    assert_eq!(document.run.verdict, Verdict::Valid, "{:?}", document.run.reasons);
    document
}

/// What follows from the rest, and the digests.
fn sign(document: &mut Document) {
    results::fill(document);
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    document.proof.seed_sha256 = hex(&seed.0);
    document.proof.document_sha256 = results::document_sha256(document);
}

fn changed(change: impl FnOnce(&mut Document)) -> Document {
    let mut document = calm(1.0);
    change(&mut document);
    sign(&mut document);
    document
}

/// A run that was cut off before it had all rows.
fn cut_off(change: fn(&mut Vec<wire::Measurement>)) -> Document {
    changed(|d| {
        d.run.finished_at = None;
        change(&mut d.measurements);
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
            assert_eq!((&change["ratio"], &change["p"]), (&1.0.into(), &1.0.into()), "{change}");
            assert!(change["ci95_low"].as_f64() < Some(1.0), "{change}");
            assert!(change["ci95_high"].as_f64() > Some(1.0), "{change}");
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
    let mut hungrier = calm(1.0);
    match &mut hungrier.measurements[0].energy {
        Energy::Declared(e) => e.joules_per_unit.value *= 1.2,
        other => panic!("{other:?}"),
    }
    let comparison = results::compare(&base, &hungrier, Some(5.0));
    assert_eq!(comparison.past_gate, Some(true));
    assert_eq!(comparison.pairs[0].throughput.past_gate, Some(false));
    assert_eq!(comparison.pairs[0].joules_per_unit.as_ref().unwrap().past_gate, Some(true));

    for gate in ["-1", "100", "five"] {
        let (code, _, err) = slower.compare(&[&format!("--gate={gate}")]);
        assert!(code == 2 && err.contains("--gate 5") && err.lines().count() == 1, "{err}");
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
    refused(&changed(|d| d.measurements[0].reasons.push("it was hot".into())), "it was hot");
    let failed = changed(|d| {
        let m = &mut d.measurements[1];
        (m.outcome, m.reason) = (Outcome::Failed, Some("the device gave up".into()));
        (m.windows, m.blocks) = (Vec::new(), Vec::new());
        (m.throughput, m.work_proof, m.latency, m.drift) = (None, None, None, None);
        m.energy = Energy::None(wire::NoEnergy { reason: "nothing was measured".into() });
    });
    refused(&failed, "the device gave up");
    // What only the new run has is told, and needs no judgement.
    let fewer = cut_off(|rows| drop(rows.pop()));
    let (code, table, err) = Files::of(&fewer, &base).compare(&["--gate", "5"]);
    assert!(code == 0 && table.contains("only in the new run"), "{table}{err}");
}

#[test]
fn only_truthful_files_are_compared() {
    let base = calm(1.0);
    let mut forged = base.clone();
    forged.measurements[0].throughput.as_mut().unwrap().value *= 2.0;
    let files = Files::of(&base, &forged);
    let one_line = |why: &str| {
        let (code, out, err) = files.compare(&[]);
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.lines().count() == 1 && err.contains(why), "{err}");
        assert!(err.contains("new.json"), "{err}");
    };
    one_line("is not truthful");
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
    let gemm = |change: fn(&mut wire::Measurement)| {
        let mut document = calm(1.0);
        change(document.measurements.iter_mut().find(|m| m.workload.spec() == GEMM).unwrap());
        refusal(&document)
    };
    assert_eq!(gemm(|_| ()), Vec::<String>::new());
    assert_eq!(gemm(|m| m.workload.shape = Some("48x40x57:f32".into())), ["shape"]);
    assert_eq!(gemm(|m| m.workload.shape = Some("48x40x56:int8".into())), ["precision"]);
    let activations = |m: &mut wire::Measurement| {
        m.workload.shape = Some("48x40x56:f32:activations=f16".into());
    };
    assert_eq!(gemm(activations), ["precision"]);
    let scope = |m: &mut wire::Measurement| match &mut m.energy {
        Energy::Declared(e) => e.scope = wire::Scope::CpuPackage,
        other => panic!("{other:?}"),
    };
    assert_eq!(gemm(scope), ["scope"]);
    let none = |m: &mut wire::Measurement| {
        m.energy = Energy::None(wire::NoEnergy { reason: "nobody looked".into() });
    };
    assert_eq!(gemm(none), ["provenance", "scope"]);
    let limited = |m: &mut wire::Measurement| {
        m.windows[0].telemetry.board = Some(wire::Board {
            celsius: None,
            core_hertz: None,
            memory_hertz: None,
            power_limit_watts: Some(250.0),
            throttle: None,
        });
    };
    assert_eq!(gemm(limited), ["power limit"]);
    let mut rested = calm(1.0);
    rested.run.protocol.rest_seconds += 1.0;
    assert_eq!(refusal(&rested), ["protocol.rest_seconds"]);

    let mut other_mode = calm(1.0);
    other_mode.run.protocol.mode = "default".into();
    other_mode.run.protocol.windows = 5;
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
    let mut new = calm(1.0);
    new.manifest.devices[0].id = "gpu:0".into();
    new.manifest.devices[0].class = "software-gpu".into();
    new.measurements.iter_mut().for_each(|m| m.device = "gpu:0".into());
    let comparison = results::compare(&calm(1.0), &new, None);
    assert_eq!(comparison.pairs.len(), 2);
    assert!(comparison.pairs[0].differs[0].contains("(cpu) against"), "{comparison:?}");
    assert!(comparison.pairs[0].differs[0].contains("(software-gpu)"), "{comparison:?}");
}

#[test]
fn a_row_that_was_cut_off_is_compared_as_far_as_it_goes() {
    let mut cut = calm(0.8);
    for m in &mut cut.measurements {
        let windows: Vec<wire::Window> = m
            .windows
            .iter()
            .cycle()
            .take(6)
            .cloned()
            .map(|w| wire::Window { block: 0, ..w })
            .collect();
        m.windows = windows;
    }
    let comparison = results::compare(&calm(1.0), &cut, None);
    let change = &comparison.pairs[0].throughput;
    assert!(change.method.contains("Mann and Whitney"), "{change:?}");
    assert!(change.regression && (change.ratio - 0.8).abs() < 0.005, "{change:?}");
    cut.measurements.iter_mut().for_each(|m| m.windows.truncate(3));
    let comparison = results::compare(&calm(1.0), &cut, Some(5.0));
    assert_eq!(comparison.pairs[0].throughput.p, None);
    assert!(comparison.not_judged[0].contains("too few windows"), "{comparison:?}");
}

/// Joules from a counter of 5 % accuracy: blocks as they are, times `factor`.
fn metered(factor: f64) -> Document {
    let mut document = calm(1.0);
    let m = &mut document.measurements[0];
    let blocks = m.windows.chunk_by(|a, b| a.block == b.block);
    let joules: Vec<f64> =
        blocks.map(|b| b.iter().map(|w| w.wall_seconds).sum::<f64>() * 50.0 * factor).collect();
    let gross_joules: f64 = joules.iter().sum();
    let work: f64 = m.windows.iter().map(|w| w.work as f64).sum();
    let block = |joules| wire::BlockEnergy { gross_joules: Some(joules), reason: None };
    m.energy = Energy::MeasuredCounter(wire::MeasuredEnergy {
        scope: wire::Scope::GpuBoard,
        includes: String::new(),
        excludes: String::new(),
        source: wire::Meter {
            kind: "nvml".into(),
            model: "a card".into(),
            driver: None,
            quantity: wire::Quantity::Counter { range_joules: vec![None], duty: 1.0 },
            update_period_seconds: Some(0.1),
            poll_seconds: 0.05,
            ceiling_watts: 1000.0,
            accuracy: 0.05,
            accuracy_basis: "assumed".into(),
            accuracy_reference: "a test".into(),
        },
        blocks: joules.into_iter().map(block).collect(),
        joules_per_unit: wire::PerUnit {
            value: gross_joules / work,
            ci95_low: Some(0.95 * gross_joules / work),
            ci95_high: Some(1.05 * gross_joules / work),
            n: 100,
            method: String::new(),
        },
        gross_joules,
        net_joules: None,
        power_watts: 50.0 * factor,
        idle: None,
        uncertainty: wire::Uncertainty {
            meter_joules: 0.05 * gross_joules,
            window_joules: 0.002 * gross_joules,
            statistical_joules: 0.0,
        },
        update_period_seconds: Some(0.1),
        samples: 100,
        rejected_samples: 0,
        failed_reads: 0,
        coverage: 1.0,
        wraps: 0,
        cross_checks: Vec::new(),
        response: None,
        sampler_core_share: 0.0,
        readings: wire::Readings {
            before_seconds: Vec::new(),
            after_seconds: Vec::new(),
            values: Vec::new(),
        },
        readings_sha256: String::new(),
    });
    document
}

#[test]
fn a_meter_is_wrong_by_the_same_share_twice_and_two_meters_are_not() {
    let joules = |new: &Document| {
        let comparison = results::compare(&metered(1.0), new, Some(5.0));
        comparison.pairs[0].joules_per_unit.clone().unwrap()
    };
    let one = joules(&metered(1.06));
    assert!((one.ratio - 1.06).abs() < 1e-9 && one.regression, "{one:?}");
    assert!(one.p < Some(0.05) && one.past_gate == Some(true), "{one:?}");
    assert!(one.method.contains("the same one on the same machine"), "{one:?}");
    // Half of the interval is at least the ends of both rows' windows.
    assert!(one.ci95_high.unwrap() / one.ratio > 1.0028, "{one:?}");

    let mut elsewhere = metered(1.06);
    elsewhere.manifest.host.cpu = "Another".into();
    let two = joules(&elsewhere);
    assert!(!two.regression && two.p > Some(0.05), "{two:?}");
    let half = (two.ci95_high.unwrap() / two.ratio).ln();
    assert!(half > 0.05 * 2f64.sqrt() && half < 0.09, "{two:?}");

    let mut modelled = calm(1.0);
    for m in &mut modelled.measurements {
        m.energy = Energy::Modelled(wire::ModelledEnergy {
            scope: wire::Scope::Machine,
            modelled_joules_per_unit_low: 1.0,
            modelled_joules_per_unit_high: 9.0,
            modelled_power_watts_low: 10.0,
            modelled_power_watts_high: 90.0,
            basis: "a test".into(),
        });
    }
    let comparison = results::compare(&modelled, &modelled, Some(5.0));
    assert_eq!(comparison.pairs[0].joules_per_unit, None);
    assert!(comparison.pairs[0].no_joules_reason.as_ref().unwrap().contains("modelled"));
    assert_eq!(comparison.not_judged, Vec::<String>::new());
}

/// Rates of windows as rigbench recorded them: `tests/golden/windows.json`, made by `scripts/windows.py`.
#[derive(Deserialize)]
struct Recorded {
    rows: Vec<RecordedRow>,
}

#[derive(Deserialize)]
struct RecordedRow {
    class: String,
    workload: String,
    /// Windows that follow on one another.
    stretches: Vec<Vec<f64>>,
}

/// Windows of a block in the default protocol.
const BLOCK: usize = 5;
const PAIRS: usize = 2000;

/// Draws that are the same in each run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) as usize) % n
    }

    /// `blocks` blocks of windows that were recorded one after the other, from anywhere in the row.
    fn row(&mut self, row: &RecordedRow, blocks: usize) -> Vec<Vec<f64>> {
        let places: Vec<&[f64]> = row.stretches.iter().flat_map(|s| s.windows(BLOCK)).collect();
        (0..blocks).map(|_| places[self.below(places.len())].to_vec()).collect()
    }
}

/// A document of one row with these rates, times `factor`.
fn document(blocks: &[Vec<f64>], factor: f64) -> Document {
    let mut document = RUN.clone();
    document.measurements.truncate(1);
    let m = &mut document.measurements[0];
    let template = m.windows[0].clone();
    m.windows = blocks
        .iter()
        .enumerate()
        .flat_map(|(block, rates)| rates.iter().map(move |rate| (block, rate)))
        .map(|(block, rate)| wire::Window {
            block: block as u64,
            wall_seconds: template.work as f64 / (rate * factor),
            ..template.clone()
        })
        .collect();
    document
}

/// Pairs of equal rows that are said to differ, and rows 5 % slower that are found, without a gate and with one of 5 %.
#[derive(Clone, Copy, Default)]
struct Judged {
    pairs: usize,
    alarms: usize,
    found: usize,
    gated: usize,
}

impl Judged {
    fn shares(self) -> [f64; 3] {
        [self.alarms, self.found, self.gated].map(|count| count as f64 / self.pairs as f64)
    }
}

/// Each row of a pair is drawn from the same recorded windows in stretches as long as a block, so that windows of a
/// block resemble each other as they did when they were recorded; blocks are drawn from all of the row, so that its drift
/// is among what they scatter by. What differs between runs is not in it.
fn judged(recorded: &Recorded, blocks: usize) -> Vec<Judged> {
    let mut draws = Draws(blocks as u64);
    let mut judged = vec![Judged::default(); recorded.rows.len()];
    for i in 0..PAIRS {
        let row = &recorded.rows[i % recorded.rows.len()];
        let (base, new) = (draws.row(row, blocks), draws.row(row, blocks));
        let compare = |factor: f64| {
            let (base, new) = (document(&base, 1.0), document(&new, factor));
            results::compare(&base, &new, Some(5.0)).pairs[0].throughput.clone()
        };
        let (equal, slower) = (compare(1.0), compare(0.95));
        let is_alarm = equal.regression || equal.improvement;
        assert_eq!(equal.p < Some(0.05), is_alarm, "{equal:?}");
        let count = &mut judged[i % recorded.rows.len()];
        count.pairs += 1;
        count.alarms += usize::from(is_alarm);
        count.found += usize::from(slower.regression);
        count.gated += usize::from(slower.past_gate == Some(true));
    }
    judged
}

#[test]
fn false_alarms_are_few_and_a_slowdown_of_five_percent_is_found() {
    let recorded: &Recorded = &serde_json::from_str(include_str!("golden/windows.json")).unwrap();
    // A quick run's blocks, which are too few, the least that the default protocol has, the most it has in 30 s, and 30 windows.
    let all = std::thread::scope(|scope| {
        let begin = |blocks| (blocks, scope.spawn(move || judged(recorded, blocks)));
        [2, 3, 4, 6].map(begin).map(|(blocks, judging)| (blocks, judging.join().unwrap()))
    });
    for (blocks, judged) in all {
        let sum = |part: fn(&Judged) -> usize| judged.iter().map(part).sum();
        let all = Judged {
            pairs: sum(|j| j.pairs),
            alarms: sum(|j| j.alarms),
            found: sum(|j| j.found),
            gated: sum(|j| j.gated),
        };
        let names = recorded.rows.iter().map(|row| format!("{} {}", row.class, row.workload));
        for (name, judged) in names.zip(&judged).chain([("all".into(), &all)]) {
            let [alarms, found, gated] = judged.shares();
            println!(
                "{blocks} blocks, {name}: alarms {alarms:.3}, found {found:.3}, by the gate {gated:.3}"
            );
        }
        let [alarms, found, gated] = all.shares();
        // The README says so of a quick run: it is for a first look.
        let (most, least) = if blocks == 2 { (0.08, 0.7) } else { (0.06, 0.9) };
        assert!(alarms <= most, "{blocks} blocks: false alarms {alarms}");
        assert!(found >= least, "{blocks} blocks: found {found}");
        assert!(gated >= least, "{blocks} blocks: found by the gate {gated}");
    }
}

/// The reason why blocks are compared and not windows.
#[test]
fn windows_taken_as_independent_would_raise_false_alarms() {
    let recorded: Recorded = serde_json::from_str(include_str!("golden/windows.json")).unwrap();
    let row = recorded.rows.iter().find(|r| r.workload.starts_with("gemm")).unwrap();
    assert_eq!(row.class, "software-gpu");
    let mut draws = Draws(1);
    let alarm = |_: &usize| {
        let (base, new) = (draws.row(row, 6).concat(), draws.row(row, 6).concat());
        stats::mann_whitney(&base, &new).unwrap().p < 0.05
    };
    let alarms = (0..PAIRS).filter(alarm).count() as f64 / PAIRS as f64;
    println!("windows taken as independent: false alarms {alarms:.4}");
    assert!(alarms > 0.1, "{alarms}");
}

#[test]
fn the_recording_says_how_it_was_made() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/windows.json");
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(recorded["made_by"].as_str().unwrap().contains("protocol default, 30 windows"));
}

/// The made-up digest of a model in `model.gguf`.
fn of_model(document: &Document, digits: &str) -> Document {
    let mut document = document.clone();
    document.measurements.truncate(1);
    let m = &mut document.measurements[0];
    m.workload.id = "decode".into();
    m.workload.unit = "token".into();
    m.workload.shape = Some("model.gguf:batch=1:prompt=128:context=256".into());
    m.workload.model_sha256 = Some(digits.repeat(32));
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
