//! The tables of devices and energy sources.

use super::notes::{SOFTWARE, applying};
use super::provenance::reads;
use super::table::{Cell, Column, Field, Table};
use crate::device::{Class, Device};
use crate::energy::{Listing, Quantity, SourceInfo};
use crate::units::significant;

/// The devices that were found.
pub fn devices(found: &[Listing]) -> Table {
    let fields: [Field<Listing>; 4] = [
        (Column::words("device"), |found| found.device.id.to_string().into()),
        (Column::words("class"), |found| {
            let software = found.device.class == Class::SoftwareGpu;
            let flag = if software { "\nsoftware adapter" } else { "" };
            format!("{}{flag}", found.device.class).into()
        }),
        (Column::words("name"), |found| found.device.name.as_str().into()),
        (Column::words("driver, features, energy"), about),
    ];
    let any = |test: fn(&Listing) -> bool| found.iter().any(test);
    let notes = applying([
        (any(|found| found.device.class == Class::SoftwareGpu), SOFTWARE),
        (
            any(|found| found.sources.is_empty()),
            "No energy source: rigbench doctor lists what can be read, and how.",
        ),
    ]);
    Table { notes, ..Table::of("Devices", &fields, found) }
}

fn about(Listing { device, sources, .. }: &Listing) -> Cell {
    let mut about = Vec::new();
    match &device.gpu {
        Some(gpu) => {
            about.push(gpu.driver.clone());
            let others: String = gpu.other_backends.iter().map(|b| format!(", {b}")).collect();
            about.push(format!("{}{others}", gpu.backend));
            about.extend(gpu.pci.iter().map(|pci| format!("at {pci}")));
            about.push(format!(
                "binding up to {}, workgroup memory {}",
                gpu.limits.storage_binding, gpu.limits.workgroup_memory
            ));
            about.push(match (gpu.subgroup_min, gpu.subgroup_max) {
                (min, max) if min == max => format!("subgroups of {min}"),
                (min, max) => format!("subgroups of {min} to {max}"),
            });
        }
        None => about.extend(device.threads.map(|n| format!("{n} threads"))),
    }
    if !device.features.is_empty() {
        about.push(device.features.join(" "));
    }
    match &sources[..] {
        [] => about.push("no energy source".into()),
        some => about.extend(some.iter().map(brief)),
    }
    about.join("\n").into()
}

/// `nvml counter, gpu-board, every 0.100 s, ±5.00 % (assumed)`.
fn brief(source: &SourceInfo) -> String {
    let how = match source.quantity {
        Quantity::Counter { .. } => "counter",
        Quantity::Power { .. } => "power",
    };
    let period = source.update_period.map(|p| format!(", every {p}")).unwrap_or_default();
    let (percent, basis) = accuracy(source);
    let scope = source.scope.into_str();
    format!("{} {how}, {scope}{period}, ±{percent} % ({basis})", source.kind)
}

/// What a meter's figures may be off by, in percent, and who says so.
fn accuracy(source: &SourceInfo) -> (String, &'static str) {
    (significant(100.0 * source.accuracy.share), source.accuracy.basis.into_str())
}

/// The energy sources that were found, with scope and accuracy.
pub fn sources(found: &[Listing]) -> Table {
    let fields: [Field<(&Device, &SourceInfo)>; 6] = [
        (Column::words("device"), |(device, _)| device.id.to_string().into()),
        (Column::words("source"), |(_, it)| format!("{}\n{}", it.kind, it.model).into()),
        (Column::words("scope"), |(_, it)| it.scope.into_str().into()),
        (Column::words("reads"), |(_, it)| reads(&it.quantity).into()),
        (Column::words("updated every"), |(_, it)| {
            it.update_period.map_or("detected during a run".into(), |p| p.to_string()).into()
        }),
        (Column::words("accuracy"), |(_, it)| {
            let (percent, basis) = accuracy(it);
            format!("±{percent} %\n{basis}").into()
        }),
    ];
    let listed = found.iter().flat_map(|Listing { device, sources, .. }| {
        sources.iter().map(move |source| (device, source))
    });
    Table::of("Energy sources", &fields, &listed.collect::<Vec<_>>())
}
