//! Which rows of two documents correspond, and when they are comparable: same workload, shape, precision, model and protocol, same scope
//! and provenance of their joules, and same power limit.

use super::comparison::KeyField;
use crate::measure::Protocol;
use crate::results::View;
use crate::results::difference::differences;
use crate::results::short_digest;
use serde_json::json;

/// The differences between the keys of two rows; empty if they are comparable.
pub(super) fn key_differences(base: View, new: View) -> Vec<KeyField> {
    let fields = key(base).into_iter().zip(key(new));
    let differing = fields.filter(|((_, base), (_, new))| base != new);
    differing
        .map(|((field, base), (_, new))| KeyField { field: field.into(), base, new })
        .chain(protocol(&base.manifest().protocol, &new.manifest().protocol))
        .collect()
}

/// The parts of a key by name, except for the protocol.
fn key(view: View) -> [(&'static str, String); 7] {
    let (workload, shape) = (&view.row.workload, &view.row.workload.shape);
    let precision = [&shape.weights, &shape.activations, &shape.arithmetic];
    let precision: Vec<&str> = precision.into_iter().filter_map(|part| part.as_deref()).collect();
    let is_precision = |part: &&str| precision.contains(part) || part.starts_with("activations=");
    let parts = workload.spec.split(':').skip(1);
    let shape_options: Vec<&str> = parts.filter(|part| !is_precision(part)).collect();
    // In chronological order.
    let limits = view.row.telemetry.iter().flat_map(|telemetry| telemetry.power_limits());
    let limits: Vec<String> = limits.map(|watts| format!("{watts} W")).collect();
    let energy = &view.figures.energy;
    let scope = energy.scope.filter(|_| energy.joules_per_unit.is_some());
    let non_empty = |text: String, none: &str| if text.is_empty() { none.into() } else { text };
    [
        ("workload", workload.id.to_string()),
        ("shape", non_empty(shape_options.join(":"), "none")),
        ("precision", non_empty(precision.join(" by "), "none")),
        // Files with the same name may contain different models.
        ("model", shape.model_sha256.as_deref().map_or("none", short_digest).into()),
        ("power limit", non_empty(limits.join(", "), "unknown")),
        ("provenance", energy.provenance().into_str().into()),
        ("scope", scope.map_or("none", |scope| scope.into_str()).into()),
    ]
}

/// The differences between protocols: the mode, which determines the rest, or else every length and count.
fn protocol(base: &Protocol, new: &Protocol) -> Vec<KeyField> {
    let field = |(path, base, new): (String, String, String)| KeyField {
        field: format!("protocol.{path}"),
        base: base.trim_matches('"').into(),
        new: new.trim_matches('"').into(),
    };
    let found = differences(&json!(base), &json!(new)).listed;
    let fields: Vec<KeyField> = found.into_iter().map(field).collect();
    match fields.iter().find(|field| field.field == "protocol.mode") {
        Some(mode) => vec![mode.clone()],
        None => fields,
    }
}

/// Indices of paired rows and of rows without a counterpart.
pub(super) struct Pairs {
    pub(super) pairs: Vec<(usize, usize)>,
    pub(super) base_only: Vec<usize>,
    pub(super) new_only: Vec<usize>,
}

impl Pairs {
    /// Pairs rows in this order: the same workload on the device of the same id; then the same workload, if it has one row left on each
    /// side; then rows of one kind of work on one device, the most similar first, so that a change of shape or precision is reported
    /// instead of two unpaired rows.
    pub(super) fn of(base: &[View], new: &[View]) -> Pairs {
        let mut pairs = Pairs {
            pairs: Vec::new(),
            base_only: (0..base.len()).collect(),
            new_only: (0..new.len()).collect(),
        };
        let same_device = |i: usize, j: usize| base[i].row.device == new[j].row.device;
        let same_kind = |i: usize, j: usize| base[i].row.workload.id == new[j].row.workload.id;
        let same_spec = |i: usize, j: usize| base[i].row.workload.spec == new[j].row.workload.spec;
        pairs.pair_by(|i, j| (same_device(i, j) && same_spec(i, j)).then_some(0));
        let (base_left, new_left) = (pairs.base_only.clone(), pairs.new_only.clone());
        pairs.pair_by(|i, j| {
            let in_base = base_left.iter().filter(|&&i| same_spec(i, j)).count();
            let in_new = new_left.iter().filter(|&&j| same_spec(i, j)).count();
            (same_spec(i, j) && in_base == 1 && in_new == 1).then_some(0)
        });
        pairs.pair_by(|i, j| {
            let similar = same_device(i, j) && same_kind(i, j) && !same_spec(i, j);
            similar.then(|| key_differences(base[i], new[j]).len())
        });
        pairs.pairs.sort_unstable();
        pairs
    }

    /// Pairs the remaining rows, by ascending distance.
    fn pair_by(&mut self, distance: impl Fn(usize, usize) -> Option<usize>) {
        let all = self.base_only.iter().flat_map(|&i| self.new_only.iter().map(move |&j| (i, j)));
        let mut found: Vec<(usize, usize, usize)> =
            all.filter_map(|(i, j)| Some((distance(i, j)?, i, j))).collect();
        found.sort_unstable();
        for (_, i, j) in found {
            if self.base_only.contains(&i) && self.new_only.contains(&j) {
                self.base_only.retain(|&row| row != i);
                self.new_only.retain(|&row| row != j);
                self.pairs.push((i, j));
            }
        }
    }
}
