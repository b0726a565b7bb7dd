//! Peaks that vendors publish, for the share of them that a row reaches. Dense, at boost clock, sums in f32.

use crate::kernels::Arithmetic;

/// What a vendor says of a card.
struct Card {
    /// What its driver's name for it contains.
    name: &'static str,
    /// Operations a second, by arithmetic.
    peaks: &'static [(Arithmetic, f64)],
    source: &'static str,
}

/// More particular names first.
const CARDS: &[Card] = &[
    Card {
        name: "H100 PCIe",
        peaks: &[(Arithmetic::F32, 51.0e12), (Arithmetic::Matrix, 756.0e12)],
        source: "NVIDIA H100 PCIe product data",
    },
    Card {
        name: "H100",
        peaks: &[(Arithmetic::F32, 66.9e12), (Arithmetic::Matrix, 989.4e12)],
        source: "NVIDIA H100 Tensor Core GPU Architecture whitepaper, SXM5",
    },
    Card {
        name: "A100",
        peaks: &[
            (Arithmetic::F32, 19.5e12),
            (Arithmetic::F16, 78.0e12),
            (Arithmetic::Matrix, 312.0e12),
        ],
        source: "NVIDIA A100 Tensor Core GPU Architecture whitepaper",
    },
    Card {
        name: "RTX 4090",
        peaks: &[
            (Arithmetic::F32, 82.6e12),
            (Arithmetic::F16, 82.6e12),
            (Arithmetic::Matrix, 165.2e12),
        ],
        source: "NVIDIA Ada GPU Architecture whitepaper, appendix A",
    },
    Card {
        name: "RTX 3090",
        peaks: &[
            (Arithmetic::F32, 35.6e12),
            (Arithmetic::F16, 35.6e12),
            (Arithmetic::Matrix, 71.0e12),
        ],
        source: "NVIDIA Ampere GA102 GPU Architecture whitepaper, appendix A",
    },
    Card {
        name: "RX 7900 XTX",
        peaks: &[
            (Arithmetic::F32, 61.4e12),
            (Arithmetic::F16, 122.8e12),
            (Arithmetic::Matrix, 122.8e12),
        ],
        source: "AMD Radeon RX 7900 XTX product page",
    },
    Card {
        name: "RX 6900 XT",
        peaks: &[(Arithmetic::F32, 23.04e12), (Arithmetic::F16, 46.08e12)],
        source: "AMD Radeon RX 6900 XT product page",
    },
    Card {
        name: "MI300X",
        peaks: &[(Arithmetic::F32, 163.4e12), (Arithmetic::Matrix, 1307.4e12)],
        source: "AMD Instinct MI300X data sheet",
    },
];

/// Operations a second that the vendor publishes for the card with this name, and where.
pub(super) fn peak(name: &str, arithmetic: Arithmetic) -> Option<(f64, &'static str)> {
    let card = CARDS.iter().find(|card| name.contains(card.name))?;
    let (_, peak) = card.peaks.iter().find(|(of, _)| *of == arithmetic)?;
    Some((*peak, card.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_found_by_part_of_its_name() {
        let peak = |name, arithmetic| peak(name, arithmetic).map(|(peak, _)| peak);
        assert_eq!(peak("NVIDIA GeForce RTX 4090", Arithmetic::Matrix), Some(165.2e12));
        assert_eq!(peak("NVIDIA H100 PCIe", Arithmetic::F32), Some(51e12));
        assert_eq!(peak("NVIDIA H100 80GB HBM3", Arithmetic::F32), Some(66.9e12));
        assert_eq!(peak("llvmpipe (LLVM 15.0.6, 256 bits)", Arithmetic::F32), None);
        assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", Arithmetic::Matrix), None);
    }
}
