//! Files that are no documents.

use crate::honest::RUN;
use rigbench::results;

/// Some of them large, in a process that may have 1 GB and two seconds of a processor.
#[test]
fn junk_is_refused_at_once_and_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let honest = results::text(&RUN.document);
    let mut files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| (format!("cut-{i}"), honest.as_bytes()[..honest.len() * i / 40].to_vec()))
        .collect();
    let head = "{\"schema_version\": \"1.0.0\", \"run\": ";
    files.push(("deep".into(), [head, &"[".repeat(1 << 20)].concat().into()));
    files.push(("deeper".into(), [head, &"{\"a\":".repeat(1 << 20)].concat().into()));
    files.push(("wide".into(), [head, "[", &"0,".repeat(30 << 20), "0]}"].concat().into()));
    let first = "\"before_seconds\": [";
    let at = honest.find(first).unwrap() + first.len();
    files.push((
        "long".into(),
        [&honest[..at], &"0,".repeat(25 << 20), &honest[at..]].concat().into(),
    ));
    // As much as is read at all: of bytes, and of values.
    let among = |filler: &str, times: usize| {
        [&honest[..at], &filler.repeat(times), &honest[at..]].concat().into_bytes()
    };
    files.push(("bytes".into(), among("0,", 31 << 19)));
    files.push(("values".into(), among("0.1234567,", 1_900_000)));
    let windows = honest.find("\"windows\": [").unwrap() + "\"windows\": [".len();
    let end = windows + honest[windows..].find("},\n        {").unwrap() + 2;
    let many = honest[windows..end].repeat(20_000);
    files.push(("windows".into(), [&honest[..windows], &many, &honest[windows..]].concat().into()));
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let huge = std::fs::File::create(folder.path().join("huge")).unwrap();
    huge.set_len(1 << 30).unwrap();
    let limited = "ulimit -v 1048576; ulimit -t 2; exec \"$@\"";
    for name in files.iter().map(|(name, _)| name.as_str()).chain(["huge"]) {
        let output = std::process::Command::new("bash")
            .args(["-c", limited, "bash", env!("CARGO_BIN_EXE_rigbench"), "validate"])
            .arg(folder.path().join(name))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {:?} {said}", output.status);
        assert!(said.contains("no rigbench result"), "{name}: {said}");
    }
    println!("{} files, each refused within 2 s of a processor and 1 GB", files.len() + 1);
}
