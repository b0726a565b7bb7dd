//! What a row says of the program that ran it. A file of another version of the program is not held to this one's kernels and
//! workloads.

use crate::device::Device;
use crate::kernels::{self, Arithmetic};
use crate::model::PRESETS;
use crate::results::document::{Evidence, Kernel, Row};
use crate::results::manifest::program;
use crate::workload::decoder::gpu::CHOICES;
use crate::workload::{self, Shape, Workload};
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Whether this very program made it, built from whatever commit: then kernels and workloads can be compared.
pub(in crate::results) fn is_of_this_program(evidence: &Evidence) -> bool {
    let (theirs, ours) = (&evidence.manifest.rigbench, program());
    theirs.version == ours.version && theirs.kernels_sha256 == ours.kernels_sha256
}

/// Whether the row's workload and kernel are those of this program; a note if they could not be compared.
///
/// # Errors
/// What is not so.
pub(super) fn row(evidence: &Evidence, row: &Row) -> Result<Option<String>, String> {
    let same = is_of_this_program(evidence);
    match of_workload(row, same) {
        Err(what) if same => return Err(format!("workload.{what}")),
        // Another version may write its workloads otherwise.
        Err(what) => return Ok(Some(format!("its workload was not compared: {what}"))),
        Ok(()) => {}
    }
    if same {
        known_kernel(row).map_or(Ok(None), |what| Err(format!("kernel.{what}")))
    } else {
        Ok(None)
    }
}

/// The workload of a spec that names no file: a stranger's document must not make this machine open one.
fn parse(spec: &str) -> Result<Box<dyn Workload>, String> {
    let mut parts = spec.split(':');
    let has_model = matches!(parts.next(), Some("prefill" | "decode"));
    let model = parts.next().filter(|_| has_model);
    if model.is_some_and(|model| PRESETS.iter().all(|preset| preset.name != model)) {
        return Err("its model is not a preset, and model_sha256 does not name its file".into());
    }
    workload::parse(spec).map_err(|error| error.to_string())
}

fn of_workload(row: &Row, same_program: bool) -> Result<(), String> {
    let stated = &row.workload;
    if stated.shape.model_sha256.is_some() {
        return of_a_file(row);
    }
    let parsed = parse(&stated.spec).map_err(|error| format!("spec: {error}"))?;
    let here = parsed.describe(&HERE);
    if here.spec != stated.spec {
        return Err(format!("spec: {} is written {}", stated.spec, here.spec));
    }
    if (here.id, here.unit) != (stated.id, stated.unit) {
        return Err(format!("unit: {} counts in {}", stated.spec, here.unit.name()));
    }
    if here.shape != (Shape { layer: None, ..stated.shape.clone() }) {
        return Err("shape: it is not that of the spec".into());
    }
    // Whether a cache holds the data depends on the machine.
    let figures = |intensity: Option<workload::Intensity>| {
        intensity.map(|each| (each.operations_per_unit, each.bytes_per_unit))
    };
    if same_program && figures(here.intensity) != figures(stated.intensity) {
        return Err("intensity: it is not that of the shape".into());
    }
    match &stated.shape.layer {
        Some(layer) if !is_layer(row, layer) => {
            Err(format!("shape.layer: {layer} does not have this shape"))
        }
        _ => Ok(()),
    }
}

/// Whether a layer of a model has the row's shape.
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

/// Of a model in a file, what can be said without the file.
fn of_a_file(row: &Row) -> Result<(), String> {
    let stated = &row.workload;
    let sha256 = stated.shape.model_sha256.as_deref().unwrap_or_default();
    let digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let (Some(file), true) = (&stated.shape.model, digest) else {
        return Err("shape.model_sha256: it is no digest of a model's file".into());
    };
    let prefix = format!("{}:{file}:", stated.id);
    let Some(options) = stated
        .spec
        .strip_prefix(&prefix)
        .filter(|_| !file.is_empty() && !file.contains(['/', '\\']))
    else {
        return Err("spec: a model's file has a name and options alone".into());
    };
    let alike = parse(&format!("{}:smollm2-135m:f16:{options}", stated.id))
        .map_err(|error| format!("spec: {error}"))?;
    let like = Shape {
        model: stated.shape.model.clone(),
        model_sha256: stated.shape.model_sha256.clone(),
        weights: None,
        ..alike.shape()
    };
    match (like == stated.shape, alike.unit() == stated.unit) {
        (false, _) => Err("shape: it is not that of the spec".into()),
        (_, false) => Err("unit: tokens are counted".into()),
        _ => Ok(()),
    }
}

/// The processor of this machine, which says nothing of the document and is asked for once.
static HERE: LazyLock<Device> = LazyLock::new(Device::cpu);

/// Kernels that were found right. To make a text again takes longer than all else that a file is judged by, and the files of a folder
/// have the same few.
static RIGHT: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// The same as `of_kernel`, remembered.
fn known_kernel(row: &Row) -> Option<String> {
    let stated = serde_json::to_string(&(row.workload.id, &row.kernel)).ok()?;
    let mut right = RIGHT.lock().unwrap_or_else(PoisonError::into_inner);
    if right.contains(&stated) {
        return None;
    }
    let fault = of_kernel(row);
    if fault.is_none() && right.len() < 10_000 {
        right.insert(stated);
    }
    fault
}

/// A kernel of this very program has the text that this program has.
fn of_kernel(row: &Row) -> Option<String> {
    let stated = row.kernel.as_ref()?;
    let known = |name: &String| Arithmetic::ALL.iter().any(|a| a.name() == name);
    if !stated.arithmetic.as_ref().is_none_or(known) {
        return Some("arithmetic: nothing multiplies so".into());
    }
    let Some(sha256) = stated.wgsl_sha256.as_ref() else {
        let native = stated.params.is_empty() && !kernels::TABLE.iter().any(|e| e.id == stated.id);
        return (!native).then(|| "wgsl_sha256: native code has no parameters".into());
    };
    if row.workload.id.has_model() {
        return of_a_decoder(stated, sha256);
    }
    let Some(entry) = kernels::TABLE.iter().find(|entry| entry.id == stated.id) else {
        return Some(format!("id: this program has no kernel {}", stated.id));
    };
    let known = kernels::Kernel::all(entry).unwrap_or_default();
    let Some(kernel) = known.iter().find(|kernel| kernel.sha256() == *sha256) else {
        return Some("wgsl_sha256: it is not that of this kernel".into());
    };
    if kernel.params != stated.params {
        return Some("params: they are not those of this kernel".into());
    }
    let multiplies = stated.arithmetic.as_deref().is_none_or(|a| a == kernel.arithmetic().name());
    (!multiplies).then(|| "arithmetic: it is not that of this kernel".into())
}

/// A decoder shows the kernel of one of its products.
fn of_a_decoder(stated: &Kernel, sha256: &str) -> Option<String> {
    let Some(choice) = CHOICES.iter().find(|choice| choice.id == stated.id) else {
        return Some(format!("id: this program has no decoder {}", stated.id));
    };
    // Numbers are given by the model; what else there is must be the kernel's own.
    let plain = |value: &String| {
        value.len() < 16 && value.bytes().all(|b| b.is_ascii_graphic() && b != b';')
    };
    let params: Vec<(&str, String)> = (stated.params.iter())
        .filter(|(_, value)| plain(value))
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    let fits = |id: &str| {
        let kernel = kernels::Kernel::given(kernels::of_decoder(id), &params);
        kernel.is_ok_and(|kernel| {
            kernel.sha256() == sha256
                && kernel.params == stated.params
                && stated.arithmetic.as_deref() == Some(kernel.arithmetic().name())
        })
    };
    (!choice.products().any(fits))
        .then(|| "wgsl_sha256: it is not that of this kernel with its params".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spec_that_names_a_file_opens_none() {
        let here = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        for spec in [
            format!("decode:{here}"),
            format!("prefill:{here}:f16:batch=1"),
            "decode:x.gguf".into(),
        ] {
            let Err(why) = parse(&spec) else { panic!("{spec} is read") };
            assert!(why.contains("not a preset"), "{spec}: {why}");
        }
        assert!(parse("decode:smollm2-135m:int4").is_ok() && parse("gemm:8x8x8:f32").is_ok());
    }

    #[test]
    fn a_decoder_is_bound_to_the_kernels_of_its_choice() {
        let values = [("B_BITS", "8u"), ("EPSILON", "1e-5"), ("NORM", "true"), ("FINISH", "2u")];
        let values = values.map(|(name, value)| (name, value.to_string()));
        for (choice, id) in CHOICES.iter().flat_map(|c| c.products().map(move |id| (c, id))) {
            let kernel = kernels::Kernel::given(kernels::of_decoder(id), &values).unwrap();
            let sha256 = kernel.sha256();
            let stated = Kernel {
                id: choice.id.into(),
                params: kernel.params.clone(),
                wgsl_sha256: Some(sha256.clone()),
                arithmetic: Some(kernel.arithmetic().name().into()),
            };
            assert_eq!(of_a_decoder(&stated, &sha256), None, "{} {id}", choice.id);
            let mut other = stated.clone();
            other.params.insert("NORM".into(), "false".into());
            assert!(of_a_decoder(&other, &sha256).is_some());
            other = Kernel { arithmetic: Some("dot4".into()), ..stated.clone() };
            assert!(of_a_decoder(&other, &sha256).is_some());
            let stranger = CHOICES.iter().find(|c| c.products().all(|other| other != id));
            if let Some(stranger) = stranger {
                other = Kernel { id: stranger.id.into(), ..stated };
                assert!(of_a_decoder(&other, &sha256).is_some());
            }
        }
    }
}
