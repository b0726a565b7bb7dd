//! Commands that do not work end in one clear line that tells what they printed but nothing of the command line.

use rigbench::energy::source::command::Command;
use rigbench::energy::{EnergyError, EnergySource, Scope};
use std::fs;

/// The one line.
fn told(error: EnergyError) -> String {
    let line = error.to_string();
    assert!((20..400).contains(&line.len()), "{line:?}");
    assert!(!line.contains(char::is_control), "{line:?}");
    line
}

fn line(command: &str) -> String {
    match Command::start(command, Scope::Wall) {
        Ok(_) => panic!("{command} is taken"),
        Err(error) => told(error),
    }
}

#[test]
fn nonsense_is_named() {
    for (command, shown) in [
        ("echo abc", "'abc'"),
        ("echo nan", "'nan'"),
        ("echo inf", "'inf'"),
        ("echo -5", "'-5'"),
        ("echo 5 kWh", "'5 kWh'"),
        ("echo 5 GW", "'5 GW'"),
        ("echo 1,5", "'1,5'"),
        ("echo 5; echo x", "'x'"),
        (r"printf 'a\007b\n'", r"'a\u{7}b'"),
        (r"printf '\033c\n'", r"'\u{1b}c'"),
        (r"printf '\377\n'", "'\u{fffd}'"),
    ] {
        let line = line(command);
        assert!(line.contains(shown) && line.contains("no power"), "{command}: {line}");
    }
}

#[test]
fn nonsense_without_end_is_shortened() {
    for command in ["yes x | tr '\\n' ' '", "head -c 300000 /dev/zero | tr '\\0' 7", "yes x y z"] {
        assert!(line(command).contains("no power"));
    }
}

#[test]
fn an_end_without_a_line_or_with_a_status() {
    for (command, says) in [
        ("true", "ended without printing a line"),
        ("echo; echo ' '", "ended without printing a line"),
        ("exit 3", "ended with exit status 3"),
        ("echo 5; exit 4", "ended with exit status 4"),
        ("echo 5; kill -9 $$", "ended by a signal"),
        ("echo no luck >&2; exit 5", "ended with exit status 5 (no …)"),
        ("if", "ended with exit status 2"),
        ("./no-such-program", "ended with exit status 127"),
    ] {
        let line = line(command);
        assert!(line.contains(says), "{command}: {line}");
    }
    // Words that are not of the command line are told.
    let line = line("printf '\\156o me\\164er here' >&2; false");
    assert!(line.contains("(no meter …)"), "{line}");
}

#[test]
fn a_stall_is_given_up() {
    let silent = line("sleep 60");
    assert!(silent.contains("printed nothing within 10 s"), "{silent}");
    // A filter in a pipe keeps back what it has, as this one does what it never prints.
    for cure in ["stdbuf -oL", "grep --line-buffered", "awk '{...; fflush()}'"] {
        assert!(silent.contains(cure), "{silent}");
    }
    let mut command = Command::start("echo 5; sleep 60", Scope::Wall).unwrap();
    // The next reading begins anew, and stalls again.
    assert!(told(command.read().unwrap_err()).contains("printed nothing within 5 s"));
}

/// What nvidia-smi prints on a machine with two cards: on and on, quickly or slowly, or once.
#[test]
fn several_readings_at_one_instant_are_refused_with_a_hint() {
    for command in [
        "while :; do echo 300.12 W; echo 25.40 W; sleep 0.3; done",
        "while :; do echo 300.12 W; echo 25.40 W; sleep 3; done",
        "while :; do printf '300.12 W\n25.40 W\n'; sleep 1.2; done",
        "echo 300.12 W; echo 25.40 W",
        "sleep 0.3; printf '300.12 W\\n25.40 W'",
    ] {
        let line = line(command);
        assert!(line.contains("2 readings at one instant"), "{command}: {line}");
        assert!(line.contains("nvidia-smi -i 0") && line.contains("add them up"), "{line}");
    }
    let eight = line("while :; do for c in 1 2 3 4 5 6 7 8; do echo $c; done; sleep 0.3; done");
    assert!(eight.contains("8 readings at one instant"), "{eight}");
}

/// What a filter kept back until it had 4 KiB: more readings than any machine has cards.
#[test]
fn a_burst_after_a_silence_is_told_from_several_meters() {
    let line = line("while :; do sleep 1.5; seq 1001 2000; done");
    assert!(line.contains("many readings at once after a silence"), "{line}");
    assert!(line.contains("stdbuf -oL"), "{line}");
}

#[test]
fn registers_without_content_are_refused() {
    for raw in ["65535", "65535 W", "6553.5", "65.535", "65.535 kW", "4294967295", "4294967295 mW"]
    {
        let line = line(&format!("echo {raw}"));
        assert!(line.contains("cannot be true"), "{raw}: {line}");
    }
    assert!(line("echo 18446744073709551615").contains("cannot be true"));
    assert!(line("echo 42 MW").contains("more than a million watts"));

    let (folder, mut command) = shown_from_a_file();
    fs::write(folder.path().join("watts"), "65535").unwrap();
    assert!(told(command.read().unwrap_err()).contains("cannot be true"));
    fs::write(folder.path().join("watts"), "65534").unwrap();
    assert_eq!(command.read().unwrap(), [65534.0]);
}

#[test]
fn a_dot_is_refused_as_ambiguous_once_it_contradicts_other_readings() {
    let (folder, mut command) = shown_from_a_file();
    let mut show = |watts: &str| {
        fs::write(folder.path().join("watts"), watts).unwrap();
        command.read()
    };
    // By itself it is what it says.
    assert_eq!(show("1.285"), Ok(vec![1.285]));
    assert_eq!(show("0.980"), Ok(vec![0.98]));
    let line = told(show("980").unwrap_err());
    assert!(line.contains("980 and 1.285") && line.contains("separator"), "{line}");
    assert!(show("1.301").is_err() && show("990").is_err(), "none can be trusted now");
}

/// A command that shows what a file holds, 100.5 at first.
fn shown_from_a_file() -> (tempfile::TempDir, Command) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("watts"), "100.5").unwrap();
    let line = format!("cat {}", folder.path().join("watts").display());
    let command = Command::start(&line, Scope::Wall).unwrap();
    (folder, command)
}

#[test]
fn a_stream_that_dies_fails_that_reading_and_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let mut command = Command::start(
        &format!("cd {path}; while [ ! -e end ]; do echo 100; sleep 0.05; done; printf 24; exit 3"),
        Scope::Wall,
    )
    .unwrap();
    assert_eq!(command.read().unwrap(), [100.0]);
    fs::write(folder.path().join("end"), "").unwrap();
    let error = loop {
        match command.read() {
            // Lines that were on their way. The number that was cut off is none of them.
            Ok(watts) => assert_eq!(watts, [100.0]),
            Err(error) => break told(error),
        }
    };
    assert!(error.contains("exit status 3"), "{error}");
    fs::remove_file(folder.path().join("end")).unwrap();
    assert_eq!(command.read().unwrap(), [100.0]);
}

#[test]
fn one_line_of_nonsense_fails_one_reading() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let mut command = Command::start(
        &format!(
            "cd {path}; while :; do [ -e bad ] && rm bad && echo x; echo 100; sleep 0.05; done"
        ),
        Scope::Wall,
    )
    .unwrap();
    fs::write(folder.path().join("bad"), "").unwrap();
    let mut failed = Vec::new();
    while failed.is_empty() || folder.path().join("bad").exists() {
        failed.extend(command.read().err());
    }
    assert!(told(failed.remove(0)).contains("'x'"));
    assert!(failed.is_empty());
    assert_eq!(command.read().unwrap(), [100.0]);
}

#[test]
fn secrets_of_the_command_line_are_never_told() {
    for command in [
        "echo hunter2-s3cret",
        "echo 'pass hunter2 s3cret'",
        "echo xhunter2x",
        "echo HUNTER2 | tr A-Z a-z",
        "echo hunter2 s3cret plug.lan >&2; exit 1",
        "hunter2-s3cret",
        "./s3cret/hunter2",
        "cat /hunter2/s3cret",
        "echo 'hunter2'); s3cret",
        "echo http://admin:hunter2@plug.lan/ | cut -c 1-20",
        "printf 's3cret\\001hunter2\\n'",
        "S=hunter2; echo \"$S\" $0 \"$@\"",
        "set -x; false hunter2 s3cret",
        // What does not stand in the line but tells a place: 192.168.1.2, and a8:03:2a in the colons of a MAC address.
        r"printf '\061\071\062\056\061\066\070\056\061\056\062 gone\n' >&2; exit 1",
        r"printf '\141\070\072\060\063\072\062\141\n'",
    ] {
        let line = line(command).to_lowercase();
        for secret in ["hunter", "s3cret", "plug.lan", "192.168", "a8:03", "echo", "printf"] {
            assert!(!line.contains(secret), "{command}: {line}");
        }
    }
}

#[test]
fn a_line_that_no_shell_can_take() {
    assert!(line("echo 5\0").contains("no shell could be started"));
}
