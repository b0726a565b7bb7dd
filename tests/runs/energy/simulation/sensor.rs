//! A sensor: what it shows at any moment, renewed at its own pace, rounded, and off by as much as its accuracy allows.

use super::Random;
use super::load::Load;

/// What a sensor shows.
#[derive(Clone, Debug)]
pub enum Kind {
    /// Joules, of domains that share the load; it looks at a part of each period and takes it for the whole.
    Counter { domains: Vec<Domain>, duty: f64 },
    /// Watts, the mean over the time before an update; of the moment if that is 0.
    Power { averaging: f64 },
}

/// A part of what a counter counts.
#[derive(Clone, Debug)]
pub struct Domain {
    pub share: f64,
    pub begins_at: f64,
    pub range: Option<f64>,
}

/// A sensor on a load.
#[derive(Clone, Debug)]
pub struct Sensor {
    pub kind: Kind,
    pub period: f64,
    /// Its figures are multiples of this.
    pub resolution: f64,
    /// What it shows for one that is true.
    pub gain: f64,
    /// Updates come unevenly by this share of the period.
    pub jitter: f64,
    /// It shows everything so much later.
    pub lag: f64,
}

/// What a sensor showed from each of its updates on.
pub struct Shown {
    pub times: Vec<f64>,
    pub values: Vec<Vec<f64>>,
}

impl Shown {
    pub fn at(&self, time: f64) -> &[f64] {
        let after = self.times.partition_point(|update| *update <= time);
        &self.values[after.max(1) - 1]
    }
}

impl Sensor {
    /// Follows a load until `end`.
    pub fn follow(&self, random: &mut Random, load: &Load, end: f64) -> Shown {
        let mut shown = Shown { times: Vec::new(), values: Vec::new() };
        let first = load.start() + self.period * random.share();
        let (mut time, mut counted, mut before) = (first, 0.0, first - self.period);
        while time < end {
            let values = match &self.kind {
                Kind::Counter { domains, duty } => {
                    let looked = (time - before) * duty;
                    counted += (load.joules(time) - load.joules(time - looked)) / duty;
                    let value = |d: &Domain| {
                        let raw = d.begins_at + self.round(counted * d.share * self.gain);
                        d.range.map_or(raw, |range| raw.rem_euclid(range))
                    };
                    domains.iter().map(value).collect()
                }
                Kind::Power { averaging: 0.0 } => vec![self.round(load.watts(time) * self.gain)],
                Kind::Power { averaging } => {
                    let joules = load.joules(time) - load.joules(time - averaging);
                    vec![self.round(joules / averaging * self.gain)]
                }
            };
            shown.times.push(time + self.lag);
            shown.values.push(values);
            before = time;
            time += self.period * random.between(1.0 - self.jitter, 1.0 + self.jitter);
        }
        shown
    }

    fn round(&self, value: f64) -> f64 {
        (value / self.resolution).floor() * self.resolution
    }
}

#[cfg(test)]
mod tests {
    use super::super::load::{ONE_BLOCK, of_a_run};
    use super::*;

    fn sensor(kind: Kind) -> Sensor {
        Sensor { kind, period: 0.1, resolution: 1e-6, gain: 1.0, jitter: 0.03, lag: 0.0 }
    }

    #[test]
    fn a_counter_counts_what_was_drawn_and_begins_again_at_its_range() {
        let mut random = Random::new(5);
        let (load, steps) = of_a_run(&mut random, ONE_BLOCK);
        let end = steps[0].measured.to.0;
        let domain = Domain { share: 1.0, begins_at: 7.0, range: None };
        let plain = sensor(Kind::Counter { domains: vec![domain.clone()], duty: 1.0 });
        let shown = plain.follow(&mut random, &load, end);
        let (first, last) = (shown.times[0], *shown.times.last().unwrap());
        let counted = shown.values.last().unwrap()[0] - shown.values[0][0];
        assert!((counted - (load.joules(last) - load.joules(first))).abs() < 1e-3);
        let range = counted / 3.5;
        let wrapping = Domain { range: Some(range), ..domain };
        let shown = sensor(Kind::Counter { domains: vec![wrapping], duty: 1.0 }).follow(
            &mut random,
            &load,
            end,
        );
        let falls = shown.values.windows(2).filter(|v| v[1][0] < v[0][0]).count();
        assert!((3..=4).contains(&falls), "{falls}");
    }

    #[test]
    fn power_is_the_mean_over_its_averaging_time() {
        let mut random = Random::new(6);
        let (load, steps) = of_a_run(&mut random, ONE_BLOCK);
        let end = steps[0].measured.to.0;
        let shown = sensor(Kind::Power { averaging: 1.0 }).follow(&mut random, &load, end);
        let (time, value) = (shown.times[60], shown.values[60][0]);
        assert!((value - (load.joules(time) - load.joules(time - 1.0))).abs() < 1e-5);
        assert_eq!(shown.at(time + 1e-9), [value]);
    }
}
