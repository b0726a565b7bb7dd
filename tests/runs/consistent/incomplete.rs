//! A run that ended before its first row had figures says so, in its file and to whoever asks for more of it.

use super::{BASE, begun, consistent, documents};
use crate::support::rigbench;
use rigbench::results::{
    Document, Failure, FailureCode, OrNewer, OutDir, Outcome, Row, RunReason, Verdict,
};
use std::path::PathBuf;
use std::process::Output;

/// The file of a run that was killed before its first block.
struct Killed {
    folder: tempfile::TempDir,
    path: PathBuf,
}

fn killed() -> Killed {
    let folder = tempfile::tempdir().unwrap();
    let file = OutDir::open(folder.path()).unwrap().create(&begun()).unwrap();
    let path = file.path().to_path_buf();
    Killed { folder, path }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn output(args: &[&str]) -> Output {
    rigbench(args).output().unwrap()
}

/// Nothing on stdout, one line on stderr and exit code 2.
#[track_caller]
fn refused(args: &[&str]) {
    let out = output(args);
    let line = text(&out.stderr);
    assert_eq!((out.status.code(), text(&out.stdout).as_str()), (Some(2), ""), "{args:?}: {line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{args:?}: {line}");
    assert!(line.contains("no row was finished") && line.contains("run it again"), "{line}");
}

#[test]
fn a_run_that_is_killed_before_its_first_row_is_incomplete() {
    let killed = killed();
    let document = consistent(&killed.path);
    let run = &document.derived.run;
    assert_eq!(run.verdict, Verdict::Incomplete);
    assert_eq!(run.reasons, [OrNewer::Known(RunReason::NoRow)]);
    assert_eq!(RunReason::NoRow.to_string(), "no row was finished");
    assert_eq!(document.evidence.rows, []);
    let out = output(&["validate", killed.path.to_str().unwrap()]);
    let said = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert!(said.contains("incomplete: no row was finished"), "{said}");
    assert!(!said.contains("invalid"), "{said}");
}

#[test]
fn a_run_with_a_row_or_an_end_is_not_incomplete() {
    let mut evidence = BASE.document.evidence.clone();
    evidence.run.finished_at = None;
    assert_eq!(Document::of(evidence.clone()).derived.run.verdict, Verdict::Invalid);
    // A finished run of nothing but unsupported rows has nothing more to come.
    evidence.run.finished_at = BASE.document.evidence.run.finished_at;
    for row in &mut evidence.rows {
        let OrNewer::Known(measured) = &*row else { unreachable!() };
        let mut unsupported = Row::new(measured.device.clone(), measured.workload.clone());
        let failure = Failure::new(FailureCode::Limit, "a buffer of 1 TB");
        unsupported.outcome = Outcome::Unsupported(failure);
        *row = unsupported.into();
    }
    assert_eq!(evidence.rows.len(), 3);
    let run = Document::of(evidence).derived.run;
    assert_eq!((run.verdict, &run.reasons[..]), (Verdict::Valid, &[][..]));
}

#[test]
fn report_compare_and_advise_say_in_one_line_that_there_is_no_row() {
    let killed = killed();
    let (path, run) = (killed.path.to_str().unwrap(), BASE.path().to_str().unwrap());
    for format in ["table", "markdown", "csv", "html"] {
        refused(&["report", "--format", format, path]);
    }
    refused(&["advise", path]);
    refused(&["compare", path, run]);
    refused(&["compare", run, path]);
}

#[test]
fn report_and_advise_leave_it_out_beside_others() {
    let killed = killed();
    std::fs::copy(BASE.path(), killed.folder.path().join("run.json")).unwrap();
    let out = output(&["report", killed.folder.path().to_str().unwrap()]);
    let said = text(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("is not shown: no row was finished"), "{said}");

    let both = ["advise", BASE.path().to_str().unwrap(), killed.path.to_str().unwrap()];
    let (with, without) = (output(&both), output(&both[..2]));
    let said = text(&with.stderr);
    assert_eq!(with.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("a file is left out: ") && said.contains("no row was finished"),
        "{said}"
    );
    assert_eq!(text(&with.stdout), text(&without.stdout));
}

/// Stopped as soon as there is a file, which is while kernels are still tried: nothing is kept of those here.
#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_before_its_first_row_prints_no_empty_tables() {
    let (out, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let workload = ["--workload", "gemm:64x64x64:f32", "--power", "none", "--out"];
    let mut run = rigbench(&["run", "--quick", "--device", "cpu"]);
    run.args(workload).arg(out.path()).env("XDG_CACHE_HOME", cache.path());
    let piped = std::process::Stdio::piped;
    let child = run.stdout(piped()).stderr(piped()).spawn().unwrap();
    while documents(out.path()).is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    super::stopped::send("-INT", child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", text(&output.stderr));
    let document = consistent(&documents(out.path())[0]);
    // It may have come further on a machine where this test had to wait.
    if document.derived.run.verdict == Verdict::Incomplete {
        assert_eq!(text(&output.stdout), "");
    }
}
