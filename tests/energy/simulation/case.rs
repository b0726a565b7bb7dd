//! One case: a run on a machine, a sensor with its description, what was read of it, and what was truly drawn.

use super::Random;
use super::load::of_a_run;
use super::reader::Reader;
use super::sensor::{Domain, Kind, Sensor, Shown};
use rigbench::energy::{Accuracy, Basis, Quantity, Scope, SourceInfo, Stamped};
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
}

pub const FAULTS: [Fault; 6] =
    [Fault::Reset, Fault::Dropout, Fault::Garbage, Fault::Stuck, Fault::Short, Fault::Ended];

pub struct Case {
    /// `counter`, `counter, part time`, `instant`, `averaged` or `samples, part time`.
    pub kind: &'static str,
    pub fault: Option<Fault>,
    pub info: SourceInfo,
    pub readings: Vec<Stamped>,
    pub to: Seconds,
    /// Joules truly drawn in the windows.
    pub truth: f64,
    pub sensor: Sensor,
}

pub const KINDS: [&str; 5] =
    ["counter", "counter, part time", "instant", "averaged", "samples, part time"];

impl Case {
    pub fn new(number: u64) -> Case {
        let random = &mut Random::new(number);
        let fault = random.chance(0.2).then(|| random.one_of(&FAULTS));
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
        let length = if short {
            period * random.between(0.3, 2.5)
        } else {
            let mode = [10.0, 10.0, 60.0, 60.0, 540.0][(random.share() * 5.0) as usize];
            f64::max(mode, (40.0 * period).min(600.0))
        };
        let (load, end) = of_a_run(random, length);
        let documented = random.chance(0.5);
        let poll =
            if documented { (period / 4.0).clamp(0.02, 1.0) } else { random.one_of(&[0.05, 0.1]) };
        let most = (0..200).map(|i| load.watts(end * i as f64 / 200.0)).fold(0.0, f64::max);
        let ceiling = most * random.between(2.0, 6.0);
        let share = random.one_of(&[0.002, 0.005, 0.01, 0.02]);
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
        };
        let info = SourceInfo {
            kind: "command",
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
        // The meter reads on until a counter has moved once more.
        let over = end + 2.0 * (if documented { period } else { period.max(2.0) } + poll) + 0.6;
        let mut shown = sensor.follow(random, &load, over);
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
        Case { kind, fault, info, readings, to: Seconds(end), truth: drawn, sensor }
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
        Fault::Reset | Fault::Stuck | Fault::Short => {}
    }
}
