//! The main table of a report: one line per group of comparable rows.

use super::entry::{Entry, order, percent};
use super::gather::Collection;
use super::group::Group;
use super::table::{Cell, Column, Table, Tone};
use crate::results::Outcome;
use crate::units::{Interval, Watts};

/// Note on tables with joules per token.
pub const SERVING_STACK: &str =
    "A tuned serving stack gets more tokens from a joule than these portable kernels.";

/// The table; `single` if it is of one run.
pub fn table(groups: &[Group], single: bool) -> Table {
    let mut columns = vec![Column::words("device"), Column::words("workload")];
    if !single {
        columns.push(Column::figures("rows"));
    }
    columns.extend([
        Column::figures("rate"),
        Column::figures("power"),
        Column::figures("joules"),
        Column::words("energy"),
        Column::words("of what is published"),
        Column::words("state"),
    ]);
    Table {
        title: if single { "Every row".into() } else { "Every device and workload".into() },
        columns,
        rows: groups.iter().map(|group| row(group, single)).collect(),
        notes: notes(groups),
    }
}

/// A narrow variant, with files that are not shown in its notes.
pub fn brief(groups: &[Group], collection: &Collection) -> Table {
    let mut table = Table {
        title: format!("{} runs", collection.runs().count()),
        columns: vec![
            Column::words("device"),
            Column::words("workload"),
            Column::figures("rows"),
            Column::figures("rate"),
            Column::figures("joules"),
            Column::words("energy"),
        ],
        rows: groups.iter().map(|group| row(group, false)).collect(),
        notes: notes(groups),
    };
    for row in &mut table.rows {
        let state = row.remove(8);
        row.remove(7);
        row.remove(4);
        if state.text != "valid" {
            row[5].text += &format!("\n{}", state.text.split(':').next().unwrap_or_default());
            row[5].tone = state.tone;
        }
    }
    for (file, why) in collection.refused() {
        table.notes.push(format!("not shown: {}: {why}", file.name));
    }
    table
}

fn row(group: &Group, single: bool) -> Vec<Cell> {
    let entry = &group.entry;
    let device = match single && entry.device != entry.class.name() {
        true => format!("{}\n{}\n{}", entry.class, entry.device, entry.name),
        false => format!("{}\n{}", entry.class, entry.name),
    };
    let device = match entry.is_software() {
        true => Cell::from(format!("{device}\na CPU emulating a GPU")).toned(Tone::Flagged),
        false => device.into(),
    };
    let mut cells = vec![device, entry.workload.spec.replace(':', "\n").into()];
    if !single {
        cells.push(Cell::from(group.rows.to_string()).worth(Some(group.rows as f64)));
    }
    let rate = spread(entry.rate, |rate| entry.rate_words(rate));
    let watts = spread(entry.watts, |watts| Watts(watts).to_string());
    let joules = spread(entry.joules, |joules| entry.joules_words(joules));
    let [rate, watts, joules] = match entry.outcome {
        Outcome::Measured => [
            rate.about(group.about_rate()),
            watts.about(entry.about.as_str()),
            joules.about(entry.about.as_str()),
        ],
        Outcome::Unsupported(_) | Outcome::Failed(_) => [rate, watts, joules],
    };
    let mut published = entry.published.words();
    for ceiling in &entry.ceilings {
        published += &format!("\n{ceiling}");
    }
    let mut source = Cell::from(entry.source_words().replace(", ", "\n"));
    if !entry.conditions.is_empty() {
        source.text += &format!("\n{}", entry.conditions.join("\n"));
        source.tone = Tone::Flagged;
    }
    cells.extend([rate, watts, joules, source]);
    cells.push(published.into());
    cells.push(state(group));
    cells
}

/// A value with its interval below it, or a range.
fn spread(figure: Option<Interval>, words: impl Fn(f64) -> String) -> Cell {
    let Some(figure) = figure else { return Cell::from("–") };
    let text = match (figure.value, figure.ends()) {
        (Some(value), Some(_)) if !figure.is_exact() => {
            format!("{}\n±{} %", words(value), percent(figure.relative_half_width()))
        }
        (Some(value), _) => words(value),
        (None, _) => format!("{}\nto {}", words(figure.low), words(figure.high)),
    };
    Cell::from(text).worth(Some(order(figure)))
}

fn state(group: &Group) -> Cell {
    let Entry { reasons, .. } = &group.entry;
    let mut text = group.entry.state().to_string();
    if !reasons.is_empty() {
        text += &format!(": {}", reasons.join("; "));
    }
    if group.left_out > 0 {
        text += &format!("\n{} invalid left out", group.left_out);
    }
    let tone = match group.entry.outcome {
        Outcome::Measured if reasons.is_empty() => Tone::Plain,
        Outcome::Unsupported(_) => Tone::Flagged,
        Outcome::Measured | Outcome::Failed(_) => Tone::Wrong,
    };
    Cell::from(text).toned(tone)
}

fn notes(groups: &[Group]) -> Vec<String> {
    let any = |test: fn(&Entry) -> bool| groups.iter().any(|group| test(&group.entry));
    let mut notes = Vec::new();
    if any(|entry| entry.joules.is_some_and(|joules| joules.value.is_none())) {
        notes.push(
            "modelled: no meter was read; the true figure lies somewhere in the range.".into(),
        );
    }
    if any(|entry| entry.speed_only) {
        notes.push("declared: one power was typed for all workloads, so their joules compare their speed only.".into());
    }
    if any(Entry::is_software) {
        notes.push("A software adapter is a CPU that emulates a GPU: it shows that kernels are right, not how fast a GPU is.".into());
    }
    if any(|entry| entry.workload.id.has_model()) {
        notes.push(SERVING_STACK.into());
    }
    notes
}
