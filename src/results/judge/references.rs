//! Checks of what a row refers to and of its columns: the manifest's devices, sources and protocol, and columns of equal length.

use super::Judge;
use crate::device::DeviceId;
use crate::energy::MeterKind;
use crate::measure::{Windows, window_share};
use crate::results::document::{Outcome, Row};
use crate::results::{Failure, FailureCode};
use crate::workload::Proof;

impl Judge<'_> {
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
            "condition.together_with: it has to list other devices of the manifest, each once",
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
                self.add(format_args!("outcome: unknown failure code '{code}'"));
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
            telemetry.has_length(windows.samples()),
            "telemetry: it needs one sample for each start of a block and each end of a window",
        );
        self.readings(row);
        let card_meter = row.readings.iter().any(|readings| {
            let meter = manifest.source(readings.source).and_then(|source| source.meter());
            meter.is_some_and(|info| matches!(info.kind, MeterKind::Nvml | MeterKind::Hwmon))
        });
        self.require(
            telemetry.board.is_some() || !card_meter,
            "telemetry.board: a row with joules of a card has to record the card's state",
        );
        let limit = telemetry.power_limits().first().copied();
        self.require(
            telemetry.board.is_none() || row.condition.power_limit_watts == limit,
            "condition.power_limit_watts: it is not the first recorded power limit",
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
            let possible = &self.rules.batch_seconds;
            if tuning.batch_seconds.is_some_and(|batch| !possible.contains(&batch)) {
                self.add_by_rule("tuning.batch_seconds: outside the possible range");
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
            "kernel: a measured row needs its kernel and tuning",
        );
        // Without it, the row would escape its ceilings.
        let arithmetic = row.kernel.as_ref().is_none_or(|kernel| kernel.arithmetic.is_some());
        self.require(
            !measured || arithmetic || !row.workload.id.multiplies(),
            "kernel.arithmetic: required for this workload",
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
                    "windows.blocks[{i}]: its idle time is shorter than the protocol's"
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
            covering.filter_map(|(index, source)| Some((index, source.meter()?))).collect();
        for (i, readings) in row.readings.iter().enumerate() {
            let duplicate = row.readings[..i].iter().any(|other| other.source == readings.source);
            let meter = meters.iter().find(|(index, _)| *index == readings.source && !duplicate);
            let Some((_, info)) = meter else {
                let what = "not a meter of this row, or a duplicate";
                self.add(format_args!("readings[{i}].source: {what}"));
                continue;
            };
            if let Some(what) = readings.fault(&info.quantity) {
                self.add(format_args!("readings[{i}]: {what}"));
            }
        }
        // Readings of unreadable meters of a newer version are not required.
        let is_missing = |index: usize| row.readings.iter().all(|r| r.source != index);
        if let Some((index, _)) = meters.iter().find(|(index, _)| is_missing(*index)) {
            self.add(format_args!("readings: those of source {index} of the manifest are missing"));
        }
    }
}
