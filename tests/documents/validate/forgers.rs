//! Forgeries that somebody would try, by name. Each agrees with itself, is derived again by our own code and signed.

use crate::validate::honest::{
    RUN, calm, findings, forged, mine, refused, row, row_of, rows, sign, spread,
};
use rigbench::measure::{Latency, Mode, Protocol, window_share};
use rigbench::oracle::sha256d::{hash, most_significant};
use rigbench::results::{self, Document, Row, RowFigures, Verdict};
use rigbench::units::Seconds;
use rigbench::workload::sha256d::{Shares, versioned};
use rigbench::workload::{Id, Proof};

/// Moves what a row did from a moment on to later.
pub fn delay_from(row: &mut Row, moment: f64, by: f64) {
    let blocks = &mut row.windows.as_mut().unwrap().blocks;
    let late = |at: &&mut f64| **at >= moment;
    for column in [
        &mut blocks.idle_from_seconds,
        &mut blocks.load_from_seconds,
        &mut blocks.measured_from_seconds,
    ] {
        column.iter_mut().filter(late).for_each(|at| *at += by);
    }
    for readings in &mut row.readings {
        readings.at_seconds.iter_mut().filter(|at| **at >= moment - 0.7).for_each(|at| *at += by);
    }
}

fn shares(row: &mut Row) -> &mut Shares {
    match row.proof.as_mut() {
        Some(Proof::Shares(shares)) => shares,
        _ => panic!("hashes have shares"),
    }
}

/// Shows only the shares that meet a harder target: this share of it.
pub fn thin(document: &mut Document, share: f64) {
    let seed = results::seed(&document.evidence);
    let row = row_of(document, Id::Sha256d);
    let seed = results::row_seed(seed, row);
    let shares = shares(row);
    shares.target = (shares.target as f64 * share) as u64;
    let target = shares.target;
    shares.shares.retain(|share| {
        let header = versioned(&seed.header(share.header), share.version);
        most_significant(&hash(&header, share.nonce)) < target
    });
}

/// Claims so many times the hashes: with every stretch of the scan longer, as far as there is room, or with the last one alone.
pub fn claim(document: &mut Document, factor: f64, even: bool) {
    let row = row_of(document, Id::Sha256d);
    let shares = shares(row);
    let words = |shares: &Shares| shares.stretches.iter().map(|s| s.end - s.start).sum::<u64>();
    let wanted = (words(shares) as f64 * factor) as u64;
    let last = shares.stretches.len() - 1;
    for i in 0..last {
        let length = (shares.stretches[i].end - shares.stretches[i].start) as f64;
        let longer = shares.stretches[i].start + (length * factor) as u64;
        if even {
            shares.stretches[i].end = longer.min(shares.stretches[i + 1].start);
        }
    }
    shares.stretches[last].end += wanted - words(shares);
    let all = wanted * u64::from(shares.versions);
    spread(row.windows.as_mut().unwrap(), all);
}

#[test]
fn twice_the_hashes_of_the_same_shares() {
    for even in [true, false] {
        refused(&forged(|d| claim(d, 2.0, even)), "shares where so many hashes give about");
    }
}

/// A harder target leaves fewer shares, which prove less. The forger's claim is cut to the lower end of what they prove, which chance
/// alone lifts above the truth: by four deviations of their number in one of 100,000 runs.
#[test]
fn twice_the_hashes_of_fewer_shares_and_a_harder_target() {
    let honest = RUN.document.derived.rows[0].known().unwrap().clone();
    for share in [0.9, 0.6, 0.5, 0.4, 0.2, 0.1, 0.05] {
        let mut document = RUN.document.clone();
        claim(&mut document, 2.0, true);
        thin(&mut document, share);
        sign(&mut document);
        let figures = document.derived.rows[0].known().unwrap();
        if findings(&document).faults.is_empty() {
            let proven = figures.proven.as_ref().unwrap();
            assert!(proven.is_cut() && proven.expected_shares < 400.0, "{share}: {proven:?}");
            let rate = |figures: &RowFigures| figures.throughput.unwrap().value.unwrap();
            let wall = document.rows().next().unwrap().0.windows.as_ref().unwrap().seconds().0;
            assert!(rate(figures) * wall <= proven.least_hashes * (1.0 + 1e-9), "{share}");
            let chance = 1.0 + 4.0 / (proven.shares as f64).sqrt();
            assert!(rate(figures) < rate(&honest) * chance, "{share}: {proven:?}");
            for (forged, honest) in figures.energies().zip(honest.energies()) {
                let joules = |energy: &results::Energy| energy.joules_per_unit.unwrap().middle();
                assert!(joules(forged) * chance > joules(honest), "{share}: {forged:?} {honest:?}");
            }
        }
    }
}

/// Work in less time is a higher rate. Windows end with the batches then in flight: so much is there to cut, and no more.
#[test]
fn windows_cut_to_the_floor() {
    let mean = RUN.document.evidence.manifest.protocol.window_seconds;
    let floor = |row: &mut Row, length: &dyn Fn(usize) -> f64| {
        let windows = row.windows.as_mut().unwrap();
        for i in 0..windows.len() {
            let faster = length(i) / windows.wall_seconds[i];
            windows.wall_seconds[i] *= faster;
            windows.cpu_seconds[i] *= faster;
        }
    };
    let shortest = forged(|d| rows(d).for_each(|row| floor(row, &|_| 0.85 * mean)));
    refused(&shortest, "shorter than the protocol's");
    // Each at its own floor, with batches to match: nobody sees that, and little is won.
    // A recorded run: on a busy machine windows are as long as others make them.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/2.0/quick-run.json");
    let honest: Document = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut document = honest.clone();
    floor(row(&mut document, 0), &|i| {
        honest.evidence.manifest.protocol.window_seconds * window_share(i)
    });
    match_batches(row(&mut document, 0));
    sign(&mut document);
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    let rate = |d: &Document| d.derived.rows[0].known().unwrap().throughput.unwrap().value.unwrap();
    let won = rate(&document) / rate(&honest);
    println!("windows cut to their own floors: a rate {won:.3} times as high");
    assert!((1.05..1.3).contains(&won), "{won}");
    // All of it in a tenth of the time, by a clock of one's own.
    let tenth = |row: &mut Row| floor(row, &|i| 0.1 * mean * window_share(i));
    let tenth = forged(|d| rows(d).for_each(tenth));
    refused(&tenth, "shorter than the protocol's");
}

/// Batches that take as long as the windows, by their histogram.
fn match_batches(row: &mut Row) {
    let mut batches = Latency::default();
    let windows = row.windows.as_ref().unwrap();
    windows.wall_seconds.iter().for_each(|wall| batches.record(Seconds(*wall)));
    row.latency = Some(batches);
}

/// Leaves out the last block of a row, with all that belongs to it.
fn drop_a_block(row: &mut Row) {
    let windows = row.windows.as_mut().unwrap();
    let blocks = &mut windows.blocks;
    let gone = blocks.windows.pop().unwrap();
    blocks.idle_from_seconds.pop();
    blocks.load_from_seconds.pop();
    blocks.measured_from_seconds.pop();
    blocks.warm_up_steady.pop();
    let left = windows.wall_seconds.len() - gone;
    windows.wall_seconds.truncate(left);
    windows.cpu_seconds.truncate(left);
    windows.work.truncate(left);
    let telemetry = row.telemetry.as_mut().unwrap();
    telemetry.samples -= gone + 1;
    let samples = telemetry.samples;
    telemetry.cpu_use.truncate(samples);
    telemetry.cpu_hertz.truncate(samples);
    telemetry.gpu_use.truncate(samples);
    telemetry.celsius.values_mut().for_each(|column| column.truncate(samples));
    match_batches(row);
    match &mut row.proof {
        Some(Proof::Shares(shares)) => {
            let last = shares.stretches.pop().unwrap();
            let gone = |place: u64| last.contains(&place);
            shares
                .shares
                .retain(|share| !gone((share.header << 32) + u64::from(share.nonce.swap_bytes())));
        }
        Some(Proof::Elements(elements)) => {
            elements.elements.retain(|element| (element.window as usize) < left);
        }
        _ => {}
    }
}

/// Whoever leaves a bad block out has fewer than the protocol asks for, as far as it asks.
#[test]
fn blocks_dropped() {
    // Of its windows alone.
    let bare = forged(|d| {
        let blocks = &mut row(d, 2).windows.as_mut().unwrap().blocks;
        blocks.windows.pop();
    });
    refused(&bare, "evidence.rows[2].windows.blocks: the columns are not of one length");
    for place in 0..3 {
        // Hashes are counted over the scan; work is spread evenly there, so that each stretch is its windows'.
        let mut document = RUN.document.clone();
        let dropped = row(&mut document, place);
        drop_a_block(dropped);
        if let Some(Proof::Shares(shares)) = &dropped.proof {
            let hashes = shares.hashes().unwrap();
            spread(dropped.windows.as_mut().unwrap(), hashes);
        }
        sign(&mut document);
        let faults = findings(&document).faults;
        assert_eq!(faults.len(), 1, "{place}: {faults:?}");
        let few = format!("evidence.rows[{place}].windows.blocks: 1 of the protocol's 2");
        refused(&faults, &few);
        // A run that did not come to its end may have so few, and does not count.
        document.evidence.run.finished_at = None;
        sign(&mut document);
        assert_eq!(findings(&document).faults, Vec::<String>::new());
        assert_eq!(document.derived.run.verdict, Verdict::Invalid);
    }
    // A block with fewer windows than the protocol's is none of a run that came to its end.
    let uneven = forged(|d| {
        let windows = &mut row(d, 2).windows.as_mut().unwrap().blocks.windows;
        windows[1] += windows[0] - 3;
        windows[0] = 3;
    });
    refused(&uneven, "windows.blocks.windows[0]: fewer than the protocol's");
}

/// A verdict does not outlive the telemetry that it follows from; telemetry itself is the publisher's word.
#[test]
fn invalid_made_valid_by_editing_telemetry() {
    let mut disturbed = calm();
    let telemetry = row(&mut disturbed, 0).telemetry.as_mut().unwrap();
    let shares = (0..telemetry.samples).map(|look| Some(0.9 + 0.01 * (look % 2) as f64));
    telemetry.cpu_use = shares.collect();
    sign(&mut disturbed);
    assert_eq!(disturbed.derived.run.verdict, Verdict::Invalid);
    assert_eq!(findings(&disturbed).faults, Vec::<String>::new());
    // The verdict alone, or only part of the telemetry.
    let mut verdict = disturbed.clone();
    verdict.derived = calm().derived;
    verdict.proof.document_sha256 = results::document_sha256(&verdict);
    refused(&findings(&verdict).faults, "derived.rows[0].verdict");
    let mut fewer = disturbed.clone();
    row(&mut fewer, 0).telemetry.as_mut().unwrap().cpu_use.truncate(3);
    sign(&mut fewer);
    refused(&findings(&fewer).faults, "evidence.rows[0].telemetry: it needs one sample");
    // All of it, and nobody can see it: the list of what cannot be seen has it.
    let mut hidden = disturbed;
    row(&mut hidden, 0).telemetry.as_mut().unwrap().cpu_use.clear();
    sign(&mut hidden);
    assert_eq!(findings(&hidden).faults, Vec::<String>::new());
    assert_eq!(hidden.derived.run.verdict, Verdict::Valid);
}

/// All that tells two runs of one machine, one seed and one protocol apart is their id, from which their data follow.
#[test]
fn rows_pasted_from_another_run_of_the_same_machine_and_seed() {
    let mut other = RUN.document.clone();
    other.evidence.run.id = "5f0c1f2e-2f0b-4c6e-9d3a-0c6f6a1f7b11".into();
    let seed = results::seed(&other.evidence);
    assert_ne!(seed, results::seed(&RUN.document.evidence));
    mine(row_of(&mut other, Id::Sha256d), seed, 450);
    for place in [0, 1] {
        let pasted = forged(|d| {
            d.evidence.run.id = other.evidence.run.id.clone();
            if place == 1 {
                d.evidence.rows[0] = other.evidence.rows[0].clone();
            }
        });
        refused(&pasted, &format!("evidence.rows[{place}].proof"));
        assert_eq!(pasted.iter().any(|f| f.starts_with("evidence.rows[0]")), place == 0);
    }
}

#[test]
fn a_run_before_there_was_this_format() {
    let day = jiff::SignedDuration::from_hours(24 * 400);
    let back = |d: &mut Document| {
        let run = &mut d.evidence.run;
        run.started_at -= day;
        run.finished_at = run.finished_at.map(|at| at - day);
        d.evidence.clock.zero_at -= day;
    };
    let faults = forged(back);
    assert_eq!(faults.len(), 1, "{faults:?}");
    refused(&faults, "is before this format existed");
    // With one of the clocks alone.
    let started = forged(|d| d.evidence.run.started_at -= day);
    refused(&started, "evidence.clock.zero_at");
    let zero = forged(|d| d.evidence.clock.zero_at -= day);
    refused(&zero, "evidence.clock.zero_at");
    let later = jiff::SignedDuration::from_hours(1);
    let finished = forged(|d| d.evidence.run.finished_at = Some(d.evidence.run.started_at - later));
    refused(&finished, "evidence.run.finished_at");
    let before_zero = forged(|d| rows(d).for_each(|row| delay_from(row, -1e9, -1e4)));
    refused(&before_zero, "a block begins before the zero of the clock");
    let after_the_end = forged(|d| rows(d).for_each(|row| delay_from(row, -1e9, 1e4)));
    refused(&after_the_end, "evidence.run.finished_at: it ended after");
}

#[test]
fn quick_numbers_under_the_label_publish() {
    let label = |mode: &'static str| {
        forged(move |d| {
            d.evidence.manifest.protocol.mode = mode.into();
            let seed = results::seed(&d.evidence);
            mine(row_of(d, Id::Sha256d), seed, 450);
        })
    };
    for mode in ["publish", "default"] {
        refused(&label(mode), &format!("it measures less than the mode {mode} does"));
    }
    refused(&label("thorough"), "there is no mode 'thorough'");
    let shorter = forged(|d| d.evidence.manifest.protocol.window_seconds = 0.3);
    refused(&shorter, "it measures less than the mode quick does");
    // With the numbers of that mode the windows do not fit them.
    for mode in [Mode::Default, Mode::Publish] {
        let numbers = forged(|d| {
            d.evidence.manifest.protocol = Protocol::of(mode);
        });
        refused(&numbers, " s is shorter than the protocol's");
        refused(&numbers, "its idle time is shorter than the protocol's");
    }
    // Nor with no rest, or a warm-up that may fail.
    let changes: [fn(&mut Protocol); 2] =
        [|numbers| numbers.rest_seconds = 0.0, |numbers| numbers.warm_up_required = false];
    for change in changes {
        let less = forged(|d| {
            let numbers = &mut d.evidence.manifest.protocol;
            *numbers = Protocol::of(Mode::Publish);
            change(numbers);
        });
        refused(&less, "it measures less than the mode publish does");
    }
}

#[test]
fn rows_of_one_device_at_the_same_time() {
    let begin = |d: &mut Document, place: usize| {
        row(d, place).windows.as_ref().unwrap().blocks.idle_from_seconds[0]
    };
    let together = forged(|d| {
        let by = begin(d, 1) - begin(d, 2);
        delay_from(row(d, 2), -1e9, by);
    });
    refused(&together, "ran at the same time");
    // Two blocks of one row.
    let over = forged(|d| {
        let row = row(d, 2);
        let (first, second) = {
            let steps = row.windows.as_ref().unwrap().steps();
            (steps[0].measured, steps[1].idle_from.0)
        };
        delay_from(row, second, first.from.0 - second);
    });
    refused(&over, "peak:f32 on cpu and peak:f32 on cpu ran at the same time");
    let backwards = forged(|d| {
        let blocks = &mut row(d, 2).windows.as_mut().unwrap().blocks;
        blocks.load_from_seconds[1] = blocks.measured_from_seconds[1] + 0.1;
    });
    refused(&backwards, "windows.blocks[1]: its moments are not in order");
}

#[test]
fn readings_dropped() {
    let figures = |d: &Document| {
        let figures = d.derived.rows[0].known().unwrap();
        figures.energies().filter(|energy| energy.measured.is_some()).count()
    };
    assert_eq!(figures(&RUN.document), 2);
    // All that a meter said.
    refused(
        &forged(|d| row(d, 0).readings.clear()),
        "those of source 0 of the manifest are missing",
    );
    let one = forged(|d| drop(row(d, 0).readings.remove(1)));
    refused(&one, "those of source 1 of the manifest are missing");
    // Its meter too: hashes are of the manifest that names it.
    let unnamed = forged(|d| {
        drop(d.evidence.manifest.sources.remove(1));
        d.evidence.baselines.retain(|baseline| baseline.source == 0);
        rows(d).for_each(|row| drop(row.readings.remove(1)));
    });
    refused(&unnamed, "does not meet the target");
    // The columns' second half, or all of them: the source has no figure, and says why.
    for keep in [|n: usize| n / 2, |_| 0] {
        let mut document = RUN.document.clone();
        let readings = &mut row(&mut document, 0).readings[1];
        let left = keep(readings.len());
        readings.at_seconds.truncate(left);
        readings.took_seconds.truncate(left);
        readings.values[0].truncate(left);
        sign(&mut document);
        assert_eq!(findings(&document).faults, Vec::<String>::new());
        let figures = document.derived.rows[0].known().unwrap();
        let blocks = figures.energies().find(|energy| energy.source == Some(1)).unwrap();
        let half = blocks
            .measured
            .as_ref()
            .is_some_and(|measured| measured.blocks_gross_joules.iter().any(Option::is_none));
        assert!(half || blocks.no_figure.is_some(), "{blocks:?}");
    }
    // Of one column alone.
    let uneven = forged(|d| row(d, 0).readings[0].values[0].truncate(3));
    refused(&uneven, "evidence.rows[0].readings[0]: the columns are not of one length");
}
