//! What must stand beside every figure of energy: without any of it the file is refused.

use crate::honest::{RUN, findings, findings_of, measured, sign};
use rigbench::results::wire;
use serde_json::{Value, json};

/// What is required, and where it stands in a row. The headline is of a meter of watts, `energy_other` has a counter.
const REQUIRED: &[(&str, &[&str])] = &[
    ("provenance", &["energy.provenance"]),
    ("scope", &["energy.scope"]),
    ("includes and excludes", &["energy.includes", "energy.excludes"]),
    ("gross and net joules", &["energy.gross_joules", "energy.net_joules"]),
    (
        "idle watts and how they were taken",
        &[
            "energy.idle",
            "energy.idle.power_watts",
            "energy.idle.half_width_watts",
            "energy.idle.seconds",
            "energy.idle.method",
        ],
    ),
    ("update period", &["energy.update_period_seconds", "energy.source.update_period_seconds"]),
    ("averaging", &["energy.source.quantity.averaging_seconds", "COUNTER.source.quantity.duty"]),
    ("samples", &["energy.samples", "energy.rejected_samples", "energy.failed_reads"]),
    ("coverage", &["energy.coverage"]),
    ("wraps", &["energy.wraps", "COUNTER.wraps", "COUNTER.source.quantity.range_joules"]),
    (
        "uncertainty terms",
        &[
            "energy.uncertainty",
            "energy.uncertainty.meter_joules",
            "energy.uncertainty.window_joules",
            "energy.uncertainty.statistical_joules",
            "energy.source.accuracy",
            "energy.source.accuracy_basis",
            "energy.source.accuracy_reference",
        ],
    ),
    ("power limit", &["START.board.power_limit_watts", "END.board.power_limit_watts"]),
    ("throttle reasons", &["START.board.throttle", "END.board.throttle"]),
    (
        "clocks",
        &[
            "START.board.core_hertz",
            "START.board.memory_hertz",
            "END.board.core_hertz",
            "END.board.memory_hertz",
        ],
    ),
    ("temperature", &["START.board.celsius", "END.board.celsius"]),
    ("driver", &["energy.source.driver"]),
    ("cross-check", &["energy.cross_checks"]),
    (
        "raw samples and their hash",
        &[
            "energy.readings",
            "energy.readings.before_seconds",
            "energy.readings.after_seconds",
            "energy.readings.values",
            "energy.readings_sha256",
        ],
    ),
    ("the sampler's cost", &["energy.sampler_core_share"]),
];

/// The honest run on a card that tells its state.
fn with_boards() -> wire::Document {
    let board = wire::Board {
        celsius: Some(61.0),
        core_hertz: Some(1.7e9),
        memory_hertz: Some(9.5e9),
        power_limit_watts: Some(320.0),
        throttle: Some(vec!["power-cap".into()]),
    };
    let mut document = RUN.document.clone();
    for m in &mut document.measurements {
        m.blocks.iter_mut().for_each(|b| b.telemetry_at_start.board = Some(board.clone()));
        m.windows.iter_mut().for_each(|w| w.telemetry.board = Some(board.clone()));
    }
    sign(&mut document);
    document
}

#[test]
fn nothing_may_be_missing_of_what_an_energy_figure_comes_with() {
    let document = with_boards();
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    let whole = serde_json::to_value(&document).unwrap();
    let row = &whole["measurements"][0];
    assert_eq!(row["energy"]["provenance"], "measured-sampled");
    let others = row["energy_other"].as_array().unwrap();
    let counter = others.iter().position(|e| e["provenance"] == "measured-counter").unwrap();
    for (what, paths) in REQUIRED {
        for path in *paths {
            let path = path
                .replace("COUNTER", &format!("energy_other.{counter}"))
                .replace("START", "blocks.1.telemetry_at_start")
                .replace("END", "windows.3.telemetry");
            let pointer = format!("/measurements/0/{}", path.replace('.', "/"));
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let mut less = whole.clone();
            let there = less.pointer_mut(parent).and_then(Value::as_object_mut);
            assert!(there.unwrap().remove(key).is_some(), "{what}: {pointer} is not there");
            let faults = findings_of(less.to_string().as_bytes()).faults;
            let [fault] = &faults[..] else {
                panic!("{what}: {pointer} may be missing: {faults:?}")
            };
            assert!(fault.contains(key) && fault.contains("measurements[0]"), "{pointer}: {fault}");
        }
    }
}

#[test]
fn joules_of_a_card_come_with_its_state() {
    let of_a_card = |change: fn(&mut wire::Document)| {
        let mut document = with_boards();
        document
            .measurements
            .iter_mut()
            .flat_map(measured)
            .for_each(|e| e.source.kind = "nvml".into());
        change(&mut document);
        let faults = findings(&document).faults;
        faults.into_iter().find(|fault| fault.contains("a card come with its state"))
    };
    assert_eq!(of_a_card(|_| ()), None);
    let of_window = of_a_card(|d| d.measurements[1].windows[2].telemetry.board = None).unwrap();
    assert!(of_window.starts_with("measurements[1].windows[2].telemetry.board: "), "{of_window}");
    let start = of_a_card(|d| d.measurements[0].blocks[1].telemetry_at_start.board = None).unwrap();
    assert!(start.starts_with("measurements[0].blocks[1].telemetry_at_start.board: "), "{start}");
}

#[test]
fn a_meter_that_was_not_read_at_rest_is_told() {
    let mut document = RUN.document.clone();
    document.measurements.iter_mut().flat_map(measured).for_each(|e| e.idle = None);
    sign(&mut document);
    let findings = findings(&document);
    assert_eq!(findings.faults, Vec::<String>::new());
    let notes: Vec<_> = findings.notes.iter().filter(|n| n.contains("not read at rest")).collect();
    assert_eq!(notes.len(), 2 * document.measurements.len(), "{notes:?}");
}

/// Whatever a modelled figure is given besides, it has no value.
#[test]
fn a_modelled_figure_is_given_no_point() {
    let whole = serde_json::to_value(&RUN.document).unwrap();
    let others = whole["measurements"][0]["energy_other"].as_array().unwrap();
    let modelled = others.iter().position(|e| e["provenance"] == "modelled").unwrap();
    for (key, value) in [("joules_per_unit", json!({"value": 1e-7})), ("gross_joules", json!(9.0))]
    {
        let mut more = whole.clone();
        more["measurements"][0]["energy_other"][modelled][key] = value;
        let faults = findings_of(more.to_string().as_bytes()).faults;
        let place = format!("measurements[0].energy_other[{modelled}].{key}");
        assert!(faults.len() == 1 && faults[0].starts_with(&place), "{faults:?}");
    }
}
