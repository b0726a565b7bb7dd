//! Physical plausibility, apart from consistency: CPU time within wall time times threads, batches no longer than their windows, cards no
//! faster than their published peak.

use super::Faults;
use crate::device::hardware::Cards;
use crate::device::{Class, Device, DeviceId};
use crate::measure::{Telemetry, Windows};
use crate::results::document::{Evidence, Row};
use crate::results::environment::chooses_driver;
use crate::results::rules::Rules;
use crate::workload::Id;

/// Judges the plausibility of a measured row with valid columns.
pub(super) fn row(
    evidence: &Evidence,
    row: &Row,
    rules: &Rules,
    cards: &Cards,
    faults: &mut Faults,
) {
    let (Some(windows), Some(telemetry)) = (&row.windows, &row.telemetry) else { return };
    let threads = evidence.manifest.host.threads as f64;
    each_window(windows, threads, rules, faults);
    blocks(windows, rules, faults);
    if let Some(what) = looks(telemetry) {
        faults.add(format!("telemetry.{what}"));
    }
    other_evidence(row, windows, rules, faults);
    // WGSL runs on GPUs, native code on the processor.
    if let Some(kernel) = &row.kernel {
        faults.add_if(
            kernel.wgsl_sha256.is_some() == (row.device == DeviceId::Cpu),
            format_args!("kernel: {} does not run on {}", kernel.id, row.device),
        );
    }
    if let Some(device) = evidence.manifest.device(&row.device) {
        faults.add_if(
            is_disguised(evidence, device),
            format_args!(
                "device: {} does not have the limits that a driver of its maker gives",
                device.name
            ),
        );
        if cards.has_since(&device.name, evidence.run.started_at) {
            published(row, windows, device, rules, cards, faults);
        }
    }
}

fn each_window(windows: &Windows, threads: f64, rules: &Rules, faults: &mut Faults) {
    let within = |seconds: f64, limit: f64| {
        let most = limit * (1.0 + rules.clocks_share) + rules.clocks_seconds;
        (0.0..=most).contains(&seconds)
    };
    for (i, window) in windows.iter().enumerate() {
        let wall = window.wall.0;
        let sound = wall > 0.0 && wall.is_finite() && window.work.0 > 0;
        faults.add_if(!sound, format_args!("windows[{i}]: a window takes time and does work"));
        faults.add_by_rule(
            !within(window.cpu.0, wall * threads),
            format_args!(
                "windows.cpu_seconds[{i}]: {threads} threads do not have them in that time"
            ),
        );
        faults.add_by_rule(
            window.gpu.is_some_and(|gpu| !within(gpu.0, wall)),
            format_args!("windows.gpu_seconds[{i}]: more than the window's own"),
        );
    }
}

/// Checks that the cool-down and warm-up of each block follow the previous block.
fn blocks(windows: &Windows, rules: &Rules, faults: &mut Faults) {
    let mut before = f64::NEG_INFINITY;
    for (i, step) in windows.steps().iter().enumerate() {
        let moments = [
            before - rules.clocks_seconds,
            step.idle_from.0,
            step.load_from.0,
            step.measured.from.0,
        ];
        let ordered = moments.windows(2).all(|pair| pair[0] <= pair[1]);
        faults.add_if(!ordered, format_args!("windows.blocks[{i}]: its moments are not in order"));
        before = step.measured.to.0;
    }
}

/// Checks latency, verification, condition and sampler cost.
fn other_evidence(row: &Row, windows: &Windows, rules: &Rules, faults: &mut Faults) {
    let wall = windows.seconds().0;
    let most = wall * (1.0 + rules.clocks_share) + rules.clocks_seconds;
    match &row.latency {
        Some(latency) if latency.count() > 0 => {
            let batches = latency.total().0;
            faults.add_by_rule(
                !(wall * 0.5..=most).contains(&batches),
                format_args!(
                    "latency: its batches last {batches:.1} s in all, the windows {wall:.1} s"
                ),
            );
        }
        _ => faults.add("latency: a measured row has batches"),
    }
    let verified = row.verification.as_ref().is_some_and(|v| {
        v.checked > 0
            && (0.0..=1.0).contains(&v.worst_error_share)
            && v.wrong_windows.iter().all(|window| *window < windows.len())
            && v.wrong_output.is_some() != v.wrong_windows.is_empty()
    });
    faults.add_if(!verified, "verification: a measured row was verified, and agreed");
    let clock = row.condition.locked_clock_hertz.is_none_or(is_clock);
    let limit = row.condition.power_limit_watts.is_none_or(|watts| watts > 0.0);
    faults.add_if(!clock || !limit, "condition: no device's");
    let costs = row.readings.iter().map(|readings| readings.sampler_core_share);
    for (i, _) in costs.enumerate().filter(|(_, cost)| !(0.0..=1.05).contains(cost)) {
        faults.add(format!("readings[{i}].sampler_core_share: one core has no more"));
    }
}

/// Whether a clock is plausible.
fn is_clock(hertz: f64) -> bool {
    (1e6..=1e11).contains(&hertz)
}

/// The first implausible column.
fn looks(telemetry: &Telemetry) -> Option<&'static str> {
    let all = |column: &[Option<f64>], sound: &dyn Fn(f64) -> bool| {
        column.iter().flatten().all(|value| sound(*value))
    };
    let share = |share: f64| (0.0..=1.05).contains(&share);
    let celsius = |celsius: f64| (-80.0..=200.0).contains(&celsius);
    let board = telemetry.board.as_ref().is_none_or(|board| {
        all(&board.celsius, &celsius)
            && all(&board.core_hertz, &is_clock)
            && all(&board.memory_hertz, &is_clock)
            && all(&board.power_limit_watts, &|watts| watts > 0.0)
    });
    match () {
        () if !all(&telemetry.cpu_use, &share) => Some("cpu_use: a share from 0 to 1"),
        () if !all(&telemetry.gpu_use, &share) => Some("gpu_use: a share from 0 to 1"),
        () if !all(&telemetry.cpu_hertz, &is_clock) => Some("cpu_hertz: no processor's"),
        () if !telemetry.celsius.values().all(|column| all(column, &celsius)) => {
            Some("celsius: no machine's")
        }
        () if !board => Some("board: no card's"),
        () => None,
    }
}

/// PCI vendor IDs, words in device names, and subgroup sizes of the vendors' drivers.
const VENDORS: [(u32, &[&str], std::ops::RangeInclusive<u32>); 3] = [
    (0x10de, &["nvidia", "geforce", "rtx", "tesla", "quadro"], 32..=32),
    (0x1002, &["amd", "radeon", "instinct"], 32..=64),
    (0x8086, &["intel", "arc"], 8..=32),
];

/// Words in the names of drivers that emulate a GPU.
const EMULATORS: [&str; 3] = ["llvmpipe", "lavapipe", "swiftshader"];

/// Whether a GPU that claims not to be emulated has an emulator's driver, or a vendor's name without the vendor's limits. It is not checked
/// with Vulkan layers or user-selected drivers, which the document reports.
fn is_disguised(evidence: &Evidence, device: &Device) -> bool {
    let manifest = &evidence.manifest;
    let Some(gpu) = device.gpu.as_ref().filter(|_| device.class != Class::SoftwareGpu) else {
        return false;
    };
    let chosen = manifest.environment.keys().any(|name| chooses_driver(name));
    if chosen || !manifest.host.driver_layers.is_empty() {
        return false;
    }
    let name = device.name.to_lowercase();
    let driver = gpu.driver.to_lowercase();
    if EMULATORS.iter().any(|word| name.contains(word) || driver.contains(word)) {
        return true;
    }
    // Letters of two scripts in one word are there to look like another name.
    let letters =
        |word: &str, ascii: bool| word.chars().any(|c| c.is_alphabetic() && c.is_ascii() == ascii);
    if name.split_whitespace().any(|word| letters(word, true) && letters(word, false)) {
        return true;
    }
    let named =
        |words: &[&str]| words.iter().any(|word| name.split_whitespace().any(|w| w == *word));
    VENDORS.iter().any(|(vendor, words, subgroups)| {
        let sizes = [gpu.subgroup_min, gpu.subgroup_max];
        (named(words) || gpu.vendor == *vendor)
            && gpu.backend == "vulkan"
            && (gpu.vendor != *vendor || !sizes.iter().all(|size| subgroups.contains(size)))
    })
}

/// A card must not be much faster than its published peak.
fn published(
    row: &Row,
    windows: &Windows,
    device: &Device,
    rules: &Rules,
    cards: &Cards,
    faults: &mut Faults,
) {
    let rate = windows.total_work() as f64 / windows.seconds().0;
    let arithmetic = row.kernel.as_ref().and_then(|kernel| kernel.arithmetic.as_deref());
    let known = match row.workload.id {
        // hashcat's mode 1400 is a single SHA-256; a hash here is double.
        Id::Sha256d => cards.hashcat(&device.name).map(|(rate, _)| (rate, "hashcat's rate")),
        Id::Stream => None,
        _ => arithmetic
            .and_then(|arithmetic| cards.peak(&device.name, arithmetic))
            .map(|(peak, _)| (peak, "the vendor's peak")),
    };
    let operations = match row.workload.id {
        Id::Sha256d | Id::Peak => 1.0,
        _ => row.workload.intensity.map_or(1.0, |intensity| intensity.operations_per_unit),
    };
    if let Some((full, what)) = known {
        let share = rate * operations / full;
        faults.add_by_rule(
            share > rules.above_published,
            format_args!("windows: {share:.2} times {what} of {}", device.name),
        );
    }
}
