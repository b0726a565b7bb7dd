//! Checks of a run as a whole: its rows, sources and devices, its clock, and what its mode guarantees.

use super::Judge;
use crate::device::{Class, Device, DeviceId};
use crate::energy::{LoadStep, Stated};
use crate::measure::Windows;
use crate::results::document::{Baseline, Row};
use crate::results::manifest::Origin;
use crate::results::newer::OrNewer;
use crate::units::Watts;
use crate::workload::Proof;
use jiff::Timestamp;
use std::collections::HashSet;
use std::ops::Range;

impl Judge<'_> {
    /// Judges the run as a whole.
    ///
    /// A newer version may list devices that this one does not know, and conditions that it cannot tell apart.
    pub(super) fn run(&mut self) {
        let (evidence, manifest) = (self.evidence, &self.evidence.manifest);
        if evidence.run.finished_at.is_some() {
            self.completeness();
        }
        self.duplicate_rows();
        self.sources();
        for (i, Baseline { source, idle }) in evidence.baselines.iter().enumerate() {
            let meter = manifest.sources.get(*source);
            let meter = meter.is_some_and(|it| it.known().is_none_or(|it| it.meter().is_some()));
            let sound = idle.power.0 >= 0.0 && idle.half_width.0 >= 0.0 && idle.seconds.0 > 0.0;
            let is_duplicate = evidence.baselines[..i].iter().any(|other| other.source == *source);
            let fault =
                format!("baselines[{i}]: not a valid idle power of a source of the manifest");
            self.require(meter && sound && !is_duplicate, fault);
        }
        self.clock();
        self.overlaps();
        self.mode();
        self.devices();
        for (name, hex, bytes) in
            [("challenge", &evidence.challenge, 1..=64), ("beacon", &evidence.beacon, 80..=80)]
        {
            let sound = |hex: &String| {
                hex.len().is_multiple_of(2)
                    && bytes.contains(&(hex.len() / 2))
                    && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            };
            let fault = format_args!("{name}: not the required number of bytes in lower-case hex");
            self.require(hex.as_ref().is_none_or(sound), fault);
        }
    }

    /// Sources have numbers that a meter can have, a power that something draws, and a scope of their devices.
    fn sources(&mut self) {
        let manifest = &self.evidence.manifest;
        for (i, source) in manifest.sources.iter().enumerate() {
            let Some(source) = source.known() else { continue };
            match &source.origin {
                Origin::Meter(info) => {
                    if let Some(what) = info.fault() {
                        self.add(format_args!("manifest.sources[{i}].{what}"));
                    }
                }
                Origin::Stated(stated) => {
                    let (low, high) = stated.bounds();
                    let (min, max) = self.rules.energy.plausible_power(stated.scope());
                    // Modelled power may begin at zero.
                    let from =
                        if matches!(stated, Stated::Modelled { .. }) { Watts(0.0) } else { min };
                    if !(from <= low && low <= high && min <= high && high <= max) {
                        self.add_by_rule(format_args!(
                            "manifest.sources[{i}]: {low} to {high} is not a {}'s power",
                            stated.scope().into_str()
                        ));
                    }
                }
            }
            for device in source.devices.iter().filter_map(|id| manifest.device(id)) {
                if !source.scope().covers(device.class) {
                    let scope = source.scope().into_str();
                    self.add(format_args!("manifest.sources[{i}]: {} has no {scope}", device.id));
                }
            }
        }
    }

    /// A finished run has a row of each workload on each device.
    fn completeness(&mut self) {
        let (rows, manifest) = (&self.evidence.rows, &self.evidence.manifest);
        let present: HashSet<(String, &str)> = rows.iter().filter_map(device_and_spec).collect();
        let missing = manifest.devices().flat_map(|device| {
            let id = device.id.to_string();
            manifest.workloads.iter().map(move |spec| (id.clone(), spec.as_str()))
        });
        let missing: Vec<_> = missing.filter(|row| !present.contains(row)).collect();
        if let Some((device, spec)) = missing.first() {
            self.add(format_args!(
                "rows: {} that the manifest asks for are missing, first {spec} on {device}",
                missing.len()
            ));
        }
    }

    /// A workload has one row on a device under a condition, and each row shows other hashes.
    fn duplicate_rows(&mut self) {
        let rows: Vec<&Row> = self.evidence.known_rows().collect();
        for (i, row) in rows.iter().enumerate() {
            let same_work = |other: &&&Row| {
                (&other.device, &other.workload.spec) == (&row.device, &row.workload.spec)
            };
            let mut before = rows[..i].iter().filter(same_work);
            if !self.newer && before.clone().any(|other| other.condition == row.condition) {
                self.add(format_args!("rows: {} is duplicated under one condition", row.label()));
            }
            // Rows of one workload have the same seed under every condition.
            let shows_same_hashes = |other: &&Row| match (&row.proof, &other.proof) {
                (Some(Proof::Shares(a)), Some(Proof::Shares(b))) => {
                    // Stretches that are not in order are a fault of their own.
                    let overlap = |a: &Range<u64>| {
                        let after = b.stretches.partition_point(|b| b.end <= a.start);
                        b.stretches.get(after).is_some_and(|b| b.start < a.end)
                    };
                    a.stretches.iter().any(overlap)
                }
                _ => false,
            };
            if before.any(shows_same_hashes) {
                self.add(format_args!("rows: two of {} show the same hashes", row.label()));
            }
        }
    }

    /// The run's clock: all blocks are within the run, and the run is not older than the format.
    fn clock(&mut self) {
        let (run, rules) = (&self.evidence.run, self.rules);
        let tolerance = |seconds| rules.clock_tolerance(seconds, rules.run_clocks_seconds);
        let zero_at = self.evidence.clock.zero_at;
        let seconds_to_zero = |at: Timestamp| zero_at.duration_since(at).as_secs_f64();
        let start = seconds_to_zero(run.started_at);
        if start.abs() > tolerance(start.abs()) + rules.longest_start {
            self.add_by_rule("clock.zero_at: it is too far from the start of the run");
        }
        let (at, format_start) = (run.started_at, rules.first_day.parse::<Timestamp>());
        if at < format_start.expect("a constant") {
            self.add_by_rule(format_args!("run.started_at: {at} is before this format existed"));
        }
        let steps = self.evidence.known_rows().flat_map(steps);
        let (first, last) = steps.fold((0.0f64, 0.0f64), |(first, last), step| {
            (first.min(step.idle_from.0), last.max(step.measured.to.0))
        });
        self.require(first >= 0.0, "rows: a block begins before the zero of the clock");
        let Some(finished) = run.finished_at else { return };
        let lasted = -seconds_to_zero(finished);
        if finished < run.started_at || last > lasted + tolerance(lasted) {
            self.add_by_rule(format_args!(
                "run.finished_at: it ended after {lasted:.0} s, its last window after {last:.0} s"
            ));
        }
    }

    /// Blocks of one device must not overlap.
    fn overlaps(&mut self) {
        let rows = self.evidence.known_rows();
        let mut blocks: Vec<(&Row, LoadStep)> =
            rows.flat_map(|row| steps(row).into_iter().map(move |step| (row, step))).collect();
        blocks.sort_by(|(row_a, a), (row_b, b)| {
            row_a.device.cmp(&row_b.device).then(a.idle_from.0.total_cmp(&b.idle_from.0))
        });
        for pair in blocks.windows(2) {
            let ((before, a), (after, b)) = (pair[0], pair[1]);
            let overlap = b.idle_from.0 < a.measured.to.0 - self.rules.clocks_seconds;
            if before.device == after.device && overlap {
                let (before, after) = (before.label(), after.label());
                self.add_by_rule(format_args!("rows: {before} and {after} ran at the same time"));
            }
        }
    }

    /// A mode guarantees a minimum amount of measurement.
    fn mode(&mut self) {
        let protocol = &self.evidence.manifest.protocol;
        let mode = &protocol.mode;
        let all = protocol.blocks.saturating_mul(protocol.windows);
        let minimum = self.rules.modes.iter().find(|minimum| minimum.mode == *mode);
        let suffices = minimum.is_none_or(|minimum| {
            all >= minimum.windows
                && all as f64 * protocol.window_seconds >= minimum.seconds
                && protocol.rest_seconds >= minimum.rest_seconds
                && (protocol.warm_up_required || !minimum.warm_up_required)
        });
        if !suffices {
            self.add_by_rule(format_args!(
                "manifest.protocol: it measures less than the mode {mode} does"
            ));
        }
        if minimum.is_none() && !self.newer {
            self.add_by_rule(format_args!("manifest.protocol.mode: there is no mode '{mode}'"));
        }
    }

    /// Devices are there once; the processor is no GPU, and a GPU has an adapter.
    fn devices(&mut self) {
        let devices: Vec<&Device> = self.evidence.manifest.devices().collect();
        for (i, device) in devices.iter().enumerate() {
            let cpu = device.id == DeviceId::Cpu;
            if devices[..i].iter().any(|other| other.id == device.id) {
                self.add(format_args!("manifest.devices: {} is duplicated", device.id));
            }
            if cpu != (device.class == Class::Cpu) || cpu != device.gpu.is_none() {
                self.add(format_args!(
                    "manifest.devices: {} does not fit its class, {}",
                    device.id, device.class
                ));
            }
        }
    }
}

/// Device and workload of a row, also of one that this version cannot read.
fn device_and_spec(row: &OrNewer<Row>) -> Option<(String, &str)> {
    match row {
        OrNewer::Known(row) => Some((row.device.to_string(), &row.workload.spec)),
        OrNewer::Newer(row) => {
            Some((row["device"].as_str()?.to_string(), row["workload"]["spec"].as_str()?))
        }
    }
}

/// The load steps of a row, if its columns are valid.
fn steps(row: &Row) -> Vec<LoadStep> {
    let windows = row.windows.as_ref().filter(|windows| windows.check().is_ok());
    windows.map(Windows::steps).unwrap_or_default()
}
