//! Records the commit that the program is built from, where it is built in a checkout.

use std::process::Command;

fn main() {
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
