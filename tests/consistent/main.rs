//! A file that rigbench writes is one that `rigbench validate` finds consistent: whatever is read, whenever the run ends,
//! whoever else writes, and whether or not anyone listens.

mod cache;
mod incomplete;
mod sources;
#[cfg(unix)]
mod stopped;
mod store;
#[cfg(target_os = "linux")]
mod streams;
#[path = "../support/mod.rs"]
mod support;

use rigbench::measure::{Mode, Protocol};
use rigbench::results::{self, Depth, Run, read, wire};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A real run on a virtual machine without a GPU.
static BASE: LazyLock<wire::Document> =
    LazyLock::new(|| serde_json::from_slice(&std::fs::read(golden()).unwrap()).unwrap());

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/run.json")
}

/// A run that has just begun.
fn begun() -> Run {
    Run {
        id: uuid::Uuid::new_v4().to_string(),
        started_at: "2026-11-30T12:00:00Z".parse().unwrap(),
        finished_at: None,
        protocol: Protocol::of(Mode::Quick),
        user_seed: 7,
        manifest: BASE.manifest.clone(),
        rows: Vec::new(),
        faults: Vec::new(),
    }
}

/// Result files of a folder.
fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect()
}

/// The document in a file, which must be consistent.
#[track_caller]
fn consistent(path: &Path) -> wire::Document {
    let given = read::open(path, read::read).unwrap().unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(results::validate(&given, Depth::Quick).faults, Vec::<String>::new());
    given.document
}
