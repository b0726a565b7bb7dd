//! One case: a run on a machine, a sensor with its description, what was read of it, and what was truly drawn.

use super::Random;
use super::load::{Asked, Load, of_a_run};
use super::reader::Reader;
use super::sensor::{Domain, Kind, Sensor, Shown};
use rigbench::energy::{
    Accuracy, Basis, LoadStep, MeterKind, Quantity, Scope, SourceInfo, Stamped,
};
use rigbench::units::{Joules, Seconds, Watts};

/// What is wrong with a case. Only what can be seen in principle is tried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The counter begins again at 0.
    Reset,
    /// Nothing is read for a good part of the time.
    Dropout,
    /// Some readings are nonsense.
    Garbage,
    /// The sensor shows the same for a good part of the time, and what is drawn meanwhile is lost.
    Stuck,
    /// The windows are over before the sensor has shown much.
    Short,
    /// The source ends before the windows do.
    Ended,
    /// The sensor shows everything up to a minute late.
    Late,
    /// The sensor shows one value for ever.
    Dead,
    /// The sensor is another machine's.
    Foreign,
}

pub const FAULTS: [Fault; 9] = [
    Fault::Reset,
    Fault::Dropout,
    Fault::Garbage,
    Fault::Stuck,
    Fault::Short,
    Fault::Ended,
    Fault::Late,
    Fault::Dead,
    Fault::Foreign,
];

pub struct Case {
    /// `counter`, `counter, part time`, `instant`, `averaged` or `samples, part time`.
    pub kind: &'static str,
    pub fault: Option<Fault>,
    pub info: SourceInfo,
    pub readings: Vec<Stamped>,
    pub steps: Vec<LoadStep>,
    /// Joules truly drawn in the windows of each block.
    pub truth: Vec<f64>,
    pub sensor: Sensor,
}

pub const KINDS: [&str; 5] =
    ["counter", "counter, part time", "instant", "averaged", "samples, part time"];

impl Case {
    pub fn new(number: u64) -> Case {
        let random = &mut Random::new(number);
        let fault = random.chance(0.25).then(|| random.one_of(&FAULTS));
        let kind = KINDS[[0, 0, 0, 1, 2, 3, 3, 4][(random.share() * 8.0) as usize]];
        let is_counter = kind.starts_with("counter");
        let fault = fault.filter(|fault| is_counter || *fault != Fault::Reset);

        let short = fault == Some(Fault::Short);
        let period = random.decades(if short { 1.0 } else { 0.01 }, 10.0);
        let averaging = match kind {
            "averaged" if period <= 1.0 && random.chance(0.5) => 1.0,
            "averaged" => period,
            "samples, part time" => period / 4.0,
            _ => 0.0,
        };
        let documented = random.chance(0.5);
        // Quick, default and publish; rest and blocks are longer where the meter is known to be slow.
        let mode = (random.share() * 2.4) as usize;
        let (blocks, length, rest, warm_up) =
            [(2, 5.0, 0.2, 2.0), (3, 10.0, 1.0, 8.0), (5, 120.0, 10.0, 60.0)][mode];
        let least = if mode == 2 { 0.2 } else { 0.0 };
        let poll =
            if documented { (period / 4.0).clamp(0.02, 1.0) } else { random.one_of(&[0.05, 0.1]) };
        let poll = f64::max(poll, least);
        let update = if documented || is_counter { period.max(poll) } else { poll };
        let needed = if is_counter { 0.0 } else { 2.0 * averaging } + 8.0 * update;
        let (length, blocks) = match short {
            true => (period * random.between(0.3, 2.5), 1),
            false => (f64::max(length, needed.min(30.0)), blocks),
        };
        let rest = f64::max(rest, (averaging + 3.0 * update).min(10.0));
        let part_time = kind.ends_with("part time");
        let in_step = Some(period).filter(|_| part_time && random.chance(0.2));
        let (load, steps) = of_a_run(random, Asked { blocks, length, rest, warm_up, in_step });
        let end = steps[blocks - 1].measured.to.0;
        let most = (0..200).map(|i| load.watts(end * i as f64 / 200.0)).fold(0.0, f64::max);
        let ceiling = most * random.between(2.0, 6.0);
        let share = random.one_of(&[0.002, 0.005, 0.01, 0.02]);
        let of_block =
            |step: &LoadStep| load.joules(step.measured.to.0) - load.joules(step.measured.from.0);
        let truth: Vec<f64> = steps.iter().map(of_block).collect();
        let drawn = load.joules(end) - load.joules(0.0);
        let duty = if kind == "counter, part time" { 0.25 } else { 1.0 };
        let domains = domains(random, drawn, ceiling * (poll * 12.0 + 3.0));
        let resolution = if is_counter {
            random.one_of(&[61e-6, 1e-3, 1e-3, 1.0])
        } else {
            random.one_of(&[1e-3, 1e-3, 0.1, 1.0])
        };
        let sensor = Sensor {
            kind: if is_counter {
                Kind::Counter { domains: domains.clone(), duty }
            } else {
                Kind::Power { averaging }
            },
            period,
            resolution,
            gain: 1.0 + random.between(-share, share),
            jitter: if in_step.is_some() { 0.0 } else { 0.03 },
            lag: if fault == Some(Fault::Late) { random.between(0.0, 60.0) } else { 0.0 },
        };
        let info = SourceInfo {
            kind: MeterKind::Command,
            model: "simulated".into(),
            driver: None,
            scope: Scope::Machine,
            quantity: if is_counter {
                let ranges = domains.iter().map(|d| d.range.map(Joules)).collect();
                Quantity::Counter { ranges, duty }
            } else {
                Quantity::Power { averaging: Seconds(averaging) }
            },
            update_period: documented.then_some(Seconds(period)),
            poll: Seconds(poll),
            ceiling: Watts(ceiling),
            accuracy: Accuracy { share, basis: Basis::Datasheet, reference: "simulated".into() },
        };
        // The meter reads on until a counter has moved once more; where other rows follow, for longer.
        let over = end + 2.0 * (if documented { period } else { period.max(2.0) } + poll) + 0.6;
        let over = if random.chance(0.5) { over.max(end + 40.0) } else { over };
        let mut shown = match fault {
            Some(Fault::Foreign) => {
                let blocks = random.one_of(&[1, 3, 6]);
                let (rest, length) = (random.between(0.0, 30.0), random.between(1.0, 60.0));
                let asked = Asked { blocks, length, rest, warm_up: 3.0, in_step: None };
                let other: Load = of_a_run(random, asked).0;
                sensor.follow(random, &other, over)
            }
            _ => sensor.follow(random, &load, over),
        };
        if fault == Some(Fault::Dead) {
            let value = random.one_of(&shown.values.iter().collect::<Vec<_>>()).clone();
            shown.values.fill(value);
        }
        let reader = Reader {
            poll,
            latency: random.decades(20e-6, 0.05),
            late: random.one_of(&[0.0, 0.0, 0.002, 0.01]),
            failing: random.one_of(&[0.0, 0.0, 0.001, 0.02]),
        };
        if let Some(fault) = fault {
            spoil_sensor(random, fault, &sensor, &mut shown, end);
        }
        let mut readings = reader.read(random, &shown, load.start(), over);
        if let Some(fault) = fault {
            spoil_readings(random, fault, &info, &mut readings, end);
        }
        Case { kind, fault, info, readings, steps, truth, sensor }
    }
}

/// One domain or two, with ranges that are known, and small enough to be passed, or not.
fn domains(random: &mut Random, drawn: f64, least_range: f64) -> Vec<Domain> {
    let first = random.between(0.4, 1.0);
    let shares = if random.chance(0.3) { vec![first, 1.0 - first] } else { vec![1.0] };
    let known = random.chance(0.5);
    let range = (drawn / random.between(0.3, 20.0)).max(least_range);
    shares
        .into_iter()
        .map(|share| match known {
            true => Domain { share, begins_at: range * random.share(), range: Some(range) },
            false => Domain { share, begins_at: random.decades(1.0, 1e7), range: None },
        })
        .collect()
}

/// A stretch within the windows that is so large a share of them.
fn stretch(random: &mut Random, end: f64, share: f64) -> (f64, f64) {
    let begin = random.between(0.05, 0.9 - share) * end;
    (begin, begin + share * end)
}

fn spoil_sensor(random: &mut Random, fault: Fault, sensor: &Sensor, shown: &mut Shown, end: f64) {
    match (fault, &sensor.kind) {
        (Fault::Reset, Kind::Counter { domains, .. }) => {
            let at = random.between(0.1, 0.9) * end;
            let first = shown.times.partition_point(|time| *time < at);
            let Some(base) = shown.values.get(first).cloned() else { return };
            for values in &mut shown.values[first..] {
                for ((value, base), domain) in values.iter_mut().zip(&base).zip(domains) {
                    *value -= base;
                    if let Some(range) = domain.range {
                        *value = value.rem_euclid(range);
                    }
                }
            }
            // So far from its range that it cannot have wrapped.
            if let Some(range) = domains[0].range {
                let before = 0.4 * range;
                let shift = before - shown.values[first.max(1) - 1][0];
                for values in &mut shown.values[..first] {
                    values[0] = (values[0] + shift).rem_euclid(range);
                }
            }
        }
        (Fault::Stuck, kind) => {
            let share = random.between(0.2, 0.4);
            let (begin, until) = stretch(random, end, share);
            let first = shown.times.partition_point(|time| *time < begin);
            let last = shown.times.partition_point(|time| *time < until);
            if first == 0 || last >= shown.values.len() || last <= first {
                return;
            }
            let frozen = shown.values[first - 1].clone();
            let lost: Vec<f64> =
                shown.values[last].iter().zip(&frozen).map(|(now, then)| now - then).collect();
            shown.values[first..last].fill(frozen);
            if let Kind::Counter { domains, .. } = kind {
                for values in &mut shown.values[last..] {
                    for ((value, lost), domain) in values.iter_mut().zip(&lost).zip(domains) {
                        *value -= lost;
                        if let Some(range) = domain.range {
                            *value = value.rem_euclid(range);
                        }
                    }
                }
            }
        }
        _ => {}
    }
}

fn spoil_readings(
    random: &mut Random,
    fault: Fault,
    info: &SourceInfo,
    readings: &mut Vec<Stamped>,
    end: f64,
) {
    match fault {
        Fault::Dropout => {
            let share = random.between(0.08, 0.4);
            let (begin, until) = stretch(random, end, share);
            readings.retain(|r| r.before.0 < begin || r.before.0 > until);
        }
        Fault::Garbage => {
            let is_counter = matches!(info.quantity, Quantity::Counter { .. });
            let count = 1 + (random.share() * 5.0) as usize;
            for _ in 0..count {
                let at = (random.share() * readings.len() as f64) as usize;
                let garbage = match is_counter {
                    true => random.one_of(&[f64::NAN, 0.0, -1.0, 1e12]),
                    false => random.one_of(&[f64::NAN, 65_535.0, -1.0, 42_000.0]),
                };
                readings[at].values.fill(garbage);
            }
        }
        Fault::Ended => {
            let last = random.between(0.3, 0.9) * end;
            readings.retain(|r| r.after.0 < last);
        }
        _ => {}
    }
}
