//! How a run ends before its time: Ctrl-C, kills and full disks.

use crate::cli::{assert_fits_the_schema, documents, output, read, short_run, text};
use crate::support;
use rigbench::results::{OrNewer, Reason, RunReason, Verdict};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A file appears as soon as the run begins; waits for it.
fn wait_for_document(folder: &Path) -> PathBuf {
    let patience = Instant::now() + Duration::from_secs(60);
    while Instant::now() < patience {
        if let Some(path) = documents(folder).pop() {
            return path;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no document appeared");
}

fn send(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

#[test]
fn ctrl_c_keeps_finished_windows_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let (code, said) = support::followed(&mut short_run(folder.path()), |line, process| {
        if line.contains("window 1/8") {
            send("-INT", process);
        }
    });
    assert_eq!(code, Some(130), "{said}");
    let path = documents(folder.path()).remove(0);
    let document = read(&path);
    assert_fits_the_schema(&serde_json::to_value(&document).unwrap());
    assert_eq!(document.evidence.run.finished_at, None);
    let of_run = &document.derived.run;
    // Where other programs take the processor for most of a second, the file of before the block remains.
    if said.contains("interrupted while the device was busy") {
        assert!(matches!(of_run.verdict, Verdict::Incomplete | Verdict::Invalid), "{said}");
        return;
    }
    assert!(said.contains("interrupted after"), "{said}");
    assert_eq!(of_run.verdict, Verdict::Invalid);
    let unfinished = RunReason::Unfinished { rows: 1, of: 1 };
    assert!(of_run.reasons.contains(&OrNewer::Known(unfinished)), "{:?}", of_run.reasons);
    let [(row, figures)] = document.rows().collect::<Vec<_>>()[..] else {
        panic!("the row is kept: {said}")
    };
    let windows = row.windows.as_ref().unwrap().len();
    assert!((1..8).contains(&windows), "{windows}");
    assert!(figures.reasons.contains(&Reason::Interrupted { windows, of: 8 }), "{figures:?}");
}

/// Killed at moments that are spread over a run; `scripts/soak.sh` sets RIGBENCH_KILLS to 50.
#[test]
fn a_kill_loses_no_finished_block() {
    let kills: usize = std::env::var("RIGBENCH_KILLS").map_or(5, |n| n.parse().unwrap());
    // Two rows of two blocks.
    const BLOCKS: usize = 4;
    let (next, kept_in_all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kill_next = || {
        let kill = next.fetch_add(1, Ordering::Relaxed);
        if kill >= kills {
            return false;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut child = short_run(folder.path())
            .args(["--workload", "gemm:32x32x32", "--seed", "1"])
            .env("RIGBENCH_LOG", "info")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let path = wait_for_document(folder.path());
        // After some of the blocks, as the program reports them, so that a slow machine is killed at the same points; then the
        // golden ratio spreads any number of moments over the two seconds and more that a block takes.
        let blocks = kill % BLOCKS;
        let mut kept = 0;
        while kept < blocks {
            let line = said.next().expect("the run goes on").unwrap();
            kept += usize::from(line.contains("is kept"));
        }
        let moment = (kill as f64 * 0.618_034).fract() * 2.0;
        std::thread::sleep(Duration::from_secs_f64(moment));
        send("-KILL", child.id());
        child.wait().unwrap();
        kept += said.filter(|line| line.as_ref().unwrap().contains("is kept")).count();
        let document = read(&path);
        let windows = document.evidence.known_rows().filter_map(|row| row.windows.as_ref());
        let blocks: usize = windows.map(|windows| windows.blocks.windows.len()).sum();
        assert!(blocks >= kept, "killed {moment:.2} s later: {blocks} blocks of {kept}");
        kept_in_all.fetch_add(kept, Ordering::Relaxed);
        if document.evidence.run.finished_at.is_none() {
            assert_fits_the_schema(&serde_json::to_value(&document).unwrap());
            let judged = output(&["validate", path.to_str().unwrap()]);
            let said = text(&judged.stdout);
            assert_eq!(judged.status.code(), Some(0), "killed {moment:.2} s later: {said}");
            let unfinished = match &document.evidence.rows[..] {
                [] => "incomplete: no row was finished",
                _ => "invalid: it was interrupted, or is under way: ",
            };
            assert!(said.contains(unfinished), "{said}");
        }
        true
    };
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| while kill_next() {});
        }
    });
    let kept_in_all = kept_in_all.into_inner();
    println!("{kills} kills, {kept_in_all} blocks were finished, none was lost");
    assert!(kept_in_all > 0);
}

/// A limit on the size of files, in place of a full disk: writing fails half-way in both.
#[test]
fn a_full_disk_is_one_line_and_leaves_the_old_file() {
    let limited = |folder: &Path, kib: u32| {
        let run = short_run(folder);
        let words: Vec<&str> = [run.get_program()]
            .into_iter()
            .chain(run.get_args())
            .map(|w| w.to_str().unwrap())
            .collect();
        let script = format!("trap '' XFSZ; ulimit -f {kib}; exec \"$@\"");
        let mut shell = Command::new("bash");
        shell.args(["-c", &script, "bash"]).args(words).stdin(Stdio::null()).output().unwrap()
    };
    let at_once = tempfile::tempdir().unwrap();
    let out = limited(at_once.path(), 1);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.starts_with("error: cannot write results to") && said.contains("--out"), "{said}");
    assert_eq!(documents(at_once.path()), Vec::<PathBuf>::new());

    // Room for the first document, without figures, and not for the second.
    let later = tempfile::tempdir().unwrap();
    let out = limited(later.path(), 4);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{said}");
    let document = read(&documents(later.path())[0]);
    assert_eq!(document.evidence.rows, []);
}
