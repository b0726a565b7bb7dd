//! How near products are to what their device can do, as `peak` and `stream` rows of the same run measured it. Nothing is
//! faster than its roof: a row that claims so is invalid.

use super::run::Row;
use super::wire::{Measurement, Outcome, Roof, Throughput, Verdict};
use crate::device::hardware;

/// Fills in the roofs; `rows` are what the measurements were made from.
pub(super) fn apply(measurements: &mut [Measurement], rows: &[Row]) {
    let all = measurements.to_vec();
    for (m, row) in measurements.iter_mut().zip(rows) {
        let (Some(arithmetic), Some(traffic)) = (row.arithmetic, row.traffic) else { continue };
        let Some(rate) = m.throughput.clone() else { continue };
        let roof = |id: &str, shape: Option<&str>| {
            let same = |r: &&Measurement| {
                r.device == m.device
                    && r.workload.id == id
                    && r.workload.shape.as_deref() == shape
                    && r.outcome == Outcome::Measured
            };
            all.iter().find(same).and_then(|r| r.throughput.clone())
        };
        let (peak, stream) = (roof("peak", Some(arithmetic.name())), roof("stream", None));
        let published = hardware::peak(&row.device.name, arithmetic.name());
        let bytes = scaled(&rate, traffic.bytes_per_unit);
        m.roof = Some(Roof {
            arithmetic: arithmetic.name().to_string(),
            peak_share: peak.as_ref().map(|peak| rate.value / peak.value),
            stream_share: stream.as_ref().map(|stream| bytes.value / stream.value),
            published_peak_share: published.map(|(peak, _)| rate.value / peak),
            published_peak_source: published.map(|(_, source)| source.to_string()),
        });
        let above_peak =
            peak.filter(|peak| above(&rate, peak)).map(|_| format!("peak:{}", arithmetic.name()));
        // Data that a cache holds may come faster than memory gives it.
        let above_stream = stream
            .filter(|stream| traffic.from_memory && above(&bytes, stream))
            .map(|_| "stream".into());
        for roof in above_peak.into_iter().chain(above_stream) {
            m.reasons.push(format!(
                "it is faster than {roof}, which nothing can be: one of the two is wrong"
            ));
            m.verdict = Verdict::Invalid;
        }
    }
}

fn scaled(rate: &Throughput, factor: f64) -> Throughput {
    let by = |value: f64| value * factor;
    Throughput {
        value: by(rate.value),
        ci95_low: rate.ci95_low.map(by),
        ci95_high: rate.ci95_high.map(by),
        ..rate.clone()
    }
}

/// Whether all of a rate's interval lies above all of the roof's.
fn above(rate: &Throughput, roof: &Throughput) -> bool {
    matches!((rate.ci95_low, roof.ci95_high), (Some(low), Some(high)) if low > high)
}
