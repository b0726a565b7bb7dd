//! Cross-references within a document: rows and manifest, columns of equal length, blocks and clock, windows and protocol.

use super::Judge;
use crate::device::{Class, Device, DeviceId};
use crate::energy::{LoadStep, Scope, SourceInfo};
use crate::measure::{Windows, window_share};
use crate::results::document::{Baseline, Outcome, Row};
use crate::results::{Failure, FailureCode};
use crate::workload::Proof;
use jiff::Timestamp;
use std::ops::Range;

impl Judge<'_> {
    /// Judges the run as a whole.
    ///
    /// A newer version may list devices that it does not measure, and conditions that this one cannot tell apart.
    pub(super) fn run(&mut self) {
        let (evidence, manifest) = (self.evidence, &self.evidence.manifest);
        let expected = manifest.devices.len().saturating_mul(manifest.workloads.len());
        let present = evidence.rows.len();
        if !self.newer && evidence.run.finished_at.is_some() && present < expected {
            self.add(format_args!("rows: the manifest asks for {expected}, here are {present}"));
        }
        self.duplicate_rows();
        for (i, source) in manifest.sources.iter().enumerate() {
            let Some(source) = source.known() else { continue };
            if let Some(what) = source.meter().and_then(SourceInfo::fault) {
                self.add(format_args!("manifest.sources[{i}].{what}"));
            }
            let of_cpu = |device: &DeviceId| *device == DeviceId::Cpu;
            let foreign = match source.scope() {
                Scope::GpuBoard => source.devices.iter().any(of_cpu),
                _ => false,
            };
            self.require(!foreign, &format!("manifest.sources[{i}]: the processor is no card"));
        }
        for (i, Baseline { source, idle }) in evidence.baselines.iter().enumerate() {
            let meter = manifest
                .sources
                .get(*source)
                .is_some_and(|source| source.known().is_none_or(|source| source.meter().is_some()));
            let sound = idle.power.0 >= 0.0 && idle.half_width.0 >= 0.0 && idle.seconds.0 > 0.0;
            let is_duplicate = evidence.baselines[..i].iter().any(|other| other.source == *source);
            let fault = format!("baselines[{i}]: no source of the manifest was read like that");
            self.require(meter && sound && !is_duplicate, &fault);
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
            if !hex.as_ref().is_none_or(sound) {
                self.add(format_args!("{name}: it is not that many bytes in lower-case hex"));
            }
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
                self.add(format_args!("rows: {} is there twice under one condition", row.label()));
            }
            // Rows of one workload have the same seed under every condition.
            let shows_same_hashes = |other: &&Row| match (&row.proof, &other.proof) {
                (Some(Proof::Shares(a)), Some(Proof::Shares(b))) => {
                    let overlap = |a: &Range<u64>| {
                        b.stretches.iter().any(|b| a.start < b.end && b.start < a.end)
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
        let tolerance = |seconds: f64| seconds * rules.clocks_share + 60.0 * rules.clocks_seconds;
        let zero_at = self.evidence.clock.zero_at;
        let seconds_to_zero = |at: Timestamp| zero_at.duration_since(at).as_secs_f64();
        let start = seconds_to_zero(run.started_at);
        if start.abs() > tolerance(start.abs()) + 3600.0 {
            self.add_by_rule("clock.zero_at: it is not the moment at which the run began");
        }
        let (at, format_start) = (run.started_at, rules.first_day.parse::<Timestamp>());
        if at < format_start.expect("a constant") {
            self.add_by_rule(format_args!("run.started_at: {at} is before there was this format"));
        }
        let steps = self.evidence.known_rows().flat_map(steps);
        let (first, last) = steps.fold((0.0f64, 0.0f64), |(first, last), step| {
            (first.min(step.idle_from.0), last.max(step.measured.to.0))
        });
        self.require(first >= 0.0, "rows: a block came before the clock began");
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
        match self.rules.modes.iter().find(|minimum| minimum.mode == *mode) {
            None if self.newer => {}
            None => {
                self.add_by_rule(format_args!("manifest.protocol.mode: there is no mode '{mode}'"))
            }
            Some(minimum) => {
                let measures = all >= minimum.windows
                    && all as f64 * protocol.window_seconds >= minimum.seconds
                    && protocol.rest_seconds >= minimum.rest_seconds
                    && (protocol.warm_up_required || !minimum.warm_up_required);
                if !measures {
                    self.add_by_rule(format_args!(
                        "manifest.protocol: it measures less than the mode {mode} does"
                    ));
                }
            }
        }
    }

    /// Devices are there once; the processor is no GPU, and a GPU has an adapter.
    fn devices(&mut self) {
        let devices: Vec<&Device> = self.evidence.manifest.devices().collect();
        for (i, device) in devices.iter().enumerate() {
            let cpu = device.id == DeviceId::Cpu;
            if devices[..i].iter().any(|other| other.id == device.id) {
                self.add(format_args!("manifest.devices: {} is there twice", device.id));
            }
            if cpu != (device.class == Class::Cpu) || cpu != device.gpu.is_none() {
                self.add(format_args!("manifest.devices: {} is no {}", device.id, device.class));
            }
        }
    }

    /// Judges what a row refers to and its columns; returns whether all of it is sound.
    pub(super) fn references(&mut self, row: &Row) -> bool {
        let before = self.found;
        let (evidence, manifest) = (self.evidence, &self.evidence.manifest);
        if manifest.device(&row.device).is_none() {
            self.add(format_args!("device: the manifest has no {}", row.device));
        }
        let spec = &row.workload.spec;
        if !manifest.workloads.contains(spec) {
            self.add(format_args!("workload.spec: the manifest does not ask for {spec}"));
        }
        let others = &row.condition.together_with;
        let known = |other: &DeviceId| {
            *other != row.device && (self.newer || manifest.device(other).is_some())
        };
        let once = (1..others.len()).all(|i| !others[..i].contains(&others[i]));
        self.require(
            others.iter().all(known) && once,
            "condition.together_with: other devices of the manifest, each once",
        );
        self.require(
            row.no_source.is_none() || evidence.sources_of(row).next().is_none(),
            "no_source: a source of the manifest covers it",
        );
        let trials = row.tuning.iter().flat_map(|tuning| &tuning.trials);
        let failures =
            trials.filter_map(|trial| trial.failure.as_ref()).chain(row.outcome.failure());
        for Failure { code, .. } in failures {
            if let (FailureCode::Newer(code), false) = (code, self.newer) {
                self.add(format_args!("outcome: there is no failure of the kind '{code}'"));
            }
        }
        self.kernel(row);
        let measured = row.outcome == Outcome::Measured;
        let (Some(windows), Some(telemetry), true) = (&row.windows, &row.telemetry, measured)
        else {
            let nothing = row.windows.is_none()
                && row.telemetry.is_none()
                && row.latency.is_none()
                && row.verification.is_none()
                && row.proof.is_none()
                && row.readings.is_empty();
            self.require(
                !measured && nothing,
                "outcome: a row that was measured has windows and telemetry, and no other row has",
            );
            return false;
        };
        if let Err(what) = windows.check() {
            self.add(format_args!("windows.{what}"));
            return false;
        }
        self.require(!windows.is_empty(), "windows: a measured row has at least one");
        self.require(
            telemetry.has_length(windows.looks()),
            "telemetry: there is one look for each start of a block and each end of a window",
        );
        self.readings(row);
        let card_meter = row.readings.iter().any(|readings| {
            let meter = manifest.source(readings.source).and_then(|source| source.meter());
            meter.is_some_and(|info| info.kind.is_of_a_card())
        });
        self.require(
            telemetry.board.is_some() || !card_meter,
            "telemetry.board: joules of a card come with its state",
        );
        let limit = telemetry.power_limits().first().copied();
        self.require(
            telemetry.board.is_none() || row.condition.power_limit_watts == limit,
            "condition.power_limit_watts: it is not what the board showed first",
        );
        self.lengths(windows);
        self.found == before
    }

    /// The kernel of a row and how it was chosen.
    fn kernel(&mut self, row: &Row) {
        if let (Some(tuning), Some(kernel)) = (&row.tuning, &row.kernel) {
            self.require(
                kernel.id == tuning.kernel,
                "tuning.kernel: it is not the kernel that ran",
            );
            let possible = 1e-4..=self.rules.longest_batch;
            if tuning.batch_seconds.is_some_and(|batch| !possible.contains(&batch)) {
                self.add_by_rule("tuning.batch_seconds: no batch is so long, or so short");
            }
        }
        // The kernel's parameter `VERSIONS`, the number of header versions hashed per word, must match the proof.
        if let Some(Proof::Shares(shares)) = &row.proof
            && let Some(stated) =
                row.kernel.as_ref().and_then(|kernel| kernel.params.get("VERSIONS"))
            && stated.trim_end_matches('u').parse() != Ok(shares.versions)
        {
            self.add(format_args!(
                "proof.versions: it is {}, but the kernel's VERSIONS are {stated}",
                shares.versions
            ));
        }
        let measured = row.outcome == Outcome::Measured;
        self.require(
            !measured || (row.kernel.is_some() && row.tuning.is_some()),
            "kernel: a measured row says which it was and how it was chosen",
        );
        // Without it, the row would escape its ceilings.
        let arithmetic = row.kernel.as_ref().is_none_or(|kernel| kernel.arithmetic.is_some());
        self.require(
            !measured || arithmetic || !row.workload.id.multiplies(),
            "kernel.arithmetic: this workload multiplies",
        );
    }

    /// Idle times and windows have the protocol's minimum length, and blocks of a finished run have its minimum number of windows.
    fn lengths(&mut self, windows: &Windows) {
        let (protocol, shortest) = (&self.evidence.manifest.protocol, self.rules.shortest);
        for (i, wall) in windows.wall_seconds.iter().enumerate() {
            let asked = protocol.window_seconds * window_share(i);
            if *wall < shortest * asked {
                self.add_by_rule(format_args!(
                    "windows.wall_seconds[{i}]: {wall} s is shorter than the protocol's {asked:.3} s"
                ));
            }
        }
        for (i, step) in windows.steps().iter().enumerate() {
            if (step.load_from - step.idle_from).0 < shortest * protocol.rest_seconds {
                self.add_by_rule(format_args!(
                    "windows.blocks[{i}]: it began after less rest than the protocol's"
                ));
            }
        }
        if self.evidence.run.finished_at.is_some() {
            let (blocks, asked) = (&windows.blocks.windows, protocol.blocks);
            if blocks.len() < asked {
                let n = blocks.len();
                self.add(format_args!("windows.blocks: {n} of the protocol's {asked}"));
            }
            if let Some(i) = blocks.iter().position(|n| *n < protocol.windows) {
                self.add(format_args!("windows.blocks.windows[{i}]: fewer than the protocol's"));
            }
        }
    }

    /// Each meter that covers the row has readings exactly once.
    fn readings(&mut self, row: &Row) {
        let covering = self.evidence.sources_of(row);
        let meters: Vec<_> =
            covering.filter_map(|(place, source)| Some((place, source.meter()?))).collect();
        for (i, readings) in row.readings.iter().enumerate() {
            let duplicate = row.readings[..i].iter().any(|other| other.source == readings.source);
            match meters.iter().find(|(place, _)| *place == readings.source) {
                Some((_, info)) if !duplicate => {
                    if let Some(what) = readings.fault(&info.quantity) {
                        self.add(format_args!("readings[{i}]: {what}"));
                    }
                }
                _ => self.add(format_args!(
                    "readings[{i}].source: no meter of this row, or one that spoke before"
                )),
            }
        }
        // Readings of unreadable meters of a newer version are not required.
        let is_missing = |place: usize| row.readings.iter().all(|r| r.source != place);
        if let Some((place, _)) = meters.iter().find(|(place, _)| is_missing(*place)) {
            self.add(format_args!("readings: what source {place} of the manifest said is missing"));
        }
    }
}

/// The load steps of a row, if its columns are valid.
fn steps(row: &Row) -> Vec<LoadStep> {
    let windows = row.windows.as_ref().filter(|windows| windows.check().is_ok());
    windows.map(Windows::steps).unwrap_or_default()
}
