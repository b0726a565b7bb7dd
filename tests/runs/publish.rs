//! `rigbench run --publish` on a machine that is not at rest.

use crate::support;

use rigbench::results::{Document, OrNewer, RunReason, Verdict};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn publish(out: &Path, more: &[&str]) -> Child {
    let args =
        ["run", "--publish", "--device", "cpu", "--workload", "gemm:8x8x8", "--power", "none"];
    let mut run = support::rigbench(&args);
    run.args(more)
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn written(out: &Path) -> Option<PathBuf> {
    let mut paths = std::fs::read_dir(out).ok()?.map(|entry| entry.unwrap().path());
    paths.find(|path| path.extension().is_some_and(|e| e == "json"))
}

/// Others take a third of every thread, three times what is allowed, for as long as `what` takes.
fn beside_others<T>(what: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    while began.elapsed() < Duration::from_millis(10) {}
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
        let result = what();
        over.store(true, Ordering::Relaxed);
        result
    })
}

#[test]
fn it_waits_half_a_minute_for_rest_then_refuses_or_marks_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let (refused, marked) = (folder.path().join("refused"), folder.path().join("marked"));
    let began = Instant::now();
    let (refusal, interrupted) = beside_others(|| {
        let refusal = publish(&refused, &[]);
        let going_on = publish(&marked, &["--allow-busy"]);
        let refusal = refusal.wait_with_output().unwrap();
        let patience = Instant::now() + Duration::from_secs(60);
        while written(&marked).is_none() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(50));
        }
        let pid = going_on.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        (refusal, going_on.wait_with_output().unwrap())
    });
    assert!(began.elapsed() >= Duration::from_secs(30));
    let said = String::from_utf8_lossy(&refusal.stderr).into_owned();
    assert_eq!(refusal.status.code(), Some(2), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(errors.len() == 1 && errors[0].contains("--allow-busy"), "{said}");
    assert_eq!(written(&refused), None);

    let said = String::from_utf8_lossy(&interrupted.stderr).into_owned();
    assert_eq!(interrupted.status.code(), Some(130), "{said}");
    let path = written(&marked).expect("with --allow-busy it goes on");
    let document: Document = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(document.evidence.manifest.protocol.mode, "publish");
    assert!(document.evidence.run.began_busy);
    // It was interrupted before its first row, and says so beside its reason.
    let of_run = &document.derived.run;
    assert_eq!(of_run.verdict, Verdict::Incomplete);
    let mark = "other programs used the processor when it began (--allow-busy)";
    assert_eq!(RunReason::BeganBusy.to_string(), mark);
    assert!(of_run.reasons.contains(&OrNewer::Known(RunReason::BeganBusy)), "{:?}", of_run.reasons);
    let judged = support::rigbench(&["validate", path.to_str().unwrap()]).output().unwrap();
    let said = String::from_utf8_lossy(&judged.stdout).into_owned();
    assert!(judged.status.success() && said.contains(mark), "{said}");
}
