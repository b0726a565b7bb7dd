//! What several tables of the advice need: names of choices and devices, columns, groups of rows.

use crate::economics::{Advice, BreakEven, MeasuredDevice, Parameter, Question};
use crate::report::table::Column;
use crate::units::Provenance;

/// Columns by their headers, and whether they hold numbers.
pub(super) fn columns<const N: usize>(heads: [(&'static str, bool); N]) -> Vec<Column> {
    heads.into_iter().map(|(head, figures)| Column { head, figures }).collect()
}

/// The measured device, if there is only one.
pub(super) fn only_device(advice: &Advice) -> Option<&MeasuredDevice> {
    let mut devices = advice.choices.iter().filter_map(|choice| choice.device.as_ref());
    let first = devices.next()?;
    devices.all(|on| on == first).then_some(first)
}

/// A label on several lines: its options on their own line, and its device unless there is only one.
pub(super) fn short(label: &str, advice: &Advice) -> String {
    let label = label.split(" at the price of ").next().unwrap_or(label).trim_end_matches(',');
    let label = label.replacen(":batch=", "\nbatch=", 1);
    match only_device(advice) {
        Some(on) => {
            let label = label.replacen(&format!(" on {}", on.name), "", 1);
            label.replacen(&format!(" {}", on.name), "", 1)
        }
        None => label.replacen(" on ", "\non ", 1),
    }
}

/// A provenance in a word.
pub(super) fn how(provenance: Provenance) -> &'static str {
    if provenance.is_measured() { "measured" } else { provenance.into_str() }
}

/// The break-even value of a parameter for a question.
pub(super) fn break_even(
    advice: &Advice,
    question: Question,
    parameter: Parameter,
) -> Option<&BreakEven> {
    let mut all = advice.break_evens.iter();
    all.find(|found| (found.question, found.parameter) == (question, parameter))
}

/// Groups values by their keys, each value once, in order of appearance.
pub(super) fn grouped<K: PartialEq, V: PartialEq>(
    pairs: impl IntoIterator<Item = (K, V)>,
) -> Vec<(K, Vec<V>)> {
    let mut groups: Vec<(K, Vec<V>)> = Vec::new();
    for (key, value) in pairs {
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => groups.push((key, vec![value])),
        }
    }
    groups
}
