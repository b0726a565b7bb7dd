//! Writes each run to a file of its own, so that a kill or a full disk at any moment leaves the old file or the new one, whole.

use super::document::{Document, Evidence};
use super::layout::text;
use atomic_write_file::AtomicWriteFile;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

/// A file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write results to {}: {cause}; choose another folder with --out", path.display())]
pub struct StoreError {
    path: PathBuf,
    cause: Error,
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

    /// Writes a run that begins to a new file, named by its start, its first device and its id. A file that exists is never
    /// replaced.
    ///
    /// # Errors
    /// If the file cannot be written, or there is one of this name.
    pub fn create(&self, run: &Evidence) -> Result<RunFile, StoreError> {
        let path = self.0.join(name(run));
        let create = || {
            // Written whole under another name first: the file must not exist in part.
            let mut file = new_file().tempfile_in(&self.0)?;
            file.write_all(text(&Document::of(run.clone())).as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(&path).map_err(|error| error.error)
        };
        match create() {
            Ok(_) => Ok(RunFile(path)),
            Err(cause) => Err(StoreError { path, cause }),
        }
    }
}

/// A file with the permissions that other new files get.
fn new_file() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rigbench-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

fn name(run: &Evidence) -> String {
    let device = run.manifest.devices().next().map_or("", |device| &device.name);
    let words: Vec<String> = device
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let mut device = words.join("-");
    device.truncate(40);
    let started = run.run.started_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{started}-{device}-{}.json", run.run.id)
}

/// The file of one run, which no other run writes.
pub struct RunFile(PathBuf);

impl RunFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the document by what the run is now, synced.
    ///
    /// # Errors
    /// If it cannot be written; then the file is what it was.
    pub fn replace(&self, run: &Evidence) -> Result<(), StoreError> {
        let write = || {
            let mut file = AtomicWriteFile::open(&self.0)?;
            file.write_all(text(&Document::of(run.clone())).as_bytes())?;
            file.commit()
        };
        write().map_err(|cause| StoreError { path: self.0.clone(), cause })
    }
}
