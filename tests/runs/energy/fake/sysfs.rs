//! A tree of files like the kernel's, which a test changes as time passes.

use std::path::Path;
use tempfile::TempDir;

/// The root of the tree.
pub struct Sysfs {
    root: TempDir,
}

impl Sysfs {
    /// A tree of these files.
    pub fn with(files: &[(&str, &str)]) -> Sysfs {
        let sysfs = Sysfs { root: tempfile::tempdir().unwrap() };
        sysfs.put(files);
        sysfs
    }

    /// Adds these files or changes them, each at one stroke, as the kernel does.
    pub fn put(&self, files: &[(&str, &str)]) {
        for (path, text) in files {
            put(&self.path().join(path), text);
        }
    }

    /// Where the tree is.
    pub fn path(&self) -> &Path {
        self.root.path()
    }
}

/// Writes a file at one stroke.
pub fn put(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let fresh = file.with_extension("fresh");
    std::fs::write(&fresh, format!("{text}\n")).unwrap();
    std::fs::rename(fresh, file).unwrap();
}
