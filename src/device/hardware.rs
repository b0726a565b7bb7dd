//! What vendors publish of their cards, from `results/hardware.toml`: peaks, for the share of them that a row reaches, and
//! board power, for the interval of a card that no meter reads.

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
    board_watts: f64,
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
    Some((*card.peaks.get(arithmetic)?, &card.source))
}

/// The power that the card with this name is built for, and where that is published.
pub fn board_power(name: &str) -> Option<(Watts, &'static str)> {
    card(name).map(|card| (Watts(card.board_watts), card.source.as_str()))
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
    }

    #[test]
    fn every_name_stands_once_and_figures_are_of_cards() {
        let mut names: Vec<&String> = CARDS.iter().flat_map(|card| &card.names).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        for card in CARDS.iter() {
            assert!(card.board_watts > 20.0 && card.board_watts < 2000.0, "{:?}", card.names);
            assert!(card.peaks.keys().all(|k| ["f32", "f16", "dot4", "matrix"].contains(&&**k)));
        }
    }
}
