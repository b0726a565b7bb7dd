//! Time and energy of a query: its prompt from a `prefill` row, its answer from the `decode` row of the same model, type, batch and prompt
//! on the same device. Only here are input and output tokens combined.

use crate::results::derived::{Energy, QueryFigures, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::units::Interval;
use crate::workload::{Id, Shape};

/// Sets the query figures of `decode` rows that have a `prefill` row.
pub(super) fn fill(evidence: &Evidence, figures: &mut [RowFigures]) {
    let queries: Vec<Option<QueryFigures>> = (0..figures.len())
        .map(|i| query(evidence, evidence.rows[i].known()?, i, figures))
        .collect();
    for (row, query) in figures.iter_mut().zip(queries) {
        row.query = query;
    }
}

fn query(
    evidence: &Evidence,
    decode: &Row,
    i: usize,
    figures: &[RowFigures],
) -> Option<QueryFigures> {
    let shape = &decode.workload.shape;
    if decode.workload.id != Id::Decode {
        return None;
    }
    let (batch, prompt) = (shape.batch?, shape.prompt?);
    let answer = shape.context?.checked_sub(prompt)?;
    let prompts = Shape { context: None, ..shape.clone() };
    let fits = |row: &Row| {
        row.workload.id == Id::Prefill
            && row.workload.shape == prompts
            && row.device == decode.device
            && row.condition == decode.condition
    };
    let prefill = (0..figures.len())
        .find(|&j| figures[j].throughput.is_some() && evidence.rows[j].known().is_some_and(fits))?;
    let seconds =
        |i: usize, tokens: u64| Some(tokens as f64 * batch as f64 / figures[i].throughput?.value?);
    let first_token_seconds = seconds(prefill, prompt)?;
    Some(QueryFigures {
        prompt_tokens: prompt,
        answer_tokens: answer,
        first_token_seconds,
        seconds: first_token_seconds + seconds(i, answer)?,
        joules: joules((&figures[prefill].energy, prompt), (&figures[i].energy, answer)),
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
