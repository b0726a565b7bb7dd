//! Proofs of work and products against forgers who have our code: every forgery is signed again, with its seed and digest
//! as an honest run would have them.

use crate::support;
use crate::validate::forgers::{claim, thin};
use crate::validate::honest::{
    RUN, findings, forged, mine, refused, row, row_of, rows, sign, spread,
};
use rigbench::results::{self, Document, Row, RowFigures};
use rigbench::workload::matmul::Elements;
use rigbench::workload::sha256d::{Share, Shares};
use rigbench::workload::{Id, Proof};
use std::path::Path;

fn faults(document: &Document) -> Vec<String> {
    findings(document).faults
}

fn hashes(document: &mut Document) -> &mut Row {
    row_of(document, Id::Sha256d)
}

fn shares(document: &mut Document) -> &mut Shares {
    match hashes(document).proof.as_mut() {
        Some(Proof::Shares(shares)) => shares,
        _ => panic!("an honest run has shares"),
    }
}

/// Multiplies the work of every window.
fn scale_work(row: &mut Row, factor: u64) {
    row.windows.as_mut().unwrap().work.iter_mut().for_each(|work| *work *= factor);
}

#[test]
fn an_honest_document_is_consistent_and_so_is_one_signed_again() {
    assert_eq!(findings(&RUN.written).faults, Vec::<String>::new());
    assert_eq!(faults(&RUN.document), Vec::<String>::new());
    assert_eq!(forged(|_| ()), Vec::<String>::new());
    let notes = findings(&RUN.document).notes;
    for said in ["proven work: ", "hashes claimed, supported by", "sampled: ", "not verifiable: "] {
        assert!(notes.iter().any(|note| note.contains(said)), "{said}: {notes:?}");
    }
}

#[test]
fn a_share_that_is_none_is_refused() {
    refused(&forged(|d| shares(d).shares[0].nonce ^= 1 << 24), "does not meet the target");
    refused(&forged(|d| shares(d).shares[3].version ^= 1), "does not meet the target");
    refused(&forged(|d| shares(d).target /= 2), "does not meet the target");
    let twice = |d: &mut Document| {
        let shares = &mut shares(d).shares;
        let first = shares[0];
        shares.push(first);
    };
    refused(&forged(twice), "is duplicated");
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
    use rigbench::oracle::sha256d::{hash, most_significant};
    let mut copy = document.clone();
    let target = shares(&mut copy).target;
    let seed = results::row_seed(results::seed(&document.evidence), hashes(&mut copy));
    let nonce = (0..).find(|&n| most_significant(&hash(&seed.header(header), n)) < target);
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
    refused(&forged(|d| hashes(d).proof = None), "no share is recorded");
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
        let words: u64 = shares.stretches.iter().map(|s| s.end - s.start).sum();
        shares.stretches.last_mut().unwrap().end += words;
    };
    refused(&forged(with_the_scan), "give about");
    let with_the_versions = |d: &mut Document| {
        scale_work(hashes(d), 2);
        shares(d).versions *= 2;
    };
    refused(&forged(with_the_versions), "give about");
    let mut faster = RUN.document.clone();
    let figures = faster.derived.rows[0].known_mut().unwrap();
    *figures.throughput.as_mut().unwrap().value.as_mut().unwrap() *= 2.0;
    faster.proof.document_sha256 = results::document_sha256(&faster);
    refused(&faults(&faster), "derived.rows[0].throughput.value");
    let second_row = |d: &mut Document| {
        let row = hashes(d).clone();
        d.evidence.rows.push(row.into());
    };
    refused(&forged(second_row), "is duplicated");
    // Under another condition and at another time it is another row, of the same hashes.
    let another_condition = |d: &mut Document| {
        let mut row = hashes(d).clone();
        row.condition.locked_clock_hertz = Some(1.5e9);
        crate::validate::forgers::delay_from(&mut row, 0.0, 1000.0);
        d.evidence.rows.push(row.into());
        d.evidence.run.finished_at = None;
    };
    assert_eq!(
        forged(another_condition),
        ["evidence.rows: two of sha256d on cpu show the same hashes"]
    );
}

#[test]
fn shares_of_another_run_are_refused() {
    let evidence = |change: fn(&mut results::Evidence)| forged(|d| change(&mut d.evidence));
    refused(&evidence(|e| e.run.user_seed ^= 1), "does not meet the target");
    refused(&evidence(|e| e.run.labels.clear()), "does not meet the target");
    refused(&evidence(|e| e.challenge = Some("c0ffef".into())), "does not meet the target");
    refused(&evidence(|e| e.beacon = Some("00".repeat(80))), "does not meet the target");
    refused(&evidence(|e| e.manifest.host.cpu = "A faster one".into()), "does not meet the target");
    refused(&evidence(|e| e.manifest.protocol.precision = 0.5), "does not meet the target");
    refused(
        &evidence(|e| e.manifest.rigbench.commit = Some("x".into())),
        "does not meet the target",
    );
    refused(&forged(|d| hashes(d).device = "gpu:0".parse().unwrap()), "does not meet the target");
}

/// The honest run with fewer shares than it found, of a harder target.
fn thinned(share: f64) -> Document {
    let mut document = RUN.document.clone();
    thin(&mut document, share);
    sign(&mut document);
    document
}

fn figures(document: &Document) -> &RowFigures {
    document.derived.rows[0].known().unwrap()
}

fn wall_seconds(document: &Document) -> f64 {
    document.rows().next().unwrap().0.windows.as_ref().unwrap().seconds().0
}

#[test]
fn a_claim_counts_in_full_only_if_its_shares_are_dense() {
    let rate = |figures: &RowFigures| figures.throughput.unwrap().value.unwrap();
    let joules = |figures: &RowFigures| -> Vec<f64> {
        figures.energies().map(|e| e.joules_per_unit.unwrap().middle()).collect()
    };
    let honest = figures(&RUN.document);
    let (mut full, mut cut, mut few) = (0, 0, 0);
    for share in [1.0, 0.97, 0.9, 0.7, 0.5, 0.3, 0.2, 0.1, 0.04, 0.01] {
        let document = thinned(share);
        let figures = figures(&document);
        let proven = figures.proven.as_ref().unwrap();
        let faults = faults(&document);
        let dense = proven.expected_shares >= 400.0;
        let end = if dense { proven.most_hashes } else { proven.least_hashes };
        assert!(proven.least_hashes < proven.most_hashes, "{proven:?}");
        assert_eq!(proven.counted_hashes, end.min(proven.claimed_hashes));
        if proven.expected_shares < 20.0 {
            refused(&faults, "too few to show that anything was hashed");
            few += 1;
            continue;
        }
        assert_eq!(faults, Vec::<String>::new(), "{share} of the target");
        let notes = findings(&document).notes;
        let told = notes.iter().any(|note| note.contains("the rate is cut to the"));
        let wall = wall_seconds(&document);
        let share = if proven.expected_shares >= 400.0 {
            // One honest claim of 40 is above the upper bound.
            assert_eq!(proven.is_cut(), proven.most_hashes < proven.claimed_hashes);
            assert_eq!(proven.is_cut(), told);
            full += 1;
            (proven.most_hashes / wall / rate(honest)).min(1.0)
        } else {
            assert_eq!(proven.is_cut(), proven.least_hashes < proven.claimed_hashes);
            assert_eq!(proven.is_cut(), told, "{proven:?} {notes:?}");
            cut += 1;
            (proven.least_hashes / wall / rate(honest)).min(1.0)
        };
        // Hashes that are not proven earn neither rate nor joules.
        assert!((rate(figures) / rate(honest) / share - 1.0).abs() < 1e-9);
        let share = proven.counted_hashes / proven.claimed_hashes;
        for (joules, honest) in joules(figures).iter().zip(joules(honest)) {
            assert!((joules * share / honest - 1.0).abs() < 1e-9, "{joules} {honest} {share}");
        }
        assert_eq!(document.derived.rows[1..], RUN.document.derived.rows[1..]);
    }
    println!("{full} targets keep the claim, {cut} cut it, {few} are refused");
    assert!(full >= 1 && cut >= 3 && few >= 1);
}

/// Honest hashes, just enough and just too few.
#[test]
fn four_hundred_expected_shares_are_enough() {
    for expected in [400, 399, 20] {
        let mut document = RUN.document.clone();
        let seed = results::seed(&document.evidence);
        mine(hashes(&mut document), seed, expected);
        sign(&mut document);
        assert_eq!(faults(&document), Vec::<String>::new(), "{expected}");
        let proven = figures(&document).proven.clone().unwrap();
        let dense = expected >= 400;
        let supported = if dense { proven.most_hashes } else { proven.least_hashes };
        let cut = supported < proven.claimed_hashes;
        assert_eq!((proven.expected_shares, proven.is_cut()), (expected as f64, cut));
    }
    let too_few = forged(|d| {
        let seed = results::seed(&d.evidence);
        mine(hashes(d), seed, 19);
    });
    refused(&too_few, "too few to show that anything was hashed");
}

/// Ends of the Poisson mean's 95 % interval, from tables of the chi-squared distribution: half of its quantiles.
#[test]
fn what_shares_prove_are_the_bounds_of_their_mean() {
    for (shares, least, most) in
        [(20usize, 12.217, 30.888), (50, 37.111, 65.919), (100, 81.364, 121.627)]
    {
        let mut document = RUN.document.clone();
        let seed = results::seed(&document.evidence);
        mine(hashes(&mut document), seed, 200);
        self::shares(&mut document).shares.truncate(shares);
        let figures = results::derive(&document.evidence, results::Rules::current());
        let proven = figures.rows[0].known().unwrap().proven.clone().unwrap();
        assert_eq!(proven.shares, shares);
        assert!((proven.least_hashes / 256.0 / least - 1.0).abs() < 1e-3, "{proven:?}");
        assert!((proven.most_hashes / 256.0 / most - 1.0).abs() < 1e-3, "{proven:?}");
    }
}

/// Whatever a forger claims and however he thins his shares: it is refused, or counts for no more than chance allows.
#[test]
fn no_claim_far_beyond_the_work_counts() {
    let honest = figures(&RUN.document).throughput.unwrap().value.unwrap();
    let (mut tried, mut most) = (0, 0.0f64);
    for factor in [1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.35, 1.4, 1.5, 2.0, 3.0, 5.0, 8.0, 20.0] {
        for share in [1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5, 0.3, 0.1] {
            for even in [true, false] {
                let mut document = RUN.document.clone();
                claim(&mut document, factor, even);
                thin(&mut document, share);
                sign(&mut document);
                tried += 1;
                if faults(&document).is_empty() {
                    let rate = figures(&document).throughput.unwrap().value.unwrap();
                    most = most.max(rate / honest);
                    let proven = figures(&document).proven.as_ref().unwrap();
                    let supported = proven.most_hashes / wall_seconds(&document);
                    assert!(rate <= supported * (1.0 + 1e-9), "{rate} {supported}");
                }
            }
        }
    }
    println!("{tried} claims, the most that counts is {most:.2} times the work");
    // The upper bound of some 300 shares, of which there may be by chance, once in 100,000 runs, a quarter too many.
    assert!(most < 1.4, "{most}");
}

fn elements(document: &mut Document) -> &mut Elements {
    match row_of(document, Id::Gemm).proof.as_mut() {
        Some(Proof::Elements(elements)) => elements,
        _ => panic!("an honest product shows elements"),
    }
}

#[test]
fn elements_that_do_not_follow_from_the_seed_are_refused() {
    let nudged = |d: &mut Document| elements(d).elements[3].value *= 1.001;
    refused(&forged(nudged), "computed again it is");
    refused(&forged(|d| elements(d).elements[0].row = 48), "none of this row");
    refused(
        &forged(|d| elements(d).elements.retain(|e| e.window != 2)),
        "window 3 shows no element",
    );
    refused(&forged(|d| elements(d).f16_roundings = 2000), "let anything pass");
    refused(&forged(|d| elements(d).weight_excess = 9), "let anything pass");
    refused(&forged(|d| row(d, 1).proof = None), "no element is recorded");
    let swapped = |d: &mut Document| {
        let proof = row(d, 0).proof.clone();
        row(d, 1).proof = proof;
    };
    refused(&forged(swapped), "not a proof of this kind of work");
    let wider = |d: &mut Document| {
        let spec = "gemm:48x40x57:int8".to_string();
        d.evidence.manifest.workloads[1] = spec.clone();
        row(d, 1).workload.spec = spec;
    };
    refused(&forged(wider), "computed again it is");
}

/// No JSON number is none.
#[test]
fn an_element_without_a_value_is_refused() {
    let mut value = serde_json::to_value(&RUN.document).unwrap();
    for none in ["null", "\"NaN\"", "1e999"] {
        let text = value.to_string();
        let shown = value["evidence"]["rows"][1]["proof"]["value"].to_string();
        let first = value["evidence"]["rows"][1]["proof"]["value"][0].to_string();
        let other = shown.replacen(&first, none, 1);
        let faults =
            crate::validate::honest::findings_of(text.replacen(&shown, &other, 1).as_bytes())
                .faults;
        assert_eq!(faults.len(), 1, "{none}: {faults:?}");
    }
    value["evidence"]["rows"][1]["proof"]["value"] = serde_json::json!([]);
    let faults = crate::validate::honest::findings_of(value.to_string().as_bytes()).faults;
    refused(&faults, "not of one length");
}

#[test]
fn a_change_that_is_not_signed_is_seen() {
    let mut document = RUN.document.clone();
    document.evidence.run.attempt = Some(1);
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
    assert!(said.contains("good.json: consistent"), "{said}");
    assert!(said.contains("when, where, how fast") && !said.contains("truthful"), "{said}");

    let mut forged = RUN.document.clone();
    shares(&mut forged).shares.truncate(10);
    sign(&mut forged);
    let bad = write("bad.json", &serde_json::to_vec(&forged).unwrap());
    let (code, said) = validate(&[&good, &bad]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("bad.json: not consistent"), "{said}");
    assert!(said.contains("evidence.rows[0].proof: 10 shares"), "{said}");

    for junk in [&b"junk"[..], b"", b"{}", &honest[..honest.len() / 2]] {
        let (code, said) = validate(&[&write("junk.json", junk)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("not a rigbench result file"), "{said}");
    }
    let other = String::from_utf8(honest).unwrap().replacen("\"2.0.0\"", "\"3.0.0\"", 1);
    let (code, said) = validate(&[&write("other.json", other.as_bytes())]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("its format is 3.0.0"), "{said}");
    let (code, said) = validate(&[&folder.path().join("none.json")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("error: cannot read"), "{said}");
}

/// What is spread over windows is all there, as every test here takes for granted.
#[test]
fn spread_work_is_whole() {
    let mut document = RUN.document.clone();
    for row in rows(&mut document) {
        let windows = row.windows.as_mut().unwrap();
        spread(windows, 1_000_003);
        assert_eq!(windows.total_work(), 1_000_003);
    }
}

/// Work that is moved from one window to another adds nothing to the rate, which is a median.
#[test]
fn work_moved_between_windows_raises_no_rate_above_what_is_proven() {
    let honest = figures(&RUN.document).throughput.unwrap().value.unwrap();
    for share_kept in [1u64, 4] {
        let mut document = RUN.document.clone();
        let windows = hashes(&mut document).windows.as_mut().unwrap();
        let few = windows.work.len() / 3;
        let moved: u64 = windows.work[..few].iter().map(|work| work - work * share_kept / 10).sum();
        windows.work[..few].iter_mut().for_each(|work| *work = *work * share_kept / 10);
        let rest = windows.work.len() - few;
        let each = moved / rest as u64;
        windows.work[few..].iter_mut().for_each(|work| *work += each);
        windows.work[few] += moved - each * rest as u64;
        sign(&mut document);
        let rate = figures(&document).throughput.unwrap().value.unwrap();
        let proven = figures(&document).proven.clone().unwrap();
        let most = proven.most_hashes / wall_seconds(&document);
        assert!(rate <= most * (1.0 + 1e-9), "{rate} {most}");
        assert!(rate < 1.4 * honest, "{rate} {honest}");
    }
}
