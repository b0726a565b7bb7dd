//! The dispatches of a step with their bindings, recorded once.

use super::choice::{Choice, FEW};
use super::model::Model;
use super::weights::{Product, TILE};
use crate::gpu::{Bindings, Buffer, Gpu, GpuError, Memory, Pipeline, Resource};
use crate::kernels::{BindingKind, Kernel, of_decoder};
use crate::model::Config;
use crate::workload::decoder::EngineError;
use std::collections::HashMap;
use std::rc::Rc;

/// The `FINISH` of the gate and up product.
const GATE: u32 = 2;

/// Stage of a step that a dispatch belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Token embedding.
    Embed,
    /// RMSNorm, QKV projection, RoPE, and writing the KV cache.
    Heads,
    /// Attention.
    Attend,
    /// Attention output projection, added to the residual stream.
    Output,
    /// RMSNorm, gate and up projections, and SwiGLU.
    Gate,
    /// Down projection, added to the residual stream.
    Down,
    /// Copies the last row of each sequence.
    Pick,
    /// Final RMSNorm and LM head.
    Logits,
    /// Argmax: the next tokens.
    Choose,
}

impl Stage {
    /// Whether it is mainly a matrix product.
    pub fn multiplies(self) -> bool {
        use Stage::{Down, Gate, Heads, Logits, Output};
        matches!(self, Heads | Output | Gate | Down | Logits)
    }
}

/// A recorded dispatch.
pub(super) struct Work {
    pub(super) stage: Stage,
    pub(super) pipeline: Rc<Pipeline>,
    pub(super) bindings: Bindings,
    /// Workgroups along x.
    pub(super) across: u32,
    /// First row, and maximum number of rows.
    first_row: usize,
    most_rows: usize,
    /// Rows per workgroup.
    rows: usize,
    /// Operations per row.
    operations: u64,
}

impl Work {
    /// Workgroups and operations for `rows` rows in total; `None` if there is nothing to do.
    pub(super) fn groups(&self, rows: usize) -> Option<([u32; 3], u64)> {
        let rows = rows.saturating_sub(self.first_row).min(self.most_rows);
        let down = rows.div_ceil(self.rows) as u32;
        (down > 0).then_some(([self.across, down, 1], self.operations * rows as u64))
    }
}

/// KV cache of each layer.
pub(super) struct Cache {
    pub(super) layers: Vec<Memory>,
    pub(super) texels: u64,
}

/// Compiles kernels for a model, each only once.
pub(super) struct Compiler<'a> {
    pub(super) gpu: &'a Gpu,
    pub(super) config: &'a Config,
    pub(super) choice: &'a Choice,
    pub(super) compiled: HashMap<String, Rc<Pipeline>>,
    /// The kernel of the gate and up product, the largest one, for the record.
    pub(super) gate: Option<Kernel>,
}

impl Compiler<'_> {
    fn pipeline(
        &mut self,
        id: &'static str,
        values: &[(&'static str, String)],
    ) -> Result<Rc<Pipeline>, EngineError> {
        let mut all = vec![("HEAD_SIZE", format!("{}u", self.config.head_dim))];
        all.extend_from_slice(values);
        let kernel = Kernel::with_params(of_decoder(id), &all)?;
        if let Some(lack) = self.gpu.lacks(&kernel) {
            return Err(EngineError::Unsupported(lack));
        }
        if kernel.constant("FINISH") == Some(GATE) {
            self.gate = Some(kernel.clone());
        }
        let hash = kernel.sha256();
        if let Some(pipeline) = self.compiled.get(&hash) {
            return Ok(pipeline.clone());
        }
        let pipeline = Rc::new(self.gpu.compile(&kernel)?);
        self.compiled.insert(hash, pipeline.clone());
        Ok(pipeline)
    }
}

/// Placeholders for bindings that a kernel does not use.
struct Placeholders {
    read: Memory,
    written: [Memory; 2],
    buffers: [Buffer; 2],
}

/// Buffers and dispatches for up to some number of rows.
pub(super) struct Plan {
    gpu: Gpu,
    /// Maximum rows, and rows of a panel.
    pub(super) most: usize,
    pub(super) panel: usize,
    /// Maximum operations per dispatch.
    budget: u64,
    /// Parameters of the step: position, tokens per sequence, rows, unused.
    pub(super) step: Buffer,
    pub(super) tokens: Buffer,
    /// The residual stream before and in the middle of a layer.
    pub(super) streams: [Memory; 2],
    queries: Memory,
    attended: Memory,
    inner: Memory,
    nothing: Placeholders,
    pub(super) work: Vec<Work>,
}

/// Prologue and epilogue of a product: `EPSILON` and `FINISH` of `kernels/decoder/panels.wgsl`.
struct Finish<'a> {
    stage: Stage,
    mode: u32,
    norm: bool,
    a: &'a Memory,
    beside: &'a Memory,
    result: Option<&'a Memory>,
    cache: Option<&'a Memory>,
    turns: Option<&'a Memory>,
    logits: Option<(&'a Buffer, &'a Buffer)>,
}

impl Plan {
    /// Allocates buffers for `most` rows in panels of `panel`.
    pub(super) fn new(
        gpu: &Gpu,
        config: &Config,
        most: usize,
        panel: usize,
        budget: u64,
    ) -> Result<Plan, EngineError> {
        let rows = most.next_multiple_of(panel) as u64;
        let room = |numbers: usize| {
            let texels = rows * numbers as u64 / 4;
            gpu.memory(BindingKind::Texture, texels)
        };
        let small = || gpu.memory(BindingKind::Texture, 1);
        let attended = config.heads * config.head_dim;
        Ok(Plan {
            gpu: gpu.clone(),
            most,
            panel,
            budget,
            step: gpu.storage(16)?,
            tokens: gpu.storage(4 * rows)?,
            streams: [room(config.hidden_size)?, room(config.hidden_size)?],
            queries: room(attended)?,
            attended: room(attended)?,
            inner: room(config.intermediate_size)?,
            nothing: Placeholders {
                read: small()?,
                written: [small()?, small()?],
                buffers: [gpu.storage(16)?, gpu.storage(16)?],
            },
            work: Vec::new(),
        })
    }

    /// Bytes of its activations.
    pub(super) fn bytes(config: &Config, most: usize, panel: usize) -> u64 {
        let numbers =
            2 * config.hidden_size + 2 * config.heads * config.head_dim + config.intermediate_size;
        4 * (most.next_multiple_of(panel) * numbers) as u64
    }

    /// The buffers of activations.
    pub(super) fn memories(&self) -> [&Memory; 5] {
        let [first, second] = &self.streams;
        [first, second, &self.queries, &self.attended, &self.inner]
    }

    /// A parameter buffer. It is a storage buffer, since one driver recompiles a kernel for every value of a uniform that a loop depends
    /// on.
    fn part(&self, numbers: [usize; 8]) -> Result<Buffer, GpuError> {
        let part = self.gpu.storage(32)?;
        self.gpu.write(&part, 0, &numbers.map(|n| n as u32))?;
        Ok(part)
    }

    /// Records the token embedding.
    pub(super) fn embed(
        &mut self,
        compiler: &mut Compiler,
        embedding: &Product,
    ) -> Result<(), EngineError> {
        let values = [
            ("ROWS", format!("{}u", self.panel)),
            ("B_BITS", format!("{}u", embedding.kind.bits)),
            ("OFFSETS", embedding.kind.offsets.to_string()),
        ];
        let pipeline = compiler.pipeline("decoder/embed", &values)?;
        for slice in &embedding.slices {
            let columns = (slice.tiles * TILE).min(embedding.columns - slice.first);
            let part = [embedding.terms / 32, slice.first, columns, 0, 0, 0, 0, 0];
            let part = self.part(part)?;
            let bindings = self.gpu.bind(
                &pipeline,
                &[
                    Resource::Buffer(&part),
                    Resource::Buffer(&self.tokens),
                    slice.values.resource(),
                    slice.scales.resource(),
                    self.streams[0].resource(),
                ],
            )?;
            self.work.push(Work {
                stage: Stage::Embed,
                pipeline: pipeline.clone(),
                bindings,
                across: (embedding.terms / 32) as u32,
                first_row: 0,
                most_rows: usize::MAX,
                rows: 1,
                operations: embedding.terms as u64,
            });
        }
        Ok(())
    }

    /// Records all layers, from the first stream to itself.
    pub(super) fn layers(
        &mut self,
        compiler: &mut Compiler,
        model: &Model,
        cache: &Cache,
        context: usize,
    ) -> Result<(), EngineError> {
        let mut work = Vec::new();
        for (layer, cache) in model.layers.iter().zip(&cache.layers) {
            let [before, middle] = &self.streams;
            let base = Finish {
                stage: Stage::Heads,
                mode: 0,
                norm: true,
                a: before,
                beside: &layer.heads.beside,
                result: None,
                cache: None,
                turns: None,
                logits: None,
            };
            let heads = Finish {
                result: Some(&self.queries),
                cache: Some(cache),
                turns: Some(&model.turns),
                ..base
            };
            work.extend(self.product(compiler, &layer.heads.product, &heads, context)?);
            work.extend(self.attend(compiler, cache, context)?);
            let output = Finish {
                stage: Stage::Output,
                mode: 1,
                norm: false,
                a: &self.attended,
                beside: before,
                result: Some(middle),
                ..base
            };
            work.extend(self.product(compiler, &layer.output, &output, context)?);
            let gate = Finish {
                stage: Stage::Gate,
                mode: GATE,
                a: middle,
                beside: &layer.gate.beside,
                result: Some(&self.inner),
                ..base
            };
            work.extend(self.product(compiler, &layer.gate.product, &gate, context)?);
            let down = Finish {
                stage: Stage::Down,
                mode: 1,
                norm: false,
                a: &self.inner,
                beside: middle,
                result: Some(before),
                ..base
            };
            work.extend(self.product(compiler, &layer.down, &down, context)?);
        }
        self.work.extend(work);
        Ok(())
    }

    /// Copies the last rows of another plan's sequences to this plan.
    pub(super) fn pick(
        &mut self,
        compiler: &mut Compiler,
        from: &Plan,
    ) -> Result<Work, EngineError> {
        let values = [("FROM", format!("{}u", from.panel)), ("ROWS", format!("{}u", self.panel))];
        let pipeline = compiler.pipeline("decoder/pick", &values)?;
        let groups = compiler.config.hidden_size / 32;
        let part = self.part([groups, 0, 0, 0, 0, 0, 0, 0])?;
        let bindings = self.gpu.bind(
            &pipeline,
            &[
                Resource::Buffer(&part),
                Resource::Buffer(&from.step),
                from.streams[0].resource(),
                self.streams[0].resource(),
            ],
        )?;
        Ok(Work {
            stage: Stage::Pick,
            pipeline,
            bindings,
            across: groups as u32,
            first_row: 0,
            most_rows: usize::MAX,
            rows: 1,
            operations: compiler.config.hidden_size as u64,
        })
    }

    /// Records the LM head and the argmax.
    pub(super) fn head(
        &mut self,
        compiler: &mut Compiler,
        model: &Model,
        logits: &Buffer,
        largest: &Buffer,
    ) -> Result<(), EngineError> {
        let head = Finish {
            stage: Stage::Logits,
            mode: 3,
            norm: true,
            a: &self.streams[0],
            beside: &model.head.beside,
            result: None,
            cache: None,
            turns: None,
            logits: Some((logits, largest)),
        };
        let product = &model.head.product;
        let work = self.product(compiler, product, &head, 0)?;
        self.work.extend(work);
        let workgroup = [("WORKGROUP", format!("{}u", compiler.choice.workgroup))];
        let pipeline = compiler.pipeline("decoder/choose", &workgroup)?;
        let tiles = product.columns.div_ceil(TILE);
        let part = self.part([tiles, 0, 0, 0, 0, 0, 0, 0])?;
        let resources = [&part, largest, &self.tokens, &self.step].map(Resource::Buffer);
        let bindings = self.gpu.bind(&pipeline, &resources)?;
        self.work.push(Work {
            stage: Stage::Choose,
            pipeline,
            bindings,
            across: 1,
            first_row: 0,
            most_rows: usize::MAX,
            rows: 1,
            operations: tiles as u64,
        });
        Ok(())
    }

    fn attend(
        &self,
        compiler: &mut Compiler,
        cache: &Memory,
        context: usize,
    ) -> Result<Vec<Work>, EngineError> {
        let config = compiler.config;
        let values = [
            ("ROWS", format!("{}u", self.panel)),
            ("SPLIT", format!("{}u", compiler.choice.split(1))),
        ];
        let pipeline = compiler.pipeline("decoder/attend", &values)?;
        let operations = 4 * (config.heads * config.head_dim * context) as u64;
        let at_once = (self.budget / operations).max(1) as usize;
        let mut work = Vec::new();
        for first_row in (0..self.most).step_by(at_once) {
            let part =
                self.part([config.heads, config.kv_heads, context, first_row, 0, 0, 0, 0])?;
            let bindings = self.gpu.bind(
                &pipeline,
                &[
                    Resource::Buffer(&part),
                    Resource::Buffer(&self.step),
                    self.queries.resource(),
                    cache.resource(),
                    self.attended.resource(),
                ],
            )?;
            work.push(Work {
                stage: Stage::Attend,
                pipeline: pipeline.clone(),
                bindings,
                across: config.heads as u32,
                first_row,
                most_rows: at_once,
                rows: 1,
                operations,
            });
        }
        Ok(work)
    }

    fn product(
        &self,
        compiler: &mut Compiler,
        product: &Product,
        finish: &Finish,
        context: usize,
    ) -> Result<Vec<Work>, EngineError> {
        let config = compiler.config;
        let mut values = vec![
            ("ROWS", format!("{}u", self.panel)),
            ("B_BITS", format!("{}u", product.kind.bits)),
            ("OFFSETS", product.kind.offsets.to_string()),
            ("FINISH", format!("{}u", finish.mode)),
        ];
        if finish.norm {
            values.push(("EPSILON", format!("{:e}", config.rms_norm_eps)));
        }
        let id = compiler.choice.product(self.panel);
        if id == FEW {
            values.push(("SPLIT", format!("{}u", compiler.choice.split(self.panel))));
        }
        let pipeline = compiler.pipeline(id, &values)?;
        let nothing = &self.nothing;
        let [no_result, no_cache] = &nothing.written;
        let [no_logits, no_largest] = &nothing.buffers;
        let (logits, largest) = finish.logits.unwrap_or((no_logits, no_largest));
        let mut work = Vec::new();
        for slice in &product.slices {
            let operations = 2 * (product.terms * slice.tiles * TILE) as u64;
            let blocks = (self.budget / (operations * self.panel as u64)).max(1) as usize;
            for first in (0..self.most.div_ceil(self.panel)).step_by(blocks) {
                let part = self.part([
                    product.terms / 32,
                    slice.first,
                    product.columns,
                    first,
                    config.heads * config.head_dim,
                    config.kv_heads * config.head_dim,
                    context,
                    product.columns.div_ceil(TILE),
                ])?;
                let bindings = self.gpu.bind(
                    &pipeline,
                    &[
                        Resource::Buffer(&part),
                        Resource::Buffer(&self.step),
                        finish.a.resource(),
                        slice.values.resource(),
                        slice.scales.resource(),
                        finish.beside.resource(),
                        finish.result.unwrap_or(no_result).resource(),
                        finish.cache.unwrap_or(no_cache).resource(),
                        finish.turns.unwrap_or(&nothing.read).resource(),
                        Resource::Buffer(logits),
                        Resource::Buffer(largest),
                    ],
                )?;
                work.push(Work {
                    stage: finish.stage,
                    pipeline: pipeline.clone(),
                    bindings,
                    across: slice.tiles as u32,
                    first_row: first * self.panel,
                    most_rows: blocks * self.panel,
                    rows: self.panel,
                    operations,
                });
            }
        }
        Ok(work)
    }
}
