//! Reads a file that a user named. Only regular files are opened: a pipe or a device could block or never end.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// The bytes of a regular file, cut at `most` + 1 bytes so that the caller can see that it is too large.
///
/// # Errors
/// If there is no such file, it is not a regular file or it cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    // Checked before opening: opening a pipe blocks until it has a writer.
    let kind = std::fs::metadata(path)?;
    if kind.is_dir() {
        return Err(Error::new(ErrorKind::IsADirectory, "it is a folder, not a file"));
    }
    if !kind.is_file() {
        let what = "it is a pipe, a socket or a device; save its output to a file first";
        return Err(Error::new(ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 100]).unwrap();
        assert_eq!(read(&path, 1000).unwrap().len(), 100);
        assert_eq!(read(&path, 10).unwrap().len(), 11);
        assert!(read(folder.path(), 10).unwrap_err().to_string().contains("folder"));
        assert_eq!(read(&folder.path().join("none"), 10).unwrap_err().kind(), ErrorKind::NotFound);
    }

    /// Opening the pipe would block, since it never gets a writer.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_or_a_device_is_refused_without_being_opened() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), Path::new("/dev/tty")] {
            if path.exists() {
                assert!(
                    read(path, 10)
                        .unwrap_err()
                        .to_string()
                        .contains("a pipe, a socket or a device")
                );
            }
        }
    }
}
