//! Batch service times, as a histogram that can be merged with another run's.

use crate::units::Seconds;
use base64::prelude::{BASE64_STANDARD, Engine};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Distribution of batch service times, as the host sees them: from the later of a batch's submission and the end of the previous batch
/// to its own end.
///
/// In JSON: the histogram in HdrHistogram's V2 serialisation, in base64.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Latency(Histogram<u64>);

impl std::fmt::Debug for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "{} batches in {}", self.count(), self.total())
    }
}

impl From<Latency> for String {
    fn from(latency: Latency) -> String {
        BASE64_STANDARD.encode(latency.to_v2())
    }
}

impl TryFrom<String> for Latency {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Latency, &'static str> {
        let bytes = BASE64_STANDARD.decode(text).map_err(|_| "it is not base64")?;
        Latency::from_v2(&bytes).ok_or("it is not a histogram of these bounds")
    }
}

impl Default for Latency {
    fn default() -> Self {
        // 100 ns to 10 minutes with two significant digits, which is less than the variation between batches.
        let bounds = Histogram::new_with_bounds(100, 600_000_000_000, 2);
        Latency(bounds.expect("these bounds are allowed"))
    }
}

impl Latency {
    /// Records a batch.
    pub fn record(&mut self, seconds: Seconds) {
        self.0.saturating_record((seconds.0 * 1e9) as u64);
    }

    /// Moves all batches from `other`, which is empty afterwards.
    pub fn take(&mut self, other: &mut Latency) {
        self.0.add(&other.0).expect("all have the same bounds");
        other.0.reset();
    }

    /// Sum of the service times.
    pub fn total(&self) -> Seconds {
        Seconds(self.0.mean() * self.0.len() as f64 * 1e-9)
    }

    /// Number of batches.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The service time that a share `p` of the batches does not exceed; `None` with fewer than 10 ÷ (1 − p) batches, which do not support
    /// an estimate.
    pub fn percentile(&self, p: f64) -> Option<Seconds> {
        let supported = self.count() as f64 * (1.0 - p) >= 10.0 - 1e-9;
        supported.then(|| Seconds(self.0.value_at_quantile(p) as f64 * 1e-9))
    }

    /// Parses the output of [`Latency::to_v2`]; `None` if it is invalid or has other bounds, which would let a file choose the histogram's
    /// size.
    fn from_v2(bytes: &[u8]) -> Option<Latency> {
        // Cookie, payload length, offset; then digits, lowest, highest and ratio, of 4, 8, 8 and 8 bytes.
        let bounds = 12..40;
        if bytes.get(bounds.clone())? != &Latency::default().to_v2()[bounds] {
            return None;
        }
        Deserializer::new().deserialize(&mut &bytes[..]).ok().map(Latency)
    }

    /// HdrHistogram's V2 serialisation, in nanoseconds.
    fn to_v2(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&self.0, &mut bytes).expect("a Vec takes all");
        bytes
    }
}
