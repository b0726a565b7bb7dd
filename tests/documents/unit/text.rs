//! What a terminal may be shown, files that are read whole, and the order of names with numbers.

use rigbench::text;
use std::io::ErrorKind;
use std::path::Path;

#[test]
fn controls_bidi_and_invisible_characters_become_escapes() {
    for (given, shown) in [
        ("AMD Radeon™ RX 7900 XTX – ±5 % (µ, 東京)", "AMD Radeon™ RX 7900 XTX – ±5 % (µ, 東京)"),
        ("a\x1b]0;x\x07b", "a\\u{1b}]0;x\\u{7}b"),
        ("two\nlines\r\ttab", "two\\nlines\\r\\ttab"),
        ("csi \u{9b}31m del \u{7f}", "csi \\u{9b}31m del \\u{7f}"),
        ("gpj\u{202e}exe", "gpj\\u{202e}exe"),
        (
            "\u{2066}iso\u{2069}\u{feff}\u{200b}\u{ad}",
            "\\u{2066}iso\\u{2069}\\u{feff}\\u{200b}\\u{ad}",
        ),
        (
            "\u{2028}\u{2029}\u{3164}\u{fe0f}\u{e0041}",
            "\\u{2028}\\u{2029}\\u{3164}\\u{fe0f}\\u{e0041}",
        ),
    ] {
        assert_eq!(text::plain(given), shown);
        assert_eq!(text::is_plain(given), given == shown);
        assert!(text::is_plain(&text::plain(given)));
    }
    assert_eq!(text::lines("one\n\x1b[2Jtwo\n"), "one\n\\u{1b}[2Jtwo\n");
}

#[test]
fn json_keeps_its_meaning() {
    let value = serde_json::json!({"a\u{202e}b": "\u{9b}1m\u{e0041}\n\x1b[0m é"});
    let written = serde_json::to_string_pretty(&value).unwrap();
    let safe = text::json(&written);
    assert!(safe.lines().all(text::is_plain), "{safe}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).unwrap(), value);
}

#[test]
fn numbers_are_ordered_as_numbers() {
    let mut specs = ["b=16:é", "b=4:é", "a", "b=4", "b=100000000000000000000000000000000000000000"];
    specs.sort_by_key(|spec| text::natural(spec));
    let order = specs.map(|spec| spec.chars().take(4).collect::<String>());
    assert_eq!(order, ["a", "b=4", "b=4:", "b=16", "b=10"]);
}

#[test]
fn a_file_is_read_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, [7; 100]).unwrap();
    assert_eq!(text::read(&path, 1000).unwrap().len(), 100);
    assert_eq!(text::read(&path, 10).unwrap().len(), 11);
    assert!(text::read(folder.path(), 10).unwrap_err().to_string().contains("folder"));
    assert_eq!(
        text::read(&folder.path().join("none"), 10).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

/// Opening the pipe would block, since it never gets a writer.
#[cfg(target_os = "linux")]
#[test]
fn a_pipe_or_a_device_is_refused_without_being_opened() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/tty")] {
        if path.exists() {
            assert!(
                text::read(path, 10)
                    .unwrap_err()
                    .to_string()
                    .contains("a pipe, a socket or a device")
            );
        }
    }
}

#[test]
fn byte_order_marks_are_left_out_and_other_encodings_named() {
    let json = "{\"é\": \"😀\"}";
    let sixteen = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xfeff).chain(json.encode_utf16()).flat_map(order).collect()
    };
    let (little, big) = (sixteen(u16::to_le_bytes), sixteen(u16::to_be_bytes));
    for bytes in [json.as_bytes(), &["\u{feff}", json].concat().into_bytes(), &little, &big] {
        assert_eq!(text::decode(bytes).unwrap(), json);
    }
    assert_eq!(text::decode(b"").unwrap(), "");
    let halved = text::decode(&little[..little.len() - 1]);
    assert!(halved.unwrap_err().contains("damaged text in UTF-16"));
    for (bytes, named) in [
        (&little[2..], "UTF-16 without"),
        (&big[2..], "UTF-16 without"),
        (b"\xff\xfe\0\0{\0\0\0", "UTF-32"),
        (b"caf\xe9 au lait", "not text in UTF-8"),
    ] {
        assert!(text::decode(bytes).unwrap_err().contains(named), "{named}");
    }
}
