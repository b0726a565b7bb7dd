//! What a command printed: as watts, or as words that may stand in an error. A command knows passwords and addresses, so
//! that words which could be one are left out.

/// Characters of a text that an error shows.
const SHOWN: usize = 80;

/// Characters that a word must share with the command line to be taken for part of it.
const SHARED: usize = 4;

/// Watts that a line states: a number, and `W` or `Watts` behind it or nothing.
pub(super) fn parse(line: &str) -> Option<f64> {
    let line = line.trim().to_ascii_lowercase();
    let number =
        ["watts", "watt", "w"].iter().find_map(|unit| line.strip_suffix(unit)).unwrap_or(&line);
    let watts: f64 = number.trim_end().parse().ok()?;
    (watts.is_finite() && watts >= 0.0).then_some(watts)
}

/// A text in one short line for an error, without words of the command line, words from environment variables that it
/// names, and addresses.
pub(super) fn told(text: &str, line: &str) -> String {
    let mut secrets = vec![line.to_lowercase()];
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        line.contains(&name).then(|| value.to_string_lossy().to_lowercase())
    });
    secrets.extend(variables);
    let word = |word: &str| match is_part(word, &secrets) || is_place(word) {
        true => "…".to_string(),
        false => word.chars().flat_map(escape).collect(),
    };
    let text = text.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Whether a word has some characters in a row with one of these.
fn is_part(word: &str, secrets: &[String]) -> bool {
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    let mut parts = letters.windows(SHARED).map(String::from_iter);
    parts.any(|part| secrets.iter().any(|secret| secret.contains(&part)))
}

/// Whether a word may be an address, a host or a path.
fn is_place(word: &str) -> bool {
    let letters: Vec<char> = word.chars().collect();
    let joints = letters
        .windows(3)
        .filter(|w| w[0].is_alphanumeric() && matches!(w[1], '.' | ':') && w[2].is_alphanumeric());
    let joints: Vec<_> = joints.collect();
    // 12.5 is a number; plug.local, 10.0.0.1 and 10:22 are not.
    let number = matches!(joints[..], [[a, '.', b]] if a.is_ascii_digit() && b.is_ascii_digit());
    word.contains(['/', '\\', '@']) || word.contains("::") || !(joints.is_empty() || number)
}

/// Quotes are shown as they are; what cannot be seen or would move the cursor is not.
fn escape(c: char) -> impl Iterator<Item = char> {
    let shown = matches!(c, '"' | '\'' | '\\');
    let escaped = (!shown).then(|| c.escape_debug());
    shown.then_some(c).into_iter().chain(escaped.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_is_printed_makes_one_short_line(text: String, line: String) {
            let told = told(&text, &line);
            prop_assert!(!told.contains(char::is_control) && told.chars().count() <= SHOWN + 1);
            prop_assert!(parse(&text).is_none_or(|watts| watts.is_finite() && watts >= 0.0));
        }
    }

    #[test]
    fn a_line_is_a_number_and_perhaps_its_unit() {
        for (line, watts) in [
            ("240", 240.0),
            (" 240.5\r\n", 240.5),
            ("240W", 240.0),
            ("240 W", 240.0),
            ("1e2 Watts", 100.0),
            ("3 watt", 3.0),
            ("0", 0.0),
        ] {
            assert_eq!(parse(line), Some(watts), "{line}");
        }
        for line in [
            "", "W", "-1", "nan", "inf W", "1e999", "240 mW", "240kW", "0.2 kWh", "2 40", "240,5",
            "240 W W", "0x10",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn an_error_tells_words_but_no_places_and_nothing_of_the_command_line() {
        let line = "curl -u admin:hunter2 http://plug.lan/x | jq .power";
        for (text, shown) in [
            ("no numeric reading", "no numeric reading"),
            ("curl: (6) Could not resolve host: plug.lan", "… (6) Could not resolve host: …"),
            ("refused 192.168.1.20 port 80", "refused … port 80"),
            ("fe80::1 a8:03:2a:be:54:dc me@there c:\\x", "… … … …"),
            ("user=hunter2; 12.5 A", "… 12.5 A"),
            ("a\u{7}b\u{1b}[31m \u{202e}x", "a\\u{7}b\\u{1b}[31m \\u{202e}x"),
        ] {
            assert_eq!(told(text, line), shown);
        }
        assert!(told(&"long ".repeat(500), line).chars().count() <= SHOWN + 1);
        assert_eq!(told("7240 nonsense", "printf 7240"), "… nonsense");
    }

    #[test]
    fn a_variable_that_the_command_line_names_is_left_out_too() {
        // Cargo sets this one for tests.
        assert_eq!(told("rigbench 17", "echo $CARGO_PKG_NAME"), "… 17");
        assert_eq!(told("rigbench 17", "echo"), "rigbench 17");
    }
}
