//! The table of kernels. A kernel is a WGSL file under `kernels/` with its parameters as `const`s and `alias`es at its head; a variant is
//! one choice of them. Facts (workgroup size, bindings, constants) are reflected from the WGSL that is compiled, never declared a second
//! time.

pub mod sha256d;
mod table;

pub use table::{
    DECODER, Entry, Params, SOURCES, Source, TABLE, Takes, adder, of_decoder, of_workload,
};

use crate::text::hex;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A variant with its final WGSL and what naga reflected from it.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Name of the variant.
    pub id: String,
    /// Every parameter at the head of the file with its value, including defaults.
    pub params: BTreeMap<String, String>,
    /// The WGSL that is compiled.
    pub wgsl: String,
    /// Workgroup size along x, y, z, in invocations.
    pub workgroup: [u32; 3],
    /// Bindings of group 0, in order.
    pub bindings: Vec<Binding>,
    /// Shared memory of a workgroup in bytes.
    pub workgroup_bytes: u32,
    /// Features that a device must have, by their names in [`crate::device`].
    pub needs: Vec<String>,
    /// The constants that are whole numbers, as naga evaluates them.
    numbers: BTreeMap<String, u32>,
}

/// Arithmetic of a kernel's multiplications.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[strum(serialize_all = "kebab-case", const_into_str)]
pub enum Arithmetic {
    /// f32.
    F32,
    /// f16 in vectors of two (packed math).
    F16,
    /// Dot products of four int8 pairs in one instruction (DP4a).
    Dot4,
    /// Cooperative matrices (tensor cores): f16 operands, f32 accumulators.
    Matrix,
}

/// One binding of group 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Binding number.
    pub index: u32,
    /// Kind of resource.
    pub kind: BindingKind,
}

/// Kind of resource of a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// A uniform buffer.
    Uniform,
    /// A storage buffer that the kernel only reads.
    StorageRead,
    /// A storage buffer that the kernel writes.
    StorageWrite,
    /// A 2D storage texture that the kernel reads: four 32-bit words per texel.
    Texture,
    /// A 2D storage texture that the kernel writes.
    TextureWrite,
}

/// A kernel cannot be built: a defect of the table or of the WGSL, not of the machine.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The table names a file that does not exist.
    #[error("kernel {0}: no such file under kernels/")]
    NoSource(&'static str),
    /// The table names a parameter that the head of the file does not declare.
    #[error("kernel {kernel}: its head declares no parameter {parameter}")]
    NoParameter { kernel: &'static str, parameter: &'static str },
    /// The WGSL does not parse, or uses something that rigbench does not bind.
    #[error("kernel {kernel}: {message}")]
    Wgsl { kernel: &'static str, message: String },
}

impl Kernel {
    /// A matmul variant for activations of `a_bits` and weights of `b_bits`.
    ///
    /// # Errors
    /// If the table and the file do not match.
    pub fn matmul(entry: &'static Entry, a_bits: u32, b_bits: u32) -> Result<Kernel, KernelError> {
        Kernel::with_params(entry, &matmul_types(a_bits, b_bits))
    }

    /// A variant for every combination of types that it supports; a single kernel if it has no types.
    ///
    /// # Errors
    /// If the table and the file do not match.
    pub fn all(entry: &'static Entry) -> Result<Vec<Kernel>, KernelError> {
        types(entry).iter().map(|types| Kernel::with_params(entry, types)).collect()
    }

    /// The variant of [`Kernel::all`] whose WGSL has a digest, in hexadecimal. Only this one is parsed, which is the slow part.
    pub fn with_sha256(entry: &'static Entry, sha256: &str) -> Option<Kernel> {
        types(entry).iter().find_map(|types| Kernel::with_params_and_sha256(entry, types, sha256))
    }

    /// [`Kernel::with_params`], if its WGSL has a digest. Only then it is parsed.
    pub fn with_params_and_sha256(
        entry: &'static Entry,
        more: &[(&str, String)],
        sha256: &str,
    ) -> Option<Kernel> {
        let (wgsl, params) = text(entry, more).ok()?;
        (hex(&Sha256::digest(&wgsl)) == sha256).then(|| parse(entry, wgsl, params).ok())?
    }

    /// A variant without types.
    ///
    /// # Errors
    /// If the table and the file do not match.
    pub fn build(entry: &'static Entry) -> Result<Kernel, KernelError> {
        Kernel::with_params(entry, &[])
    }

    /// A variant with values for more of its parameters, as WGSL text; parameters that the file does not declare are ignored.
    ///
    /// # Errors
    /// If the table and the file do not match.
    pub fn with_params(
        entry: &'static Entry,
        more: &[(&str, String)],
    ) -> Result<Kernel, KernelError> {
        let (wgsl, params) = text(entry, more)?;
        parse(entry, wgsl, params)
    }

    /// A constant that is a whole number (`const TILE_M: u32 = 8u * ROWS;`).
    ///
    /// # Panics
    /// If the file declares no such number: the host code and the WGSL disagree, which the tests of every variant detect.
    pub fn number(&self, name: &str) -> u32 {
        let number = self.constant(name);
        number.unwrap_or_else(|| panic!("kernel {} declares no number {name}", self.id))
    }

    /// A constant that is a whole number, if the file declares it.
    pub fn constant(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Arithmetic of the kernel's multiplications, detected from its text.
    pub fn arithmetic(&self) -> Arithmetic {
        let half = self.params.values().any(|value| value == "f16");
        match () {
            () if self.needs.iter().any(|need| need.starts_with("matrix")) => Arithmetic::Matrix,
            () if self.wgsl.contains("dot4I8Packed(") => Arithmetic::Dot4,
            () if half => Arithmetic::F16,
            () => Arithmetic::F32,
        }
    }

    /// SHA-256 of the final WGSL, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(&self.wgsl))
    }
}

/// Parameters of a matmul variant for activations of `a_bits` and weights of `b_bits`.
fn matmul_types(a_bits: u32, b_bits: u32) -> Vec<(&'static str, String)> {
    let element = |bits| if bits == 32 { "f32" } else { "f16" };
    vec![
        ("A_BITS", format!("{a_bits}u")),
        ("B_BITS", format!("{b_bits}u")),
        ("ElementA", element(a_bits).to_string()),
        ("ElementB", if b_bits < 16 { "u32" } else { element(b_bits) }.to_string()),
    ]
}

/// Every combination of types that a variant supports; one without parameters if it has no types.
fn types(entry: &Entry) -> Vec<Vec<(&'static str, String)>> {
    let Takes { a, b } = entry.takes;
    if a.is_empty() {
        return vec![Vec::new()];
    }
    a.iter().flat_map(|a| b.iter().map(|b| matmul_types(*a, *b))).collect()
}

/// The WGSL of a variant and the parameters at its head.
fn text(
    entry: &'static Entry,
    more: &[(&str, String)],
) -> Result<(String, BTreeMap<String, String>), KernelError> {
    let name = entry.source();
    let source = SOURCES.iter().find(|s| s.name == name).ok_or(KernelError::NoSource(entry.id))?;
    instantiate(entry, more, source.text)
}

/// A kernel, reflected from its WGSL.
fn parse(
    entry: &'static Entry,
    wgsl: String,
    params: BTreeMap<String, String>,
) -> Result<Kernel, KernelError> {
    let invalid = |message| KernelError::Wgsl { kernel: entry.id, message };
    let module = naga::front::wgsl::parse_str(&wgsl)
        .map_err(|error| invalid(error.emit_to_string(&wgsl)))?;
    let [point] = module.entry_points.as_slice() else {
        return Err(invalid("a kernel has exactly one entry point".into()));
    };
    let bound = module.global_variables.iter().filter(|(_, v)| v.binding.is_some());
    let mut bindings: Vec<Binding> = bound
        .map(|(_, variable)| binding(&module, variable).map_err(|why| invalid(why.into())))
        .collect::<Result<_, _>>()?;
    bindings.sort_by_key(|b| b.index);
    let workgroup_bytes = workgroup_bytes(&module).map_err(invalid)?;
    let number = |(_, constant): (_, &naga::Constant)| {
        let init = &module.global_expressions[constant.init];
        let naga::Expression::Literal(naga::Literal::U32(n)) = init else { return None };
        Some((constant.name.clone()?, *n))
    };
    let numbers: BTreeMap<String, u32> = module.constants.iter().filter_map(number).collect();
    Ok(Kernel {
        needs: needs(&wgsl, &numbers),
        workgroup_bytes,
        numbers,
        id: entry.id.to_string(),
        params,
        workgroup: point.workgroup_size,
        bindings,
        wgsl,
    })
}

/// Bytes of all shared variables of a workgroup.
fn workgroup_bytes(module: &naga::Module) -> Result<u32, String> {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).map_err(|error| error.to_string())?;
    let shared = |v: &naga::GlobalVariable| v.space == naga::AddressSpace::WorkGroup;
    let variables = module.global_variables.iter().map(|(_, variable)| variable);
    Ok(variables.filter(|v| shared(v)).map(|v| layouter[v.ty].size).sum())
}

/// Features that a device must have for this kernel. `MATRIX` is the side of a kernel's cooperative matrices.
fn needs(wgsl: &str, numbers: &BTreeMap<String, u32>) -> Vec<String> {
    let code: String = wgsl.lines().filter_map(|line| line.split("//").next()).collect();
    let mentions = |word: &str, feature: &str| code.contains(word).then(|| feature.to_string());
    let matrix = numbers.get("MATRIX").map(|side| format!("matrix-{side}x{side}x{side}"));
    [mentions("enable f16;", "f16"), mentions("subgroup", "subgroups"), matrix]
        .into_iter()
        .flatten()
        .collect()
}

/// The binding of a variable that has one.
fn binding(
    module: &naga::Module,
    variable: &naga::GlobalVariable,
) -> Result<Binding, &'static str> {
    use naga::{AddressSpace, StorageAccess};
    let image_2d = |access| naga::TypeInner::Image {
        dim: naga::ImageDimension::D2,
        arrayed: false,
        class: naga::ImageClass::Storage { format: naga::StorageFormat::Rgba32Uint, access },
    };
    let inner = &module.types[variable.ty].inner;
    let kind = match variable.space {
        AddressSpace::Uniform => BindingKind::Uniform,
        AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
            BindingKind::StorageWrite
        }
        AddressSpace::Storage { .. } => BindingKind::StorageRead,
        AddressSpace::Handle if *inner == image_2d(StorageAccess::LOAD) => BindingKind::Texture,
        AddressSpace::Handle if *inner == image_2d(StorageAccess::STORE) => {
            BindingKind::TextureWrite
        }
        AddressSpace::Handle => return Err("only rgba32uint textures can be bound"),
        _ => return Err("only buffers and textures can be bound"),
    };
    match variable.binding.as_ref() {
        Some(resource) if resource.group == 0 => Ok(Binding { index: resource.binding, kind }),
        _ => Err("bindings must be in group 0"),
    }
}

/// SHA-256 over every kernel file and its name: identifies the kernels of this binary.
pub fn all_sha256() -> &'static str {
    static DIGEST: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        for source in SOURCES {
            for part in [source.name, source.text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    });
    &DIGEST
}

/// Replaces parameter values at the head of a file and returns the final text and all parameters. The head is every line that begins with
/// `const` or `alias`, up to the first empty line after one; constants below it are derived. `enable f16;` is added if a parameter is
/// f16.
pub fn instantiate(
    entry: &'static Entry,
    more: &[(&str, String)],
    text: &str,
) -> Result<(String, BTreeMap<String, String>), KernelError> {
    let mut chosen: Vec<(&str, &str)> = entry.params.concat();
    chosen.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
    let mut params = BTreeMap::new();
    let mut lines = Vec::new();
    let mut head = true;
    for line in text.lines() {
        head &= params.is_empty() || !line.is_empty();
        match declaration(line).filter(|_| head) {
            Some((name, value)) => {
                let chosen = chosen.iter().find(|(n, _)| *n == name).map_or(value, |(_, v)| *v);
                params.insert(name.to_string(), chosen.to_string());
                lines.push(line.replacen(&format!("= {value};"), &format!("= {chosen};"), 1));
            }
            None => lines.push(line.to_string()),
        }
    }
    let mut required = entry.params.iter().copied().flatten();
    if let Some((parameter, _)) = required.find(|(n, _)| !params.contains_key(*n)) {
        return Err(KernelError::NoParameter { kernel: entry.id, parameter });
    }
    if params.values().any(|value| value == "f16") && !text.contains("enable f16;") {
        lines.insert(0, "enable f16;".to_string());
    }
    lines.push(String::new());
    Ok((lines.join("\n"), params))
}

/// Parses `const NAME: type = value;` or `alias NAME = value;` at the start of a line into name and value.
fn declaration(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("const ").or_else(|| line.strip_prefix("alias "))?;
    let (left, right) = rest.split_once(" = ")?;
    let name = left.split(':').next()?.trim();
    let (value, _) = right.split_once(';')?;
    Some((name, value))
}
