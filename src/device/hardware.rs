//! What is published of devices, from `results/hardware.toml`: the vendor's peaks and hashcat's rates, for the share of them that a
//! row reaches, and board power, for the interval of a card that no meter reads.

use crate::units::Watts;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    card: Vec<Card>,
}

/// What a vendor says of a card.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    /// Its drivers' names for it.
    names: Vec<String>,
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

static CARDS: LazyLock<Vec<Card>> = LazyLock::new(|| {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/results/hardware.toml"));
    toml::from_str::<Table>(text).expect("a test reads the table").card
});

/// Mesa adds its own name for the chip in parentheses.
fn card(name: &str) -> Option<&'static Card> {
    let name = name.split_once(" (").map_or(name, |(card, _)| card);
    CARDS.iter().find(|card| card.names.iter().any(|known| known == name))
}

/// Operations a second that the vendor publishes for the card with this name, and where.
pub fn peak(name: &str, arithmetic: &str) -> Option<(f64, &'static str)> {
    let card = card(name)?;
    Some((*card.peaks.get(arithmetic)?, card.source.as_deref()?))
}

/// Double SHA-256 a second by hashcat on the device with this name, and where that is published. Published are single ones, which are
/// one compression; a double one is two, so half as many.
pub fn hashcat(name: &str) -> Option<(f64, &'static str)> {
    let hashcat = card(name)?.hashcat.as_ref()?;
    Some((hashcat.sha256 / 2.0, &hashcat.source))
}

/// The power that the card with this name is built for, and where that is published.
pub fn board_power(name: &str) -> Option<(Watts, &'static str)> {
    let card = card(name)?;
    Some((Watts(card.board_watts?), card.source.as_deref()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_by_its_whole_name() {
        let peak = |name, arithmetic| peak(name, arithmetic).map(|(peak, _)| peak);
        assert_eq!(peak("NVIDIA GeForce RTX 4090", "matrix"), Some(165.2e12));
        assert_eq!(peak("NVIDIA GeForce RTX 4090 Laptop GPU", "matrix"), None);
        assert_eq!(peak("NVIDIA L40", "f32"), None);
        assert_eq!(peak("NVIDIA H100 PCIe", "f32"), Some(51e12));
        assert_eq!(peak("NVIDIA H100 80GB HBM3", "f32"), Some(66.9e12));
        assert_eq!(peak("llvmpipe (LLVM 15.0.6, 256 bits)", "f32"), None);
        assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "matrix"), None);
        assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "f32"), Some(23.04e12));
        assert_eq!(board_power("NVIDIA A100 80GB PCIe").unwrap().0, Watts(300.0));
        assert_eq!(board_power("Apple M3"), None);
        assert_eq!(hashcat("Apple M3").unwrap().0, 0.268e9);
        assert_eq!(hashcat("AMD Radeon RX 6800 (RADV NAVI21)").unwrap().0, 3.51e9);
        assert_eq!(hashcat("NVIDIA L4"), None);
    }

    #[test]
    fn every_name_stands_once_and_figures_are_of_cards() {
        let mut names: Vec<&String> = CARDS.iter().flat_map(|card| &card.names).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for card in CARDS.iter() {
            let vendor = card.board_watts.is_some() || !card.peaks.is_empty();
            assert_eq!(vendor, card.source.is_some(), "{:?}", card.names);
            assert!(card.board_watts.is_none_or(|w| w > 20.0 && w < 2000.0), "{:?}", card.names);
            let rate = card.hashcat.as_ref().map(|hashcat| hashcat.sha256);
            assert!(rate.is_none_or(|rate| rate > 1e8 && rate < 1e12), "{:?}", card.names);
            assert!(card.peaks.keys().all(|k| ["f32", "f16", "dot4", "matrix"].contains(&&**k)));
        }
    }
}
