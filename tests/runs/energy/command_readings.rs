//! Commands that work: streams, of which the newest line counts, and commands that are run again for every reading.

use rigbench::energy::source::command::Command;
use rigbench::energy::{Basis, EnergySource, MeterKind, Quantity, Scope};
use rigbench::units::{Seconds, Watts};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

fn start(line: &str) -> Command {
    Command::start(line, Scope::Wall).unwrap()
}

fn read(command: &mut Command) -> f64 {
    let values = command.read().unwrap();
    assert_eq!(values.len(), 1);
    values[0]
}

fn wait_for(file: &Path) {
    let until = Instant::now() + Duration::from_secs(60);
    while !file.exists() {
        assert!(Instant::now() < until);
        thread::sleep(Duration::from_millis(10));
    }
}

/// A test's own folder, as part of a command line.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    (folder, path)
}

#[test]
fn it_says_what_it_is_and_not_what_it_runs() {
    let command = Command::start("echo '240 W' # hunter2 at 10.0.0.7", Scope::Machine).unwrap();
    let info = command.describe();
    assert_eq!(
        (info.kind, info.model.as_str(), &info.driver),
        (MeterKind::Command, "command", &None)
    );
    assert_eq!((info.scope, info.ceiling), (Scope::Machine, Watts(1e6)));
    assert_eq!(info.quantity, Quantity::Power { averaging: Seconds(0.0) });
    assert_eq!((info.update_period, info.poll), (None, Seconds(1.0)));
    assert_eq!((info.accuracy.share, info.accuracy.basis), (0.05, Basis::Assumed));
    let all = format!("{info:?}");
    assert!(
        !all.contains("hunter2") && !all.contains("10.0.0.7") && !all.contains("echo"),
        "{all}"
    );
}

#[test]
fn a_command_that_ends_is_run_again_for_every_reading() {
    let (_folder, path) = folder();
    // Prints how many times it was run.
    let mut command = start(&format!("cd {path}; echo >> runs; wc -l < runs"));
    let read: Vec<f64> = (0..3).map(|_| read(&mut command)).collect();
    assert_eq!(read, [2.0, 3.0, 4.0]);
    assert_eq!(command.arrived(), None);
}

#[test]
fn of_readings_one_after_another_the_last_counts() {
    let mut command = start("echo 5; echo; sleep 0.3; echo 6 W; sleep 0.3; echo 7.5 Watts");
    for _ in 0..3 {
        assert_eq!(read(&mut command), 7.5);
    }
}

#[test]
fn a_prefix_of_the_unit_counts() {
    for (line, watts) in [
        ("echo 0.285 kW", 285.0),
        ("echo 0.285 KW", 285.0),
        ("echo 285000mW", 285.0),
        ("echo 0.000285 MW", 285.0),
        ("echo 285 w", 285.0),
    ] {
        assert!((read(&mut start(line)) - watts).abs() < 1e-9, "{line}");
    }
}

#[test]
fn a_line_without_an_end_counts_if_the_command_ended_well() {
    assert_eq!(read(&mut start("printf 240")), 240.0);
}

#[test]
fn a_command_that_leaves_a_process_behind_is_over_all_the_same() {
    // The process holds the output open.
    let mut command = start("sleep 60 & echo 31");
    assert_eq!(command.describe().poll, Seconds(1.0));
    assert_eq!(read(&mut command), 31.0);
}

#[test]
fn its_standard_input_is_closed() {
    assert_eq!(read(&mut start("cat; echo 17")), 17.0);
}

#[test]
fn a_stream_is_read_as_its_lines_come() {
    let mut command = start("i=0; while :; do i=$((i+1)); echo $i; sleep 0.1; done");
    assert!(command.describe().poll.0 < 0.1);
    let read: Vec<f64> = (0..5).map(|_| read(&mut command)).collect();
    assert!(read.windows(2).all(|pair| pair[0] < pair[1]), "{read:?}");
}

#[test]
fn a_reading_is_never_older_than_the_request_for_it() {
    let (folder, path) = folder();
    let mut command = start(&format!(
        "cd {path}; echo 1; until [ -e more ]; do sleep 0.02; done
         i=1; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; done; touch printed
         until [ -e go ]; do sleep 0.02; done; while :; do echo 5000; sleep 0.02; done"
    ));
    let go = folder.path().join("go");
    fs::write(folder.path().join("more"), "").unwrap();
    wait_for(&folder.path().join("printed"));
    // Thousands of lines wait that nobody asked for.
    let before = Instant::now();
    let later = thread::spawn(move || {
        thread::sleep(Duration::from_millis(500));
        let at = Instant::now();
        fs::write(go, "").unwrap();
        at
    });
    // On a busy machine rigbench's own thread may hear some of them late, though many at once. A queue would give each of them.
    let late = (0..3000).take_while(|_| read(&mut command) != 5000.0).count();
    assert!(late < 2900, "lines that came before the request are given one after the other");
    let (after, gone) = (Instant::now(), later.join().unwrap());
    // Stamped when it came, not when it was asked for.
    let arrived = command.arrived().unwrap();
    assert!(before < gone && gone < arrived && arrived <= after);
}

#[test]
fn a_stream_that_is_far_too_fast_is_no_burden() {
    // Hundredths of a watt: no machine counts up to what is garbage.
    let counting = "i=0; while :; do i=$((i+1)); printf '%d.%02d\\n' $((i/100)) $((i%100)); done";
    let mut command = start(counting);
    let first = read(&mut command);
    thread::sleep(Duration::from_secs(1));
    // A queue would give the next line, or run full and hold the command up.
    assert!(read(&mut command) > first + 1.0);
}

#[test]
fn much_talk_on_standard_error_does_not_block_it() {
    assert_eq!(read(&mut start("head -c 1000000 /dev/zero >&2; echo 12")), 12.0);
}
