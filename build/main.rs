//! Writes the double SHA-256 as WGSL and as Rust, and records the commit that the program is built from, where it is built in
//! a checkout.

use std::path::Path;
use std::process::Command;

#[path = "../src/kernels/sha256d/program.rs"]
mod program;
mod rust;
mod wgsl;

fn main() {
    let out = std::env::var_os("OUT_DIR").expect("cargo names a folder for what is built");
    let hash = program::Program::new();
    for (name, code) in [("sha256d.rs", hash.rust()), ("sha256d.wgsl", hash.wgsl())] {
        let path = Path::new(&out).join(name);
        std::fs::write(&path, code).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=src/kernels/sha256d");
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/index");
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok().filter(|o| o.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
    };
    // A package unpacked inside some other repository must not take that one's commit.
    let own = git(&["ls-files", "--error-unmatch", "src/units.rs"]).is_some();
    if let Some(commit) = own.then(|| git(&["rev-parse", "HEAD"])).flatten() {
        let changed = git(&["status", "--porcelain", "--untracked-files=no"]);
        let suffix = if changed.is_some_and(|c| c.is_empty()) { "" } else { "-changed" };
        println!("cargo:rustc-env=RIGBENCH_COMMIT={commit}{suffix}");
    }
}
