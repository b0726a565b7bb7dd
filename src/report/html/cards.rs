//! Cards of the page: joules and rates of all devices on a common axis, one card per workload.

use super::axis::{Axis, Label};
use super::plot::{CROSS, DIAMOND, Mark, Shape, TRIANGLE};
use crate::economics::market::{Asic, Figure, Market};
use crate::report::entry::{Entry, order, span};
use crate::report::notes::EMULATES;
use crate::report::published::percent;
use crate::results::Outcome;
use crate::text::natural;
use crate::units::{EnergyPerWork, Interval, Provenance, Rate, Unit, Watts, significant};

/// Maximum number of lines per card; the table has the rest.
const MAX_LINES: usize = 12;
/// Width of a card in pixels on a narrow phone.
const NARROW: f64 = 280.0;

/// A card.
pub struct Card {
    /// Unit of the figures: `J/TH`.
    pub unit: &'static str,
    /// The workload.
    pub subject: String,
    /// Its shape and options: `smollm2-135m · int4 · batch=1`.
    pub options: String,
    /// Its lines.
    pub lines: Vec<Line>,
    /// Axis labels.
    pub ticks: Vec<Label>,
    /// Number of lines that it has no room for.
    pub more: usize,
}

/// A line of a card: a device.
pub struct Line {
    /// Device class, which sets the colour.
    pub class: &'static str,
    /// Device name.
    pub name: String,
    /// The figure as text.
    pub value: String,
    /// Provenance, as `modelled, machine`, or fraction of the published rate.
    pub status: String,
    /// Explanation of the figure.
    pub about: String,
    /// Whether it counts.
    pub counts: bool,
    /// The figure as it is drawn.
    pub marks: Vec<Mark>,
}

/// Joules per unit of work, one card per workload. Cards of hashes end with the reference miners.
pub fn joules(entries: &[Entry]) -> Vec<Card> {
    let market = Market::embedded();
    let sort_key = |entry: &Entry| entry.joules.map_or(f64::INFINITY, order);
    cards(entries, sort_key, |unit, entries| {
        let asics = if unit == Unit::Hash { &market.asics[..] } else { &[] };
        let published = |asic: &Asic| EnergyPerWork::quoted(asic.efficiency.number(), unit).joules;
        let words = |joules: f64| EnergyPerWork { joules, unit }.figure();
        let ends = entries.iter().filter_map(|entry| entry.joules.map(span)).flatten();
        let axis = Axis::logarithmic(ends.chain(asics.iter().map(published)))?;
        let measured = entries.iter().take(MAX_LINES);
        let measured = measured.map(|entry| line(&axis, entry, entry.joules, words));
        let miners = asics.iter().map(|asic| {
            let (value, at) = (significant(asic.efficiency.number()), axis.at(published(asic)));
            let Figure { unit, source, date, .. } = &asic.efficiency;
            Line {
                class: "asic",
                name: asic.name.clone(),
                status: "published, wall".into(),
                about: format!("Published, not measured here: {value} {unit} by {source}, {date}."),
                value,
                counts: true,
                marks: vec![Mark::new(Shape::Symbol((at, 50.0), TRIANGLE), "solid")],
            }
        });
        let lines = measured.chain(miners).collect();
        Some((unit.energy_symbol(), lines, axis.labels(NARROW, words)))
    })
}

/// Work per second, one card per workload.
pub fn rates(entries: &[Entry]) -> Vec<Card> {
    let sort_key = |entry: &Entry| -entry.rate.map_or(0.0, order);
    cards(entries, sort_key, |unit, entries| {
        let ends = entries.iter().filter_map(|entry| entry.rate.map(span));
        let axis = Axis::logarithmic(ends.flatten())?;
        let words = |per_second: f64| Rate { per_second, unit }.to_string();
        let of_entry = |entry: &&Entry| Line {
            status: if entry.counts() { entry.published_words() } else { entry.state().into() },
            about: about_rate(entry),
            ..line(&axis, entry, entry.rate, words)
        };
        let lines = entries.iter().take(MAX_LINES).map(of_entry).collect();
        Some(("", lines, axis.labels(NARROW, words)))
    })
}

/// A card for each workload, in the order of units, ceilings last; entries are sorted by `key`. `drawn` gives the unit of the figures, lines
/// and labels; without any there is no card.
fn cards(
    entries: &[Entry],
    key: impl Fn(&Entry) -> f64,
    drawn: impl Fn(Unit, &[&Entry]) -> Option<(&'static str, Vec<Line>, Vec<Label>)>,
) -> Vec<Card> {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|a, b| key(a).total_cmp(&key(b)));
    entries.sort_by_cached_key(|entry| {
        let workload = &entry.workload;
        (workload.id.is_ceiling(), workload.unit, natural(&workload.spec))
    });
    let card = |entries: &[&Entry]| {
        let workload = &entries[0].workload;
        let (unit, lines, ticks) = drawn(workload.unit, entries)?;
        let (subject, options) = workload.spec.split_once(':').unwrap_or((&workload.spec, ""));
        let (subject, options) = (subject.into(), options.replace(':', " · "));
        let more = entries.len().saturating_sub(MAX_LINES);
        Some(Card { unit, subject, options, lines, ticks, more })
    };
    entries.chunk_by(|a, b| a.workload.spec == b.workload.spec).filter_map(card).collect()
}

fn line(
    axis: &Axis,
    entry: &Entry,
    figure: Option<Interval>,
    words: impl Fn(f64) -> String,
) -> Line {
    let counts = entry.counts();
    let value = figure.map_or("–".into(), |figure| match (figure.value, figure.ends()) {
        (Some(value), Some((low, high))) if entry.rows > 1 => {
            format!("{} ({} to {})", words(value), words(low), words(high))
        }
        (Some(value), Some(_)) => {
            format!("{} ±{} %", words(value), percent(figure.relative_half_width()))
        }
        (Some(value), None) => words(value),
        (None, _) => format!("{} to {}", words(figure.low), words(figure.high)),
    });
    let status = match counts {
        false => format!("{}: {}", entry.state(), entry.reasons.join("; ")),
        true if entry.rows > 1 => format!("{}, {} rows", entry.source_words(), entry.rows),
        true => entry.source_words(),
    };
    let flag = if entry.is_software() { format!(", {EMULATES}") } else { String::new() };
    Line {
        class: entry.class.into_str(),
        name: format!("{}{flag}", entry.name),
        value,
        status,
        about: about(entry),
        counts,
        marks: figure.map_or(Vec::new(), |figure| drawn(axis, entry, figure)),
    }
}

/// A measured figure as a dot with its interval, a declared one as a diamond, a modelled one as a range; a cross if it does not count.
fn drawn(axis: &Axis, entry: &Entry, figure: Interval) -> Vec<Mark> {
    let [low, high] = span(figure);
    let at = (axis.at(figure.value.unwrap_or(low)), 50.0);
    let (low, high) = (axis.at(low), axis.at(high));
    let line = |class: &str| Mark::new(Shape::Line((low, 50.0), (high, 50.0)), class);
    let cap = |x: f64| Mark::new(Shape::Line((x, 30.0), (x, 70.0)), "stroke");
    let symbol = |path, class: &str| Mark::new(Shape::Symbol(at, path), class);
    let with_interval = |mark| vec![line("stroke"), cap(low), cap(high), mark];
    match (entry.counts(), figure.value, figure.provenance) {
        (false, ..) => vec![line("stroke faint"), symbol(CROSS, "stroke")],
        (_, None, _) => {
            vec![Mark::new(Shape::Area((low, 22.0), (high, 78.0), Some(entry.class)), "range")]
        }
        (_, _, Provenance::Declared) => with_interval(symbol(DIAMOND, "hollow")),
        _ => with_interval(Mark::new(Shape::Dot(at, 5.0), "solid")),
    }
}

fn about(entry: &Entry) -> String {
    let rows = entry.rows;
    let pooled = format!("The median of {rows} rows, from the lowest end to the highest. ");
    let left_out = format!("{} invalid rows are left out. ", entry.left_out);
    let limit = entry.power_limit.map(|limit| format!("Power limit {}. ", Watts(limit)));
    [
        if rows > 1 { &pooled } else { "" },
        if entry.left_out > 0 { &left_out } else { "" },
        limit.as_deref().unwrap_or_default(),
        &entry.about,
    ]
    .concat()
}

fn about_rate(entry: &Entry) -> String {
    let published = entry.published.as_ref().map(|p| (&p.reference, &p.known));
    let mut about = match published {
        Some((reference, Some((share, source)))) => {
            format!("{} % of {reference}, as published: {source}.", percent(*share))
        }
        Some((reference, None)) => format!("No published figure for this device: {reference}."),
        None => "No published rate to compare with.".into(),
    };
    if entry.outcome == Outcome::Measured {
        about = format!("{} {about}", entry.about_rate());
    }
    if !entry.ceilings.is_empty() {
        about += &format!(" In the same run it reaches {}.", entry.ceilings.join(" and "));
    }
    if !entry.counts() {
        about = format!("{}: {}. {about}", entry.state(), entry.reasons.join("; "));
    }
    about
}
