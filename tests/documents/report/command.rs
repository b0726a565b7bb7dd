//! The command as a user meets it.

use crate::report::made_up;
use crate::support::rigbench;
use std::path::Path;
use std::process::Output;

fn report(args: &[&str]) -> Output {
    rigbench(&[&["report"], args].concat()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One line that says what is wrong, and exit code 2.
fn refused(args: &[&str], why: &str) {
    let out = report(args);
    let line = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{line}");
    assert!(line.starts_with("error: ") && line.contains(why), "{line}");
    assert_eq!((line.trim_end().lines().count(), out.stdout.len()), (1, 0), "{line}");
}

#[test]
fn a_run_as_table_markdown_csv_and_page() {
    let run = made_up::golden("run.json");
    let run = run.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let out = report(&[run]);
    let table = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    assert!(
        table.contains("sha256d") && table.contains("J/TH") && table.contains("modelled"),
        "{table}"
    );
    assert!(table.lines().all(|line| line.chars().count() <= 100) && !table.contains('\u{1b}'));
    for (format, beginning) in
        [("markdown", "### "), ("csv", "file,run_id,"), ("html", "<!doctype html>")]
    {
        let printed = text(&report(&["--format", format, run]).stdout);
        assert!(printed.starts_with(beginning), "{printed:.200}");
        let file = folder.path().join(format);
        let out = report(&["--format", format, "-o", file.to_str().unwrap(), run]);
        assert_eq!((out.status.code(), out.stdout.len()), (Some(0), 0), "{}", text(&out.stderr));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);
    }
    // Nothing else is left beside what was written.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[test]
fn what_cannot_be_carried_out_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let run = made_up::golden("run.json");
    let run = run.to_str().unwrap();
    refused(&[&path("")], "there is no .json file in");
    refused(&[&path("nothing.json")], "nothing.json");
    refused(&["--format", "pdf", run], "--format");
    refused(&["-o", &path("no/such/folder.html"), run], "choose another place with -o");
    std::fs::write(path("notes.json"), "{}").unwrap();
    refused(&[&path("notes.json")], "not a rigbench result file");
    refused(&[&path("")], "not a rigbench result file");
}

/// A folder as they are: runs, a copy, a forgery, half a file, other versions, other things.
fn junk(folder: &Path) {
    let put = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let run = std::fs::read_to_string(made_up::golden("run.json")).unwrap();
    put("a-run.json", &run);
    put("b-copy.json", &run);
    put("c-half.json", &run[..run.len() / 2]);
    let throughput = made_up::BASE.rows().next().unwrap().1.throughput.unwrap().value.unwrap();
    put("d-forged.json", &run.replacen(&throughput.to_string(), "1e12", 1));
    put("e-empty.json", "");
    let of_version = |major: &str| {
        run.replacen("\"schema_version\":\"2.", &format!("\"schema_version\":\"{major}."), 1)
    };
    put("f-newer.json", &of_version("9"));
    put("g-older.json", &of_version("1"));
    put("read-me.txt", "not a result");
    std::fs::create_dir(folder.join("h-folder.json")).unwrap();
}

#[test]
fn what_is_no_result_is_listed_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    junk(folder.path());
    let out = report(&["--format", "html", folder.path().to_str().unwrap()]);
    let (page, said) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(0), "{said}");
    for (name, why) in [
        ("b-copy.json", "it is the same run as a-run.json"),
        ("c-half.json", "not a rigbench result file"),
        ("d-forged.json", "it is not consistent: "),
        ("e-empty.json", "not a rigbench result file"),
        ("f-newer.json", "its format is 9.0.0, this rigbench reads 2.0.0; get a newer rigbench"),
        (
            "g-older.json",
            "its format is 1.0.0, which rigbench 0.1.0 was the last to read; run it again",
        ),
    ] {
        assert!(page.contains(&format!("<b>{name}</b>: {why}")), "{name}: {said}");
        assert!(said.contains(&format!("note: {name} is not shown: {why}")), "{said}");
    }
    assert!(page.contains("6 files are not shown") && !page.contains("h-folder"), "{said}");
    let table = text(&report(&[folder.path().to_str().unwrap()]).stdout);
    assert!(table.contains("not shown: d-forged.json"), "{table}");
}
