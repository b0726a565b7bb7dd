//! Reads tables of the market file key by key. Faults are recorded with line and key, so that all of them are reported at once.

use crate::text::plain;
use std::cell::RefCell;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

/// Minimum Jaro-Winkler similarity of a suggested key.
const MIN_SCORE: f64 = 0.8;

/// A fault of the file.
struct Fault {
    line: Option<usize>,
    /// The key and what is wrong with it.
    what: String,
    /// Whether a key is missing, which is not reported if the file has syntax errors.
    missing: bool,
}

/// The text and its faults.
pub(super) struct Reader<'a> {
    text: &'a str,
    faults: RefCell<Vec<Fault>>,
}

/// A table of the file.
pub(super) struct Table<'a> {
    reader: &'a Reader<'a>,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    /// Its key: `network`, `asic[0]`; empty for the whole file.
    key: String,
    asked: RefCell<Vec<Asked>>,
}

/// A key that was asked for.
struct Asked {
    name: &'static str,
    required: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, faults: RefCell::default() }
    }

    /// The table of the whole file.
    pub(super) fn root(&'a self, table: &'a DeTable<'a>) -> Table<'a> {
        // Faults of the root table have no line.
        self.table(table, usize::MAX..usize::MAX, String::new())
    }

    fn table(&'a self, table: &'a DeTable<'a>, span: Range<usize>, key: String) -> Table<'a> {
        Table { reader: self, table, span, key, asked: RefCell::default() }
    }

    fn add(&self, at: usize, key: &str, missing: bool, what: &str) {
        let line = (at < self.text.len()).then(|| line(self.text, at));
        let what = plain(&format!("{key}: {what}")).into_owned();
        self.faults.borrow_mut().push(Fault { line, what, missing });
    }

    /// All faults in line order; `syntax` has the lines with syntax errors and their messages.
    pub(super) fn faults(self, syntax: Vec<(usize, String)>) -> Vec<String> {
        let is_syntax_error = |line: usize| syntax.iter().any(|(other, _)| *other == line);
        let broken = !syntax.is_empty();
        let mut faults = self.faults.into_inner();
        faults.retain(|fault| {
            let shadowed = broken && (fault.missing || fault.line.is_some_and(is_syntax_error));
            !shadowed
        });
        let syntax = syntax.iter().map(|(line, what)| Fault {
            line: Some(*line),
            what: what.clone(),
            missing: false,
        });
        faults.extend(syntax);
        faults.sort_by_key(|fault| fault.line.unwrap_or(0));
        let message = |Fault { line, what, .. }: Fault| match line {
            Some(line) => format!("line {line}, {what}"),
            None => what,
        };
        faults.into_iter().map(message).collect()
    }
}

/// The line number of a byte offset.
pub(super) fn line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

impl<'a> Table<'a> {
    /// The full key of a name in the table.
    pub(super) fn path(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_string() } else { format!("{}.{name}", self.key) }
    }

    /// Records a fault of a key, or of the table itself if the name is empty.
    pub(super) fn fault(&self, name: &str, what: &str) {
        let at = self.table.get(name).map_or(self.span.start, |value| value.span().start);
        let key = if name.is_empty() { self.key.clone() } else { self.path(name) };
        self.reader.add(at, &key, false, what);
    }

    fn ask(&self, name: &'static str, required: bool) -> Option<&'a Spanned<DeValue<'a>>> {
        let mut asked = self.asked.borrow_mut();
        if !asked.iter().any(|asked| asked.name == name) {
            asked.push(Asked { name, required });
        }
        self.table.get(name)
    }

    /// A value of a given type; `None` if it is missing, or of another type, which is recorded as a fault.
    fn typed<T>(
        &self,
        name: &'static str,
        required: bool,
        expected: &str,
        kind: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<T> {
        let value = self.ask(name, required)?.get_ref();
        let found = kind(value);
        if found.is_none() {
            self.fault(name, &format!("it is {}, it has to be {expected}", article(value)));
        }
        found
    }

    /// Text, safe to print.
    pub(super) fn text(&self, name: &'static str) -> Option<String> {
        let text = self.typed(name, true, "text in quotes", DeValue::as_str)?;
        if text.trim().is_empty() {
            self.fault(name, "it is empty");
            return None;
        }
        Some(plain(text).into_owned())
    }

    /// A list of one or more texts.
    pub(super) fn texts(&self, name: &'static str) -> Option<Vec<String>> {
        let expected = "a list of texts, as in [\"a\", \"b\"]";
        let texts = self.typed(name, true, expected, |value| {
            let items = value.as_array()?.iter();
            items.map(|item| Some(plain(item.get_ref().as_str()?).into_owned())).collect()
        })?;
        let texts: Vec<String> = texts;
        if texts.is_empty() {
            self.fault(name, "name at least one");
            return None;
        }
        Some(texts)
    }

    /// A boolean; false if it is missing.
    pub(super) fn yes(&self, name: &'static str) -> bool {
        self.typed(name, false, "true or false", DeValue::as_bool).unwrap_or(false)
    }

    /// Two non-negative integers.
    pub(super) fn pair(&self, name: &'static str, example: &str) -> Option<(u64, u64)> {
        self.typed(name, true, example, |value| match &value.as_array()?[..] {
            [a, b] => Some((whole(a.get_ref())?, whole(b.get_ref())?)),
            _ => None,
        })
    }

    /// An optional number.
    pub(super) fn number(&self, name: &'static str) -> Option<f64> {
        let value = self.ask(name, false)?.get_ref();
        let number = number(value);
        if number.is_none() {
            let what = match value.as_str().map(|text| text.trim().replace(',', ".")) {
                Some(text) if text.parse::<f64>().is_ok() => {
                    format!("it is text; write the number without quotes: {text}")
                }
                _ => format!("it is {}, it has to be a number", article(value)),
            };
            self.fault(name, &what);
        }
        number
    }

    /// Whether a key is present.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// A required subtable.
    pub(super) fn table(&self, name: &'static str) -> Option<Table<'a>> {
        let expected = format!("a table, as in [{}]", self.path(name));
        self.subtable(name, true, &expected)
    }

    /// An inline table.
    pub(super) fn inline(&self, name: &'static str, required: bool) -> Option<Table<'a>> {
        let expected = "{ value = …, unit = \"…\", date = \"…\", source = \"…\" }";
        self.subtable(name, required, expected)
    }

    fn subtable(&self, name: &'static str, required: bool, expected: &str) -> Option<Table<'a>> {
        let table = self.typed(name, required, expected, DeValue::as_table)?;
        let span = self.table.get(name).map_or(0..0, Spanned::span);
        Some(self.reader.table(table, span, self.path(name)))
    }

    /// An array of tables; empty if it is missing.
    pub(super) fn rows(&self, name: &'static str, required: bool) -> Vec<Table<'a>> {
        let expected = format!("a list of tables, each as in [[{name}]]");
        let rows: Option<&DeArray> = self.typed(name, required, &expected, DeValue::as_array);
        let mut tables = Vec::new();
        for (i, row) in rows.into_iter().flat_map(|rows| rows.iter()).enumerate() {
            let key = format!("{}[{i}]", self.path(name));
            match row.get_ref().as_table() {
                Some(table) => tables.push(self.reader.table(table, row.span(), key)),
                None => self.reader.add(
                    row.span().start,
                    &key,
                    false,
                    &format!("it has to be {expected}"),
                ),
            }
        }
        tables
    }

    /// Reports missing keys, and unknown keys with the most similar known one.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        let mut missing: Vec<&str> = (asked.iter())
            .filter(|asked| asked.required && !self.has(asked.name))
            .map(|asked| asked.name)
            .collect();
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if asked.iter().any(|asked| asked.name == name) {
                continue;
            }
            // Prefer a key that is missing.
            let known = || asked.iter().map(|asked| asked.name);
            let near = nearest(name, known().filter(|known| !self.has(known)));
            let what = match near.or_else(|| nearest(name, known())) {
                Some(near) => {
                    missing.retain(|missing| *missing != near);
                    format!("there is no such key; did you mean {near}?")
                }
                None => {
                    let known: Vec<&str> = known().collect();
                    format!("there is no such key; known: {}", known.join(", "))
                }
            };
            self.reader.add(key.span().start, &self.path(name), false, &what);
        }
        for name in missing {
            self.reader.add(self.span.start, &self.path(name), true, "it is missing");
        }
    }
}

/// The known name that is most similar to a misspelt one.
pub(super) fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let score = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    let scored = known.map(|known| (score(known), known)).filter(|scored| scored.0 >= MIN_SCORE);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|scored| scored.1)
}

fn number(value: &DeValue) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    }
}

fn whole(value: &DeValue) -> Option<u64> {
    let integer = value.as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The type of a value with its article.
fn article(value: &DeValue) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
