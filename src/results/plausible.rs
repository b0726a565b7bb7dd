//! What no machine does, however well a document agrees with itself: time that runs backwards, more processor time than
//! there are threads, batches that last longer than their windows.

use super::energy::AT_REST;
use super::wire::{Document, Energy, Measurement, Outcome, Telemetry};
use crate::energy::Throttle;
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
        if let Some(what) = telemetry(&w.telemetry) {
            fault(format!("telemetry.{what}"));
        }
        end = Some((block, w.started_seconds + w.wall_seconds));
    }
    let wall: f64 = m.windows.iter().map(|w| w.wall_seconds).sum();
    if let Some(batches) =
        m.latency.as_ref().and_then(|latency| latency.read()).map(|latency| latency.total())
        && !(wall * 0.5..=wall * (1.0 + share) + slack).contains(&batches.0)
    {
        faults.push(format!(
            "latency.hdr_v2_base64: its batches last {:.1} s in all, the windows {wall:.1} s",
            batches.0
        ));
    }
    if m.blocks.len() as u64 != end.map_or(0, |(block, _)| block + 1) {
        faults.push("blocks: there is one for each block of windows".into());
    }
    faults.extend(blocks(m));
    faults.extend(boards(m));
    faults.extend(besides(m));
    if let Some(share) = m.roof.as_ref().and_then(|roof| roof.published_peak_share)
        && share > ABOVE_PEAK
    {
        faults.push(format!(
            "roof.published_peak_share: {share:.2} of what the vendor's card can do"
        ));
    }
    faults
}

/// What went before each block fits in between it and the one before.
fn blocks(m: &Measurement) -> Vec<String> {
    let mut faults = Vec::new();
    let ends = m.windows.chunk_by(|a, b| a.block == b.block).map(|windows| {
        let (first, last) = (&windows[0], &windows[windows.len() - 1]);
        (first.started_seconds, last.started_seconds + last.wall_seconds)
    });
    let mut before: Option<f64> = None;
    for (i, (block, (begin, end))) in m.blocks.iter().zip(ends).enumerate() {
        let mut fault = |what: String| faults.push(format!("blocks[{i}].{what}"));
        let took = [block.rest_seconds, block.warm_up_seconds];
        let gap = before.map_or(f64::INFINITY, |end| begin - end) + CLOCKS.1;
        if took.iter().any(|seconds| *seconds < 0.0) || took.iter().sum::<f64>() > gap {
            fault("rest_seconds: rest and warm-up do not fit in between the blocks".into());
        }
        if let Some(what) = telemetry(&block.telemetry_at_start) {
            fault(format!("telemetry_at_start.{what}"));
        }
        before = Some(end);
    }
    faults
}

/// Joules of a card's own sensors come with its limit, throttles, clocks and temperature at both ends of each window:
/// whoever leaves them out may hide that it was slowed down.
fn boards(m: &Measurement) -> Option<String> {
    let mut energies = std::iter::once(&m.energy).chain(&m.energy_other);
    let of_a_card = energies.any(|energy| match energy {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
            ["nvml", "hwmon"].contains(&e.source.kind.as_str())
        }
        _ => false,
    });
    let told = |telemetry: &Telemetry| telemetry.board.is_some();
    let starts = m.blocks.iter().position(|block| !told(&block.telemetry_at_start));
    let ends = m.windows.iter().position(|window| !told(&window.telemetry));
    let path = match (starts, ends) {
        (Some(i), _) => format!("blocks[{i}].telemetry_at_start"),
        (_, Some(i)) => format!("windows[{i}].telemetry"),
        _ => return None,
    };
    of_a_card.then(|| format!("{path}.board: joules of a card come with its state"))
}

/// The rest of a measured row.
fn besides(m: &Measurement) -> Option<String> {
    if m.reason.is_some() {
        return Some("reason: a measured row has none".into());
    }
    if m.latency.as_ref().is_none_or(|latency| latency.n == 0) {
        return Some("latency: a measured row has batches".into());
    }
    let error = m.verification.as_ref().map(|v| (v.checked, v.worst_error_share));
    if !error.is_some_and(|(checked, worst)| checked > 0 && (0.0..=1.0).contains(&worst)) {
        return Some("verification: a measured row was verified, and agreed".into());
    }
    let idles =
        std::iter::once(&m.energy).chain(&m.energy_other).filter_map(|energy| match energy {
            Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => e.idle.as_ref(),
            _ => None,
        });
    for idle in idles {
        let lengths = idle.power_watts >= 0.0 && idle.half_width_watts >= 0.0 && idle.seconds > 0.0;
        if !lengths || !AT_REST.contains(&idle.method.as_str()) {
            return Some("energy.idle: no baseline is taken like that".into());
        }
    }
    let batch = m.tuning.as_ref().and_then(|tuning| tuning.batch_seconds);
    batch
        .is_some_and(|batch| !(1e-4..=0.05).contains(&batch))
        .then(|| "tuning.batch_seconds: batches last at most 50 ms".into())
}

/// What no sensor shows.
fn telemetry(telemetry: &Telemetry) -> Option<&'static str> {
    let Telemetry { cpu_use, cpu_hertz, temperatures, gpu_use, board } = telemetry;
    let share = |share: &Option<f64>| share.is_none_or(|s| (0.0..=1.0 + CLOCKS.0).contains(&s));
    let hertz = |hertz: &Option<f64>| hertz.is_none_or(|h| (1e6..=1e11).contains(&h));
    let celsius = |celsius: f64| (-80.0..=200.0).contains(&celsius);
    let positive = |watts: &Option<f64>| watts.is_none_or(|w| w > 0.0);
    match () {
        () if !share(cpu_use) => Some("cpu_use: a share from 0 to 1"),
        () if !share(gpu_use) => Some("gpu_use: a share from 0 to 1"),
        () if !hertz(cpu_hertz) => Some("cpu_hertz: no processor's"),
        () if !temperatures.iter().all(|t| celsius(t.celsius)) => {
            Some("temperatures: no machine's")
        }
        () if !board.iter().all(|b| {
            b.celsius.is_none_or(celsius)
                && hertz(&b.core_hertz)
                && hertz(&b.memory_hertz)
                && positive(&b.power_limit_watts)
                && b.throttle.iter().flatten().all(|t| Throttle::ALL.iter().any(|k| k.name() == t))
        }) =>
        {
            Some("board: no card's")
        }
        () => None,
    }
}
