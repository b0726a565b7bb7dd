//! The meter reads every source at marks and integrates between them.

use super::{Energy, EnergySource, Reading, SourceInfo, Stamped};
use crate::units::{Joules, Seconds, Watts};
use std::time::Instant;

/// A moment at which every source was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Since the meter's start.
    pub at: Seconds,
    index: usize,
}

/// Sources under one clock.
pub struct Meter {
    start: Instant,
    sources: Vec<Metered>,
    marks: usize,
    /// Why there is no source, for the record.
    absence: String,
}

struct Metered {
    source: Box<dyn EnergySource>,
    /// One a mark, or why the source cannot be used any more.
    readings: Result<Vec<Stamped<Reading>>, String>,
}

impl Meter {
    /// A meter over these sources; `absence` says why there are none, should there be none.
    pub fn new(sources: Vec<Box<dyn EnergySource>>, absence: &str) -> Meter {
        let sources =
            sources.into_iter().map(|source| Metered { source, readings: Ok(Vec::new()) });
        Meter {
            start: Instant::now(),
            sources: sources.collect(),
            marks: 0,
            absence: absence.to_string(),
        }
    }

    /// Time since the meter's start.
    pub fn now(&self) -> Seconds {
        Seconds(self.start.elapsed().as_secs_f64())
    }

    /// Reads every source. A source that fails is out from then on; it costs its figures, not the run.
    pub fn mark(&mut self) -> Mark {
        let at = self.now();
        for Metered { source, readings } in &mut self.sources {
            let Ok(list) = readings else { continue };
            let before = self.start.elapsed().as_secs_f64();
            match source.read() {
                Ok(value) => list.push(Stamped {
                    before: Seconds(before),
                    after: Seconds(self.start.elapsed().as_secs_f64()),
                    value,
                }),
                Err(error) => *readings = Err(error.to_string()),
            }
        }
        self.marks += 1;
        Mark { at, index: self.marks - 1 }
    }

    /// What every source makes of the time between two marks; never empty.
    pub fn between(&self, from: Mark, to: Mark) -> Vec<Energy> {
        if self.sources.is_empty() {
            return vec![Energy::None { reason: self.absence.clone() }];
        }
        self.sources
            .iter()
            .map(|Metered { source, readings }| match readings {
                Ok(list) => integrate(source.describe(), &list[from.index..=to.index], from, to),
                Err(reason) => {
                    Energy::None { reason: format!("{}: {reason}", source.describe().kind) }
                }
            })
            .collect()
    }
}

/// Integrates by trapezoids between the readings' middles, and holds the first and last out to the marks.
fn integrate(source: SourceInfo, readings: &[Stamped<Reading>], from: Mark, to: Mark) -> Energy {
    let over = |watts: &dyn Fn(&Reading) -> Watts| -> Joules {
        let points: Vec<(f64, f64)> = readings
            .iter()
            .map(|r| {
                let middle = (r.before.0 + r.after.0) / 2.0;
                (middle.clamp(from.at.0, to.at.0), watts(&r.value).0)
            })
            .collect();
        let (first, last) = (points[0], points[points.len() - 1]);
        let inside: f64 =
            points.windows(2).map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0).sum();
        Joules((first.0 - from.at.0) * first.1 + inside + (to.at.0 - last.0) * last.1)
    };
    match readings[0].value {
        Reading::Declared(_) => Energy::Declared {
            source,
            gross: over(&|r| match r {
                Reading::Declared(watts) => *watts,
                Reading::Bounds { .. } => unreachable!("a source keeps to one kind of reading"),
            }),
        },
        Reading::Bounds { .. } => {
            let bound = |r: &Reading| match r {
                Reading::Bounds { low, high } => (*low, *high),
                Reading::Declared(_) => unreachable!("a source keeps to one kind of reading"),
            };
            Energy::Modelled { source, low: over(&|r| bound(r).0), high: over(&|r| bound(r).1) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::energy::{Declared, EnergyError, Model, Scope};
    use std::thread::sleep;
    use std::time::Duration;

    fn metered(sources: Vec<Box<dyn EnergySource>>) -> (f64, Vec<Energy>) {
        let mut meter = Meter::new(sources, "there is no meter");
        let from = meter.mark();
        sleep(Duration::from_millis(30));
        meter.mark();
        sleep(Duration::from_millis(10));
        let to = meter.mark();
        (to.at.0 - from.at.0, meter.between(from, to))
    }

    #[test]
    fn constant_power_integrates_to_power_times_time() {
        let declared = Declared { watts: Watts(240.0), scope: Scope::Wall };
        let model = Model::between(Watts(60.0), Watts(280.0), Scope::Machine);
        let (seconds, energy) = metered(vec![Box::new(declared), Box::new(model)]);
        let near = |joules: Joules, watts: f64| (joules.0 / (watts * seconds) - 1.0).abs() < 1e-9;
        match &energy[..] {
            [Energy::Declared { gross, .. }, Energy::Modelled { low, high, .. }] => {
                assert!(near(*gross, 240.0) && near(*low, 60.0) && near(*high, 280.0));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_source_is_none_with_its_reason() {
        assert_eq!(metered(vec![]).1, [Energy::None { reason: "there is no meter".into() }]);
    }

    #[test]
    fn a_source_that_fails_is_none_and_the_others_stay() {
        struct Failing(u32);
        impl EnergySource for Failing {
            fn describe(&self) -> SourceInfo {
                SourceInfo { kind: "failing", scope: Scope::Wall, basis: String::new() }
            }
            fn read(&mut self) -> Result<Reading, EnergyError> {
                self.0 += 1;
                match self.0 {
                    1 => Ok(Reading::Declared(Watts(1.0))),
                    _ => Err(EnergyError("it went away".into())),
                }
            }
        }
        let declared = Declared { watts: Watts(5.0), scope: Scope::Wall };
        let (_, energy) = metered(vec![Box::new(Failing(0)), Box::new(declared)]);
        assert_eq!(energy[0], Energy::None { reason: "failing: it went away".into() });
        assert!(matches!(energy[1], Energy::Declared { .. }));
    }
}
