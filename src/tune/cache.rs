//! Cached choices of earlier runs, one file each. Files are untrusted: a choice that the tuner could not have made is ignored with a
//! warning in the log, and so is a cache that cannot be read or written.

use crate::results::Tuning;
use crate::text::hex;
use atomic_write_file::AtomicWriteFile;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Maximum size of an entry: a trial takes some hundred bytes, and there are some dozens of them.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Serialize, Deserialize)]
struct Entry {
    key: Value,
    tuning: Tuning,
}

/// The user's cache folder for choices, if the system has one.
pub(super) fn folder() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "rigbench")?.cache_dir().join("tune"))
}

fn path(folder: &Path, key: &Value) -> PathBuf {
    let digest = hex(&Sha256::digest(key.to_string()));
    folder.join(format!("{}.json", &digest[..32]))
}

/// The choice cached under this key, if `check` accepts it.
pub(super) fn read(
    folder: &Path,
    key: &Value,
    check: impl Fn(&Tuning) -> Result<(), String>,
) -> Option<Tuning> {
    let path = path(folder, key);
    let entry = entry(&path, key).transpose()?;
    let checked = entry.and_then(|tuning| check(&tuning).map(|()| tuning));
    checked
        .inspect_err(|why| {
            tracing::warn!(
                "the kept choice {} is ignored: {why}; kernels are tried again",
                path.display()
            );
        })
        .ok()
}

/// Reads an entry; `None` if there is no file.
fn entry(path: &Path, key: &Value) -> Result<Option<Tuning>, String> {
    let text = |error: std::io::Error| error.to_string();
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // Opening a pipe would block.
        Ok(about) if !about.is_file() => return Err("it is not a file".into()),
        other => other.map_err(text)?,
    };
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(text)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("it is larger than {} KiB", MAX_BYTES >> 10));
    }
    let entry: Entry = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if entry.key != *key {
        return Err("it is of another workload or machine".into());
    }
    Ok(Some(entry.tuning))
}

/// Caches a choice.
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
