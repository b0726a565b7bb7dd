//! A Vulkan device that only compiles, opened with the features that wgpu enables.

use ash::{ext, khr, vk};
use rigbench::gpu::spirv::{self, Support};
use rigbench::kernels::{Binding, BindingKind, Kernel};
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::CStr;

/// The first card that the driver shows.
pub struct Card {
    /// The loader; everything else is gone with it.
    _entry: ash::Entry,
    instance: ash::Instance,
    physical: vk::PhysicalDevice,
    pub is_intel: bool,
    extensions: Vec<vk::ExtensionProperties>,
    /// Maximum subgroup size.
    lanes: u32,
    /// Bytes that a workgroup can share.
    workgroup_bytes: u32,
    f16: bool,
    /// Sides of its square matrices with f16 operands and f32 accumulators.
    matrices: Vec<u32>,
}

/// An open device.
pub struct Compiler {
    device: ash::Device,
    statistics: khr::pipeline_executable_properties::Device,
}

/// What became of a kernel, for one subgroup size.
pub struct Compiled {
    /// Subgroup size.
    pub lanes: u32,
    /// The driver's statistics by name.
    pub statistics: BTreeMap<String, u64>,
    /// Machine code as text.
    pub assembly: String,
}

impl Card {
    pub fn first() -> Result<Card, Box<dyn Error>> {
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        // SAFETY: plain Vulkan calls in the order that the specification asks for; nothing is destroyed.
        unsafe {
            let entry = ash::Entry::load()?;
            let instance = entry.create_instance(&info, None)?;
            let physical = *instance
                .enumerate_physical_devices()?
                .first()
                .ok_or("the driver shows no card")?;
            let extensions = instance.enumerate_device_extension_properties(physical)?;
            let mut subgroups = vk::PhysicalDeviceVulkan13Properties::default();
            let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut subgroups);
            instance.get_physical_device_properties2(physical, &mut properties);
            let properties = properties.properties;
            let mut features12 = vk::PhysicalDeviceVulkan12Features::default();
            let mut features = vk::PhysicalDeviceFeatures2::default().push_next(&mut features12);
            instance.get_physical_device_features2(physical, &mut features);
            let mut card = Card {
                is_intel: properties.vendor_id == 0x8086,
                lanes: subgroups.max_subgroup_size,
                workgroup_bytes: properties.limits.max_compute_shared_memory_size,
                f16: features12.shader_float16 == vk::TRUE,
                matrices: Vec::new(),
                _entry: entry,
                instance,
                physical,
                extensions,
            };
            card.matrices = card.square_matrices()?;
            Ok(card)
        }
    }

    fn has(&self, extension: &CStr) -> bool {
        self.extensions.iter().any(|e| e.extension_name_as_c_str() == Ok(extension))
    }

    fn square_matrices(&self) -> Result<Vec<u32>, Box<dyn Error>> {
        if !self.has(khr::cooperative_matrix::NAME) {
            return Ok(Vec::new());
        }
        let matrices = khr::cooperative_matrix::Instance::new(&self._entry, &self.instance);
        // SAFETY: the card has the extension.
        let all =
            unsafe { matrices.get_physical_device_cooperative_matrix_properties(self.physical)? };
        let (half, single) = (vk::ComponentTypeKHR::FLOAT16, vk::ComponentTypeKHR::FLOAT32);
        let fits = |m: &&vk::CooperativeMatrixPropertiesKHR| {
            let types = [m.a_type, m.b_type, m.c_type, m.result_type];
            types == [half, half, single, single] && m.m_size == m.n_size && m.n_size == m.k_size
        };
        Ok(all.iter().filter(fits).map(|m| m.m_size).collect())
    }

    /// Whether rigbench would offer the kernel to this card.
    pub fn takes(&self, kernel: &Kernel) -> bool {
        kernel.constant("MATRIX").is_none_or(|side| self.matrices.contains(&side))
            && kernel.constant("LANES").is_none_or(|lanes| lanes == self.lanes)
            && kernel.workgroup_bytes <= self.workgroup_bytes
            && (self.f16 || !kernel.needs.iter().any(|need| need == "f16"))
    }

    /// Opens the card, with or without the checks of buffer and image accesses that wgpu enables by default.
    pub fn open(&self, robust: bool) -> Result<Compiler, Box<dyn Error>> {
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(0)
            .queue_priorities(&priorities)];
        let features = vk::PhysicalDeviceFeatures::default().robust_buffer_access(robust);
        let mut features11 = vk::PhysicalDeviceVulkan11Features::default()
            .storage_buffer16_bit_access(self.f16)
            .uniform_and_storage_buffer16_bit_access(self.f16);
        let mut features12 = vk::PhysicalDeviceVulkan12Features::default()
            .shader_float16(self.f16)
            .shader_int8(true)
            .vulkan_memory_model(true);
        let mut features13 = vk::PhysicalDeviceVulkan13Features::default()
            .robust_image_access(robust)
            .shader_integer_dot_product(true)
            .subgroup_size_control(true)
            .maintenance4(true);
        let mut robustness = vk::PhysicalDeviceRobustness2FeaturesEXT::default()
            .robust_buffer_access2(robust)
            .robust_image_access2(robust);
        let mut matrices =
            vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default().cooperative_matrix(true);
        let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        let mut names = vec![khr::pipeline_executable_properties::NAME.as_ptr()];
        let mut info = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_features(&features)
            .push_next(&mut features11)
            .push_next(&mut features12)
            .push_next(&mut features13)
            .push_next(&mut executables);
        if self.has(ext::robustness2::NAME) {
            names.push(ext::robustness2::NAME.as_ptr());
            info = info.push_next(&mut robustness);
        }
        if !self.matrices.is_empty() {
            names.push(khr::cooperative_matrix::NAME.as_ptr());
            info = info.push_next(&mut matrices);
        }
        let info = info.enabled_extension_names(&names);
        // SAFETY: as above.
        let device = unsafe { self.instance.create_device(self.physical, &info, None)? };
        let statistics = khr::pipeline_executable_properties::Device::new(&self.instance, &device);
        Ok(Compiler { device, statistics })
    }
}

impl Compiler {
    /// Compiles a kernel; some drivers do so for several subgroup sizes.
    pub fn compile(&self, kernel: &Kernel) -> Result<Vec<Compiled>, Box<dyn Error>> {
        let spirv = spirv::translate(kernel, Support::ALL)?;
        let bindings: Vec<_> = kernel.bindings.iter().zip(0..).map(layout_binding).collect();
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let module = vk::ShaderModuleCreateInfo::default().code(&spirv);
        // SAFETY: as above.
        unsafe {
            let sets = [self.device.create_descriptor_set_layout(&set, None)?];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(self.device.create_shader_module(&module, None)?)
                .name(c"main");
            let info = vk::ComputePipelineCreateInfo::default()
                .stage(stage)
                .layout(self.device.create_pipeline_layout(&layout, None)?)
                .flags(
                    vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                        | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR,
                );
            let pipelines = self
                .device
                .create_compute_pipelines(vk::PipelineCache::null(), &[info], None)
                .map_err(|(_, error)| error)?;
            let pipeline = vk::PipelineInfoKHR::default().pipeline(pipelines[0]);
            let executables = self.statistics.get_pipeline_executable_properties(&pipeline)?;
            executables
                .iter()
                .enumerate()
                .map(|(index, properties)| {
                    let executable = vk::PipelineExecutableInfoKHR::default()
                        .pipeline(pipelines[0])
                        .executable_index(index as u32);
                    Ok(Compiled {
                        lanes: properties.subgroup_size,
                        statistics: self.statistics(&executable)?,
                        assembly: self.assembly(&executable)?,
                    })
                })
                .collect()
        }
    }

    /// The driver's figures.
    ///
    /// # Safety
    /// The executable must be of a pipeline of this device that captured its statistics.
    unsafe fn statistics(
        &self,
        executable: &vk::PipelineExecutableInfoKHR,
    ) -> Result<BTreeMap<String, u64>, Box<dyn Error>> {
        // SAFETY: as above.
        let all = unsafe { self.statistics.get_pipeline_executable_statistics(executable)? };
        let statistic = |s: &vk::PipelineExecutableStatisticKHR| {
            // SAFETY: the format says which member is set; the name ends in a zero.
            unsafe {
                let value = match s.format {
                    vk::PipelineExecutableStatisticFormatKHR::FLOAT64 => s.value.f64 as u64,
                    vk::PipelineExecutableStatisticFormatKHR::BOOL32 => s.value.b32.into(),
                    _ => s.value.u64,
                };
                Ok((CStr::from_ptr(s.name.as_ptr()).to_str()?.to_string(), value))
            }
        };
        all.iter().map(statistic).collect()
    }

    /// The machine code as text: the last that the driver tells.
    ///
    /// # Safety
    /// The executable must be of a pipeline of this device that captured its representations.
    unsafe fn assembly(
        &self,
        executable: &vk::PipelineExecutableInfoKHR,
    ) -> Result<String, Box<dyn Error>> {
        let get = self.statistics.fp().get_pipeline_executable_internal_representations_khr;
        let device = self.device.handle();
        // SAFETY: asked twice, as the specification wants: how many and how long, then with room for the text.
        unsafe {
            let mut count = 0;
            get(device, executable, &mut count, std::ptr::null_mut()).result()?;
            let mut all =
                vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            get(device, executable, &mut count, all.as_mut_ptr()).result()?;
            let mut texts: Vec<Vec<u8>> = all.iter().map(|r| vec![0; r.data_size]).collect();
            for (representation, text) in all.iter_mut().zip(&mut texts) {
                representation.p_data = text.as_mut_ptr().cast();
            }
            get(device, executable, &mut count, all.as_mut_ptr()).result()?;
            let text = |i: usize| String::from_utf8_lossy(&texts[i]).into_owned();
            let assembly = |r: &vk::PipelineExecutableInternalRepresentationKHR| {
                let name = CStr::from_ptr(r.name.as_ptr()).to_string_lossy();
                name.contains("ssembly")
            };
            let at = all.iter().rposition(assembly).ok_or("the driver gives no machine code")?;
            Ok(text(at))
        }
    }
}

/// wgpu numbers bindings anew, without gaps.
fn layout_binding((binding, number): (&Binding, u32)) -> vk::DescriptorSetLayoutBinding<'static> {
    let kind = match binding.kind {
        BindingKind::Uniform => vk::DescriptorType::UNIFORM_BUFFER,
        BindingKind::StorageRead | BindingKind::StorageWrite => vk::DescriptorType::STORAGE_BUFFER,
        BindingKind::Texture | BindingKind::TextureWrite => vk::DescriptorType::STORAGE_IMAGE,
    };
    vk::DescriptorSetLayoutBinding::default()
        .binding(number)
        .descriptor_type(kind)
        .descriptor_count(1)
        .stage_flags(vk::ShaderStageFlags::COMPUTE)
}
