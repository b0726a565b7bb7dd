//! Reads a file that may be hostile: every length is checked against the file's length before it is used.

use anyhow::{Context, Error, Result, anyhow, ensure};
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Bytes of weights per read: whole blocks of 2, 4, 18, 20 or 34 bytes.
const PIECE: u64 = 18 * 20 * 34 * 32;

/// A read position in a file.
pub(super) struct Source<'a> {
    input: BufReader<&'a File>,
    pub(super) at: u64,
    pub(super) length: u64,
}

impl<'a> Source<'a> {
    pub(super) fn new(file: &'a File, at: u64) -> Result<Source<'a>> {
        let length = file.metadata().map_err(unreadable)?.len();
        let mut input = BufReader::new(file);
        input.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        Ok(Source { input, at, length })
    }

    /// An error if the file has fewer bytes left.
    pub(super) fn require(&self, bytes: u64) -> Result<()> {
        ensure!(bytes <= self.length.saturating_sub(self.at), truncated(self.length));
        Ok(())
    }

    pub(super) fn skip(&mut self, bytes: u64) -> Result<()> {
        self.require(bytes)?;
        self.input.seek_relative(bytes as i64).map_err(unreadable)?;
        self.at += bytes;
        Ok(())
    }

    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<()> {
        self.require(into.len() as u64)?;
        self.input.read_exact(into).map_err(unreadable)?;
        self.at += into.len() as u64;
        Ok(())
    }

    /// Passes the next `bytes` to `take`, whole blocks of weights at a time.
    pub(super) fn pieces(&mut self, bytes: u64, mut take: impl FnMut(&[u8])) -> Result<()> {
        self.require(bytes)?;
        let mut piece = vec![0; bytes.min(PIECE) as usize];
        for first in (0..bytes).step_by(PIECE as usize) {
            let part = &mut piece[..(bytes - first).min(PIECE) as usize];
            self.fill(part)?;
            take(part);
        }
        Ok(())
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    /// A text; `None` if it is longer than `longest` bytes.
    pub(super) fn text(&mut self, longest: u64) -> Result<Option<String>> {
        let length = self.u64()?;
        if length > longest {
            self.skip(length)?;
            return Ok(None);
        }
        self.require(length)?;
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        let text = String::from_utf8(bytes).map(Some);
        text.context("the GGUF has a text that is not UTF-8: it is damaged, download it again")
    }
}

/// What is wrong with a file that is shorter than it claims.
pub(super) fn truncated(length: u64) -> String {
    format!(
        "the GGUF promises more than its {length} bytes hold: it is truncated or damaged, download it again"
    )
}

pub(super) fn unreadable(error: std::io::Error) -> Error {
    anyhow!(
        "the model file cannot be read ({}): check its name and that you may read it",
        error.kind()
    )
}
