//! What a power command and a plug's firmware print, and which raw values of a sensor can be true.

use proptest::prelude::*;
use rigbench::energy::source::command::bursts::{Bursts, Pattern};
use rigbench::energy::source::command::words::{SHOWN, Separator, parse, redacted};
use rigbench::energy::source::{
    CARD_CEILING, before_wrap, card_ceiling, checked, json, pci_address, poll,
};
use rigbench::units::{Joules, Seconds, Watts};
use serde_json::json;
use std::time::Duration;

proptest! {
    #[test]
    fn any_output_becomes_one_short_line(text: String, line: String) {
        let shown = redacted(&text, &line);
        prop_assert!(!shown.contains(char::is_control) && shown.chars().count() <= SHOWN + 1);
        prop_assert!(parse(&text).is_none_or(|r| r.watts.is_finite() && r.watts >= 0.0));
    }
}

#[test]
fn line_is_a_number_with_optional_unit() {
    for (line, watts) in [
        ("240", 240.0),
        (" 240.5\r\n", 240.5),
        ("240W", 240.0),
        ("240 W", 240.0),
        ("1e2 Watts", 100.0),
        ("3 watt", 3.0),
        ("0", 0.0),
        ("5 WATTS", 5.0),
        ("5w", 5.0),
    ] {
        assert_eq!(parse(line).map(|reading| reading.watts), Some(watts), "{line}");
    }
    let invalid = "|W|-1|nan|inf W|1e999|0.2 kWh|2 40|240,5|240 W W|0x10|5 VA|5k|5 mmW|kW|5 GW|5 m|240 \u{212a}W|5 kJ";
    for line in invalid.split('|') {
        assert_eq!(parse(line), None, "{line}");
    }
}

#[test]
fn si_prefixes_are_case_sensitive() {
    for (line, watts) in [
        ("0.285 kW", 285.0),
        ("0.285KW", 285.0),
        ("285000 mW", 285.0),
        ("285000 mw", 285.0),
        ("0.000285 MW", 285.0),
        ("0.285 kWatts", 285.0),
    ] {
        let read = parse(line).map(|reading| reading.watts);
        assert!(read.is_some_and(|r| (r - watts).abs() < 1e-9), "{line}: {read:?}");
    }
    assert_eq!(parse("0.285 kilowatts"), None);
}

#[test]
fn dot_is_ambiguous_only_if_readings_are_inconsistent() {
    let contradiction = |lines: &[&str]| {
        let mut separator = Separator::default();
        lines.iter().any(|line| separator.contradiction(parse(line).unwrap()).is_some())
    };
    assert!(contradiction(&["980", "1.285"]));
    assert!(contradiction(&["1.285", "980"]));
    assert!(contradiction(&["80", "81", "1.285 W", "1.301 W"]));
    for consistent in [
        &["1.285", "1.301", "0.980"][..],
        &["980.000", "1285.250"],
        &["980.5", "1.285"],
        &["2", "1.285"],
        &["980", "1285"],
        &["980", "1.285 kW"],
        &["980", "0.285"],
        &["300", "30.250"],
        &["0", "1.285"],
    ] {
        assert!(!contradiction(consistent), "{consistent:?}");
    }
}

#[test]
fn errors_redact_addresses_and_the_command_line() {
    let line = "curl -u admin:hunter2 http://plug.lan/x | jq .power";
    for (text, shown) in [
        ("no numeric reading", "no numeric reading"),
        ("curl: (6) Could not resolve host: plug.lan", "… (6) Could not resolve host: …"),
        ("refused 192.168.1.20 port 80", "refused … port 80"),
        ("fe80::1 a8:03:2a:be:54:dc me@there c:\\x", "… … … …"),
        ("user=hunter2; 12.5 A", "… 12.5 A"),
        ("a\u{7}b\u{1b}[31m \u{202e}x", "a\\u{7}b\\u{1b}[31m \\u{202e}x"),
    ] {
        assert_eq!(redacted(text, line), shown);
    }
    assert!(redacted(&"long ".repeat(500), line).chars().count() <= SHOWN + 1);
    assert_eq!(redacted("7240 nonsense", "printf 7240"), "… nonsense");
}

#[test]
fn errors_redact_environment_variables() {
    // Cargo sets this one for tests.
    assert_eq!(redacted("rigbench 17", "echo $CARGO_PKG_NAME"), "… 17");
    assert_eq!(redacted("rigbench 17", "echo"), "rigbench 17");
}

/// The pattern of readings at these milliseconds, at the time `now`.
fn pattern(at: impl IntoIterator<Item = u64>, bytes: usize, now: u64) -> Pattern {
    let mut bursts = Bursts::default();
    for at in at {
        bursts.add(Duration::from_millis(at), bytes);
    }
    bursts.pattern(Duration::from_millis(now))
}

#[test]
fn two_readings_per_tick_are_two_meters_if_repeated() {
    assert_eq!(pattern([3, 4], 9, 20), Pattern::Single, "they may go on");
    assert_eq!(pattern([3, 4], 9, 2000), Pattern::Unclear);
    assert_eq!(pattern([3, 4, 503, 504], 9, 900), Pattern::Unclear);
    assert_eq!(pattern([3, 4, 503, 504, 1003, 1004], 9, 1500), Pattern::Several(2));
    assert_eq!(pattern([3, 4, 5003, 5004], 9, 5200), Pattern::Several(2), "a slow tick");
    let eight = [0, 1000, 2000].into_iter().flat_map(|tick| (0..8).map(move |card| tick + card));
    assert_eq!(pattern(eight, 9, 3000), Pattern::Several(8));
    // The second tick was merged with the third.
    assert_eq!(pattern([3, 4, 503, 503, 504, 504, 1003, 1004], 9, 1500), Pattern::Several(2));
}

#[test]
fn one_reading_per_tick_is_one_meter_even_if_some_merge() {
    assert_eq!(pattern([3, 503, 1003], 9, 1500), Pattern::Single);
    assert_eq!(pattern([3, 4, 503, 1003, 1004], 9, 1500), Pattern::Single);
    // 100 readings per second, with a hiccup.
    let quick = (0..40).map(|i| i * 10 + if i > 20 { 200 } else { 0 });
    assert_eq!(pattern(quick, 9, 611), Pattern::Single);
}

#[test]
fn hundreds_of_readings_after_silence_are_buffered() {
    let burst = |start: u64| (0..585).map(move |_| start);
    assert_eq!(pattern(burst(4000), 7, 4200), Pattern::Buffered);
    assert_eq!(pattern(burst(10).chain(burst(5010)), 7, 5200), Pattern::Buffered);
    // What a fast stream prints before the first poll.
    assert_eq!(pattern(burst(10), 7, 200), Pattern::Unclear);
}

#[test]
fn bare_nan_becomes_null_outside_strings() {
    for (text, value) in [
        (
            r#"{"a":nan,"b":[NaN,-nan,inf,-Infinity,+INF]}"#,
            json!({"a":null,"b":[null,null,null,null,null]}),
        ),
        (r#"{"nan":"nan, \"inf\" nan","x":nan}"#, json!({"nan":"nan, \"inf\" nan","x":null})),
        (r#"{"a": 1.5}"#, json!({"a": 1.5})),
    ] {
        assert_eq!(json::parse(text.as_bytes()), Some(value), "{text}");
    }
}

#[test]
fn other_invalid_json_is_rejected() {
    for text in ["", "{", "{\"a\":nano}", "{\"a\":1nan}", "nan nan", "{nan:1}", "\\", "\"\\"] {
        assert_eq!(json::parse(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_input_panics(bytes: Vec<u8>) {
        let _ = json::parse(&bytes);
    }
}

#[test]
fn equal_addresses_parse_equal() {
    let adapter = pci_address("0000:0a:00.1").unwrap();
    assert_eq!(pci_address("00000000:0A:00.1").unwrap(), adapter);
    assert_ne!(pci_address("0001:0a:00.1").unwrap(), adapter);
    for nonsense in ["", "0a:00.1", "0000:0a:00", "0000:0a:../x.0", "0000:1ff:00.0"] {
        assert!(pci_address(nonsense).is_err(), "{nonsense}");
    }
}

#[test]
fn poll_interval_is_a_quarter_of_the_update_period_within_bounds() {
    for (update, expected) in [(0.001, 0.02), (0.1, 0.025), (1.0, 0.25), (60.0, 1.0)] {
        assert_eq!(poll(Seconds(update)), Seconds(expected), "{update}");
    }
    assert_eq!(before_wrap(Joules(1000.0), Watts(250.0)), Seconds(1.0));
}

#[test]
fn unset_registers_are_rejected() {
    for raw in [0.0, -1.0, f64::NAN, f64::INFINITY, 65_535.0, 4_294_967_295.0, 42e6] {
        assert!(checked(raw, 1000.0, 500.0).is_err(), "{raw}");
    }
    assert_eq!(checked(499_000.0, 1000.0, 500.0).unwrap(), 499.0);
    for raw in [0.0, f64::NAN, f64::INFINITY, u32::MAX as f64, u64::MAX as f64] {
        assert!(checked(raw, 1000.0, f64::INFINITY).is_err(), "{raw}");
    }
    assert_eq!(checked(42e6, 1000.0, f64::INFINITY).unwrap(), 42_000.0);
}

#[test]
fn all_ones_limit_is_ignored() {
    assert_eq!(card_ceiling([Watts(4_294_967.295), Watts(320.0)]), Watts(640.0));
    assert_eq!(card_ceiling([Watts(0.0)]), CARD_CEILING);
}
