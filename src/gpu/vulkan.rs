//! Opens a Vulkan device without robust buffer and image access, which wgpu always enables. With it NVIDIA's open driver takes up to 4.5
//! times as many instructions for a kernel. Kernels do not need it: they index only within the buffers that their jobs allocate, which
//! padding and guard words hold.

use super::Opened;
use super::spirv::Support;
use ash::vk;
use wgpu::hal::api::Vulkan;

/// A device without robust access; `None` if the adapter is not one of Vulkan.
///
/// # Errors
/// If the driver fails to open it.
pub(super) fn open(
    adapter: &wgpu::Adapter,
    descriptor: &wgpu::DeviceDescriptor,
) -> Option<Result<Opened, String>> {
    // SAFETY: the adapter lives as long as this call.
    let hal = unsafe { adapter.as_hal::<Vulkan>() }?;
    let wanted = descriptor.required_features;
    let extensions = hal.required_device_extensions(wanted);
    let names: Vec<_> = extensions.iter().map(|name| name.as_ptr()).collect();
    // wgpu takes the first queue of the first family, too.
    let family = vk::DeviceQueueCreateInfo::default().queue_priorities(&[1.0]);
    let families = [family];
    let mut features = hal.physical_device_features(&extensions, wanted);
    let version = hal.physical_device_capabilities().properties().api_version;
    let mut support = Support::of(version, wanted);
    let info = vk::DeviceCreateInfo::default()
        .queue_create_infos(&families)
        .enabled_extension_names(&names);
    let mut info = features.add_to_device_create(info);
    // SAFETY: the device is made of what wgpu asks of this adapter, less robust access, and is given to wgpu, which destroys it.
    // `features` outlives the structures that `info` points to, and nothing else refers to them.
    let opened = unsafe {
        let core = (*info.p_enabled_features).robust_buffer_access(false);
        info.p_enabled_features = &core;
        visit(info.p_next.cast_mut().cast(), &mut support);
        let instance = hal.shared_instance().raw_instance();
        let raw = instance.create_device(hal.raw_physical_device(), &info, None);
        raw.map_err(|error| error.to_string()).and_then(|raw| {
            let (limits, hints) = (&descriptor.required_limits, &descriptor.memory_hints);
            hal.device_from_raw(raw, None, &extensions, wanted, limits, hints, 0, 0)
                .map_err(|error| error.to_string())
        })
    };
    // SAFETY: the device was made from this adapter with the descriptor's features and limits.
    Some(opened.and_then(|opened| unsafe {
        let opened = adapter.create_device_from_hal(opened, descriptor);
        let passes = descriptor.required_features.contains(wgpu::Features::PASSTHROUGH_SHADERS);
        let support = passes.then_some(support);
        let opened = opened.map(|(device, queue)| Opened { device, queue, support });
        opened.map_err(|error| error.to_string())
    }))
}

impl Support {
    fn of(version: u32, features: wgpu::Features) -> Support {
        let has = |feature| features.contains(feature);
        Support {
            version: match (vk::api_version_major(version), vk::api_version_minor(version)) {
                (1, 0) => (1, 0),
                (1, 1) => (1, 3),
                (1, 2) => (1, 5),
                _ => (1, 6),
            },
            f16: has(wgpu::Features::SHADER_F16),
            int8: false,
            dot4: false,
            subgroups: has(wgpu::Features::SUBGROUP),
            matrices: has(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX),
        }
    }
}

/// Clears the features of robust access in a chain of structures, and notes those that wgpu enables unasked.
///
/// # Safety
/// The chain must be valid Vulkan structures that may be written.
unsafe fn visit(mut next: *mut vk::BaseOutStructure, support: &mut Support) {
    // SAFETY: the type of each structure says what it is.
    unsafe {
        while let Some(structure) = next.as_mut() {
            match structure.s_type {
                vk::StructureType::PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT => {
                    let features = &mut *next.cast::<vk::PhysicalDeviceRobustness2FeaturesEXT>();
                    features.robust_buffer_access2 = vk::FALSE;
                    features.robust_image_access2 = vk::FALSE;
                }
                vk::StructureType::PHYSICAL_DEVICE_IMAGE_ROBUSTNESS_FEATURES => {
                    let features = &mut *next.cast::<vk::PhysicalDeviceImageRobustnessFeatures>();
                    features.robust_image_access = vk::FALSE;
                }
                vk::StructureType::PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES => {
                    let features = &*next.cast::<vk::PhysicalDeviceShaderFloat16Int8Features>();
                    support.int8 = features.shader_int8 == vk::TRUE;
                }
                vk::StructureType::PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES => {
                    let features =
                        &*next.cast::<vk::PhysicalDeviceShaderIntegerDotProductFeatures>();
                    support.dot4 = features.shader_integer_dot_product == vk::TRUE;
                }
                _ => {}
            }
            next = structure.p_next;
        }
    }
}
