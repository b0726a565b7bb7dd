//! Reads a market file by its schema. Faults are recorded with line and key, so that all of them are reported at once.

use super::figure::Expected;
use super::schema::{self, Key, Kind, NUMBERS};
use super::syntax::line;
use crate::economics::revenue::{HALVING_BLOCKS, subsidy_at};
use crate::text::plain;
use jiff::civil::Date;
use std::collections::{BTreeMap, BTreeSet};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// Minimum Jaro-Winkler similarity of a suggested key.
const MIN_SCORE: f64 = 0.8;
/// What `batches` has to be.
const BATCHES: &str = "the smallest and the largest batch, as in [1, 1024]";

/// A fault of the file.
struct Fault {
    line: Option<usize>,
    /// The key and what is wrong with it.
    what: String,
    /// Whether a key is missing, which is not reported if the file has syntax errors.
    missing: bool,
}

/// The text, the keys that were read, and their faults.
pub(super) struct Reader<'a> {
    text: &'a str,
    date: Option<Date>,
    /// Position of each key that was read: `network.difficulty`, `asic[0].name`.
    positions: BTreeMap<String, usize>,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader { text, date: None, positions: BTreeMap::new(), faults: Vec::new() }
    }

    /// The values of the whole file, as far as they are right.
    pub(super) fn file(&mut self, root: &DeTable) -> Table {
        let keys = schema::of_file();
        let values = self.values(root, "", &keys);
        self.check_names(&values);
        self.check_halving(&values);
        // Missing tables have no line.
        self.check_keys(root, "", usize::MAX, &keys);
        values
    }

    fn add(&mut self, key: &str, at: usize, missing: bool, what: &str) {
        let line = (at < self.text.len()).then(|| line(self.text, at));
        let what = plain(&format!("{key}: {what}")).into_owned();
        self.faults.push(Fault { line, what, missing });
    }

    /// Records a fault of a key that was read.
    fn fault(&mut self, key: &str, what: &str) {
        self.add(key, self.positions.get(key).copied().unwrap_or(usize::MAX), false, what);
    }

    /// All faults in line order; `syntax` has the lines with syntax errors and their messages.
    pub(super) fn faults(mut self, syntax: Vec<(usize, String)>) -> Vec<String> {
        let is_syntax_error = |line: usize| syntax.iter().any(|(other, _)| *other == line);
        let shadowed = |fault: &Fault| fault.missing || fault.line.is_some_and(is_syntax_error);
        self.faults.retain(|fault| syntax.is_empty() || !shadowed(fault));
        let fault = |(line, what)| Fault { line: Some(line), what, missing: false };
        self.faults.extend(syntax.into_iter().map(fault));
        self.faults.sort_by_key(|fault| fault.line);
        let message = |Fault { line, what, .. }: Fault| match line {
            Some(line) => format!("line {line}, {what}"),
            None => what,
        };
        self.faults.into_iter().map(message).collect()
    }

    /// The values of a table by key; of a list of tables that is missing, no rows.
    fn values(&mut self, table: &DeTable, path: &str, keys: &[Key]) -> Table {
        let read = |key: &Key| {
            let value = match (table.get(key.name), &key.kind) {
                (Some(value), _) => self.value(value, &join(path, key.name), key)?,
                (None, Kind::Rows(_)) => Value::Array(Vec::new()),
                (None, _) => return None,
            };
            Some((key.name.to_string(), value))
        };
        keys.iter().filter_map(read).collect()
    }

    /// Reads a table and checks its keys.
    fn table(&mut self, table: &DeTable, path: &str, at: usize, keys: &[Key]) -> Table {
        let values = self.values(table, path, keys);
        self.check_keys(table, path, at, keys);
        values
    }

    /// The value of a key; `None` if it has faults, which are recorded.
    fn value(&mut self, value: &Spanned<DeValue>, path: &str, key: &Key) -> Option<Value> {
        let (at, found) = (value.span().start, value.get_ref());
        self.positions.insert(path.to_string(), at);
        let table = |expected: &str| found.as_table().ok_or_else(|| wrong_type(found, expected));
        let read = match &key.kind {
            Kind::Date => date(found).map(|date| {
                self.date = Some(date);
                Some(date.to_string().into())
            }),
            Kind::Figure(expected) => {
                table("{ value = …, unit = \"…\", date = \"…\", source = \"…\" }")
                    .map(|table| self.figure(table, path, at, *expected))
            }
            Kind::Table(keys) => table(&format!("a table, as in [{path}]"))
                .map(|table| Some(self.table(table, path, at, keys).into())),
            Kind::Rows(keys) => self.rows(found, path, keys, key.required),
            Kind::Number => number(found).map(|number| Some(number.into())),
            Kind::Text => text(found).map(|text| Some(text.into())),
            Kind::Texts => texts(found).map(Some),
            Kind::Flag => (found.as_bool().map(|flag| Some(flag.into())))
                .ok_or_else(|| wrong_type(found, "true or false")),
            Kind::Batches => batches(found).map(Some),
            Kind::Word(known) => text(found).and_then(|text| word(&text, known)).map(Some),
        };
        read.unwrap_or_else(|what| {
            self.add(path, at, false, &what);
            None
        })
    }

    fn figure(
        &mut self,
        table: &DeTable,
        path: &str,
        at: usize,
        expected: Expected,
    ) -> Option<Value> {
        let keys = schema::of_figure();
        let mut values = self.values(table, path, &keys);
        // A value that is not a number has already been reported.
        let reported = NUMBERS.iter().any(|name| table.contains_key(*name))
            && !NUMBERS.iter().any(|name| values.contains_key(*name));
        let faults = if reported { Vec::new() } else { expected.check(&mut values, self.date) };
        for (name, what) in &faults {
            self.fault(&if name.is_empty() { path.into() } else { join(path, name) }, what);
        }
        values.insert("what".into(), path.into());
        self.check_keys(table, path, at, &keys);
        let has_all = ["unit", "date", "source"].iter().all(|part| values.contains_key(*part));
        (!reported && faults.is_empty() && has_all).then(|| values.into())
    }

    /// The rows of a list of tables; `None` if one has faults.
    fn rows(
        &mut self,
        found: &DeValue,
        path: &str,
        keys: &[Key],
        required: bool,
    ) -> Result<Option<Value>, String> {
        let expected = format!("a list of tables, each as in [[{path}]]");
        let (mut values, mut complete) = (Vec::new(), true);
        let found = found.as_array().ok_or_else(|| wrong_type(found, &expected))?;
        for (i, row) in found.iter().enumerate() {
            let (path, at) = (format!("{path}[{i}]"), row.span().start);
            let Some(table) = row.get_ref().as_table() else {
                self.add(&path, at, false, &format!("it has to be {expected}"));
                complete = false;
                continue;
            };
            let row = self.table(table, &path, at, keys);
            complete &= keys.iter().all(|key| !key.required || row.contains_key(key.name));
            values.push(row.into());
        }
        if values.is_empty() && required {
            return Err("give at least one reference miner".into());
        }
        Ok(complete.then_some(Value::Array(values)))
    }

    /// Checks that names are unique where they are referred to, and that reference tokens name a price of the file. Lists with faults
    /// are passed over.
    fn check_names(&mut self, file: &Table) {
        let texts = |list: &str, key: &str| -> Option<Vec<String>> {
            let rows = file.get(list)?.as_array()?.iter();
            rows.map(|row| Some(row.get(key)?.as_str()?.to_string())).collect()
        };
        for list in ["asic", "token_price", "rental"] {
            let mut seen = BTreeSet::new();
            for (i, name) in texts(list, "name").into_iter().flatten().enumerate() {
                let what = format!("'{name}' is duplicated; give each its own name");
                if !seen.insert(name) {
                    self.fault(&format!("{list}[{i}].name"), &what);
                }
            }
        }
        let Some(names) = texts("token_price", "name") else { return };
        let prices = texts("reference_tokens", "price").into_iter().flatten().enumerate();
        for (i, price) in prices.filter(|(_, price)| !names.contains(price)) {
            let similar = nearest(&price, names.iter().map(String::as_str));
            let hint = similar.map(|name| format!("; did you mean '{name}'?")).unwrap_or_default();
            let what = format!("no token_price is named '{price}'{hint}");
            self.fault(&format!("reference_tokens[{i}].price"), &what);
        }
    }

    /// Checks the block of the halving, and the subsidy before it.
    fn check_halving(&mut self, file: &Table) {
        let number =
            |key: &str| file.get("network")?.get(key)?.get("figure")?.get("value")?.as_float();
        let Some(block) = number("halving") else { return };
        if block % HALVING_BLOCKS as f64 != 0.0 {
            let what = format!("{block} is not a halving; every {HALVING_BLOCKS}th block is");
            return self.fault("network.halving", &what);
        }
        let before = subsidy_at(block as u64 - 1);
        if let Some(stated) = number("subsidy").filter(|stated| *stated != before) {
            let what = format!(
                "it is {stated} BTC/block, but {before} before block {block}; correct it or network.halving"
            );
            self.fault("network.subsidy", &what);
        }
    }

    /// Records missing keys, and unknown keys with the most similar known one.
    fn check_keys(&mut self, table: &DeTable, path: &str, at: usize, keys: &[Key]) {
        let known = || keys.iter().map(|key| key.name);
        let is_missing = |name: &&str| !table.contains_key(*name);
        let required = keys.iter().filter(|key| key.required).map(|key| key.name);
        let mut missing: Vec<&str> = required.filter(is_missing).collect();
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if known().any(|known| known == name) {
                continue;
            }
            // Prefer a key that is missing.
            let similar =
                nearest(name, known().filter(is_missing)).or_else(|| nearest(name, known()));
            let hint = match similar {
                Some(name) => format!("did you mean {name}?"),
                None => format!("known: {}", known().collect::<Vec<_>>().join(", ")),
            };
            missing.retain(|missing| Some(*missing) != similar);
            let what = format!("there is no such key; {hint}");
            self.add(&join(path, name), key.span().start, false, &what);
        }
        for name in missing {
            self.add(&join(path, name), at, true, "it is missing");
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

/// The known name that is most similar to a misspelt one.
fn nearest<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let score = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    let scored = known.map(|known| (score(known), known)).filter(|scored| scored.0 >= MIN_SCORE);
    scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|scored| scored.1)
}

/// Text, safe to print.
fn text(value: &DeValue) -> Result<String, String> {
    let text = value.as_str().ok_or_else(|| wrong_type(value, "text in quotes"))?;
    if text.trim().is_empty() { Err("it is empty".into()) } else { Ok(plain(text).into_owned()) }
}

fn date(value: &DeValue) -> Result<Date, String> {
    let text = text(value)?;
    let what = format!("'{text}' is not a day; write the day of the file, as in 2026-11-23");
    text.parse().map_err(|_| what)
}

fn texts(value: &DeValue) -> Result<Value, String> {
    let text = |item: &Spanned<DeValue>| Some(plain(item.get_ref().as_str()?).into_owned());
    let texts = value.as_array().and_then(|items| items.iter().map(text).collect());
    let texts: Vec<String> =
        texts.ok_or_else(|| wrong_type(value, "a list of texts, as in [\"a\", \"b\"]"))?;
    if texts.is_empty() { Err("name at least one".into()) } else { Ok(texts.into()) }
}

/// The name in rigbench of a word of the file.
fn word(text: &str, known: &[(&str, &str)]) -> Result<Value, String> {
    if let Some((_, name)) = known.iter().find(|(word, _)| *word == text) {
        return Ok((*name).into());
    }
    let words = || known.iter().map(|(word, _)| *word);
    Err(match nearest(text, words()) {
        Some(name) => format!("there is no '{text}'; did you mean {name}?"),
        None => format!("there is no '{text}'; known: {}", words().collect::<Vec<_>>().join(", ")),
    })
}

fn batches(value: &DeValue) -> Result<Value, String> {
    let whole = |item: &Spanned<DeValue>| {
        let integer = item.get_ref().as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| *n >= 0)
    };
    let both = value.as_array().filter(|items| items.len() == 2);
    let both: Option<Vec<i64>> = both.and_then(|items| items.iter().map(whole).collect());
    let both = both.ok_or_else(|| wrong_type(value, BATCHES))?;
    let sound = both[0] > 0 && both.is_sorted();
    if sound { Ok(both.into()) } else { Err(format!("it has to be {BATCHES}")) }
}

fn number(value: &DeValue) -> Result<f64, String> {
    let number = match value {
        DeValue::Integer(integer) => {
            i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|n| n as f64)
        }
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    // A comma is a decimal point or separates thousands.
    let text = value.as_str().map(|text| text.trim().replace(',', "."));
    number.ok_or_else(|| match text {
        Some(text) if text.parse::<f64>().is_ok() => {
            let text = value.as_str().unwrap_or_default().trim();
            let hint = if text.contains(',') { " and without a comma" } else { "" };
            format!("it is the text \"{text}\"; write a number without quotes{hint}, as in 60000 or 0.06")
        }
        _ => wrong_type(value, "a number"),
    })
}

/// What a value is and what it has to be instead.
fn wrong_type(value: &DeValue, expected: &str) -> String {
    let found = match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    format!("it is {found}, it has to be {expected}")
}
