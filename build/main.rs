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
    // What the program is made of, and where git records that another commit is checked out. Git's index is not watched: `git status`
    // rewrites it.
    const SOURCES: [&str; 8] = [
        "build",
        "kernels",
        "results/hardware.toml",
        "results/market",
        "results/rigbench.schema.json",
        "src",
        "Cargo.toml",
        "Cargo.lock",
    ];
    for path in SOURCES {
        println!("cargo:rerun-if-changed={path}");
    }
    let git = |args: &[&str]| {
        let command = Command::new("git").arg("--no-optional-locks").args(args).output();
        let output = command.ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_string())
    };
    // A package unpacked inside some other repository must not take that one's commit.
    if git(&["ls-files", "--error-unmatch", "src/units.rs"]).is_none() {
        return;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "HEAD"]) {
        let changed = git(&[&["status", "--porcelain", "--"], &SOURCES[..]].concat());
        let suffix =
            if changed.is_some_and(|changed| changed.is_empty()) { "" } else { "-changed" };
        println!("cargo:rustc-env=RIGBENCH_COMMIT={commit}{suffix}");
    }
}
