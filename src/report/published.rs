//! A row's rate relative to a published rate of its device, and relative to the roofline ceilings of the same run.

use crate::device::hardware::Cards;
use crate::results::View;
use crate::workload::Id;

/// A published rate of a row's device, and the row's rate relative to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// What the rate is: `the vendor's peak (f32)`, `hashcat's published rate`.
    pub reference: String,
    /// The fraction of it (1 is 100 %) and its source; `None` if no rate is known for the device.
    pub known: Option<(f64, String)>,
}

/// Reference for matrix products and tokens.
const VENDOR: &str = "the vendor's peak";
/// Reference for hashes.
const HASHCAT: &str = "hashcat's published rate";

impl Published {
    /// Compares matrix products and tokens with the vendor's peak, hashes with hashcat; `None` if nobody publishes a rate of the workload.
    pub fn of(view: View) -> Option<Published> {
        let (workload, cards, name) = (&view.row.workload, Cards::published(), view.name());
        let (arithmetic, operations) = match workload.id {
            Id::Stream => return None,
            Id::Sha256d => (None, 1.0),
            Id::Peak => (workload.shape.arithmetic.as_deref(), 1.0),
            Id::Gemm | Id::Gemv | Id::Prefill | Id::Decode => (
                view.row.kernel.as_ref().and_then(|kernel| kernel.arithmetic.as_deref()),
                workload.intensity.map_or(0.0, |intensity| intensity.operations_per_unit),
            ),
        };
        let full = match workload.id {
            Id::Sha256d => cards.hashcat(&name),
            _ => arithmetic.and_then(|arithmetic| cards.peak(&name, arithmetic)),
        };
        let rate = view.figures.throughput.and_then(|rate| rate.value);
        let known = full.zip(rate);
        let known = known.map(|((full, source), rate)| (rate * operations / full, source.into()));
        let reference = match (workload.id, arithmetic) {
            (Id::Sha256d, _) => HASHCAT.into(),
            (_, Some(arithmetic)) if known.is_some() => format!("{VENDOR} ({arithmetic})"),
            _ => VENDOR.into(),
        };
        Some(Published { reference, known })
    }

    /// The fraction, if it is known, and what it is of.
    pub fn share(&self) -> Option<(f64, &str)> {
        self.known.as_ref().map(|(share, _)| (*share, self.reference.as_str()))
    }

    /// `24 % of the vendor's peak (f32)`, `unknown: hashcat's published rate of this device`.
    pub fn words(&self) -> String {
        match self.share() {
            Some((share, of)) => format!("{} % of {of}", percent(share)),
            None => format!("unknown: {} of this device", self.reference),
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
