//! Recorded dispatches.

use crate::gpu::{Bindings, Dispatch, Pipeline};
use crate::kernels::Kernel;
use std::ops::Range;
use std::rc::Rc;

/// Stage of a step that a dispatch belongs to, in the order of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Token embedding.
    Embed,
    /// RMSNorm, QKV projection, RoPE, and writing the KV cache.
    Qkv,
    /// Attention.
    Attention,
    /// Attention output projection, added to the residual stream.
    AttentionOutput,
    /// RMSNorm, gate and up projections, and SwiGLU.
    GateUp,
    /// Down projection, added to the residual stream.
    Down,
    /// Copies the last row of each sequence.
    LastRows,
    /// Final RMSNorm and LM head.
    LmHead,
    /// Argmax: the next tokens.
    Argmax,
}

/// A kernel and its pipeline.
pub(super) struct Compiled {
    pub(super) kernel: Kernel,
    pub(super) pipeline: Pipeline,
}

/// What a dispatch covers.
pub(super) struct Grid {
    /// Workgroups along x.
    pub(super) across: usize,
    pub(super) rows: Range<usize>,
    /// Rows per workgroup.
    pub(super) rows_per_group: usize,
    /// Operations per row.
    pub(super) operations: u64,
}

impl Grid {
    /// A workgroup has one row, and the dispatch has all of them.
    pub(super) fn all_rows(across: usize, operations: usize) -> Grid {
        Grid { across, rows: 0..usize::MAX, rows_per_group: 1, operations: operations as u64 }
    }
}

/// A recorded dispatch.
pub(super) struct Work {
    pub(super) stage: Stage,
    pub(super) compiled: Rc<Compiled>,
    pub(super) bindings: Bindings,
    pub(super) grid: Grid,
}

impl Work {
    /// The dispatch for `rows` rows in total, and its operations; `None` if there is nothing to do.
    pub(super) fn dispatch(&self, rows: usize) -> Option<(Dispatch<'_>, u64)> {
        let Grid { across, rows: Range { start, end }, rows_per_group, operations } = self.grid;
        let rows = rows.min(end).saturating_sub(start);
        let groups = [across as u32, rows.div_ceil(rows_per_group) as u32, 1];
        let (pipeline, bindings) = (&self.compiled.pipeline, &self.bindings);
        (rows > 0).then_some((Dispatch { pipeline, bindings, groups }, operations * rows as u64))
    }
}
