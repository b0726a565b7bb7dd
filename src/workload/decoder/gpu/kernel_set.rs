//! Kernel sets of a decoder: which kernels multiply, and how many rows at a time.

use crate::device::Class;
use crate::gpu::Gpu;
use crate::kernels::{Kernel, of_decoder};
use crate::workload::Id;

/// A choice of a decoder's kernels.
#[derive(Debug, PartialEq, Eq)]
pub struct KernelSet {
    /// Name in results.
    pub id: &'static str,
    /// Maximum rows that a workgroup multiplies at a time.
    pub rows: usize,
    /// Workgroup size in invocations. In products of few rows, invocations beyond 8 take more rows, or split the terms.
    pub workgroup: usize,
    /// The kernel for many rows and the minimum number of rows for it; else [`FEW`] is used.
    many: Option<(&'static str, usize)>,
}

/// The kernel of products of few rows.
pub(super) const FEW: &str = "decoder/panels";
/// Maximum rows that count as few.
const MAX_FEW: usize = 8;

impl KernelSet {
    /// The kernels of its products.
    pub fn products(&self) -> impl Iterator<Item = &'static str> {
        self.many.map(|(many, _)| many).into_iter().chain([FEW])
    }

    /// Number of parts that the terms of a product are split into, for this many rows at a time.
    pub(super) fn split(&self, rows: usize) -> usize {
        (self.workgroup / 8 / rows).max(1)
    }

    /// Rows of a panel for this many rows in total.
    pub(super) fn panel(&self, rows: usize) -> usize {
        match rows.next_power_of_two() {
            few @ ..=MAX_FEW => few.min(self.rows),
            _ => self.rows,
        }
    }

    /// The kernel of products for panels of this many rows.
    pub(super) fn product(&self, panel: usize) -> &'static str {
        self.many.map_or(FEW, |(many, least)| if panel >= least { many } else { FEW })
    }
}

/// The sets for a device that it supports, for `prefill` or `decode`. Of those that are equal there only the first is returned.
pub(in crate::workload::decoder) fn kernel_sets(
    gpu: &Gpu,
    id: Id,
    batch: usize,
) -> Vec<&'static KernelSet> {
    let software = gpu.description().class == Class::SoftwareGpu;
    let lacks = |kernel| Kernel::build(of_decoder(kernel)).is_ok_and(|k| gpu.lacks(&k).is_some());
    let mut sets: Vec<&KernelSet> = Vec::new();
    for set in KERNEL_SETS.iter().filter(|set| software == (set.workgroup == 8)) {
        let config = |set: &KernelSet| {
            let panel = if id == Id::Prefill { set.rows } else { set.panel(batch) };
            (panel, set.product(panel), set.workgroup)
        };
        let unsupported = set.many.is_some_and(|(many, _)| lacks(many));
        if !unsupported && sets.iter().all(|other| config(other) != config(set)) {
            sets.push(set);
        }
    }
    sets
}

/// Every set, default first.
pub const KERNEL_SETS: &[KernelSet] = &[
    // For software adapters: a subgroup is 8 SIMD lanes of one CPU thread.
    KernelSet { id: "decoder/rows-16", rows: 16, workgroup: 8, many: Some(("decoder/rows", 8)) },
    KernelSet { id: "decoder/rows-8", rows: 8, workgroup: 8, many: Some(("decoder/rows", 8)) },
    KernelSet { id: "decoder/panels-4", rows: 4, workgroup: 8, many: None },
    // For real GPUs: thousands of invocations must be busy.
    block("decoder/matrices"),
    block("decoder/matrices-lanes64"),
    block("decoder/tiles"),
    KernelSet { id: "decoder/split-256", rows: 8, workgroup: 256, many: None },
    KernelSet { id: "decoder/split-64", rows: 8, workgroup: 64, many: None },
    // For the software adapter, so that tests can verify the kernel there.
    block("decoder/matrices-lanes8"),
];

/// Many rows in blocks that fit workgroup memory, by the kernel of the same name.
const fn block(id: &'static str) -> KernelSet {
    KernelSet { id, rows: 64, workgroup: 256, many: Some((id, 64)) }
}
