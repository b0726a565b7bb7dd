//! What is published of devices, from `results/hardware.toml`: the vendor's peaks and hashcat's rates, for the share of them that a
//! row reaches, and board power, for the interval of a card that no meter reads.

use crate::units::Watts;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What is published of cards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cards {
    card: Vec<Card>,
}

/// What a vendor says of a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    /// Its drivers' names for it.
    names: Vec<String>,
    /// The day on which it came into this table, unless it was there when the result format began.
    added: Option<Date>,
    /// Operations a second, by the arithmetic's name.
    #[serde(default)]
    peaks: BTreeMap<String, f64>,
    board_watts: Option<f64>,
    /// Where the vendor says so.
    source: Option<String>,
    hashcat: Option<Hashcat>,
}

/// What hashcat reaches on a device, as its users publish it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashcat {
    /// Single SHA-256 a second: mode 1400.
    sha256: f64,
    source: String,
}

static PUBLISHED: LazyLock<Cards> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/hardware.toml"));
    Cards::read(text).expect("a test reads the table")
});

impl Cards {
    /// The table of this version of rigbench.
    pub fn published() -> &'static Cards {
        &PUBLISHED
    }

    /// A table in TOML.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(text: &str) -> Result<Cards, toml::de::Error> {
        toml::from_str(text)
    }

    /// Mesa adds its own name for the chip in parentheses.
    fn card(&self, name: &str) -> Option<&Card> {
        let name = name.split_once(" (").map_or(name, |(card, _)| card);
        self.card.iter().find(|card| card.names.iter().any(|known| known == name))
    }

    /// Operations a second that the vendor publishes for the card with this name, and where.
    pub fn peak(&self, name: &str, arithmetic: &str) -> Option<(f64, &str)> {
        let card = self.card(name)?;
        Some((*card.peaks.get(arithmetic)?, card.source.as_deref()?))
    }

    /// Double SHA-256 a second by hashcat on the device with this name, and where that is published. Published are single ones, which
    /// are one compression; a double one is two, so half as many.
    pub fn hashcat(&self, name: &str) -> Option<(f64, &str)> {
        let hashcat = self.card(name)?.hashcat.as_ref()?;
        Some((hashcat.sha256 / 2.0, &hashcat.source))
    }

    /// The power that the card with this name is built for, and where that is published.
    pub fn board_power(&self, name: &str) -> Option<(Watts, &str)> {
        let card = self.card(name)?;
        Some((Watts(card.board_watts?), card.source.as_deref()?))
    }

    /// Whether the card with this name was in the table at this time. What was added later makes no older result wrong.
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
    fn every_name_stands_once_and_figures_are_of_cards() {
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
