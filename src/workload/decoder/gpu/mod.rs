//! A decoder on a GPU: weights and KV cache stay on the device, and tokens go from step to step without the host.

mod kernel_set;
mod limits;
mod model;
mod recorder;
mod texels;
mod weights;
mod work;

pub(super) use kernel_set::kernel_sets;
pub use kernel_set::{KERNEL_SETS, KernelSet};
pub(super) use limits::check;
pub use work::Stage;

use super::engine::{Done, Engine, EngineError, check_texts};
use crate::device::memory;
use crate::gpu::{Batch, Buffer, Flight, Gpu};
use crate::kernels::Kernel;
use crate::model::{Config, Weights};
use crate::units::{Bytes, Seconds};
use crate::workload::{DEPTH, Id, nan_buffer};
use limits::{cache_numbers, logits_bytes, rows_and_operations};
use model::Model;
use recorder::Recorder;
use std::collections::{BTreeSet, VecDeque};
use std::iter::once;
use std::rc::Rc;
use texels::{Rows, Texels};
use work::Work;

/// A step in flight, with its outstanding submissions and the GPU time of those that are done.
struct Pending {
    submissions: usize,
    seconds: Option<f64>,
}

/// Dispatches in order.
type WorkList = Rc<[Rc<Work>]>;

/// A decoder that is ready to run.
pub struct GpuEngine {
    gpu: Gpu,
    config: Config,
    batch: usize,
    context: usize,
    /// Maximum operations per submission.
    budget: u64,
    /// KV cache of each layer.
    caches: Vec<Texels>,
    logits: Buffer,
    /// The maximum of each tile of logits and its index.
    largest: Buffer,
    /// A row per sequence, and the rows of a prefill chunk.
    decode_rows: Rows,
    prefill_rows: Rows,
    /// A decoding step; the layers of a prefill chunk; the logits after the last chunk.
    decode: WorkList,
    prefill: WorkList,
    prefill_head: WorkList,
    /// Tokens per sequence in the KV cache once all submissions are done.
    position: usize,
    flight: Flight,
    pending: VecDeque<Pending>,
    done: VecDeque<Done>,
}

/// Maximum submissions in flight; a step may take several.
const SUBMISSIONS: usize = 16;

impl GpuEngine {
    /// Loads a model on the device, with a KV cache for `batch` sequences of up to `context` tokens.
    ///
    /// # Errors
    /// If the device or the kernels do not support it, the weights cannot be read, or the device fails.
    pub fn new(
        gpu: &Gpu,
        weights: &dyn Weights,
        set: &KernelSet,
        batch: usize,
        context: usize,
    ) -> Result<GpuEngine, EngineError> {
        let config = weights.config().clone();
        check(gpu, &config, batch, context)?;
        let class = gpu.description().class;
        let (rows, budget) = rows_and_operations(class);
        let rows = (rows / batch).clamp(1, context) * batch;
        let panel = set.panel(batch);
        let cache_numbers = cache_numbers(&config, batch, context);
        let logits_bytes = logits_bytes(&config, batch);
        let needed = weights.bytes()
            + (4 * cache_numbers * config.layers) as u64
            + logits_bytes
            + Rows::bytes(&config, batch, panel)
            + Rows::bytes(&config, rows, set.rows);
        // A GPU's own memory is only known to be full when an allocation fails.
        if class.uses_main_memory() {
            gpu.flush()?;
            memory::check_now(Bytes(needed))?;
        }
        let model = Model::load(gpu, weights, context)?;
        let caches = (0..config.layers).map(|_| Texels::zeros(gpu, cache_numbers));
        let caches: Vec<Texels> = caches.collect::<Result<_, _>>()?;
        let logits = gpu.storage(logits_bytes)?;
        let largest = gpu.storage(logits_bytes / weights::TILE as u64 * 2)?;
        let decode_rows = Rows::new(gpu, &config, batch, panel)?;
        let prefill_rows = Rows::new(gpu, &config, rows, set.rows)?;
        let mut recorder = Recorder::new(gpu, &config, set, context, budget)?;
        let decode_layers = recorder.layers(&decode_rows, &model, &caches)?;
        let head = recorder.head(&decode_rows, &model, &logits, &largest)?;
        let prefill = recorder.layers(&prefill_rows, &model, &caches)?;
        let pick = recorder.pick(&prefill_rows, &decode_rows)?;
        let mut engine = GpuEngine {
            gpu: gpu.clone(),
            batch,
            context,
            budget,
            caches,
            logits,
            largest,
            decode: decode_layers.into_iter().chain(head.iter().cloned()).collect(),
            prefill: prefill.into(),
            prefill_head: once(pick).chain(head).collect(),
            position: 0,
            flight: Flight::new(gpu, SUBMISSIONS, decode_rows.tokens.size())?,
            decode_rows,
            prefill_rows,
            config,
            pending: VecDeque::new(),
            done: VecDeque::new(),
        };
        engine.rewind(0)?;
        gpu.flush()?;
        Ok(engine)
    }

    /// The kernel of the gate and up product of `prefill` or `decode`, the largest one.
    pub(super) fn kernel(&self, id: Id) -> &Kernel {
        let work = if id == Id::Prefill { &self.prefill } else { &self.decode };
        let gate_up = work.iter().find(|work| work.stage == Stage::GateUp);
        &gate_up.expect("a decoder has a gate").compiled.kernel
    }

    /// Seconds per stage of a decoding step, measured by running its dispatches alone, which corrupts the KV cache. `None` if the device
    /// does not support timestamps.
    ///
    /// # Errors
    /// If the device fails.
    pub fn stages(&mut self) -> Result<Option<Vec<(Stage, Seconds)>>, EngineError> {
        while !self.pending.is_empty() {
            self.retire_oldest()?;
        }
        let stages: BTreeSet<Stage> = self.decode.iter().map(|work| work.stage).collect();
        let mut times = Vec::new();
        for stage in stages {
            let works = self.decode.iter().filter(|work| work.stage == stage);
            let dispatches = works.filter_map(|work| work.dispatch(self.batch)).map(|(d, _)| d);
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
    fn submit_work(
        &mut self,
        work: &WorkList,
        rows: usize,
        read_tokens: bool,
    ) -> Result<(), EngineError> {
        let mut dispatches = work.iter().filter_map(|work| work.dispatch(rows)).peekable();
        while let Some((first, mut operations)) = dispatches.next() {
            let mut batch = Batch { dispatches: vec![first], ..Batch::default() };
            let mut fits = |more: u64| {
                operations += more;
                operations <= self.budget
            };
            while let Some((next, _)) = dispatches.next_if(|(_, more)| fits(*more)) {
                batch.dispatches.push(next);
            }
            if self.pending.iter().map(|step| step.submissions).sum::<usize>() == SUBMISSIONS {
                self.retire_oldest()?;
            }
            batch.read = Some(&self.decode_rows.tokens)
                .filter(|_| read_tokens && dispatches.peek().is_none());
            self.flight.submit(&batch)?;
            self.pending.back_mut().expect("a step has begun").submissions += 1;
        }
        Ok(())
    }
}

impl Engine for GpuEngine {
    fn position(&self) -> usize {
        self.position
    }

    fn rewind(&mut self, position: usize) -> Result<(), EngineError> {
        self.position = position;
        let step = [position as u32, 1, self.batch as u32, 0];
        Ok(self.gpu.write(&self.decode_rows.step, 0, &step)?)
    }

    fn submit_prefill(&mut self, texts: &[Vec<u32>]) -> Result<(), EngineError> {
        check_texts(texts, self.batch, self.context - self.position);
        let (begin, length) = (self.position, texts[0].len());
        self.begin()?;
        let at_once = self.prefill_rows.capacity / self.batch;
        for first in (0..length).step_by(at_once) {
            let count = at_once.min(length - first);
            let rows = count * self.batch;
            let chunk = texts.iter().flat_map(|text| &text[first..first + count]);
            let chunk: Vec<u32> = chunk.copied().collect();
            self.gpu.write(&self.prefill_rows.tokens, 0, &chunk)?;
            let step = [begin + first, count, rows, 0].map(|n| n as u32);
            self.gpu.write(&self.prefill_rows.step, 0, &step)?;
            self.submit_work(&self.prefill.clone(), rows, false)?;
        }
        self.rewind(begin + length - 1)?;
        self.submit_work(&self.prefill_head.clone(), self.batch, true)?;
        self.position = begin + length;
        Ok(())
    }

    fn submit(&mut self, tokens: Option<&[u32]>) -> Result<(), EngineError> {
        assert!(self.position < self.context, "the context of {} tokens is full", self.context);
        self.begin()?;
        if let Some(tokens) = tokens {
            assert_eq!(tokens.len(), self.batch, "one token for each sequence");
            self.gpu.write(&self.decode_rows.tokens, 0, tokens)?;
        }
        self.submit_work(&self.decode.clone(), self.batch, true)?;
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
        let nan = vec![f32::NAN.to_bits(); 1 << 20];
        self.decode_rows.poison(&self.gpu, &nan)?;
        self.prefill_rows.poison(&self.gpu, &nan)?;
        self.caches.iter().try_for_each(|cache| cache.fill(&self.gpu, &nan))?;
        let nan = nan_buffer(&self.gpu, 1 << 16)?;
        self.gpu.fill(&self.logits, &nan)?;
        Ok(self.gpu.fill(&self.largest, &nan)?)
    }
}
