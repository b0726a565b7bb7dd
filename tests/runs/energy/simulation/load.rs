//! Power as it truly is: constant in short steps, so that its energy is known exactly.

use super::Random;
use rigbench::energy::{LoadStep, TimeSpan};
use rigbench::units::Seconds;

/// Power over time, in steps.
#[derive(Default)]
pub struct Load {
    /// Where each step begins, and the joules drawn until then.
    starts: Vec<f64>,
    joules: Vec<f64>,
    watts: Vec<f64>,
    end: f64,
}

impl Load {
    fn begin(at: f64) -> Load {
        Load { end: at, ..Load::default() }
    }

    /// So many seconds at this power.
    fn step(&mut self, seconds: f64, watts: f64) {
        let drawn = match self.starts.last() {
            Some(start) => {
                self.joules[self.joules.len() - 1]
                    + self.watts[self.watts.len() - 1] * (self.end - start)
            }
            None => 0.0,
        };
        self.starts.push(self.end);
        self.joules.push(drawn);
        self.watts.push(watts);
        self.end += seconds;
    }

    fn at(&self, time: f64) -> usize {
        self.starts.partition_point(|start| *start <= time).max(1) - 1
    }

    /// Watts at a moment.
    pub fn watts(&self, time: f64) -> f64 {
        self.watts[self.at(time)]
    }

    /// Joules drawn until a moment. The last step goes on for ever.
    pub fn joules(&self, time: f64) -> f64 {
        let step = self.at(time);
        self.joules[step] + self.watts[step] * (time - self.starts[step])
    }

    /// Where it begins.
    pub fn start(&self) -> f64 {
        self.starts[0]
    }
}

/// What a run asks of a machine.
#[derive(Clone, Copy)]
pub struct Asked {
    /// Blocks, and the measured seconds of each.
    pub blocks: usize,
    pub length: f64,
    /// Idle time before each block.
    pub rest: f64,
    /// The longest warm-up.
    pub warm_up: f64,
    /// A period with which the load is exactly in step, half of the time idle at worst.
    pub in_step: Option<f64>,
}

/// What a run does to a machine: other rows' work, then blocks of idle time, warm-up and windows of batches; between them
/// other rows' work again. The first window begins at 0. Returns the power and the blocks.
pub fn of_a_run(random: &mut Random, asked: Asked) -> (Load, Vec<LoadStep>) {
    let Asked { blocks, length, rest, warm_up, in_step } = asked;
    let full = random.decades(5.0, 1000.0);
    let idle = full * random.between(0.1, 0.6);
    let batch = Batches {
        full,
        seconds: in_step.unwrap_or(0.02),
        scatter: random.between(0.0, 0.06),
        dip: if in_step.is_some() { random.between(0.0, 0.5) } else { random.decades(1e-3, 0.15) },
        depth: random.between(0.0, 0.6).min(1.0 - idle / full),
        even: in_step.is_some(),
        warming: if random.chance(0.3) { random.between(-0.05, 0.1) } else { 0.0 },
        // A board at its power cap swings around it.
        swing: if random.chance(0.2) { random.between(0.0, 0.08) } else { 0.0 },
        swing_seconds: random.decades(0.05, 2.0),
        length,
    };
    // What went before: the baseline, then tuning or another row's block.
    let (baseline, tuning) = (random.between(2.0, 30.0), random.between(0.0, 20.0));
    let warm_ups: Vec<f64> = (0..blocks).map(|_| random.between(0.3, 1.0) * warm_up).collect();
    let rests: Vec<f64> = (0..blocks).map(|_| rest * random.between(1.0, 1.4)).collect();
    let mut load = Load::begin(-baseline - tuning - rests[0] - warm_ups[0]);
    load.step(baseline, idle);
    others(random, &mut load, &batch, tuning, idle);
    let mut steps = Vec::new();
    for (rest, warm_up) in rests.into_iter().zip(warm_ups) {
        let idle_from = load.end;
        load.step(rest, idle);
        let load_from = load.end;
        batch.run(random, &mut load, warm_up);
        let from = load.end;
        let window = random.one_of(&[0.5, 2.0, 9.0]);
        while load.end - from < length {
            let seconds = window * random.between(0.85, 1.15);
            batch.run(random, &mut load, seconds);
            let between = random.between(0.0003, 0.02);
            load.step(between, idle);
        }
        steps.push(LoadStep {
            idle_from: Seconds(idle_from),
            load_from: Seconds(load_from),
            measured: TimeSpan { from: Seconds(from), to: Seconds(load.end) },
            busy: Some(1.0 - batch.dip),
        });
        load.step(random.between(0.1, 2.0), idle);
        let turn = random.between(0.0, 40.0);
        others(random, &mut load, &batch, turn, idle);
    }
    load.step(1.0, idle);
    (load, steps)
}

/// Blocks of other rows, at their own power.
fn others(random: &mut Random, load: &mut Load, batch: &Batches, seconds: f64, idle: f64) {
    let end = load.end + seconds;
    while load.end < end {
        let full = idle + (batch.full - idle) * random.between(0.3, 1.3);
        let (rest, work) = (random.between(0.2, 5.0), random.between(2.0, 30.0));
        load.step(rest.min(end - load.end), idle);
        load.step(work.min(end - load.end).max(0.0), full);
    }
}

struct Batches {
    full: f64,
    seconds: f64,
    scatter: f64,
    dip: f64,
    depth: f64,
    /// Whether all last the same.
    even: bool,
    warming: f64,
    swing: f64,
    swing_seconds: f64,
    length: f64,
}

impl Batches {
    fn run(&self, random: &mut Random, load: &mut Load, seconds: f64) {
        let end = load.end + seconds;
        while load.end < end {
            let now = load.end;
            let slow = 1.0 + self.warming * (now / self.length).clamp(0.0, 1.0);
            let swing = 1.0 + self.swing * (2.0 * (now / self.swing_seconds).rem_euclid(1.0) - 1.0);
            let watts = self.full * slow * swing * (1.0 + self.scatter * random.normal()).max(0.3);
            let uneven = if self.even { 1.0 } else { random.between(0.9, 1.1) };
            let whole = (self.seconds * uneven).min(end - now).max(1e-4);
            load.step(whole * (1.0 - self.dip), watts);
            load.step(whole * self.dip, watts * (1.0 - self.depth));
        }
    }
}

/// One block of five seconds.
#[cfg(test)]
pub const ONE_BLOCK: Asked =
    Asked { blocks: 1, length: 5.0, rest: 3.0, warm_up: 3.0, in_step: None };

#[test]
fn joules_are_the_sum_of_watts() {
    let mut random = Random::new(3);
    let (load, steps) = of_a_run(&mut random, ONE_BLOCK);
    let end = steps[0].measured.to.0;
    let (parts, width) = (400_000, end / 400_000.0);
    let summed: f64 = (0..parts).map(|i| load.watts((i as f64 + 0.5) * width) * width).sum();
    let exact = load.joules(end) - load.joules(0.0);
    assert!((summed / exact - 1.0).abs() < 1e-4, "{summed} {exact}");
    assert!(end >= 5.0 && load.watts(load.start()) < load.watts(0.01));
    assert!(steps[0].measured.from.0.abs() < 1e-2, "{steps:?}");
}
