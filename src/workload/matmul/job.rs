//! A matrix product as a job. An engine computes parts of C; the job selects them, poisons C before each window, changes part of A so
//! that a stale C cannot pass, and keeps part of C as evidence of the window's work.

use super::data::Operands;
use super::proof::{Element, Elements, SAMPLED};
use super::shape::{Region, Shape};
use crate::kernels::{Arithmetic, Kernel};
use crate::oracle::Verdict;
use crate::oracle::matmul::{Freivalds, Rounding, judge};
use crate::units::{Seconds, Work};
use crate::workload::{Batch, Job, JobError, Proof};
use ndarray::Array2;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// Maximum bytes of C that a window keeps for its check.
const MAX_EVIDENCE_BYTES: usize = 16 << 20;

/// A backend that multiplies.
pub trait Engine {
    /// A saved part of C.
    type Snapshot;
    fn kernel(&self) -> Option<&Kernel> {
        None
    }
    fn arithmetic(&self) -> Arithmetic;
    /// Parts of a block begin at multiples of these rows and columns.
    fn granule(&self) -> (usize, usize);
    /// The blocks of C; no part crosses them.
    fn blocks(&self) -> Vec<Region>;
    /// Sets the parts of C that are submitted by index. Nothing may be in flight.
    fn set_parts(&mut self, _parts: &[Region]) -> Result<(), JobError> {
        Ok(())
    }
    /// Lets a GPU compute one part with each of these copies of the weights, in order; the CPU computes it in `wait`.
    fn submit(&mut self, _part: usize, _copies: &[usize]) -> Result<(), JobError> {
        Ok(())
    }
    /// Waits for the oldest submission, which is this one. Returns its time on the device's clock.
    fn wait(&mut self, part: &Region, copies: &[usize]) -> Result<Option<Seconds>, JobError>;
    /// Overwrites C and its guard words with NaN.
    fn poison(&mut self) -> Result<(), JobError>;
    /// Whether no guard word was written since C was poisoned. The CPU writes through slices of C, which need none.
    fn guards_intact(&self) -> Result<bool, JobError> {
        Ok(true)
    }
    /// Changes A to that of a window.
    fn change(&mut self, window: u32) -> Result<(), JobError>;
    fn snapshot(&self, part: &Region) -> Result<Self::Snapshot, JobError>;
    fn read(&self, part: &Region, snapshot: &Self::Snapshot) -> Result<Array2<f32>, JobError>;
}

/// Terms of the first dispatches, before the device's speed is known.
const FIRST_TERMS: usize = 1 << 28;
/// Maximum copies of the weights that are verified.
const MAX_VERIFIED_COPIES: usize = 4;

pub struct MatmulJob<E: Engine> {
    pub engine: E,
    operands: Operands,
    rounding: Rounding,
    /// Copies of the weights, and the next one to use.
    copies: usize,
    copy: usize,
    /// A batch computes a part of C `repeats` times.
    parts: Vec<Region>,
    repeats: usize,
    next_part: usize,
    /// Why the parts could not be set; the next submission reports it.
    cut_error: Option<JobError>,
    /// Parts in flight, with the copies of the weights.
    in_flight: VecDeque<(usize, Vec<usize>)>,
    last_done: Option<usize>,
    /// A part of C and its saved output for each window, until it is checked.
    windows: Vec<Option<(Region, E::Snapshot)>>,
    sampled: Vec<Element>,
    /// Freivalds' vectors for columns of C.
    vectors: HashMap<Range<usize>, Freivalds>,
}

impl<E: Engine> MatmulJob<E> {
    pub fn new(engine: E, operands: Operands, copies: usize) -> Self {
        let declared = |name| engine.kernel().and_then(|k| k.constant(name)).unwrap_or(0);
        let rounding = Rounding {
            terms: operands.shape.k,
            f16_roundings: declared("F16_ROUNDINGS"),
            weight_excess: declared("WEIGHT_EXCESS"),
        };
        MatmulJob {
            engine,
            operands,
            rounding,
            copies,
            copy: 0,
            parts: Vec::new(),
            repeats: 1,
            next_part: 0,
            cut_error: None,
            in_flight: VecDeque::new(),
            last_done: None,
            windows: Vec::new(),
            sampled: Vec::new(),
            vectors: HashMap::new(),
        }
    }

    /// Cuts C into about `count` parts, at least one per block.
    fn cut(&mut self, count: usize) -> Result<(), JobError> {
        let blocks = self.engine.blocks();
        let per_block = count.div_ceil(blocks.len());
        self.parts = blocks
            .iter()
            .flat_map(|block| strips(block, per_block, self.engine.granule()))
            .collect();
        self.next_part = 0;
        self.engine.set_parts(&self.parts)
    }

    /// Computes all of C with one copy of the weights.
    fn compute(&mut self, copy: usize) -> Result<(), JobError> {
        self.engine.poison()?;
        for part in 0..self.parts.len() {
            self.engine.submit(part, &[copy])?;
            self.engine.wait(&self.parts[part], &[copy])?;
        }
        Ok(())
    }

    /// The output of a part now.
    fn output(&self, part: &Region) -> Result<Array2<f32>, JobError> {
        self.engine.read(part, &self.engine.snapshot(part)?)
    }

    fn freivalds(&mut self, operands: &Operands, part: &Region, c: &Array2<f32>) -> Verdict {
        let Operands { seed, a, b, .. } = *operands;
        let vector = self.vectors.entry(part.columns.clone()).or_insert_with(|| {
            let signs = seed.coins("signs", b.lines);
            Freivalds::new(b.terms, part.columns.clone(), &signs, &|k, n| b.value(n, k))
        });
        vector.judge(self.rounding, part.rows.clone(), &|m, k| a.value(m, k), c.view())
    }

    /// Compares some elements of a block, always including its corners.
    fn sample(&self, part: &Region, c: &Array2<f32>) -> Verdict {
        let k = self.operands.shape.k;
        let spread = |side: &Range<usize>, most: usize| -> Vec<usize> {
            let n = side.len().min(most);
            (0..n).map(|i| side.start + i * (side.len() - 1) / n.saturating_sub(1).max(1)).collect()
        };
        // Limits the total terms to about 2^25.
        let budget = ((1usize << 25) / k).max(16);
        let rows = spread(&part.rows, 16);
        let columns = spread(&part.columns, (budget / rows.len()).max(2));
        let a = Array2::from_shape_fn((rows.len(), k), |(i, k)| {
            self.operands.a.value(rows[i], k).into()
        });
        // Some columns at a time: 16 MiB of them, in f64.
        let at_once = ((1 << 21) / k).max(1);
        columns.chunks(at_once).fold(Verdict::NOTHING, |verdict, columns| {
            let b = Array2::from_shape_fn((k, columns.len()), |(k, j)| {
                self.operands.b.value(columns[j], k).into()
            });
            let c = Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| {
                c[[rows[i] - part.rows.start, columns[j] - part.columns.start]]
            });
            verdict.and(judge(self.rounding, a.view(), b.view(), c.view()))
        })
    }
}

/// Cuts a block along its longer side, in granules.
fn strips(block: &Region, count: usize, granule: (usize, usize)) -> Vec<Region> {
    let granules = |side: &Range<usize>, granule: usize| side.len().div_ceil(granule);
    let (rows, columns) = (granules(&block.rows, granule.0), granules(&block.columns, granule.1));
    let by_rows = rows >= columns;
    let (side, step) = match by_rows {
        true => (&block.rows, granule.0 * rows.div_ceil(count)),
        false => (&block.columns, granule.1 * columns.div_ceil(count)),
    };
    let part = |first: usize| match first..(first + step).min(side.end) {
        rows if by_rows => Region { rows, columns: block.columns.clone() },
        columns => Region { rows: block.rows.clone(), columns },
    };
    side.clone().step_by(step).map(part).collect()
}

impl<E: Engine> Job for MatmulJob<E> {
    fn verify(&mut self) -> Result<Verdict, JobError> {
        // In parts at first: a whole product may exceed a watchdog's limit.
        let Shape { m, n, k } = self.operands.shape;
        self.cut((m * n).saturating_mul(k).div_ceil(FIRST_TERMS))?;
        self.compute(0)?;
        let operands = self.operands;
        let mut verdict = Verdict::NOTHING;
        let mut first: Vec<Array2<f32>> = Vec::new();
        for block in self.engine.blocks() {
            let c = self.output(&block)?;
            // Some elements are compared one by one, all of them by Freivalds' check.
            verdict =
                verdict.and(self.sample(&block, &c)).and(self.freivalds(&operands, &block, &c));
            if self.copies > 1 {
                first.push(c);
            }
        }
        if !self.engine.guards_intact()? {
            return Ok(Verdict::Disagrees("it writes beside its output".into()));
        }
        // All verified copies of the weights must give the same output; the last is always verified.
        let verified = self.copies.min(MAX_VERIFIED_COPIES);
        let last = self.copies - 1;
        for copy in (1..verified).map(|i| i * last / (verified - 1)) {
            self.compute(copy)?;
            for (block, first) in self.engine.blocks().iter().zip(&first) {
                let c = self.output(block)?;
                if c.iter().zip(first).any(|(c, first)| c.to_bits() != first.to_bits()) {
                    return Ok(Verdict::Disagrees(format!(
                        "copy {copy} of the weights gives another output"
                    )));
                }
            }
        }
        Ok(verdict)
    }

    fn kernel(&self) -> Option<&Kernel> {
        self.engine.kernel()
    }

    fn arithmetic(&self) -> Option<Arithmetic> {
        Some(self.engine.arithmetic())
    }

    fn resize(&mut self, factor: f64) {
        let products = factor * self.repeats as f64 / self.parts.len() as f64;
        self.repeats = (products.round() as usize).max(1);
        let parts = ((1.0 / products).round() as usize).clamp(1, 1 << 12);
        self.cut_error = self.cut(parts).err();
    }

    fn submit(&mut self) -> Result<(), JobError> {
        if let Some(error) = self.cut_error.take() {
            return Err(error);
        }
        let (part, end) = (self.next_part, self.copy + self.repeats);
        let copies: Vec<usize> = (self.copy..end).map(|copy| copy % self.copies).collect();
        self.copy = end % self.copies;
        self.engine.submit(part, &copies)?;
        self.in_flight.push_back((part, copies));
        self.next_part = (part + 1) % self.parts.len();
        Ok(())
    }

    fn wait(&mut self) -> Result<Batch, JobError> {
        let (part, copies) = self.in_flight.pop_front().expect("a batch is in flight");
        let gpu_seconds = self.engine.wait(&self.parts[part], &copies)?;
        self.last_done = Some(part);
        let Work(once) = self.operands.shape.work(&self.parts[part]);
        Ok(Batch { work: Work(once * copies.len() as u64), gpu_seconds })
    }

    fn open_window(&mut self, window: u32) -> Result<(), JobError> {
        self.windows.truncate(window as usize);
        self.engine.poison()?;
        self.engine.change(window)
    }

    fn close_window(&mut self) -> Result<(), JobError> {
        let part = self.last_done.expect("a window has at least one batch");
        let Region { rows, columns } = self.parts[part].clone();
        let kept = (MAX_EVIDENCE_BYTES / (4 * columns.len())).clamp(1, rows.len());
        let part = Region { rows: rows.end - kept..rows.end, columns };
        let snapshot = self.engine.snapshot(&part)?;
        self.windows.push(Some((part, snapshot)));
        Ok(())
    }

    fn check_window(&mut self, window: u32) -> Result<Verdict, JobError> {
        let saved = self.windows[window as usize].take();
        let (part, snapshot) = saved.expect("a window is checked once");
        let c = self.engine.read(&part, &snapshot)?;
        let operands = self.operands.in_window(window);
        let width = part.columns.len() as u64;
        let name = format!("sampled in window {window}");
        let positions = operands.seed.picks(&name, part.area() as u64, SAMPLED);
        self.sampled.retain(|element| element.window != window);
        self.sampled.extend(positions.into_iter().map(|position| {
            let (i, j) = ((position / width) as usize, (position % width) as usize);
            let (row, column) = ((part.rows.start + i) as u64, (part.columns.start + j) as u64);
            Element { window, row, column, value: c[[i, j]] }
        }));
        Ok(self.freivalds(&operands, &part, &c))
    }

    fn proof(&self, windows: usize) -> Option<Proof> {
        let in_windows = |e: &&Element| (e.window as usize) < windows;
        let elements = self.sampled.iter().filter(in_windows).copied().collect();
        let Rounding { f16_roundings, weight_excess, .. } = self.rounding;
        Some(Proof::Elements(Elements { f16_roundings, weight_excess, elements }))
    }
}
