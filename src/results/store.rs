//! Writes each run to its own file, atomically: a kill or a full disk leaves either the old file or the new one. Short values and columns
//! of numbers are written in one line.

use super::document::{Document, Evidence};
use atomic_write_file::AtomicWriteFile;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

/// A file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write results to {}: {cause}; choose another folder with --out", path.display())]
pub struct StoreError {
    path: PathBuf,
    cause: Error,
}

/// The folder for result files.
pub struct OutDir(PathBuf);

impl OutDir {
    /// Creates the folder and checks that it is writable.
    ///
    /// # Errors
    /// If it is not.
    pub fn open(path: &Path) -> Result<OutDir, StoreError> {
        let fail = |cause| StoreError { path: path.to_path_buf(), cause };
        std::fs::create_dir_all(path).map_err(fail)?;
        // Dropped without a commit: it only probes the folder.
        AtomicWriteFile::open(path.join("rigbench-probe")).map_err(fail)?;
        Ok(OutDir(path.to_path_buf()))
    }

    /// The default: `results/local` in a checkout of rigbench, else `rigbench-results`.
    pub fn default_path() -> PathBuf {
        let checkout = Path::new("results/rigbench.schema.json").is_file();
        PathBuf::from(if checkout { "results/local" } else { "rigbench-results" })
    }

    /// Creates the file of a run, named by start time, first device and run id. An existing file is never replaced.
    ///
    /// # Errors
    /// If the file cannot be written or already exists.
    pub fn create(&self, run: &Evidence) -> Result<RunFile, StoreError> {
        let path = self.0.join(name(run));
        let mut builder = tempfile::Builder::new();
        builder.prefix(".rigbench-");
        // The default permissions of new files.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let create = || {
            // First written under another name, so that no partial file exists under its own.
            let mut file = builder.tempfile_in(&self.0)?;
            file.write_all(text(&Document::of(run.clone())).as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(&path).map_err(|error| error.error)
        };
        create().map_err(|cause| StoreError { path: path.clone(), cause })?;
        Ok(RunFile(path))
    }
}

fn name(run: &Evidence) -> String {
    let device = run.manifest.devices().next().map_or("", |device| &device.name);
    let words = device.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut device = words.map(str::to_lowercase).collect::<Vec<_>>().join("-");
    device.truncate(40);
    let started = run.run.started_at.strftime("%Y%m%dT%H%M%SZ");
    format!("{started}-{device}-{}.json", run.run.id)
}

/// The file of one run.
pub struct RunFile(PathBuf);

impl RunFile {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Replaces the document by the run's present state, and syncs it.
    ///
    /// # Errors
    /// If it cannot be written; the old file then remains.
    pub fn replace(&self, run: &Evidence) -> Result<(), StoreError> {
        let write = || {
            let mut file = AtomicWriteFile::open(&self.0)?;
            file.write_all(text(&Document::of(run.clone())).as_bytes())?;
            file.commit()
        };
        write().map_err(|cause| StoreError { path: self.0.clone(), cause })
    }
}

/// Maximum width of a value that is written in one line.
const WIDTH: usize = 100;

/// Serializes the document.
pub fn text(document: &impl Serialize) -> String {
    let mut text = String::new();
    lay_out(&serde_json::to_value(document).expect("documents are plain data"), 0, &mut text);
    text.push('\n');
    text
}

fn lay_out(value: &Value, depth: usize, text: &mut String) {
    // A fixed buffer, in which writing a long value stops early.
    let mut line = [0; WIDTH];
    let mut unwritten = &mut line[..];
    let fits = serde_json::to_writer(&mut unwritten, value).is_ok();
    let (open, close, members): (_, _, Vec<(String, &Value)>) = match value {
        _ if fits => return *text += &value.to_string(),
        Value::Object(members) => {
            let name = |name: &String| format!("{}:", json!(name));
            ('{', '}', members.iter().map(|(member, value)| (name(member), value)).collect())
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            ('[', ']', items.iter().map(|item| (String::new(), item)).collect())
        }
        _ => return *text += &value.to_string(),
    };
    text.push(open);
    for (i, (name, value)) in members.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        *text += &format!("{comma}\n{:1$}{name}", "", depth + 1);
        lay_out(value, depth + 1, text);
    }
    *text += &format!("\n{:1$}{close}", "", depth);
}
