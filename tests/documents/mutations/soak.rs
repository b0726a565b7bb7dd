//! Tries a kind of input: makes mutations one by one, and watches for panics, time and memory.

use crate::mutations::random::Random;
use std::alloc::{GlobalAlloc, Layout, System};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Counts what the whole program holds, and the most that it held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    MOST.fetch_max(held, Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const MOST_BYTES: usize = 500_000_000;
const LONGEST: Duration = Duration::from_secs(1);
/// More attempts at an input that took longer.
const ATTEMPTS: usize = 4;
/// After so long an input is taken for one that never ends.
const HANGS: Duration = Duration::from_secs(120);

/// One kind at a time, so that time and memory belong to it.
static ALONE: Mutex<()> = Mutex::new(());

/// How many mutations to try, and whether time decides.
fn count() -> (u64, bool) {
    match std::env::var("RIGBENCH_MUTATIONS") {
        Ok(count) => (count.parse().expect("RIGBENCH_MUTATIONS is a number"), true),
        Err(_) => (40, false),
    }
}

/// Mutates and reads inputs of a kind. The original is taken, as it must be. `mutate` makes the bytes of a file, `read` does with the file what the command does, and says
/// whether it was taken.
pub fn soak(
    kind: &str,
    original: &[u8],
    mutate: impl Fn(&mut Random) -> Vec<u8>,
    mut read: impl FnMut(&Path) -> bool,
) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mutations");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{kind}.input"));
    let (count, timed) = count();
    std::fs::write(&file, original).unwrap();
    assert!(read(&file), "{kind}: the original is not taken");
    let clock = Watch::start(kind, &file);
    let (mut taken, mut slowest, mut largest) = (0, (Duration::ZERO, 0), (0, 0));
    let mut faults = Vec::new();
    for seed in 0..count {
        let input = mutate(&mut Random::new(kind, seed));
        std::fs::write(&file, &input).unwrap();
        drop(input);
        clock.begin(seed);
        let before = HELD.load(Ordering::Relaxed);
        MOST.store(before, Ordering::Relaxed);
        let mut attempt = || {
            let began = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| read(&file)));
            (began.elapsed(), outcome)
        };
        let (mut took, outcome) = attempt();
        // What was slow for the sake of a neighbour is not slow again.
        for _ in 0..ATTEMPTS {
            if timed && took > LONGEST && outcome.is_ok() {
                took = took.min(attempt().0);
            }
        }
        let held = MOST.load(Ordering::Relaxed).saturating_sub(before);
        taken += u64::from(matches!(outcome, Ok(true)));
        slowest = slowest.max((took, seed));
        largest = largest.max((held, seed));
        let fault = match outcome {
            Err(_) => "panicked".to_string(),
            Ok(_) if held > MOST_BYTES => format!("held {} MB", held / 1_000_000),
            Ok(_) if timed && took > LONGEST => format!("took {:.2} s", took.as_secs_f64()),
            Ok(_) => continue,
        };
        let kept = folder.join(format!("{kind}-{seed}.input"));
        std::fs::copy(&file, &kept).unwrap();
        faults.push(format!("seed {seed} {fault}: {}", kept.display()));
    }
    println!(
        "{kind}: {count} mutations, {taken} taken, {} panicked, slow or large; slowest {:.0} ms (seed {}), largest {:.1} MB (seed {})",
        faults.len(),
        slowest.0.as_secs_f64() * 1e3,
        slowest.1,
        largest.0 as f64 / 1e6,
        largest.1,
    );
    assert!(faults.is_empty(), "{kind}:\n{}", faults.join("\n"));
}

/// Ends the program when an input takes so long that it may never end, since nothing else would name it.
struct Watch(Arc<Mutex<Option<(Instant, u64)>>>);

impl Watch {
    fn start(kind: &str, file: &Path) -> Watch {
        let now = Arc::new(Mutex::new(Some((Instant::now(), 0))));
        let (theirs, kind, file) = (Arc::clone(&now), kind.to_string(), file.to_path_buf());
        std::thread::spawn(move || {
            // The lock is held for the look alone: `while let` would hold it through the sleep.
            loop {
                let now = *theirs.lock().unwrap();
                let Some((began, seed)) = now else { return };
                if began.elapsed() > HANGS {
                    eprintln!("{kind}: seed {seed} does not end: {}", file.display());
                    std::process::abort();
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Watch(now)
    }

    fn begin(&self, seed: u64) {
        *self.0.lock().unwrap() = Some((Instant::now(), seed));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = None;
    }
}
