//! The tables of devices and energy sources.

use super::provenance::reads;
use super::table::{Column, Table, cells};
use crate::device::Class;
use crate::energy::{Listing, Quantity, SourceInfo};
use crate::units::significant;

/// The devices that were found.
pub fn devices(found: &[Listing]) -> Table {
    let rows = found.iter().map(|Listing { device, sources, .. }| {
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
                let sizes = (gpu.subgroup_min, gpu.subgroup_max);
                about.push(match sizes {
                    (min, max) if min == max => format!("subgroups of {min}"),
                    (min, max) => format!("subgroups of {min} to {max}"),
                });
            }
            None => about.extend(device.threads.map(|n| format!("{n} threads"))),
        }
        if !device.features.is_empty() {
            about.push(device.features.join(" "));
        }
        about.push(match &sources[..] {
            [] => "no energy source".into(),
            some => some.iter().map(brief).collect::<Vec<_>>().join("\n"),
        });
        let flag = if device.class == Class::SoftwareGpu { "\nsoftware adapter" } else { "" };
        cells([
            device.id.to_string(),
            format!("{}{flag}", device.class),
            device.name.clone(),
            about.join("\n"),
        ])
    });
    let mut table = Table {
        title: "Devices".into(),
        columns: ["device", "class", "name", "driver, features, energy"]
            .map(Column::words)
            .to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    };
    if found.iter().any(|found| found.device.class == Class::SoftwareGpu) {
        table.notes.push(
            "A software adapter is a CPU that emulates a GPU: it shows that kernels are right, not how fast a GPU is."
                .into(),
        );
    }
    if found.iter().any(|found| found.sources.is_empty()) {
        table
            .notes
            .push("No energy source: rigbench doctor says what could be read, and how.".into());
    }
    table
}

/// `nvml counter, gpu-board, every 0.100 s, ±5.00 % (assumed)`.
fn brief(source: &SourceInfo) -> String {
    let how = match source.quantity {
        Quantity::Counter { .. } => "counter",
        Quantity::Power { .. } => "power",
    };
    let period = source.update_period.map(|p| format!(", every {p}"));
    format!(
        "{} {how}, {}{}, ±{} % ({})",
        source.kind,
        source.scope.name(),
        period.unwrap_or_default(),
        significant(100.0 * source.accuracy.share),
        source.accuracy.basis.name()
    )
}

/// The energy sources that were found, with scope and accuracy.
pub fn sources(found: &[Listing]) -> Table {
    let rows = found.iter().flat_map(|Listing { device, sources, .. }| {
        sources.iter().map(|source| {
            let accuracy = significant(100.0 * source.accuracy.share);
            cells([
                device.id.to_string(),
                format!("{}\n{}", source.kind, source.model),
                source.scope.name().to_string(),
                reads(&source.quantity),
                source.update_period.map_or("found while measuring".into(), |p| p.to_string()),
                format!("±{accuracy} %\n{}", source.accuracy.basis.name()),
            ])
        })
    });
    Table {
        title: "Energy sources".into(),
        columns: ["device", "source", "scope", "reads", "updated every", "accuracy"]
            .map(Column::words)
            .to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    }
}
