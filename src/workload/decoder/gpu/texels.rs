//! Device memory of a decoder: textures of known size, and the buffers of a step.

use crate::gpu::{Buffer, Gpu, GpuError, Memory, Resource};
use crate::kernels::BindingKind;
use crate::model::Config;
use crate::workload::decoder::engine::EngineError;

/// A texture of 32-bit numbers.
pub(super) struct Texels {
    memory: Memory,
    count: u64,
}

impl Texels {
    /// Zeros, at least this many.
    pub(super) fn zeros(gpu: &Gpu, numbers: usize) -> Result<Texels, GpuError> {
        let count = numbers.div_ceil(4).max(1) as u64;
        Ok(Texels { memory: gpu.memory(BindingKind::Texture, count)?, count })
    }

    /// These numbers, padded with zeros to whole texels.
    pub(super) fn of(gpu: &Gpu, mut values: Vec<f32>) -> Result<Texels, GpuError> {
        let texels = Texels::zeros(gpu, values.len())?;
        values.resize(4 * texels.count as usize, 0.0);
        gpu.write_memory(&texels.memory, 0, bytemuck::cast_slice(&values))?;
        Ok(texels)
    }

    /// Overwrites everything by repeating a pattern of whole texels.
    pub(super) fn fill(&self, gpu: &Gpu, pattern: &[u32]) -> Result<(), GpuError> {
        for first in (0..self.count).step_by(pattern.len() / 4) {
            let words = pattern.len().min(4 * (self.count - first) as usize);
            gpu.write_memory(&self.memory, first, &pattern[..words])?;
            gpu.flush()?;
        }
        Ok(())
    }

    pub(super) fn resource(&self) -> Resource<'_> {
        self.memory.resource()
    }
}

/// Buffers of the rows that go through the layers together.
pub(super) struct Rows {
    /// Maximum rows, and rows of a panel.
    pub(super) capacity: usize,
    pub(super) panel: usize,
    /// Parameters of the step: position, tokens per sequence, rows, unused.
    pub(super) step: Buffer,
    pub(super) tokens: Buffer,
    /// The residual stream before and in the middle of a layer.
    pub(super) streams: [Texels; 2],
    pub(super) queries: Texels,
    pub(super) attended: Texels,
    pub(super) gated: Texels,
}

impl Rows {
    /// Allocates buffers for `capacity` rows in panels of `panel`.
    pub(super) fn new(
        gpu: &Gpu,
        config: &Config,
        capacity: usize,
        panel: usize,
    ) -> Result<Rows, EngineError> {
        let rows = capacity.next_multiple_of(panel);
        let zeros = |width: usize| Texels::zeros(gpu, rows * width);
        Ok(Rows {
            capacity,
            panel,
            step: gpu.storage(16)?,
            tokens: gpu.storage(4 * rows as u64)?,
            streams: [zeros(config.hidden_size)?, zeros(config.hidden_size)?],
            queries: zeros(config.heads * config.head_dim)?,
            attended: zeros(config.heads * config.head_dim)?,
            gated: zeros(config.intermediate_size)?,
        })
    }

    /// Bytes of its activations.
    pub(super) fn bytes(config: &Config, capacity: usize, panel: usize) -> u64 {
        let numbers =
            2 * config.hidden_size + 2 * config.heads * config.head_dim + config.intermediate_size;
        4 * (capacity.next_multiple_of(panel) * numbers) as u64
    }

    /// Overwrites activations with NaN, and tokens with invalid ones.
    pub(super) fn poison(&self, gpu: &Gpu, nan: &[u32]) -> Result<(), GpuError> {
        let [before, middle] = &self.streams;
        for texels in [before, middle, &self.queries, &self.attended, &self.gated] {
            texels.fill(gpu, nan)?;
        }
        gpu.write(&self.tokens, 0, &vec![u32::MAX; self.tokens.size() as usize / 4])
    }
}
