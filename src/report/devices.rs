//! The table of devices.

use super::table::{Column, Table};
use crate::results::wire::Device;
use crate::units::Bytes;

/// What can be measured here.
pub fn devices(devices: &[Device]) -> Table {
    let rows = devices.iter().map(|device| {
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
        let flag = if device.software { "\nsoftware adapter" } else { "" };
        vec![
            device.id.clone(),
            format!("{}{flag}", device.class),
            device.name.clone(),
            about.join("\n"),
        ]
    });
    let mut table = Table {
        title: "Devices".into(),
        columns: ["device", "class", "name", "driver and features"]
            .map(|head| Column { head, figures: false })
            .to_vec(),
        rows: rows.collect(),
        notes: Vec::new(),
    };
    if devices.iter().any(|d| d.software) {
        table.notes.push(
            "A software adapter is a CPU that emulates a GPU: it shows that kernels are right, not how fast a GPU is."
                .into(),
        );
    }
    table
}
