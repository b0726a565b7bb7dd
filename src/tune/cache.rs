//! Choices of earlier runs, one file each. A cache that cannot be read or written is none.

use crate::kernels::hex;
use crate::results::wire::Tuning;
use atomic_write_file::AtomicWriteFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(Serialize, Deserialize)]
struct Entry {
    key: Value,
    tuning: Tuning,
}

/// The folder of the user's choices, where the system has such a place.
pub(super) fn folder() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "rigbench")?.cache_dir().join("tune"))
}

fn path(folder: &Path, key: &Value) -> PathBuf {
    let digest = hex(&Sha256::digest(key.to_string()));
    folder.join(format!("{}.json", &digest[..32]))
}

/// What was chosen under this key.
pub(super) fn read(folder: &Path, key: &Value) -> Option<Tuning> {
    let entry: Entry = serde_json::from_slice(&std::fs::read(path(folder, key)).ok()?).ok()?;
    (entry.key == *key).then_some(entry.tuning)
}

/// Keeps a choice.
pub(super) fn write(folder: &Path, key: &Value, tuning: &Tuning) {
    let path = path(folder, key);
    let entry = Entry { key: key.clone(), tuning: tuning.clone() };
    let text = serde_json::to_vec_pretty(&entry).expect("entries are plain data");
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| AtomicWriteFile::open(&path))
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.commit()));
    if let Err(error) = written {
        tracing::warn!("the choice is not kept for later runs: {}: {error}", path.display());
    }
}
