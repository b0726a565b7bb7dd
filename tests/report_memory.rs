//! A report of many files reads a few at a time: what it holds at once does not grow with them by more than their rows, and what it
//! does grows in proportion. Both are counted in bytes that are asked of the memory, so that they are the same on every machine.

mod support;

use rigbench::report::Collection;
use rigbench::results::{self, wire};
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

fn golden() -> wire::Document {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Writes so many runs: the real one, each time under another id and one of fifty made-up power limits, so that a report has fifty
/// times its lines. Devices cannot have other names: the manifest has them, and proofs of work hold for that manifest alone.
fn runs(folder: &Path, count: usize) -> Vec<PathBuf> {
    let mut document = golden();
    let mut paths = Vec::new();
    for number in 0..count {
        let limit = Some(100.0 + (number % 50) as f64);
        for window in document.measurements.iter_mut().flat_map(|m| &mut m.windows) {
            window.telemetry.board = Some(wire::Board {
                celsius: None,
                core_hertz: None,
                memory_hertz: None,
                power_limit_watts: limit,
                throttle: None,
            });
        }
        document.run.id = format!("00000000-0000-4000-8000-{number:012}");
        document.proof.document_sha256 = results::document_sha256(&document);
        let path = folder.join(format!("run-{number:04}.json"));
        std::fs::write(&path, results::text(&document)).unwrap();
        paths.push(path);
    }
    paths
}

/// Bytes at once, and bytes in all, for a collection of the files.
fn gathered(paths: &[PathBuf]) -> (f64, f64) {
    let (before, all) = (NOW.load(SeqCst), ALL.load(SeqCst));
    MOST.store(before, SeqCst);
    let collection = Collection::gather(paths, |_, _| {});
    assert_eq!(collection.runs().count(), paths.len());
    ((MOST.load(SeqCst) - before) as f64, (ALL.load(SeqCst) - all) as f64)
}

#[test]
fn many_files_take_the_memory_of_a_few() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let paths = runs(folder.path(), 40);
    // Tables that are made once are made before. One file alone would be read otherwise than several.
    gathered(&paths[..10]);
    let (ten, work_of_ten) = gathered(&paths[..10]);
    let (forty, work_of_forty) = gathered(&paths);
    let rows = golden().measurements.len() as f64 * 4096.0;
    println!(
        "at once: {ten} bytes for ten files, {forty} for forty; in all {work_of_ten} and {work_of_forty}"
    );
    assert!(forty - ten < 30.0 * rows, "30 more files hold {} bytes more", forty - ten);
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
