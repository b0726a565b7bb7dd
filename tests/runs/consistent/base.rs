//! A short run on this machine's processor, made once for all tests that need one.

use rigbench::results::Document;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;

/// A run and its file.
pub struct Base {
    pub document: Document,
    _folder: TempDir,
    path: PathBuf,
}

impl Base {
    /// The file that the program wrote.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Hashes, a product and the peak, with declared watts.
pub static BASE: LazyLock<Base> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_rigbench"));
    run.args(["run", "--quick", "--device", "cpu", "--power", "declared:60"]);
    for workload in ["sha256d", "gemm:48x40x56:f32", "peak:f32"] {
        run.args(["--workload", workload]);
    }
    let output = run.env("XDG_CACHE_HOME", cache).arg("--out").arg(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let document = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    Base { document, _folder: folder, path }
});
