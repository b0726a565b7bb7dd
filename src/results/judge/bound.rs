//! Cross-references within a document: rows and manifest, columns of equal length, blocks and clock, windows and protocol.

use super::{Faults, has_card_meter};
use crate::device::{Class, Device, DeviceId};
use crate::measure::{Windows, window_share};
use crate::results::document::{Evidence, Outcome, Row};
use crate::results::rules::Rules;
use crate::workload::Proof;
use jiff::Timestamp;
use std::ops::Range;

/// Judges the run as a whole.
///
/// A newer version may list devices that it does not measure, and conditions that this one cannot tell apart.
pub(super) fn run(evidence: &Evidence, rules: &Rules, newer: bool, faults: &mut Faults) {
    let manifest = &evidence.manifest;
    let of = manifest.devices.len().saturating_mul(manifest.workloads.len());
    faults.add_if(
        !newer && evidence.run.finished_at.is_some() && evidence.rows.len() < of,
        format_args!("rows: the manifest asks for {of}, here are {}", evidence.rows.len()),
    );
    let rows: Vec<&Row> = evidence.known_rows().collect();
    for (i, row) in rows.iter().enumerate() {
        let same = |other: &&&Row| {
            (&other.device, &other.workload.spec, &other.condition)
                == (&row.device, &row.workload.spec, &row.condition)
        };
        faults.add_if(
            !newer && rows[..i].iter().any(|other| same(&other)),
            format_args!("rows: {} is there twice under one condition", row.label()),
        );
        // Rows of one workload have the same seed under every condition.
        let shows_same_hashes = |other: &&Row| {
            let (Some(Proof::Shares(a)), Some(Proof::Shares(b))) = (&row.proof, &other.proof)
            else {
                return false;
            };
            let overlapping =
                |a: &Range<u64>| b.stretches.iter().any(|b| a.start < b.end && b.start < a.end);
            (&row.device, &row.workload.spec) == (&other.device, &other.workload.spec)
                && a.stretches.iter().any(overlapping)
        };
        faults.add_if(
            rows[..i].iter().any(shows_same_hashes),
            format_args!("rows: two of {} show the same hashes", row.label()),
        );
    }
    let baselines = evidence.baselines.iter().enumerate();
    for (i, baseline) in baselines {
        let source = manifest.sources.get(baseline.source);
        let meter = source.is_some_and(|s| s.known().is_none_or(|s| s.meter().is_some()));
        let idle = &baseline.idle;
        let sound = idle.power.0 >= 0.0 && idle.half_width.0 >= 0.0 && idle.seconds.0 > 0.0;
        let duplicate = evidence.baselines[..i].iter().any(|other| other.source == baseline.source);
        faults.add_if(
            !meter || !sound || duplicate,
            format_args!("baselines[{i}]: no source of the manifest was read like that"),
        );
    }
    clock(evidence, rules, faults);
    overlaps(evidence, rules, faults);
    modes(evidence, rules, newer, faults);
    devices(evidence, faults);
    for (name, hex, bytes) in
        [("challenge", &evidence.challenge, 1..=64), ("beacon", &evidence.beacon, 80..=80)]
    {
        let sound = |hex: &String| {
            hex.len().is_multiple_of(2)
                && bytes.contains(&(hex.len() / 2))
                && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        faults.add_if(
            !hex.as_ref().is_none_or(sound),
            format_args!("{name}: it is not that many bytes in lower-case hex"),
        );
    }
}

/// The run's clock: all blocks are within the run, and the run is not older than the format.
fn clock(evidence: &Evidence, rules: &Rules, faults: &mut Faults) {
    let run = &evidence.run;
    let slack = |seconds: f64| seconds * rules.clocks_share + 60.0 * rules.clocks_seconds;
    let since = |at: Timestamp| evidence.clock.zero_at.duration_since(at).as_secs_f64();
    let before = since(run.started_at);
    faults.add_by_rule(
        before.abs() > slack(before.abs()) + 3600.0,
        "clock.zero_at: it is not the moment at which the run began",
    );
    let first: Timestamp = rules.first_day.parse().expect("a constant");
    faults.add_by_rule(
        run.started_at < first,
        format_args!("run.started_at: {} is before there was this format", run.started_at),
    );
    let sound = |row: &Row| row.windows.clone().filter(|windows| windows.check().is_ok());
    let steps = evidence.known_rows().filter_map(sound).flat_map(|windows| windows.steps());
    let (mut first, mut last) = (0.0f64, 0.0f64);
    for step in steps {
        (first, last) = (first.min(step.idle_from.0), last.max(step.measured.to.0));
    }
    faults.add_if(first < 0.0, "rows: a block came before the clock began");
    let Some(finished) = run.finished_at else { return };
    let lasted = -since(finished);
    faults.add_by_rule(
        finished < run.started_at || last > lasted + slack(lasted),
        format_args!(
            "run.finished_at: it ended after {lasted:.0} s, its last window after {last:.0} s"
        ),
    );
}

/// Blocks of one device must not overlap.
fn overlaps(evidence: &Evidence, rules: &Rules, faults: &mut Faults) {
    let mut blocks: Vec<(&Row, f64, f64)> = Vec::new();
    for row in evidence.known_rows() {
        let windows = row.windows.iter().filter(|windows| windows.check().is_ok());
        let steps = windows.flat_map(|windows| windows.steps());
        blocks.extend(steps.map(|step| (row, step.idle_from.0, step.measured.to.0)));
    }
    blocks.sort_by(|a, b| a.0.device.cmp(&b.0.device).then(a.1.total_cmp(&b.1)));
    for pair in blocks.windows(2) {
        let (before, after) = (pair[0], pair[1]);
        faults.add_by_rule(
            before.0.device == after.0.device && after.1 < before.2 - rules.clocks_seconds,
            format_args!("rows: {} and {} ran at the same time", before.0.label(), after.0.label()),
        );
    }
}

/// A mode guarantees a minimum amount of measurement.
fn modes(evidence: &Evidence, rules: &Rules, newer: bool, faults: &mut Faults) {
    let protocol = &evidence.manifest.protocol;
    let Some((_, seconds, windows)) = rules.modes.iter().find(|(name, ..)| *name == protocol.mode)
    else {
        let what = format_args!("manifest.protocol.mode: there is no mode '{}'", protocol.mode);
        return faults.add_by_rule(!newer, what);
    };
    let all = protocol.blocks.saturating_mul(protocol.windows);
    faults.add_by_rule(
        all < *windows || all as f64 * protocol.window_seconds < *seconds,
        format_args!("manifest.protocol: it measures less than the mode {} does", protocol.mode),
    );
}

/// Devices are there once; the processor is no GPU, and a GPU has an adapter.
fn devices(evidence: &Evidence, faults: &mut Faults) {
    let devices: Vec<&Device> = evidence.manifest.devices().collect();
    for (i, device) in devices.iter().enumerate() {
        let cpu = device.id == DeviceId::Cpu;
        faults.add_if(
            devices[..i].iter().any(|other| other.id == device.id),
            format_args!("manifest.devices: {} is there twice", device.id),
        );
        faults.add_if(
            cpu != (device.class == Class::Cpu) || cpu != device.gpu.is_none(),
            format_args!("manifest.devices: {} is no {}", device.id, device.class),
        );
    }
}

/// Judges one row; returns whether its columns are usable.
pub(super) fn row(
    evidence: &Evidence,
    row: &Row,
    rules: &Rules,
    newer: bool,
    faults: &mut Faults,
) -> bool {
    let before = faults.count();
    faults.add_if(
        evidence.manifest.device(&row.device).is_none(),
        format_args!("device: the manifest has no {}", row.device),
    );
    faults.add_if(
        !evidence.manifest.workloads.contains(&row.workload.spec),
        format_args!("workload.spec: the manifest does not ask for {}", row.workload.spec),
    );
    let others = &row.condition.together_with;
    let known = |other: &DeviceId| {
        *other != row.device && (newer || evidence.manifest.device(other).is_some())
    };
    faults.add_if(
        !others.iter().all(known) || (1..others.len()).any(|i| others[..i].contains(&others[i])),
        "condition.together_with: other devices of the manifest, each once",
    );
    faults.add_if(
        row.no_source.is_some() && evidence.sources_of(row).next().is_some(),
        "no_source: a source of the manifest covers it",
    );
    if let (Some(tuning), Some(kernel)) = (&row.tuning, &row.kernel) {
        faults.add_if(kernel.id != tuning.kernel, "tuning.kernel: it is not the kernel that ran");
        let batch = tuning.batch_seconds;
        faults.add_by_rule(
            batch.is_some_and(|batch| !(1e-4..=rules.longest_batch).contains(&batch)),
            "tuning.batch_seconds: no batch is so long, or so short",
        );
    }
    // The kernel's parameter `VERSIONS`, the number of header versions hashed per word, must match the proof.
    if let Some(Proof::Shares(shares)) = &row.proof
        && let Some(stated) = row.kernel.as_ref().and_then(|kernel| kernel.params.get("VERSIONS"))
    {
        let made_for = stated.trim_end_matches('u').parse::<u32>().ok();
        faults.add_if(
            made_for != Some(shares.versions),
            format_args!(
                "proof.versions: it is {}, but the kernel's VERSIONS are {stated}",
                shares.versions
            ),
        );
    }
    let measured = row.outcome == Outcome::Measured;
    faults.add_if(
        measured && (row.kernel.is_none() || row.tuning.is_none()),
        "kernel: a measured row says which it was and how it was chosen",
    );
    // Without it, the row would escape its ceilings.
    let arithmetic = row.kernel.as_ref().is_none_or(|kernel| kernel.arithmetic.is_some());
    faults.add_if(
        measured && !arithmetic && row.workload.id.multiplies(),
        "kernel.arithmetic: this workload multiplies",
    );
    let (Some(windows), Some(telemetry), true) = (&row.windows, &row.telemetry, measured) else {
        let nothing = row.windows.is_none()
            && row.telemetry.is_none()
            && row.latency.is_none()
            && row.verification.is_none()
            && row.proof.is_none()
            && row.readings.is_empty();
        faults.add_if(
            measured || !nothing,
            "outcome: a row that was measured has windows and telemetry, and no other row has",
        );
        return false;
    };
    if let Err(what) = windows.check() {
        faults.add(format!("windows.{what}"));
        return false;
    }
    faults.add_if(windows.is_empty(), "windows: a measured row has at least one");
    faults.add_if(
        !telemetry.has_length(windows.looks()),
        "telemetry: there is one look for each start of a block and each end of a window",
    );
    readings(evidence, row, faults);
    faults.add_if(
        has_card_meter(evidence, row) && telemetry.board.is_none(),
        "telemetry.board: joules of a card come with its state",
    );
    let limit = telemetry.power_limits().first().copied();
    faults.add_if(
        telemetry.board.is_some() && row.condition.power_limit_watts != limit,
        "condition.power_limit_watts: it is not what the board showed first",
    );
    lengths(evidence, windows, rules, faults);
    faults.count() == before
}

/// Idle times and windows have the protocol's minimum length, and blocks of a finished run have its minimum number of windows.
fn lengths(evidence: &Evidence, windows: &Windows, rules: &Rules, faults: &mut Faults) {
    let protocol = &evidence.manifest.protocol;
    for (i, wall) in windows.wall_seconds.iter().enumerate() {
        let asked = protocol.window_seconds * window_share(i);
        faults.add_by_rule(
            *wall < rules.shortest * asked,
            format_args!(
                "windows.wall_seconds[{i}]: {wall} s is shorter than the protocol's {asked:.3} s"
            ),
        );
    }
    for (i, step) in windows.steps().iter().enumerate() {
        faults.add_by_rule(
            (step.load_from - step.idle_from).0 < rules.shortest * protocol.rest_seconds,
            format_args!("windows.blocks[{i}]: it began after less rest than the protocol's"),
        );
    }
    if evidence.run.finished_at.is_some() {
        let blocks = &windows.blocks.windows;
        faults.add_if(
            blocks.len() < protocol.blocks,
            format_args!("windows.blocks: {} of the protocol's {}", blocks.len(), protocol.blocks),
        );
        if let Some(i) = blocks.iter().position(|n| *n < protocol.windows) {
            faults.add(format!("windows.blocks.windows[{i}]: fewer than the protocol's"));
        }
    }
}

/// Each meter that covers the row has readings exactly once.
fn readings(evidence: &Evidence, row: &Row, faults: &mut Faults) {
    let covering: Vec<usize> = evidence
        .sources_of(row)
        .filter(|(_, source)| source.meter().is_some())
        .map(|(place, _)| place)
        .collect();
    for (i, readings) in row.readings.iter().enumerate() {
        let duplicate = row.readings[..i].iter().any(|other| other.source == readings.source);
        if duplicate || !covering.contains(&readings.source) {
            faults.add(format!(
                "readings[{i}].source: no meter of this row, or one that spoke before"
            ));
            continue;
        }
        let meter = evidence.manifest.source(readings.source).and_then(|source| source.meter());
        if let Some(what) = meter.and_then(|info| readings.fault(&info.quantity)) {
            faults.add(format!("readings[{i}]: {what}"));
        }
    }
    // Readings of unreadable meters of a newer version are not required.
    let missing = covering.iter().find(|place| row.readings.iter().all(|r| r.source != **place));
    if let Some(place) = missing {
        faults.add(format!("readings: what source {place} of the manifest said is missing"));
    }
}
