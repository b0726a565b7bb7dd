//! When two rows are of one kind: the same workload, shape, precision and model, measured by the same protocol, their joules of
//! the same scope and provenance, under the same power limit.

use crate::energy::Scope;
use crate::results::difference::differences;
use crate::results::short_digest;
use crate::results::wire::{Energy, KeyField, Measurement, Protocol};

/// Words of a workload's shape that say in what precision it computes.
const PRECISIONS: &[&str] = &["f32", "f16", "int8", "int4", "dot4", "matrix"];

/// What of the keys of two rows differs; nothing if they are of one kind.
pub(super) fn unlike(
    base: (&Measurement, &Protocol),
    new: (&Measurement, &Protocol),
) -> Vec<KeyField> {
    let mut fields: Vec<KeyField> = workload(base.0)
        .into_iter()
        .zip(workload(new.0))
        .chain([(power_limit(base.0), power_limit(new.0))])
        .chain(energy(&base.0.energy).into_iter().zip(energy(&new.0.energy)))
        .filter(|((_, base), (_, new))| base != new)
        .map(|((field, base), (_, new))| KeyField { field: field.into(), base, new })
        .collect();
    fields.extend(protocol(base.1, new.1));
    fields
}

type Field = (&'static str, String);

/// `1024x1024x1024:f16:transpose=a` in its parts.
fn workload(m: &Measurement) -> [Field; 4] {
    let is_precision = |part: &&str| PRECISIONS.contains(part) || part.starts_with("activations=");
    let parts = || m.workload.shape.as_deref().unwrap_or_default().split(':');
    let joined = |parts: Vec<&str>| match parts.join(":") {
        none if none.is_empty() => "none".into(),
        some => some,
    };
    [
        ("workload", m.workload.id.clone()),
        ("shape", joined(parts().filter(|part| !is_precision(part)).collect())),
        ("precision", joined(parts().filter(is_precision).collect())),
        // Files of one name may hold different models.
        ("model", m.workload.model_sha256.as_deref().map_or("none", short_digest).into()),
    ]
}

/// Where the joules come from, and what they cover.
fn energy(energy: &Energy) -> [Field; 2] {
    let (provenance, scope) = match energy {
        Energy::MeasuredCounter(e) => ("measured-counter", Some(e.scope)),
        Energy::MeasuredSampled(e) => ("measured-sampled", Some(e.scope)),
        Energy::Declared(e) => ("declared", Some(e.scope)),
        Energy::Modelled(e) => ("modelled", Some(e.scope)),
        Energy::None(_) => ("none", None),
    };
    let scope = scope.map_or("none", |scope| Scope::from(scope).name());
    [("provenance", provenance.into()), ("scope", scope.into())]
}

/// The limits that were in force, in the order in which they came.
fn power_limit(m: &Measurement) -> Field {
    let boards = m.windows.iter().filter_map(|w| w.telemetry.board.as_ref());
    let mut limits: Vec<f64> = boards.filter_map(|board| board.power_limit_watts).collect();
    limits.dedup();
    let shown = match &limits[..] {
        [] => "unknown".into(),
        some => some.iter().map(|watts| format!("{watts} W")).collect::<Vec<_>>().join(", "),
    };
    ("power limit", shown)
}

/// Where protocols differ: the mode, from which the rest follows, or else every length and count.
fn protocol(base: &Protocol, new: &Protocol) -> Vec<KeyField> {
    let value = |protocol| serde_json::to_value(protocol).expect("a protocol is plain data");
    let fields: Vec<KeyField> = differences(&value(base), &value(new))
        .told
        .into_iter()
        .map(|(path, base, new)| KeyField {
            field: format!("protocol.{path}"),
            base: base.trim_matches('"').into(),
            new: new.trim_matches('"').into(),
        })
        .collect();
    match fields.iter().find(|field| field.field == "protocol.mode") {
        Some(mode) => vec![mode.clone()],
        None => fields,
    }
}
