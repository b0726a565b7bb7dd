//! Records the dispatches of a step once: which kernels run, with which parameters, on which buffers.

use super::kernel_set::KernelSet;
use super::model::Model;
use super::texels::{Rows, Texels};
use super::weights::{Product, Slice, TILE};
use super::work::{Compiled, Grid, Stage, Work};
use crate::gpu::{Buffer, Gpu, GpuError, Resource};
use crate::kernels::{Kernel, of_decoder};
use crate::model::Config;
use crate::workload::decoder::engine::EngineError;
use std::collections::HashMap;
use std::iter::once;
use std::rc::Rc;

/// Placeholders for bindings that a kernel does not use.
struct Placeholders {
    result: Texels,
    cache: Texels,
    rope: Texels,
    logits: Buffer,
    largest: Buffer,
}

/// Epilogue of a product, with what it reads and writes: `FINISH` of `kernels/decoder/product.wgsl`. All have an RMSNorm before the
/// product, except for `Add`.
enum Epilogue<'a> {
    /// Biases, RoPE, keys and values into the KV cache.
    Qkv { queries: &'a Texels, cache: &'a Texels, rope: &'a Texels },
    /// Adds the product to the residual stream.
    Add { sum: &'a Texels },
    /// SwiGLU.
    SwiGlu { gated: &'a Texels },
    /// Logits, and the maximum of each tile.
    Logits { logits: &'a Buffer, largest: &'a Buffer },
}

/// Records the steps of a model on a device; each kernel is compiled only once.
pub(super) struct Recorder<'a> {
    gpu: &'a Gpu,
    config: &'a Config,
    set: &'a KernelSet,
    context: usize,
    /// Maximum operations per dispatch.
    budget: u64,
    compiled: HashMap<String, Rc<Compiled>>,
    unused: Rc<Placeholders>,
}

type Recorded = Result<Vec<Rc<Work>>, EngineError>;

fn uint(number: usize) -> String {
    format!("{number}u")
}

impl<'a> Recorder<'a> {
    pub(super) fn new(
        gpu: &'a Gpu,
        config: &'a Config,
        set: &'a KernelSet,
        context: usize,
        budget: u64,
    ) -> Result<Recorder<'a>, GpuError> {
        let unused = Rc::new(Placeholders {
            result: Texels::zeros(gpu, 4)?,
            cache: Texels::zeros(gpu, 4)?,
            rope: Texels::zeros(gpu, 4)?,
            logits: gpu.storage(16)?,
            largest: gpu.storage(16)?,
        });
        Ok(Recorder { gpu, config, set, context, budget, compiled: HashMap::new(), unused })
    }

    /// The token embedding and all layers, from the first stream to itself.
    pub(super) fn layers(&mut self, rows: &Rows, model: &Model, caches: &[Texels]) -> Recorded {
        let mut work = self.embed(rows, model.embedding())?;
        let [before, middle] = &rows.streams;
        for (layer, cache) in model.layers.iter().zip(caches) {
            let epilogue = Epilogue::Qkv { queries: &rows.queries, cache, rope: &model.rope };
            let norm = &layer.attention_norm;
            work.extend(self.product(rows, Stage::Qkv, &layer.qkv, before, norm, &epilogue)?);
            work.extend(self.attend(rows, cache)?);
            let (stage, output) = (Stage::AttentionOutput, &layer.attention_output);
            let (a, add) = (&rows.attended, Epilogue::Add { sum: middle });
            work.extend(self.product(rows, stage, output, a, before, &add)?);
            let (norm, gate) = (&layer.ffn_norm, Epilogue::SwiGlu { gated: &rows.gated });
            work.extend(self.product(rows, Stage::GateUp, &layer.gate_up, middle, norm, &gate)?);
            let (a, add) = (&rows.gated, Epilogue::Add { sum: before });
            work.extend(self.product(rows, Stage::Down, &layer.down, a, middle, &add)?);
        }
        Ok(work)
    }

    /// The LM head and the argmax.
    pub(super) fn head(
        &mut self,
        rows: &Rows,
        model: &Model,
        logits: &Buffer,
        largest: &Buffer,
    ) -> Recorded {
        let (a, epilogue) = (&rows.streams[0], Epilogue::Logits { logits, largest });
        let mut work = self.product(rows, Stage::LmHead, &model.head, a, &model.norm, &epilogue)?;
        let compiled =
            self.compile("decoder/choose", &[("WORKGROUP", uint(self.set.workgroup))])?;
        let tiles = model.head.columns.div_ceil(TILE);
        let resources = [largest, &rows.tokens, &rows.step].map(Resource::Buffer);
        let grid = Grid::all_rows(1, tiles);
        work.push(self.record(Stage::Argmax, &compiled, &[tiles], resources, grid)?);
        Ok(work)
    }

    /// Copies the last row of each sequence.
    pub(super) fn pick(&mut self, from: &Rows, to: &Rows) -> Result<Rc<Work>, EngineError> {
        let values = [("FROM", uint(from.panel)), ("ROWS", uint(to.panel))];
        let compiled = self.compile("decoder/pick", &values)?;
        let (width, groups) = (self.config.hidden_size, self.config.hidden_size / 32);
        let resources =
            [Resource::Buffer(&from.step), from.streams[0].resource(), to.streams[0].resource()];
        let grid = Grid::all_rows(groups, width);
        self.record(Stage::LastRows, &compiled, &[groups], resources, grid)
    }

    fn embed(&mut self, rows: &Rows, embedding: &Product) -> Recorded {
        let values = [
            ("ROWS", uint(rows.panel)),
            ("B_BITS", uint(embedding.storage.kind.bits() as usize)),
            ("OFFSETS", embedding.storage.offsets.to_string()),
        ];
        let compiled = self.compile("decoder/embed", &values)?;
        let (terms, groups) = (embedding.terms, embedding.terms / 32);
        let slice = |slice: &Slice| {
            let columns = (slice.tiles * TILE).min(embedding.columns - slice.first);
            let resources = [
                Resource::Buffer(&rows.tokens),
                slice.values.resource(),
                slice.scales.resource(),
                rows.streams[0].resource(),
            ];
            let part = [groups, slice.first, columns];
            self.record(Stage::Embed, &compiled, &part, resources, Grid::all_rows(groups, terms))
        };
        embedding.slices.iter().map(slice).collect()
    }

    fn attend(&mut self, rows: &Rows, cache: &Texels) -> Recorded {
        let Config { heads, kv_heads, head_dim, .. } = *self.config;
        let values = [("ROWS", uint(rows.panel)), ("SPLIT", uint(self.set.split(1)))];
        let compiled = self.compile("decoder/attend", &values)?;
        let operations = 4 * (heads * head_dim * self.context) as u64;
        let at_once = (self.budget / operations).max(1) as usize;
        let part = |first: usize| {
            let resources = [
                Resource::Buffer(&rows.step),
                rows.queries.resource(),
                cache.resource(),
                rows.attended.resource(),
            ];
            let part = [heads, kv_heads, self.context, first];
            let grid =
                Grid { across: heads, rows: first..first + at_once, rows_per_group: 1, operations };
            self.record(Stage::Attention, &compiled, &part, resources, grid)
        };
        (0..rows.capacity).step_by(at_once).map(part).collect()
    }

    /// A product of rows `a`; `beside` has the norm's weights and the biases, or the residual stream.
    fn product(
        &mut self,
        rows: &Rows,
        stage: Stage,
        product: &Product,
        a: &Texels,
        beside: &Texels,
        epilogue: &Epilogue,
    ) -> Recorded {
        let Config { heads, kv_heads, head_dim, .. } = *self.config;
        let unused = self.unused.clone();
        let Placeholders { result, cache, rope, logits, largest } = &*unused;
        let (mode, result, cache, rope, logits, largest) = match epilogue {
            Epilogue::Qkv { queries, cache, rope } => (0, *queries, *cache, *rope, logits, largest),
            Epilogue::Add { sum } => (1, *sum, cache, rope, logits, largest),
            Epilogue::SwiGlu { gated } => (2, *gated, cache, rope, logits, largest),
            Epilogue::Logits { logits, largest } => (3, result, cache, rope, *logits, *largest),
        };
        let mut values = vec![
            ("ROWS", uint(rows.panel)),
            ("B_BITS", uint(product.storage.kind.bits() as usize)),
            ("OFFSETS", product.storage.offsets.to_string()),
            ("FINISH", uint(mode)),
            ("SPLIT", uint(self.set.split(rows.panel))),
        ];
        if !matches!(epilogue, Epilogue::Add { .. }) {
            values.push(("EPSILON", format!("{:e}", self.config.rms_norm_eps)));
        }
        let compiled = self.compile(self.set.product(rows.panel), &values)?;
        let mut work = Vec::new();
        for slice in &product.slices {
            let operations = 2 * (product.terms * slice.tiles * TILE) as u64;
            let blocks = (self.budget / (operations * rows.panel as u64)).max(1) as usize;
            for first in (0..rows.capacity.div_ceil(rows.panel)).step_by(blocks) {
                let part = [
                    product.terms / 32,
                    slice.first,
                    product.columns,
                    first,
                    heads * head_dim,
                    kv_heads * head_dim,
                    self.context,
                    product.columns.div_ceil(TILE),
                ];
                let resources = [
                    Resource::Buffer(&rows.step),
                    a.resource(),
                    slice.values.resource(),
                    slice.scales.resource(),
                    beside.resource(),
                    result.resource(),
                    cache.resource(),
                    rope.resource(),
                    Resource::Buffer(logits),
                    Resource::Buffer(largest),
                ];
                let grid = Grid {
                    across: slice.tiles,
                    rows: first * rows.panel..(first + blocks) * rows.panel,
                    rows_per_group: rows.panel,
                    operations,
                };
                work.push(self.record(stage, &compiled, &part, resources, grid)?);
            }
        }
        Ok(work)
    }

    fn compile(
        &mut self,
        id: &'static str,
        values: &[(&str, String)],
    ) -> Result<Rc<Compiled>, EngineError> {
        let key = format!("{id} {values:?}");
        if let Some(compiled) = self.compiled.get(&key) {
            return Ok(compiled.clone());
        }
        let values = [values, &[("HEAD_SIZE", uint(self.config.head_dim))]].concat();
        let kernel = Kernel::with_params(of_decoder(id), &values)?;
        if let Some(lack) = self.gpu.lacks(&kernel) {
            return Err(EngineError::Unsupported(lack));
        }
        let pipeline = self.gpu.compile(&kernel)?;
        let compiled = Rc::new(Compiled { kernel, pipeline });
        self.compiled.insert(key, compiled.clone());
        Ok(compiled)
    }

    /// Binds the numbers of `part`, then the resources. The numbers are in a storage buffer, since one driver recompiles a kernel for
    /// every value of a uniform that a loop depends on.
    fn record<const N: usize>(
        &self,
        stage: Stage,
        compiled: &Rc<Compiled>,
        part: &[usize],
        resources: [Resource; N],
        grid: Grid,
    ) -> Result<Rc<Work>, EngineError> {
        let mut numbers = [0u32; 8];
        numbers.iter_mut().zip(part).for_each(|(number, part)| *number = *part as u32);
        let part = self.gpu.storage(32)?;
        self.gpu.write(&part, 0, &numbers)?;
        let resources: Vec<_> = once(Resource::Buffer(&part)).chain(resources).collect();
        let bindings = self.gpu.bind(&compiled.pipeline, &resources)?;
        Ok(Rc::new(Work { stage, compiled: compiled.clone(), bindings, grid }))
    }
}
