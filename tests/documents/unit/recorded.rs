//! What a manifest records of the machine, and how models are named.

use crate::report::made_up;
use rigbench::results::{ModelNames, enabled_layers, host_id, recorded_settings};
use rigbench::units::Unit;
use rigbench::workload::{Description, Id, Shape};

const VARIABLES: [(&str, &str); 13] = [
    ("RIGBENCH_SYSFS", "/home/me/sys"),
    ("VK_INSTANCE_LAYERS", "VK_LAYER_TEST_card:VK_LAYER_OTHER:/home/me/layer"),
    ("VK_LOADER_LAYERS_ENABLE", "*my*"),
    ("ENABLE_VKBASALT", "1"),
    ("ENABLE_MY_SECRET", "1"),
    ("MANGOHUD", "1"),
    ("VK_DRIVER_FILES", "/home/me/icd.json"),
    ("LD_PRELOAD", "/home/me/shim.so"),
    ("LD_AUDIT", ""),
    ("GLIBC_TUNABLES", "glibc.malloc.check=3:glibc.malloc.hugetlb=1"),
    ("RAYON_NUM_THREADS", "me"),
    ("LP_NUM_THREADS", "4"),
    ("HOME", "/home/me"),
];

#[test]
fn layers_drivers_preloads_and_test_sensors_are_recorded_without_paths() {
    let variables = VARIABLES.map(|(name, value)| (name.to_string(), value.to_string()));
    let recorded = recorded_settings(variables.clone());
    let pairs: Vec<(&str, &str)> =
        recorded.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("LD_PRELOAD", "set"),
        ("LP_NUM_THREADS", "4"),
        ("RIGBENCH_SYSFS", "set"),
        ("VK_DRIVER_FILES", "set"),
        ("glibc.malloc.hugetlb", "1"),
    ];
    assert_eq!(pairs, expected);
    let layers = enabled_layers(variables);
    let expected = [
        "ENABLE_VKBASALT",
        "MANGOHUD",
        "VK_INSTANCE_LAYERS",
        "VK_LAYER_OTHER",
        "VK_LAYER_TEST_card",
        "VK_LOADER_LAYERS_ENABLE",
    ];
    assert_eq!(layers, expected);
    let mut manifest = made_up::everything().evidence.manifest;
    (manifest.environment, manifest.host.driver_layers) = (recorded, layers);
    assert_eq!(
        manifest.conditions(true),
        [
            "sensors from a test folder",
            "Vulkan layers: ENABLE_VKBASALT, MANGOHUD, VK_INSTANCE_LAYERS, VK_LAYER_OTHER, VK_LAYER_TEST_card, VK_LOADER_LAYERS_ENABLE",
            "Vulkan drivers chosen by VK_DRIVER_FILES",
            "LD_PRELOAD was set",
        ]
    );
    let without_gpu = ["sensors from a test folder", "LD_PRELOAD was set"];
    assert_eq!(manifest.conditions(false), without_gpu);
}

#[test]
fn ambiguous_names_get_a_digest() {
    let workload = |model: &str, options: &str, sha256: Option<&str>| Description {
        id: Id::Decode,
        spec: format!("decode:{model}:{options}"),
        unit: Unit::Token,
        shape: Shape {
            model: Some(model.into()),
            model_sha256: sha256.map(str::to_string),
            ..Shape::default()
        },
        intensity: None,
    };
    let (a, b) = ("a1".repeat(32), "b2".repeat(32));
    let all = [
        workload("model.gguf", "batch=1", Some(&a)),
        workload("model.gguf", "batch=4", Some(&b)),
        workload("other.gguf", "batch=1", Some(&b)),
        workload("llama-3-8b", "int4:batch=1", None),
    ];
    let names = ModelNames::of(&all);
    let specs = all.each_ref().map(|workload| names.disambiguate(workload).spec);
    assert_eq!(
        specs,
        [
            "decode:model.gguf (a1a1a1a1):batch=1",
            "decode:model.gguf (b2b2b2b2):batch=4",
            "decode:other.gguf:batch=1",
            "decode:llama-3-8b:int4:batch=1",
        ]
    );
    // A unique name has no digest.
    let alone = ModelNames::of(&all[..1]);
    assert_eq!(alone.disambiguate(&all[0]), all[0]);
}

/// The id of a machine must never change. From `printf ID | openssl dgst -sha256 -hmac KEY`.
#[test]
fn machine_id_never_changes() {
    assert_eq!(host_id("0123456789abcdef0123456789abcdef"), "db89c17ff7f046d2");
}
