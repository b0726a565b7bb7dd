//! Streams that are gone: a terminal that was closed, a reader that has seen enough, a full disk. None of them makes rigbench
//! panic, run on, or change its answer.

use super::stopped::{send, short_run};
use super::{BASE, consistent, documents};
use crate::support::rigbench;
use nix::pty::openpty;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The exit code of a run that was told to stop. That it ends within a minute only tells a slow machine from a run that goes on.
#[track_caller]
fn code(mut child: Child) -> Option<i32> {
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it goes on although it was told to stop");
}

fn wait_for_file(folder: &Path) {
    while documents(folder).is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends a run with each of the streams that its stderr may be, once there is a file.
#[test]
fn a_run_whose_stderr_takes_nothing_stops_and_leaves_a_consistent_file() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let gone = std::io::pipe().unwrap().1;
    let cases =
        [("a full disk", Stdio::from(full)), ("a pipe without a reader", Stdio::from(gone))];
    for (what, stderr) in cases {
        let out = tempfile::tempdir().unwrap();
        let child = short_run(out.path()).stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
        wait_for_file(out.path());
        send("-INT", child.id());
        assert_eq!(code(child), Some(130), "{what}");
        consistent(&documents(out.path())[0]);
    }
}

#[test]
fn a_run_whose_stderr_is_closed_stops_and_leaves_a_consistent_file() {
    let out = tempfile::tempdir().unwrap();
    let run = short_run(out.path());
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 2>&-", "sh"]).arg(run.get_program()).args(run.get_args());
    shell.env("RIGBENCH_LOG", "info").stdin(Stdio::null()).stdout(Stdio::null());
    let child = shell.spawn().unwrap();
    wait_for_file(out.path());
    send("-TERM", child.id());
    assert_eq!(code(child), Some(130));
    consistent(&documents(out.path())[0]);
}

/// The log was read up to the first window, then nobody reads on: what is said from there on meets a broken pipe.
#[test]
fn a_run_whose_log_loses_its_reader_goes_on_to_its_end() {
    let out = tempfile::tempdir().unwrap();
    let mut run = short_run(out.path());
    let mut child = run.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains(": window 1/")));
    drop(said);
    assert_eq!(code(child), Some(0));
    assert!(consistent(&documents(out.path())[0]).evidence.run.finished_at.is_some());
}

/// The end of an ssh session: the terminal that shows the live display is closed, and the signal comes after.
#[test]
fn a_run_whose_terminal_is_closed_stops_and_leaves_a_consistent_file() {
    let out = tempfile::tempdir().unwrap();
    let pty = openpty(None, None).unwrap();
    let mut run = short_run(out.path());
    run.env("RIGBENCH_LOG", "warn").env("TERM", "xterm");
    run.stdout(pty.slave.try_clone().unwrap()).stderr(pty.slave);
    let child = run.spawn().unwrap();
    drop(run);
    let mut terminal = File::from(pty.master);
    let (mut shown, mut some) = (String::new(), [0; 4096]);
    while !shown.contains("window 1/") {
        let n = terminal.read(&mut some).unwrap();
        shown += &String::from_utf8_lossy(&some[..n]);
    }
    drop(terminal);
    send("-HUP", child.id());
    send("-HUP", child.id());
    assert_eq!(code(child), Some(130));
    let document = consistent(&documents(out.path())[0]);
    assert_eq!(document.evidence.run.finished_at, None);
}

/// A sensor whose file never answers, so that the program cannot look whether it was told to stop.
struct Stuck(tempfile::TempDir);

impl Stuck {
    fn new() -> Stuck {
        let root = tempfile::tempdir().unwrap();
        let zone = root.path().join("class/powercap/intel-rapl:0");
        std::fs::create_dir_all(&zone).unwrap();
        nix::unistd::mkfifo(&zone.join("name"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::fs::write(zone.join("energy_uj"), "1000\n").unwrap();
        Stuck(root)
    }

    /// A run that waits for it.
    fn run(&self, out: &Path) -> Command {
        let mut run = rigbench(&["run", "--quick", "--device", "cpu", "--power", "rapl"]);
        run.args(["--workload", "gemm:64x64x64:f32", "--out"]).arg(out);
        run.env("RIGBENCH_SYSFS", self.0.path()).stdout(Stdio::null());
        run
    }
}

/// Tells a run to stop, again until it listens: before that the signal would end it by itself.
#[track_caller]
fn stop(child: Child) -> Option<i32> {
    let caught = |id: u32| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap_or(0) & 0b10 != 0)
    };
    while !caught(child.id()) {
        std::thread::sleep(Duration::from_millis(10));
    }
    send("-INT", child.id());
    code(child)
}

#[test]
fn a_program_that_is_held_up_ends_though_its_stderr_has_no_reader() {
    let (stuck, out) = (Stuck::new(), tempfile::tempdir().unwrap());
    let gone = std::io::pipe().unwrap().1;
    assert_eq!(stop(stuck.run(out.path()).stderr(gone).spawn().unwrap()), Some(130));
}

#[test]
fn a_program_that_is_held_up_ends_though_its_stderr_is_a_pipe_that_is_full() {
    let (stuck, out) = (Stuck::new(), tempfile::tempdir().unwrap());
    let (reader, mut writer) = std::io::pipe().unwrap();
    let theirs = writer.try_clone().unwrap();
    // Ends with the reader.
    let filler = std::thread::spawn(move || while writer.write_all(&[b'.'; 4096]).is_ok() {});
    assert_eq!(stop(stuck.run(out.path()).stderr(theirs).spawn().unwrap()), Some(130));
    drop(reader);
    filler.join().unwrap();
}

/// As with `| head -n 1`, only that here the reader leaves before the first line.
#[test]
fn a_reader_who_leaves_changes_neither_the_exit_code_nor_stderr() {
    let run = BASE.path().to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, "{}").unwrap();
    let commands: [&[&str]; 14] = [
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["devices"],
        &["devices", "--json"],
        &["report", run],
        &["report", "--format", "csv", run],
        &["report", "--format", "html", run],
        &["advise", run],
        &["advise", "--print-market"],
        &["compare", run, run],
        &["compare", "--gate", "1", run, run],
        &["validate", bad.to_str().unwrap()],
        &["completions", "bash"],
    ];
    for args in commands {
        let read = rigbench(args).output().unwrap();
        let gone = std::io::pipe().unwrap().1;
        let unread = rigbench(args).stdout(gone).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(unread.status.code(), read.status.code(), "{args:?}");
        let lines = |stderr: &[u8]| String::from_utf8(stderr.to_vec()).unwrap();
        assert_eq!(lines(&unread.stderr), lines(&read.stderr), "{args:?}");
        assert!(!lines(&unread.stderr).contains("panicked"), "{args:?}");
    }
}

#[test]
fn a_full_disk_behind_stdout_is_one_line() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let out = rigbench(&["devices"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let line = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2), "{line}");
    assert!(
        line.starts_with("error: cannot write to stdout") && line.lines().count() == 1,
        "{line}"
    );
}
