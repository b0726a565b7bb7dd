//! The kernels that a card may be asked to run.

use rigbench::kernels::{self, Entry, Kernel, KernelError};
use rigbench::workload::decoder::gpu::{KERNEL_SETS, KernelSet};
use std::collections::BTreeMap;

/// A kernel and what to call it.
pub struct Variant {
    pub kernel: Kernel,
    /// What distinguishes a decoder's kernels of the same id: ` of 8` rows.
    pub suffix: String,
}

type Values = Vec<(&'static str, String)>;

/// Every variant of the table with every type; of a decoder the gate behind a norm, as real cards run it, for each type.
pub fn for_table() -> Result<Vec<Variant>, KernelError> {
    let mut all = of_table("")?;
    for entry in kernels::DECODER {
        for mut values in decoder_values(entry) {
            let rows = values.iter().find(|(name, _)| *name == "ROWS").map(|(_, rows)| rows);
            let suffix = rows.map_or(String::new(), |rows| format!(" of {}", digits(rows)));
            values.push(("HEAD_SIZE", "64u".into()));
            all.push(Variant { kernel: Kernel::with_params(entry, &values)?, suffix });
        }
    }
    Ok(all)
}

fn digits(value: &str) -> &str {
    value.trim_end_matches('u')
}

fn of_table(wanted: &str) -> Result<Vec<Variant>, KernelError> {
    let mut all = Vec::new();
    for entry in kernels::TABLE.iter().chain([kernels::adder()]) {
        if entry.id.contains(wanted) {
            let kernels = Kernel::all(entry)?.into_iter();
            all.extend(kernels.map(|kernel| Variant { kernel, suffix: String::new() }));
        }
    }
    Ok(all)
}

/// Parameters of a decoder's kernel for the table.
fn decoder_values(entry: &Entry) -> Vec<Values> {
    let rows: &[(u32, u32)] = match entry.source().trim_start_matches("decoder/") {
        "panels" => &[(1, 32), (8, 4)],
        "tiles" | "matrices" => &[(64, 1)],
        // For software adapters.
        "rows" => &[],
        _ => return vec![vec![("SPLIT", "32u".into()), ("WORKGROUP", "256u".into())]],
    };
    let types = |&(rows, split)| [16, 8, 4].map(|bits| product(rows, split, bits, false, 2));
    rows.iter().flat_map(types).collect()
}

/// A decoder's product with the parameters that [`KernelSet`]s give it; all but the residual's are behind a norm.
fn product(rows: u32, split: u32, bits: u32, offsets: bool, finish: u32) -> Values {
    let mut values = vec![
        ("ROWS", format!("{rows}u")),
        ("SPLIT", format!("{split}u")),
        ("B_BITS", format!("{bits}u")),
        ("OFFSETS", offsets.to_string()),
        ("FINISH", format!("{finish}u")),
    ];
    if finish != 1 {
        values.push(("EPSILON", "1e-5".into()));
    }
    values
}

/// Everything that the product can compile, by name and each text once.
pub fn every(wanted: &str) -> Result<BTreeMap<String, Kernel>, KernelError> {
    let types = |kernel: &Kernel| {
        let [a, b] = ["A_BITS", "B_BITS"].map(|name| kernel.constant(name));
        a.zip(b).map_or(String::new(), |(a, b)| format!("-{a}x{b}"))
    };
    let mut all: BTreeMap<String, Kernel> = of_table(wanted)?
        .into_iter()
        .map(|Variant { kernel, .. }| (format!("{}{}", kernel.id, types(&kernel)), kernel))
        .collect();
    let mut add = |entry: &'static Entry, values: &[(&'static str, String)]| {
        let named = values.iter().map(|(name, value)| format!("-{name}={}", digits(value)));
        let name = named.fold(entry.id.to_string(), |id, value| id + &value);
        if entry.id.contains(wanted) && !all.contains_key(&name) {
            let more = [values, &[("HEAD_SIZE", "64u".into())]].concat();
            all.insert(name, Kernel::with_params(entry, &more)?);
        }
        Ok(())
    };
    let weights = [(32, false), (16, false), (8, false), (4, false), (4, true)];
    for set in KERNEL_SETS {
        for rows in panels(set) {
            let split = (set.workgroup / 8 / rows as usize).max(1) as u32;
            let many = set.products().next().filter(|_| rows as usize == set.rows);
            let few = set.products().last().filter(|_| rows <= 8);
            for id in [many, few].into_iter().flatten() {
                for (bits, offsets) in weights {
                    for finish in 0..4 {
                        let values = product(rows, split, bits, offsets, finish);
                        add(kernels::of_decoder(id), &values)?;
                    }
                }
            }
            for (bits, offsets) in weights {
                let values = [
                    ("ROWS", format!("{rows}u")),
                    ("B_BITS", format!("{bits}u")),
                    ("OFFSETS", offsets.to_string()),
                ];
                add(kernels::of_decoder("decoder/embed"), &values)?;
            }
            let split = ("SPLIT", format!("{}u", set.workgroup / 8));
            let row = ("ROWS", format!("{rows}u"));
            add(kernels::of_decoder("decoder/attend"), &[row.clone(), split])?;
            for from in panels(set) {
                let from = ("FROM", format!("{from}u"));
                add(kernels::of_decoder("decoder/pick"), &[from, row.clone()])?;
            }
        }
        let workgroup = ("WORKGROUP", format!("{}u", set.workgroup));
        add(kernels::of_decoder("decoder/choose"), &[workgroup])?;
    }
    Ok(all)
}

/// The panels of rows that a set multiplies.
fn panels(set: &KernelSet) -> Vec<u32> {
    let few = [1, 2, 4, 8].into_iter().filter(|rows| *rows < set.rows as u32);
    few.chain([set.rows as u32]).collect()
}
