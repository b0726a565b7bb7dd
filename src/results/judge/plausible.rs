//! Physical plausibility, apart from consistency: CPU time within wall time times threads, batches no longer than their windows, cards no
//! faster than their published peak.

use super::Judge;
use crate::device::{Class, Device, DeviceId};
use crate::measure::{Telemetry, Windows};
use crate::results::document::{Evidence, Row};
use crate::results::environment::DRIVER_VARIABLES;
use crate::results::rules::Rules;
use crate::workload::Id;
use std::ops::RangeInclusive;

impl Judge<'_> {
    /// Judges the plausibility of a measured row with valid columns.
    pub(super) fn plausible(&mut self, row: &Row) {
        let (Some(windows), Some(telemetry)) = (&row.windows, &row.telemetry) else { return };
        self.windows(windows);
        self.blocks(windows);
        if let Some(what) = implausible_column(telemetry, self.rules) {
            self.add(format_args!("telemetry.{what}"));
        }
        self.other_evidence(row, windows);
        // WGSL runs on GPUs, native code on the processor.
        if let Some(kernel) = &row.kernel
            && kernel.wgsl_sha256.is_some() == (row.device == DeviceId::Cpu)
        {
            self.add(format_args!("kernel: {} does not run on {}", kernel.id, row.device));
        }
        let Some(device) = self.evidence.manifest.device(&row.device) else { return };
        let name = &device.name;
        if is_disguised(self.evidence, device) {
            self.add(format_args!(
                "device: {name} does not have the limits that a driver of its maker gives"
            ));
        }
        let operations = match row.workload.id {
            Id::Sha256d | Id::Peak | Id::Stream => 1.0,
            _ => row.workload.intensity.map_or(1.0, |i| i.operations_per_unit),
        };
        let rate = windows.total_work() as f64 / windows.seconds().0 * operations;
        if device.class.runs_on_cpu() && rate > self.max_cpu_rate(row.workload.id) {
            self.add_by_rule(format_args!("windows: {name} cannot compute so fast"));
        }
        if self.cards.has_since(name, self.evidence.run.started_at)
            && let Some((full, what)) = self.published(row, name)
            && let share = rate / full
            && share > self.rules.above_published
        {
            self.add_by_rule(format_args!("windows: {share:.2} times {what} of {name}"));
        }
    }

    /// More hashes, bytes or operations per second than any processor with the host's number of threads.
    fn max_cpu_rate(&self, id: Id) -> f64 {
        let per_cycle = match id {
            Id::Sha256d => self.rules.cpu_hashes_per_cycle,
            Id::Stream => self.rules.cpu_bytes_per_cycle,
            _ => self.rules.cpu_operations_per_cycle,
        };
        self.evidence.manifest.host.threads as f64 * self.rules.cpu_hertz * per_cycle
    }

    /// The published operations per second of a card, which a row must not exceed by much, and what they are.
    fn published(&self, row: &Row, card: &str) -> Option<(f64, &'static str)> {
        match row.workload.id {
            // hashcat's mode 1400 is a single SHA-256; a hash here is double.
            Id::Sha256d => Some((self.cards.hashcat(card)?.0, "hashcat's rate")),
            Id::Stream => None,
            _ => {
                let arithmetic = row.kernel.as_ref()?.arithmetic.as_deref()?;
                Some((self.cards.peak(card, arithmetic)?.0, "the vendor's peak"))
            }
        }
    }

    /// The longest time on another clock that fits `seconds`.
    fn longest(&self, seconds: f64) -> f64 {
        seconds + self.rules.clock_tolerance(seconds, self.rules.clocks_seconds)
    }

    fn windows(&mut self, windows: &Windows) {
        let threads = self.evidence.manifest.host.threads as f64;
        for (i, window) in windows.iter().enumerate() {
            let wall = window.wall.0;
            if !(wall > 0.0 && wall.is_finite() && window.work.0 > 0) {
                self.add(format_args!("windows[{i}]: time and work have to be above 0"));
            }
            if !(0.0..=self.longest(wall * threads)).contains(&window.cpu.0) {
                self.add_by_rule(format_args!(
                    "windows.cpu_seconds[{i}]: more than {threads} threads have in that time"
                ));
            }
            if window.gpu.is_some_and(|gpu| !(0.0..=self.longest(wall)).contains(&gpu.0)) {
                self.add_by_rule(format_args!("windows.gpu_seconds[{i}]: longer than the window"));
            }
        }
    }

    /// Checks that the cool-down and warm-up of each block follow the previous block.
    fn blocks(&mut self, windows: &Windows) {
        let mut before = f64::NEG_INFINITY;
        for (i, step) in windows.steps().iter().enumerate() {
            let earliest = before - self.rules.clocks_seconds;
            let moments = [earliest, step.idle_from.0, step.load_from.0, step.measured.from.0];
            if !moments.is_sorted() {
                self.add(format_args!("windows.blocks[{i}]: its moments are not in order"));
            }
            before = step.measured.to.0;
        }
    }

    /// Checks latency, verification, condition and sampler cost.
    fn other_evidence(&mut self, row: &Row, windows: &Windows) {
        let wall = windows.seconds().0;
        // A batch of `decode` is one token of each sequence.
        if let (Id::Decode, Some(latency), Some(sequences)) =
            (row.workload.id, &row.latency, row.workload.shape.batch)
        {
            let computed = u128::from(latency.count()) * u128::from(sequences);
            let claimed = windows.total_work();
            if computed != claimed {
                self.add(format_args!(
                    "latency: its batches computed {computed} tokens, the windows {claimed}"
                ));
            }
        }
        match row.latency.as_ref().filter(|latency| latency.count() > 0) {
            Some(latency) => {
                let batches = latency.total().0;
                if !(wall * self.rules.min_batches..=self.longest(wall)).contains(&batches) {
                    self.add_by_rule(format_args!(
                        "latency: its batches last {batches:.1} s in all, the windows {wall:.1} s"
                    ));
                }
            }
            None => self.add("latency: a measured row has batches"),
        }
        let verified = row.verification.as_ref().is_some_and(|v| {
            v.checked > 0
                && (0.0..=1.0).contains(&v.worst_error_share)
                && v.wrong_windows.iter().all(|window| *window < windows.len())
                && v.wrong_output.is_some() != v.wrong_windows.is_empty()
        });
        self.require(verified, "verification: a measured row needs a verification that agreed");
        let clock = row
            .condition
            .locked_clock_hertz
            .is_none_or(|hertz| self.rules.clock_hertz.contains(&hertz));
        let limit = row.condition.power_limit_watts.is_none_or(|watts| watts > 0.0);
        self.require(clock && limit, "condition: impossible clock or power limit");
        for (i, readings) in row.readings.iter().enumerate() {
            if !(0.0..=self.rules.max_core_share).contains(&readings.sampler_core_share) {
                self.add(format_args!("readings[{i}].sampler_core_share: more than one core"));
            }
        }
    }
}

/// The first implausible column.
fn implausible_column(telemetry: &Telemetry, rules: &Rules) -> Option<&'static str> {
    let all = |column: &[Option<f64>], possible: &RangeInclusive<f64>| {
        column.iter().flatten().all(|value| possible.contains(value))
    };
    let (shares, hertz, celsius) =
        (&(0.0..=rules.max_core_share), &rules.clock_hertz, &rules.celsius);
    let board = telemetry.board.as_ref().is_none_or(|board| {
        all(&board.celsius, celsius)
            && all(&board.core_hertz, hertz)
            && all(&board.memory_hertz, hertz)
            && board.power_limit_watts.iter().flatten().all(|watts| *watts > 0.0)
    });
    let columns = [
        (all(&telemetry.cpu_use, shares), "cpu_use: a share from 0 to 1"),
        (all(&telemetry.gpu_use, shares), "gpu_use: a share from 0 to 1"),
        (all(&telemetry.cpu_hertz, hertz), "cpu_hertz: impossible clock"),
        (
            telemetry.celsius.values().all(|column| all(column, celsius)),
            "celsius: impossible temperature",
        ),
        (board, "board: impossible temperature, clock or power limit"),
    ];
    columns.into_iter().find(|(sound, _)| !sound).map(|(_, what)| what)
}

/// PCI vendor IDs, words in device names, and subgroup sizes of the vendors' drivers.
const VENDORS: [(u32, &[&str], RangeInclusive<u32>); 3] = [
    (0x10de, &["nvidia", "geforce", "rtx", "tesla", "quadro"], 32..=32),
    (0x1002, &["amd", "radeon", "instinct"], 32..=64),
    (0x8086, &["intel", "arc"], 8..=32),
];

/// Words in the names of drivers that emulate a GPU.
const EMULATORS: [&str; 3] = ["llvmpipe", "lavapipe", "swiftshader"];

/// Whether a GPU that claims not to be emulated has an emulator's driver, or a vendor's name without the vendor's limits. It is not checked
/// with Vulkan layers or user-selected drivers, which the document reports.
fn is_disguised(evidence: &Evidence, device: &Device) -> bool {
    let (manifest, class) = (&evidence.manifest, device.class);
    let Some(gpu) = device.gpu.as_ref().filter(|_| class != Class::SoftwareGpu) else {
        return false;
    };
    let chosen = manifest.environment.keys().any(|name| DRIVER_VARIABLES.contains(&name.as_str()));
    if chosen || !manifest.host.driver_layers.is_empty() {
        return false;
    }
    let (name, driver) = (device.name.to_lowercase(), gpu.driver.to_lowercase());
    let emulated = EMULATORS.iter().any(|word| name.contains(word) || driver.contains(word));
    // Letters of two scripts in one word are there to look like another name.
    let letters =
        |word: &str, ascii: bool| word.chars().any(|c| c.is_alphabetic() && c.is_ascii() == ascii);
    let mixed = name.split_whitespace().any(|word| letters(word, true) && letters(word, false));
    let foreign = |(vendor, names, subgroups): &(u32, &[&str], RangeInclusive<u32>)| {
        let named = name.split_whitespace().any(|word| names.contains(&word));
        let sizes = [gpu.subgroup_min, gpu.subgroup_max];
        (named || gpu.vendor == *vendor)
            && gpu.backend == "vulkan"
            && (gpu.vendor != *vendor || !sizes.iter().all(|size| subgroups.contains(size)))
    };
    emulated || mixed || VENDORS.iter().any(foreign)
}
