//! The table of devices.

use super::table::{Column, Table, cells};
use crate::results::wire::{Found, FoundSource, Quantity};
use crate::units::{Bytes, Seconds, significant};

/// What can be measured here.
pub fn devices(found: &[Found]) -> Table {
    let rows = found.iter().map(|Found { device, sources, .. }| {
        let mut about = Vec::new();
        match &device.gpu {
            Some(gpu) => {
                about.push(gpu.driver.clone());
                let others: String = gpu.other_backends.iter().map(|b| format!(", {b}")).collect();
                about.push(format!("{}{others}", gpu.backend));
                about.extend(gpu.pci.iter().map(|pci| format!("at {pci}")));
                about.push(format!(
                    "binding up to {}, workgroup memory {}",
                    Bytes(gpu.storage_binding_bytes),
                    Bytes(gpu.workgroup_memory_bytes)
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
        let flag = if device.software { "\nsoftware adapter" } else { "" };
        cells([
            device.id.clone(),
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
    if found.iter().any(|found| found.device.software) {
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
fn brief(found: &FoundSource) -> String {
    let source = &found.source;
    let how = match source.quantity {
        Quantity::Counter { .. } => "counter",
        Quantity::Power { .. } => "power",
    };
    let period = source.update_period_seconds.map(|p| format!(", every {}", Seconds(p)));
    format!(
        "{} {how}, {}{}, ±{} % ({})",
        source.kind,
        super::scope(found.scope),
        period.unwrap_or_default(),
        significant(100.0 * source.accuracy),
        source.accuracy_basis
    )
}

/// The sources of joules that were found, with what they are worth.
pub fn sources(found: &[Found]) -> Table {
    let rows = found.iter().flat_map(|Found { device, sources, .. }| {
        sources.iter().map(|found| {
            let source = &found.source;
            let quantity = match source.quantity {
                Quantity::Counter { .. } => "joules".to_string(),
                Quantity::Power { averaging_seconds: 0.0 } => "watts".to_string(),
                Quantity::Power { averaging_seconds } => {
                    format!("watts, mean of {}", Seconds(averaging_seconds))
                }
            };
            let period = source.update_period_seconds;
            let accuracy = significant(100.0 * source.accuracy);
            cells([
                device.id.clone(),
                format!("{}\n{}", source.kind, source.model),
                super::scope(found.scope).to_string(),
                quantity,
                period.map_or("found while measuring".into(), |p| Seconds(p).to_string()),
                format!("±{accuracy} %\n{}", source.accuracy_basis),
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
