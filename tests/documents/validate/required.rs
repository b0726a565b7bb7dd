//! What must stand in a file, and what may be missing: without any of what an energy figure comes with the file is refused.

use crate::validate::honest::{RUN, findings, findings_of, row, rows, sign};
use rigbench::energy::{MeterKind, Throttle};
use rigbench::measure::BoardTelemetry;
use rigbench::results::{Document, Origin, read};
use serde_json::{Value, json};

/// What is required for joules, and where it stands. Source 0 is a counter, source 1 a meter of watts.
const REQUIRED: &[(&str, &[&str])] = &[
    (
        "who tells it",
        &["evidence.manifest.sources.0.devices", "evidence.manifest.sources.0.origin"],
    ),
    ("kind and model", &["SOURCE.kind", "SOURCE.model"]),
    ("scope", &["SOURCE.scope"]),
    (
        "how often it is read, and the most that it can show",
        &["SOURCE.poll_seconds", "SOURCE.ceiling_watts"],
    ),
    ("averaging", &["POWER.quantity.averaging_seconds", "SOURCE.quantity.duty"]),
    ("wraps", &["SOURCE.quantity.range_joules"]),
    (
        "accuracy",
        &[
            "SOURCE.accuracy",
            "SOURCE.accuracy.share",
            "SOURCE.accuracy.basis",
            "SOURCE.accuracy.reference",
        ],
    ),
    (
        "idle watts and how they were taken",
        &[
            "evidence.baselines",
            "IDLE.power_watts",
            "IDLE.half_width_watts",
            "IDLE.seconds",
            "IDLE.again",
        ],
    ),
    (
        "every reading, and those that failed",
        &[
            "ROW.readings",
            "READINGS.source",
            "READINGS.at_seconds",
            "READINGS.took_seconds",
            "READINGS.values",
            "READINGS.failed_reads",
        ],
    ),
    ("the sampler's cost", &["READINGS.sampler_core_share"]),
    ("power limit", &["BOARD.power_limit_watts"]),
    ("throttle reasons", &["BOARD.throttle"]),
    ("clocks", &["BOARD.core_hertz", "BOARD.memory_hertz"]),
    ("temperature", &["BOARD.celsius"]),
    (
        "samples, coverage and uncertainty",
        &[
            "TOTAL.gross_joules",
            "TOTAL.samples",
            "TOTAL.rejected_samples",
            "TOTAL.coverage",
            "TOTAL.wraps",
            "TOTAL.terms.meter_joules",
            "TOTAL.terms.window_joules",
            "TOTAL.terms.statistical_joules",
        ],
    ),
    (
        "answer to the load and cross-check",
        &[
            "ENERGY.measured.response",
            "ENERGY.measured.cross_checks",
            "ENERGY.measured.blocks_gross_joules",
        ],
    ),
    (
        "provenance and method",
        &["ENERGY.joules_per_unit.provenance", "ENERGY.joules_per_unit.method"],
    ),
];

/// A JSON pointer.
fn pointer(path: &str) -> String {
    let path = path
        .replace("SOURCE", "evidence.manifest.sources.0.origin.meter")
        .replace("POWER", "evidence.manifest.sources.1.origin.meter")
        .replace("IDLE", "evidence.baselines.0.idle")
        .replace("READINGS", "evidence.rows.0.readings.0")
        .replace("BOARD", "evidence.rows.0.telemetry.board")
        .replace("ROW", "evidence.rows.0")
        .replace("TOTAL", "ENERGY.measured.total")
        .replace("ENERGY", "derived.rows.0.energy");
    format!("/{}", path.replace('.', "/"))
}

/// As faults write it: `evidence.rows[0].windows`.
fn place(pointer: &str) -> String {
    let mut place = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(number) => place += &format!("[{number}]"),
            Err(_) if place.is_empty() => place += part,
            Err(_) => place += &format!(".{part}"),
        }
    }
    place
}

fn without(whole: &Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let mut less = whole.clone();
    let there = less.pointer_mut(parent).and_then(Value::as_object_mut);
    assert!(there.unwrap().remove(key).is_some(), "{pointer} is not there");
    less
}

fn read(value: &Value) -> Result<(), String> {
    read::read(value.to_string().as_bytes()).map(drop).map_err(|why| why.to_string())
}

/// The honest run on a card that tells its state.
fn with_boards() -> Document {
    let mut document = RUN.document.clone();
    for row in rows(&mut document) {
        let telemetry = row.telemetry.as_mut().unwrap();
        let samples = telemetry.samples;
        telemetry.board = Some(BoardTelemetry {
            celsius: vec![Some(61.0); samples],
            core_hertz: vec![Some(1.7e9); samples],
            memory_hertz: vec![Some(9.5e9); samples],
            power_limit_watts: vec![Some(320.0); samples],
            throttle: vec![Some(vec![Throttle::PowerCap]); samples],
        });
        row.condition.power_limit_watts = Some(320.0);
    }
    sign(&mut document);
    document
}

#[test]
fn nothing_may_be_missing_of_what_an_energy_figure_comes_with() {
    let document = with_boards();
    assert_eq!(findings(&document).faults, Vec::<String>::new());
    let whole = serde_json::to_value(&document).unwrap();
    assert_eq!(
        whole["derived"]["rows"][0]["energy"]["joules_per_unit"]["provenance"],
        "measured-sampled"
    );
    for (what, paths) in REQUIRED {
        for pointer in paths.iter().map(|path| pointer(path)) {
            let faults = findings_of(without(&whole, &pointer).to_string().as_bytes()).faults;
            let [fault] = &faults[..] else {
                panic!("{what}: {pointer} may be missing: {faults:?}")
            };
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = place(parent);
            // Of kinds that are told apart by a tag no place within is known.
            let known = parent.strip_suffix(".quantity").unwrap_or(&parent);
            assert!(
                fault.starts_with(known) && fault.contains(&format!("`{key}`")),
                "{pointer}: {fault}"
            );
        }
    }
}

/// Members that are absent where nothing is known.
const ABSENT: [&str; 7] = [
    "telemetry/cpu_use",
    "telemetry/cpu_hertz",
    "telemetry/celsius",
    "telemetry/gpu_use",
    "/energy_other",
    "/disturbed_windows",
    "/outlier_windows",
];
/// Objects whose names are data.
pub const MAPS: [&str; 5] = ["labels", "environment", "params", "celsius", "failures"];

/// Every member of every object, of arrays the first item alone.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(inner) => {
            for (name, value) in inner {
                let pointer = format!("{at}/{name}");
                found.push(pointer.clone());
                if !MAPS.contains(&name.as_str()) {
                    members(value, &pointer, found);
                }
            }
        }
        Value::Array(items) => {
            items.first().into_iter().for_each(|v| members(v, &format!("{at}/0"), found))
        }
        _ => {}
    }
}

#[test]
fn what_may_be_null_may_be_missing_and_all_else_is_missed_in_one_line() {
    let whole = serde_json::to_value(with_boards()).unwrap();
    let mut pointers = Vec::new();
    members(&whole, "", &mut pointers);
    let (mut optional, mut required) = (0, 0);
    for pointer in &pointers {
        let (_, key) = pointer.rsplit_once('/').unwrap();
        let mut null = whole.clone();
        *null.pointer_mut(pointer).unwrap() = Value::Null;
        let less = read(&without(&whole, pointer));
        let nullable = read(&null).is_ok() || ABSENT.iter().any(|end| pointer.ends_with(end));
        if nullable {
            assert_eq!(less, Ok(()), "{pointer}");
            optional += 1;
        } else {
            let line = less.expect_err(pointer);
            let top = pointer.split('/').nth(1).unwrap();
            // Of a choice there is one member or another.
            let named = line.contains(key) || pointer.ends_with("/origin/meter");
            assert!(line.contains(top) && named && !line.contains('\n'), "{pointer}: {line}");
            required += 1;
        }
    }
    println!("{required} members are required, {optional} may be missing");
    assert!(required > 100 && optional > 30, "{required} {optional}");
}

/// A row without a nullable field is the same row.
#[test]
fn a_missing_field_is_null() {
    let whole = serde_json::to_value(&RUN.document).unwrap();
    for pointer in [
        "/evidence/run/attempt",
        "/evidence/beacon",
        "/evidence/rows/0/no_source",
        "/evidence/rows/2/proof",
    ] {
        assert!(whole.pointer(pointer).unwrap().is_null(), "{pointer}");
        let mut less = without(&whole, pointer);
        crate::validate::versions::sign(&mut less);
        assert_eq!(
            findings_of(less.to_string().as_bytes()).faults,
            Vec::<String>::new(),
            "{pointer}"
        );
    }
    let mut less = without(&whole, "/evidence/rows/0/proof");
    crate::validate::versions::sign(&mut less);
    let faults = findings_of(less.to_string().as_bytes()).faults;
    assert!(faults.iter().any(|fault| fault.contains("no share is recorded")), "{faults:#?}");
}

#[test]
fn joules_of_a_card_come_with_its_state() {
    let of_a_card = |change: fn(&mut Document)| {
        let mut document = with_boards();
        for source in &mut document.evidence.manifest.sources {
            if let Origin::Meter(info) = &mut source.known_mut().unwrap().origin {
                info.kind = MeterKind::Nvml;
            }
        }
        change(&mut document);
        sign(&mut document);
        let faults = findings(&document).faults;
        faults.into_iter().find(|fault| fault.contains("telemetry"))
    };
    assert_eq!(of_a_card(|_| ()), None);
    let without = of_a_card(|d| row(d, 1).telemetry.as_mut().unwrap().board = None).unwrap();
    assert_eq!(
        without,
        "evidence.rows[1].telemetry.board: a row with joules of a card has to record the card's state"
    );
    let shorter = of_a_card(|d| {
        let board = row(d, 0).telemetry.as_mut().unwrap().board.as_mut().unwrap();
        board.throttle = vec![Some(Vec::new()), None];
    });
    assert!(shorter.unwrap().starts_with("evidence.rows[0].telemetry: it needs one sample"));
}

#[test]
fn a_meter_that_was_not_read_at_idle_is_told() {
    let mut document = RUN.document.clone();
    document.evidence.baselines.clear();
    sign(&mut document);
    let findings = findings(&document);
    assert_eq!(findings.faults, Vec::<String>::new());
    let notes: Vec<_> = findings.notes.iter().filter(|n| n.contains("not read at idle")).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    let figures = document.derived.rows[0].known().unwrap();
    assert!(figures.energies().all(|energy| energy.net_joules.is_none()));
}

/// Whatever a modelled figure is given besides, it has no value.
#[test]
fn a_modelled_figure_is_given_no_point() {
    let whole = serde_json::to_value(&RUN.document).unwrap();
    let others = whole["derived"]["rows"][0]["energy_other"].as_array().unwrap();
    let of = |energy: &Value| energy["joules_per_unit"]["provenance"].clone();
    let modelled = others.iter().position(|energy| of(energy) == "modelled").unwrap();
    for (key, value) in [("value", json!(1e-7)), ("provenance", json!("measured-counter"))] {
        let mut more = whole.clone();
        more["derived"]["rows"][0]["energy_other"][modelled]["joules_per_unit"][key] = value;
        crate::validate::versions::sign(&mut more);
        let faults = findings_of(more.to_string().as_bytes()).faults;
        let place = format!("derived.rows[0].energy_other[{modelled}].joules_per_unit.{key}");
        assert!(faults.len() == 1 && faults[0].starts_with(&place), "{faults:?}");
    }
}
