//! Verifies the variants of a workload: in this process, or in a child process, which a crash of the driver ends alone.

use crate::device::DeviceId;
use crate::gpu::GpuError;
use crate::oracle::Verdict;
use crate::workload::{Target, Variant, Workload, data::Seed};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Name of the program's hidden command that verifies variants and writes a [`Line`] of JSON before and after each.
pub const COMMAND: &str = "verify-variants";

/// Maximum time for one variant. A driver may compile for a minute, and a lost device is given up after another.
const TIMEOUT: Duration = Duration::from_secs(180);

/// How the verification of a variant ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How it ended.
    pub state: State,
    /// What was compared, or what is wrong.
    pub what: String,
}

/// How the verification of a variant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum State {
    /// It agrees with the oracle.
    Right,
    /// Its output is wrong.
    Wrong,
    /// The device does not have the memory or the features for it.
    Unsupported,
    /// The device failed.
    Failed,
    /// The driver ended the process, or never came back.
    Crashed,
}

/// A line of a child process.
#[derive(Debug, Serialize, Deserialize)]
pub enum Line {
    /// The variant of this name is verified next.
    Begin(String),
    /// How that ended.
    End(Finding),
}

/// Verifies a variant in this process. A device that it loses is opened again.
///
/// # Errors
/// If the device cannot be opened again.
pub fn verify(
    workload: &dyn Workload,
    target: &mut Target,
    variant: &Variant,
) -> Result<Finding, GpuError> {
    let prepared = workload.prepare(target, variant, Seed([0; 32]));
    let (state, what) = match prepared.and_then(|mut job| job.verify()) {
        Ok(Verdict::Agrees { checked, worst }) => {
            let worst = match worst {
                0.0 => String::new(),
                worst => format!(", worst at {worst:.2e} of the bound"),
            };
            (State::Right, format!("{checked} outputs compared{worst}"))
        }
        // It cannot be told from a wrong kernel, but on a driver whose sizes vary it is the likely cause.
        Ok(Verdict::Disagrees(what)) if matches!(target, Target::Gpu(gpu) if variant.may_change_subgroups(gpu)) =>
        {
            let why =
                "the driver may have chosen a subgroup size that the kernel is not written for";
            (State::Unsupported, format!("{why}: {what}"))
        }
        Ok(Verdict::Disagrees(what)) => (State::Wrong, what),
        Err(error) if error.is_unsupported() => (State::Unsupported, error.to_string()),
        Err(error) => (State::Failed, error.to_string()),
    };
    target.reopen_if_lost()?;
    Ok(Finding { state, what })
}

/// Verifies variants in child processes of `program`, one after the other: each crash ends one. `on_finding` receives what each variant
/// came to, and may break.
///
/// # Errors
/// If no process can be started, or one ends between two variants or before its first.
pub fn verify_isolated(
    program: &Path,
    device: &DeviceId,
    spec: &str,
    variants: &[&'static str],
    on_finding: &mut dyn FnMut(&'static str, Finding) -> ControlFlow<()>,
) -> Result<(), String> {
    let mut left = variants;
    while !left.is_empty() {
        let mut child = Command::new(program)
            .args([COMMAND, "--device", &device.to_string(), "--workload", spec])
            .args(left)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| error.to_string())?;
        let lines = lines(&mut child);
        let (mut current, mut done) = (None, 0);
        let how = loop {
            match lines.recv_timeout(TIMEOUT) {
                Ok(Line::Begin(name)) => current = left.iter().position(|known| *known == name),
                Ok(Line::End(finding)) => {
                    let Some(index) = current.take() else { continue };
                    done = index + 1;
                    if on_finding(left[index], finding).is_break() {
                        end(&mut child);
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait().map_err(|error| error.to_string())?;
                    if status.success() && done == left.len() {
                        return Ok(());
                    }
                    break status.to_string();
                }
                Err(RecvTimeoutError::Timeout) => {
                    end(&mut child);
                    break format!("no answer within {} s", TIMEOUT.as_secs());
                }
            }
        };
        let Some(crashed) = current else { return Err(how) };
        if on_finding(left[crashed], Finding { state: State::Crashed, what: how }).is_break() {
            return Ok(());
        }
        left = &left[crashed + 1..];
    }
    Ok(())
}

/// The lines that a child writes, until it ends.
fn lines(child: &mut Child) -> Receiver<Line> {
    let (sender, receiver) = channel();
    if let Some(output) = child.stdout.take() {
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for line in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
