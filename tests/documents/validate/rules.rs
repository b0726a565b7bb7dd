//! A file is judged by the rules that it names, whatever later ones say, and told where those of today give something else.

use crate::validate::honest::{RUN, calm, row, sign};
use rigbench::device::hardware::Cards;
use rigbench::results::read::{self, ParsedDocument};
use rigbench::results::{self, Depth, Document, Findings, Minimum, Rules, Verdict, validate_with};
use rigbench::workload::Proof;

fn given(document: &Document) -> ParsedDocument {
    read::read(results::text(document).as_bytes()).unwrap()
}

/// The rules of today and later ones.
fn with_later(change: impl FnOnce(&mut Rules)) -> [Rules; 2] {
    let mut later = Rules::current().clone();
    later.version += 1;
    change(&mut later);
    [Rules::current().clone(), later]
}

fn judged(document: &Document, change: impl FnOnce(&mut Rules)) -> Findings {
    validate_with(&with_later(change), Cards::published(), &given(document), Depth::Quick)
}

/// Rates that rise by 3 % and one window in eight that others used: valid by the first rules.
fn doubtful() -> Document {
    let mut document = calm();
    let m = row(&mut document, 0);
    m.telemetry.as_mut().unwrap().cpu_use = vec![None; m.telemetry.as_ref().unwrap().samples];
    let sample = m.windows.as_ref().unwrap().samples_at_ends()[2];
    m.telemetry.as_mut().unwrap().cpu_use[sample] = Some(0.5);
    let m = row(&mut document, 2);
    let windows = m.windows.as_mut().unwrap();
    let all = windows.len();
    for (i, work) in windows.work.iter_mut().enumerate() {
        *work = (*work as f64 * (1.0 + 0.03 * i as f64 / all as f64)) as u64;
    }
    sign(&mut document);
    assert_eq!(document.derived.run.verdict, Verdict::Valid);
    document
}

/// Changes of constants, and which rows they change.
type Change = (&'static str, fn(&mut Rules), [bool; 3]);

const LONG: Minimum = Minimum {
    mode: "quick",
    seconds: 1e6,
    windows: 1000,
    rest_seconds: 100.0,
    warm_up_required: true,
};

const CHANGES: &[Change] = &[
    ("nothing", |_| (), [false; 3]),
    ("drift", |rules| rules.drift = 0.01, [false, false, true]),
    ("disturbed", |rules| rules.disturbed = 0.02, [true, false, false]),
    ("what is a disturbance", |rules| rules.others = 0.6, [false; 3]),
    ("density", |rules| rules.min_expected_shares = 1e6, [true, false, false]),
    ("coverage of readings", |rules| rules.energy.coverage = 1.5, [true; 3]),
    ("rest and length of windows", |rules| rules.shortest = 3.0, [false; 3]),
    ("what modes promise", |rules| rules.modes = &[LONG], [false; 3]),
    ("the first day", |rules| rules.first_day = "2036-11-30T00:00:00Z", [false; 3]),
    ("clocks", |rules| (rules.clocks_share, rules.clocks_seconds) = (0.0, 0.0), [false; 3]),
];

#[test]
fn a_file_keeps_its_verdict_and_is_told_what_todays_rules_change() {
    let document = doubtful();
    let labels: Vec<String> = document.rows().map(|(row, _)| row.label()).collect();
    for (what, change, changed) in CHANGES {
        let said = judged(&document, change);
        assert_eq!(said.faults, Vec::<String>::new(), "{what}");
        assert!(!said.notes.iter().any(|note| note.starts_with("invalid")), "{:?}", said.notes);
        for (label, changed) in labels.iter().zip(changed) {
            let lines: Vec<_> = said
                .changed
                .iter()
                .filter(|line| line.starts_with(&format!("{label}: ")))
                .collect();
            assert_eq!(lines.len(), usize::from(*changed), "{what}: {:?}", said.changed);
            assert!(lines.iter().all(|line| line.contains("by today's rules (2)")), "{lines:?}");
        }
    }
    let drift = judged(&document, |rules| rules.drift = 0.01).changed;
    assert!(drift[0].contains("it is invalid: its rate rose by"), "{drift:?}");
    let density = judged(&document, |rules| rules.min_expected_shares = 1e6).changed;
    assert!(density[0].ends_with("its throughput and its joules differ"), "{density:?}");
}

/// A verdict that was lost under old rules stays lost under them.
#[test]
fn a_file_that_was_invalid_stays_so_and_is_told_that_it_would_not_be() {
    let mut document = doubtful();
    let windows = row(&mut document, 2).windows.as_mut().unwrap();
    let all = windows.len();
    for (i, work) in windows.work.iter_mut().enumerate() {
        *work = (*work as f64 * (1.0 + 0.09 * i as f64 / all as f64)) as u64;
    }
    sign(&mut document);
    assert_eq!(document.derived.run.verdict, Verdict::Invalid);
    let said = judged(&document, |rules| rules.drift = 0.5);
    assert_eq!(said.faults, Vec::<String>::new());
    assert!(said.notes.iter().any(|n| n.starts_with("invalid: peak:f32 on cpu: its rate rose")));
    assert!(said.changed[0].contains("it is valid; it was not: its rate rose"), "{said:?}");
}

/// Figures by other rules than the file names do not follow, however recent those are.
#[test]
fn a_file_that_names_other_rules_than_those_of_its_figures_is_refused() {
    let all = with_later(|rules| rules.drift = 0.01);
    let mut document = doubtful();
    document.derived = results::derive(&document.evidence, &all[1]);
    document.proof.document_sha256 = results::document_sha256(&document);
    let faults = validate_with(&all, Cards::published(), &given(&document), Depth::Quick).faults;
    assert!(faults.iter().any(|f| f.starts_with("derived.rows[2].reasons[0]")), "{faults:#?}");
    // By the rules that it was derived by it is consistent, and there is nothing to tell.
    document.rules = 2;
    document.proof.document_sha256 = results::document_sha256(&document);
    let said = validate_with(&all, Cards::published(), &given(&document), Depth::Quick);
    assert_eq!((said.faults, said.changed), (Vec::new(), Vec::new()));
}

#[test]
fn rules_that_nobody_knows_yet_are_noted_and_their_figures_not_compared() {
    let mut document = RUN.document.clone();
    document.rules = 99;
    document.derived.rows[0].known_mut().unwrap().throughput.as_mut().unwrap().value = Some(1.0);
    document.proof.document_sha256 = results::document_sha256(&document);
    let said = results::validate(&given(&document), Depth::Quick);
    assert_eq!(said.faults, Vec::<String>::new());
    let note = "rules 99 are newer than this rigbench, which knows them up to 1: its figures are not compared";
    assert!(said.notes.iter().any(|said| said == note), "{:?}", said.notes);
    // What is shown is derived afresh.
    let shown = given(&document).shown();
    assert_eq!((shown.rules, &shown.derived), (1, &RUN.document.derived));
    // What the rules of today would not allow in the evidence is noted, and a forged proof is a fault by any rules.
    row(&mut document, 0).windows.as_mut().unwrap().wall_seconds[0] = 0.01;
    document.proof.document_sha256 = results::document_sha256(&document);
    let said = results::validate(&given(&document), Depth::Quick);
    assert_eq!(said.faults, Vec::<String>::new());
    let note = "rules 1 would not allow this: evidence.rows[0].windows.wall_seconds[0]";
    assert!(said.notes.iter().any(|said| said.starts_with(note)), "{:?}", said.notes);
    let mut disguised = document.clone();
    let cpu = disguised.evidence.manifest.devices[0].clone();
    disguised.evidence.manifest.devices.push(cpu);
    disguised.proof.document_sha256 = results::document_sha256(&disguised);
    let faults = results::validate(&given(&disguised), Depth::Quick).faults;
    assert!(faults.iter().any(|fault| fault.contains("cpu is duplicated")), "{faults:?}");
    let Some(Proof::Shares(shares)) = &mut row(&mut document, 0).proof else { panic!() };
    shares.shares[0].nonce ^= 1 << 24;
    document.proof.document_sha256 = results::document_sha256(&document);
    let faults = results::validate(&given(&document), Depth::Quick).faults;
    assert!(faults.len() == 1 && faults[0].starts_with("evidence.rows[0].proof"), "{faults:?}");
    // There never were others before the first.
    document = RUN.document.clone();
    document.rules = 0;
    document.proof.document_sha256 = results::document_sha256(&document);
    let faults = results::validate(&given(&document), Depth::Quick).faults;
    assert_eq!(faults, ["rules: unknown rules version 0"]);
}
