//! Nothing that a command began outlives it or rigbench, whatever ends rigbench.

use crate::energy::fake::witness::Witness;
use rigbench::energy::source::command::Command;
use rigbench::energy::{EnergySource, Scope};
use std::io::{BufRead, BufReader};
use std::process::{self, Stdio};

/// Children, and children of children that their parent no longer knows.
const FAMILY: &str = "sleep 600 & (sleep 600 &) ; (trap '' TERM INT HUP; sleep 600) & ";

const STREAM: &str = "while :; do echo 100; sleep 0.1; done";

#[test]
fn a_stream_is_gone_when_it_is_dropped() {
    let witness = Witness::new();
    let line = format!("{}{FAMILY}{STREAM}", witness.hold());
    let mut command = Command::start(&line, Scope::Wall).unwrap();
    assert_eq!(command.read().unwrap(), [100.0]);
    assert!(witness.some_left());
    drop(command);
    assert!(witness.all_gone());
}

#[test]
fn what_a_command_leaves_behind_is_gone_before_it_is_run_again() {
    let witness = Witness::new();
    let command =
        Command::start(&format!("{}{FAMILY}echo 5", witness.hold()), Scope::Wall).unwrap();
    assert!(witness.all_gone());
    drop(command);
}

#[test]
fn a_command_that_is_refused_is_gone() {
    for end in ["echo nonsense; sleep 600", "echo 5; exit 3", "exit 0"] {
        let witness = Witness::new();
        assert!(Command::start(&format!("{}{FAMILY}{end}", witness.hold()), Scope::Wall).is_err());
        assert!(witness.all_gone(), "{end}");
    }
}

#[test]
fn a_stalled_command_is_gone_after_the_reading() {
    let witness = Witness::new();
    let ran = witness.file("ran").display().to_string();
    // The second run does not take part.
    let line =
        format!("[ -e {ran} ] && exit 1; touch {ran}; {}{FAMILY}echo 5; sleep 600", witness.hold());
    let mut command = Command::start(&line, Scope::Wall).unwrap();
    assert!(command.read().unwrap_err().to_string().contains("printed nothing"));
    assert!(witness.all_gone());
}

/// Not a test: stands for rigbench in the one below, and is killed there.
#[test]
#[ignore = "run by another test"]
fn stand_in() {
    let Ok(line) = std::env::var("STAND_IN_LINE") else { return };
    let mut command = Command::start(&line, Scope::Wall).unwrap();
    command.read().unwrap();
    println!("\nready");
    match std::env::var("STAND_IN_END").as_deref() {
        // As the handler of Ctrl-C ends rigbench: nothing is dropped.
        Ok("exit") => process::exit(130),
        _ => loop {
            let _ = command.read();
        },
    }
}

#[test]
fn nothing_outlives_rigbench_however_it_ends() {
    // Those who run tests in the background may have it ignore interrupts, so that none is tried here.
    for end in ["exit", "-TERM", "-KILL"] {
        let witness = Witness::new();
        let mut rigbench = process::Command::new(std::env::current_exe().unwrap())
            .args(["energy::command_ends::stand_in", "--exact", "--ignored", "--nocapture"])
            .env("STAND_IN_LINE", format!("{}{FAMILY}{STREAM}", witness.hold()))
            .env("STAND_IN_END", end)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(rigbench.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"), "{end}");
        if end.starts_with('-') {
            let pid = rigbench.id().to_string();
            assert!(process::Command::new("kill").args([end, &pid]).status().unwrap().success());
        }
        assert!(!rigbench.wait().unwrap().success());
        assert!(witness.all_gone(), "{end}");
    }
}
