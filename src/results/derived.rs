//! What follows from evidence: medians and intervals from windows, joules from readings, shares of ceilings, verdicts. None of it
//! is measured anew, and all of it can be computed again.

use super::newer::OrNewer;
use super::reason::{Reason, RunReason};
use crate::energy::{CrossCheck, Integral, NoFigure, Response, Scope};
use crate::units::{Interval, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What follows from the evidence of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Derived {
    /// Of each row of the evidence, in its order.
    pub rows: Vec<OrNewer<RowFigures>>,
    /// Of the run as a whole.
    pub run: RunVerdict,
}

/// Whether a run counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunVerdict {
    /// `incomplete` if it has not finished and no row was measured, else `invalid` if there is any reason.
    pub verdict: Verdict,
    /// What makes it so.
    pub reasons: Vec<OrNewer<RunReason>>,
}

/// Whether a figure counts. It never turns a measured number into null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing speaks against it.
    Valid,
    /// Its reasons say what does.
    Invalid,
    /// Of a run, never of a row: it was interrupted, or is under way, and there is no figure yet.
    Incomplete,
}

/// The figures of a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowFigures {
    /// Units of work a second: the median over windows; null if nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Interval>,
    /// Joules by the source that says most.
    pub energy: Energy,
    /// What other sources say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy_other: Vec<Energy>,
    /// How long batches took; null if nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Percentiles>,
    /// How near the row comes to the ceilings of its device; null if it is no product or they were not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
    /// Of `decode`: what a query takes, if the run has the `prefill` row of the same model, type, batch and prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryFigures>,
    /// What its shares show; null if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proven: Option<Proven>,
    /// The change of the rate from the first window to the last as a share of the median, by Theil and Sen's slope; null with
    /// fewer than six windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Interval>,
    /// Windows, from 0, in which other programs took over 10 % of the processor, or this process got far less of it than usual.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disturbed_windows: Vec<usize>,
    /// Windows, from 0, whose rate is far from the others'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outlier_windows: Vec<usize>,
    /// Whether the row counts.
    pub verdict: Verdict,
    /// What makes it invalid.
    pub reasons: Vec<Reason>,
}

/// Joules of a row, by one source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Energy {
    /// The source, by its place in the manifest; null if none covers the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<usize>,
    /// What it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// Gross joules a unit of work: all joules of the blocks that have a figure over their work, idle draw included; null without
    /// a figure. What is modelled has ends and no value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joules_per_unit: Option<Interval>,
    /// Mean power over these windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power_watts: Option<Interval>,
    /// Joules above what the same source read at rest over the same time; null without a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_joules: Option<f64>,
    /// What was measured; null if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Measured>,
    /// Why a source that is read has no figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_figure: Option<NoFigure>,
}

/// What a meter gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// All blocks that have a figure together.
    pub total: Integral,
    /// All joules of each block's windows; null where there is no figure.
    pub blocks_gross_joules: Vec<Option<f64>>,
    /// How it answered to the steps from idle to load.
    pub response: Response,
    /// This source held against the others.
    pub cross_checks: Vec<CrossCheck>,
}

/// How long batches took: from the later of a batch's submission and the end of the one before, to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// Batches.
    pub n: u64,
    /// Null with fewer than 20 batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    /// Null with fewer than 100 batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_seconds: Option<f64>,
    /// Null with fewer than 1,000 batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
    /// Null with fewer than 10,000 batches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p999_seconds: Option<f64>,
}

/// How near a row comes to its device's ceilings, as rows of the same run measured them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ceilings {
    /// The arithmetic that multiplies.
    pub arithmetic: String,
    /// Share of the rate of `peak` in this arithmetic; null if that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_share: Option<f64>,
    /// Bytes a second that it must read and write at least, as a share of `stream`; null if that was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_share: Option<f64>,
}

/// What a query takes: a prompt that is read and an answer that is written, beside the others of the batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueryFigures {
    /// Tokens that are read.
    pub prompt_tokens: u64,
    /// Tokens that are written.
    pub answer_tokens: u64,
    /// Until the first of them.
    pub first_token_seconds: f64,
    /// Until the last of them.
    pub seconds: f64,
    /// Joules of a query; null unless those of both rows are of one scope and one provenance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joules: Option<Interval>,
}

/// What the shares of a row show of its hashes. Their number is a Poisson variable, whose mean is known by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Proven {
    /// Hashes that the windows claim.
    pub claimed_hashes: f64,
    /// No fewer hashes than this were computed, as sure as 97.5 %: the lower Poisson bound.
    pub least_hashes: f64,
    /// No more hashes than this were computed, as sure as 97.5 %: the upper Poisson bound.
    pub most_hashes: f64,
    /// Hashes that rate and joules count: the claim, and no more than the upper bound; where fewer than 400 shares are to be expected,
    /// no more than the lower bound.
    pub counted_hashes: f64,
    /// Shares that the claim has on average.
    pub expected_shares: f64,
    /// Shares that are shown.
    pub shares: usize,
}

impl Proven {
    /// Whether less counts than is claimed.
    pub fn is_cut(&self) -> bool {
        self.counted_hashes < self.claimed_hashes
    }
}

impl RowFigures {
    /// Figures of a row of which nothing is known.
    pub fn nothing() -> RowFigures {
        RowFigures {
            throughput: None,
            energy: Energy::default(),
            energy_other: Vec::new(),
            latency: None,
            ceilings: None,
            query: None,
            proven: None,
            drift: None,
            disturbed_windows: Vec::new(),
            outlier_windows: Vec::new(),
            verdict: Verdict::Valid,
            reasons: Vec::new(),
        }
    }

    /// Every source's joules, the headline first.
    pub fn energies(&self) -> impl Iterator<Item = &Energy> {
        std::iter::once(&self.energy).chain(&self.energy_other)
    }

    /// What makes it invalid, in words.
    pub fn reasons_in_words(&self) -> String {
        self.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

impl Energy {
    /// How its joules came about.
    pub fn provenance(&self) -> Provenance {
        self.joules_per_unit.map_or(Provenance::None, |joules| joules.provenance)
    }
}
