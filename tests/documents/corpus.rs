//! The corpus: files of every released format, and hand-made ones of a newer version. Each keeps its verdict and its figures on every
//! change of the program. `tests/corpus/README.md` says how each was made.

use rigbench::device::hardware::Cards;
use rigbench::results::read::{self, ParsedDocument};
use rigbench::results::{self, Depth, Document, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

/// What every version must say of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Judged {
    /// It cannot be read, in one line that names the last version that reads it.
    ReadLastBy(String),
    /// It is read; the places that are wrong by its own rules, and what follows. Words may change.
    Read { faults: Vec<String>, verdict: String, rows: BTreeMap<String, Figures> },
}

/// A row's figures by the rules that its file names, as they are written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Figures {
    throughput: Value,
    joules_per_unit: Value,
    verdict: String,
}

fn name(value: impl Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_string()
}

fn judged(path: &Path) -> Judged {
    let given = match read::open(path, read::read).unwrap() {
        Ok(given) => given,
        Err(why) => {
            let line = why.to_string();
            assert!(!line.contains('\n'), "{line}");
            let after = line.split("rigbench ").nth(1).unwrap_or_default();
            return Judged::ReadLastBy(after.split_whitespace().next().unwrap_or_default().into());
        }
    };
    let findings = results::validate(&given, Depth::Quick);
    let named = Rules::all().iter().find(|rules| rules.version == given.rules);
    let rules = named.unwrap_or(Rules::current());
    let derived = results::derive(&given.evidence, rules);
    let document = Document { derived, ..given.shown() };
    let figures = |figures: &results::RowFigures| Figures {
        throughput: serde_json::to_value(figures.throughput).unwrap(),
        joules_per_unit: serde_json::to_value(figures.energy.joules_per_unit).unwrap(),
        verdict: name(figures.verdict),
    };
    let mut rows: BTreeMap<String, Figures> =
        document.rows().map(|(row, own)| (row.label(), figures(own))).collect();
    let newer = document.newer_rows().map(|(_, row)| {
        let nothing = (Value::Null, Value::Null);
        let figures = Figures {
            throughput: nothing.0,
            joules_per_unit: nothing.1,
            verdict: "from a newer rigbench".into(),
        };
        (row, figures)
    });
    rows.extend(newer);
    let place = |fault: &String| fault.split([' ', ':']).next().unwrap_or_default().to_string();
    let faults = findings.faults.iter().map(place).collect();
    Judged::Read { faults, verdict: name(document.derived.run.verdict), rows }
}

/// Every file, by its place.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for version in std::fs::read_dir(folder()).unwrap().flatten() {
        if !version.path().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(version.path()).unwrap().flatten() {
            let (version, name) = (version.file_name(), file.file_name());
            let place = format!("{}/{}", version.to_string_lossy(), name.to_string_lossy());
            files.push((place, file.path()));
        }
    }
    files.sort();
    files
}

/// Figures may differ in the last of nine digits: another processor adds otherwise.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= 1e-8 * a.abs().max(b.abs())
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| is_same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (a, b) => a == b,
    }
}

/// `RIGBENCH_BLESS=1` adds what is expected of a new file. What is expected of an old one is never changed.
#[test]
fn every_file_keeps_its_verdict_and_its_figures() {
    let path = folder().join("expected.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".into());
    let mut expected: BTreeMap<String, Judged> = serde_json::from_str(&text).unwrap();
    let files = files();
    if std::env::var_os("RIGBENCH_BLESS").is_some() {
        for (place, path) in &files {
            expected.entry(place.clone()).or_insert_with(|| judged(path));
        }
        let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }
    let places: Vec<&String> = files.iter().map(|(place, _)| place).collect();
    assert!(expected.keys().eq(places.iter().copied()), "{places:?}");
    let value = |judged: &Judged| serde_json::to_value(judged).unwrap();
    for (place, path) in &files {
        let (now, then) = (value(&judged(path)), value(&expected[place]));
        assert!(is_same(&now, &then), "{place}: now {now:#}, and before {then:#}");
    }
}

/// Two routine edits: constants change, in rules that come after, and a card is added. The other two, of a reason's and of a method's
/// words, cannot reach a file, since none has any: the next test.
#[test]
fn routine_edits_change_no_verdict_of_an_older_file() {
    let mut later = Rules::current().clone();
    later.version += 1;
    (later.drift, later.disturbed, later.outlier) = (0.001, 0.0, 0.5);
    (later.energy.explained, later.energy.coverage) = (0.99, 0.999);
    // No run that rests for a second keeps to a rest of two.
    later.shortest *= 2.0;
    let later: Vec<Rules> = Rules::all().iter().cloned().chain([later]).collect();
    // Of each device of the corpus it is published that it is slower by far.
    let slow = |added: &str| {
        let names =
            "names = [\"llvmpipe\", \"NVIDIA GeForce RTX 3080\", \"Intel(R) Xeon(R) Processor\"]";
        let figures =
            "peaks = { f32 = 1.0 }\nsource = \"x\"\nhashcat = { sha256 = 1.0, source = \"x\" }";
        Cards::read(&format!("[[card]]\n{names}\n{added}\n{figures}\n")).unwrap()
    };
    let judged = |rules: &[Rules], cards: &Cards, given: &ParsedDocument| {
        results::validate_with(rules, cards, given, Depth::Quick).faults
    };
    let mut held = 0;
    for (place, path) in files() {
        let Ok(given) = read::open(&path, read::read).unwrap() else { continue };
        let now = judged(Rules::all(), Cards::published(), &given);
        assert_eq!(judged(&later, Cards::published(), &given), now, "{place}");
        let added = slow("added = \"2126-12-01\"");
        assert_eq!(judged(Rules::all(), &added, &given), now, "{place}");
        held += usize::from(judged(Rules::all(), &slow(""), &given) != now);
    }
    assert!(held > 5, "cards that were always there are held to their figures: {held}");
}

/// No sentence of the program is in a file: rewording one changes nothing. Messages of drivers and of the user's system are data.
#[test]
fn derived_figures_are_codes_and_numbers() {
    fn sentences(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::String(text) if text.contains(' ') => found.push(format!("{path}: {text}")),
            Value::Array(items) => items.iter().for_each(|item| sentences(item, path, found)),
            Value::Object(members) => members
                .iter()
                .for_each(|(name, value)| sentences(value, &format!("{path}.{name}"), found)),
            _ => {}
        }
    }
    for (place, path) in files() {
        let text: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let mut found = Vec::new();
        sentences(&text["derived"], "derived", &mut found);
        assert!(found.is_empty(), "{place}: {found:#?}");
    }
}

/// Facts from outside are looked up when a file is read: none stands in it, so that a new card in the table makes no file wrong.
#[test]
fn no_file_holds_what_vendors_publish() {
    for (place, path) in files().into_iter().filter(|(place, _)| !place.starts_with("1.")) {
        let text = std::fs::read_to_string(path).unwrap();
        for fact in ["published_peak", "hashcat", "board_power"] {
            assert!(!text.contains(fact), "{place} has {fact}");
        }
    }
}

/// Rows of a newer version cost themselves alone, and fields nothing.
#[test]
fn a_file_of_a_newer_version_keeps_the_rows_that_are_known() {
    for (name, newer) in [("fields", 0), ("meter", 1), ("proof", 1), ("reason", 1), ("workload", 1)]
    {
        let path = folder().join(format!("2.7/{name}.json"));
        let given = read::open(&path, read::read).unwrap().unwrap();
        assert!(given.newer, "{name}");
        let known = given.evidence.rows.iter().filter(|row| row.known().is_some()).count();
        assert_eq!(given.evidence.rows.len() - known, newer, "{name}");
        assert!(known >= 1, "{name}");
    }
}
