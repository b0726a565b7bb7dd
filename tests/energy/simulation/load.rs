//! Power as it truly is: constant in short steps, so that its energy is known exactly.

use super::Random;

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

/// What a run does to a machine: rest, warm-up, a pause, windows from 0 on of batches, rest. Returns the power and where
/// the windows end, which is no sooner than asked.
pub fn of_a_run(random: &mut Random, length: f64) -> (Load, f64) {
    let full = random.decades(5.0, 1000.0);
    let idle = full * random.between(0.1, 0.6);
    let batch = Batches {
        full,
        seconds: 0.02,
        scatter: random.between(0.0, 0.06),
        dip: random.between(0.0, 0.15),
        depth: random.between(0.0, 0.6),
        warming: if random.chance(0.3) { random.between(-0.05, 0.1) } else { 0.0 },
        // A board at its power cap swings around it.
        swing: if random.chance(0.2) { random.between(0.0, 0.08) } else { 0.0 },
        swing_seconds: random.decades(0.05, 2.0),
        length,
    };
    let (rest, warm_up, pause) =
        (random.between(3.0, 40.0), random.between(3.0, 30.0), random.between(0.0, 2.0));
    let mut load = Load::begin(-rest - warm_up - pause);
    load.step(rest, idle);
    batch.run(random, &mut load, warm_up);
    let until_windows = -load.end;
    load.step(until_windows.max(1e-6), idle);
    let zero = load.end;
    let window = random.one_of(&[0.5, 2.0, 9.0]);
    while load.end - zero < length {
        let seconds = window * random.between(0.85, 1.15);
        batch.run(random, &mut load, seconds);
        let between = random.between(0.0003, 0.02);
        load.step(between, idle);
    }
    let end = load.end;
    load.step(1.0, idle);
    (load, end)
}

struct Batches {
    full: f64,
    seconds: f64,
    scatter: f64,
    dip: f64,
    depth: f64,
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
            let whole = (self.seconds * random.between(0.9, 1.1)).min(end - now).max(1e-4);
            load.step(whole * (1.0 - self.dip), watts);
            load.step(whole * self.dip, watts * (1.0 - self.depth));
        }
    }
}

#[test]
fn joules_are_the_sum_of_watts() {
    let mut random = Random::new(3);
    let (load, end) = of_a_run(&mut random, 5.0);
    let (steps, width) = (400_000, end / 400_000.0);
    let summed: f64 = (0..steps).map(|i| load.watts((i as f64 + 0.5) * width) * width).sum();
    let exact = load.joules(end) - load.joules(0.0);
    assert!((summed / exact - 1.0).abs() < 1e-4, "{summed} {exact}");
    assert!(end >= 5.0 && load.watts(load.start()) < load.watts(0.01));
}
