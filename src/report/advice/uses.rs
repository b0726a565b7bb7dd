//! The table of revenue per kWh in each use.

use super::common::{columns, grouped, how, only_device};
use super::figures::{bounded, cell, plain, price};
use crate::device::Class;
use crate::economics::{Advice, Choice, Kind};
use crate::report::table::{Table, cells};
use crate::units::Provenance;

/// Ranked choices, best first, then unranked ones.
pub(super) fn table(advice: &Advice) -> Table {
    let hardware = advice.choices.iter().any(|choice| choice.hardware.is_some());
    let mut heads = columns([
        ("use", false),
        ("earns, $/kWh", true),
        ("after the halving", true),
        ("hardware", true),
        ("left after power", true),
        ("joules", false),
    ]);
    if !hardware {
        heads.remove(3);
    }
    let ranked = advice.ranking.order.iter().map(|ranked| &advice.choices[ranked.choice]);
    let unranked = advice.choices.iter().filter(|choice| !choice.has_wall_energy());
    let alone = only_device(advice).is_some();
    let row = |choice: &Choice| {
        let ranked = choice.has_wall_energy();
        let after = bounded(choice.revenue_after_halving, ranked);
        let after = if choice.kind.hashes() { after } else { "same".into() };
        let mut row = vec![name(choice, alone), bounded(choice.revenue, ranked), after];
        if hardware {
            row.push(choice.hardware.map_or("not given".into(), cell));
        }
        row.extend([bounded(choice.margin, ranked), joules(choice)]);
        row
    };
    let conditions = &advice.conditions;
    Table {
        title: format!(
            "What a kilowatt-hour bought at {} earns (PUE {}, sold {} % of the time)",
            price(conditions.electricity),
            plain(conditions.pue),
            plain(100.0 * conditions.utilisation)
        ),
        columns: heads,
        rows: ranked.chain(unranked).map(row).map(cells).collect(),
        notes: notes(advice, hardware),
    }
}

/// The use and, on its own line, the device unless there is only one.
fn name(choice: &Choice, alone: bool) -> String {
    let subject = &choice.subject;
    let on = choice.device.as_ref().map(|on| {
        let emulated = if on.class == Class::SoftwareGpu { ", emulated" } else { "" };
        format!("{}{emulated}", on.name)
    });
    let on = if alone { "here".to_string() } else { on.unwrap_or_default() };
    let below = if alone { String::new() } else { format!("\n{on}") };
    match choice.kind {
        Kind::HashAsic => format!("hash: {subject}"),
        Kind::HashHere => format!("hash: {on}"),
        Kind::Infer => format!("sell {subject}{below}"),
        Kind::Rent => format!("rent out: {subject}{below}"),
    }
}

/// Provenance and scope of the joules.
fn joules(choice: &Choice) -> String {
    match choice.provenance {
        Provenance::Published => "published".into(),
        provenance => format!("{}\n{}", how(provenance), choice.scope.into_str()),
    }
}

fn notes(advice: &Advice, hardware: bool) -> Vec<String> {
    let mut notes: Vec<String> =
        only_device(advice).into_iter().map(|on| format!("Measured here: {}.", on.name)).collect();
    if !hardware {
        notes.push(
            "A use pays while power costs less than it earns. The cost of hardware is not included: give it, with its lifetime, in the market file.".into(),
        );
    } else if !advice.ranking.counts_hardware {
        notes.push(
            "The cost of hardware, where given, is included in what is left after power, but not in the order.".into(),
        );
    }
    let bounds = advice.choices.iter().filter_map(|choice| choice.upper_bound_reason.as_ref());
    let bounds = grouped(bounds.map(|why| (why, ()))).into_iter();
    notes.extend(bounds.map(|(why, _)| format!("≤: an upper bound, not ranked: {why}.")));
    let absent =
        advice.missing_choices.iter().map(|absent| (&absent.reason, absent.label.as_str()));
    let absent = grouped(absent).into_iter();
    notes.extend(absent.map(|(reason, labels)| format!("No {}: {reason}.", labels.join(", no "))));
    notes
}
