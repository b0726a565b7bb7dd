//! Mutated answers of plugs, over loopback as the sources get them, and mutated lines of a power command.

use crate::mutations::fake_plug::{self as fake, Plug, Reply};
use crate::mutations::random::Random;
use crate::mutations::soak::soak;
use crate::mutations::{bytes, tree};
use rigbench::energy::source::{command, shelly, tasmota};
use rigbench::energy::{EnergySource, Scope};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the plug answers to anything but the question that stays as it is.
type Answer = Arc<Mutex<Vec<u8>>>;

fn reads(found: fake::Found) -> bool {
    let Ok(mut sources) = found else { return false };
    sources.iter_mut().all(|source| {
        serde_json::to_string(&source.describe()).unwrap();
        source.read().is_ok()
    })
}

fn mutate(original: &str, random: &mut Random) -> Vec<u8> {
    let mut body = original.as_bytes().to_vec();
    if random.below(2) == 0 {
        let mut value = serde_json::from_str(original).unwrap();
        tree::mutate(&mut value, random);
        body = serde_json::to_vec(&value).unwrap();
    } else {
        bytes::mutate(&mut body, random);
    }
    if random.below(4) > 0 {
        return body;
    }
    let mut head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    bytes::mutate(&mut head, random);
    head.extend(body);
    head
}

/// The body with a head of its own, unless it has one.
fn reply(bytes: Vec<u8>) -> Reply {
    if bytes.starts_with(b"HTTP") {
        return Reply::Raw(bytes);
    }
    let mut whole =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).into_bytes();
    whole.extend(bytes);
    Reply::Raw(whole)
}

/// A plug whose answers to `mutated` are what the test puts there, and to all else as they should be.
fn plug(mutated: &'static [&'static str], good: fn(&str) -> Reply) -> (Plug, Answer) {
    let answer = Answer::default();
    let theirs = Arc::clone(&answer);
    let plug = Plug::new(move |path| match mutated.iter().any(|part| path.contains(part)) {
        true => reply(theirs.lock().unwrap().clone()),
        false => good(path),
    });
    (plug, answer)
}

fn try_plug(
    kind: &str,
    original: &'static str,
    mutated: &'static [&'static str],
    good: fn(&str) -> Reply,
    find: impl Fn(&str) -> fake::Found,
) {
    let (plug, answer) = plug(mutated, good);
    let url = plug.url("");
    soak(
        kind,
        original.as_bytes(),
        |random| mutate(original, random),
        |path: &Path| {
            *answer.lock().unwrap() = std::fs::read(path).unwrap();
            reads(find(&url))
        },
    );
}

#[test]
fn mutated_answers_of_a_shelly_do_no_harm() {
    try_plug("shelly", fake::GEN2_STATUS, &["GetStatus"], fake::gen2, shelly::find);
}

#[test]
fn mutated_answers_of_an_old_shelly_do_no_harm() {
    try_plug("shelly-gen1", fake::GEN1_STATUS, &["/status"], fake::gen1, shelly::find);
}

#[test]
fn what_a_mutated_shelly_says_of_itself_does_no_harm() {
    try_plug("shelly-about", fake::GEN2, &["/shelly"], fake::gen2, shelly::find);
}

#[test]
fn mutated_answers_of_a_tasmota_do_no_harm() {
    try_plug("tasmota", fake::TASMOTA, &["Status%208"], fake::tasmota, tasmota::find);
}

#[test]
fn what_a_mutated_tasmota_says_of_itself_does_no_harm() {
    let parts = &["Module", "Status%202"];
    try_plug("tasmota-about", fake::TASMOTA_MODULE, parts, fake::tasmota, tasmota::find);
}

/// As `nvidia-smi --query-gpu=power.draw --format=csv` answers.
#[test]
fn mutated_lines_of_a_power_command_do_no_harm() {
    const LINES: &str = "power.draw [W]\n231.45 W\n";
    let mutate = |random: &mut Random| {
        let mut lines =
            if random.below(2) == 0 { LINES.as_bytes() } else { b"231.45 W\n" }.to_vec();
        bytes::mutate(&mut lines, random);
        lines
    };
    soak("command", b"231.45 W\n", mutate, |path| {
        let line = format!("cat '{}'", path.display());
        command::Command::start(&line, Scope::GpuBoard).is_ok_and(|command| {
            serde_json::to_string(&command.describe()).unwrap();
            true
        })
    });
}
