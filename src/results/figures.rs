//! Everything in a document that follows from the rest of it: medians and intervals from windows, joules from readings,
//! shares of roofs, verdicts. A writer fills it in; a reader fills it in again and compares.

use super::wire::{Document, Drift, Measurement, Outcome, Protocol, Throughput, Verdict};
use super::{energy, query, roof, wire};
use crate::energy::Throttle;
use crate::measure::stats::{self, median_interval};
use crate::measure::{Latency, Mode};
use crate::units::Unit;
use base64::Engine;

/// How intervals of a median are found.
const ORDER_STATISTICS: &str = "median over windows, interval between order statistics";
/// More of the processor than this may others not take in a window.
const OTHERS: f64 = 0.1;
/// Or this process got less than this share of what it usually got.
const STARVED: f64 = 0.9;
/// A row may have this share of disturbed windows.
const DISTURBED: f64 = 0.2;
/// And drift by this share.
const DRIFT: f64 = 0.05;
/// An outlier is further from the median than this share of it, whatever the rest's scatter.
const FAR: f64 = 0.05;

/// Why a run is incomplete.
pub const NO_ROW: &str = "no row was finished";

/// Fills in what follows from the rest, all but the digest of the whole.
pub fn fill(document: &mut Document) {
    let threads = document.manifest.host.cores as f64;
    let protocol = document.run.protocol.clone();
    for m in &mut document.measurements {
        match m.outcome {
            Outcome::Measured => row(m, &protocol, threads),
            Outcome::Failed => note(&mut m.reasons, m.reason.clone().unwrap_or_default()),
            Outcome::Unsupported => {}
        }
    }
    query::fill(&mut document.measurements);
    roof::fill(&mut document.measurements, &document.manifest.devices);
    for m in &mut document.measurements {
        m.verdict = verdict(&m.reasons);
        if m.verdict == Verdict::Invalid {
            let why = format!("{} on {}: {}", m.workload.spec(), m.device, m.reasons.join("; "));
            note(&mut document.run.reasons, why);
        }
    }
    if is_incomplete(document) {
        note(&mut document.run.reasons, NO_ROW.to_string());
        document.run.verdict = Verdict::Incomplete;
    } else {
        document.run.verdict = verdict(&document.run.reasons);
    }
}

/// Whether a run was interrupted, or is under way, before its first row had figures.
fn is_incomplete(document: &Document) -> bool {
    let measured = |m: &Measurement| m.outcome == Outcome::Measured;
    document.run.finished_at.is_none() && !document.measurements.iter().any(measured)
}

/// Adds a reason that is not there yet, in the alphabet's order.
pub(super) fn note(reasons: &mut Vec<String>, reason: String) {
    reasons.push(reason);
    reasons.sort();
    reasons.dedup();
}

fn verdict(reasons: &[String]) -> Verdict {
    if reasons.is_empty() { Verdict::Valid } else { Verdict::Invalid }
}

fn row(m: &mut Measurement, protocol: &Protocol, threads: f64) {
    let rates: Vec<f64> = m.windows.iter().map(|w| w.work as f64 / w.wall_seconds).collect();
    m.throughput = throughput(&rates, m.workload.unit());
    m.disturbed_windows = disturbed(m, threads);
    m.outlier_windows =
        stats::outliers(&rates, FAR).into_iter().map(|window| window as u64).collect();
    m.drift = drift(m, &rates);
    energy::fill(m);
    if let Some(stated) = &mut m.latency {
        latency(stated);
    }
    let (done, wanted) = (m.windows.len() as u64, protocol.blocks * protocol.windows);
    if done < wanted {
        note(&mut m.reasons, format!("interrupted after {done} of {wanted} windows"));
    }
    for why in throttled(m) {
        note(&mut m.reasons, why);
    }
    // A shorter run has less time to warm up, and says so of each block.
    let unsteady = m.blocks.iter().filter(|block| !block.warm_up_steady).count();
    if unsteady > 0 && protocol.mode == Mode::Publish.name() {
        let all = m.blocks.len();
        note(&mut m.reasons, format!("{unsteady} of {all} blocks began before it was warm"));
    }
    let (some, all) = (m.disturbed_windows.len(), m.windows.len());
    if some as f64 > DISTURBED * all as f64 {
        let why = format!("others took the processor in {some} of {all} windows");
        note(&mut m.reasons, why);
    }
    if let Some(Drift { change, ci95_low, ci95_high }) = m.drift
        && change.abs() > DRIFT
        && (ci95_low > 0.0 || ci95_high < 0.0)
    {
        let way = if change > 0.0 { "rose" } else { "fell" };
        let percent = 100.0 * change.abs();
        note(&mut m.reasons, format!("its rate {way} by {percent:.0} % from first window to last"));
    }
}

fn throughput(rates: &[f64], unit: Option<Unit>) -> Option<Throughput> {
    let estimate = median_interval(rates)?;
    Some(Throughput {
        value: estimate.value,
        unit: format!("{}/s", unit?.name()),
        ci95_low: estimate.ci95.map(|(low, _)| low),
        ci95_high: estimate.ci95.map(|(_, high)| high),
        n: estimate.n as u64,
        method: ORDER_STATISTICS.to_string(),
    })
}

/// Windows in which others were at work. Some of them show in the whole machine's use; a host that takes the processor
/// away from a virtual machine shows only in what this process got, which is all of it where the processor computes.
fn disturbed(m: &Measurement, threads: f64) -> Vec<u64> {
    let own: Vec<f64> = m.windows.iter().map(|w| w.cpu_seconds / w.wall_seconds).collect();
    let usual = stats::median(&own).unwrap_or(0.0);
    let computes = usual > 0.5 * threads;
    let is_disturbed = |(i, w): &(usize, &wire::Window)| {
        let others = w.telemetry.cpu_use.map_or(0.0, |all| all - own[*i] / threads);
        others > OTHERS || (computes && own[*i] < STARVED * usual)
    };
    m.windows.iter().enumerate().filter(is_disturbed).map(|(i, _)| i as u64).collect()
}

fn drift(m: &Measurement, rates: &[f64]) -> Option<Drift> {
    let middles: Vec<f64> =
        m.windows.iter().map(|w| w.started_seconds + w.wall_seconds / 2.0).collect();
    let slope = stats::theil_sen(&middles, rates)?;
    let (low, high) = slope.ci95?;
    let per = (middles.last()? - middles.first()?) / stats::median(rates)?;
    Some(Drift { change: slope.value * per, ci95_low: low * per, ci95_high: high * per })
}

impl wire::Latency {
    /// The histogram; none if it is none.
    pub(super) fn read(&self) -> Option<Latency> {
        let bytes = base64::engine::general_purpose::STANDARD.decode(&self.hdr_v2_base64).ok()?;
        Latency::from_v2(&bytes)
    }
}

/// Percentiles from the histogram. Without one there are no batches, which no measured row says.
fn latency(stated: &mut wire::Latency) {
    let latency = stated.read().unwrap_or_default();
    let at = |p| latency.percentile(p).map(|s| s.0);
    stated.n = latency.count();
    stated.p50_seconds = at(0.5);
    stated.p90_seconds = at(0.9);
    stated.p99_seconds = at(0.99);
    stated.p999_seconds = at(0.999);
}

/// What held the board's clocks down in a way that spoils figures.
fn throttled(m: &Measurement) -> Vec<String> {
    let states = || {
        let starts = m.blocks.iter().map(|block| &block.telemetry_at_start);
        starts.chain(m.windows.iter().map(|w| &w.telemetry)).filter_map(|t| t.board.as_ref())
    };
    let looks = states().count();
    let spoiling = Throttle::ALL.into_iter().filter(|throttle| throttle.spoils());
    let times =
        |name: &str| states().filter(|b| b.throttle.iter().flatten().any(|t| t == name)).count();
    spoiling
        .map(|throttle| (throttle.name(), times(throttle.name())))
        .filter(|(_, times)| *times > 0)
        .map(|(name, times)| {
            format!("the board was slowed down ({name}) at {times} of {looks} looks")
        })
        .collect()
}
