//! Parses `--power` specs: which meter, or which power is stated without one.

use super::{EnergyError, MeterKind, Rules, Scope, Stated};
use crate::device::{Device, DeviceId};
use crate::units::Watts;
use std::fmt;
use std::str::FromStr;
use strum::VariantNames;

/// A `--power` spec.
#[derive(Clone, PartialEq)]
pub enum PowerSpec {
    /// `nvml`: NVIDIA's driver; `hwmon`: the kernel's sensors of AMD and Intel cards; `rapl`: the processor's energy counters.
    BuiltIn(MeterKind),
    /// `shelly:http://HOST`, or `tasmota:http://HOST?channel=1`.
    Plug(MeterKind, String),
    /// `command[@SCOPE[@DEVICE]]:CMD`, which prints watts.
    Command {
        /// Command line for the shell.
        line: String,
        /// Scope and device of the watts.
        metered: Metered,
    },
    /// `declared:WATTS[@SCOPE[@DEVICE]]`, or `declared:sha256d=240,gemm=300[@SCOPE[@DEVICE]]`.
    Declared {
        /// Watts per workload; without a name, for every workload.
        watts: Vec<(Option<String>, Watts)>,
        /// Scope and device of the watts.
        metered: Metered,
    },
    /// `model`, or `model:idle=60,max=280`.
    Model(Option<(Watts, Watts)>),
    /// `none`.
    None,
}

/// What a user's meter is attached to, `SCOPE[@DEVICE]`. A card's power never counts as the processor's, or the reverse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metered {
    /// Scope of the readings.
    pub scope: Scope,
    /// Device that they cover; `None` for every chosen device that has the scope.
    pub device: Option<DeviceId>,
}

impl Metered {
    /// A meter at the wall plug, for every device.
    const WALL: Metered = Metered { scope: Scope::Wall, device: None };

    /// Whether a device is covered. Call [`Metered::devices`] first: without a device name, several cards may match.
    fn covers(&self, device: &Device) -> bool {
        self.scope.covers(device.class) && self.device.as_ref().is_none_or(|id| device.is(id))
    }

    /// The chosen devices that are covered.
    ///
    /// # Errors
    /// If there are none, or if the scope is one card's and several are chosen. The message names a corrected spec: `spec` is what comes
    /// before and after `SCOPE@DEVICE`.
    pub(super) fn devices(
        &self,
        chosen: &[Device],
        spec: [&str; 2],
    ) -> Result<Vec<DeviceId>, EnergyError> {
        let covered: Vec<&Device> = chosen.iter().filter(|device| self.covers(device)).collect();
        let list = |devices: &[&Device]| {
            devices.iter().map(|device| device.id.to_string()).collect::<Vec<_>>().join(", ")
        };
        match covered[..] {
            [] => Err(EnergyError(format!(
                "no chosen device has the energy of {self}: chosen are {}; name another scope or choose the device by --device",
                list(&chosen.iter().collect::<Vec<_>>())
            ))),
            [first, _, ..] if self.scope == Scope::GpuBoard && self.device.is_none() => {
                let named = Metered { device: Some(first.id.clone()), ..self.clone() };
                Err(EnergyError(format!(
                    "gpu-board is one card, and {} are chosen: name the card, as in {}",
                    list(&covered),
                    spec.join(&named.to_string())
                )))
            }
            _ => Ok(covered.iter().map(|device| device.id.clone()).collect()),
        }
    }
}

impl fmt::Display for Metered {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.scope.into_str())?;
        self.device.iter().try_for_each(|device| write!(f, "@{device}"))
    }
}

/// The error for an invalid spec: one line that says what to write instead.
fn refuse<T>(what: impl Into<EnergyError>) -> Result<T, EnergyError> {
    Err(what.into())
}

const KNOWN: &str = "nvml, hwmon, rapl, shelly:http://HOST[?channel=N], tasmota:http://HOST[?channel=N], \
    command[@SCOPE[@DEVICE]]:CMD, declared:WATTS[@SCOPE[@DEVICE]], declared:sha256d=WATTS,gemm=WATTS, model, \
    model:idle=WATTS,max=WATTS, none";

impl FromStr for PowerSpec {
    type Err = EnergyError;

    fn from_str(spec: &str) -> Result<PowerSpec, EnergyError> {
        // The command starts behind the scope and the device, whose name contains a colon.
        if let Some(rest) = spec.strip_prefix("command@") {
            let (metered, line) = metered_and_rest(rest)?;
            return command(line, metered);
        }
        let (kind, rest) = spec.split_once(':').unwrap_or((spec, ""));
        match (kind, rest) {
            _ if kind.contains('@') => refuse(
                "write a scope behind the watts, as in declared:240@wall, or behind command, as in command@wall:CMD",
            ),
            ("none", "") => Ok(PowerSpec::None),
            ("nvml", "") => Ok(PowerSpec::BuiltIn(MeterKind::Nvml)),
            ("hwmon", "") => Ok(PowerSpec::BuiltIn(MeterKind::Hwmon)),
            ("rapl", "") => Ok(PowerSpec::BuiltIn(MeterKind::Rapl)),
            ("model", "") => Ok(PowerSpec::Model(None)),
            ("shelly", url) => plug(MeterKind::Shelly, url),
            ("tasmota", url) => plug(MeterKind::Tasmota, url),
            ("command", line) => command(line, Metered::WALL),
            ("model", bounds) => match &pairs(bounds)?[..] {
                [(Some(a), low), (Some(b), high)] if a == "idle" && b == "max" && low <= high => {
                    Ok(PowerSpec::Model(Some((*low, *high))))
                }
                _ => refuse(format!(
                    "--power {spec}: write model:idle=60,max=280, idle no more than max"
                )),
            },
            ("declared", rest) if !rest.is_empty() => {
                let (watts, metered) = match rest.split_once('@') {
                    Some((watts, metered)) => (watts, metered_and_rest(metered)?),
                    None => (rest, (Metered::WALL, "")),
                };
                let (metered, "") = metered else {
                    return refuse(
                        "nothing may follow the device, as in declared:240@gpu-board@gpu:1",
                    );
                };
                let watts = pairs(watts)?;
                if watts.len() > 1 && watts.iter().any(|(name, _)| name.is_none()) {
                    return refuse(format!(
                        "--power {spec}: name a workload for each figure, as in declared:sha256d=240,gemm=300"
                    ));
                }
                Ok(PowerSpec::Declared { watts, metered })
            }
            _ => refuse(format!("'{kind}' is not a power source; known: {KNOWN}")),
        }
    }
}

/// An HTTP URL with a host. It may contain a password: no message repeats it.
fn plug(kind: MeterKind, url: &str) -> Result<PowerSpec, EnergyError> {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace)) {
        true => Ok(PowerSpec::Plug(kind, url.to_string())),
        false => refuse(format!("write the plug's address, as in {kind}:http://192.168.1.20")),
    }
}

/// `240` or `name=240,other=300`.
fn pairs(text: &str) -> Result<Vec<(Option<String>, Watts)>, EnergyError> {
    text.split(',')
        .map(|item| {
            let named = item.split_once('=');
            let (name, watts) = named.map_or((None, item), |(name, watts)| (Some(name), watts));
            let power = watts.parse().ok().map(Watts);
            match power.filter(|power| Rules::CURRENT.is_power(*power)) {
                Some(power) => Ok((name.map(String::from), power)),
                None => refuse(format!(
                    "'{watts}' is not the power of a device or machine in watts; write it as in declared:240"
                )),
            }
        })
        .collect()
}

/// `CMD`, which must not be empty.
fn command(line: &str, metered: Metered) -> Result<PowerSpec, EnergyError> {
    if line.is_empty() {
        return refuse("write the command, which is to print watts, as in command:'cat watts.txt'");
    }
    Ok(PowerSpec::Command { line: line.to_string(), metered })
}

/// `SCOPE[@DEVICE][:REST]`.
fn metered_and_rest(text: &str) -> Result<(Metered, &str), EnergyError> {
    let (name, rest) = text.split_at(text.find(['@', ':']).unwrap_or(text.len()));
    let Ok(scope) = name.parse() else {
        let known = Scope::VARIANTS.join(", ");
        return refuse(format!("'{name}' is not a scope; known: {known}"));
    };
    let (device, rest) = match rest.strip_prefix('@').map(device_and_rest) {
        None => (None, rest),
        Some(Some((device, rest))) => (Some(device), rest),
        Some(None) => {
            return refuse(format!(
                "write a device behind @{name}@, as in command@gpu-board@gpu:1:CMD or declared:240@gpu-board@gpu:1"
            ));
        }
    };
    Ok((Metered { scope, device }, rest.strip_prefix(':').unwrap_or(rest)))
}

/// `DEVICE[:REST]`. Device names contain colons, too: `gpu:1`, `gpu:pci-0000:01:00.0`.
fn device_and_rest(text: &str) -> Option<(DeviceId, &str)> {
    let colons = match text {
        _ if text.starts_with("gpu:pci-") => 3,
        _ if text.starts_with("gpu:") => 1,
        _ => 0,
    };
    let end = text.match_indices(':').nth(colons).map_or(text.len(), |(end, _)| end);
    let (name, rest) = text.split_at(end);
    Some((name.parse().ok()?, rest))
}

impl PowerSpec {
    /// The power stated for a workload on a device, and whether it was stated for this workload alone; `None` if the spec names a source
    /// to read.
    pub fn stated(
        &self,
        device: &Device,
        workload: &str,
    ) -> Option<Result<(Stated, bool), EnergyError>> {
        Some(match self {
            PowerSpec::None => Err("--power none was asked for".into()),
            PowerSpec::Model(None) => Stated::model(device).map(|stated| (stated, false)),
            &PowerSpec::Model(Some((low, high))) => Ok((Stated::between(low, high, device), false)),
            PowerSpec::Declared { metered, .. } if !metered.covers(device) => Err(EnergyError(
                format!("--power declares the watts of {metered}, not of {}", device.id),
            )),
            PowerSpec::Declared { watts, metered } => watts
                .iter()
                .find(|(name, _)| name.as_deref().is_none_or(|name| name == workload))
                .map(|(name, watts)| {
                    (Stated::Declared { power: *watts, scope: metered.scope }, name.is_some())
                })
                .ok_or_else(|| format!("--power declares no watts for {workload}").into()),
            _ => return None,
        })
    }

    /// Workloads named by the spec, to be checked against those that run.
    pub fn workloads(&self) -> impl Iterator<Item = &str> {
        let watts = if let PowerSpec::Declared { watts, .. } = self { &watts[..] } else { &[] };
        watts.iter().filter_map(|(name, _)| name.as_deref())
    }
}
