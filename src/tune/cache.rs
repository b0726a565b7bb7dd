//! Cached choices of earlier runs, one file each. Files are untrusted: a choice that the tuner could not have made is ignored with a
//! warning in the log, and so is a cache that cannot be read or written.

use crate::results::Tuning;
use crate::text::{self, hex};
use anyhow::{Result, bail, ensure};
use atomic_write_file::AtomicWriteFile;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Maximum size of an entry: a trial takes some hundred bytes, and there are some dozens of them.
const MAX_BYTES: u64 = 1 << 20;

#[derive(Deserialize)]
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
    check: impl Fn(&Tuning) -> Result<()>,
) -> Option<Tuning> {
    let path = path(folder, key);
    let entry = entry(&path, key).transpose()?;
    let checked = entry.and_then(|tuning| check(&tuning).map(|()| tuning));
    let shown = path.display();
    checked
        .inspect_err(|why| {
            tracing::warn!("the kept choice {shown} is ignored: {why}; kernels are tried again");
        })
        .ok()
}

/// Reads an entry; `None` if there is no file.
fn entry(path: &Path, key: &Value) -> Result<Option<Tuning>> {
    let bytes = match text::read(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => match error.kind() {
            ErrorKind::NotFound => return Ok(None),
            ErrorKind::IsADirectory | ErrorKind::InvalidInput => bail!("it is not a file"),
            _ => return Err(error.into()),
        },
    };
    ensure!(bytes.len() as u64 <= MAX_BYTES, "it is larger than {} KiB", MAX_BYTES >> 10);
    let entry: Entry = serde_json::from_slice(&bytes)?;
    ensure!(entry.key == *key, "it is of another workload or machine");
    Ok(Some(entry.tuning))
}

/// Caches a choice.
pub(super) fn write(folder: &Path, key: &Value, tuning: &Tuning) {
    let path = path(folder, key);
    let entry = json!({"key": key, "tuning": tuning});
    let text = serde_json::to_vec_pretty(&entry).expect("entries are plain data");
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| AtomicWriteFile::open(&path))
        .and_then(|mut file| file.write_all(&text).and_then(|()| file.commit()));
    if let Err(error) = written {
        tracing::warn!("the choice is not kept for later runs: {}: {error}", path.display());
    }
}
