//! Scans a document's text before parsing. Nested JSON of a few megabytes can require gigabytes of memory, and parsers silently keep the
//! last of two members of the same name: both are rejected here.

use crate::text;
use std::borrow::Cow;

/// Maximum number of commas, hence of values: each reading has three, everything else far fewer.
const MOST_COMMAS: usize = 2_000_000;
/// Maximum number of objects. Each takes about a kilobyte for parsing and again for judging. A row has about a hundred: a rig of 12
/// devices with 40 workloads has 50,000.
const MOST_OBJECTS: usize = 200_000;
/// Maximum number of members of an object. Objects of a document have a few dozen.
const MOST_MEMBERS: usize = 1000;
/// Maximum nesting depth. A document has 9 levels.
const MOST_LEVELS: usize = 32;

/// Scans a JSON text; returns whether no string contains hidden characters, or perhaps `false` for strings with other escapes. Invalid
/// JSON is left to the parser.
///
/// # Errors
/// Which limit is exceeded, or which member is duplicated.
pub(super) fn scan(json: &str) -> Result<bool, String> {
    let mut scanner = Scanner { json, plain: true, ..Scanner::default() };
    scanner.run()?;
    Ok(scanner.plain)
}

#[derive(Default)]
struct Scanner<'a> {
    json: &'a str,
    at: usize,
    /// For each open object the index of its first name in `names`; `None` for an open array.
    open: Vec<Option<usize>>,
    /// Names of the members of all open objects, with their positions in the text.
    names: Vec<(Cow<'a, str>, usize)>,
    commas: usize,
    objects: usize,
    plain: bool,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(byte) = self.json.as_bytes().get(self.at) {
            self.at += 1;
            match byte {
                b'"' => self.string()?,
                b',' => self.commas += 1,
                b'{' => {
                    self.objects += 1;
                    self.open.push(Some(self.names.len()));
                }
                b'[' => self.open.push(None),
                b'}' | b']' => {
                    if let Some(Some(first)) = self.open.pop() {
                        self.leave(first)?;
                    }
                }
                _ => continue,
            }
            match () {
                () if self.commas > MOST_COMMAS => return Err("no run has so many values".into()),
                () if self.objects > MOST_OBJECTS => {
                    return Err("no run has so many objects".into());
                }
                () if self.open.len() > MOST_LEVELS => {
                    return Err(format!("line {}: no run nests so deeply", self.line(self.at)));
                }
                () => {}
            }
        }
        Ok(())
    }

    /// Closes an object whose names start at index `first`; rejects duplicates.
    fn leave(&mut self, first: usize) -> Result<(), String> {
        self.names[first..].sort_unstable();
        let twice = self.names[first..].windows(2).find(|pair| pair[0].0 == pair[1].0);
        if let Some([_, (name, at)]) = twice {
            return Err(format!("line {}: the member `{name}` is there twice", self.line(*at)));
        }
        self.names.truncate(first);
        Ok(())
    }

    /// Skips a string after its opening quote; records it if it is a member's name.
    fn string(&mut self) -> Result<(), String> {
        let bytes = self.json.as_bytes();
        let start = self.at;
        let mut escaped = false;
        loop {
            match bytes.get(self.at) {
                None => return Ok(()),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => self.at += 1,
            }
        }
        let content = &self.json[start..self.at];
        self.at += 1;
        self.plain &= !escaped && text::is_plain(content);
        let after = bytes[self.at..].iter().find(|byte| !byte.is_ascii_whitespace());
        if after == Some(&b':')
            && let Some(Some(first)) = self.open.last()
        {
            if self.names.len() - first >= MOST_MEMBERS {
                return Err("no run has an object with so many members".into());
            }
            let name = match escaped {
                false => Cow::Borrowed(content),
                // `"a"` and `"\u0061"` are the same name.
                true => serde_json::from_str(&self.json[start - 1..self.at])
                    .map_or(Cow::Borrowed(content), Cow::Owned),
            };
            self.names.push((name, start));
        }
        Ok(())
    }

    fn line(&self, at: usize) -> usize {
        self.json.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_objects_and_values_are_bounded() {
        let nested = |levels: usize| "{\"a\":".repeat(levels) + "0" + &"}".repeat(levels);
        assert!(scan(&nested(MOST_LEVELS)).is_ok());
        assert!(scan(&nested(MOST_LEVELS + 1)).unwrap_err().contains("nests so deeply"));
        let list =
            |part: &str, times: usize| format!("[{}{part}]", format!("{part},").repeat(times));
        assert!(scan(&list("{}", MOST_OBJECTS - 1)).is_ok());
        assert!(scan(&list("{}", MOST_OBJECTS)).unwrap_err().contains("so many objects"));
        assert!(scan(&list("0", MOST_COMMAS)).is_ok());
        assert!(scan(&list("0", MOST_COMMAS + 1)).unwrap_err().contains("so many values"));
        let members = |count: usize| {
            let all: Vec<String> = (0..count).map(|i| format!("\"{i}\": 0")).collect();
            format!("[{{{}}}]", all.join(","))
        };
        assert!(scan(&members(MOST_MEMBERS)).is_ok());
        assert!(scan(&members(MOST_MEMBERS + 1)).unwrap_err().contains("so many members"));
        // Brackets and commas within strings are text.
        assert!(scan(&format!("[\"{}\"]", "[{,\\\"".repeat(MOST_COMMAS + 1))).is_ok());
    }

    #[test]
    fn duplicate_names_are_rejected_per_object() {
        assert!(scan("{\"a\": {\"a\": 1}, \"b\": [{\"a\": 1}, {\"a\": \"a\"}]}").is_ok());
        for twice in ["{\n\"a\": 1,\n\"a\": 1}", "{\n\"a\": {\"b\": 1},\n\"\\u0061\": []}"] {
            assert_eq!(scan(twice).unwrap_err(), "line 3: the member `a` is there twice");
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
        for hidden in
            ["\"\\u001b[0m\"", "\"\\n\"", "\"a\u{202e}b\"", "{\"\u{9b}\": 1}", "\"\u{7f}\""]
        {
            assert!(!scan(hidden).unwrap(), "{hidden}");
        }
    }
}
