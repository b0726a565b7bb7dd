//! Environment variables that affect the measurement. The manifest records them without paths and user names; reports mention those
//! under which a figure may not represent the machine.

use super::manifest::Manifest;
use crate::gpu;
use std::collections::BTreeMap;

/// Variables with numeric or Boolean values; any other value may be a name or a path.
const VALUES: &[&str] = &[
    HUGE_PAGES,
    "LP_NATIVE_VECTOR_WIDTH",
    "LP_NUM_THREADS",
    "MATMUL_NUM_THREADS",
    "MESA_SHADER_CACHE_DISABLE",
    "RAYON_NUM_THREADS",
];
/// Replaces `/sys` as the root of the sensors, in tests.
const SENSORS: &str = "RIGBENCH_SYSFS";
/// Lists of Vulkan layers. Only names with the prefix below are recorded.
const LAYERS: &[&str] = &["VK_INSTANCE_LAYERS", "VK_LOADER_LAYERS_ENABLE"];
const LAYER: &str = "VK_LAYER_";
/// Variables that enable an implicit Vulkan layer, besides those with the prefixes below.
const LAYER_SWITCHES: &[&str] = &[
    "ENABLE_GAMESCOPE_WSI",
    "MANGOHUD",
    "OBS_VKCAPTURE",
    "VK_ADD_IMPLICIT_LAYER_PATH",
    "VK_IMPLICIT_LAYER_PATH",
];
const LAYER_SWITCH_BEGINNINGS: [&str; 2] = ["ENABLE_VK", "ENABLE_VULKAN"];
/// Variables that replace the installed Vulkan drivers.
const DRIVERS: &[&str] = &[
    "VK_ADD_DRIVER_FILES",
    "VK_DRIVER_FILES",
    "VK_ICD_FILENAMES",
    "VK_LOADER_DRIVERS_DISABLE",
    "VK_LOADER_DRIVERS_SELECT",
];
/// Variables by which the dynamic linker preloads a library.
const PRELOADS: &[&str] = &["DYLD_INSERT_LIBRARIES", "LD_AUDIT", "LD_PRELOAD"];

/// The tunable in `GLIBC_TUNABLES` that puts heap memory, including the buffers of software Vulkan, on huge pages.
pub const HUGE_PAGES: &str = "glibc.malloc.hugetlb";

/// Whether this variable replaces the installed Vulkan drivers.
pub(super) fn chooses_driver(variable: &str) -> bool {
    DRIVERS.contains(&variable)
}

/// Recorded instead of a value that must not be disclosed.
const SET: &str = "set";

/// Settings in force.
pub fn environment() -> BTreeMap<String, String> {
    recorded(variables())
}

fn variables() -> impl Iterator<Item = (String, String)> {
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// Vulkan layers between the program and the driver: by name, or by the variable that enables one.
pub(super) fn driver_layers() -> Vec<String> {
    layers_of(variables())
}

fn layers_of(variables: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut layers = Vec::new();
    for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
        if LAYERS.contains(&name.as_str()) {
            let (known, others) = names(&value);
            layers.extend(known);
            if others {
                layers.push(name);
            }
        } else if is_layer_switch(&name) {
            layers.push(name);
        }
    }
    layers.sort();
    layers.dedup();
    layers
}

/// The part of these variables that is recorded.
fn recorded(variables: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut recorded = BTreeMap::new();
    for (name, value) in variables.filter(|(_, value)| !value.is_empty()) {
        let known = |names: &[&str]| names.contains(&name.as_str());
        if name == "GLIBC_TUNABLES" {
            let mut tunables = value.split(':').filter_map(|pair| pair.split_once('='));
            if let Some((_, value)) = tunables.find(|(name, _)| *name == HUGE_PAGES)
                && is_value(value)
            {
                recorded.insert(HUGE_PAGES.to_string(), value.to_string());
            }
        } else if known(VALUES) {
            if is_value(&value) {
                recorded.insert(name, value);
            }
        } else if name == gpu::ALLOW_NONCONFORMANT {
            if gpu::is_nonconformant_allowed() {
                recorded.insert(name, "1".to_string());
            }
        } else if name == SENSORS || known(DRIVERS) || known(PRELOADS) {
            recorded.insert(name, SET.to_string());
        }
    }
    recorded
}

fn is_value(value: &str) -> bool {
    value.parse::<u32>().is_ok() || ["true", "false", "yes", "no"].contains(&value)
}

/// Whether a text is a short word of letters, digits and underscores.
fn is_identifier(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_layer_switch(name: &str) -> bool {
    let begins = LAYER_SWITCH_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    LAYER_SWITCHES.contains(&name) || (begins && is_identifier(name))
}

/// The layers in a list, and whether it contains anything else.
fn names(list: &str) -> (Vec<String>, bool) {
    let parts = list.split([':', ';', ',']).map(str::trim).filter(|part| !part.is_empty());
    let is_layer = |part: &&str| part.starts_with(LAYER) && is_identifier(part);
    let (layers, others): (Vec<&str>, Vec<&str>) = parts.partition(is_layer);
    (layers.into_iter().map(str::to_string).collect(), !others.is_empty())
}

/// Settings under which figures may not represent the machine, in a few words each; those of Vulkan only if a GPU was used.
pub fn conditions(manifest: &Manifest, gpu: bool) -> Vec<String> {
    let given = |names: &[&str]| -> Vec<&str> {
        let known = |name: &&String| names.contains(&name.as_str());
        manifest.environment.keys().filter(known).map(String::as_str).collect()
    };
    let mut conditions = Vec::new();
    if manifest.environment.contains_key(SENSORS) {
        conditions.push("sensors from a test folder".to_string());
    }
    if gpu {
        let layers = &manifest.host.driver_layers;
        if !layers.is_empty() {
            conditions.push(format!("Vulkan layers: {}", layers.join(", ")));
        }
        let drivers = given(DRIVERS);
        if !drivers.is_empty() {
            conditions.push(format!("Vulkan drivers chosen by {}", drivers.join(", ")));
        }
    }
    conditions.extend(given(PRELOADS).iter().map(|name| format!("{name} was set")));
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn variables() -> impl Iterator<Item = (String, String)> {
        VARIABLES.into_iter().map(|(name, value)| (name.to_string(), value.to_string()))
    }

    #[test]
    fn layers_drivers_preloads_and_test_sensors_are_recorded_without_paths() {
        let recorded = recorded(variables());
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
        let layers = layers_of(variables());
        let expected = [
            "ENABLE_VKBASALT",
            "MANGOHUD",
            "VK_INSTANCE_LAYERS",
            "VK_LAYER_OTHER",
            "VK_LAYER_TEST_card",
            "VK_LOADER_LAYERS_ENABLE",
        ];
        assert_eq!(layers, expected);
        let mut manifest = crate::results::manifest::tests::made_up();
        (manifest.environment, manifest.host.driver_layers) = (recorded, layers);
        assert_eq!(
            conditions(&manifest, true),
            [
                "sensors from a test folder",
                "Vulkan layers: ENABLE_VKBASALT, MANGOHUD, VK_INSTANCE_LAYERS, VK_LAYER_OTHER, VK_LAYER_TEST_card, VK_LOADER_LAYERS_ENABLE",
                "Vulkan drivers chosen by VK_DRIVER_FILES",
                "LD_PRELOAD was set",
            ]
        );
        let without_gpu = ["sensors from a test folder", "LD_PRELOAD was set"];
        assert_eq!(conditions(&manifest, false), without_gpu);
    }
}
