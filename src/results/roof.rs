//! How near products are to what their device can do, as `peak` and `stream` rows of the same run measured it. Nothing is
//! faster than its roof: a row that claims so is invalid.

use super::figures::note;
use super::wire::{Device, Measurement, Outcome, Roof, Throughput};
use crate::device::hardware;

/// Fills in the roofs.
pub(super) fn fill(measurements: &mut [Measurement], devices: &[Device]) {
    let all = measurements.to_vec();
    for m in measurements {
        let arithmetic = m.kernel.as_ref().and_then(|kernel| kernel.arithmetic.clone());
        let (Some(arithmetic), Some(traffic)) = (arithmetic, m.traffic.clone()) else { continue };
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
        let (peak, stream) = (roof("peak", Some(&arithmetic)), roof("stream", None));
        let device = devices.iter().find(|device| device.id == m.device);
        let published = device.and_then(|device| hardware::peak(&device.name, &arithmetic));
        let bytes = scaled(&rate, traffic.bytes_per_unit);
        let operations = scaled(&rate, traffic.operations_per_unit);
        m.roof = Some(Roof {
            arithmetic: arithmetic.clone(),
            peak_share: peak.as_ref().map(|peak| operations.value / peak.value),
            stream_share: stream.as_ref().map(|stream| bytes.value / stream.value),
            published_peak_share: published.map(|(peak, _)| operations.value / peak),
            published_peak_source: published.map(|(_, source)| source.to_string()),
        });
        let above_peak =
            peak.filter(|peak| above(&operations, peak)).map(|_| format!("peak:{arithmetic}"));
        // Data that a cache holds may come faster than memory gives it.
        let above_stream = stream
            .filter(|stream| traffic.from_memory && above(&bytes, stream))
            .map(|_| "stream".into());
        for roof in above_peak.into_iter().chain(above_stream) {
            let why =
                format!("it is faster than {roof}, which nothing can be: one of the two is wrong");
            note(&mut m.reasons, why);
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
