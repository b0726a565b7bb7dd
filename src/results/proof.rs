//! Proofs of work in the document and in memory.

use super::wire;
use crate::workload::Proof;
use crate::workload::decoder::Answer;
use crate::workload::matmul::{Element, Elements};
use crate::workload::sha256d::{Share, Shares};

impl From<&Proof> for wire::WorkProof {
    fn from(proof: &Proof) -> wire::WorkProof {
        let place = |place: u64| wire::Place { header: place >> 32, word: place as u32 };
        let shares = match proof {
            Proof::Shares(shares) => shares,
            Proof::Elements(elements) => return wire::WorkProof::Elements(elements.into()),
            Proof::Answers(answers) => {
                let answer = |answer: &Answer| wire::Answer {
                    window: answer.window,
                    tokens: answer.tokens.clone(),
                };
                let answers = answers.iter().map(answer).collect();
                return wire::WorkProof::Answers(wire::Answers { answers });
            }
        };
        wire::WorkProof::Shares(wire::Shares {
            zero_bits: shares.zero_bits,
            versions: shares.versions,
            stretches: shares
                .stretches
                .iter()
                .map(|s| wire::Stretch { from: place(s.start), to: place(s.end) })
                .collect(),
            shares: shares
                .shares
                .iter()
                .map(|&Share { header, version, nonce }| wire::Share { header, version, nonce })
                .collect(),
        })
    }
}

impl wire::Shares {
    /// The same in memory; none if its places lie beyond any scan.
    pub(super) fn read(&self) -> Option<Shares> {
        let place = |place: wire::Place| {
            place.header.checked_mul(1 << 32)?.checked_add(u64::from(place.word))
        };
        Some(Shares {
            zero_bits: self.zero_bits,
            versions: self.versions,
            stretches: self
                .stretches
                .iter()
                .map(|stretch| Some(place(stretch.from)?..place(stretch.to)?))
                .collect::<Option<_>>()?,
            shares: self
                .shares
                .iter()
                .map(|&wire::Share { header, version, nonce }| Share { header, version, nonce })
                .collect(),
        })
    }
}

impl From<&Elements> for wire::Elements {
    fn from(from: &Elements) -> wire::Elements {
        let element = |&Element { window, row, column, value }: &Element| wire::Element {
            window,
            row,
            column,
            value: value.into(),
        };
        wire::Elements {
            f16_roundings: from.f16_roundings,
            weight_excess: from.weight_excess,
            elements: from.elements.iter().map(element).collect(),
        }
    }
}

impl wire::Elements {
    /// The same in memory.
    pub(super) fn read(&self) -> Elements {
        let element = |&wire::Element { window, row, column, value }: &wire::Element| Element {
            window,
            row,
            column,
            value: value as f32,
        };
        Elements {
            f16_roundings: self.f16_roundings,
            weight_excess: self.weight_excess,
            elements: self.elements.iter().map(element).collect(),
        }
    }
}

impl wire::Answers {
    /// The same in memory.
    pub(super) fn read(&self) -> Vec<Answer> {
        let answer =
            |answer: &wire::Answer| Answer { window: answer.window, tokens: answer.tokens.clone() };
        self.answers.iter().map(answer).collect()
    }
}
