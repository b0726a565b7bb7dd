//! What no machine does, however well a document agrees with itself: time that runs backwards, more processor time than
//! there are threads, work of kernels that do not exist.

use super::wire::{Document, Measurement, Outcome};
use crate::kernels;
use jiff::Timestamp;

/// Clocks of different kinds may differ by this share, and by this many seconds.
const CLOCKS: (f64, f64) = (0.05, 0.1);
/// A rate above the vendor's peak by more than this is none: boost clocks exceed what is published a little.
const ABOVE_PEAK: f64 = 1.25;

/// Every place that cannot be.
pub(super) fn faults(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let threads = document.manifest.host.cores as f64;
    let mut seconds = 0.0;
    for (i, m) in document.measurements.iter().enumerate() {
        faults.extend(row(m, threads).into_iter().map(|what| format!("measurements[{i}].{what}")));
        seconds += m.windows.iter().map(|w| w.wall_seconds).sum::<f64>();
        if !document.manifest.devices.iter().any(|device| device.id == m.device) {
            faults.push(format!("measurements[{i}].device: the manifest has no {}", m.device));
        }
        if document.manifest.rigbench.kernels_sha256 == kernels::all_sha256() {
            faults.extend(kernel(m).map(|what| format!("measurements[{i}].kernel.{what}")));
        }
    }
    faults.extend(run(document, seconds).err());
    faults
}

/// The run's own clock.
fn run(document: &Document, measured_seconds: f64) -> Result<(), String> {
    let read = |what: &str, text: &str| {
        text.parse::<Timestamp>().map_err(|_| format!("run.{what}: '{text}' is no time"))
    };
    let started = read("started_at", &document.run.started_at)?;
    let Some(finished) = &document.run.finished_at else { return Ok(()) };
    let finished = read("finished_at", finished)?;
    let lasted = finished.duration_since(started).as_secs_f64();
    let (share, slack) = CLOCKS;
    if measured_seconds > lasted * (1.0 + share) + slack {
        return Err(format!(
            "run.finished_at: the run lasted {lasted:.0} s, its windows {measured_seconds:.0} s"
        ));
    }
    Ok(())
}

fn row(m: &Measurement, threads: f64) -> Vec<String> {
    if m.outcome != Outcome::Measured {
        let nothing = m.windows.is_empty() && m.throughput.is_none() && m.work_proof.is_none();
        let why = "outcome: a row that was not measured has no windows, no throughput and no proof";
        return if nothing { Vec::new() } else { vec![why.into()] };
    }
    let mut faults = Vec::new();
    if m.windows.is_empty() {
        return vec!["windows: a measured row has at least one".into()];
    }
    let (share, slack) = CLOCKS;
    let mut end: Option<(u64, f64)> = None;
    for (i, w) in m.windows.iter().enumerate() {
        let mut fault = |what: String| faults.push(format!("windows[{i}].{what}"));
        if !(w.wall_seconds > 0.0 && w.wall_seconds.is_finite()) || w.work == 0 {
            fault("wall_seconds: a window takes time and does work".into());
        }
        let within =
            |seconds: f64, limit: f64| (0.0..=limit * (1.0 + share) + slack).contains(&seconds);
        if !within(w.cpu_seconds, w.wall_seconds * threads) {
            fault(format!("cpu_seconds: {threads} threads do not have them in that time"));
        }
        if !w.gpu_seconds.is_none_or(|seconds| within(seconds, w.wall_seconds)) {
            fault("gpu_seconds: more than the window's own".into());
        }
        let expected = end.unwrap_or((0, 0.0));
        let (block, gap) = (w.block, w.started_seconds - expected.1);
        let follows = block == expected.0 && gap.abs() <= 1e-6;
        let begins = end.is_some() && block == expected.0 + 1 && gap >= -1e-6;
        if !(follows || begins) {
            fault("started_seconds: it does not follow on the window before".into());
        }
        if !plausible_use(w.telemetry.cpu_use) || !plausible_use(w.telemetry.gpu_use) {
            fault("telemetry: a use is a share from 0 to 1".into());
        }
        end = Some((block, w.started_seconds + w.wall_seconds));
    }
    if m.blocks.len() as u64 != end.map_or(0, |(block, _)| block + 1) {
        faults.push("blocks: there is one for each block of windows".into());
    }
    if let Some(share) = m.roof.as_ref().and_then(|roof| roof.published_peak_share)
        && share > ABOVE_PEAK
    {
        faults.push(format!(
            "roof.published_peak_share: {share:.2} of what the vendor's card can do"
        ));
    }
    faults
}

fn plausible_use(share: Option<f64>) -> bool {
    share.is_none_or(|share| (0.0..=1.0 + CLOCKS.0).contains(&share))
}

/// A kernel of this very program has the text that this program has.
fn kernel(m: &Measurement) -> Option<String> {
    let stated = m.kernel.as_ref()?;
    let sha256 = stated.wgsl_sha256.as_ref()?;
    let Some(entry) = kernels::TABLE.iter().find(|entry| entry.id == stated.id) else {
        return Some(format!("id: this program has no kernel {}", stated.id));
    };
    let known = kernels::Kernel::all(entry).unwrap_or_default();
    let found = known.iter().find(|kernel| kernel.sha256() == *sha256);
    match found {
        None => Some("wgsl_sha256: it is not that of this kernel".into()),
        Some(kernel) if kernel.params != stated.params => {
            Some("params: they are not those of this kernel".into())
        }
        Some(_) => None,
    }
}
