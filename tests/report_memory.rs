//! A report of many files reads a few at a time: what it holds at once does not grow with them by more than their rows, and what it
//! does grows in proportion. Both are counted in bytes that are asked of the memory, so that they are the same on every machine.

mod support;

use rigbench::measure::BoardTelemetry;
use rigbench::report::Collection;
use rigbench::results::{self, Document, Evidence, OrNewer};
use std::alloc::{GlobalAlloc, Layout, System};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);
static ALL: AtomicUsize = AtomicUsize::new(0);

/// Held by each test: what one asks of the memory while another counts would be counted too.
static LOCK: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The system's allocator, counted.
struct Counted;

// SAFETY: it only counts, and leaves everything to the system's.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), SeqCst) + layout.size();
        MOST.fetch_max(now, SeqCst);
        ALL.fetch_add(layout.size(), SeqCst);
        // SAFETY: as asked.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: as asked.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static COUNTED: Counted = Counted;

/// The times that the rows of the real run stand in each of these runs.
const TIMES: usize = 4;

/// The ceilings of the real run, so many times one after the other: their work has no proof, which holds for the id of one run alone.
fn ceilings() -> Evidence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run.json");
    let document: Document = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut evidence = document.evidence;
    evidence.rows.retain(|row| row.known().is_some_and(|row| row.workload.id.is_ceiling()));
    let manifest = &mut evidence.manifest;
    manifest.workloads.retain(|spec| spec.starts_with("peak") || spec == "stream");
    let (begin, end) = (evidence.run.started_at, evidence.run.finished_at.unwrap());
    let lasted = end.duration_since(begin);
    evidence.run.finished_at = Some(begin + lasted * TIMES as i32);
    let rows = std::mem::take(&mut evidence.rows);
    for time in 0..TIMES {
        let later = time as f64 * lasted.as_secs_f64();
        evidence.rows.extend(rows.iter().cloned().map(|mut row| {
            for windows in row.known_mut().unwrap().windows.iter_mut() {
                let blocks = &mut windows.blocks;
                let columns = [
                    &mut blocks.idle_from_seconds,
                    &mut blocks.load_from_seconds,
                    &mut blocks.measured_from_seconds,
                ];
                columns.into_iter().flatten().for_each(|seconds| *seconds += later);
            }
            row
        }));
    }
    evidence
}

/// Writes so many runs, each under another id and some of two hundred made-up power limits, so that a report has that many times the
/// lines of one.
fn runs(folder: &Path, count: usize) -> Vec<PathBuf> {
    let mut evidence = ceilings();
    let each = evidence.rows.len() / TIMES;
    let mut paths = Vec::new();
    for number in 0..count {
        for (i, row) in evidence.rows.iter_mut().filter_map(OrNewer::known_mut).enumerate() {
            let limit = Some(100.0 + ((TIMES * number + i / each) % 200) as f64);
            row.condition.power_limit_watts = limit;
            let Some(telemetry) = &mut row.telemetry else { continue };
            let none = vec![None; telemetry.samples];
            telemetry.board = Some(BoardTelemetry {
                celsius: none.clone(),
                core_hertz: none.clone(),
                memory_hertz: none,
                power_limit_watts: vec![limit; telemetry.samples],
                throttle: vec![None; telemetry.samples],
            });
        }
        evidence.run.id = format!("00000000-0000-4000-8000-{number:012}");
        let path = folder.join(format!("run-{number:04}.json"));
        std::fs::write(&path, results::text(&Document::of(evidence.clone()))).unwrap();
        paths.push(path);
    }
    paths
}

/// Bytes at once, bytes that remain, and bytes in all, for a collection of the files.
fn gathered(paths: &[PathBuf]) -> [f64; 3] {
    let (before, all) = (NOW.load(SeqCst), ALL.load(SeqCst));
    MOST.store(before, SeqCst);
    let collection = Collection::gather(paths, |_, _| {});
    assert_eq!(collection.runs().count(), paths.len());
    [MOST.load(SeqCst) - before, NOW.load(SeqCst) - before, ALL.load(SeqCst) - all]
        .map(|n| n as f64)
}

#[test]
fn many_files_take_the_memory_of_a_few() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let paths = runs(folder.path(), 40);
    // Tables that are made once are made before. One file alone would be read otherwise than several.
    gathered(&paths[..10]);
    let [ten, rest_of_ten, work_of_ten] = gathered(&paths[..10]);
    let [forty, rest_of_forty, work_of_forty] = gathered(&paths);
    let more = rest_of_forty - rest_of_ten;
    // Every row here is a group of its own.
    let remains = ceilings().rows.len() as f64 * 4096.0;
    println!(
        "at once: {ten} bytes for ten files, {forty} for forty, of which {more} remain; in all {work_of_ten} and {work_of_forty}"
    );
    assert!(more < 30.0 * remains, "{more} bytes of 30 more files remain");
    // The files that are read at the same time are not always the same.
    assert!(forty < 1.5 * ten, "forty files hold {forty} bytes at once, ten {ten}");
    let growth = work_of_forty / work_of_ten;
    assert!((growth / 4.0 - 1.0).abs() < 0.05, "forty files take {growth} times the work of ten");
}

/// `scripts/soak.sh` times the command over these.
#[test]
#[ignore = "writes files for ./scripts/soak.sh"]
fn a_thousand_runs_are_written() {
    let _alone = alone();
    let folder = PathBuf::from(std::env::var("RIGBENCH_THOUSAND").expect("a folder"));
    runs(&folder, 1000);
}
