//! A plug that answers badly, or not at all, ends in one clear line, in good time and without its address.

use crate::energy::fake::plug::{Found, Plug, Reply, json, line};
use rigbench::energy::source::{shelly, tasmota};
use std::net::TcpListener;
use std::time::{Duration, Instant};

type Find = fn(&str) -> Found;
const KINDS: [Find; 2] = [shelly::find, tasmota::find];

/// The line that each kind of plug ends in if all requests are answered so.
fn lines(answer: fn() -> Reply) -> [String; 2] {
    KINDS.map(|find| {
        let plug = Plug::new(move |_| answer());
        let line = line(find(&plug.url("")));
        assert!(!plug.is_told_by(&line), "{line}");
        line
    })
}

/// A machine under load may need all of what is left of the two seconds, but not five times.
#[test]
fn a_late_answer_is_taken_within_the_time_limit() {
    let late = |reply| match reply {
        Reply::Status(_, _, body) => Reply::Late(Duration::from_millis(1200), body),
        other => other,
    };
    let plug = Plug::new(move |path| match path {
        "/status" => late(crate::energy::fake::plug::gen1(path)),
        _ => crate::energy::fake::plug::gen1(path),
    });
    let taken = (0..5).any(|_| match shelly::find(&plug.url("")) {
        Ok(sources) => sources.len() == 2,
        Err(error) => {
            assert!(error.to_string().contains("did not answer within 2 s"), "{error}");
            false
        }
    });
    assert!(taken);
}

#[test]
fn a_plug_that_hangs_is_given_up() {
    for answer in [(|| Reply::Hang) as fn() -> Reply, || Reply::Drip] {
        let start = Instant::now();
        for line in lines(answer) {
            assert!(line.contains("did not answer within 2 s"), "{line}");
        }
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}

#[test]
fn a_plug_that_hangs_later_fails_that_reading_alone() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let hangs = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&hangs);
    let plug = Plug::new(move |path| match theirs.load(Ordering::Relaxed) {
        true => Reply::Hang,
        false => crate::energy::fake::plug::gen2(path),
    });
    let mut sources = shelly::find(&plug.url("")).unwrap();
    hangs.store(true, Ordering::Relaxed);
    let line = sources[0].read().unwrap_err().to_string();
    assert!(line.contains("did not answer") && !plug.is_told_by(&line), "{line}");
    hangs.store(false, Ordering::Relaxed);
    assert_eq!(sources[0].read().unwrap(), [312.4]);
}

#[test]
fn nobody_there() {
    // The port is free again once the listener is gone.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for find in KINDS {
        let line = line(find(&format!("http://{address}")));
        assert!(line.contains("cannot be reached; check"), "{line}");
        assert!(!line.contains("127.0.0.1"), "{line}");
    }
}

#[test]
fn a_server_error_names_its_status() {
    for line in lines(|| Reply::Status(500, "", "{}".into())) {
        assert!(line.contains("HTTP status 500"), "{line}");
    }
}

#[test]
fn another_place_is_not_followed() {
    let elsewhere = Plug::new(crate::energy::fake::plug::gen1);
    let target: &'static str = format!("Location: {}/shelly\r\n", elsewhere.url("")).leak();
    let plug = Plug::new(move |_| Reply::Status(302, target, String::new()));
    let line = line(shelly::find(&plug.url("name:word@")));
    assert!(line.contains("HTTP status 302"), "{line}");
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn garbage_is_told_from_an_answer() {
    let bytes: fn() -> Reply = || Reply::Raw((0..=255).cycle().take(5000).collect());
    for answer in [bytes, || json("\0\u{1b}[2J<html>"), || json(""), || json("{\"apower\": 1e999}")]
    {
        for line in lines(answer) {
            assert!(line.contains("no JSON"), "{line}");
        }
    }
}

#[test]
fn deep_nesting_is_garbage_and_no_crash() {
    for line in lines(|| json(&"[".repeat(60_000))) {
        assert!(line.contains("no JSON"), "{line}");
    }
}

#[test]
fn a_huge_answer_is_not_taken_in() {
    for line in lines(|| json(&format!("{{\"x\":\"{}\"}}", "y".repeat(70_000)))) {
        assert!(line.contains("over 64 KiB"), "{line}");
    }
}

#[test]
fn an_answer_cut_short_is_none() {
    // What came would be a whole answer, if one did not look at the length that was announced.
    let cut = || {
        let body = r#"{"gen":2,"StatusSNS":{"ENERGY":{"Power":1,"Total":1}}}"#;
        Reply::Raw(format!("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{body}").into())
    };
    for line in lines(cut) {
        assert!(line.contains("broke off"), "{line}");
    }
}

#[test]
fn another_device_is_none() {
    for line in lines(|| json("{\"state\":\"fine\"}")) {
        assert!(line.contains("no Shelly plug") || line.contains("no Tasmota plug"), "{line}");
    }
    for line in lines(|| json("[1,2,3]")) {
        assert!(line.contains("what answers there"), "{line}");
    }
}

#[test]
fn figures_that_are_no_figures_are_refused() {
    for (power, total) in [
        (r#""312.4 W""#, "1.0"),
        ("null", "1.0"),
        ("{}", "1.0"),
        ("true", "1.0"),
        (r#""nan""#, "1.0"),
    ] {
        let gen1 = format!(r#"{{"meters":[{{"power":{power},"total":{total}}}]}}"#);
        let gen2 = format!(r#"{{"apower":{power},"aenergy":{{"total":{total}}}}}"#);
        let sns = format!(r#"{{"StatusSNS":{{"ENERGY":{{"Power":{power},"Total":{total}}}}}}}"#);
        for (find, about, answer) in [
            (KINDS[0], crate::energy::fake::plug::GEN1, gen1),
            (KINDS[0], crate::energy::fake::plug::GEN2, gen2),
            (KINDS[1], "{}", sns),
        ] {
            let plug = Plug::new(move |path| match path {
                "/shelly" => json(about),
                _ => json(&answer),
            });
            let line = line(find(&plug.url("")));
            assert!(line.contains("holds no"), "{line}");
        }
    }
}

#[test]
fn fields_that_are_not_there_are_refused() {
    for (about, answer) in [
        (crate::energy::fake::plug::GEN1, r#"{"meters":[]}"#),
        (crate::energy::fake::plug::GEN1, r#"{"emeters":[]}"#),
        (crate::energy::fake::plug::GEN1, r#"{"emeters":[{"is_valid":true}]}"#),
        (crate::energy::fake::plug::GEN2, r#"{"output":true}"#),
        (crate::energy::fake::plug::GEN2, r#"{"power":5,"total":5}"#),
    ] {
        let plug = Plug::new(move |path| match path {
            "/shelly" => json(about),
            _ => json(answer),
        });
        let line = line(shelly::find(&plug.url("")));
        assert!(line.contains("holds no") || line.contains("measures no power"), "{line}");
    }
}

#[test]
fn a_shelly_without_a_meter_says_so() {
    let plug = Plug::new(|path| match path {
        "/shelly" => json(crate::energy::fake::plug::GEN2),
        _ => Reply::Status(500, "", r#"{"code":-105,"message":"no such id"}"#.into()),
    });
    let line = line(shelly::find(&plug.url("")));
    assert!(line.contains("measures no power"), "{line}");
}
