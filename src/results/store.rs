//! Writes the document so that a kill or a full disk at any moment leaves the old file or the new one, whole.

use super::layout::text;
use super::wire::Document;
use atomic_write_file::AtomicWriteFile;
use jiff::Timestamp;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write results to {}: {cause}; choose another folder with --out", path.display())]
pub struct StoreError {
    path: PathBuf,
    cause: std::io::Error,
}

/// The folder that runs are written to.
pub struct OutDir(PathBuf);

impl OutDir {
    /// Makes the folder and sees that it can be written to.
    ///
    /// # Errors
    /// If it cannot.
    pub fn open(path: &Path) -> Result<OutDir, StoreError> {
        let fail = |cause| StoreError { path: path.to_path_buf(), cause };
        std::fs::create_dir_all(path).map_err(fail)?;
        // Dropped without a commit: tries the folder and leaves nothing.
        AtomicWriteFile::open(path.join("rigbench-probe")).map_err(fail)?;
        Ok(OutDir(path.to_path_buf()))
    }

    /// The default: `results/local` in a checkout of rigbench, else `rigbench-results`.
    pub fn default_path() -> PathBuf {
        if Path::new("results/rigbench.schema.json").is_file() {
            PathBuf::from("results/local")
        } else {
            PathBuf::from("rigbench-results")
        }
    }

    /// The file of a run: named by its start and its first device.
    pub fn file(&self, started_at: Timestamp, device: &str, id: &str) -> PathBuf {
        let words: Vec<String> = device
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let mut device = words.join("-");
        device.truncate(40);
        let id = id.get(..4).unwrap_or(id);
        self.0.join(format!("{}-{device}-{id}.json", started_at.strftime("%Y%m%dT%H%M%SZ")))
    }
}

/// Replaces the file by the whole document, synced.
///
/// # Errors
/// If it cannot be written; then the file is what it was.
pub fn write(document: &Document, path: &Path) -> Result<(), StoreError> {
    let fail = |cause| StoreError { path: path.to_path_buf(), cause };
    let mut file = AtomicWriteFile::open(path).map_err(fail)?;
    file.write_all(text(document).as_bytes()).map_err(fail)?;
    file.commit().map_err(fail)
}
