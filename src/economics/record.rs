//! From the advice in memory to what is printed as JSON.

use super::advice::QueryInHashes;
use super::{
    Absent, Advice, Answer, Choice, Citation, Era, Estimate, Exchange, Flip, Kind, Megawatt,
    Outcome, QueryEnergy, Question, Ranking, Standing, wire,
};

impl Kind {
    /// The name in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::HashHere => "hash-here",
            Kind::HashAsic => "hash-asic",
            Kind::Infer => "infer",
            Kind::Rent => "rent",
        }
    }
}

impl Answer {
    /// `yes`, `no` or `open`.
    pub fn name(self) -> &'static str {
        match self {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Open => "open",
        }
    }
}

impl Era {
    /// The name in `--json`.
    pub fn name(self) -> &'static str {
        match self {
            Era::Now => "now",
            Era::AfterHalving => "after-halving",
        }
    }
}

fn all<'a, T: 'a, W: From<&'a T>>(items: &'a [T]) -> Vec<W> {
    items.iter().map(W::from).collect()
}

impl From<&Advice> for wire::Advice {
    fn from(a: &Advice) -> wire::Advice {
        let recommendation = &a.recommendation;
        let conditions = &a.conditions;
        wire::Advice {
            market_date: a.market_date.to_string(),
            remarks: a.remarks.clone(),
            stale_figures: a.stale.clone(),
            example_figures: a.examples.clone(),
            evidence: a.evidence.name().into(),
            recommendation: wire::Recommendation {
                best: recommendation.best,
                pays: recommendation.pays.name(),
                pays_after_halving: recommendation.pays_after_halving.name(),
                rivals: recommendation.rivals.clone(),
                best_here: recommendation.best_here,
            },
            conditions: wire::Conditions {
                electricity_dollars_per_kwh: conditions.electricity,
                pue: conditions.pue,
                utilisation: conditions.utilisation,
                difficulty: conditions.network.difficulty,
                bitcoin_dollars: conditions.network.bitcoin,
                hashprice_dollars_per_petahash_day: conditions.network.hashprice(),
                hashprice_after_halving_dollars_per_petahash_day: a
                    .network_after_halving
                    .hashprice(),
                halving_block: a.halving_block,
                colocation_dollars_per_kwh: a.colocation.into(),
            },
            choices: all(&a.choices),
            absent: all(&a.absent),
            ranking: (&a.ranking).into(),
            ranking_after_halving: (&a.ranking_after_halving).into(),
            flips: all(&a.flips),
            hashes_forgone: all(&a.exchanges),
            yardsticks: a
                .yardsticks
                .iter()
                .map(|y| wire::Yardstick {
                    choice: y.choice,
                    miner: y.asic,
                    times_worse: y.times_worse.into(),
                })
                .collect(),
            miner_megawatt: (&a.megawatts.asic).into(),
            accelerator_megawatts: all(&a.megawatts.accelerators),
            queries: all(&a.queries),
            queries_absent: a
                .queries_absent
                .iter()
                .map(|(decode, reason)| wire::QueryAbsent {
                    decode: decode.clone(),
                    reason: reason.clone(),
                })
                .collect(),
            published_queries: all(&a.published_queries),
            rests_on: all(&a.rests_on),
        }
    }
}

/// A bound that is not known is null.
impl From<Estimate> for wire::Range {
    fn from(estimate: Estimate) -> wire::Range {
        let known = |bound: f64| bound.is_finite().then_some(bound);
        wire::Range { low: known(estimate.low), value: estimate.value, high: known(estimate.high) }
    }
}

impl From<&Choice> for wire::Choice {
    fn from(c: &Choice) -> wire::Choice {
        wire::Choice {
            kind: c.kind.name(),
            label: c.label.clone(),
            device: c.device.as_ref().map(|on| wire::On {
                id: on.id.clone(),
                name: on.name.clone(),
                class: on.class.name(),
            }),
            revenue_dollars_per_kwh: c.revenue.into(),
            revenue_after_halving_dollars_per_kwh: c.revenue_after_halving.into(),
            hardware_dollars_per_kwh: c.hardware.map(wire::Range::from),
            margin_dollars_per_kwh: c.margin.into(),
            margin_after_halving_dollars_per_kwh: c.margin_after_halving.into(),
            upper_bound_reason: match &c.standing {
                Standing::Meter => None,
                Standing::Bound(why) => Some(why.clone()),
            },
            provenance: c.origin.name(),
            scope: c.scope.name(),
            factors: c
                .factors
                .iter()
                .map(|f| wire::Factor {
                    name: f.name.clone(),
                    value: f.value,
                    source: f.source.clone(),
                })
                .collect(),
            rests_on: all(&c.rests_on),
        }
    }
}

impl From<&Citation> for wire::Citation {
    fn from(c: &Citation) -> wire::Citation {
        wire::Citation {
            what: c.what.clone(),
            figure: c.estimate.into(),
            unit: c.unit.clone(),
            date: c.date.clone(),
            source: c.source.clone(),
        }
    }
}

impl From<&Absent> for wire::Absent {
    fn from(a: &Absent) -> wire::Absent {
        wire::Absent { kind: a.kind.name(), label: a.label.clone(), reason: a.reason.clone() }
    }
}

impl From<&Ranking> for wire::Ranking {
    fn from(ranking: &Ranking) -> wire::Ranking {
        let order = ranking.order.iter();
        wire::Ranking {
            order: order.map(|&(choice, settled)| wire::Ranked { choice, settled }).collect(),
            counts_hardware: ranking.counts_hardware,
        }
    }
}

impl From<&Flip> for wire::Flip {
    fn from(flip: &Flip) -> wire::Flip {
        let (choice, other) = match flip.question {
            Question::Pays { choice } => (choice, None),
            Question::Beats { choice, other } => (choice, Some(other)),
        };
        let (at, yes, never) = match &flip.outcome {
            Outcome::At { value, yes_above, .. } => {
                let side = if *yes_above { "above" } else { "below" };
                (Some((*value).into()), Some(side), None)
            }
            Outcome::Never(why) => (None, None, Some(why.clone())),
        };
        wire::Flip {
            choice,
            other,
            era: flip.era.name(),
            parameter: flip.parameter.name(),
            unit: flip.parameter.unit(),
            current: flip.current.into(),
            answer: flip.answer.name(),
            counts_hardware: flip.counts_hardware,
            at,
            yes,
            never,
        }
    }
}

impl From<&Exchange> for wire::Exchange {
    fn from(e: &Exchange) -> wire::Exchange {
        wire::Exchange {
            token: e.token.clone(),
            hasher: e.hasher.clone(),
            hashes_per_token: e.hashes.into(),
            dollars_per_token: e.dollars.into(),
            wall_factor: e.wall,
        }
    }
}

impl From<&Megawatt> for wire::Megawatt {
    fn from(m: &Megawatt) -> wire::Megawatt {
        wire::Megawatt {
            label: m.label.clone(),
            provenance: m.origin.name(),
            scope: m.scope.name(),
            revenue_dollars_per_hour: m.dollars_per_hour.into(),
            revenue_dollars_per_year: m.dollars_per_year.into(),
            left_dollars_per_year: m.left_per_year.into(),
            left_after_halving_dollars_per_year: m.left_per_year_after_halving.into(),
            build_dollars: m.build.map(wire::Range::from),
            payback_years: m.payback_years.map(wire::Range::from),
            times_the_miner: m.times_the_asic.into(),
            rests_on: all(&m.rests_on),
        }
    }
}

impl From<&QueryEnergy> for wire::Query {
    fn from(q: &QueryEnergy) -> wire::Query {
        wire::Query {
            prefill: q.prefill.clone(),
            decode: q.decode.clone(),
            tokens_in: q.query.tokens_in,
            tokens_out: q.query.tokens_out,
            prefill_joules_per_token: q.prefill_joules.into(),
            decode_joules_per_token: q.decode_joules.into(),
            wall_factor: q.factors.wall,
            idle_factor: q.factors.idle,
            pue: q.factors.pue,
            watt_hours: q.watt_hours.into(),
            lower_bound_reason: q.bound.clone(),
        }
    }
}

impl From<&QueryInHashes> for wire::PublishedQuery {
    fn from(q: &QueryInHashes) -> wire::PublishedQuery {
        wire::PublishedQuery {
            name: q.query.name.clone(),
            energy: (&Citation::from(&q.query.energy)).into(),
            miner: q.asic,
            hashes: q.hashes.into(),
            dollars: q.dollars.into(),
        }
    }
}
