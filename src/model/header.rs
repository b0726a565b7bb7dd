//! Reads the header of a GGUF file. A file may be hostile: every length is checked against the file's length before it is used, and no
//! more is kept than the file has bytes for.
//!
//! Existing readers (candle-core 0.11.1, gguf-rs 0.1.8, gguf-rs-lib 0.3.3) keep all metadata decoded. This one skips a list, such as a
//! vocabulary, until it is requested, and rejects any malformed file within 1 MiB of memory.

use super::{ModelError, foreign};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Maximum metadata values and tensors of a file; real ones have about fifty and up to two thousand.
const MAX_VALUES: u64 = 1 << 12;
const MAX_TENSORS: u64 = 1 << 14;
/// Maximum bytes of a tensor's name, and of a key or text that is kept. Longer values, such as chat templates, are skipped.
const LONGEST_NAME: u64 = 64;
const MAX_TEXT: u64 = 256;
/// Bytes of weights per read: whole blocks of 2, 4, 18, 20 or 34 bytes.
const PIECE: u64 = 18 * 20 * 34 * 32;
/// Maximum texts in a list, which are skipped one by one.
const MAX_LIST: u64 = 1 << 24;
/// Maximum depth of nested lists.
const DEEPEST: usize = 4;

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
    pub(super) count: u64,
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
}

pub(super) type Outcome<T> = Result<T, ModelError>;

/// An error: one line on what is wrong with the file.
pub(super) fn wrong<T>(what: impl Into<String>) -> Outcome<T> {
    Err(ModelError(what.into()))
}

/// A read position in a file.
pub(super) struct Source<'a> {
    input: BufReader<&'a File>,
    at: u64,
    length: u64,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a File, at: u64) -> Outcome<Source<'a>> {
        let mut input = BufReader::new(file);
        let length = file.metadata().map(|metadata| metadata.len()).map_err(unreadable)?;
        input.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        Ok(Source { input, at, length })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Skips `bytes`; an error if the file is too short.
    fn skip(&mut self, bytes: u64) -> Outcome<()> {
        self.require(bytes)?;
        let bytes = i64::try_from(bytes).map_err(|_| truncated(self.length))?;
        self.input.seek_relative(bytes).map_err(unreadable)?;
        self.at += bytes as u64;
        Ok(())
    }

    fn require(&self, bytes: u64) -> Outcome<()> {
        if bytes > self.length.saturating_sub(self.at) {
            Err(truncated(self.length))
        } else {
            Ok(())
        }
    }

    pub(super) fn fill(&mut self, into: &mut [u8]) -> Outcome<()> {
        self.require(into.len() as u64)?;
        self.input.read_exact(into).map_err(unreadable)?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// Passes the next `bytes` to `take`, whole blocks of weights at a time.
    pub(super) fn pieces(&mut self, bytes: u64, mut take: impl FnMut(&[u8])) -> Outcome<()> {
        self.require(bytes)?;
        let mut piece = vec![0; bytes.min(PIECE) as usize];
        let mut left = bytes;
        while left > 0 {
            let part = &mut piece[..left.min(PIECE) as usize];
            self.fill(part)?;
            take(part);
            left -= part.len() as u64;
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Outcome<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Outcome<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A text; `None` if it is longer than `longest` bytes.
    fn text(&mut self, longest: u64) -> Outcome<Option<String>> {
        let length = self.u64()?;
        self.require(length)?;
        if length > longest {
            self.skip(length)?;
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => {
                wrong("the GGUF has a text that is not UTF-8: it is damaged, download it again")
            }
        }
    }

    fn value(&mut self, kind: u32) -> Outcome<Value> {
        Ok(match kind {
            0 => Value::Whole(u8::from_le_bytes(self.bytes()?).into()),
            1 => Value::Whole(i8::from_le_bytes(self.bytes()?).into()),
            2 => Value::Whole(u16::from_le_bytes(self.bytes()?).into()),
            3 => Value::Whole(i16::from_le_bytes(self.bytes()?).into()),
            4 => Value::Whole(self.u32()?.into()),
            5 => Value::Whole(i32::from_le_bytes(self.bytes()?).into()),
            6 => Value::Real(f32::from_le_bytes(self.bytes()?).into()),
            7 => Value::Flag(self.bytes::<1>()? != [0]),
            TEXT => self.text(MAX_TEXT)?.map_or(Value::LongText, Value::Text),
            LIST => Value::List(self.list(0)?),
            10 => Value::Whole(self.u64()?.into()),
            11 => Value::Whole(i64::from_le_bytes(self.bytes()?).into()),
            12 => Value::Real(f64::from_le_bytes(self.bytes()?)),
            _ => return unknown_value(kind),
        })
    }

    /// Skips a list, including nested lists.
    fn list(&mut self, depth: usize) -> Outcome<List> {
        let (kind, count) = (self.u32()?, self.u64()?);
        let list = List { kind, count, at: self.at };
        let least = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            TEXT | 10..=12 => 8,
            LIST => 12,
            _ => return unknown_value(kind),
        };
        let bytes = count.checked_mul(least).ok_or_else(|| truncated(self.length))?;
        self.require(bytes)?;
        match kind {
            TEXT if count > MAX_LIST => {
                return wrong(format!(
                    "the GGUF claims a list of {count} texts, more than any vocabulary: it is damaged, download it again"
                ));
            }
            TEXT => {
                for _ in 0..count {
                    let length = self.u64()?;
                    self.skip(length)?;
                }
            }
            LIST if depth == DEEPEST => {
                return wrong(format!(
                    "the GGUF has lists nested deeper than {DEEPEST}: no converter writes such, download it again"
                ));
            }
            LIST => {
                for _ in 0..count {
                    self.list(depth + 1)?;
                }
            }
            _ => self.skip(bytes)?,
        }
        Ok(list)
    }
}

/// Value types without a fixed size.
const TEXT: u32 = 8;
const LIST: u32 = 9;

impl List {
    /// The texts of a list of texts, at most `most` bytes in memory.
    #[cfg(feature = "tokenizer")]
    pub(super) fn texts(&self, file: &File, most: u64) -> Outcome<Vec<String>> {
        let mut source = Source::new(file, self.at)?;
        if self.kind != TEXT {
            return wrong("the GGUF's tokens are not texts: convert the model again");
        }
        let mut texts = Vec::new();
        let mut left = most;
        for _ in 0..self.count {
            let text = source.text(left)?;
            let size = |text: &String| (text.len() + size_of::<String>()) as u64;
            let Some((rest, text)) = text.and_then(|t| Some((left.checked_sub(size(&t))?, t)))
            else {
                return wrong(format!(
                    "the GGUF's vocabulary takes more than {most} bytes: give tokens instead of text"
                ));
            };
            left = rest;
            texts.push(text);
        }
        Ok(texts)
    }

    /// A list of `count` integers of any type; `None` if it is not such a list.
    pub(super) fn integers(&self, file: &File, count: usize) -> Outcome<Option<Vec<i128>>> {
        let is_integer = matches!(self.kind, 0..=5 | 10 | 11);
        if !is_integer || self.count != count as u64 || self.count > MAX_TENSORS {
            return Ok(None);
        }
        let mut source = Source::new(file, self.at)?;
        let mut numbers = Vec::with_capacity(count);
        for _ in 0..count {
            let Value::Whole(number) = source.value(self.kind)? else { return Ok(None) };
            numbers.push(number);
        }
        Ok(Some(numbers))
    }

    /// A list of at most `most` 32-bit integers.
    #[cfg(feature = "tokenizer")]
    pub(super) fn numbers(&self, file: &File, most: usize) -> Outcome<Vec<u32>> {
        let mut source = Source::new(file, self.at)?;
        if !matches!(self.kind, 4 | 5) || self.count > most as u64 {
            return wrong(
                "the GGUF's kinds of tokens are not as many numbers: convert the model again",
            );
        }
        (0..self.count).map(|_| source.u32()).collect()
    }
}

impl Header {
    pub(super) fn read(file: &File) -> Outcome<Header> {
        let mut source = Source::new(file, 0)?;
        let mut head = vec![0; source.length().min(foreign::HEAD as u64) as usize];
        source.fill(&mut head)?;
        if !head.starts_with(b"GGUF") {
            return Err(foreign::refusal(&head));
        }
        let mut source = Source::new(file, 4)?;
        let version = source.u32()?;
        match version {
            2 | 3 => {}
            1 => {
                return wrong(
                    "the GGUF is of version 1, which is no longer in use: convert the model again",
                );
            }
            _ if (1..=3).contains(&version.swap_bytes()) => {
                return wrong(
                    "the GGUF is big-endian: convert the model again as a little-endian file",
                );
            }
            _ => {
                return wrong(format!(
                    "the GGUF is of version {version}, rigbench reads 2 and 3: take a newer rigbench, or convert the model again"
                ));
            }
        }
        let (tensors, values) = (source.u64()?, source.u64()?);
        for (count, most, what) in
            [(tensors, MAX_TENSORS, "tensors"), (values, MAX_VALUES, "metadata values")]
        {
            if count > most {
                return wrong(format!(
                    "the GGUF claims {count} {what}, more than any model has ({most}): it is damaged, download it again"
                ));
            }
        }
        let values = Header::values(&mut source, values)?;
        let alignment = match values.get("general.alignment") {
            None => 32,
            Some(Value::Whole(n)) if (1..=1 << 16).contains(n) && n.count_ones() == 1 => *n as u64,
            Some(_) => {
                return wrong(
                    "the GGUF's general.alignment is no power of two up to 65536: convert the model again",
                );
            }
        };
        let tensors = Header::tensors(&mut source, tensors)?;
        let data = source.at.next_multiple_of(alignment);
        Ok(Header { values, tensors, data, alignment })
    }

    fn values(source: &mut Source, count: u64) -> Outcome<BTreeMap<String, Value>> {
        let mut values = BTreeMap::new();
        for _ in 0..count {
            let key = source.text(MAX_TEXT)?;
            let kind = source.u32()?;
            let value = source.value(kind)?;
            let Some(key) = key else { continue };
            if values.contains_key(&key) {
                return wrong(format!(
                    "the GGUF has the metadata key {key:?} twice: convert the model again"
                ));
            }
            values.insert(key, value);
        }
        Ok(values)
    }

    fn tensors(source: &mut Source, count: u64) -> Outcome<BTreeMap<String, Entry>> {
        let mut tensors = BTreeMap::new();
        for _ in 0..count {
            let Some(name) = source.text(LONGEST_NAME)? else {
                return wrong(format!(
                    "the GGUF has a tensor with a name of more than {LONGEST_NAME} bytes: convert the model again"
                ));
            };
            let dimensions = source.u32()? as usize;
            let mut sides = [1; 4];
            let Some(given) = sides.get_mut(..dimensions).filter(|given| !given.is_empty()) else {
                return wrong(format!(
                    "the GGUF's tensor {name:?} has {dimensions} dimensions, not 1 to 4: it is damaged, download it again"
                ));
            };
            for side in given {
                *side = source.u64()?;
            }
            let entry = Entry { sides, kind: source.u32()?, offset: source.u64()? };
            if tensors.contains_key(&name) {
                return wrong(format!(
                    "the GGUF has the tensor {name:?} twice: convert the model again"
                ));
            }
            tensors.insert(name, entry);
        }
        Ok(tensors)
    }
}

fn unknown_value<T>(kind: u32) -> Outcome<T> {
    wrong(format!(
        "the GGUF has a metadata value of type {kind}, which is not known: it is damaged, download it again"
    ))
}

/// The error for a file that is shorter than it claims.
pub(super) fn truncated(length: u64) -> ModelError {
    ModelError(format!(
        "the GGUF promises more than its {length} bytes hold: it is truncated or damaged, download it again"
    ))
}

pub(super) fn unreadable(error: std::io::Error) -> ModelError {
    ModelError(format!(
        "the model file cannot be read ({}): check its name and that you may read it",
        error.kind()
    ))
}
