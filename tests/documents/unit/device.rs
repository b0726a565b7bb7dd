//! Device names, which devices a request chooses, and what is published of cards.

use rigbench::device::hardware::Cards;
use rigbench::device::{Class, Device, DeviceId, Gpu, select};
use rigbench::units::Watts;

#[test]
fn ids_round_trip() {
    for text in ["cpu", "gpu:0", "gpu:12", "gpu:pci-0000:01:00.0"] {
        assert_eq!(text.parse::<DeviceId>().unwrap().to_string(), text);
    }
    for text in ["", "gpu", "gpu:", "gpu:-1", "cpu:0", "cuda:0"] {
        assert!(text.parse::<DeviceId>().unwrap_err().contains("gpu:0"), "{text}");
    }
}

fn gpu(number: u32, class: Class, pci: Option<&str>) -> Device {
    let (id, name) = (DeviceId::Gpu(number), format!("card {number}"));
    let gpu = Some(Gpu { pci: pci.map(str::to_string), ..Gpu::default() });
    Device { id, name, class, gpu, ..Device::cpu() }
}

fn ids(devices: &[Device]) -> Vec<String> {
    devices.iter().map(|d| d.id.to_string()).collect()
}

#[test]
fn software_is_left_out_only_beside_a_real_gpu() {
    let (software, card) =
        (gpu(0, Class::SoftwareGpu, None), gpu(1, Class::DiscreteGpu, Some("0000:01:00.0")));
    let both = select(vec![software.clone(), card.clone(), Device::cpu()], &[]).unwrap();
    assert_eq!(ids(&both), ["gpu:1", "cpu"]);
    let alone = select(vec![software.clone(), Device::cpu()], &[]).unwrap();
    assert_eq!(ids(&alone), ["gpu:0", "cpu"]);
    let named = select(vec![software, card], &[DeviceId::Gpu(0)]).unwrap();
    assert_eq!(ids(&named), ["gpu:0"]);
}

#[test]
fn duplicate_ids_are_merged_and_an_unknown_id_lists_the_known() {
    let card = gpu(0, Class::DiscreteGpu, Some("0000:01:00.0"));
    let twice = ["gpu:0", "gpu:pci-0000:01:00.0"].map(|t| t.parse().unwrap());
    assert_eq!(ids(&select(vec![card.clone()], &twice).unwrap()), ["gpu:0"]);
    let error = select(vec![card, Device::cpu()], &[DeviceId::Gpu(7)]).unwrap_err();
    assert!(error.contains("gpu:7") && error.contains("gpu:0 (card 0)"), "{error}");
    assert!(error.contains("cpu ("), "{error}");
}

#[test]
fn a_card_is_found_by_its_whole_name() {
    let cards = Cards::published();
    let peak = |name, arithmetic| cards.peak(name, arithmetic).map(|(peak, _)| peak);
    assert_eq!(peak("NVIDIA GeForce RTX 4090", "matrix"), Some(165.2e12));
    assert_eq!(peak("NVIDIA GeForce RTX 4090 Laptop GPU", "matrix"), None);
    assert_eq!(peak("NVIDIA L40", "f32"), None);
    assert_eq!(peak("NVIDIA H100 PCIe", "f32"), Some(51e12));
    assert_eq!(peak("NVIDIA H100 80GB HBM3", "f32"), Some(66.9e12));
    assert_eq!(peak("llvmpipe (LLVM 15.0.6, 256 bits)", "f32"), None);
    assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "matrix"), None);
    assert_eq!(peak("AMD Radeon RX 6900 XT (RADV NAVI21)", "f32"), Some(23.04e12));
    assert_eq!(cards.board_power("NVIDIA A100 80GB PCIe").unwrap().0, Watts(300.0));
    assert_eq!(cards.board_power("Apple M3"), None);
    assert_eq!(cards.hashcat("Apple M3").unwrap().0, 0.268e9);
    assert_eq!(cards.hashcat("AMD Radeon RX 6800 (RADV NAVI21)").unwrap().0, 3.51e9);
    assert_eq!(cards.hashcat("NVIDIA L4"), None);
}

#[test]
fn names_are_unique_and_figures_are_plausible() {
    let table: toml::Table = include_str!("../../../results/hardware.toml").parse().unwrap();
    let cards = table["card"].as_array().unwrap();
    let names_of =
        |card: &toml::Value| -> Vec<String> { card["names"].clone().try_into().unwrap() };
    let mut names: Vec<String> = cards.iter().flat_map(names_of).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    let number = |value: &toml::Value| value.clone().try_into::<f64>().unwrap();
    for card in cards {
        let (names, watts, peaks) = (names_of(card), card.get("board_watts"), card.get("peaks"));
        assert_eq!(watts.is_some() || peaks.is_some(), card.get("source").is_some(), "{names:?}");
        assert!(watts.map(number).is_none_or(|w| w > 20.0 && w < 2000.0), "{names:?}");
        let rate = card.get("hashcat").map(|hashcat| number(&hashcat["sha256"]));
        assert!(rate.is_none_or(|rate| rate > 1e8 && rate < 1e12), "{names:?}");
        let mut arithmetics = peaks.iter().flat_map(|peaks| peaks.as_table().unwrap().keys());
        assert!(arithmetics.all(|k| ["f32", "f16", "dot4", "matrix"].contains(&&**k)), "{names:?}");
    }
}
