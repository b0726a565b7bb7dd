//! `rigbench advise` as a user meets it, over documents of real runs; completions and manual pages.

use crate::support;

use rigbench::results::{self, Document, OrNewer, Verdict, read};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::LazyLock;

fn rigbench(args: &[&str]) -> Output {
    support::rigbench(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Documents of quick runs on the processor, and what they were run with. RIGBENCH_BLESS=1 runs them again: do that when the
/// protocol has changed, since they are no longer consistent then.
const RUNS: [(&str, &[&str]); 3] = [
    ("none.json", &["--workload", "decode:smollm2-135m:int4", "--power", "none"]),
    ("modelled.json", &["--workload", "sha256d", "--power", "model"]),
    (
        "run.json",
        &[
            "--workload",
            "sha256d",
            "--workload",
            "decode:smollm2-135m:int4",
            "--workload",
            "prefill:smollm2-135m:int4",
            "--power",
            "declared:40@wall",
        ],
    ),
];

/// The path of one of them.
fn golden(name: &str) -> String {
    static BLESSED: LazyLock<()> = LazyLock::new(|| {
        if std::env::var_os("RIGBENCH_BLESS").is_some() {
            RUNS.iter().for_each(|(name, args)| run_again(name, args));
        }
    });
    LazyLock::force(&BLESSED);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/advise").join(name);
    path.to_str().unwrap().to_string()
}

/// Runs until every row is valid, as on an idle machine: the effect of other programs is removed.
fn run_again(name: &str, more: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let mut args = vec!["run", "--quick", "--device", "cpu", "--json", "--out", out];
    args.extend(more);
    for _ in 0..10 {
        let ran = rigbench(&args);
        assert_eq!(ran.status.code(), Some(0), "{}", text(&ran.stderr));
        let mut evidence = read::read(&ran.stdout).unwrap().evidence;
        for row in evidence.rows.iter_mut().filter_map(OrNewer::known_mut) {
            let (windows, telemetry) = (row.windows.as_mut(), row.telemetry.as_mut());
            let (windows, telemetry) = (windows.unwrap(), telemetry.unwrap());
            windows.cpu_seconds = windows.wall_seconds.iter().map(|wall| 0.1 * wall).collect();
            telemetry.cpu_use.clear();
        }
        let document = Document::of(evidence);
        if document.derived.run.verdict == Verdict::Valid {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/advise").join(name);
            return std::fs::write(path, results::text(&document)).unwrap();
        }
        // Nothing takes out that a rate drifted.
        eprintln!("{name} again: {:?}", document.derived.run.reasons);
    }
    panic!("no run of ten is valid: is the machine at rest?");
}

fn advise(files: &[&str], more: &[&str]) -> String {
    let paths: Vec<String> = files.iter().map(|file| golden(file)).collect();
    let mut args = vec!["advise"];
    args.extend(paths.iter().map(String::as_str));
    args.extend(more);
    let out = rigbench(&args);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    text(&out.stdout)
}

/// Whether a text has a part, wherever its lines and its table's cells are broken.
fn says(said: &str, part: &str) -> bool {
    let joined = |text: &str| text.split_whitespace().collect::<String>();
    joined(said).contains(&joined(part))
}

/// One line on stderr, exit code 2, nothing on stdout.
fn refused(args: &[&str]) -> String {
    let out = rigbench(args);
    let line = text(&out.stderr);
    assert_eq!(out.status.code(), Some(2), "{args:?}: {line}");
    assert!(line.starts_with("error: ") && line.trim_end().lines().count() == 1, "{line}");
    assert!(out.stdout.is_empty(), "{args:?}");
    line
}

/// A market file made of the one that comes with rigbench.
fn market(folder: &Path, edit: impl Fn(String) -> String) -> PathBuf {
    let path = folder.join("market.toml");
    let printed = text(&rigbench(&["advise", "--print-market"]).stdout);
    std::fs::write(&path, edit(printed)).unwrap();
    path
}

#[test]
fn without_energy_it_still_answers_and_says_how_to_measure() {
    let said = advise(&["none.json"], &[]);
    assert!(said.contains("no joules are known here"), "{said}");
    assert!(said.contains("declared:WATTS") && said.contains("rigbench doctor"), "{said}");
    assert!(said.contains("Antminer S23 Hyd") && said.contains("megawatt"), "{said}");
    assert!(says(&said, "there is no energy: --power none"), "{said}");
}

#[test]
fn modelled_energy_gives_ranges_and_no_figure() {
    let said = advise(&["modelled.json"], &[]);
    assert!(said.contains("joules here are modelled, not measured"), "{said}");
    assert!(said.contains("declared:WATTS") && said.contains("modelled"), "{said}");
    assert!(said.contains("The energy here is incomplete"), "{said}");
    let json: Value = serde_json::from_str(&advise(&["modelled.json"], &["--json"])).unwrap();
    let here = json["choices"].as_array().unwrap().iter().find(|c| c["kind"] == "hash-here");
    let here = here.unwrap();
    assert_eq!(
        (&here["provenance"], json["evidence"].as_str()),
        (&"modelled".into(), Some("modelled"))
    );
    assert!(here["revenue_dollars_per_kwh"]["value"].is_null(), "{here}");
    assert!(here["upper_bound_reason"].as_str().unwrap().contains("machine"), "{here}");
}

#[test]
fn declared_energy_gives_figures_with_intervals_and_a_query() {
    let said = advise(&["run.json"], &[]);
    for part in [
        "computed from declared watts",
        "declared",
        "Hashes forgone for a token",
        "no price for output tokens of smollm2-135m",
        "the market file has no rental price of",
        "tokens read × ",
        "PUE 1.58 ÷ 3600 = ",
        "Gemini, median text prompt",
        "Sources of all figures (market file of 2026-11-23)",
    ] {
        assert!(says(&said, part), "{part}: {said}");
    }
    let json: Value = serde_json::from_str(&advise(&["run.json"], &["--json"])).unwrap();
    let here = json["choices"].as_array().unwrap().iter().find(|c| c["kind"] == "hash-here");
    let revenue = &here.unwrap()["revenue_dollars_per_kwh"];
    assert!(revenue["low"].as_f64() < revenue["value"].as_f64(), "{revenue}");
    assert!(revenue["value"].as_f64() < revenue["high"].as_f64(), "{revenue}");
    assert_eq!(json["queries"].as_array().unwrap().len(), 1);
}

#[test]
fn a_market_of_ones_own_prices_the_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = market(folder.path(), |text| {
        text.replacen("models = [\"llama-3-8b\"]", "models = [\"smollm2-135m\"]", 1)
            .replacen("types = [\"f16\", \"int8\"]", "types = [\"int4\"]", 1)
            .replacen("date = \"2026-11-23\"", "date = \"2026-11-24\"", 1)
    });
    let said = advise(&["run.json"], &["--market", path.to_str().unwrap()]);
    assert!(says(&said, "sell output tokens of smollm2-135m (int4, batch 1)"), "{said}");
    assert!(said.contains("market file of 2026-11-24"), "{said}");
}

#[test]
fn several_files_of_one_machine_are_one_device_and_the_better_row_counts() {
    let files = ["none.json", "modelled.json", "run.json"];
    let json: Value = serde_json::from_str(&advise(&files, &["--json"])).unwrap();
    let hashes = json["choices"].as_array().unwrap().iter().filter(|c| c["kind"] == "hash-here");
    let provenance: Vec<&str> = hashes.map(|c| c["provenance"].as_str().unwrap()).collect();
    assert_eq!(provenance, ["declared"]);
    let remarks = json["remarks"].to_string();
    assert!(remarks.contains("more than once"), "{remarks}");
}

#[test]
fn json_is_one_document_on_stdout() {
    let out = rigbench(&["advise", &golden("run.json"), "--json"]);
    assert!(out.stderr.is_empty(), "{}", text(&out.stderr));
    let mut documents = serde_json::Deserializer::from_slice(&out.stdout).into_iter::<Value>();
    assert!(documents.next().unwrap().unwrap().is_object() && documents.next().is_none());
}

#[test]
fn what_cannot_be_advised_on_gets_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_string()
    };
    assert!(refused(&["advise"]).contains("<FILE|DIR>"));
    assert!(refused(&["advise", "/nowhere.json"]).contains("give result files or a folder"));
    let other = write("other.json", "{}");
    assert!(refused(&["advise", &other]).contains("not a rigbench result file"));
    let declared = golden("run.json");
    let honest = std::fs::read(&declared).unwrap();
    let mut document = read::read(&honest).unwrap().shown();
    document.evidence.run.user_seed ^= 1;
    let forged = write("forged.json", &results::text(&document));
    let line = refused(&["advise", &forged]);
    assert!(
        line.contains("forged.json is not consistent: ") && line.contains("rigbench validate"),
        "{line}"
    );
    // Others are advised on all the same, and a copy of one of them counts once.
    let out = rigbench(&[
        "advise",
        &declared,
        &forged,
        &write("copy.json", std::str::from_utf8(&honest).unwrap()),
    ]);
    assert_eq!(text(&out.stdout), text(&rigbench(&["advise", &declared]).stdout));
    let said = text(&out.stderr);
    assert!(said.starts_with("note: a file is left out: ") && said.lines().count() == 1, "{said}");
}

/// Whoever edits a run and signs it again cannot displace it, whichever of the two is read first.
#[test]
fn of_two_different_files_of_one_run_neither_is_advised_on() {
    let folder = tempfile::tempdir().unwrap();
    let original = golden("run.json");
    let mut document = read::read(&std::fs::read(&original).unwrap()).unwrap().shown();
    let run = &mut document.evidence.run;
    run.finished_at = run.finished_at.map(|at| at + jiff::SignedDuration::from_secs(1));
    let document = Document::of(document.evidence);
    let edited = folder.path().join("edited.json");
    std::fs::write(&edited, results::text(&document)).unwrap();
    let edited = edited.to_str().unwrap();
    for both in [[original.as_str(), edited], [edited, original.as_str()]] {
        let line = refused(&["advise", both[0], both[1]]);
        assert!(line.contains("are the same run with different contents"), "{line}");
        let out = rigbench(&["report", both[0], both[1]]);
        assert!(text(&out.stderr).contains("with other content: at least one of them was edited"));
    }
}

#[test]
fn a_market_file_with_a_mistake_gets_one_line_with_the_place() {
    let declared = golden("run.json");
    let folder = tempfile::tempdir().unwrap();
    for (from, to, place, expected) in [
        ("difficulty = {", "# difficulty = {", "line 25, network.difficulty: ", "it is missing"),
        ("value = 0.05", "value = 0,05", "line 10, premises.electricity: ", "write 0.05"),
        ("value = 60000", "value = 6.0", "network.bitcoin: ", "100 times or more below"),
        ("value = 0.03,", "value = 30000,", "token_price[0].price: ", "100 times or more above"),
        (
            "source = \"its maker\"",
            "sauce = \"its maker\"",
            "efficiency.sauce: ",
            "did you mean source?",
        ),
    ] {
        let path = market(folder.path(), |text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
        let line = refused(&["advise", &declared, "--market", path.to_str().unwrap()]);
        assert!(line.contains("market.toml: line ") && line.contains(place), "{line}");
        assert!(line.contains(expected), "{line}");
    }
    let line = refused(&["advise", &declared, "--market", "/nowhere.toml"]);
    assert!(line.contains("give the path of a market file"), "{line}");
}

#[test]
fn an_old_market_file_is_remarked_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = market(folder.path(), |text| {
        let old: Vec<String> = text
            .lines()
            .map(|line| {
                if line.starts_with("date = ") {
                    "date = \"2026-06-30\"".into()
                } else {
                    line.into()
                }
            })
            .map(|line: String| line.replace("date = \"2026-11-23\"", "date = \"2026-06-30\""))
            .collect();
        old.join("\n")
    });
    let said = advise(&["run.json"], &["--market", path.to_str().unwrap()]);
    assert!(says(&said, "Note: the market file is of 2026-06-30, "), "{said}");
}

/// Half a second of a processor, which a busy machine does not change; `scripts/soak.sh` holds the same of the time it takes.
#[cfg(unix)]
#[test]
fn the_answer_takes_less_than_half_a_second_of_a_processor() {
    let script = "TIMEFORMAT='%U %S'; time \"$@\" >\"$0\"";
    let folder = tempfile::tempdir().unwrap();
    let command = support::rigbench(&["advise", &golden("run.json")]);
    let program: Vec<_> =
        std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script]).arg(folder.path().join("advice")).args(program);
    let cache = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
    let Ok(timed) = shell.envs(cache).output() else {
        support::not_run("the_answer_takes_less_than_half_a_second_of_a_processor", "no bash");
        return;
    };
    let said = text(&timed.stderr);
    assert_eq!(timed.status.code(), Some(0), "{said}");
    let seconds: f64 = said.split_whitespace().map(|part| part.parse::<f64>().unwrap()).sum();
    println!("from a finished run to the advice: {seconds} s of a processor");
    assert!(seconds < 0.5, "{seconds} s");
}

#[test]
fn every_shell_gets_completions_that_name_every_command() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let out = rigbench(&["completions", shell]);
        let script = text(&out.stdout);
        assert!(out.status.success() && out.stderr.is_empty());
        for word in ["advise", "--market", "compare", "--gate", "completions"] {
            assert!(script.contains(word.trim_start_matches("--")), "{shell} has no {word}");
        }
    }
    assert!(refused(&["completions", "sh"]).contains("possible values"));
}

/// Bash itself completes with the script.
#[test]
fn bash_completes_a_command() {
    let script = text(&rigbench(&["completions", "bash"]).stdout);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rigbench.bash");
    std::fs::write(&path, script).unwrap();
    let line = "source \"$1\"; COMP_WORDS=(rigbench adv); COMP_CWORD=1; _rigbench rigbench adv rigbench; echo \"${COMPREPLY[@]}\"";
    let ran = std::process::Command::new("bash").args(["-c", line, "bash"]).arg(&path).output();
    match ran {
        Ok(ran) => assert_eq!(text(&ran.stdout).trim(), "advise", "{}", text(&ran.stderr)),
        Err(_) => support::not_run("bash_completes_a_command", "there is no bash"),
    }
}

#[test]
fn every_command_has_a_manual_page_and_an_example_in_its_help() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("share/man1");
    let out = rigbench(&["man", pages.to_str().unwrap()]);
    assert!(out.status.success() && out.stdout.is_empty(), "{}", text(&out.stderr));
    let help = text(&rigbench(&["--help"]).stdout);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() >= 10 && commands.contains(&"advise"), "{commands:?}");
    assert!(help.contains("Example"), "{help}");
    for command in &commands {
        let help = text(&rigbench(&[command, "--help"]).stdout);
        assert!(
            help.contains(&format!("  rigbench {command} "))
                || help.contains(&format!("Example: rigbench {command}")),
            "{command}: {help}"
        );
        let page = std::fs::read_to_string(pages.join(format!("rigbench-{command}.1"))).unwrap();
        assert!(page.contains(".SH NAME") && page.contains(command), "{command}");
    }
    assert!(std::fs::read_to_string(pages.join("rigbench.1")).unwrap().contains("advise"));
    let below_a_file = pages.join("rigbench.1/pages");
    assert!(refused(&["man", below_a_file.to_str().unwrap()]).contains("give another folder"));
}

#[test]
fn every_mistake_of_a_market_file_gets_a_line_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = market(folder.path(), |text| {
        text.replacen("value = 0.05", "value = 8.5", 1)
            .replacen("bitcoin = {", "bitcoins = {", 1)
            .replacen("value = 13.5", "value = \"13,5\"", 1)
    });
    let out = rigbench(&["advise", &golden("run.json"), "--market", path.to_str().unwrap()]);
    let said = text(&out.stderr);
    assert_eq!((out.status.code(), out.stdout.len()), (Some(2), 0), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    let keys = ["premises.electricity: ", "network.bitcoins: ", "asic[1].efficiency.value: "];
    assert_eq!(lines.len(), keys.len(), "{said}");
    for (line, key) in lines.iter().zip(keys) {
        assert!(line.starts_with("error: ") && line.contains("market.toml: line "), "{line}");
        assert!(line.contains(key), "{line}");
    }
}

#[test]
fn market_files_are_read_as_editors_of_windows_write_them_and_with_prices_below_0() {
    let folder = tempfile::tempdir().unwrap();
    let declared = golden("run.json");
    let advised = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let out = rigbench(&["advise", &declared, "--market", path.to_str().unwrap()]);
        assert_eq!(out.status.code(), Some(0), "{name}: {}", text(&out.stderr));
        text(&out.stdout)
    };
    let own = std::fs::read_to_string(market(folder.path(), |text| text)).unwrap();
    let expected = advised("plain.toml", own.as_bytes());
    let sixteen: Vec<u8> =
        std::iter::once(0xfeff).chain(own.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for (name, bytes) in [
        ("bom.toml", ["\u{feff}", &own].concat().into_bytes()),
        ("crlf.toml", own.replace('\n', "\r\n").into_bytes()),
        ("utf-16.toml", sixteen),
    ] {
        assert_eq!(advised(name, &bytes), expected, "{name}");
    }
    let paid = advised("paid.toml", own.replacen("value = 0.05", "value = -0.012", 1).as_bytes());
    assert!(paid.contains("bought at −$0.012 earns") && paid.contains("now −0.012"), "{paid}");
    let free = advised("free.toml", own.replacen("value = 0.05", "value = 0", 1).as_bytes());
    assert!(free.contains("bought at $0 earns"), "{free}");
    assert!(
        !free.split([' ', '\n', '(']).any(|word| ["inf", "-inf", "NaN"].contains(&word)),
        "{free}"
    );
}
