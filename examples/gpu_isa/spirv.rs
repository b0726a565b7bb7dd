//! SPIR-V of a kernel, word for word as wgpu-hal 30 hands it to a Vulkan 1.3 driver.

use crate::layout;
use naga::back::spv::{self, Capability};
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use rigbench::kernels::Kernel;
use std::error::Error;

/// What wgpu-hal allows with the features that rigbench requests; naga declares those that a module uses.
const CAPABILITIES: &[Capability] = &[
    Capability::Shader,
    Capability::Matrix,
    Capability::Sampled1D,
    Capability::Image1D,
    Capability::ImageQuery,
    Capability::DerivativeControl,
    Capability::StorageImageExtendedFormats,
    Capability::GroupNonUniform,
    Capability::GroupNonUniformVote,
    Capability::GroupNonUniformArithmetic,
    Capability::GroupNonUniformBallot,
    Capability::GroupNonUniformShuffle,
    Capability::GroupNonUniformShuffleRelative,
    Capability::GroupNonUniformQuad,
    Capability::Float16,
    Capability::CooperativeMatrixKHR,
    Capability::VulkanMemoryModel,
    Capability::DotProductInputAllKHR,
    Capability::DotProductInput4x8BitKHR,
    Capability::DotProductInput4x8BitPackedKHR,
    Capability::DotProductKHR,
    Capability::Int8,
];

/// The kernel's SPIR-V; if wanted, without the layout of types outside buffers.
pub fn of(kernel: &Kernel, strip: bool) -> Result<Vec<u32>, Box<dyn Error>> {
    let module = naga::front::wgsl::parse_str(&kernel.wgsl)?;
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::all(),
    );
    let info = validator.validate(&module)?;
    let numbered = kernel.bindings.iter().zip(0..).map(|(binding, number)| {
        let info =
            spv::BindingInfo { descriptor_set: 0, binding: number, binding_array_size: None };
        (naga::ResourceBinding { group: 0, binding: binding.index }, info)
    });
    // Kernels are trusted modules: wgpu checks neither bounds, loops nor divisors, and clears no workgroup memory.
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
        binding_map: numbered.collect(),
        capabilities: Some(CAPABILITIES.iter().copied().collect()),
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
    let point = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: "main".into(),
    };
    let words = spv::write_vec(&module, &info, &options, Some(&point))?;
    Ok(if strip { layout::only_in_buffers(&words) } else { words })
}
