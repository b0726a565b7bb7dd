//! Roofline: shares of the peak compute and memory bandwidth that `peak` and `stream` rows of the same run measured. A row that exceeds a
//! ceiling is invalid.

use crate::results::derived::{Ceilings, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::results::reason::Reason;
use crate::units::Interval;
use crate::workload::Id;

/// Sets the ceilings.
pub(super) fn fill(evidence: &Evidence, figures: &mut [RowFigures]) {
    let rates: Vec<Option<Interval>> = figures.iter().map(|row| row.throughput).collect();
    for (i, row) in evidence.rows.iter().enumerate() {
        let Some(row) = row.known().filter(|row| !row.workload.id.is_ceiling()) else { continue };
        let arithmetic = row.kernel.as_ref().and_then(|kernel| kernel.arithmetic.as_deref());
        let (Some(arithmetic), Some(intensity), Some(rate)) =
            (arithmetic, row.workload.intensity, rates[i])
        else {
            continue;
        };
        let ceiling = |id: Id, wanted: Option<&str>| {
            let matches = |other: &Row| {
                other.device == row.device
                    && other.workload.id == id
                    && other.workload.shape.arithmetic.as_deref() == wanted
                    && other.condition == row.condition
            };
            let mut rows = evidence.rows.iter().zip(&rates);
            let (_, rate) =
                rows.find(|(other, rate)| rate.is_some() && other.known().is_some_and(matches))?;
            *rate
        };
        let peak = ceiling(Id::Peak, Some(arithmetic));
        let stream = ceiling(Id::Stream, None);
        let operations = rate * intensity.operations_per_unit;
        let bytes = rate * intensity.bytes_per_unit;
        let share = |rate: Interval, ceiling: Option<Interval>| Some(rate.value? / ceiling?.value?);
        figures[i].ceilings = Some(Ceilings {
            arithmetic: arithmetic.to_string(),
            peak_share: share(operations, peak),
            stream_share: share(bytes, stream),
        });
        if peak.is_some_and(|peak| peak.is_below(operations)) {
            let ceiling = format!("peak:{arithmetic}");
            figures[i].reasons.push(Reason::AboveCeiling { ceiling });
        }
        // Data from a cache may exceed the memory bandwidth.
        if intensity.from_memory && stream.is_some_and(|stream| stream.is_below(bytes)) {
            figures[i].reasons.push(Reason::AboveCeiling { ceiling: "stream".into() });
        }
    }
}
