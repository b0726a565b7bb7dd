//! The only module that writes to stdout and stderr. Either may fail at any moment: a closed pipe (`| head`), a dropped ssh
//! session, a full disk. A run must neither panic nor change its exit code because of that.

use crate::text::plain;
use anyhow::{Context, Result};
use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static READER_LEFT: AtomicBool = AtomicBool::new(false);

/// Writes to stdout. After a broken pipe nothing more is written; that is not an error and does not change the exit code.
///
/// # Errors
/// If a write fails for any other reason, such as a full disk.
pub(super) fn print(text: &str) -> Result<()> {
    if stdout_closed() {
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

/// Whether stdout is a broken pipe, so that long work for it can end early.
pub(super) fn stdout_closed() -> bool {
    READER_LEFT.load(Ordering::Relaxed)
}

/// Writes a line to stderr with hidden characters escaped; write errors are ignored.
pub(super) fn say(line: &str) {
    let _ = Stderr.write_all(format!("{}\n", plain(line)).as_bytes());
}

/// Stderr for the log. Writes never fail, since the log's writer would panic on an error.
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
