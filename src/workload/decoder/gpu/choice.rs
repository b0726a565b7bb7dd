//! Ways to run a decoder: which kernels multiply, and how many rows at a time.

use crate::device::Class;
use crate::gpu::Gpu;
use crate::kernels::{Kernel, of_decoder};
use crate::workload::decoder::Phase;

/// A way to run a decoder.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name in results.
    pub id: &'static str,
    /// Most rows that a workgroup multiplies at a time.
    pub rows: usize,
    /// Invocations of a workgroup. Of products of few rows, those that are more than 8 share the terms, or have rows instead.
    pub workgroup: usize,
    /// The kernel for many rows, and how many rows are: else it is that for few.
    many: Option<(&'static str, usize)>,
}

/// The kernel of products of few rows.
pub(super) const FEW: &str = "decoder/panels";
/// The most that they are.
const MOST: usize = 8;

impl Choice {
    /// The kernels of its products.
    pub fn products(&self) -> impl Iterator<Item = &'static str> {
        self.many.map(|(many, _)| many).into_iter().chain([FEW])
    }

    /// Parts of the terms of a product of so many rows at a time.
    pub(super) fn split(&self, rows: usize) -> usize {
        (self.workgroup / 8 / rows).max(1)
    }

    /// Rows of a panel where there are so many in all.
    pub(super) fn panel(&self, rows: usize) -> usize {
        match rows.next_power_of_two() {
            few @ ..=MOST => few.min(self.rows),
            _ => self.rows,
        }
    }

    /// The kernel of products of panels of so many rows.
    pub(super) fn product(&self, panel: usize) -> &'static str {
        self.many.map_or(FEW, |(many, least)| if panel >= least { many } else { FEW })
    }
}

/// The ways that suit a device and that it can run, but of those that do the same in this phase only the first.
pub(in crate::workload::decoder) fn choices(
    gpu: &Gpu,
    phase: Phase,
    batch: usize,
) -> Vec<&'static Choice> {
    let software = gpu.description().class == Class::SoftwareGpu;
    let lacks = |id| Kernel::given(of_decoder(id), &[]).is_ok_and(|k| gpu.lacks(&k).is_some());
    let mut choices: Vec<&Choice> = Vec::new();
    for choice in CHOICES.iter().filter(|choice| software == (choice.workgroup == 8)) {
        let does = |choice: &Choice| {
            let panel = match phase {
                Phase::Prefill => choice.rows,
                Phase::Decode => choice.panel(batch),
            };
            (panel, choice.product(panel), choice.workgroup)
        };
        let cannot = choice.many.is_some_and(|(many, _)| lacks(many));
        if !cannot && choices.iter().all(|other| does(other) != does(choice)) {
            choices.push(choice);
        }
    }
    choices
}

/// Every way, the default first.
pub const CHOICES: &[Choice] = &[
    // Where a subgroup is 8 lanes of one processor.
    Choice { id: "decoder/rows-16", rows: 16, workgroup: 8, many: Some(("decoder/rows", 8)) },
    Choice { id: "decoder/rows-8", rows: 8, workgroup: 8, many: Some(("decoder/rows", 8)) },
    Choice { id: "decoder/panels-4", rows: 4, workgroup: 8, many: None },
    // Where thousands of invocations must be busy.
    block("decoder/matrices", "decoder/matrices"),
    block("decoder/matrices-lanes64", "decoder/matrices-lanes64"),
    block("decoder/tiles", "decoder/tiles"),
    Choice { id: "decoder/split-256", rows: 8, workgroup: 256, many: None },
    Choice { id: "decoder/split-64", rows: 8, workgroup: 64, many: None },
    // For the software adapter, to be verified there.
    block("decoder/matrices-lanes8", "decoder/matrices-lanes8"),
];

/// Many rows in blocks that workgroup memory holds.
const fn block(id: &'static str, kernel: &'static str) -> Choice {
    Choice { id, rows: 64, workgroup: 256, many: Some((kernel, 64)) }
}
