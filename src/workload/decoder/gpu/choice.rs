//! Ways to run a decoder: which kernel multiplies, and how many rows at a time.

/// A way to run a decoder.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// Name in results.
    pub id: &'static str,
    /// Most rows that a workgroup multiplies at a time.
    pub rows: usize,
    /// Invocations of a workgroup. Of products, those that are more than 8 share the terms, or have rows instead.
    pub workgroup: usize,
}

impl Choice {
    /// Parts of the terms of a product of so many rows at a time.
    pub(super) fn split(&self, rows: usize) -> usize {
        (self.workgroup / 8 / rows).max(1)
    }
}

/// Every way, the default first.
pub const CHOICES: &[Choice] = &[
    // Where a subgroup is 8 lanes of one processor.
    Choice { id: "decoder/rows-16", rows: 16, workgroup: 8 },
    Choice { id: "decoder/rows-8", rows: 8, workgroup: 8 },
    Choice { id: "decoder/panels-4", rows: 4, workgroup: 8 },
    // Where thousands of invocations must be busy.
    Choice { id: "decoder/split-256", rows: 8, workgroup: 256 },
    Choice { id: "decoder/split-64", rows: 8, workgroup: 64 },
];
