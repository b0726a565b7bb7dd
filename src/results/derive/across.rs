//! Figures of a row that depend on other rows of the same device and condition: shares of roofline ceilings, and queries.

use crate::results::derived::{Ceilings, Energy, QueryFigures, RowFigures};
use crate::results::document::{Evidence, Row};
use crate::results::reason::Reason;
use crate::units::Interval;
use crate::workload::{Id, Shape};

/// A row, with all rows of its run and their figures.
struct InRun<'a> {
    evidence: &'a Evidence,
    all_figures: &'a [RowFigures],
    row: &'a Row,
    figures: &'a RowFigures,
}

/// Sets ceilings and queries. A row that exceeds a ceiling is invalid.
pub(super) fn add_cross_row_figures(evidence: &Evidence, figures: &mut [RowFigures]) {
    for (i, row) in evidence.rows.iter().enumerate() {
        let Some(row) = row.known() else { continue };
        let in_run = InRun { evidence, all_figures: figures, row, figures: &figures[i] };
        let (query, ceilings) = (in_run.query(), in_run.ceilings());
        figures[i].query = query;
        if let Some((ceilings, exceeded)) = ceilings {
            figures[i].ceilings = Some(ceilings);
            let reason = |ceiling| Reason::AboveCeiling { ceiling };
            figures[i].reasons.extend(exceeded.into_iter().map(reason));
        }
    }
}

impl InRun<'_> {
    /// The first row with a rate of this kind, on the same device under the same condition.
    fn find(&self, id: Id, shape: impl Fn(&Shape) -> bool) -> Option<(Interval, &RowFigures)> {
        self.evidence.rows.iter().zip(self.all_figures).find_map(|(other, figures)| {
            let other = other.known()?;
            let matches = other.workload.id == id
                && shape(&other.workload.shape)
                && other.device == self.row.device
                && other.condition == self.row.condition;
            matches.then_some((figures.throughput?, figures))
        })
    }

    /// Roofline: shares of the peak compute and memory bandwidth that `peak` and `stream` rows measured, and the ceilings that are
    /// exceeded.
    fn ceilings(&self) -> Option<(Ceilings, Vec<String>)> {
        let workload = &self.row.workload;
        if workload.id.is_ceiling() {
            return None;
        }
        let arithmetic = self.row.kernel.as_ref()?.arithmetic.as_deref()?;
        let (intensity, rate) = (workload.intensity?, self.figures.throughput?);
        let ceiling = |id, wanted: Option<&str>| {
            Some(self.find(id, |shape| shape.arithmetic.as_deref() == wanted)?.0)
        };
        let peak = ceiling(Id::Peak, Some(arithmetic));
        let stream = ceiling(Id::Stream, None);
        let operations = rate * intensity.operations_per_unit;
        let bytes = rate * intensity.bytes_per_unit;
        let share = |rate: Interval, ceiling: Option<Interval>| Some(rate.value? / ceiling?.value?);
        let above_peak = peak.filter(|peak| peak.is_below(operations));
        // Data from a cache may exceed the memory bandwidth.
        let above_stream = stream.filter(|stream| intensity.from_memory && stream.is_below(bytes));
        let peak_name = above_peak.map(|_| format!("peak:{arithmetic}"));
        let exceeded = peak_name.into_iter().chain(above_stream.map(|_| "stream".into())).collect();
        let (peak_share, stream_share) = (share(operations, peak), share(bytes, stream));
        Some((Ceilings { arithmetic: arithmetic.to_string(), peak_share, stream_share }, exceeded))
    }

    /// Time and energy of a query: its prompt from a `prefill` row, its answer from the `decode` row of the same model, type, batch and
    /// prompt. Only here are input and output tokens combined.
    fn query(&self) -> Option<QueryFigures> {
        let shape = &self.row.workload.shape;
        if self.row.workload.id != Id::Decode {
            return None;
        }
        let (batch, prompt) = (shape.batch?, shape.prompt?);
        let answer = shape.context?.checked_sub(prompt)?;
        let prompts = Shape { context: None, ..shape.clone() };
        let (rate, prefill) = self.find(Id::Prefill, |shape| *shape == prompts)?;
        let seconds =
            |tokens: u64, rate: Interval| Some(tokens as f64 * batch as f64 / rate.value?);
        let first_token_seconds = seconds(prompt, rate)?;
        Some(QueryFigures {
            prompt_tokens: prompt,
            answer_tokens: answer,
            first_token_seconds,
            seconds: first_token_seconds + seconds(answer, self.figures.throughput?)?,
            joules: joules((&prefill.energy, prompt), (&self.figures.energy, answer)),
        })
    }
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
