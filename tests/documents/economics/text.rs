//! How the advice reads. The golden files hold what a terminal of 80 columns shows; RIGBENCH_BLESS=1 writes them again.

use crate::economics::made_up::{TODAY, h100};
use rigbench::economics::{Advice, Market, advise_on};
use rigbench::report;
use rigbench::results::read;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/advise").join(name)
}

/// What the command prints.
fn text(advice: &Advice, width: u16) -> String {
    report::advice_to_terminal(advice, width, false)
}

fn assert_reads_as(name: &str, advice: &Advice) {
    let text = text(advice, 80);
    let path = golden(name);
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        text == expected,
        "{name} reads otherwise now; look at it, then RIGBENCH_BLESS=1:\n{text}"
    );
}

#[test]
fn a_measured_h100_in_the_market_that_comes_with_rigbench() {
    assert_reads_as("h100.txt", &h100().advice(&Market::embedded()));
}

/// A run with declared watts, in a market that prices its model and its device.
#[test]
fn a_run_in_a_market_of_its_own() {
    let given = read::read(&std::fs::read(golden("run.json")).unwrap()).unwrap();
    let market = std::fs::read_to_string(golden("market.toml")).unwrap();
    let market = Market::parse(&market).unwrap();
    assert_reads_as("run.txt", &advise_on(&[given.shown()], &market, TODAY));
}

#[test]
fn every_line_fits_the_terminal() {
    let advice = h100().advice(&Market::embedded());
    for width in [80, 100, 120] {
        for line in text(&advice, width).lines() {
            assert!(line.chars().count() <= width.into(), "{width}: {line}");
        }
    }
}

#[test]
fn the_first_lines_answer() {
    let advice = h100().advice(&Market::embedded());
    let answer = report::answer(&advice).join("\n");
    for part in [
        "rent out NVIDIA H100",
        "How sure: joules were measured",
        "Break-even: ",
        "power costs less than $",
    ] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    assert!(textwrap::fill(&answer, 80).lines().count() < 20, "{answer}");
    let none = report::answer(&advise_on(&[], &Market::embedded(), TODAY)).join("\n");
    assert!(none.contains("no joules are known here") && none.contains("declared:WATTS"), "{none}");
}
