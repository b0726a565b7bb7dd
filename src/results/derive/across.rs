//! Figures of a row that depend on other rows of the same device and condition: shares of roofline ceilings, and queries.

use crate::results::derived::{Ceilings, Energy, QueryFigures, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::results::reason::Reason;
use crate::units::Interval;
use crate::workload::{Id, Shape};

/// Sets ceilings and queries. A row that exceeds a ceiling is invalid.
pub(super) fn add_cross_row_figures(evidence: &Evidence, figures: &mut [RowFigures]) {
    for (i, row) in evidence.rows.iter().enumerate() {
        let Some(row) = row.known() else { continue };
        figures[i].query = query(evidence, figures, row, &figures[i]);
        if let Some((ceilings, exceeded)) = ceilings(evidence, figures, row, &figures[i]) {
            figures[i].ceilings = Some(ceilings);
            let reason = |ceiling| Reason::AboveCeiling { ceiling };
            figures[i].reasons.extend(exceeded.into_iter().map(reason));
        }
    }
}

/// The first row with a rate of this kind, on the same device under the same condition.
fn find_row<'a>(
    evidence: &'a Evidence,
    figures: &'a [RowFigures],
    row: &Row,
    id: Id,
    shape: impl Fn(&Shape) -> bool,
) -> Option<(Interval, &'a RowFigures)> {
    evidence.rows.iter().zip(figures).find_map(|(other, figures)| {
        let other = other.known()?;
        let matches = other.workload.id == id
            && shape(&other.workload.shape)
            && other.device == row.device
            && other.condition == row.condition;
        matches.then_some((figures.throughput?, figures))
    })
}

/// Roofline: shares of the peak compute and memory bandwidth that `peak` and `stream` rows measured, and the ceilings that are exceeded.
fn ceilings(
    evidence: &Evidence,
    figures: &[RowFigures],
    row: &Row,
    own: &RowFigures,
) -> Option<(Ceilings, Vec<String>)> {
    if row.workload.id.is_ceiling() {
        return None;
    }
    let arithmetic = row.kernel.as_ref()?.arithmetic.as_deref()?;
    let (intensity, rate) = (row.workload.intensity?, own.throughput?);
    let ceiling = |id, wanted: Option<&str>| {
        let shape = |shape: &Shape| shape.arithmetic.as_deref() == wanted;
        Some(find_row(evidence, figures, row, id, shape)?.0)
    };
    let peak = ceiling(Id::Peak, Some(arithmetic));
    let stream = ceiling(Id::Stream, None);
    let operations = rate * intensity.operations_per_unit;
    let bytes = rate * intensity.bytes_per_unit;
    let share = |rate: Interval, ceiling: Option<Interval>| Some(rate.value? / ceiling?.value?);
    let above_peak = peak.filter(|peak| peak.is_below(operations));
    // Data from a cache may exceed the memory bandwidth.
    let above_stream = stream.filter(|stream| intensity.from_memory && stream.is_below(bytes));
    let names =
        [above_peak.map(|_| format!("peak:{arithmetic}")), above_stream.map(|_| "stream".into())];
    let exceeded = names.into_iter().flatten().collect();
    let (peak_share, stream_share) = (share(operations, peak), share(bytes, stream));
    Some((Ceilings { arithmetic: arithmetic.to_string(), peak_share, stream_share }, exceeded))
}

/// Time and energy of a query: its prompt from a `prefill` row, its answer from the `decode` row of the same model, type, batch and prompt.
/// Only here are input and output tokens combined.
fn query(
    evidence: &Evidence,
    figures: &[RowFigures],
    decode: &Row,
    own: &RowFigures,
) -> Option<QueryFigures> {
    let shape = &decode.workload.shape;
    if decode.workload.id != Id::Decode {
        return None;
    }
    let (batch, prompt) = (shape.batch?, shape.prompt?);
    let answer = shape.context?.checked_sub(prompt)?;
    let prompts = Shape { context: None, ..shape.clone() };
    let (rate, prefill) =
        find_row(evidence, figures, decode, Id::Prefill, |shape| *shape == prompts)?;
    let seconds = |tokens: u64, rate: Interval| Some(tokens as f64 * batch as f64 / rate.value?);
    let first_token_seconds = seconds(prompt, rate)?;
    Some(QueryFigures {
        prompt_tokens: prompt,
        answer_tokens: answer,
        first_token_seconds,
        seconds: first_token_seconds + seconds(answer, own.throughput?)?,
        joules: joules((&prefill.energy, prompt), (&own.energy, answer)),
    })
}

/// Joules of these numbers of tokens; `None` if the rows differ in scope or provenance.
fn joules(prefill: (&Energy, u64), decode: (&Energy, u64)) -> Option<Interval> {
    let kind = |energy: &Energy| (energy.scope, energy.provenance());
    if kind(prefill.0) != kind(decode.0) {
        return None;
    }
    let (read, written) = (prefill.0.joules_per_unit?, decode.0.joules_per_unit?);
    Some(read * prefill.1 as f64 + written * decode.1 as f64)
}
