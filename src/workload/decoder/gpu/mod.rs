//! A decoder on a GPU: weights and KV cache stay on the device, and tokens go from step to step without the host.

mod choice;
mod model;
mod plan;
mod weights;

pub(super) use choice::choices;
pub use choice::{CHOICES, Choice};
pub use plan::Stage;

use super::{Done, Engine, EngineError, Phase, room};
use crate::device::Class;
use crate::gpu::{Batch, Buffer, Dispatch, Flight, Gpu, TEXEL_BYTES};
use crate::kernels::{BindingKind, Kernel};
use crate::model::{Config, Weights};
use crate::units::{Bytes, Seconds};
use crate::workload::DEPTH;
use model::Model;
use plan::{Cache, Compiler, Plan, Work};
use std::collections::{HashMap, VecDeque};

/// A step in flight, with its outstanding submissions and the GPU time of those that are done.
struct Pending {
    submissions: usize,
    seconds: Option<f64>,
}

/// A decoder that is ready to run.
pub struct GpuEngine {
    gpu: Gpu,
    config: Config,
    batch: usize,
    context: usize,
    /// Maximum operations per submission.
    budget: u64,
    cache: Cache,
    logits: Buffer,
    largest: Buffer,
    decode: Plan,
    prefill: Plan,
    pick: Work,
    /// Kernels of the largest product of each phase.
    decode_kernel: Kernel,
    prefill_kernel: Kernel,
    /// Tokens per sequence in the KV cache once all submissions are done.
    position: usize,
    flight: Flight,
    pending: VecDeque<Pending>,
    done: VecDeque<Done>,
}

/// Maximum submissions in flight; a step may take several.
const SUBMISSIONS: usize = 16;
/// Rows per prefill chunk: enough that weights are read rarely and a large device is busy.
fn prefill_rows(class: Class) -> usize {
    match class {
        Class::SoftwareGpu | Class::VirtualGpu | Class::Cpu => 128,
        Class::IntegratedGpu | Class::DiscreteGpu => 512,
    }
}

/// Operations that a device of this class executes in about 30 ms.
fn budget(class: Class) -> u64 {
    match class {
        Class::SoftwareGpu | Class::VirtualGpu | Class::Cpu => 1_000_000_000,
        Class::IntegratedGpu => 20_000_000_000,
        Class::DiscreteGpu => 200_000_000_000,
    }
}

impl GpuEngine {
    /// Loads a model on the device, with a KV cache for `batch` sequences of up to `context` tokens.
    ///
    /// # Errors
    /// If the device or the kernels do not support it, the weights cannot be read, or the device fails.
    pub fn new(
        gpu: &Gpu,
        weights: &dyn Weights,
        choice: &Choice,
        batch: usize,
        context: usize,
    ) -> Result<GpuEngine, EngineError> {
        let config = weights.config().clone();
        let class = gpu.description().class;
        let budget = budget(class);
        let panel = choice.panel(batch);
        let rows = (prefill_rows(class) / batch).clamp(1, context) * batch;
        GpuEngine::check(gpu, &config, batch, context)?;
        let cache_texels = cache_texels(&config, batch, context);
        let cache_bytes = TEXEL_BYTES * cache_texels;
        let tiles = config.vocab_size.div_ceil(weights::TILE);
        let logits_bytes = 4 * (batch * tiles * weights::TILE) as u64;
        let needed = weights.bytes()
            + cache_bytes * config.layers as u64
            + logits_bytes
            + Plan::bytes(&config, batch, panel)
            + Plan::bytes(&config, rows, choice.rows);
        // A GPU's own memory is only known to be full when an allocation fails.
        if class.uses_main_memory() {
            gpu.flush()?;
            room(needed)?;
        }
        let model = Model::load(gpu, weights, context)?;
        let layers = (0..config.layers)
            .map(|_| gpu.memory(BindingKind::Texture, cache_texels))
            .collect::<Result<_, _>>()?;
        let cache = Cache { layers, texels: cache_texels };
        let logits = gpu.storage(logits_bytes)?;
        let largest = gpu.storage(8 * (batch * tiles) as u64)?;
        let mut compiler =
            Compiler { gpu, config: &config, choice, compiled: HashMap::new(), gate: None };
        let mut decode = Plan::new(gpu, &config, batch, panel, budget)?;
        decode.embed(&mut compiler, model.embedding())?;
        decode.layers(&mut compiler, &model, &cache, context)?;
        let decode_kernel = compiler.gate.take().expect("a decoder has a gate");
        decode.head(&mut compiler, &model, &logits, &largest)?;
        let mut prefill = Plan::new(gpu, &config, rows, choice.rows, budget)?;
        prefill.embed(&mut compiler, model.embedding())?;
        prefill.layers(&mut compiler, &model, &cache, context)?;
        let prefill_kernel = compiler.gate.take().expect("a decoder has a gate");
        let pick = decode.pick(&mut compiler, &prefill)?;
        let flight = Flight::new(gpu, SUBMISSIONS, decode.tokens.size())?;
        let mut engine = GpuEngine {
            gpu: gpu.clone(),
            config,
            batch,
            context,
            budget,
            cache,
            logits,
            largest,
            decode,
            prefill,
            pick,
            decode_kernel,
            prefill_kernel,
            position: 0,
            flight,
            pending: VecDeque::new(),
            done: VecDeque::new(),
        };
        engine.rewind(0)?;
        gpu.flush()?;
        Ok(engine)
    }

    fn overwrite(
        &self,
        memory: &crate::gpu::Memory,
        texels: u64,
        with: &[u32],
    ) -> Result<(), EngineError> {
        let at_once = with.len() as u64 / 4;
        for first in (0..texels).step_by(at_once as usize) {
            let texels = (texels - first).min(at_once) as usize;
            self.gpu.write_memory(memory, first, &with[..4 * texels])?;
            self.gpu.flush()?;
        }
        Ok(())
    }

    /// The kernel of the largest product of this phase.
    pub(super) fn kernel(&self, phase: Phase) -> &Kernel {
        match phase {
            Phase::Prefill => &self.prefill_kernel,
            Phase::Decode => &self.decode_kernel,
        }
    }

    /// Seconds per stage of a decoding step, measured by running its dispatches alone, which corrupts the KV cache. `None` if the device
    /// does not support timestamps.
    ///
    /// # Errors
    /// If the device fails.
    pub fn stages(&mut self) -> Result<Option<Vec<(Stage, Seconds)>>, EngineError> {
        self.finish()?;
        let mut stages: Vec<Stage> = Vec::new();
        for work in &self.decode.work {
            if !stages.contains(&work.stage) {
                stages.push(work.stage);
            }
        }
        let mut times = Vec::new();
        for stage in stages {
            let works = self.decode.work.iter().filter(|work| work.stage == stage);
            let dispatches = works.filter_map(|work| dispatch(work, self.batch)).map(|(d, _)| d);
            let batch = Batch { dispatches: dispatches.collect(), ..Batch::default() };
            self.flight.submit(&batch)?;
            match self.flight.wait()?.expect("it was submitted").gpu_seconds {
                Some(seconds) => times.push((stage, seconds)),
                None => return Ok(None),
            }
        }
        self.rewind(self.position)?;
        Ok(Some(times))
    }

    /// Waits until another step may be in flight, and begins it.
    fn begin(&mut self) -> Result<(), EngineError> {
        while self.pending.len() >= DEPTH {
            self.retire_oldest()?;
        }
        self.pending.push_back(Pending { submissions: 0, seconds: Some(0.0) });
        Ok(())
    }

    /// Waits for everything in flight.
    fn finish(&mut self) -> Result<(), EngineError> {
        while !self.pending.is_empty() {
            self.retire_oldest()?;
        }
        Ok(())
    }

    /// Retires the oldest submission.
    fn retire_oldest(&mut self) -> Result<(), EngineError> {
        let completed = self.flight.wait()?.expect("a step has submissions");
        let step = self.pending.front_mut().expect("a submission is of a step");
        step.submissions -= 1;
        step.seconds = step.seconds.zip(completed.gpu_seconds).map(|(sum, s)| sum + s.0);
        if !completed.words.is_empty() {
            let seconds = step.seconds.map(Seconds);
            self.pending.pop_front();
            let tokens = completed.words[..self.batch].to_vec();
            self.done.push_back(Done { tokens, gpu_seconds: seconds });
        }
        Ok(())
    }

    /// Submits dispatches, in as many submissions as the budget requires.
    fn submit_work(&mut self, list: WorkList, rows: usize) -> Result<(), EngineError> {
        let mut next = 0;
        loop {
            if self.pending.iter().map(|step| step.submissions).sum::<usize>() == SUBMISSIONS {
                self.retire_oldest()?;
            }
            let head = self.decode.work.iter().position(|w| w.stage == Stage::Logits);
            let head = &self.decode.work[head.expect("a decoder has a head")..];
            let all: Vec<&Work> = match list {
                WorkList::Decode => self.decode.work.iter().collect(),
                WorkList::Prefill => self.prefill.work.iter().collect(),
                WorkList::Head => [&self.pick].into_iter().chain(head).collect(),
            };
            let mut batch = Batch::default();
            let mut operations = 0;
            while next < all.len() {
                let Some((dispatch, more)) = dispatch(all[next], rows) else {
                    next += 1;
                    continue;
                };
                if operations > 0 && operations + more > self.budget {
                    break;
                }
                operations += more;
                batch.dispatches.push(dispatch);
                next += 1;
            }
            let last = next == all.len();
            if last && list != WorkList::Prefill {
                batch.read = Some(&self.decode.tokens);
            }
            self.flight.submit(&batch)?;
            self.pending.back_mut().expect("a step has begun").submissions += 1;
            if last {
                return Ok(());
            }
        }
    }
}

impl Engine for GpuEngine {
    fn config(&self) -> &Config {
        &self.config
    }

    fn position(&self) -> usize {
        self.position
    }

    fn rewind(&mut self, position: usize) -> Result<(), EngineError> {
        self.position = position;
        let step = [position as u32, 1, self.batch as u32, 0];
        Ok(self.gpu.write(&self.decode.step, 0, &step)?)
    }

    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError> {
        super::check_texts(texts, self.batch, self.context - self.position);
        let (begin, length) = (self.position, texts[0].len());
        self.begin()?;
        let at_once = self.prefill.most / self.batch;
        for first in (0..length).step_by(at_once) {
            let count = at_once.min(length - first);
            let rows = count * self.batch;
            let chunk: Vec<u32> =
                texts.iter().flat_map(|text| &text[first..first + count]).copied().collect();
            self.gpu.write(&self.prefill.tokens, 0, &chunk)?;
            let step = [begin + first, count, rows, 0].map(|n| n as u32);
            self.gpu.write(&self.prefill.step, 0, &step)?;
            self.submit_work(WorkList::Prefill, rows)?;
        }
        self.rewind(begin + length - 1)?;
        self.submit_work(WorkList::Head, self.batch)?;
        self.position = begin + length;
        Ok(())
    }

    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError> {
        assert!(self.position < self.context, "the context of {} tokens is full", self.context);
        self.begin()?;
        if let Some(tokens) = tokens {
            assert_eq!(tokens.len(), self.batch, "one token for each sequence");
            self.gpu.write(&self.decode.tokens, 0, tokens)?;
        }
        self.submit_work(WorkList::Decode, self.batch)?;
        self.position += 1;
        Ok(())
    }

    fn wait(&mut self) -> Result<Option<Done>, EngineError> {
        while self.done.is_empty() && !self.pending.is_empty() {
            self.retire_oldest()?;
        }
        Ok(self.done.pop_front())
    }

    fn logits(&mut self) -> Result<Vec<Vec<f32>>, EngineError> {
        let snapshot = self.gpu.snapshot(&self.logits, 0..self.logits.size())?;
        let values: Vec<f32> = self.gpu.read(&snapshot)?;
        let rows = values.chunks(values.len() / self.batch);
        Ok(rows.map(|row| row[..self.config.vocab_size].to_vec()).collect())
    }

    fn poison(&mut self) -> Result<(), EngineError> {
        /// Texels that are written at once.
        const CHUNK: u64 = 1 << 18;
        let nan = vec![f32::NAN.to_bits(); 4 * CHUNK as usize];
        for plan in [&self.decode, &self.prefill] {
            let rows = plan.most.next_multiple_of(plan.panel) as u64;
            let attended = self.config.heads * self.config.head_dim;
            let sizes = [
                self.config.hidden_size,
                self.config.hidden_size,
                attended,
                attended,
                self.config.intermediate_size,
            ];
            for (memory, numbers) in plan.memories().into_iter().zip(sizes) {
                self.overwrite(memory, rows * numbers as u64 / 4, &nan)?;
            }
            self.gpu.write(&plan.tokens, 0, &vec![u32::MAX; plan.tokens.size() as usize / 4])?;
        }
        for layer in &self.cache.layers {
            self.overwrite(layer, self.cache.texels, &nan)?;
        }
        for buffer in [&self.logits, &self.largest] {
            let words = buffer.size() / 4;
            for at in (0..words).step_by(nan.len()) {
                let words = (words - at).min(nan.len() as u64) as usize;
                self.gpu.write(buffer, 4 * at, &nan[..words])?;
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WorkList {
    Decode,
    Prefill,
    Head,
}

fn dispatch(work: &Work, rows: usize) -> Option<(Dispatch<'_>, u64)> {
    let (groups, operations) = work.groups(rows)?;
    Some((Dispatch { pipeline: &work.pipeline, bindings: &work.bindings, groups }, operations))
}

/// Texels of a layer's KV cache.
fn cache_texels(config: &Config, batch: usize, context: usize) -> u64 {
    (batch * context * config.kv_heads * config.head_dim) as u64 / 4
}

impl GpuEngine {
    /// Checks what the kernels require of a model, and that its data fits the bindings.
    ///
    /// # Errors
    /// If this device does not support it.
    pub fn check(
        gpu: &Gpu,
        config: &Config,
        batch: usize,
        context: usize,
    ) -> Result<(), EngineError> {
        let Config {
            hidden_size: width,
            intermediate_size: inner,
            heads,
            kv_heads,
            head_dim: head_size,
            ..
        } = *config;
        let unsupported = |why: String| Err(EngineError::Unsupported(why));
        let rows =
            [("width", width), ("inner width", inner), ("heads together", heads * head_size)];
        for (what, numbers) in rows {
            if !numbers.is_multiple_of(32) {
                return unsupported(format!(
                    "the model's {what} of {numbers} is no multiple of 32"
                ));
            }
        }
        if !head_size.is_multiple_of(8) || head_size > 128 || !heads.is_multiple_of(kv_heads) {
            return unsupported(format!(
                "{heads} heads of {head_size} with {kv_heads} of keys: heads of up to 128 in eights are supported"
            ));
        }
        let cache = TEXEL_BYTES * cache_texels(config, batch, context);
        if cache > gpu.largest_texture() {
            return unsupported(format!(
                "keys and values of a layer need {}, a binding holds {}: take a shorter context or a smaller batch",
                Bytes(cache),
                Bytes(gpu.largest_texture())
            ));
        }
        let tiles = config.vocab_size.div_ceil(weights::TILE);
        let (logits, limit) =
            (4 * (batch * tiles * weights::TILE) as u64, gpu.details().limits.storage_binding);
        if logits > limit.0 {
            return unsupported(format!(
                "logits need {}, a binding holds {limit}: take a smaller batch",
                Bytes(logits)
            ));
        }
        Ok(())
    }
}
