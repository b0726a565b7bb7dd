//! Checks a row against this program's kernels and workloads. In files of another version, mismatches are only noted.

use super::Judge;
use crate::device::Device;
use crate::kernels::{self, Arithmetic};
use crate::model::PRESETS;
use crate::results::document::{Kernel, Row};
use crate::workload::decoder::gpu::KERNEL_SETS;
use crate::workload::{self, Shape, Workload};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::LazyLock;

impl Judge<'_> {
    /// Compares the row's workload and kernel with this program's; notes if that is not possible.
    ///
    /// # Errors
    /// The mismatch.
    pub(super) fn program(&mut self, row: &Row) -> Result<(), String> {
        let workload = check_workload(row, self.same_program);
        if self.same_program {
            workload.map_err(|what| format!("workload.{what}"))?;
            return check_kernel_cached(row).map_err(|what| format!("kernel.{what}"));
        }
        // Another version may write its workloads differently.
        if let Err(what) = workload {
            self.note(row, format_args!("its workload was not compared: {what}"));
        }
        Ok(())
    }
}

/// Parses a spec, but rejects file names: an untrusted document must not make this machine open a file.
fn parse(spec: &str) -> Result<Box<dyn Workload>, String> {
    let mut parts = spec.split(':');
    let has_model = matches!(parts.next(), Some("prefill" | "decode"));
    let model = parts.next().filter(|_| has_model);
    if model.is_some_and(|model| PRESETS.iter().all(|preset| preset.name != model)) {
        return Err("its model is not a preset, and model_sha256 does not name its file".into());
    }
    workload::parse(spec).map_err(|error| error.to_string())
}

fn require(sound: bool, fault: &str) -> Result<(), String> {
    if sound { Ok(()) } else { Err(fault.to_string()) }
}

fn check_workload(row: &Row, same_program: bool) -> Result<(), String> {
    let stated = &row.workload;
    if stated.shape.model_sha256.is_some() {
        return check_model_file(row);
    }
    let parsed = parse(&stated.spec).map_err(|error| format!("spec: {error}"))?;
    let here = parsed.describe(&HERE);
    let (spec, canonical) = (&stated.spec, &here.spec);
    if spec != canonical {
        return Err(format!("spec: {spec} is not in canonical form, which is {canonical}"));
    }
    if (here.id, here.unit) != (stated.id, stated.unit) {
        return Err(format!("unit: {spec} counts in {}", here.unit.into_str()));
    }
    let shape = Shape { layer: None, ..stated.shape.clone() };
    require(here.shape == shape, "shape: it is not that of the spec")?;
    // `from_memory` depends on the machine's cache and is not compared.
    let figures = |intensity: Option<workload::Intensity>| {
        intensity.map(|i| (i.operations_per_unit, i.bytes_per_unit))
    };
    let same_intensity = figures(here.intensity) == figures(stated.intensity);
    require(same_intensity || !same_program, "intensity: it is not that of the shape")?;
    let wrong = stated.shape.layer.as_ref().filter(|layer| !is_layer(row, layer));
    wrong.map_or(Ok(()), |layer| Err(format!("shape.layer: {layer} does not have this shape")))
}

/// Whether the layer of a model has the row's shape.
fn is_layer(row: &Row, layer: &str) -> bool {
    let stated = &row.workload;
    let weights = stated.shape.weights.as_deref().unwrap_or_default();
    let rows = match stated.id {
        workload::Id::Gemm => format!(":m={}", stated.shape.m.unwrap_or_default()),
        _ => String::new(),
    };
    let options =
        stated.spec.splitn(4, ':').nth(3).map_or(String::new(), |rest| format!(":{rest}"));
    parse(&format!("{}:{layer}:{weights}{options}{rows}", stated.id))
        .is_ok_and(|named| named.spec() == stated.spec)
}

/// Checks a model in a file as far as possible without the file.
fn check_model_file(row: &Row) -> Result<(), String> {
    let stated = &row.workload;
    let sha256 = stated.shape.model_sha256.as_deref().unwrap_or_default();
    let digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let (Some(file), true) = (&stated.shape.model, digest) else {
        return Err("shape.model_sha256: it is not a digest of a model's file".into());
    };
    let options = stated.spec.strip_prefix(&format!("{}:{file}:", stated.id));
    let options = options.filter(|_| !file.is_empty() && !file.contains(['/', '\\']));
    let options = options.ok_or("spec: a model's file has a name and options alone")?;
    let preset = parse(&format!("{}:smollm2-135m:f16:{options}", stated.id))
        .map_err(|error| format!("spec: {error}"))?;
    let expected = Shape {
        model: stated.shape.model.clone(),
        model_sha256: stated.shape.model_sha256.clone(),
        weights: None,
        ..preset.shape()
    };
    require(expected == stated.shape, "shape: it is not that of the spec")?;
    require(preset.unit() == stated.unit, "unit: tokens are counted")
}

/// Any device will do for a description; this one is detected only once.
static HERE: LazyLock<Device> = LazyLock::new(Device::cpu);

/// Cache of kernels that were found correct: generating a kernel's text is the slowest part of judging a file, and the files of a folder
/// share a few kernels.
static RIGHT: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// [`check_kernel`] with a cache.
fn check_kernel_cached(row: &Row) -> Result<(), String> {
    let Some(kernel) = &row.kernel else { return Ok(()) };
    let stated = serde_json::to_string(&(row.workload.id, kernel)).expect("plain data");
    let mut right = RIGHT.lock();
    if !right.contains(&stated) {
        check_kernel(kernel, row.workload.id.has_model())?;
        if right.len() < 10_000 {
            right.insert(stated);
        }
    }
    Ok(())
}

/// Checks that a kernel of this program has this program's text.
fn check_kernel(stated: &Kernel, of_decoder: bool) -> Result<(), String> {
    let known = |name: &String| name.parse::<Arithmetic>().is_ok();
    require(stated.arithmetic.as_ref().is_none_or(known), "arithmetic: unknown")?;
    let entry = kernels::TABLE.iter().find(|entry| entry.id == stated.id);
    let Some(sha256) = &stated.wgsl_sha256 else {
        let native = stated.params.is_empty() && entry.is_none();
        return require(native, "wgsl_sha256: native code has no parameters");
    };
    if of_decoder {
        return check_decoder_kernel(stated, sha256);
    }
    let entry = entry.ok_or_else(|| format!("id: this program has no kernel {}", stated.id))?;
    let kernel = kernels::Kernel::with_sha256(entry, sha256);
    let kernel = kernel.ok_or("wgsl_sha256: it is not that of this kernel")?;
    require(kernel.params == stated.params, "params: they are not those of this kernel")?;
    require(
        stated.arithmetic.as_deref().is_none_or(|a| a == kernel.arithmetic().into_str()),
        "arithmetic: it is not that of this kernel",
    )
}

/// Checks that a decoder's kernel is one of its product kernels.
fn check_decoder_kernel(stated: &Kernel, sha256: &str) -> Result<(), String> {
    let choice = KERNEL_SETS.iter().find(|choice| choice.id == stated.id);
    let choice = choice.ok_or_else(|| format!("id: this program has no decoder {}", stated.id))?;
    // Numeric parameters come from the model; all others must be the kernel's own.
    let plain = |value: &String| {
        value.len() < 16 && value.bytes().all(|b| b.is_ascii_graphic() && b != b';')
    };
    let params: Vec<(&str, String)> = (stated.params.iter())
        .filter(|(_, value)| plain(value))
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let fits = |id: &str| {
        let entry = kernels::of_decoder(id);
        let kernel = kernels::Kernel::with_params_and_sha256(entry, &params, sha256);
        kernel.is_some_and(|kernel| {
            kernel.params == stated.params
                && stated.arithmetic.as_deref() == Some(kernel.arithmetic().into_str())
        })
    };
    let known = choice.products().any(fits);
    require(known, "wgsl_sha256: it is not that of this kernel with its params")
}
