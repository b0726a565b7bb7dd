//! Standard output and standard error, the only place that writes to them. Either may be gone at any moment: a reader that
//! has seen enough (`| head`), a dropped ssh session, a full disk. A run must neither panic nor lose its exit code over that.

use crate::text::plain;
use anyhow::{Context, Result};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Writes to stdout. Once its reader has left nothing more is written; that is no error, and the exit code stays that of
/// the answer.
///
/// # Errors
/// If stdout takes nothing for any other reason, a full disk for one.
pub(super) fn print(text: &str) -> Result<()> {
    if reader_left() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            READER_LEFT.store(true, Ordering::Relaxed);
            Ok(())
        }
        other => other.context("cannot write to stdout"),
    }
}

/// Whether stdout is a pipe whose reader has left, so that long work for it can end early.
pub(super) fn reader_left() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// Writes a line to stderr, if anything takes it; hidden characters are escaped.
pub(super) fn say(line: &str) {
    let _ = Stderr.write_all(format!("{}\n", plain(line)).as_bytes());
}

/// Standard error for the log. Writing to it never fails: the log's writer would panic over an error.
pub(super) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
