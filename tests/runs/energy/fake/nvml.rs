//! A driver library with up to two cards whose answers a test sets, built by the C compiler that Rust links with.

use rigbench::energy::source::{CardSensors, nvml};
use rigbench::energy::{EnergyError, EnergySource, Quantity};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// The library and what its cards answer.
pub struct Driver {
    folder: TempDir,
}

/// A card of 2020, complete.
pub const RTX_3080: &[(&str, &str)] = &[
    ("pci", "00000000:01:00.0"),
    ("name", "NVIDIA GeForce RTX 3080"),
    ("architecture", "7"),
    ("energy", "5000000"),
    ("field185", "300000"),
    ("field186", "301000"),
    ("power", "299000"),
    ("limit", "320000"),
    ("max-limit", "370000"),
    ("temperature", "61"),
    ("sm-clock", "1710"),
    ("memory-clock", "9501"),
    ("throttle", "0"),
];

/// A card of 2014: no counter, no power of this moment.
pub const GTX_970: &[(&str, &str)] = &[
    ("pci", "00000000:0A:00.0"),
    ("name", "GeForce GTX 970"),
    ("architecture", "3"),
    ("power", "140000"),
    ("limit", "145000"),
];

impl Driver {
    /// Builds the library with these cards in it.
    pub fn with(cards: &[&[(&str, &str)]]) -> Driver {
        let driver = Driver { folder: tempfile::tempdir().unwrap() };
        driver.answers(cards);
        let state = format!("-DSTATE=\"{}\"", driver.folder.path().join("state").display());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/energy/fake/nvml.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", &state, "-o"])
            .arg(driver.library())
            .arg(source)
            .status()
            .expect("Rust links with the C compiler cc, so it is here");
        assert!(built.success());
        driver
    }

    /// From now on the cards answer this.
    pub fn answers(&self, cards: &[&[(&str, &str)]]) {
        let lines = cards.iter().enumerate().flat_map(|(card, answers)| {
            answers.iter().map(move |(key, value)| format!("{card} {key} {value}\n"))
        });
        let fresh = self.folder.path().join("fresh");
        std::fs::write(&fresh, lines.collect::<String>()).unwrap();
        std::fs::rename(fresh, self.folder.path().join("state")).unwrap();
    }

    /// Where the library is.
    pub fn library(&self) -> PathBuf {
        self.folder.path().join("libnvidia-ml.so.1")
    }

    /// Looks for a card.
    pub fn find(&self, pci: &str) -> Result<CardSensors, EnergyError> {
        nvml::find(pci, Some(&self.library()))
    }

    /// The card's first power source.
    pub fn power(&self, pci: &str) -> Box<dyn EnergySource> {
        let mut sources = self.find(pci).unwrap().sources;
        sources.retain(|source| matches!(source.describe().quantity, Quantity::Power { .. }));
        sources.into_iter().next().expect("the card has power")
    }
}

/// A card's answers with some of them changed or, if the answer is empty, taken away.
pub fn but<'a>(
    card: &[(&'a str, &'a str)],
    changes: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let mut answers = card.to_vec();
    answers.retain(|(key, _)| changes.iter().all(|(changed, _)| changed != key));
    answers.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    answers
}
