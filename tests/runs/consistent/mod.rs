//! A file that rigbench writes is one that `rigbench validate` finds consistent: whatever is read, whenever the run ends,
//! whoever else writes, and whether or not anyone listens.

mod base;
mod cache;
mod incomplete;
mod sources;
#[cfg(unix)]
mod stopped;
mod store;
#[cfg(target_os = "linux")]
mod streams;

pub use base::BASE;
use rigbench::results::{self, Clock, Depth, Document, Evidence, Run, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A run that has just begun.
fn begun() -> Evidence {
    let started_at = "2026-11-30T12:00:00Z".parse().unwrap();
    Evidence {
        run: Run {
            id: uuid::Uuid::new_v4().to_string(),
            started_at,
            finished_at: None,
            attempt: None,
            labels: BTreeMap::new(),
            user_seed: 7,
            began_busy: false,
        },
        challenge: None,
        beacon: None,
        manifest: BASE.document.evidence.manifest.clone(),
        clock: Clock { zero_at: started_at },
        baselines: Vec::new(),
        rows: Vec::new(),
    }
}

/// Result files of a folder.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect()
}

/// The document in a file, which must be consistent.
#[track_caller]
pub fn consistent(path: &Path) -> Document {
    let given = read::open(path, read::read).unwrap().unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(results::validate(&given, Depth::Quick).faults, Vec::<String>::new());
    given.shown()
}
