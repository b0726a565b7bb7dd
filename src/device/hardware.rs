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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_by_its_whole_name() {
        let cards = Cards::published();
        let peak = |name, arithmetic| cards.peak(name, arithmetic).map(|(peak, _)| peak);
        assert_eq!(peak("NVIDIA GeForce RTX 4090", "matrix"), Some(165.2e12));
        assert_eq!(peak("NVIDIA GeForce RTX 4090 Laptop GPU", "matrix"), None);
        assert_eq!(peak("NVIDIA L40", "f32"), None);
        assert_eq!(peak("NVIDIA H100 PCIe", "f32"), Some(51e12));
        assert_eq!(peak("NVIDIA H100 80GB HBM3", "f32"), Some(66.9e12));
        assert_eq!(peak("llvmpipe (LLVM 15.0.6, 256 bits)", "f32"), None);
        assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "matrix"), None);
        assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "f32"), Some(23.04e12));
        assert_eq!(cards.board_power("NVIDIA A100 80GB PCIe").unwrap().0, Watts(300.0));
        assert_eq!(cards.board_power("Apple M3"), None);
        assert_eq!(cards.hashcat("Apple M3").unwrap().0, 0.268e9);
        assert_eq!(cards.hashcat("AMD Radeon RX 6800 (RADV NAVI21)").unwrap().0, 3.51e9);
        assert_eq!(cards.hashcat("NVIDIA L4"), None);
    }

    #[test]
    fn names_are_unique_and_figures_are_plausible() {
        let cards = &Cards::published().card;
        let mut names: Vec<&String> = cards.iter().flat_map(|card| &card.names).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for card in cards {
            let vendor = card.board_watts.is_some() || !card.peaks.is_empty();
            assert_eq!(vendor, card.source.is_some(), "{:?}", card.names);
            assert!(card.board_watts.is_none_or(|w| w > 20.0 && w < 2000.0), "{:?}", card.names);
            let rate = card.hashcat.as_ref().map(|hashcat| hashcat.sha256);
            assert!(rate.is_none_or(|rate| rate > 1e8 && rate < 1e12), "{:?}", card.names);
            assert!(card.peaks.keys().all(|k| ["f32", "f16", "dot4", "matrix"].contains(&&**k)));
        }
    }
}
