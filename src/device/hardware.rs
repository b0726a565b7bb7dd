//! Published device figures, from `results/hardware.toml`: vendor peaks and hashcat rates, for a row's utilisation; and board power, for
//! the modelled power of a GPU without a meter.

use crate::units::Watts;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A table of published device figures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cards {
    card: Vec<Card>,
}

/// Published figures of one device.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    /// Names that its drivers report.
    names: Vec<String>,
    /// Date of the entry; `None` if it is as old as the result format.
    added: Option<Date>,
    /// Peak operations per second, by arithmetic: `f32`, `f16`, `dot4`, `matrix`.
    #[serde(default)]
    peaks: BTreeMap<String, f64>,
    board_watts: Option<f64>,
    /// The vendor's document with these figures.
    source: Option<String>,
    hashcat: Option<Hashcat>,
}

/// A hashcat benchmark published by its users.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashcat {
    /// Single SHA-256 hashes per second: mode 1400.
    sha256: f64,
    source: String,
}

impl Cards {
    /// The table built into this version of rigbench.
    pub fn published() -> &'static Cards {
        static PUBLISHED: LazyLock<Cards> = LazyLock::new(|| {
            let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/hardware.toml"));
            Cards::read(text).expect("a test reads the table")
        });
        &PUBLISHED
    }

    /// Parses a table in TOML.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn read(text: &str) -> Result<Cards, toml::de::Error> {
        toml::from_str(text)
    }

    /// Looks up a device. Mesa appends its name of the chip in parentheses, which is ignored.
    fn card(&self, name: &str) -> Option<&Card> {
        let words: Vec<&str> =
            name.split_whitespace().take_while(|word| !word.starts_with('(')).collect();
        let name = words.join(" ");
        self.card.iter().find(|card| card.names.contains(&name))
    }

    /// The vendor's peak of a device in operations per second, and its source.
    pub fn peak(&self, name: &str, arithmetic: &str) -> Option<(f64, &str)> {
        let card = self.card(name)?;
        Some((*card.peaks.get(arithmetic)?, card.source.as_deref()?))
    }

    /// hashcat's rate on a device in double SHA-256 per second, and its source. The published rate is of single SHA-256, one compression
    /// each; a double one takes two, hence half the rate.
    pub fn hashcat(&self, name: &str) -> Option<(f64, &str)> {
        let hashcat = self.card(name)?.hashcat.as_ref()?;
        Some((hashcat.sha256 / 2.0, &hashcat.source))
    }

    /// Board power (TDP) of a device, and its source.
    pub fn board_power(&self, name: &str) -> Option<(Watts, &str)> {
        let card = self.card(name)?;
        Some((Watts(card.board_watts?), card.source.as_deref()?))
    }

    /// Whether a device was in the table at this time. A later entry does not invalidate older results.
    pub fn has_since(&self, name: &str, at: Timestamp) -> bool {
        let day = at.to_zoned(TimeZone::UTC).date();
        self.card(name).is_some_and(|card| card.added.is_none_or(|added| added <= day))
    }
}
