//! What a row cannot choose, because the manifest or the program says it: its class, its unit, its sources, the protocol.
//! The manifest itself is bound by the work proofs, whose headers and matrices follow from it.

use super::wire::{Document, Energy, Idle, Measurement, Meter, Protocol, Scope, Source, WorkProof};
use super::{energy, record};
use crate::device::Device;
use crate::energy::Stated;
use crate::kernels::{self, Arithmetic};
use crate::measure::{Mode, stats};
use crate::model::PRESETS;
use crate::units::Watts;
use crate::workload::decoder::gpu::CHOICES;
use crate::workload::{self, Workload};
use std::collections::HashSet;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Every place that says otherwise.
pub(super) fn faults(document: &Document) -> Vec<String> {
    let mut faults: Vec<String> = protocol(&document.run.protocol).into_iter().collect();
    faults.extend(rows(document));
    faults.extend(baselines(document));
    for (i, m) in document.measurements.iter().enumerate() {
        let mut fault = |what: String| faults.push(format!("measurements[{i}].{what}"));
        match document.manifest.devices.iter().find(|device| device.id == m.device) {
            None => fault(format!("device: the manifest has no {}", m.device)),
            Some(device) if device.class != m.class => {
                fault(format!("class: the manifest says that {} is {}", m.device, device.class));
            }
            Some(_) => {}
        }
        workload(m).into_iter().for_each(&mut fault);
        tuning(m).into_iter().for_each(&mut fault);
        if document.manifest.rigbench.kernels_sha256 == kernels::all_sha256() {
            known_kernel(m).into_iter().for_each(&mut fault);
        }
        // Each of the manifest's sources speaks once.
        let mut silent: Vec<&Source> = document.manifest.sources.iter().collect();
        let headline = std::iter::once(("energy".to_string(), &m.energy));
        let others = m.energy_other.iter().enumerate();
        let others = others.map(|(j, energy)| (format!("energy_other[{j}]"), energy));
        for (path, energy) in headline.chain(others) {
            if let Err(what) = source(&mut silent, m, energy) {
                fault(format!("{path}.{what}"));
            }
        }
        versions(m).into_iter().for_each(&mut fault);
        if let Some(what) = windows(&document.run.protocol, m) {
            fault(what);
        }
    }
    faults
}

/// A run that is finished has a row for everything that it was to measure.
fn rows(document: &Document) -> Option<String> {
    let manifest = &document.manifest;
    let asked = |device: &str, spec: &str| {
        manifest.devices.iter().any(|d| d.id == device)
            && manifest.workloads.iter().any(|w| w == spec)
    };
    let rows = &document.measurements;
    if let Some(i) = rows.iter().position(|m| !asked(&m.device, &m.workload.spec())) {
        return Some(format!("measurements[{i}]: the manifest does not ask for it"));
    }
    let all = manifest.devices.len() * manifest.workloads.len();
    let complete = document.run.finished_at.is_none() || rows.len() == all;
    (!complete)
        .then(|| format!("measurements: the manifest asks for {all} rows, here are {}", rows.len()))
}

/// Every row of a device has the same baseline of a source. Sources that say the same of themselves have no more baselines
/// together than the manifest has of them.
fn baselines(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let mut known: Vec<(&str, &Meter, Scope, &Option<Idle>)> = Vec::new();
    for (i, m) in document.measurements.iter().enumerate() {
        for energy in std::iter::once(&m.energy).chain(&m.energy_other) {
            let (Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e)) = energy else {
                continue;
            };
            let alike = |device: &str, meter: &Meter, scope: Scope| {
                device == m.device && *meter == e.source && scope == e.scope
            };
            let of_these =
                known.iter().filter(|(device, meter, scope, _)| alike(device, meter, *scope));
            let idles: Vec<&Option<Idle>> = of_these.map(|(.., idle)| *idle).collect();
            if idles.contains(&&e.idle) {
                continue;
            }
            let named = document.manifest.sources.iter().filter(|source| {
                let meter = source.meter.as_ref();
                meter.is_some_and(|meter| alike(&source.device, meter, source.scope))
            });
            if idles.len() >= named.count().max(1) {
                faults.push(format!(
                    "measurements[{i}].energy: {} was at rest otherwise in another row",
                    e.source.kind
                ));
            }
            known.push((&m.device, &e.source, e.scope, &e.idle));
        }
    }
    faults
}

/// A mode is what this program makes of it.
fn protocol(stated: &Protocol) -> Option<String> {
    let mode =
        [Mode::Quick, Mode::Default, Mode::Publish].into_iter().find(|m| m.name() == stated.mode);
    match mode {
        None => Some(format!("run.protocol.mode: there is no mode '{}'", stated.mode)),
        Some(mode) if record::protocol(&crate::measure::Protocol::of(mode)) != *stated => {
            Some(format!("run.protocol: it is not that of the mode {}", stated.mode))
        }
        Some(_) => None,
    }
}

/// Windows are as long as the protocol says.
fn windows(protocol: &Protocol, m: &Measurement) -> Option<String> {
    let (shortest, i) = m
        .windows
        .iter()
        .zip(0..)
        .map(|(w, i)| (w.wall_seconds, i))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    (shortest < 0.85 * protocol.window_seconds).then(|| {
        format!(
            "windows[{i}].wall_seconds: {shortest} s is shorter than any window of this protocol"
        )
    })
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

fn workload(m: &Measurement) -> Option<String> {
    let spec = m.workload.spec();
    if m.workload.model_sha256.is_some() {
        return of_a_file(m);
    }
    let parsed = match parse(&spec) {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("workload: {error}")),
    };
    if parsed.spec() != spec {
        return Some(format!("workload.shape: {spec} is written {}", parsed.spec()));
    }
    if m.workload.unit != parsed.unit().name() {
        return Some(format!("workload.unit: {spec} counts in {}", parsed.unit().name()));
    }
    let each = |operations: f64, bytes: f64| (operations, bytes);
    let follows = parsed
        .traffic(&HERE)
        .map(|traffic| each(traffic.operations_per_unit, traffic.bytes_per_unit));
    let stated =
        m.traffic.as_ref().map(|traffic| each(traffic.operations_per_unit, traffic.bytes_per_unit));
    if stated != follows {
        return Some("traffic: it is not that of the shape".into());
    }
    let layer = m.workload.layer.as_ref()?;
    let shape = m.workload.shape.as_deref().and_then(|shape| shape.split_once(':'));
    let (sides, rest) = shape.unwrap_or_default();
    let rows = match m.workload.id.as_str() {
        "gemm" => format!(":m={}", sides.split('x').next().unwrap_or_default()),
        _ => String::new(),
    };
    let named = parse(&format!("{}:{layer}:{rest}{rows}", m.workload.id));
    let fits = named.is_ok_and(|named| named.spec() == spec);
    (!fits).then(|| format!("workload.layer: {layer} does not have this shape"))
}

/// Of a model in a file, what can be said without the file.
fn of_a_file(m: &Measurement) -> Option<String> {
    let sha256 = m.workload.model_sha256.as_deref().unwrap_or_default();
    let digest = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
    let shape = m.workload.shape.as_deref().and_then(|shape| shape.split_once(':'));
    let (Some((file, options)), true) = (shape, digest) else {
        return Some("workload.model_sha256: it is no digest of a model's file".into());
    };
    let alike = format!("{}:smollm2-135m:f16:{options}", m.workload.id);
    let parsed = match parse(&alike) {
        Ok(parsed) => parsed,
        Err(error) => return Some(format!("workload: {error}")),
    };
    let written = parsed.spec() == alike && !file.is_empty() && !file.contains(['/', '\\']);
    let counted = m.workload.unit == parsed.unit().name();
    match (written, counted) {
        (false, _) => Some("workload.shape: a model's file has a name and options alone".into()),
        (_, false) => Some("workload.unit: tokens are counted".into()),
        _ => None,
    }
}

/// The kernel is the one that was chosen, and rates of trials are the medians of their slices.
fn tuning(m: &Measurement) -> Option<String> {
    let tuning = m.tuning.as_ref()?;
    if m.kernel.as_ref().is_some_and(|kernel| kernel.id != tuning.kernel) {
        return Some("tuning.kernel: it is not the kernel that ran".into());
    }
    let off =
        tuning.trials.iter().position(|trial| trial.throughput != stats::median(&trial.slices))?;
    Some(format!("tuning.trials[{off}].throughput: it is not the median of the slices"))
}

/// The processor of this machine, which says nothing of the document and is asked for once.
static HERE: LazyLock<Device> = LazyLock::new(Device::cpu);

/// Kernels that were found right. To make a text again takes longer than all else that a file is judged by, and the files of a folder
/// have the same few.
static RIGHT: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// The same as `kernel`, remembered.
fn known_kernel(m: &Measurement) -> Option<String> {
    let stated = serde_json::to_string(&(&m.workload.id, &m.kernel)).ok()?;
    let mut right = RIGHT.lock().unwrap_or_else(PoisonError::into_inner);
    if right.contains(&stated) {
        return None;
    }
    let fault = kernel(m);
    if fault.is_none() && right.len() < 10_000 {
        right.insert(stated);
    }
    fault
}

/// A kernel of this very program has the text that this program has.
fn kernel(m: &Measurement) -> Option<String> {
    let stated = m.kernel.as_ref()?;
    let known = |name: &String| Arithmetic::ALL.iter().any(|a| a.name() == name);
    if !stated.arithmetic.as_ref().is_none_or(known) {
        return Some("kernel.arithmetic: nothing multiplies so".into());
    }
    let Some(sha256) = stated.wgsl_sha256.as_ref() else {
        let native = stated.params.is_empty() && !kernels::TABLE.iter().any(|e| e.id == stated.id);
        return (!native).then(|| "kernel.wgsl_sha256: native code has no parameters".into());
    };
    if ["prefill", "decode"].contains(&m.workload.id.as_str()) {
        return of_a_decoder(stated, sha256);
    }
    let Some(entry) = kernels::TABLE.iter().find(|entry| entry.id == stated.id) else {
        return Some(format!("kernel.id: this program has no kernel {}", stated.id));
    };
    let known = kernels::Kernel::all(entry).unwrap_or_default();
    let Some(kernel) = known.iter().find(|kernel| kernel.sha256() == *sha256) else {
        return Some("kernel.wgsl_sha256: it is not that of this kernel".into());
    };
    if kernel.params != stated.params {
        return Some("kernel.params: they are not those of this kernel".into());
    }
    let multiplies = stated.arithmetic.as_deref().is_none_or(|a| a == kernel.arithmetic().name());
    (!multiplies).then(|| "kernel.arithmetic: it is not that of this kernel".into())
}

/// A decoder shows the kernel of one of its products.
fn of_a_decoder(stated: &super::wire::Kernel, sha256: &str) -> Option<String> {
    let Some(choice) = CHOICES.iter().find(|choice| choice.id == stated.id) else {
        return Some(format!("kernel.id: this program has no decoder {}", stated.id));
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
        .then(|| "kernel.wgsl_sha256: it is not that of this kernel with its params".into())
}

/// A kernel hashes each word in as many versions of the header as it is made for: the proof counts as many.
fn versions(m: &Measurement) -> Option<String> {
    let Some(WorkProof::Shares(shares)) = &m.work_proof else { return None };
    let stated = m.kernel.as_ref()?.params.get("VERSIONS")?;
    let made_for = stated.trim_end_matches('u').parse::<u32>().ok();
    (made_for != Some(shares.versions)).then(|| {
        format!(
            "work_proof.versions: it is {}, but the kernel's VERSIONS are {stated}",
            shares.versions
        )
    })
}

/// An energy is of a source that the manifest names, with the same scope and the same words on where it comes from.
fn source(silent: &mut Vec<&Source>, m: &Measurement, stated: &Energy) -> Result<(), String> {
    let (kind, scope, basis, meter) = match stated {
        Energy::MeasuredCounter(e) | Energy::MeasuredSampled(e) => {
            let counter = matches!(e.source.quantity, super::wire::Quantity::Counter { .. });
            if counter != matches!(stated, Energy::MeasuredCounter(_)) {
                return Err("provenance: it does not go with source.quantity".into());
            }
            let basis = energy::source(e)?.basis();
            (e.source.kind.as_str(), e.scope, basis, Some(&e.source))
        }
        Energy::Declared(e) => {
            let watts = Watts(e.power_watts);
            let said = Stated::Declared { watts, scope: e.scope.into(), own: e.for_this_workload };
            (said.kind(), e.scope, said.basis(), None)
        }
        Energy::Modelled(e) => {
            let said = Stated::Modelled {
                low: Watts(e.modelled_power_watts_low),
                high: Watts(e.modelled_power_watts_high),
                scope: e.scope.into(),
                basis: e.basis.clone(),
            };
            (said.kind(), e.scope, said.basis(), None)
        }
        Energy::None(_) => return Ok(()),
    };
    let named = silent.iter().position(|source| {
        source.device == m.device
            && source.workload.as_ref().is_none_or(|workload| *workload == m.workload.id)
            && source.kind == kind
            && source.scope == scope
            && source.basis == basis
            && source.meter.as_ref() == meter
    });
    let named = named
        .ok_or_else(|| format!("source: the manifest names no such {kind}, or it spoke before"))?;
    silent.remove(named);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::wire;

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
            let stated = wire::Kernel {
                id: choice.id.into(),
                params: kernel.params.clone(),
                wgsl_sha256: Some(sha256.clone()),
                arithmetic: Some(kernel.arithmetic().name().into()),
            };
            assert_eq!(of_a_decoder(&stated, &sha256), None, "{} {id}", choice.id);
            let mut other = stated.clone();
            other.params.insert("NORM".into(), "false".into());
            assert!(of_a_decoder(&other, &sha256).is_some());
            other = wire::Kernel { arithmetic: Some("dot4".into()), ..stated.clone() };
            assert!(of_a_decoder(&other, &sha256).is_some());
            let stranger = CHOICES.iter().find(|c| c.products().all(|other| other != id));
            if let Some(stranger) = stranger {
                other = wire::Kernel { id: stranger.id.into(), ..stated };
                assert!(of_a_decoder(&other, &sha256).is_some());
            }
        }
    }
}
