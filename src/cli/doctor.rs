//! `rigbench doctor`: what this machine lacks for a good measurement, and how to fix it.

use super::{Exit, args, busy, devices};
use crate::device::{Class, Device};
use crate::energy::{Listing, Scope};
use crate::gpu;
use crate::report;
use crate::results;
use anyhow::Result;
use std::path::Path;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench doctor")]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let devices = args.devices.select()?;
    let found = devices::found(&devices);
    let (width, styled) = args::terminal();
    let sources = match found.iter().all(|found| found.sources.is_empty()) {
        true => "Energy sources: none was found.\n".to_string(),
        false => report::sources(&found).to_terminal(width, styled),
    };
    super::print(&(sources + "\n"))?;
    let mut advice = unreadable(&found);
    let covers_machine = |found: &Listing| {
        found.sources.iter().any(|s| matches!(s.scope, Scope::Machine | Scope::Wall))
    };
    if !found.iter().all(covers_machine) {
        advice.push(
            "A plug with a meter gives joules of all of a machine: --power shelly:http://HOST, --power tasmota:http://HOST, \
             or --power command:CMD with a command that prints watts. Read by eye: --power declared:WATTS."
                .into(),
        );
    }
    let hidden = gpu::hidden();
    advice.extend(gpu_advice(&devices, hidden.is_empty()));
    advice.extend(hidden);
    advice.extend(small_pages(&devices, Path::new("/sys/kernel/mm/transparent_hugepage/enabled")));
    advice.extend(governor(Path::new("/sys/devices/system/cpu")));
    advice.extend(other_programs());
    if advice.is_empty() {
        advice.push("Nothing is missing.".into());
    }
    for line in advice {
        super::print_line(&format!("- {line}"))?;
    }
    Ok(Exit::Done)
}

/// Why the energy of some devices cannot be read: one line per reason.
fn unreadable(found: &[Listing]) -> Vec<String> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for found in found {
        let Some(why) = found.no_source_reason.as_deref() else { continue };
        let id = found.device.id.to_string();
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => ids.push(id),
            None => reasons.push((why, vec![id])),
        }
    }
    reasons
        .iter()
        .map(|(why, ids)| format!("No joules of {} can be read: {why}", ids.join(" and ")))
        .collect()
}

/// Advice on the GPUs in use; `complete` is false if some GPUs are hidden.
fn gpu_advice(devices: &[Device], complete: bool) -> Vec<String> {
    let mut advice = Vec::new();
    let gpus: Vec<&Device> = devices.iter().filter(|d| d.class != Class::Cpu).collect();
    if gpus.is_empty() && complete {
        advice.push(
            "There is no GPU adapter. On a machine without a GPU, Debian's package mesa-vulkan-drivers emulates one: \
             sudo apt-get install mesa-vulkan-drivers"
                .into(),
        );
    } else if complete && gpus.iter().all(|d| d.class == Class::SoftwareGpu) {
        advice.push(
            "The only GPU is emulated by the processor: it shows that kernels are right, not what a GPU's joules buy.".into(),
        );
    }
    advice
}

/// If transparent huge pages are set to `madvise`, software Vulkan gets small pages unless glibc is told to request huge ones.
/// Large reads were 6 % slower with small pages on the machine this was written on.
fn small_pages(devices: &[Device], huge_pages: &Path) -> Option<String> {
    let on_demand = std::fs::read_to_string(huge_pages).ok()?.contains("[madvise]");
    let software = devices.iter().any(|d| d.class == Class::SoftwareGpu);
    (on_demand && software && !results::environment().contains_key(results::HUGE_PAGES)).then(|| {
        format!(
            "The emulated GPU reads its memory faster on huge pages: GLIBC_TUNABLES={}=1 rigbench run",
            results::HUGE_PAGES
        )
    })
}

/// A governor that changes the CPU's clock with the load makes results noisy.
fn governor(cpus: &Path) -> Option<String> {
    let governor = std::fs::read_to_string(cpus.join("cpu0/cpufreq/scaling_governor")).ok()?;
    let governor = governor.trim();
    (governor != "performance").then(|| {
        format!(
            "The processor's frequency governor is '{governor}': figures scatter less with \
             echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
        )
    })
}

/// Other programs use cores and energy.
fn other_programs() -> Option<String> {
    let share = busy::share().filter(|share| *share > busy::MAX_OTHER_CPU_SHARE)?;
    let percent = 100.0 * share;
    Some(format!(
        "Other programs use {percent:.0} % of the processor: end them before a run to publish."
    ))
}
