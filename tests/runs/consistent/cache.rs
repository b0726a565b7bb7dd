//! What is kept of an earlier run is input like any other.

use super::{consistent, documents};
use crate::support::rigbench;
use serde_json::{Value, json};

#[test]
fn a_kept_choice_that_cannot_be_true_is_ignored_with_a_note_and_the_file_is_consistent() {
    let (out, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let run = || {
        let mut run = rigbench(&["run", "--quick", "--device", "cpu", "--power", "none"]);
        run.args(["--workload", "gemm:48x40x56", "--out"]).arg(out.path());
        let output = run.env("XDG_CACHE_HOME", cache.path()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        said
    };
    assert!(!run().contains("is ignored"));
    let [entry] = &documents(&cache.path().join("rigbench/tune"))[..] else {
        panic!("one choice is kept")
    };
    let mut value: Value = serde_json::from_slice(&std::fs::read(entry).unwrap()).unwrap();
    value["tuning"]["batch_seconds"] = json!(1e308);
    std::fs::write(entry, value.to_string()).unwrap();
    let said = run();
    let note = said.lines().find(|line| line.contains("is ignored")).expect(&said);
    assert!(note.contains("WARN") && note.contains("no batches of"), "{note}");
    for file in documents(out.path()) {
        let document = consistent(&file);
        let (row, _) = document.rows().next().unwrap();
        let tuning = row.tuning.clone().unwrap();
        assert!(tuning.batch_seconds.unwrap() <= 0.05, "{tuning:?}");
    }
    // What was tried anew is kept in its place.
    assert!(!std::fs::read_to_string(entry).unwrap().contains("e308"));
}
