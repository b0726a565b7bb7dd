//! Files that are no documents.

use crate::validate::honest::{RUN, findings_of};
use rigbench::results::{self, read};
use serde_json::Value;

/// Some of them large, in a process that may have 768 MB of addresses and two seconds of a processor.
#[test]
fn junk_is_refused_at_once_and_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let honest = results::text(&RUN.document);
    let mut files: Vec<(String, Vec<u8>)> = (0..40)
        .map(|i| (format!("cut-{i}"), honest.as_bytes()[..honest.len() * i / 40].to_vec()))
        .collect();
    let head = "{\"schema_version\":\"2.0.0\", \"evidence\":";
    files.push(("deep".into(), [head, &"[".repeat(1 << 20)].concat().into()));
    files.push(("deeper".into(), [head, &"{\"a\":".repeat(1 << 20)].concat().into()));
    files.push(("wide".into(), [head, "[", &"0,".repeat(30 << 20), "0]}"].concat().into()));
    // Within a column, and within the list of rows.
    let among = |first: &str, filler: &str, times: usize| {
        let at = honest.find(first).expect(first) + first.len();
        [&honest[..at], &filler.repeat(times), &honest[at..]].concat().into_bytes()
    };
    let column = "\"at_seconds\":[";
    files.push(("long".into(), among(column, "0,", 25 << 20)));
    // As much as is read at all: of bytes, and of values.
    files.push(("bytes".into(), among(column, "0,", 31 << 19)));
    files.push(("values".into(), among(column, "0.1234567,", 1_900_000)));
    files.push(("windows".into(), among("\"wall_seconds\":[", "0.5,", 20_000)));
    files.push(("rows".into(), among("\"rows\":[", "{},", 20_000)));
    // Objects within objects, which take most memory for their bytes: one into the other, side by side, and as many as are read.
    let nest = |levels: usize| "{\"a\":".repeat(levels) + "0" + &"}".repeat(levels);
    let filled =
        |part: &str, bytes: usize| among(column, &format!("{part},"), bytes / (part.len() + 1));
    files.push(("nested".into(), filled(&nest(20), 28_700_000)));
    files.push(("nested-deep".into(), filled(&nest(120), 28_700_000)));
    files.push(("objects".into(), filled("{\"a\":0}", 28_700_000)));
    files.push(("most-objects".into(), among(column, "{\"a\":0},", 190_000)));
    files.push(("names".into(), among(column, "{\"\":0,\"z\":0},", 190_000)));
    let members: String = (0..1_900_000).map(|i| format!("\"{i}\":0,")).collect();
    files.push(("members".into(), among(column, &format!("{{{members}\"a\":0}},"), 1)));
    // Of a newer version, whatever this one cannot read stays as it is.
    let newer = |text: Vec<u8>| {
        let text = String::from_utf8(text).unwrap();
        text.replacen("\"schema_version\":\"2.0.0\"", "\"schema_version\":\"2.9.0\"", 1)
            .into_bytes()
    };
    files.push(("newer-objects".into(), newer(among(column, "{\"a\":0},", 190_000))));
    files.push(("newer-rows".into(), newer(among("\"rows\":[", "{},", 20_000))));
    for (name, text) in &files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let huge = std::fs::File::create(folder.path().join("huge")).unwrap();
    huge.set_len(1 << 30).unwrap();
    let limited = "ulimit -v 786432; ulimit -t 2; exec \"$@\"";
    for name in files.iter().map(|(name, _)| name.as_str()).chain(["huge"]) {
        let output = std::process::Command::new("bash")
            .args(["-c", limited, "bash", env!("CARGO_BIN_EXE_rigbench"), "validate"])
            .arg(folder.path().join(name))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {:?} {said}", output.status);
        let why = match name {
            // Those are few enough to be read, and found to be of another kind.
            "most-objects" | "names" => "invalid type: map",
            // Its digest is not that of its text.
            "newer-objects" => "proof.document_sha256",
            _ => "not a rigbench result file",
        };
        assert!(said.contains(why), "{name}: {said}");
    }
    println!("{} files, each refused within 2 s of a processor and 768 MB", files.len() + 1);
}

/// What validate says of the honest file with its text changed.
fn faults_of(change: impl FnOnce(String) -> String) -> Vec<String> {
    findings_of(change(results::text(&RUN.document)).as_bytes()).faults
}

#[test]
fn a_byte_order_mark_and_utf_16_are_read_and_other_encodings_named() {
    let text = results::text(&RUN.document);
    let sixteen = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
    };
    let (little, big) = (sixteen(u16::to_le_bytes), sixteen(u16::to_be_bytes));
    let marked = ["\u{feff}", &text].concat().into_bytes();
    for bytes in [&marked, &little, &big] {
        assert_eq!(findings_of(bytes).faults, Vec::<String>::new());
        assert!(read::skim(bytes).is_ok());
    }
    let odd = findings_of(&little[2..]).faults;
    assert!(
        odd.len() == 1 && odd[0].ends_with("without a byte order mark; save it as UTF-8"),
        "{odd:?}"
    );
    let latin = findings_of(b"{\"schema_version\":\"2.0.0\", \"cpu\": \"caf\xe9\"}").faults;
    assert!(latin.len() == 1 && latin[0].ends_with("save it as UTF-8"), "{latin:?}");
}

/// Some are compared with each other: a forged list would take minutes.
#[test]
fn lists_that_no_run_has_are_refused() {
    let lists = [
        ("/evidence/manifest/devices", 200, "devices"),
        ("/evidence/manifest/sources", 200, "energy sources"),
        ("/evidence/manifest/workloads", 2000, "workloads"),
        ("/evidence/baselines", 200, "baselines"),
        ("/evidence/rows/0/condition/together_with", 200, "devices at the same time"),
    ];
    for (path, limit, what) in lists {
        let of_length = |length: usize| {
            let mut value = serde_json::to_value(&RUN.document).unwrap();
            let list = value.pointer_mut(path).unwrap().as_array_mut().unwrap();
            let item = list.first().cloned().unwrap_or_else(|| "gpu:1".into());
            *list = vec![item; length];
            findings_of(value.to_string().as_bytes()).faults
        };
        let refused = format!("not a rigbench result file: too many {what}");
        assert!(!of_length(limit).contains(&refused), "{what}");
        assert_eq!(of_length(limit + 1), [refused]);
    }
}

/// serde takes the fields of an object from an array in their order, too.
#[test]
fn an_array_in_place_of_an_object_is_refused_wherever_it_stands() {
    fn objects(value: &Value, place: String, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.push(place.clone());
                members.iter().for_each(|(name, v)| objects(v, format!("{place}/{name}"), found));
            }
            Value::Array(items) => {
                let first = items.first().into_iter();
                first.for_each(|item| objects(item, format!("{place}/0"), found));
            }
            _ => {}
        }
    }
    let honest = serde_json::to_value(&RUN.document).unwrap();
    let mut places = Vec::new();
    objects(&honest, String::new(), &mut places);
    assert!(places.len() > 20, "{places:?}");
    for place in places {
        let mut changed = honest.clone();
        let object = changed.pointer_mut(&place).unwrap();
        let Value::Object(members) = object.take() else { unreachable!() };
        *object = members.into_iter().map(|(_, value)| value).collect();
        let bytes = changed.to_string().into_bytes();
        let faults = findings_of(&bytes).faults;
        assert_eq!(faults.len(), 1, "{place}: {faults:?}");
        assert!(read::skim(&bytes).is_err(), "{place}");
    }
}

#[test]
fn windows_as_an_array_have_their_path() {
    let faults = faults_of(|text| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let windows = &mut value["evidence"]["rows"][1]["windows"];
        let of = |name: &str| windows[name].clone();
        let fields = ["blocks", "wall_seconds", "cpu_seconds", "gpu_seconds", "work"];
        *windows = Value::Array(fields.map(of).to_vec());
        value.to_string()
    });
    assert_eq!(faults, ["evidence.rows[1].windows is an array where an object has to be"]);
}

#[test]
fn a_member_that_is_there_twice_is_refused_in_a_map_too() {
    // Of the two values parsers keep the last, other programs the first.
    for (from, to, name) in [
        ("\"environment\":{", "\"environment\":{\"A\":\"1\",\"A\":\"2\",", "A"),
        ("\"environment\":{", "\"environment\":{\"A\": \"1\", \"\\u0041\": \"2\", ", "A"),
        ("\"mode\":", "\"mode\":\"publish\", \"mode\":", "mode"),
        (
            "\"schema_version\":",
            "\"schema_version\":\"2.9.0\", \"schema_version\":",
            "schema_version",
        ),
    ] {
        let change = |text: String| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        };
        let faults = faults_of(change);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].ends_with(&format!("the member `{name}` is duplicated")), "{faults:?}");
        let text = change(results::text(&RUN.document));
        assert!(read::skim(text.as_bytes()).is_err());
    }
}
