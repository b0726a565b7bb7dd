//! A row's rate relative to a published rate of its device, and relative to the roofline ceilings of the same run.

use super::view::View;
use crate::device::hardware::Cards;
use crate::workload::Id;

/// A row's rate relative to a published rate of its device.
#[derive(Clone, Debug, PartialEq)]
pub enum Published {
    /// Fraction of the vendor's peak or of hashcat's rate.
    Share {
        /// 1 is 100 %.
        share: f64,
        /// The reference: `the vendor's peak (f32)`.
        of: String,
        /// Source of the reference.
        source: String,
    },
    /// No reference rate is known for the device.
    Unknown {
        /// The missing reference.
        of: &'static str,
    },
    /// The workload has no published reference.
    Nothing,
}

/// Reference for matrix products and tokens.
const VENDOR: &str = "the vendor's peak";
/// Reference for hashes.
const HASHCAT: &str = "hashcat's published rate";

impl Published {
    /// Compares matrix products and tokens with the vendor's peak, hashes with hashcat.
    pub fn of(view: View) -> Published {
        let (workload, cards, name) = (&view.row.workload, Cards::published(), view.name());
        let peak = |arithmetic: Option<&str>, operations: f64| {
            let arithmetic = arithmetic?;
            let of = format!("{VENDOR} ({arithmetic})");
            Some((cards.peak(&name, arithmetic)?, operations, of))
        };
        let (reference, missing) = match workload.id {
            Id::Stream => return Published::Nothing,
            Id::Sha256d => {
                (cards.hashcat(&name).map(|known| (known, 1.0, HASHCAT.into())), HASHCAT)
            }
            Id::Peak => (peak(workload.shape.arithmetic.as_deref(), 1.0), VENDOR),
            Id::Gemm | Id::Gemv | Id::Prefill | Id::Decode => {
                let arithmetic = view.row.kernel.as_ref().and_then(|k| k.arithmetic.as_deref());
                let operations = workload.intensity.map_or(0.0, |i| i.operations_per_unit);
                (peak(arithmetic, operations), VENDOR)
            }
        };
        let rate = view.figures.throughput.and_then(|rate| rate.value);
        match (reference, rate) {
            (Some(((full, source), operations, of)), Some(rate)) => {
                Published::Share { share: rate * operations / full, of, source: source.into() }
            }
            _ => Published::Unknown { of: missing },
        }
    }

    /// The fraction and its reference, if they are known.
    pub fn share(&self) -> Option<(f64, &str)> {
        match self {
            Published::Share { share, of, .. } => Some((*share, of)),
            Published::Unknown { .. } | Published::Nothing => None,
        }
    }

    /// `24 % of the vendor's peak (f32)`, `unknown: hashcat's published rate of this device`, `–`.
    pub fn words(&self) -> String {
        match self {
            Published::Share { share, of, .. } => format!("{} % of {of}", percent(*share)),
            Published::Unknown { of } => format!("unknown: {of} of this device"),
            Published::Nothing => "–".into(),
        }
    }

    /// A short form: `24 % of vendor`, `8.1 % of hashcat`.
    pub fn brief(&self) -> Option<String> {
        let (share, of) = self.share()?;
        let whose = if of == HASHCAT { "hashcat" } else { "vendor" };
        Some(format!("{} % of {whose}", percent(share)))
    }
}

/// The row's fractions of the roofline ceilings of the same run: `31 % of peak:f32`, `80 % of stream`. The larger is its limit.
pub fn ceilings(view: View) -> Vec<String> {
    let Some(ceilings) = &view.figures.ceilings else { return Vec::new() };
    let peak = format!("peak:{}", ceilings.arithmetic);
    [(ceilings.peak_share, peak.as_str()), (ceilings.stream_share, "stream")]
        .into_iter()
        .filter_map(|(share, of)| Some(format!("{} % of {of}", percent(share?))))
        .collect()
}

/// A fraction in percent, with two digits: `3.4`, `73`.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") }
}
