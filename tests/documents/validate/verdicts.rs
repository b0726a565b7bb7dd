//! What makes a row valid or not, and how that follows from its windows, telemetry and energy. A change to a row is what a
//! publisher's machine would have seen; what follows is derived again.

use crate::validate::honest::{RUN, calm, findings, forged, row, rows, sign};
use rigbench::energy::{Scope, Throttle};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{self, Document, Origin, Reason, Row, RowFigures, RunReason, Verdict};
use rigbench::units::Watts;
use strum::VariantArray;

/// The figures of the first row of a calm run after a change of the run.
fn judged_run(change: impl FnOnce(&mut Document)) -> RowFigures {
    let mut document = calm();
    change(&mut document);
    sign(&mut document);
    let figures = document.derived.rows[0].known().unwrap().clone();
    // What makes a row invalid makes the run invalid, and is said of it.
    let run = &document.derived.run;
    let invalid =
        |place: &usize| document.derived.rows[*place].known().unwrap().verdict == Verdict::Invalid;
    let rows: Vec<usize> = (0..document.derived.rows.len()).filter(invalid).collect();
    let said: Vec<&RunReason> = run.reasons.iter().filter_map(|reason| reason.known()).collect();
    match rows.is_empty() {
        true => assert_eq!((run.verdict, &said[..]), (Verdict::Valid, &[][..])),
        false => assert_eq!(
            (run.verdict, &said[..]),
            (Verdict::Invalid, &[&RunReason::InvalidRows { rows }][..])
        ),
    }
    figures
}

/// The same after a change of the first row.
fn judged(change: impl FnOnce(&mut Row)) -> RowFigures {
    judged_run(|document| change(row(document, 0)))
}

#[track_caller]
fn invalid(figures: &RowFigures, why: &str) {
    let said: Vec<String> = figures.reasons.iter().map(Reason::to_string).collect();
    assert!(said.iter().any(|reason| reason.starts_with(why)), "{said:?}");
    assert_eq!(figures.verdict, Verdict::Invalid);
    assert!(figures.throughput.is_some(), "a verdict never takes a figure away");
}

#[track_caller]
fn valid(figures: &RowFigures) {
    assert_eq!((&figures.verdict, &figures.reasons[..]), (&Verdict::Valid, &[][..]));
}

/// Rates that rise or fall by this share from the first window to the last.
fn drifting(share: f64) -> impl FnOnce(&mut Row) {
    move |row| {
        let windows = row.windows.as_mut().unwrap();
        let stretches = windows.stretches();
        let middles: Vec<f64> = stretches.iter().map(|s| (s.from.0 + s.to.0) / 2.0).collect();
        let (first, last) = (middles[0], middles[middles.len() - 1]);
        assert!(middles.len() >= 8);
        for (work, middle) in windows.work.iter_mut().zip(middles) {
            let factor = 1.0 + share * (middle - first) / (last - first);
            *work = (*work as f64 * factor) as u64;
        }
    }
}

#[test]
fn a_rate_that_drifts_makes_its_row_invalid() {
    invalid(&judged(drifting(0.12)), "its rate rose by 1");
    invalid(&judged(drifting(-0.12)), "its rate fell by 1");
    let little = judged(drifting(0.03));
    valid(&little);
    let drift = little.drift.unwrap();
    let change = drift.value.unwrap();
    assert!((0.02..0.04).contains(&change), "{drift:?}");
    assert!(drift.low < change && change < drift.high, "{drift:?}");
    assert!(drift.low > 0.0, "it is recorded as one that is real: {drift:?}");
    let steady = judged(|_| ()).drift.unwrap();
    assert!(steady.low < 0.0 && steady.high > 0.0, "{steady:?}");
}

#[test]
fn a_figure_to_publish_begins_warm() {
    let began_cold = |required: bool| {
        judged_run(|document| {
            document.evidence.manifest.protocol.warm_up_required = required;
            for row in rows(document) {
                row.windows.as_mut().unwrap().blocks.warm_up_steady.fill(true);
            }
            row(document, 0).windows.as_mut().unwrap().blocks.warm_up_steady[1] = false;
        })
    };
    let cold = began_cold(true);
    let blocks = calm().rows().next().unwrap().0.windows.as_ref().unwrap().blocks.windows.len();
    assert_eq!(cold.reasons, [Reason::NotWarm { blocks: 1, of: blocks }]);
    invalid(&cold, &format!("1 of {blocks} blocks began before it was warm"));
    valid(&began_cold(false));
}

#[test]
fn net_joules_are_gross_less_what_was_drawn_at_idle() {
    let net = |watts: f64| {
        let mut document = calm();
        for baseline in &mut document.evidence.baselines {
            baseline.idle.power = Watts(watts);
        }
        sign(&mut document);
        let (row, figures) = document.rows().next().unwrap();
        let seconds = row.windows.as_ref().unwrap().seconds().0;
        let measured = figures.energies().filter_map(|energy| {
            Some((energy.measured.as_ref()?.total.gross.0, energy.net_joules?))
        });
        (seconds, measured.collect::<Vec<_>>())
    };
    let (seconds, all) = net(7.5);
    assert_eq!(all.len(), 2, "a counter and a meter of watts");
    for (gross, net) in all {
        assert!((gross - net - 7.5 * seconds).abs() < 1e-9 * gross, "{gross} {net}");
    }
}

#[test]
fn a_window_far_from_the_others_is_an_outlier_and_recorded() {
    let slow = |row: &mut Row| {
        let work = &mut row.windows.as_mut().unwrap().work[3];
        *work = *work * 4 / 5;
    };
    let figures = judged(slow);
    valid(&figures);
    assert_eq!(figures.outlier_windows, [3]);
    assert_eq!(judged(|_| ()).outlier_windows, [0usize; 0]);
}

/// Others use half of the processor in these windows.
fn take(row: &mut Row, taken: &[usize]) {
    let samples = row.windows.as_ref().unwrap().samples_at_ends();
    let telemetry = row.telemetry.as_mut().unwrap();
    telemetry.cpu_use = vec![None; telemetry.samples];
    taken.iter().for_each(|window| telemetry.cpu_use[samples[*window]] = Some(0.5));
}

#[test]
fn windows_that_others_took_are_marked_and_too_many_make_the_row_invalid() {
    // A slow meter has more windows; more than a fifth of them are too many.
    let all = calm().rows().next().unwrap().0.windows.as_ref().unwrap().len();
    let many: Vec<usize> = (1..=all / 5 + 1).collect();
    let too_many = format!("other programs used the processor in {} of {all} windows", many.len());
    let taken = |windows: &[usize]| judged(|row| take(row, windows));
    let one = taken(&[2]);
    valid(&one);
    assert_eq!(one.disturbed_windows, [2]);
    let some = taken(&many);
    assert_eq!(some.disturbed_windows, many);
    assert_eq!(some.reasons, [Reason::Disturbed { windows: many.len(), of: all }]);
    invalid(&some, &too_many);

    // A host that takes the processor from a virtual machine shows only in what this process got.
    let threads = RUN.document.evidence.manifest.host.threads as f64;
    let min_own_cpu = |taken: &[usize]| {
        judged(|row| {
            let windows = row.windows.as_mut().unwrap();
            for i in 0..windows.len() {
                let share = if taken.contains(&i) { 0.8 } else { 0.98 };
                windows.cpu_seconds[i] = share * threads * windows.wall_seconds[i];
            }
        })
    };
    let one = min_own_cpu(&[1]);
    valid(&one);
    assert_eq!(one.disturbed_windows, [1]);
    invalid(&min_own_cpu(&many), &too_many);
}

/// What a board shows all the time.
fn board(samples: usize, watts: f64) -> BoardTelemetry {
    BoardTelemetry {
        celsius: vec![Some(83.0); samples],
        core_hertz: vec![Some(1.2e9); samples],
        memory_hertz: vec![None; samples],
        power_limit_watts: vec![Some(watts); samples],
        throttle: vec![Some(vec![Throttle::PowerCap]); samples],
    }
}

fn with_board(row: &mut Row, watts: f64) -> &mut BoardTelemetry {
    row.condition.power_limit_watts = Some(watts);
    let telemetry = row.telemetry.as_mut().unwrap();
    telemetry.board.insert(board(telemetry.samples, watts))
}

#[test]
fn a_board_that_was_slowed_down_makes_its_row_invalid_and_its_power_cap_does_not() {
    let samples = calm().rows().next().unwrap().0.telemetry.as_ref().unwrap().samples;
    for &throttle in Throttle::VARIANTS {
        // At the start of a block, and at the end of a window.
        for look in [0, 2] {
            let slowed = judged(|row| {
                let board = with_board(row, 300.0);
                board.throttle[look] = Some(vec![Throttle::PowerCap, throttle]);
            });
            match throttle {
                Throttle::PowerCap | Throttle::Other => valid(&slowed),
                _ => {
                    assert_eq!(
                        slowed.reasons,
                        [Reason::Throttled { throttle, samples: 1, of: samples }]
                    );
                    let name = throttle.into_str();
                    let why =
                        format!("the board was slowed down ({name}) at 1 of {samples} samples");
                    invalid(&slowed, &why);
                }
            }
        }
    }
    // What nobody knows is none.
    let mut document = calm();
    with_board(row(&mut document, 0), 300.0);
    let mut value = serde_json::to_value(&document).unwrap();
    value["evidence"]["rows"][0]["telemetry"]["board"]["throttle"] =
        serde_json::json!([null, ["nothing to worry about"]]);
    let faults = crate::validate::honest::findings_of(value.to_string().as_bytes()).faults;
    let place = "evidence.rows[0].telemetry.board.throttle[1][0]: unknown variant";
    assert!(faults.len() == 1 && faults[0].starts_with(place), "{faults:?}");
}

#[test]
fn power_below_idle_or_above_the_limit_makes_the_row_invalid() {
    // The counter counts 40 W.
    let at_idle = |watts: f64| {
        judged_run(|document| {
            for baseline in &mut document.evidence.baselines {
                baseline.idle.power = Watts(watts);
            }
        })
    };
    valid(&at_idle(39.0));
    invalid(&at_idle(300.0), "rapl shows ");
    let limited = |watts: f64| {
        let figures = judged_run(|document| {
            for source in &mut document.evidence.manifest.sources {
                if let Origin::Meter(info) = &mut source.known_mut().unwrap().origin {
                    info.scope = Scope::GpuBoard;
                }
            }
            with_board(row(document, 0), watts);
        });
        figures.reasons_in_words()
    };
    assert!(limited(20.0).contains("the power limit in force is 20.0 W"), "{}", limited(20.0));
    assert!(!limited(80.0).contains("limit in force"), "{}", limited(80.0));
}

/// A limit in force is that of the row's condition.
#[test]
fn a_power_limit_is_what_the_board_showed() {
    let limits = |stated: Option<f64>| {
        forged(|document| {
            with_board(row(document, 0), 300.0);
            row(document, 0).condition.power_limit_watts = stated;
        })
    };
    assert_eq!(limits(Some(300.0)), Vec::<String>::new());
    for other in [Some(200.0), None] {
        let faults = limits(other);
        let place = "evidence.rows[0].condition.power_limit_watts";
        assert!(faults.len() == 1 && faults[0].starts_with(place), "{faults:?}");
    }
}

#[test]
fn a_file_that_calls_its_row_invalid_is_consistent_and_one_that_hides_it_is_not() {
    let mark = |document: &mut Document| {
        let row = row(document, 0);
        let all: Vec<usize> = (0..row.windows.as_ref().unwrap().len()).collect();
        row.windows.as_mut().unwrap().cpu_seconds.fill(0.0);
        take(row, &all);
    };
    assert_eq!(forged(mark), Vec::<String>::new());
    let mut hidden = calm();
    mark(&mut hidden);
    hidden.proof.document_sha256 = results::document_sha256(&hidden);
    let faults = findings(&hidden).faults;
    for place in [
        "derived.rows[0].reasons",
        "derived.rows[0].verdict",
        "derived.run.verdict",
        "derived.run.reasons",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(place)), "{place}: {faults:#?}");
    }
}

/// The order in which rows took turns, as the program told it, is the one that follows from the seed, anew each round.
#[test]
fn rows_take_turns_in_the_order_that_the_seed_gives() {
    let document = &RUN.document;
    let seed = results::seed(&document.evidence);
    let order = |round: usize| -> Vec<&str> {
        let mut order: Vec<&Row> = document.rows().map(|(row, _)| row).collect();
        let place = |row: &&Row| results::row_seed(seed, row).child(&format!("order {round}")).0;
        order.sort_by_key(place);
        order.into_iter().map(|row| row.workload.spec.as_str()).collect()
    };
    let kept: Vec<&str> = RUN
        .told
        .lines()
        .filter_map(|line| line.split_once("cpu ")?.1.strip_suffix(": a block is kept"))
        .collect();
    let windows = || document.rows().map(|(row, _)| row.windows.as_ref().unwrap());
    assert_eq!(kept.len(), windows().map(|windows| windows.blocks.windows.len()).sum::<usize>());
    assert!(kept.len() >= 6, "three rows of two blocks: {}", RUN.told);
    for (round, rows) in kept[..6].chunks(3).enumerate() {
        assert_eq!(rows, order(round), "{kept:?}");
    }
    // And the file has them at those times.
    let mut blocks: Vec<(f64, &str)> = Vec::new();
    for (row, _) in document.rows() {
        let begins = &row.windows.as_ref().unwrap().blocks.idle_from_seconds;
        blocks.extend(begins.iter().map(|begin| (*begin, row.workload.spec.as_str())));
    }
    blocks.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert_eq!(blocks.iter().map(|(_, spec)| *spec).collect::<Vec<_>>(), kept);
    let rest = document.evidence.manifest.protocol.rest_seconds;
    for step in windows().flat_map(|windows| windows.steps()) {
        assert!((step.load_from - step.idle_from).0 >= rest, "{step:?}");
    }
}
