//! Reads `--power` specs and builds the sources that they name.

use super::{Declared, EnergySource, Model, Scope};
use crate::device::Device;
use crate::units::Watts;
use std::str::FromStr;

/// One `--power`.
#[derive(Clone, Debug, PartialEq)]
pub enum PowerSpec {
    /// `declared:WATTS[@SCOPE]`, or `declared:sha256d=240,gemm=300[@SCOPE]`.
    Declared {
        /// Watts for every workload (no name) or for the one named.
        watts: Vec<(Option<String>, Watts)>,
        /// What they cover.
        scope: Scope,
    },
    /// `model`, or `model:idle=60,max=280`.
    Model(Option<(Watts, Watts)>),
    /// `none`.
    None,
}

/// A spec that names no source. One line; says what to write instead.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PowerSpecError(String);

const KNOWN: &str = "declared:WATTS[@SCOPE], declared:sha256d=WATTS,gemm=WATTS, model, model:idle=WATTS,max=WATTS, none";

impl FromStr for PowerSpec {
    type Err = PowerSpecError;

    fn from_str(spec: &str) -> Result<PowerSpec, PowerSpecError> {
        let (kind, rest) = spec.split_once(':').unwrap_or((spec, ""));
        match (kind, rest) {
            ("none", "") => Ok(PowerSpec::None),
            ("model", "") => Ok(PowerSpec::Model(None)),
            ("model", bounds) => {
                let named = pairs(bounds)?;
                match &named[..] {
                    [(Some(a), low), (Some(b), high)] if a == "idle" && b == "max" => {
                        if low > high {
                            return Err(PowerSpecError(format!(
                                "--power {spec}: idle is above max; write model:idle=60,max=280"
                            )));
                        }
                        Ok(PowerSpec::Model(Some((*low, *high))))
                    }
                    _ => Err(PowerSpecError(format!(
                        "--power {spec}: write model:idle=60,max=280, in watts"
                    ))),
                }
            }
            ("declared", rest) if !rest.is_empty() => {
                let (watts, scope) = match rest.rsplit_once('@') {
                    Some((watts, scope)) => (watts, self::scope(scope)?),
                    None => (rest, Scope::Wall),
                };
                let watts = pairs(watts)?;
                if watts.len() > 1 && watts.iter().any(|(name, _)| name.is_none()) {
                    return Err(PowerSpecError(format!(
                        "--power {spec}: name a workload for each figure, as in declared:sha256d=240,gemm=300"
                    )));
                }
                Ok(PowerSpec::Declared { watts, scope })
            }
            _ => Err(PowerSpecError(format!(
                "'{spec}' is no power source of this version; known: {KNOWN}"
            ))),
        }
    }
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

fn scope(name: &str) -> Result<Scope, PowerSpecError> {
    Scope::ALL.into_iter().find(|s| s.name() == name).ok_or_else(|| {
        let known = Scope::ALL.map(Scope::name).join(", ");
        PowerSpecError(format!("'{name}' is no scope; known: {known}"))
    })
}

impl PowerSpec {
    /// The source that this spec gives for a workload on a device, or why there is none.
    pub fn source(&self, device: &Device, workload: &str) -> Result<Box<dyn EnergySource>, String> {
        match self {
            PowerSpec::None => Err("--power none was asked for".into()),
            PowerSpec::Model(None) => match Model::of_class(device) {
                Ok(model) => Ok(Box::new(model)),
                Err(error) => Err(error.to_string()),
            },
            PowerSpec::Model(Some((low, high))) => {
                let scope =
                    if device.class.runs_on_cpu() { Scope::Machine } else { Scope::GpuBoard };
                Ok(Box::new(Model::between(*low, *high, scope)))
            }
            PowerSpec::Declared { watts, scope } => watts
                .iter()
                .find(|(name, _)| name.as_deref().is_none_or(|name| name == workload))
                .map(|(_, watts)| {
                    Box::new(Declared { watts: *watts, scope: *scope }) as Box<dyn EnergySource>
                })
                .ok_or_else(|| format!("--power declares no watts for {workload}")),
        }
    }

    /// Workloads that the spec names, to be checked against those that are run.
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
    fn the_grammar_of_the_contract() {
        assert_eq!(read("none"), PowerSpec::None);
        assert_eq!(read("model"), PowerSpec::Model(None));
        assert_eq!(
            read("model:idle=60,max=280"),
            PowerSpec::Model(Some((Watts(60.0), Watts(280.0))))
        );
        let all = vec![(None, Watts(240.0))];
        assert_eq!(
            read("declared:240"),
            PowerSpec::Declared { watts: all.clone(), scope: Scope::Wall }
        );
        assert_eq!(
            read("declared:240@gpu-board"),
            PowerSpec::Declared { watts: all, scope: Scope::GpuBoard }
        );
        let each = read("declared:sha256d=240,gemm=300");
        assert_eq!(each.workloads().collect::<Vec<_>>(), ["sha256d", "gemm"]);
        let gemm = each.source(&Device::cpu(), "gemm").unwrap().describe();
        assert_eq!(gemm.basis, "300 W typed by the user");
        assert!(each.source(&Device::cpu(), "decode").is_err());
    }

    #[test]
    fn mistakes_get_one_line_with_what_to_write() {
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
            "shelly:http://user:secret@host",
        ] {
            let line = spec.parse::<PowerSpec>().unwrap_err().to_string();
            assert!(!line.contains('\n') && line.len() > 20, "{spec}: {line}");
        }
    }
}
