//! Files, names and drivers of strangers: whatever they say, nothing of it steers a terminal, a spreadsheet or a browser.

use crate::report::made_up;
use crate::report::pages::single;
use crate::support::rigbench;
use jiff::civil::date;
use rigbench::economics::{Market, advise_on};
use rigbench::report::{self, Collection, File, Table, flat};
use rigbench::results::{self, Document, Failure, FailureCode, OrNewer, Outcome, read};
use rigbench::workload::Id;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A title for the terminal, a forged line, text that runs backwards, and markup of three formats.
const HOSTILE: &str =
    "=cmd()\x1b]0;x\x07\nFORGED\r\u{202e}\u{9b}31m|<script>alert(1)</script>[a](http://b)";

/// Characters that no output may have.
fn is_hidden(c: char) -> bool {
    let bidi = ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c);
    (c.is_control() && c != '\n') || bidi || c == '\u{feff}'
}

#[track_caller]
fn assert_plain(what: &str, text: &str) {
    if let Some(at) = text.find(is_hidden) {
        let from = text[..at].char_indices().rev().nth(60).map_or(0, |(from, _)| from);
        panic!("{what}: a hidden character behind {:?}", &text[from..at]);
    }
    // The forged line begins none.
    assert!(!text.lines().any(|line| line.starts_with("FORGED")), "{what}: {text}");
}

/// Changes every string of a document for which `change` gives another, by its place.
fn with_strings(
    value: &mut Value,
    place: &str,
    change: &mut dyn FnMut(&str, &str) -> Option<String>,
) {
    match value {
        Value::String(text) => {
            if let Some(changed) = change(place, text) {
                *text = changed;
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|item| with_strings(item, &format!("{place}[]"), change));
        }
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(name, value)| with_strings(value, &format!("{place}.{name}"), change)),
        _ => {}
    }
}

/// A document of a stranger.
struct Hostile {
    /// Where its hostile words are.
    place: String,
    /// Its text.
    text: String,
    /// What may be shown of it.
    shown: Document,
}

/// The document of a text, if it is one.
fn hostile(place: &str, value: &Value) -> Option<Hostile> {
    let text = value.to_string();
    let shown = read::read(text.as_bytes()).ok()?.shown();
    Some(Hostile { place: place.to_string(), text, shown })
}

/// Documents of which every string that may be any text is hostile: in one all of them, in others those of one place, so that
/// what hangs on the others is shown.
fn hostile_documents() -> Vec<Hostile> {
    let mut small = made_up::everything().evidence;
    small.rows.retain(|row| {
        let row = row.known().unwrap();
        let some = [Id::Sha256d, Id::Decode, Id::Prefill, Id::Stream].contains(&row.workload.id);
        some && row.workload.shape.batch.is_none_or(|batch| batch == 1)
            && row.device.to_string() != "gpu:2"
    });
    for row in made_up::rows(&mut small) {
        row.readings.iter_mut().for_each(|readings| readings.last_error = Some("it hung".into()));
        row.verification.iter_mut().for_each(|v| v.wrong_output = Some("0 and not 1".into()));
    }
    small.manifest.host.driver_layers.push("VK_LAYER_TEST_card".into());
    let honest = serde_json::to_value(Document::of(small.clone())).unwrap();
    let mut places = BTreeMap::new();
    with_strings(&mut honest.clone(), "", &mut |place, text| {
        places.entry(place.to_string()).or_insert(text.to_string());
        None
    });
    let hostile_at = |name: &str, is_there: &dyn Fn(&str) -> bool| {
        let mut value = honest.clone();
        with_strings(&mut value, "", &mut |place, text| {
            is_there(place).then(|| format!("{HOSTILE}{text}"))
        });
        hostile(name, &value)
    };
    let alone = |place: &String| hostile_at(place, &|other| other == place);
    let mut documents: Vec<Hostile> = places.keys().filter_map(alone).collect();
    let free: Vec<String> = documents.iter().map(|document| document.place.clone()).collect();
    assert!(free.len() > 30, "{free:?}");
    let is_free = |place: &str| free.iter().any(|free| free == place);
    documents.push(hostile_at("everywhere", &is_free).unwrap());
    let mut keys = small;
    keys.manifest.environment.insert(HOSTILE.into(), HOSTILE.into());
    keys.run.labels.insert(HOSTILE.into(), HOSTILE.into());
    for row in made_up::rows(&mut keys) {
        row.kernel.iter_mut().for_each(|k| drop(k.params.insert(HOSTILE.into(), HOSTILE.into())));
        row.telemetry.iter_mut().for_each(|t| drop(t.celsius.insert(HOSTILE.into(), Vec::new())));
    }
    documents.extend(hostile("keys", &serde_json::to_value(Document::of(keys)).unwrap()));
    assert_eq!(documents.len(), free.len() + 2);
    documents
}

#[test]
fn whatever_a_document_says_every_format_is_plain() {
    let market = Market::embedded();
    for Hostile { place, shown, .. } in hostile_documents() {
        let mut tables = report::run(&shown);
        let mut collection = Collection::default();
        collection.add(HOSTILE.into(), Ok(shown.clone()));
        collection.add(format!("2{HOSTILE}"), Err(HOSTILE.into()));
        tables.push(report::several(&collection));
        tables.extend(report::comparison(&results::compare(&shown, &shown, Some(5.0))));
        let advice = advise_on(std::slice::from_ref(&shown), &market, date(2026, 11, 25));
        tables.extend(report::advice(&advice));
        assert_plain(&place, &report::advice_to_terminal(&advice, 100, false));
        for table in &tables {
            assert_plain(&place, &table.to_terminal(100, false));
            // The program's own styles stay.
            assert!(table.to_terminal(100, true).contains("\u{1b}["));
            let markdown = table.to_markdown();
            assert_plain(&place, &markdown);
            let unescaped = markdown.replace("\\]", "");
            assert!(!unescaped.contains("<script") && !unescaped.contains("](http"), "{markdown}");
        }
        let page = report::page(&collection, Some(&shown));
        assert_plain(&place, &page);
        assert!(!page.contains("<script>alert"), "{place}");
        let mut rows: Table = flat::empty();
        let file = File { name: collection.files[0].name.clone(), run: Err(String::new()) };
        rows.rows.extend(flat::rows(&file, &shown));
        let csv = rows.to_csv();
        assert_plain(&place, &csv);
        let mut reader = csv::Reader::from_reader(csv.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        assert_eq!(records.len(), shown.evidence.rows.len(), "{place}");
        for cell in records.iter().flatten() {
            let formula = cell.starts_with(['=', '+', '-', '@']) && cell.parse::<f64>().is_err();
            assert!(!formula, "{place}: {cell}");
        }
    }
}

/// A consistent file of this id with hostile words: its rows were not measured, so that no proof binds its manifest.
fn consistent(id: &str) -> Document {
    let mut evidence = made_up::BASE.evidence.clone();
    evidence.run.id = id.into();
    for device in evidence.manifest.devices.iter_mut().filter_map(OrNewer::known_mut) {
        device.name = HOSTILE.into();
        device.features.push(HOSTILE.into());
        device.gpu.iter_mut().for_each(|gpu| gpu.driver = HOSTILE.into());
    }
    let host = &mut evidence.manifest.host;
    (host.cpu, host.os, host.kernel) = (HOSTILE.into(), HOSTILE.into(), HOSTILE.into());
    evidence.manifest.environment.insert(HOSTILE.into(), HOSTILE.into());
    evidence.run.labels.insert(HOSTILE.into(), HOSTILE.into());
    for row in made_up::rows(&mut evidence) {
        let failure = Failure::new(FailureCode::Limit, HOSTILE);
        made_up::not_measured(row, Outcome::Unsupported(failure));
    }
    Document::of(evidence)
}

/// What a command prints of files with hostile names, on both streams.
fn said(args: &[&str], files: &[PathBuf]) -> (Option<i32>, String, String) {
    let mut command = rigbench(args);
    let out = command.args(files).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn no_command_prints_hidden_characters_of_a_file_or_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let name = HOSTILE.replace('/', "");
    let put = |number: usize, text: &str| {
        let path = folder.path().join(format!("{number}{name}.json"));
        std::fs::write(&path, text).unwrap();
        path
    };
    let [honest, again] = ["0", "1"].map(|last| {
        results::text(&consistent(&format!("00000000-0000-4000-8000-00000000000{last}")))
    });
    let good = put(1, &honest);
    let other = put(2, &again);
    let everywhere = hostile_documents().into_iter().find(|one| one.place == "everywhere");
    let bad = put(3, &everywhere.unwrap().text);
    let no_json =
        put(4, &format!("{{\"schema_version\": \"2.0.0\", \"run\": {{\"verdict\": \"{HOSTILE}"));
    let escaped = serde_json::to_string(HOSTILE).unwrap();
    let no_verdict = honest.replacen("\"verdict\":\"valid\"", &format!("\"verdict\":{escaped}"), 1);
    assert_ne!(no_verdict, honest);
    let odd = put(5, &no_verdict);
    let none = folder.path().join(format!("6{name}"));

    let (code, out, err) = said(&["validate"], std::slice::from_ref(&good));
    assert_eq!(code, Some(0), "{out}{err}");
    for format in ["table", "markdown", "csv", "html"] {
        for files in
            [&[good.clone()][..], &[good.clone(), other.clone(), bad.clone(), no_json.clone()]]
        {
            let (code, out, err) = said(&["report", "--format", format], files);
            assert_eq!(code, Some(0), "{format}: {err}");
            assert_plain(format, &out);
            assert_plain(format, &err);
            let row = if format == "html" { "FORGED" } else { "u{1b}" };
            assert!(out.contains(row), "{format} shows the name: {out:.2000}");
        }
    }
    for command in ["validate", "report", "advise", "compare"] {
        for file in [&good, &other, &bad, &no_json, &odd, &none] {
            let files = match command {
                "compare" => vec![good.clone(), file.clone()],
                _ => vec![file.clone()],
            };
            let (_, out, err) = said(&[command], &files);
            assert_plain(command, &out);
            assert_plain(command, &err);
            assert!(err.lines().count() <= 1, "{command}: {err}");
        }
    }
    for args in [
        &["advise", "--json"][..],
        &["advise", "--market"],
        &["run", "--device"],
        &["check", "--workload"],
    ] {
        let (_, out, err) =
            said(args, &[if args[1] == "--json" { good.clone() } else { none.clone() }]);
        assert_plain(args[0], &out);
        assert_plain(args[0], &err);
        assert!(err.lines().count() <= 1, "{args:?}: {err}");
    }
}

/// The text of an element that is there once.
fn content<'a>(page: &'a str, element: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<{element}>")).unwrap();
    rest.split_once(&format!("</{element}>")).unwrap().0
}

#[test]
fn the_policy_of_a_page_allows_its_own_style_and_script_and_nothing_else() {
    use base64::Engine;
    use sha2::{Digest, Sha256};
    let value = serde_json::to_value(made_up::hostile()).unwrap();
    for document in [made_up::everything(), hostile("names", &value).unwrap().shown] {
        let page = single(&document);
        let (_, policy) =
            page.split_once("http-equiv=\"Content-Security-Policy\" content=\"").unwrap();
        let policy = policy.split_once('"').unwrap().0;
        assert!(
            policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"),
            "{policy}"
        );
        for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
            let digest = Sha256::digest(content(&page, element));
            let hash = base64::engine::general_purpose::STANDARD.encode(digest);
            assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{policy}");
        }
        // What such a policy does not let through is not there.
        let body = page.split_once("<body>").unwrap().1;
        let body = body.split_once("<script>").unwrap().0;
        assert!(!body.contains(" style=") && !body.contains("javascript:"), "{policy}");
        for handler in [" onclick=", " onload=", " onerror=", " onmouseover="] {
            assert!(!body.contains(handler));
        }
    }
}

#[test]
fn settings_that_taint_figures_stand_beside_them_in_every_format() {
    let mut evidence = made_up::everything().evidence;
    for name in ["RIGBENCH_SYSFS", "VK_DRIVER_FILES", "LD_PRELOAD"] {
        evidence.manifest.environment.insert(name.into(), "set".into());
    }
    evidence.manifest.host.driver_layers = vec!["VK_LAYER_TEST_card".into()];
    let document = Document::of(evidence);
    let conditions = [
        "sensors from a test folder",
        "Vulkan layers: VK_LAYER_TEST_card",
        "Vulkan drivers chosen by VK_DRIVER_FILES",
        "LD_PRELOAD was set",
    ];
    let mut collection = Collection::default();
    collection.add("a.json".into(), Ok(document.clone()));
    let mut honest = made_up::everything();
    honest.evidence.run.id = "00000000-0000-4000-8000-000000000001".into();
    let rows_of = |collection: &Collection| report::several(collection).rows.len();
    let alone = rows_of(&collection);
    collection.add("b.json".into(), Ok(honest));
    assert_eq!(rows_of(&collection), 2 * alone, "tainted rows are not put together with others");

    let run: String = report::run(&document).iter().map(|t| t.to_markdown()).collect();
    let several = report::several(&collection).to_markdown();
    let page = single(&document);
    let mut csv = flat::empty();
    let file = File { name: "a.json".into(), run: Err(String::new()) };
    csv.rows.extend(flat::rows(&file, &document));
    let csv = csv.to_csv();
    let advice =
        advise_on(std::slice::from_ref(&document), &Market::embedded(), date(2026, 11, 25));
    let advice = advice.remarks.join("\n");
    for condition in conditions {
        let escaped = condition.replace('_', "\\_");
        assert!(run.contains(&escaped) && several.contains(&escaped), "{condition}: {run}");
        for (format, text) in [("html", &page), ("csv", &csv), ("advise", &advice)] {
            assert!(text.contains(condition), "{format}: {condition}");
        }
    }
    // The processor is not driven by Vulkan.
    let (_, cpu) = run.rsplit_once("### cpu").unwrap();
    assert!(cpu.contains("LD\\_PRELOAD") && !cpu.contains("Vulkan"), "{cpu}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_is_refused_and_one_in_a_folder_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(made_up::golden("run.json"), folder.path().join("run.json")).unwrap();
    let pipe = folder.path().join("pipe.json");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for command in ["report", "validate", "advise"] {
        let (code, out, err) = said(&[command], std::slice::from_ref(&pipe));
        assert_eq!((code, out.as_str()), (Some(2), ""), "{command}");
        let one_line = err.lines().count() == 1;
        assert!(one_line && err.contains("a pipe, a socket or a device"), "{command}: {err}");
    }
    let (code, out, _) = said(&["report"], &[folder.path().to_path_buf()]);
    assert_eq!(code, Some(0));
    assert!(out.contains("sha256d"), "{out}");
}

#[cfg(unix)]
#[test]
fn a_folder_is_read_with_its_folders_and_once_even_if_it_is_linked_within_itself() {
    let folder = tempfile::tempdir().unwrap();
    let month = folder.path().join("2026").join("11");
    std::fs::create_dir_all(&month).unwrap();
    std::fs::copy(made_up::golden("run.json"), month.join("run.json")).unwrap();
    let (code, out, _) = said(&["validate"], &[folder.path().to_path_buf()]);
    assert!(code.is_some() && out.contains("11/run.json: "), "{out}");
    std::os::unix::fs::symlink(folder.path(), month.join("all")).unwrap();
    let (_, again, _) = said(&["validate"], &[folder.path().to_path_buf()]);
    assert_eq!(again, out);
}

#[cfg(target_os = "linux")]
#[test]
fn what_is_no_file_is_written_and_never_replaced_and_no_input_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::copy(made_up::golden("run.json"), at("run.json")).unwrap();
    std::os::unix::fs::symlink(at("page.md"), at("link")).unwrap();
    std::fs::write(at("page.md"), "old").unwrap();
    let to = |name: &Path| {
        said(&["report", "--format", "markdown", "-o"], &[name.into(), at("run.json")])
    };
    assert_eq!(to(Path::new("/dev/null")).0, Some(0));
    let kind = std::fs::metadata("/dev/null").unwrap().file_type();
    assert!(std::os::unix::fs::FileTypeExt::is_char_device(&kind));
    assert_eq!(to(&at("link")).0, Some(0));
    assert!(at("link").is_symlink());
    assert!(std::fs::read_to_string(at("page.md")).unwrap().contains("sha256d"));
    let before = std::fs::read(at("run.json")).unwrap();
    let (code, _, err) = to(&at("run.json"));
    assert_eq!((code, err.lines().count()), (Some(2), 1), "{err}");
    assert_eq!(std::fs::read(at("run.json")).unwrap(), before);
}
