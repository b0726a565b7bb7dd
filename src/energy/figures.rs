//! One source over the stretches of a row. A stretch without a figure costs its windows, not the row.

use super::{Check, EnergyError, Integral, SourceInfo, Stamped, Stretch, agreement, integrate};

/// What a source makes of each stretch of a row.
#[derive(Clone, Debug)]
pub struct Figures {
    /// What was read.
    pub source: SourceInfo,
    /// A figure for each stretch, or why there is none.
    pub stretches: Vec<Result<Integral, EnergyError>>,
}

impl Figures {
    /// Integrates readings over stretches on the same clock.
    pub fn of(source: &SourceInfo, readings: &[Stamped], stretches: &[Stretch]) -> Figures {
        let figure = |stretch: &Stretch| integrate(source, readings, *stretch);
        Figures { source: source.clone(), stretches: stretches.iter().map(figure).collect() }
    }

    /// All stretches that have a figure; none if none has.
    pub fn together(&self) -> Option<Integral> {
        self.where_also(self)
    }

    /// All stretches that have a figure here and in `other`.
    fn where_also(&self, other: &Figures) -> Option<Integral> {
        let pairs = self.stretches.iter().zip(&other.stretches);
        let parts: Vec<&Integral> = pairs
            .filter_map(|(figure, other)| figure.as_ref().ok().filter(|_| other.is_ok()))
            .collect();
        Integral::together(&parts)
    }

    /// Why the first stretch without a figure has none.
    pub fn absence(&self) -> String {
        let why = self.stretches.iter().find_map(|figure| figure.as_ref().err());
        why.map_or("nothing was measured".into(), EnergyError::to_string)
    }

    /// Holds each of these sources against the others.
    pub fn checks(all: &[Figures]) -> Vec<Vec<Check>> {
        let of = |i: usize, own: &Figures| {
            let others = all.iter().enumerate().filter(|(j, _)| *j != i);
            others
                .filter_map(|(_, other)| {
                    let (ours, theirs) = (own.where_also(other)?, other.where_also(own)?);
                    agreement::check((&own.source, &ours), (&other.source, &theirs))
                })
                .collect()
        };
        all.iter().enumerate().map(|(i, own)| of(i, own)).collect()
    }
}
