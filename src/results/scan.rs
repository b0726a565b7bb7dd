//! Scans a document's text before parsing. Nested JSON of a few megabytes can require gigabytes of memory, and parsers silently keep the
//! last of two members of the same name: both are rejected here.

use crate::text;
use std::borrow::Cow;

/// Maximum number of commas, hence of values: each reading has three, everything else far fewer.
const MAX_COMMAS: usize = 2_000_000;
/// Maximum number of objects. Each takes about a kilobyte for parsing and again for judging. A row has about a hundred: a rig of 12
/// devices with 40 workloads has 50,000.
const MAX_OBJECTS: usize = 200_000;
/// Maximum number of texts that are not names: each takes some 200 bytes to read. A row has about a hundred.
const MAX_TEXTS: usize = 200_000;
/// Maximum number of members of an object. Objects of a document have a few dozen.
const MAX_MEMBERS: usize = 1000;
/// Maximum nesting depth. A document has 9 levels.
const MAX_LEVELS: usize = 32;

/// Scans a JSON text; returns whether no string contains hidden characters, or perhaps `false` for strings with other escapes. Invalid
/// JSON is left to the parser.
///
/// # Errors
/// Which limit is exceeded, or which member is duplicated.
pub fn scan(json: &str) -> Result<bool, String> {
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
    texts: usize,
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
            if self.open.len() > MAX_LEVELS {
                return Err(format!("line {}: it nests too deeply", self.line(self.at)));
            }
            match () {
                () if self.commas > MAX_COMMAS => return Err("too many values".into()),
                () if self.objects > MAX_OBJECTS => return Err("too many objects".into()),
                () if self.texts > MAX_TEXTS => return Err("too many texts".into()),
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
            return Err(format!("line {}: the member `{name}` is duplicated", self.line(*at)));
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
            if self.names.len() - first >= MAX_MEMBERS {
                return Err("an object has too many members".into());
            }
            // `"a"` and `"\u0061"` are the same name.
            let unescaped = escaped.then(|| serde_json::from_str(&self.json[start - 1..self.at]));
            let name = unescaped.and_then(Result::ok).map_or(Cow::Borrowed(content), Cow::Owned);
            self.names.push((name, start));
        } else {
            self.texts += 1;
        }
        Ok(())
    }

    fn line(&self, at: usize) -> usize {
        self.json.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}
