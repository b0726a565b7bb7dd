//! What makes a row invalid, and what is only recorded. A file with such rows is truthful as long as it says so.

use crate::honest::{RUN, calm, forged, measured};
use rigbench::energy::Throttle;
use rigbench::results::{self, wire};
use wire::{Document, Measurement, Verdict};

/// The first row of a calm run after a change.
fn judged(change: impl FnOnce(&mut Measurement)) -> Measurement {
    let mut document = calm();
    change(&mut document.measurements[0]);
    results::fill(&mut document);
    let row = document.measurements[0].clone();
    // What makes a row invalid makes the run invalid, and is said of it.
    assert_eq!(document.run.verdict, row.verdict);
    for reason in &row.reasons {
        assert!(document.run.reasons.iter().any(|of_run| of_run.contains(reason)));
    }
    row
}

#[track_caller]
fn invalid(row: &Measurement, why: &str) {
    assert!(row.reasons.iter().any(|reason| reason.starts_with(why)), "{:?}", row.reasons);
    assert_eq!(row.verdict, Verdict::Invalid);
    assert!(row.throughput.is_some(), "a verdict never takes a figure away");
}

#[track_caller]
fn valid(row: &Measurement) {
    assert_eq!((&row.verdict, &row.reasons[..]), (&Verdict::Valid, &[][..]));
}

/// Rates that rise or fall by this share from the first window to the last.
fn drifting(share: f64) -> impl FnOnce(&mut Measurement) {
    move |m| {
        let (n, end) = (m.windows.len(), m.windows.last().unwrap().started_seconds);
        assert!(n >= 8);
        for window in &mut m.windows {
            let factor = 1.0 + share * window.started_seconds / end;
            window.work = (window.work as f64 * factor) as u64;
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
    assert!((0.02..0.04).contains(&drift.change), "{drift:?}");
    assert!(drift.ci95_low < drift.change && drift.change < drift.ci95_high, "{drift:?}");
    assert!(drift.ci95_low > 0.0, "it is recorded as one that is real: {drift:?}");
    let steady = judged(|_| ()).drift.unwrap();
    assert!(steady.ci95_low < 0.0 && steady.ci95_high > 0.0, "{steady:?}");
}

#[test]
fn a_figure_to_publish_begins_warm() {
    let began_cold = |mode: &str| {
        let mut document = calm();
        document.run.protocol.mode = mode.into();
        document.measurements[0].blocks.iter_mut().for_each(|b| b.warm_up_steady = true);
        document.measurements[0].blocks[1].warm_up_steady = false;
        results::fill(&mut document);
        document.measurements[0].reasons.clone()
    };
    let cold = began_cold("publish");
    let told =
        |r: &String| r.starts_with("1 of ") && r.ends_with("blocks began before it was warm");
    assert!(cold.iter().any(told), "{cold:?}");
    assert_eq!(began_cold("default").iter().filter(|r| r.contains("warm")).count(), 0);
}

#[test]
fn net_joules_are_gross_less_what_was_drawn_at_rest() {
    let net = |watts: f64| {
        let mut row = judged(|m| {
            measured(m).for_each(|e| e.idle.as_mut().unwrap().power_watts = watts);
        });
        let seconds: f64 = row.windows.iter().map(|w| w.wall_seconds).sum();
        let all: Vec<_> =
            measured(&mut row).map(|e| (e.gross_joules, e.net_joules.unwrap())).collect();
        (seconds, all)
    };
    let (seconds, all) = net(7.5);
    assert_eq!(all.len(), 2, "a counter and a meter of watts");
    for (gross, net) in all {
        assert!((gross - net - 7.5 * seconds).abs() < 1e-9 * gross, "{gross} {net}");
    }
}

#[test]
fn a_window_far_from_the_others_is_an_outlier_and_recorded() {
    let row = judged(|m| m.windows[3].work = m.windows[3].work * 4 / 5);
    valid(&row);
    assert_eq!(row.outlier_windows, [3]);
    assert_eq!(judged(|_| ()).outlier_windows, [0u64; 0]);
}

#[test]
fn windows_that_others_took_are_marked_and_too_many_make_the_row_invalid() {
    // A slow meter has more windows; more than a fifth of them are too many.
    let all = calm().measurements[0].windows.len();
    let many: Vec<usize> = (1..=all / 5 + 1).collect();
    let too_many = format!("others took the processor in {} of {all} windows", many.len());
    let taken = |windows: &[usize]| {
        judged(|m| windows.iter().for_each(|&i| m.windows[i].telemetry.cpu_use = Some(0.5)))
    };
    let marked = |row: &Measurement| -> Vec<usize> {
        row.disturbed_windows.iter().map(|&window| window as usize).collect()
    };
    let one = taken(&[2]);
    valid(&one);
    assert_eq!(marked(&one), [2]);
    let some = taken(&many);
    assert_eq!(marked(&some), many);
    invalid(&some, &too_many);

    // A host that takes the processor from a virtual machine shows only in what this process got.
    let threads = RUN.document.manifest.host.cores as f64;
    let starved = |windows: &[usize]| {
        judged(|m| {
            for (i, window) in m.windows.iter_mut().enumerate() {
                let share = if windows.contains(&i) { 0.8 } else { 0.98 };
                window.cpu_seconds = share * threads * window.wall_seconds;
            }
        })
    };
    let one = starved(&[1]);
    valid(&one);
    assert_eq!(marked(&one), [1]);
    invalid(&starved(&many), &too_many);
}

#[test]
fn a_board_that_was_slowed_down_makes_its_row_invalid_and_its_power_cap_does_not() {
    let board = |throttle: Throttle| {
        Some(wire::Board {
            celsius: Some(83.0),
            core_hertz: Some(1.2e9),
            memory_hertz: None,
            power_limit_watts: Some(300.0),
            throttle: Some(vec!["power-cap".into(), throttle.name().into()]),
        })
    };
    for throttle in Throttle::ALL {
        let in_a_window = judged(|m| m.windows[1].telemetry.board = board(throttle));
        let at_the_start = judged(|m| m.blocks[1].telemetry_at_start.board = board(throttle));
        for row in [in_a_window, at_the_start] {
            match throttle {
                Throttle::PowerCap | Throttle::Other => valid(&row),
                _ => {
                    let name = throttle.name();
                    invalid(&row, &format!("the board was slowed down ({name}) at 1 of 1 looks"));
                }
            }
        }
    }
    let unknown = |d: &mut Document| {
        d.measurements[0].windows[1].telemetry.board = board(Throttle::PowerCap);
        let board = d.measurements[0].windows[1].telemetry.board.as_mut().unwrap();
        board.throttle = Some(vec!["nothing to worry about".into()]);
    };
    let faults = forged(unknown);
    assert!(
        faults.iter().any(|f| f.contains("windows[1].telemetry.board: no card's")),
        "{faults:?}"
    );
}

#[test]
fn power_below_rest_or_above_the_limit_makes_the_row_invalid() {
    // The counter counts 40 W.
    let at_rest = |watts: f64| {
        judged(|m| measured(m).for_each(|e| e.idle.as_mut().unwrap().power_watts = watts))
    };
    valid(&at_rest(39.0));
    invalid(&at_rest(300.0), "rapl shows ");
    let limited = |watts: f64| {
        judged(|m| {
            measured(m).for_each(|e| e.scope = wire::Scope::GpuBoard);
            let board = wire::Board {
                celsius: None,
                core_hertz: None,
                memory_hertz: None,
                power_limit_watts: Some(watts),
                throttle: None,
            };
            m.windows.iter_mut().for_each(|w| w.telemetry.board = Some(board.clone()));
        })
    };
    let reasons = limited(20.0).reasons;
    assert!(reasons.iter().any(|r| r.contains("the limit in force is 20.0 W")), "{reasons:?}");
    let reasons = limited(80.0).reasons;
    assert!(!reasons.iter().any(|r| r.contains("limit in force")), "{reasons:?}");
}

#[test]
fn a_file_that_calls_its_row_invalid_is_truthful_and_one_that_hides_it_is_not() {
    let mark = |d: &mut Document| {
        for window in &mut d.measurements[0].windows {
            window.telemetry.cpu_use = Some(1.0);
            window.cpu_seconds = 0.0;
        }
    };
    assert_eq!(forged(mark), Vec::<String>::new());
    let mut hidden = calm();
    mark(&mut hidden);
    hidden.proof.document_sha256 = results::document_sha256(&hidden);
    let faults = crate::honest::findings(&hidden).faults;
    for place in ["measurements[0].disturbed_windows", "measurements[0].reasons", "run.reasons"] {
        assert!(faults.iter().any(|fault| fault.starts_with(place)), "{place}: {faults:#?}");
    }
}

/// The order in which rows took turns, as the program told it, is the one that follows from the seed, anew each round.
#[test]
fn rows_take_turns_in_the_order_that_the_seed_gives() {
    let document = &RUN.document;
    let seed = results::seed(&document.manifest, document.proof.user_seed);
    let order = |round: usize| -> Vec<&str> {
        let mut order: Vec<&str> = document.manifest.workloads.iter().map(String::as_str).collect();
        let place =
            |spec: &str| results::row_seed(seed, "cpu", spec).child(&format!("order {round}"));
        order.sort_by_key(|spec| place(spec).0);
        order
    };
    let kept: Vec<&str> = RUN
        .told
        .lines()
        .filter_map(|line| line.split_once("cpu ")?.1.strip_suffix(": a block is kept"))
        .collect();
    assert_eq!(kept.len(), document.measurements.iter().map(|m| m.blocks.len()).sum::<usize>());
    assert!(kept.len() >= 6, "three rows of two blocks: {}", RUN.told);
    for (round, rows) in kept[..6].chunks(3).enumerate() {
        assert_eq!(rows, order(round), "{kept:?}");
    }
    for m in &document.measurements {
        let rest = document.run.protocol.rest_seconds;
        assert!(m.blocks.iter().all(|b| b.rest_seconds >= rest), "{:?}", m.blocks);
    }
}
