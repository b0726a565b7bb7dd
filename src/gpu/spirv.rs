//! SPIR-V of a kernel for a Vulkan driver: translated by naga with the options that wgpu would use, then without layouts outside buffers,
//! which drivers may crash on. `examples/gpu_isa` compiles the same words for cards that are not there.

use super::layout;
use crate::kernels::Kernel;
use naga::back::spv::{self, Capability};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Name of every kernel's entry point.
pub(super) const ENTRY_POINT: &str = "main";
/// Capabilities that every Vulkan driver has.
const ALWAYS: [Capability; 4] = [
    Capability::Shader,
    Capability::Matrix,
    Capability::ImageQuery,
    Capability::StorageImageExtendedFormats,
];
/// Capabilities of a device with subgroup operations.
const SUBGROUP: [Capability; 7] = [
    Capability::GroupNonUniform,
    Capability::GroupNonUniformVote,
    Capability::GroupNonUniformArithmetic,
    Capability::GroupNonUniformBallot,
    Capability::GroupNonUniformShuffle,
    Capability::GroupNonUniformShuffleRelative,
    Capability::GroupNonUniformQuad,
];
/// Capabilities of a device with integer dot products.
const DOT4: [Capability; 4] = [
    Capability::DotProductInputAllKHR,
    Capability::DotProductInput4x8BitKHR,
    Capability::DotProductInput4x8BitPackedKHR,
    Capability::DotProductKHR,
];

/// What a Vulkan device takes.
#[derive(Clone, Copy, Debug)]
pub struct Support {
    /// Version of SPIR-V, major and minor.
    pub version: (u8, u8),
    /// `shaderFloat16`.
    pub f16: bool,
    /// `shaderInt8`.
    pub int8: bool,
    /// `shaderIntegerDotProduct`.
    pub dot4: bool,
    /// Subgroup operations.
    pub subgroups: bool,
    /// `cooperativeMatrix` and `vulkanMemoryModel`.
    pub matrices: bool,
}

impl Support {
    /// Everything that a kernel may use, on Vulkan 1.3.
    pub const ALL: Support = Support {
        version: (1, 6),
        f16: true,
        int8: true,
        dot4: true,
        subgroups: true,
        matrices: true,
    };

    fn capabilities(self) -> impl Iterator<Item = Capability> {
        const MATRICES: [Capability; 2] =
            [Capability::CooperativeMatrixKHR, Capability::VulkanMemoryModel];
        let sets: [(bool, &[Capability]); 6] = [
            (true, &ALWAYS),
            (self.f16, &[Capability::Float16]),
            (self.int8, &[Capability::Int8]),
            (self.dot4, &DOT4),
            (self.subgroups, &SUBGROUP),
            (self.matrices, &MATRICES),
        ];
        sets.into_iter().filter(|(has, _)| *has).flat_map(|(_, set)| set.iter().copied())
    }
}

/// The kernel's SPIR-V. Its bindings are numbered from 0 in their order, as wgpu numbers those of a bind group layout.
///
/// # Errors
/// If the kernel needs what the device does not take.
pub fn translate(kernel: &Kernel, support: Support) -> Result<Vec<u32>, String> {
    let module = naga::front::wgsl::parse_str(&kernel.wgsl).map_err(|error| error.to_string())?;
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module).map_err(|error| error.to_string())?;
    let numbered = kernel.bindings.iter().zip(0..).map(|(binding, number)| {
        let info =
            spv::BindingInfo { descriptor_set: 0, binding: number, binding_array_size: None };
        (naga::ResourceBinding { group: 0, binding: binding.index }, info)
    });
    // Kernels index only within the buffers that their jobs allocate, and their loop counts are set by the host.
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = spv::Options {
        lang_version: support.version,
        flags: spv::WriterFlags::empty(),
        binding_map: numbered.collect(),
        capabilities: Some(support.capabilities().collect()),
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        force_loop_bounding: false,
        emit_int_div_checks: false,
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        use_storage_input_output_16: false,
        ..Default::default()
    };
    let pipeline = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: ENTRY_POINT.into(),
    };
    let words = spv::write_vec(&module, &info, &options, Some(&pipeline));
    Ok(layout::only_in_buffers(&words.map_err(|error| error.to_string())?))
}
