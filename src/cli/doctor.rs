//! `rigbench doctor`: what this machine lacks for a good measurement, and how to fix it.

use super::{Exit, args, busy, devices};
use crate::device::{Class, Device};
use crate::energy::{Listing, Scope};
use crate::gpu;
use crate::report;
use crate::results;
use anyhow::Result;

#[derive(clap::Args)]
#[command(after_help = "Example: rigbench doctor")]
pub(super) struct Args {
    #[command(flatten)]
    devices: args::Devices,
}

pub(super) fn run(args: &Args) -> Result<Exit> {
    let devices = args.devices.select()?;
    let found = devices::found(&devices);
    if found.iter().all(|found| found.sources.is_empty()) {
        super::print("Energy sources: none was found.\n\n")?;
    } else {
        super::print_tables(&[report::sources(&found)])?;
    }
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
    advice.extend(no_real_gpu(&devices).filter(|_| hidden.is_empty()).map(String::from));
    advice.extend(hidden);
    advice.extend(small_pages(&devices).into_iter().chain(governor()).chain(other_programs()));
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
    let mut reasons: Vec<(&str, String)> = Vec::new();
    for Listing { device, no_source_reason, .. } in found {
        let Some(why) = no_source_reason.as_deref() else { continue };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, ids)) => *ids += &format!(" and {}", device.id),
            None => reasons.push((why, device.id.to_string())),
        }
    }
    let line = |(why, ids): &(_, _)| format!("No joules of {ids} can be read: {why}");
    reasons.iter().map(line).collect()
}

/// Advice if no device is a real GPU.
fn no_real_gpu(devices: &[Device]) -> Option<&'static str> {
    if devices.iter().all(|device| device.class == Class::Cpu) {
        return Some(
            "There is no GPU adapter. On a machine without a GPU, Debian's package mesa-vulkan-drivers emulates one: \
             sudo apt-get install mesa-vulkan-drivers",
        );
    }
    devices.iter().all(|device| device.class.runs_on_cpu()).then_some(
        "The only GPU is emulated by the processor: it shows that kernels are right, not what a GPU's joules buy.",
    )
}

/// If transparent huge pages are set to `madvise`, software Vulkan gets small pages unless glibc is told to request huge ones.
/// Large reads were 6 % slower with small pages on the machine this was written on.
fn small_pages(devices: &[Device]) -> Option<String> {
    let setting = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
    let software = devices.iter().any(|device| device.class == Class::SoftwareGpu);
    let name = results::HUGE_PAGES;
    let applies =
        setting.contains("[madvise]") && software && !results::environment().contains_key(name);
    applies.then(|| {
        format!("The emulated GPU reads its memory faster on huge pages: GLIBC_TUNABLES={name}=1 rigbench run")
    })
}

/// A governor that changes the CPU's clock with the load makes results noisy.
fn governor() -> Option<String> {
    let path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    let text = std::fs::read_to_string(path).ok()?;
    let governor = Some(text.trim()).filter(|governor| *governor != "performance")?;
    Some(format!(
        "The processor's frequency governor is '{governor}': figures scatter less with \
         echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    ))
}

/// Other programs use cores and energy.
fn other_programs() -> Option<String> {
    let percent = 100.0 * busy::excessive_share()?;
    Some(format!(
        "Other programs use {percent:.0} % of the processor: end them before a run to publish."
    ))
}
