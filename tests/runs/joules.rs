//! `cargo bench --bench joules`, in the short form in which `cargo test` runs it.

use std::process::{Command, Output};

/// Runs the hashes of the bench with these sources, one a line.
fn joules(sources: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["test", "--locked", "--quiet", "--bench", "joules", "--", "sha256d"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RIGBENCH_POWER", sources)
        // `test.sh` gives it to this harness; cargo would build everything anew for it.
        .env_remove("RUSTC_BOOTSTRAP")
        .output()
        .unwrap()
}

/// `45.1 MH/s` or `1 210 000 J/TH` as a number and its unit.
fn figure(text: &str) -> (f64, &str) {
    let (number, unit) = text.rsplit_once(' ').unwrap();
    (number.replace(' ', "").parse().unwrap(), unit)
}

#[test]
fn watts_of_the_environment_become_joules_and_are_not_called_measured() {
    let out = joules("declared:sha256d=100@machine\n model:idle=60,max=280\n");
    let said = String::from_utf8(out.stdout).unwrap();
    assert!(out.status.success(), "{said}{}", String::from_utf8_lossy(&out.stderr));
    let lines: Vec<&str> = said.lines().collect();
    let rows = lines.iter().enumerate().filter(|(_, line)| line.starts_with("sha256d on "));
    let mut devices = 0;
    for (at, row) in rows {
        let (rate, unit) = figure(row.rsplit_once(": ").unwrap().1);
        let terahashes = match unit {
            "kH/s" => 1e-9 * rate,
            "MH/s" => 1e-6 * rate,
            "GH/s" => 1e-3 * rate,
            _ => panic!("{row}"),
        };
        let declared = lines[at + 1].trim().strip_prefix("no measured source: ");
        let declared = declared.and_then(|line| line.strip_suffix(" (declared, machine)"));
        let (joules, unit) = figure(declared.unwrap_or_else(|| panic!("{said}")));
        assert_eq!(unit, "J/TH");
        // Both are printed with three digits.
        assert!((joules * terahashes / 100.0 - 1.0).abs() < 0.011, "{said}");
        let modelled = lines[at + 2].trim();
        assert!(
            modelled.starts_with("no measured source: from ") && modelled.ends_with(" (model)"),
            "{said}"
        );
        devices += 1;
    }
    assert!(devices >= 1, "{said}");
}

#[test]
fn a_source_that_is_misspelt_ends_it_with_the_right_spelling() {
    let out = joules("declarde:100");
    assert!(!out.status.success());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("declared"), "{said}");
}
