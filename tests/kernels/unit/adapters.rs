//! Adapters of several backends and drivers, merged to GPUs.

use rigbench::device::{Class, Device, Gpu};
use rigbench::gpu::{left_out, one_per_gpu};

fn adapter(backend: &str, pci: &str, name: &str) -> Device {
    let class = if name == "llvmpipe" { Class::SoftwareGpu } else { Class::DiscreteGpu };
    let pci = Some(pci.to_string()).filter(|pci| !pci.is_empty());
    let gpu = Gpu { backend: backend.into(), pci, ..Gpu::default() };
    Device { name: name.into(), class, gpu: Some(gpu), ..Device::cpu() }
}

/// The first backend, the address and the name of each GPU; and its other backends.
fn gpus<const N: usize>(adapters: [Device; N]) -> Vec<(String, Vec<String>)> {
    let line = |(device, ()): (Device, ())| {
        let gpu = device.gpu.unwrap();
        let pci = gpu.pci.unwrap_or("-".into());
        (format!("{} {pci} {}", gpu.backend, device.name), gpu.other_backends)
    };
    one_per_gpu(adapters.map(|device| (device, ())).into()).into_iter().map(line).collect()
}

#[test]
fn adapters_of_one_gpu_are_merged() {
    let found = gpus([
        adapter("dx12", "0000:01:00.0", "card"),
        adapter("vulkan", "0000:01:00.0", "card (radv)"),
        adapter("vulkan", "0000:01:00.0", "card (amdvlk)"),
    ]);
    assert_eq!(found, [("vulkan 0000:01:00.0 card (radv)".into(), vec!["dx12".into()])]);
}

#[test]
fn gpus_of_one_model_are_kept_apart_with_and_without_addresses() {
    let with = gpus(["41", "01"].map(|bus| adapter("vulkan", &format!("0000:{bus}:00.0"), "card")));
    assert_eq!(with[0].0, "vulkan 0000:01:00.0 card");
    assert_eq!(with.len(), 2);
    let without = gpus(["vulkan", "vulkan", "dx12", "dx12"].map(|api| adapter(api, "", "card")));
    assert_eq!(without.len(), 2);
    assert!(without.iter().all(|(_, others)| others == &["dx12"]), "{without:?}");
}

#[test]
fn nonconformant_adapters_are_reported_as_left_out() {
    let card = adapter("vulkan", "0000:01:00.0", "card");
    let software = adapter("vulkan", "", "llvmpipe");
    let like = adapter("vulkan", "", "card");
    let all = vec![card.clone(), like.clone(), software.clone(), like.clone()];
    let known = [software, card, like.clone()];
    assert_eq!(left_out(all.clone(), &known[..2]), [like.clone(), like.clone()]);
    assert_eq!(left_out(all.clone(), &known), [like], "one of two of a name");
    assert_eq!(left_out(all.clone(), &all), []);
}

#[test]
fn software_comes_last() {
    let found =
        gpus([adapter("vulkan", "", "llvmpipe"), adapter("vulkan", "0000:01:00.0", "card")]);
    assert_eq!(found[0].0, "vulkan 0000:01:00.0 card");
}
