//! What a whole query takes: its prompt by a `prefill` row, its answer by the `decode` row of the same model, type, batch and
//! prompt on the same device. Tokens that are read and tokens that are written stay apart until here.

use super::wire::{Energy, Measurement, Outcome, PerQuery, Query};

/// Fills in the queries of `decode` rows whose `prefill` row is there.
pub(super) fn fill(measurements: &mut [Measurement]) {
    let all = measurements.to_vec();
    for m in measurements {
        m.query = query(m, &all);
    }
}

fn query(decode: &Measurement, all: &[Measurement]) -> Option<Query> {
    let shape = decode.workload.shape.as_deref().filter(|_| decode.workload.id == "decode")?;
    let (prompts, context) = shape.rsplit_once(":context=")?;
    let option = |name: &str| {
        prompts
            .split(':')
            .find_map(|part| part.strip_prefix(name)?.parse::<u32>().ok())
            .map(f64::from)
    };
    let (batch, prompt) = (option("batch=")?, option("prompt=")?);
    let answer = f64::from(context.parse::<u32>().ok()?) - prompt;
    let prefill = all.iter().find(|m| {
        m.workload.id == "prefill"
            && m.workload.shape.as_deref() == Some(prompts)
            && m.workload.model_sha256 == decode.workload.model_sha256
            && m.device == decode.device
            && m.outcome == Outcome::Measured
    })?;
    let seconds =
        |m: &Measurement, tokens: f64| Some(tokens * batch / m.throughput.as_ref()?.value);
    let first_token_seconds = seconds(prefill, prompt)?;
    Some(Query {
        prompt_tokens: prompt as u64,
        answer_tokens: answer as u64,
        first_token_seconds,
        seconds: first_token_seconds + seconds(decode, answer)?,
        energy: energy((&prefill.energy, prompt), (&decode.energy, answer)),
    })
}

/// Joules of so many tokens of each; only like is added to like.
fn energy(prefill: (&Energy, f64), decode: (&Energy, f64)) -> PerQuery {
    use Energy::{Declared, MeasuredCounter, MeasuredSampled, Modelled};
    let sum = |p: &super::wire::PerUnit, d: &super::wire::PerUnit| {
        let of = |end: fn(&super::wire::PerUnit) -> Option<f64>| {
            Some(end(p)? * prefill.1 + end(d)? * decode.1)
        };
        PerQuery::Joules {
            value: p.value * prefill.1 + d.value * decode.1,
            ci95_low: of(|per| per.ci95_low),
            ci95_high: of(|per| per.ci95_high),
        }
    };
    match (prefill.0, decode.0) {
        (MeasuredCounter(p), MeasuredCounter(d)) | (MeasuredSampled(p), MeasuredSampled(d))
            if p.scope == d.scope =>
        {
            sum(&p.joules_per_unit, &d.joules_per_unit)
        }
        (Declared(p), Declared(d)) if p.scope == d.scope => {
            sum(&p.joules_per_unit, &d.joules_per_unit)
        }
        (Modelled(p), Modelled(d)) if p.scope == d.scope => PerQuery::Modelled {
            low: p.modelled_joules_per_unit_low * prefill.1
                + d.modelled_joules_per_unit_low * decode.1,
            high: p.modelled_joules_per_unit_high * prefill.1
                + d.modelled_joules_per_unit_high * decode.1,
        },
        _ => PerQuery::None {
            reason: "reading and writing tokens have no joules of one scope and one provenance"
                .into(),
        },
    }
}
