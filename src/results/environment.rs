//! Environment variables that affect the measurement. The manifest records them without paths and user names; reports mention those
//! under which a figure may not represent the machine.

use super::manifest::Manifest;
use crate::gpu;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

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
pub(super) const DRIVER_VARIABLES: &[&str] = &[
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

/// Settings in force.
pub fn environment() -> BTreeMap<String, String> {
    recorded_settings(variables())
}

/// What is recorded of these variables.
pub fn recorded_settings(
    variables: impl IntoIterator<Item = Variable>,
) -> BTreeMap<String, String> {
    variables.into_iter().filter_map(recorded).collect()
}

/// The Vulkan layers that these variables enable, by name or by variable.
pub fn enabled_layers(variables: impl IntoIterator<Item = Variable>) -> Vec<String> {
    variables.into_iter().flat_map(layers).collect::<BTreeSet<String>>().into_iter().collect()
}

/// Name and value of an environment variable.
pub type Variable = (String, String);

/// The environment of this process.
pub(super) fn variables() -> impl Iterator<Item = Variable> {
    let text = |value: OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(move |(name, value)| (text(name), text(value)))
}

/// The layers that a variable enables.
fn layers((name, value): Variable) -> Vec<String> {
    let begins = LAYER_SWITCH_BEGINNINGS.iter().any(|beginning| name.starts_with(beginning));
    if value.is_empty() {
        Vec::new()
    } else if LAYERS.contains(&name.as_str()) {
        let parts = value.split([':', ';', ',']).map(str::trim).filter(|part| !part.is_empty());
        let is_layer = |part: &str| part.starts_with(LAYER) && is_identifier(part);
        // A value that is not a layer's name may be private, so the variable's name is recorded instead.
        let shown = |part| if is_layer(part) { part.to_string() } else { name.clone() };
        parts.map(shown).collect()
    } else if LAYER_SWITCHES.contains(&name.as_str()) || (begins && is_identifier(&name)) {
        vec![name]
    } else {
        Vec::new()
    }
}

/// What is recorded of a variable, if anything.
fn recorded((name, value): Variable) -> Option<Variable> {
    let is_value = |value: &str| {
        value.parse::<u32>().is_ok() || ["true", "false", "yes", "no"].contains(&value)
    };
    let known = |names: &[&str]| names.contains(&name.as_str());
    if value.is_empty() {
        None
    } else if name == "GLIBC_TUNABLES" {
        let mut tunables = value.split(':').filter_map(|pair| pair.split_once('='));
        let (name, value) = tunables.find(|(name, _)| *name == HUGE_PAGES)?;
        is_value(value).then(|| (name.into(), value.into()))
    } else if known(VALUES) {
        is_value(&value).then_some((name, value))
    } else if name == gpu::ALLOW_NONCONFORMANT {
        gpu::is_nonconformant_allowed().then(|| (name, "1".into()))
    } else {
        // The value must not be disclosed.
        (name == SENSORS || known(DRIVER_VARIABLES) || known(PRELOADS))
            .then(|| (name, "set".into()))
    }
}

/// Whether a text is a short word of letters, digits and underscores.
fn is_identifier(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Manifest {
    /// Settings under which figures may not represent the machine, in a few words each; those of Vulkan only if a GPU was used.
    pub fn conditions(&self, gpu: bool) -> Vec<String> {
        let given = |names: &[&str]| -> Vec<&str> {
            let all = self.environment.keys().map(String::as_str);
            all.filter(|name| names.contains(name)).collect()
        };
        let (layers, drivers) = (&self.host.driver_layers, given(DRIVER_VARIABLES));
        let sensors = self.environment.contains_key(SENSORS);
        let sensors = sensors.then(|| "sensors from a test folder".to_string());
        let layers =
            (gpu && !layers.is_empty()).then(|| format!("Vulkan layers: {}", layers.join(", ")));
        let drivers = (gpu && !drivers.is_empty())
            .then(|| format!("Vulkan drivers chosen by {}", drivers.join(", ")));
        let preloads = given(PRELOADS).into_iter().map(|name| format!("{name} was set"));
        sensors.into_iter().chain(layers).chain(drivers).chain(preloads).collect()
    }
}
