//! The main table of a report: one line per group of comparable rows.

use super::entry::{Entry, order};
use super::gather::Collection;
use super::notes::{EMULATES, MODELLED, SERVING_STACK, SOFTWARE, SPEED_ONLY, applying};
use super::published::percent;
use super::table::{Cell, Column, Field, Table, Tone};
use crate::results::Outcome;
use crate::units::{Interval, Watts};

/// The table of a page; `single` if it is of one run.
pub fn table(entries: &[Entry], single: bool) -> Table {
    let title = if single { "Every row" } else { "Every device and workload" };
    let mut fields: Vec<Field<Entry>> = vec![
        (Column::words("device"), if single { |e| device(e, true) } else { |e| device(e, false) }),
        (Column::words("workload"), workload),
        (Column::figures("rows"), rows),
        (Column::figures("rate"), rate),
        (Column::figures("power"), power),
        (Column::figures("joules"), joules),
        (Column::words("energy"), source),
        (Column::words("of what is published"), published),
        (Column::words("state"), state),
    ];
    if single {
        fields.retain(|(column, _)| column.head != "rows");
    }
    Table { notes: notes(entries), ..Table::of(title, &fields, entries) }
}

/// The table of several runs: a narrow variant.
pub fn several(collection: &Collection) -> Table {
    let entries = collection.groups.entries();
    let fields: [Field<Entry>; 6] = [
        (Column::words("device"), |entry| device(entry, false)),
        (Column::words("workload"), workload),
        (Column::figures("rows"), rows),
        (Column::figures("rate"), rate),
        (Column::figures("joules"), joules),
        (Column::words("energy"), source_and_state),
    ];
    let notes = notes(&entries);
    let runs = collection.runs().count();
    let title = format!("{runs} {}", if runs == 1 { "run" } else { "runs" });
    Table { notes, ..Table::of(title, &fields, &entries) }
}

/// The device's class, its id if wanted and another, its name, and a remark if it is emulated.
fn device(entry: &Entry, with_id: bool) -> Cell {
    let id = format!("{}\n", entry.device);
    let id = if with_id && entry.device != entry.class.into_str() { &id } else { "" };
    let text = format!("{}\n{id}{}", entry.class, entry.name);
    if entry.is_software() {
        return Cell::from(format!("{text}\n{EMULATES}")).toned(Tone::Flagged);
    }
    text.into()
}

fn workload(entry: &Entry) -> Cell {
    entry.workload.spec.replace(':', "\n").into()
}

fn rows(entry: &Entry) -> Cell {
    Cell::from(entry.rows.to_string()).with_number(Some(entry.rows as f64))
}

fn rate(entry: &Entry) -> Cell {
    spread(entry, entry.rate, |rate| entry.rate_words(rate), &entry.about_rate())
}

fn power(entry: &Entry) -> Cell {
    spread(entry, entry.watts, |watts| Watts(watts).to_string(), &entry.about)
}

fn joules(entry: &Entry) -> Cell {
    spread(entry, entry.joules, |joules| entry.joules_words(joules), &entry.about)
}

/// A value with its interval below it, or a range; with its explanation if it was measured.
fn spread(
    entry: &Entry,
    figure: Option<Interval>,
    words: impl Fn(f64) -> String,
    about: &str,
) -> Cell {
    let text = figure.map_or("–".into(), |figure| match (figure.value, figure.ends()) {
        (Some(value), Some(_)) if !figure.is_exact() => {
            format!("{}\n±{} %", words(value), percent(figure.relative_half_width()))
        }
        (Some(value), _) => words(value),
        (None, _) => format!("{}\nto {}", words(figure.low), words(figure.high)),
    });
    let about = (entry.outcome == Outcome::Measured).then(|| about.to_string());
    Cell { about, ..Cell::from(text).with_number(figure.map(order)) }
}

fn source(entry: &Entry) -> Cell {
    let source = entry.source_words().replace(", ", "\n");
    match &entry.conditions[..] {
        [] => source.into(),
        some => Cell::from(format!("{source}\n{}", some.join("\n"))).toned(Tone::Flagged),
    }
}

fn source_and_state(entry: &Entry) -> Cell {
    let (source, state) = (source(entry), state(entry));
    if state.text == "valid" {
        return source;
    }
    let word = state.text.split(':').next().unwrap_or_default();
    Cell::from(format!("{}\n{word}", source.text)).toned(state.tone)
}

fn published(entry: &Entry) -> Cell {
    let ceilings: String = entry.ceilings.iter().map(|ceiling| format!("\n{ceiling}")).collect();
    (entry.published_words() + &ceilings).into()
}

fn state(entry: &Entry) -> Cell {
    let mut text = entry.state().to_string();
    if !entry.reasons.is_empty() {
        text += &format!(": {}", entry.reasons.join("; "));
    }
    if entry.left_out > 0 {
        text += &format!("\n{} invalid left out", entry.left_out);
    }
    Cell::from(text).toned(match entry.outcome {
        Outcome::Measured if entry.reasons.is_empty() => Tone::Plain,
        Outcome::Unsupported(_) => Tone::Flagged,
        Outcome::Measured | Outcome::Failed(_) | Outcome::Crashed(_) => Tone::Wrong,
    })
}

fn notes(entries: &[Entry]) -> Vec<String> {
    let any = |test: fn(&Entry) -> bool| entries.iter().any(test);
    applying([
        (any(|entry| entry.joules.is_some_and(|joules| joules.value.is_none())), MODELLED),
        (any(|entry| entry.speed_only), SPEED_ONLY),
        (any(Entry::is_software), SOFTWARE),
        (any(|entry| entry.workload.id.has_model()), SERVING_STACK),
    ])
}
