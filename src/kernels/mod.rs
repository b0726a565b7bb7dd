//! The table of kernels. A kernel is a WGSL file under `kernels/` with its parameters as `const`s and
//! `alias`es at its head; a variant is one choice of them. Facts (workgroup size, bindings, constants) are
//! reflected from the WGSL that will really be compiled, never typed a second time.

pub mod sha256d;

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A WGSL file with its defaults.
struct Source {
    name: &'static str,
    text: &'static str,
}

macro_rules! source {
    ($name:literal) => {
        Source {
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/kernels/", $name, ".wgsl")),
        }
    };
}

/// Every WGSL file, by its path under `kernels/` without the ending.
const SOURCES: &[Source] =
    &[source!("sha256d/scan"), source!("sha256d/compact"), source!("gemm/register_tile")];

/// One choice of a kernel's parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Name in results, unique: `gemm/register_tile-8x16`.
    pub id: &'static str,
    /// The WGSL file, by its path under `kernels/`.
    pub source: &'static str,
    /// Parameters that differ from the file's own, as WGSL text.
    pub params: &'static [(&'static str, &'static str)],
}

/// Sixteen versions of a word in a loop: a hash costs a sixteenth of a schedule.
const LOOP_16: [(&str, &str); 3] = [("VERSIONS", "16u"), ("UNROLLED", "false"), ("NONCES", "16u")];
/// The spelling of which AMD's compiler makes the fewest instructions: docs/gpu-isa.md.
const UNIFORM: [(&str, &str); 3] =
    [("UNIFORM_ROTATION", "true"), ("CHOOSE", "1u"), ("MAJORITY", "1u")];

/// Every variant, the default of each workload first.
pub const TABLE: &[Entry] = &[
    Entry { id: "sha256d/scan-2", source: "sha256d/scan", params: &[] },
    Entry { id: "sha256d/scan-16", source: "sha256d/scan", params: &LOOP_16 },
    Entry {
        id: "sha256d/scan-16-uniform",
        source: "sha256d/scan",
        params: &[LOOP_16[0], LOOP_16[1], LOOP_16[2], UNIFORM[0], UNIFORM[1], UNIFORM[2]],
    },
    Entry {
        id: "sha256d/scan-1-vec2",
        source: "sha256d/scan",
        params: &[
            ("VERSIONS", "1u"),
            ("Word", "vec2<u32>"),
            ("WIDTH", "2u"),
            ("OFFSETS", "vec2<u32>(0u, 1u)"),
        ],
    },
    Entry { id: "sha256d/scan-1", source: "sha256d/scan", params: &[("VERSIONS", "1u")] },
    Entry { id: "sha256d/scan-2-uniform", source: "sha256d/scan", params: &UNIFORM },
    Entry {
        id: "sha256d/scan-16-uniform-256",
        source: "sha256d/scan",
        params: &[
            ("WORKGROUP", "256u"),
            LOOP_16[0],
            LOOP_16[1],
            LOOP_16[2],
            UNIFORM[0],
            UNIFORM[1],
            UNIFORM[2],
        ],
    },
    Entry {
        id: "sha256d/scan-1-vec4",
        source: "sha256d/scan",
        params: &[
            ("VERSIONS", "1u"),
            ("Word", "vec4<u32>"),
            ("WIDTH", "4u"),
            ("OFFSETS", "vec4<u32>(0u, 1u, 2u, 3u)"),
        ],
    },
    Entry { id: "sha256d/compact", source: "sha256d/compact", params: &[] },
    Entry { id: "gemm/register_tile-8x8", source: "gemm/register_tile", params: &[] },
];

/// The variants of one workload, default first.
pub fn of_workload(workload: &str) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |e| e.id.split('/').next() == Some(workload))
}

/// A variant with its final text and what naga read from it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Name of the variant.
    pub id: String,
    /// Every parameter at the head of the file with its value, defaults included.
    pub params: BTreeMap<String, String>,
    /// The WGSL that is compiled.
    pub wgsl: String,
    /// Invocations of one workgroup along x, y, z.
    pub workgroup: [u32; 3],
    /// Bindings of group 0 in order.
    pub bindings: Vec<Binding>,
}

/// One binding of group 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Its number.
    pub index: u32,
    /// What may be bound there.
    pub kind: BindingKind,
}

/// What a binding holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// A uniform buffer.
    Uniform,
    /// A storage buffer that the kernel only reads.
    StorageRead,
    /// A storage buffer that the kernel writes.
    StorageWrite,
}

/// A kernel that cannot be built: a defect of the table or of the WGSL, not of the machine.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The table names a file that is not there.
    #[error("kernel {0}: no such file under kernels/")]
    NoSource(&'static str),
    /// The table names a parameter that the head of the file does not declare.
    #[error("kernel {kernel}: its head declares no parameter {parameter}")]
    NoParameter { kernel: &'static str, parameter: &'static str },
    /// The WGSL does not parse.
    #[error("kernel {kernel}: {message}")]
    Wgsl { kernel: &'static str, message: String },
    /// The WGSL uses something that rigbench does not bind.
    #[error("kernel {kernel}: {message}")]
    Unsupported { kernel: &'static str, message: &'static str },
}

impl Kernel {
    /// Writes the variant's parameters into its file and reflects the result.
    pub fn build(entry: &'static Entry) -> Result<Kernel, KernelError> {
        let source = SOURCES
            .iter()
            .find(|s| s.name == entry.source)
            .ok_or(KernelError::NoSource(entry.source))?;
        let (wgsl, params) = instantiate(entry, source.text)?;
        let module = naga::front::wgsl::parse_str(&wgsl).map_err(|e| KernelError::Wgsl {
            kernel: entry.id,
            message: e.emit_to_string(&wgsl),
        })?;
        let unsupported = |message| KernelError::Unsupported { kernel: entry.id, message };
        let [point] = module.entry_points.as_slice() else {
            return Err(unsupported("a kernel has exactly one entry point"));
        };
        let mut bindings = Vec::new();
        for (_, variable) in module.global_variables.iter() {
            let Some(place) = &variable.binding else { continue };
            if place.group != 0 {
                return Err(unsupported("bindings stand in group 0"));
            }
            let kind = match variable.space {
                naga::AddressSpace::Uniform => BindingKind::Uniform,
                naga::AddressSpace::Storage { access }
                    if access.contains(naga::StorageAccess::STORE) =>
                {
                    BindingKind::StorageWrite
                }
                naga::AddressSpace::Storage { .. } => BindingKind::StorageRead,
                _ => return Err(unsupported("only buffers can be bound")),
            };
            bindings.push(Binding { index: place.binding, kind });
        }
        bindings.sort_by_key(|b| b.index);
        Ok(Kernel {
            id: entry.id.to_string(),
            params,
            workgroup: point.workgroup_size,
            bindings,
            wgsl,
        })
    }

    /// A parameter that is a whole number (`const TILE_M: u32 = 8u;`).
    ///
    /// # Panics
    /// If the head of the file declares no such number: the host code and the WGSL disagree, which the
    /// tests of every variant find.
    pub fn number(&self, name: &str) -> u32 {
        self.params
            .get(name)
            .and_then(|text| text.trim_end_matches('u').parse().ok())
            .unwrap_or_else(|| panic!("kernel {} declares no number {name}", self.id))
    }

    /// SHA-256 of the final text, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.wgsl))
    }
}

/// SHA-256 over every kernel file, names included: which kernels this binary carries.
pub fn all_sha256() -> String {
    let mut hash = Sha256::new();
    for source in SOURCES {
        for part in [source.name, source.text] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize())
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Replaces the values at the head of a file. The head is every line that begins with `const` or `alias`;
/// returns the final text and all parameters.
fn instantiate(
    entry: &'static Entry,
    text: &str,
) -> Result<(String, BTreeMap<String, String>), KernelError> {
    let mut params = BTreeMap::new();
    let mut lines = Vec::new();
    for line in text.lines() {
        match declaration(line) {
            Some((name, value)) => {
                let chosen =
                    entry.params.iter().find(|(n, _)| *n == name).map_or(value, |(_, v)| *v);
                params.insert(name.to_string(), chosen.to_string());
                lines.push(line.replacen(&format!("= {value};"), &format!("= {chosen};"), 1));
            }
            None => lines.push(line.to_string()),
        }
    }
    if let Some((parameter, _)) = entry.params.iter().find(|(n, _)| !params.contains_key(*n)) {
        return Err(KernelError::NoParameter { kernel: entry.id, parameter });
    }
    lines.push(String::new());
    Ok((lines.join("\n"), params))
}

/// `const NAME: type = value;` or `alias NAME = value;` at the start of a line: name and value.
fn declaration(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("const ").or_else(|| line.strip_prefix("alias "))?;
    let (left, right) = rest.split_once(" = ")?;
    let name = left.split(':').next()?.trim();
    let (value, _) = right.split_once(';')?;
    Some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_builds_and_ids_are_unique() {
        let mut ids = std::collections::BTreeSet::new();
        for entry in TABLE {
            let kernel = Kernel::build(entry).unwrap();
            assert!(ids.insert(entry.id), "{} stands twice", entry.id);
            assert!(kernel.workgroup.iter().product::<u32>() <= 256, "{}", entry.id);
            // A loop stops silently after 65,535 rounds where a driver or wgpu bounds it.
            let turns = |name| kernel.params.get(name).map_or(1, |_| kernel.number(name));
            assert!(turns("NONCES") * turns("VERSIONS") < 65_535, "{}", entry.id);
        }
    }

    #[test]
    fn every_file_is_used_and_valid_with_its_defaults() {
        for source in SOURCES {
            assert!(TABLE.iter().any(|e| e.source == source.name), "{} is unused", source.name);
            naga::front::wgsl::parse_str(source.text)
                .unwrap_or_else(|e| panic!("{}: {}", source.name, e.emit_to_string(source.text)));
        }
    }

    #[test]
    fn parameters_replace_the_values_at_the_head() {
        const ENTRY: Entry =
            Entry { id: "x/y", source: "x", params: &[("TILE", "8u"), ("Elem", "f16")] };
        let text = "const TILE: u32 = 4u; // rows\nalias Elem = f32;\nfn f() { let TILE2 = 4u; }\n";
        let (out, params) = instantiate(&ENTRY, text).unwrap();
        assert_eq!(
            out,
            "const TILE: u32 = 8u; // rows\nalias Elem = f16;\nfn f() { let TILE2 = 4u; }\n"
        );
        assert_eq!(params["TILE"], "8u");
        const WRONG: Entry = Entry { id: "x/y", source: "x", params: &[("TILES", "8u")] };
        assert!(instantiate(&WRONG, text).unwrap_err().to_string().contains("TILES"));
    }
}
