//! Roofline ceilings of a device, measured like any other workload: `peak` is peak compute from registers, `stream` is memory bandwidth.
//! Matrix products are compared with them to show whether the kernel or the device is the limit.

mod cpu;
mod reading;
mod repeated;
mod turn;
mod turning;

use super::spec::nearest;
use super::{Id, Job, JobError, Seed, Shape, SpecError, Target, Variant, Workload};
use crate::device::{Device, memory};
use crate::kernels::{self, Arithmetic, Entry, Kernel};
use crate::units::{Bytes, Unit};

/// A roofline ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ceiling {
    /// Peak compute.
    Peak(Arithmetic),
    /// Memory bandwidth.
    Stream,
}

/// Parses the parts of a spec after `peak`.
pub(super) fn peak(parts: &[&str]) -> Result<Box<dyn Workload>, SpecError> {
    let name = match parts {
        [] => "f32",
        [name] => name,
        _ => {
            return Err(SpecError(
                "peak takes an arithmetic and nothing else; write peak:f32".into(),
            ));
        }
    };
    match Arithmetic::ALL.into_iter().find(|a| a.name() == name) {
        Some(arithmetic) => Ok(Box::new(Ceiling::Peak(arithmetic))),
        None => Err(SpecError(format!(
            "peak: arithmetic '{name}' is not known; {}",
            nearest(name, Arithmetic::ALL.map(Arithmetic::name))
        ))),
    }
}

/// Parses the parts of a spec after `stream`.
pub(super) fn stream(parts: &[&str]) -> Result<Box<dyn Workload>, SpecError> {
    match parts {
        [] => Ok(Box::new(Ceiling::Stream)),
        _ => Err(SpecError("stream takes nothing after its name; write stream".into())),
    }
}

impl Ceiling {
    /// Main memory that it needs.
    fn host_bytes(self, device: &Device) -> Bytes {
        let reads = self == Ceiling::Stream && device.class.uses_main_memory();
        if reads { stream_bytes(device) } else { Bytes(0) }
    }

    fn entries(self) -> impl Iterator<Item = &'static Entry> {
        let prefix = match self {
            Ceiling::Peak(arithmetic) => format!("peak-{}", arithmetic.name()),
            Ceiling::Stream => "stream".into(),
        };
        kernels::of_workload(&prefix).collect::<Vec<_>>().into_iter()
    }
}

/// Bytes that `stream` reads before it starts over: more than caches hold.
fn stream_bytes(device: &Device) -> Bytes {
    Bytes(4 * device.last_level_cache().0)
}

impl Workload for Ceiling {
    fn id(&self) -> Id {
        match self {
            Ceiling::Peak(_) => Id::Peak,
            Ceiling::Stream => Id::Stream,
        }
    }

    fn unit(&self) -> Unit {
        match self {
            Ceiling::Peak(_) => Unit::Flop,
            Ceiling::Stream => Unit::Byte,
        }
    }

    fn arguments(&self) -> String {
        match self {
            Ceiling::Peak(arithmetic) => arithmetic.name().into(),
            Ceiling::Stream => String::new(),
        }
    }

    fn shape(&self) -> Shape {
        let arithmetic = match self {
            Ceiling::Peak(arithmetic) => Some(arithmetic.name().to_string()),
            Ceiling::Stream => None,
        };
        Shape { arithmetic, ..Shape::default() }
    }

    fn unsupported(&self, target: &Target) -> Option<String> {
        if self.variants(target).is_empty() {
            return Some(format!("no kernel for {} runs on this device", self.spec()));
        }
        memory::check(self.host_bytes(target.device())).err().map(|why| why.to_string())
    }

    fn variants(&self, target: &Target) -> Vec<Variant> {
        let Target::Gpu(gpu) = target else { return cpu::variants(*self).to_vec() };
        let runs =
            |e: &&'static Entry| Kernel::build(e).is_ok_and(|kernel| gpu.lacks(&kernel).is_none());
        self.entries().filter(runs).map(Variant::Gpu).collect()
    }

    fn prepare(
        &self,
        target: &Target,
        variant: &Variant,
        seed: Seed,
    ) -> Result<Box<dyn Job>, JobError> {
        target.room(self.host_bytes(target.device()))?;
        Ok(match (target, variant, self) {
            (Target::Gpu(gpu), Variant::Gpu(entry), Ceiling::Peak(arithmetic)) => {
                Box::new(turning::Turning::new(gpu, Kernel::build(entry)?, *arithmetic, seed)?)
            }
            (Target::Gpu(gpu), Variant::Gpu(entry), Ceiling::Stream) => {
                Box::new(reading::Reading::new(gpu, Kernel::build(entry)?, seed)?)
            }
            (_, _, Ceiling::Peak(_)) => Box::new(cpu::Turning::new(seed)),
            (_, _, Ceiling::Stream) => Box::new(cpu::Reading::new(target.device(), seed)),
        })
    }
}
