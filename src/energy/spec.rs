//! Parses `--power` specs.

use super::{EnergyError, Metered, Scope, Stated};
use crate::device::{Device, DeviceId};
use crate::units::Watts;
use std::str::FromStr;

/// A `--power` spec.
#[derive(Clone, PartialEq)]
pub enum PowerSpec {
    /// `nvml`: NVIDIA's driver.
    Nvml,
    /// `hwmon`: the kernel's sensors of AMD and Intel cards.
    Hwmon,
    /// `rapl`: the processor's energy counters.
    Rapl,
    /// `shelly:http://HOST`, or `shelly:http://HOST?channel=2`.
    Shelly(String),
    /// `tasmota:http://HOST`, or `tasmota:http://HOST?channel=1`.
    Tasmota(String),
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

/// An invalid spec. One line that says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PowerSpecError(String);

const KNOWN: &str = "nvml, hwmon, rapl, shelly:http://HOST[?channel=N], tasmota:http://HOST[?channel=N], \
    command[@SCOPE[@DEVICE]]:CMD, declared:WATTS[@SCOPE[@DEVICE]], declared:sha256d=WATTS,gemm=WATTS, model, \
    model:idle=WATTS,max=WATTS, none";

impl FromStr for PowerSpec {
    type Err = PowerSpecError;

    fn from_str(spec: &str) -> Result<PowerSpec, PowerSpecError> {
        let refuse = |what: &str| Err(PowerSpecError(what.to_string()));
        // The command starts behind the scope and the device, whose name contains a colon.
        if let Some(rest) = spec.strip_prefix("command@") {
            let (metered, line) = metered_and_rest(rest)?;
            return command(line, metered);
        }
        let (kind, rest) = spec.split_once(':').unwrap_or((spec, ""));
        if kind.contains('@') {
            return refuse(
                "write a scope behind the watts, as in declared:240@wall, or behind command, as in command@wall:CMD",
            );
        }
        match (kind, rest) {
            ("none", "") => Ok(PowerSpec::None),
            ("nvml", "") => Ok(PowerSpec::Nvml),
            ("hwmon", "") => Ok(PowerSpec::Hwmon),
            ("rapl", "") => Ok(PowerSpec::Rapl),
            ("model", "") => Ok(PowerSpec::Model(None)),
            // The address may contain a password: no message repeats it.
            ("shelly" | "tasmota", url) => match (kind, is_address(url)) {
                ("shelly", true) => Ok(PowerSpec::Shelly(url.to_string())),
                (_, true) => Ok(PowerSpec::Tasmota(url.to_string())),
                _ => refuse(&format!("write the plug's address, as in {kind}:http://192.168.1.20")),
            },
            ("command", line) => command(line, Metered::WALL),
            ("model", bounds) => match &pairs(bounds)?[..] {
                [(Some(a), low), (Some(b), high)] if a == "idle" && b == "max" && low <= high => {
                    Ok(PowerSpec::Model(Some((*low, *high))))
                }
                _ => refuse(&format!(
                    "--power {spec}: write model:idle=60,max=280, idle no more than max"
                )),
            },
            ("declared", rest) if !rest.is_empty() => {
                let (watts, metered) = match rest.split_once('@') {
                    Some((watts, metered)) => match metered_and_rest(metered)? {
                        (metered, "") => (watts, metered),
                        _ => {
                            return refuse(
                                "nothing may follow the device, as in declared:240@gpu-board@gpu:1",
                            );
                        }
                    },
                    None => (rest, Metered::WALL),
                };
                let watts = pairs(watts)?;
                if watts.len() > 1 && watts.iter().any(|(name, _)| name.is_none()) {
                    return refuse(&format!(
                        "--power {spec}: name a workload for each figure, as in declared:sha256d=240,gemm=300"
                    ));
                }
                Ok(PowerSpec::Declared { watts, metered })
            }
            _ => refuse(&format!("'{kind}' is no power source; known: {KNOWN}")),
        }
    }
}

/// Whether this is an HTTP URL with a host.
fn is_address(url: &str) -> bool {
    let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}

/// `240` or `name=240,other=300`.
fn pairs(text: &str) -> Result<Vec<(Option<String>, Watts)>, PowerSpecError> {
    text.split(',')
        .map(|item| {
            let (name, watts) = match item.split_once('=') {
                Some((name, watts)) => (Some(name.to_string()), watts),
                None => (None, item),
            };
            match watts.parse::<f64>() {
                Ok(value) if value.is_finite() && value > 0.0 => Ok((name, Watts(value))),
                _ => Err(PowerSpecError(format!(
                    "'{watts}' is no power in watts; write a number above 0, as in declared:240"
                ))),
            }
        })
        .collect()
}

/// `CMD`, which must not be empty.
fn command(line: &str, metered: Metered) -> Result<PowerSpec, PowerSpecError> {
    match line {
        "" => Err(PowerSpecError(
            "write the command, which is to print watts, as in command:'cat watts.txt'".into(),
        )),
        line => Ok(PowerSpec::Command { line: line.to_string(), metered }),
    }
}

/// `SCOPE[@DEVICE][:REST]`.
fn metered_and_rest(text: &str) -> Result<(Metered, &str), PowerSpecError> {
    let (name, rest) = text.split_at(text.find(['@', ':']).unwrap_or(text.len()));
    let scope = scope(name)?;
    let (device, rest) = match rest.strip_prefix('@') {
        None => (None, rest),
        Some(rest) => match device_and_rest(rest) {
            Some((device, rest)) => (Some(device), rest),
            None => {
                return Err(PowerSpecError(format!(
                    "write a device behind @{name}@, as in command@gpu-board@gpu:1:CMD or declared:240@gpu-board@gpu:1"
                )));
            }
        },
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

fn scope(name: &str) -> Result<Scope, PowerSpecError> {
    Scope::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| {
        let known = Scope::ALL.map(Scope::name).join(", ");
        PowerSpecError(format!("'{name}' is no scope; known: {known}"))
    })
}

impl PowerSpec {
    /// The power stated for a workload on a device, and whether it was stated for this workload alone; `None` if the spec names a source
    /// to read.
    pub fn stated(
        &self,
        device: &Device,
        workload: &str,
    ) -> Option<Result<(Stated, bool), EnergyError>> {
        match self {
            PowerSpec::None => Some(Err(EnergyError("--power none was asked for".into()))),
            PowerSpec::Model(None) => Some(Stated::model(device).map(|stated| (stated, false))),
            PowerSpec::Model(Some((low, high))) => {
                Some(Ok((Stated::between(*low, *high, device), false)))
            }
            PowerSpec::Declared { watts, metered } => {
                if !metered.covers(device) {
                    return Some(Err(EnergyError(format!(
                        "--power declares the watts of {metered}, not of {}",
                        device.id
                    ))));
                }
                let applies = |(name, _): &&(Option<String>, Watts)| {
                    name.as_deref().is_none_or(|name| name == workload)
                };
                let found = watts.iter().find(applies).map(|(name, watts)| {
                    (Stated::Declared { power: *watts, scope: metered.scope }, name.is_some())
                });
                Some(found.ok_or_else(|| {
                    EnergyError(format!("--power declares no watts for {workload}"))
                }))
            }
            _ => None,
        }
    }

    /// Workloads named by the spec, to be checked against those that run.
    pub fn workloads(&self) -> impl Iterator<Item = &str> {
        let watts = match self {
            PowerSpec::Declared { watts, .. } => watts.as_slice(),
            _ => &[],
        };
        watts.iter().filter_map(|(name, _)| name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(spec: &str) -> PowerSpec {
        spec.parse().unwrap()
    }

    #[test]
    fn specs_parse_as_documented() {
        assert!(read("none") == PowerSpec::None);
        assert!(read("model") == PowerSpec::Model(None));
        let bounds = Some((Watts(60.0), Watts(280.0)));
        assert!(read("model:idle=60,max=280") == PowerSpec::Model(bounds));
        let all = vec![(None, Watts(240.0))];
        let declared = |scope, device| PowerSpec::Declared {
            watts: all.clone(),
            metered: Metered { scope, device },
        };
        assert!(read("declared:240") == declared(Scope::Wall, None));
        assert!(read("declared:240@gpu-board") == declared(Scope::GpuBoard, None));
        let second = Some(DeviceId::Gpu(1));
        assert!(read("declared:240@gpu-board@gpu:1") == declared(Scope::GpuBoard, second));
        let named = read("declared:sha256d=240,gemm=300");
        assert_eq!(named.workloads().collect::<Vec<_>>(), ["sha256d", "gemm"]);
        let gemm = Stated::Declared { power: Watts(300.0), scope: Scope::Wall };
        assert_eq!(named.stated(&Device::cpu(), "gemm").unwrap(), Ok((gemm, true)));
        let one = Stated::Declared { power: Watts(240.0), scope: Scope::Wall };
        let unnamed = read("declared:240").stated(&Device::cpu(), "gemm");
        assert_eq!(unnamed.unwrap(), Ok((one, false)));
        assert!(named.stated(&Device::cpu(), "decode").unwrap().is_err());
        assert!(read("shelly:http://192.168.1.20").stated(&Device::cpu(), "gemm").is_none());
        let command = |line: &str, scope, device| PowerSpec::Command {
            line: line.into(),
            metered: Metered { scope, device },
        };
        assert!(read("command:true") == command("true", Scope::Wall, None));
        assert!(
            read("command@machine:echo 'a:b'@x") == command("echo 'a:b'@x", Scope::Machine, None)
        );
    }

    #[test]
    fn device_is_separated_from_command() {
        for (spec, device) in [
            ("command@gpu-board@gpu:1:cat a:b@c", DeviceId::Gpu(1)),
            (
                "command@gpu-board@gpu:pci-0000:01:00.0:cat a:b@c",
                DeviceId::Pci("0000:01:00.0".into()),
            ),
            ("command@gpu-board@cpu:cat a:b@c", DeviceId::Cpu),
        ] {
            let metered = Metered { scope: Scope::GpuBoard, device: Some(device) };
            assert!(
                read(spec) == PowerSpec::Command { line: "cat a:b@c".into(), metered },
                "{spec}"
            );
        }
    }

    #[test]
    fn errors_are_one_line_without_secrets() {
        for spec in [
            "declared",
            "declared:",
            "declared:-5",
            "declared:0",
            "declared:nan",
            "declared:inf",
            "declared:many",
            "declared:240@moon",
            "declared:240,300",
            "model:280",
            "model:idle=300,max=20",
            "model:max=280,idle=60",
            "nvml2",
            "",
            "none:5",
            "nvml:0",
            "nvml@wall",
            "command:",
            "command@moon:echo secret",
            "command@gpu-board@moon:echo secret",
            "command@gpu-board@gpu:1",
            "command@gpu-board@gpu:1:",
            "command@gpu-board@",
            "command@",
            "declared:240@gpu-board@",
            "declared:240@gpu-board@gpu",
            "declared:240@gpu-board@gpu:1:5",
            "declared@gpu-board:240",
            "shelly",
            "shelly:secret",
            "tasmota:http://",
            "shellyy:http://user:secret@host",
        ] {
            let Err(error) = spec.parse::<PowerSpec>() else { panic!("{spec} is taken") };
            let line = error.to_string();
            assert!(!line.contains('\n') && line.len() > 20, "{spec}: {line}");
            assert!(!line.contains("secret"), "{line}");
        }
    }
}
