//! What of a text is refused before it is parsed, differences between two JSON documents, and how a document is laid out.

use rigbench::results::{self, differences, scan};
use serde_json::{Value, json};

/// The limits of a document, as `src/results/scan.rs` has them.
const MOST_COMMAS: usize = 2_000_000;
const MOST_OBJECTS: usize = 200_000;
const MOST_MEMBERS: usize = 1000;
const MOST_LEVELS: usize = 32;

#[test]
fn nesting_objects_and_values_are_bounded() {
    let nested = |levels: usize| "{\"a\":".repeat(levels) + "0" + &"}".repeat(levels);
    assert!(scan(&nested(MOST_LEVELS)).is_ok());
    assert!(scan(&nested(MOST_LEVELS + 1)).unwrap_err().contains("nests too deeply"));
    let list = |part: &str, times: usize| format!("[{}{part}]", format!("{part},").repeat(times));
    assert!(scan(&list("{}", MOST_OBJECTS - 1)).is_ok());
    assert!(scan(&list("{}", MOST_OBJECTS)).unwrap_err().contains("too many objects"));
    assert!(scan(&list("0", MOST_COMMAS)).is_ok());
    assert!(scan(&list("0", MOST_COMMAS + 1)).unwrap_err().contains("too many values"));
    let members = |count: usize| {
        let all: Vec<String> = (0..count).map(|i| format!("\"{i}\": 0")).collect();
        format!("[{{{}}}]", all.join(","))
    };
    assert!(scan(&members(MOST_MEMBERS)).is_ok());
    assert!(scan(&members(MOST_MEMBERS + 1)).unwrap_err().contains("too many members"));
    // Brackets and commas within strings are text.
    assert!(scan(&format!("[\"{}\"]", "[{,\\\"".repeat(MOST_COMMAS + 1))).is_ok());
}

#[test]
fn duplicate_names_are_rejected_per_object() {
    assert!(scan("{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": \"a\"}]}").is_ok());
    for twice in ["{\n\"a\": 1,\n\"a\": 1}", "{\n\"a\": {\"b\": 1},\n\"\\u0061\": []}"] {
        assert_eq!(scan(twice).unwrap_err(), "line 3: the member `a` is duplicated");
    }
}

#[test]
fn invalid_json_is_left_to_the_parser() {
    for text in ["", "\"", "\"\\", "}}]]", "{\"a\"", "[\"a\": 1, \"a\": 2]", "{]}"] {
        assert!(scan(text).is_ok(), "{text}");
    }
}

#[test]
fn hidden_characters_are_found_escaped_or_not() {
    assert!(scan("{\"ä\": \"±5 %\"}").unwrap());
    for hidden in ["\"\\u001b[0m\"", "\"\\n\"", "\"a\u{202e}b\"", "{\"\u{9b}\": 1}", "\"\u{7f}\""] {
        assert!(!scan(hidden).unwrap(), "{hidden}");
    }
}

#[test]
fn differences_have_their_path() {
    let here = json!({"a": 1.0, "b": [{"c": null}, 2], "d": "x"});
    assert_eq!(differences(&here, &here).listed, []);
    let there = json!({"a": 1.0 + 1e-12, "b": [{"c": 3}], "d": "y"});
    let paths = |here: &Value, there: &Value| -> Vec<String> {
        differences(here, there).listed.into_iter().map(|d| d.0).collect()
    };
    assert_eq!(paths(&here, &there), ["b[0].c", "b[1]", "d"]);
    let of_another_version = json!({"a": 1.0, "b": [{"c": null, "e": 4}, 2], "f": "x"});
    assert_eq!(paths(&here, &of_another_version), [""; 0]);
    let only_here = differences(&here, &of_another_version).only_here;
    assert_eq!(only_here, [("d".into(), "\"x\"".into())]);
    let (ones, twos) = (json!(vec![1; 1500]), json!(vec![2; 1500]));
    let many = differences(&ones, &twos);
    assert_eq!((many.listed.len(), many.more), (1000, 500));
}

#[test]
fn an_object_given_as_an_array_has_its_path() {
    let whole = json!({"a": [{"b": null, "c": {"d": 1}}]});
    let path = |given: Value| differences(&whole, &given).array_for_object;
    assert_eq!(path(json!({"a": [{"c": {"d": []}}, []]})), None);
    assert_eq!(path(json!({"a": [[null, {"d": 1}]]})).unwrap(), "a[0]");
    assert_eq!(path(json!({"a": [{"c": [1]}]})).unwrap(), "a[0].c");
}

#[test]
fn short_values_and_columns_are_written_in_one_line() {
    let column: Vec<u32> = (0..60).collect();
    let value =
        json!({"a": column, "b": [{"c": "x".repeat(60)}, {"c": "y".repeat(60)}], "d": {"e": 1}});
    let text = results::text(&value);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[1].starts_with(" \"a\":[0,1,2,") && lines[1].ends_with("59],"), "{text}");
    assert_eq!((lines.len(), lines[3].starts_with("  {\"c\":\"x")), (8, true), "{text}");
    assert_eq!(lines[6], " \"d\":{\"e\":1}", "{text}");
}
