//! Tells when every process that a command began is gone: each holds a named pipe open, whose end is read here.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

pub struct Witness {
    folder: tempfile::TempDir,
    gone: Receiver<()>,
}

impl Witness {
    pub fn new() -> Witness {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (send, gone) = channel();
        thread::spawn(move || {
            // Opening waits for the first that holds it, reading for the last that lets go.
            let _ = File::open(pipe).and_then(|mut pipe| pipe.read_to_end(&mut Vec::new()));
            let _ = send.send(());
        });
        Witness { folder, gone }
    }

    /// What a command line begins with, so that all that it starts is watched.
    pub fn hold(&self) -> String {
        format!("exec 9>'{}'; ", self.folder.path().join("pipe").display())
    }

    /// A file of this test that does not exist yet.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Whether all are gone, given far more time than that takes and far less than what they wait for.
    pub fn all_gone(&self) -> bool {
        self.gone.recv_timeout(Duration::from_secs(60)).is_ok()
    }

    /// Whether some are still there.
    pub fn some_left(&self) -> bool {
        self.gone.try_recv().is_err()
    }
}
