//! When two rows are comparable: same workload, shape, precision, model and protocol, same scope and provenance of their joules, and same
//! power limit.

use super::KeyField;
use crate::results::derived::{Energy, RowFigures};
use crate::results::difference::differences;
use crate::results::document::Row;
use crate::results::manifest::ProtocolNumbers;
use crate::results::short_digest;

/// A row with its figures and its protocol.
pub(super) type Keyed<'a> = (&'a Row, &'a RowFigures, &'a ProtocolNumbers);

/// The differences between the keys of two rows; empty if they are comparable.
pub(super) fn unlike(base: Keyed, new: Keyed) -> Vec<KeyField> {
    let mut fields: Vec<KeyField> = workload(base.0)
        .into_iter()
        .zip(workload(new.0))
        .chain([(power_limit(base.0), power_limit(new.0))])
        .chain(energy(&base.1.energy).into_iter().zip(energy(&new.1.energy)))
        .filter(|((_, base), (_, new))| base != new)
        .map(|((field, base), (_, new))| KeyField { field: field.into(), base, new })
        .collect();
    fields.extend(protocol(base.2, new.2));
    fields
}

type Field = (&'static str, String);

/// The parts of a workload: id, shape, precision and model.
fn workload(row: &Row) -> [Field; 4] {
    let shape = &row.workload.shape;
    let precision = [&shape.weights, &shape.activations, &shape.arithmetic];
    let precision: Vec<&str> = precision.into_iter().filter_map(|part| part.as_deref()).collect();
    let is_precision = |part: &&str| precision.contains(part) || part.starts_with("activations=");
    let parts = row.workload.spec.split(':').skip(1);
    let rest: Vec<&str> = parts.filter(|part| !is_precision(part)).collect();
    let or_none = |text: String| if text.is_empty() { "none".into() } else { text };
    [
        ("workload", row.workload.id.to_string()),
        ("shape", or_none(rest.join(":"))),
        ("precision", or_none(precision.join(" by "))),
        // Files with the same name may contain different models.
        ("model", shape.model_sha256.as_deref().map_or("none", short_digest).into()),
    ]
}

/// Provenance and scope of the joules.
fn energy(energy: &Energy) -> [Field; 2] {
    let scope = energy.scope.filter(|_| energy.joules_per_unit.is_some());
    let scope = scope.map_or("none", |scope| scope.name());
    [("provenance", energy.provenance().name().into()), ("scope", scope.into())]
}

/// The power limits in force, in chronological order.
fn power_limit(row: &Row) -> Field {
    let limits =
        row.telemetry.as_ref().map(|telemetry| telemetry.power_limits()).unwrap_or_default();
    let shown = match &limits[..] {
        [] => "unknown".into(),
        some => some.iter().map(|watts| format!("{watts} W")).collect::<Vec<_>>().join(", "),
    };
    ("power limit", shown)
}

/// The differences between protocols: the mode, which determines the rest, or else every length and count.
fn protocol(base: &ProtocolNumbers, new: &ProtocolNumbers) -> Vec<KeyField> {
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
