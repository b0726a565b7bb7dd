//! Reads the header of a GGUF file: everything before the weights. No more is kept than the file has bytes for.
//!
//! Existing readers (candle-core 0.11.1, gguf-rs 0.1.8, gguf-rs-lib 0.3.3) keep all metadata decoded. This one skips a list, such as a
//! vocabulary, until it is requested, and rejects any malformed file within 1 MiB of memory.

use super::foreign;
use super::source::{Source, truncated};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs::File;

/// Maximum metadata values and tensors of a file; real ones have about fifty and up to two thousand.
const MAX_VALUES: u64 = 1 << 12;
const MAX_TENSORS: u64 = 1 << 14;
/// Maximum bytes of a tensor's name, and of a key or text that is kept. Longer values, such as chat templates, are skipped.
const MAX_NAME: u64 = 64;
const MAX_TEXT: u64 = 256;
/// Maximum texts in a list, which are skipped one by one.
const MAX_LIST: u64 = 1 << 24;
/// Maximum depth of nested lists.
const MAX_DEPTH: usize = 4;
/// Maximum of every hyperparameter.
pub(super) const MAX_INTEGER: i128 = 1 << 24;

/// Value types without a fixed size.
const TEXT: u32 = 8;
const LIST: u32 = 9;

/// A metadata value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Whole(i128),
    Real(f64),
    Flag(bool),
    Text(String),
    /// Too long to be kept.
    LongText,
    List(List),
}

/// A list's element type, length and offset in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct List {
    kind: u32,
    count: u64,
    at: u64,
}

/// A tensor as described by the header.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Columns, rows and so on; 1 for dimensions that the tensor lacks.
    pub(super) sides: [u64; 4],
    pub(super) kind: u32,
    /// Bytes from the start of the data section.
    pub(super) offset: u64,
}

/// Everything before the weights.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) values: BTreeMap<String, Value>,
    pub(super) tensors: BTreeMap<String, Entry>,
    /// Offset of the data section, and the alignment of tensors in it.
    pub(super) data: u64,
    pub(super) alignment: u64,
    /// Length of the file.
    pub(super) length: u64,
}

impl Value {
    /// Reads a value of a GGUF type.
    fn read(source: &mut Source, kind: u32) -> Result<Value> {
        Ok(match kind {
            0 => Value::Whole(u8::from_le_bytes(source.bytes()?).into()),
            1 => Value::Whole(i8::from_le_bytes(source.bytes()?).into()),
            2 => Value::Whole(u16::from_le_bytes(source.bytes()?).into()),
            3 => Value::Whole(i16::from_le_bytes(source.bytes()?).into()),
            4 => Value::Whole(source.u32()?.into()),
            5 => Value::Whole(i32::from_le_bytes(source.bytes()?).into()),
            6 => Value::Real(f32::from_le_bytes(source.bytes()?).into()),
            7 => Value::Flag(source.bytes::<1>()? != [0]),
            TEXT => source.text(MAX_TEXT)?.map_or(Value::LongText, Value::Text),
            LIST => Value::List(List::skip(source, 0)?),
            10 => Value::Whole(source.u64()?.into()),
            11 => Value::Whole(i64::from_le_bytes(source.bytes()?).into()),
            12 => Value::Real(f64::from_le_bytes(source.bytes()?)),
            _ => bail!(unknown(kind)),
        })
    }

    /// A number of any type.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Whole(number) => Some(*number as f64),
            Value::Real(number) => Some(*number),
            _ => None,
        }
    }
}

fn unknown(kind: u32) -> String {
    format!(
        "the GGUF has a metadata value of type {kind}, which is not known: it is damaged, download it again"
    )
}

impl List {
    /// Skips a list, including nested lists.
    fn skip(source: &mut Source, depth: usize) -> Result<List> {
        let (kind, count) = (source.u32()?, source.u64()?);
        let list = List { kind, count, at: source.at };
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            TEXT | 10..=12 => 8,
            LIST => 12,
            _ => bail!(unknown(kind)),
        };
        let bytes = count.checked_mul(least).with_context(|| truncated(source.length))?;
        source.require(bytes)?;
        match kind {
            TEXT => {
                ensure!(
                    count <= MAX_LIST,
                    "the GGUF claims a list of {count} texts, more than any vocabulary: it is damaged, download it again"
                );
                for _ in 0..count {
                    source.text(0)?;
                }
            }
            LIST => {
                ensure!(
                    depth < MAX_DEPTH,
                    "the GGUF has lists nested deeper than {MAX_DEPTH}: no converter writes such, download it again"
                );
                for _ in 0..count {
                    List::skip(source, depth + 1)?;
                }
            }
            _ => source.skip(bytes)?,
        }
        Ok(list)
    }

    /// The texts of a list of texts, at most `most` bytes in memory.
    #[cfg(feature = "tokenizer")]
    pub(super) fn texts(&self, file: &File, most: u64) -> Result<Vec<String>> {
        ensure!(self.kind == TEXT, "the GGUF's tokens are not texts: convert the model again");
        let mut source = Source::new(file, self.at)?;
        let mut left = most;
        let text = |_| {
            let text = source.text(left)?.and_then(|text| {
                left = left.checked_sub((text.len() + size_of::<String>()) as u64)?;
                Some(text)
            });
            text.with_context(|| {
                format!(
                    "the GGUF's vocabulary takes more than {most} bytes: give tokens instead of text"
                )
            })
        };
        (0..self.count).map(text).collect()
    }

    /// The numbers of a list of `count` integers of any type, read one by one; `None` if it is not such a list.
    pub(super) fn integers<'a>(
        &self,
        file: &'a File,
        count: usize,
    ) -> Result<Option<impl Iterator<Item = Result<i128>> + use<'a>>> {
        let List { kind, at, .. } = *self;
        if !matches!(kind, 0..=5 | 10 | 11) || self.count != count as u64 {
            return Ok(None);
        }
        let mut source = Source::new(file, at)?;
        Ok(Some((0..count).map(move |_| match Value::read(&mut source, kind)? {
            Value::Whole(number) => Ok(number),
            _ => unreachable!("its type is one of integers"),
        })))
    }
}

impl Header {
    pub(super) fn read(file: &File) -> Result<Header> {
        let mut source = Source::new(file, 0)?;
        let mut head = vec![0; source.length.min(foreign::HEAD as u64) as usize];
        source.fill(&mut head)?;
        ensure!(head.starts_with(b"GGUF"), foreign::refusal(&head));
        let mut source = Source::new(file, 4)?;
        match source.u32()? {
            2 | 3 => {}
            1 => bail!(
                "the GGUF is of version 1, which is no longer in use: convert the model again"
            ),
            version if (1..=3).contains(&version.swap_bytes()) => {
                bail!("the GGUF is big-endian: convert the model again as a little-endian file")
            }
            version => bail!(
                "the GGUF is of version {version}, rigbench reads 2 and 3: take a newer rigbench, or convert the model again"
            ),
        }
        let (tensors, values) = (source.u64()?, source.u64()?);
        for (count, most, what) in
            [(tensors, MAX_TENSORS, "tensors"), (values, MAX_VALUES, "metadata values")]
        {
            ensure!(
                count <= most,
                "the GGUF claims {count} {what}, more than any model has ({most}): it is damaged, download it again"
            );
        }
        let values = by_name("metadata key", values, || read_value(&mut source))?;
        let alignment = match values.get("general.alignment") {
            None => 32,
            Some(Value::Whole(n)) if (1..=1 << 16).contains(n) && n.count_ones() == 1 => *n as u64,
            Some(_) => bail!(
                "the GGUF's general.alignment is no power of two up to 65536: convert the model again"
            ),
        };
        let tensors = by_name("tensor", tensors, || read_tensor(&mut source))?;
        let data = source.at.next_multiple_of(alignment);
        Ok(Header { values, tensors, data, alignment, length: source.length })
    }

    /// A text that is not empty.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A whole number from `least` to `MAX_INTEGER`; `None` if the key is missing.
    pub(super) fn integer(&self, key: &str, least: i128) -> Result<Option<usize>> {
        match self.values.get(key) {
            None => Ok(None),
            Some(Value::Whole(number)) if (least..=MAX_INTEGER).contains(number) => {
                Ok(Some(*number as usize))
            }
            Some(_) => bail!(
                "the GGUF's {key} is not a whole number from {least} to {MAX_INTEGER}: it is damaged, download it again"
            ),
        }
    }

    /// A positive number of any type; `None` if the key is missing.
    pub(super) fn positive(&self, key: &str) -> Result<Option<f32>> {
        let Some(value) = self.values.get(key) else { return Ok(None) };
        let number = value.number().map(|number| number as f32);
        let positive = number.filter(|number| number.is_normal() && *number > 0.0);
        positive.map(Some).with_context(|| {
            format!("the GGUF's {key} is not a positive number: it is damaged, download it again")
        })
    }
}

/// Reads metadata or tensors; `read` gives a name and what has it, or `None` for what is not kept.
fn by_name<T>(
    what: &str,
    count: u64,
    mut read: impl FnMut() -> Result<Option<(String, T)>>,
) -> Result<BTreeMap<String, T>> {
    let mut all = BTreeMap::new();
    for _ in 0..count {
        let Some((name, value)) = read()? else { continue };
        ensure!(
            !all.contains_key(&name),
            "the GGUF has the {what} {name:?} twice: convert the model again"
        );
        all.insert(name, value);
    }
    Ok(all)
}

fn read_value(source: &mut Source) -> Result<Option<(String, Value)>> {
    let key = source.text(MAX_TEXT)?;
    let kind = source.u32()?;
    let value = Value::read(source, kind)?;
    Ok(key.map(|key| (key, value)))
}

fn read_tensor(source: &mut Source) -> Result<Option<(String, Entry)>> {
    let name = source.text(MAX_NAME)?.with_context(|| {
        format!(
            "the GGUF has a tensor with a name of more than {MAX_NAME} bytes: convert the model again"
        )
    })?;
    let dimensions = source.u32()? as usize;
    ensure!(
        (1..=4).contains(&dimensions),
        "the GGUF's tensor {name:?} has {dimensions} dimensions, not 1 to 4: it is damaged, download it again"
    );
    let mut sides = [1; 4];
    for side in &mut sides[..dimensions] {
        *side = source.u64()?;
    }
    Ok(Some((name, Entry { sides, kind: source.u32()?, offset: source.u64()? })))
}
