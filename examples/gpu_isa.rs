//! What AMD's open driver makes of the kernels, for a card that need not be there. `scripts/gpu-isa.sh` sets the environment that
//! makes the driver pretend; run it, not this.
//!
//! Usage: gpu_isa [WORD]: only variants whose name contains WORD. Prints a row of a Markdown table for each.

use ash::{khr, vk};
use naga::back::spv;
use rigbench::kernels::{self, BindingKind, Kernel};
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::CStr;

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let compiler = Compiler::new()?;
    for entry in kernels::TABLE.iter().chain(kernels::DECODER).filter(|e| e.id.contains(&wanted)) {
        let kernels = match entry.id.split_once('/') {
            Some(("decoder", _)) => of_a_decoder(entry)?,
            _ => Kernel::all(entry)?,
        };
        for kernel in kernels.iter().filter(|kernel| compiler.takes(kernel)) {
            row(&compiler, kernel)?;
        }
    }
    // The pretended card has nothing to give back, and its driver may not survive trying.
    std::process::exit(0);
}

/// A kernel of a decoder as such cards run it: of products the gate, behind a norm, for each type of weights.
fn of_a_decoder(entry: &'static kernels::Entry) -> Result<Vec<Kernel>, Box<dyn Error>> {
    let given = |values: &[(&'static str, &str)]| {
        let values: Vec<_> =
            values.iter().map(|(name, value)| (*name, value.to_string())).collect();
        Kernel::with_params(entry, &values)
    };
    let kind = entry.id.trim_start_matches("decoder/").split('-').next();
    let rows: &[&[(&str, &str)]] = match kind {
        // For subgroups of 8 lanes.
        Some("rows") => &[],
        Some("panels") => {
            &[&[("ROWS", "1u"), ("SPLIT", "32u")], &[("ROWS", "8u"), ("SPLIT", "4u")]]
        }
        Some("tiles" | "matrices") => &[&[]],
        _ => return Ok(vec![given(&[("SPLIT", "32u"), ("WORKGROUP", "256u")])?]),
    };
    let types =
        ["16u", "8u", "4u"].map(|bits| [("B_BITS", bits), ("NORM", "true"), ("FINISH", "2u")]);
    let products = rows.iter().flat_map(|rows| types.iter().map(|types| [*rows, types].concat()));
    Ok(products.map(|values| given(&values)).collect::<Result<_, _>>()?)
}

/// Prints what a kernel became.
fn row(compiler: &Compiler, kernel: &Kernel) -> Result<(), Box<dyn Error>> {
    let (found, assembly) = compiler.compile(kernel)?;
    let count = |name: &str| found.get(name).copied().unwrap_or(0);
    let a = kernel.constant("A_BITS").unwrap_or(32);
    let types = kernel.constant("B_BITS").map_or("–".into(), |b| format!("{a}×{b}"));
    let rows = kernel.constant("FINISH").and(kernel.constant("ROWS"));
    let rows = rows.map_or(String::new(), |rows| format!(" of {rows}"));
    let work = match kernel.id.split(['/', '-']).next() {
        Some("sha256d") => format!("{:.0} for a hash", instructions(&assembly, kernel)),
        Some("stream") => "–".into(),
        Some("decoder") if kernel.constant("FINISH").is_none() => "–".into(),
        _ => products(&assembly),
    };
    println!(
        "| {} | {}{rows} | {types} | {work} | {} | {} | {} | {} | {} |",
        compiler.card,
        kernel.id,
        count("VGPRs"),
        count("Spilled VGPRs") + count("Spilled SGPRs"),
        count("LDS size"),
        count("Subgroups per SIMD"),
        count("Inverse Throughput"),
    );
    Ok(())
}

/// Straight stretches of machine code.
fn stretches(assembly: &str) -> Vec<Vec<&str>> {
    let mut stretches = vec![Vec::new()];
    for line in assembly.lines().map(str::trim_start) {
        if line.starts_with("BB") {
            stretches.push(Vec::new());
        }
        stretches.last_mut().expect("one is there").push(line);
    }
    stretches
}

/// Of the stretch that multiplies most: the instructions that do, by kind, among all of its vector instructions.
fn products(assembly: &str) -> String {
    const MULTIPLY: &[&str] = &[
        "v_wmma",
        "v_dot4",
        "v_pk_fma_f16",
        "v_dual_fmac",
        "v_fma",
        "v_fmac",
        "v_pk_fmac",
        "v_mad",
    ];
    let kind = |line: &&str| MULTIPLY.iter().find(|kind| line.starts_with(**kind)).copied();
    let multiplies = |stretch: &Vec<&str>| stretch.iter().filter_map(kind).count();
    let on_matrices =
        |stretch: &Vec<&str>| stretch.iter().filter(|line| line.starts_with("v_wmma")).count();
    let multiplications = |stretch: &Vec<&str>| (on_matrices(stretch), multiplies(stretch));
    let Some(stretch) = stretches(assembly).into_iter().max_by_key(multiplications) else {
        return "–".into();
    };
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in stretch.iter().filter_map(kind) {
        *kinds.entry(kind).or_default() += 1;
    }
    let all = stretch.iter().filter(|line| line.starts_with("v_")).count();
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    format!("{} of {all}", kinds.join(", "))
}

/// Vector instructions for a hash; for kernels whose code is not straight enough to tell, those of the longest straight
/// stretch, which need not be the inner loop.
fn instructions(assembly: &str, kernel: &Kernel) -> f64 {
    let vector = |stretch: Vec<&str>| stretch.iter().filter(|line| line.starts_with("v_")).count();
    let mut counts: Vec<usize> = stretches(assembly).into_iter().map(vector).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let [first, second] = [0, 1].map(|i| counts.get(i).copied().map_or(0.0, |n| n as f64));
    let number = |name| f64::from(kernel.number(name));
    match kernel.params.get("UNROLLED").map(String::as_str) {
        // All versions of a word in one stretch; or the rounds of a version, and the schedule that they share.
        Some("true") => first / number("VERSIONS") / number("WIDTH"),
        Some(_) => (first + second / number("VERSIONS")) / number("WIDTH"),
        None => first,
    }
}

/// A Vulkan device that only compiles.
struct Compiler {
    /// The loader; everything else is gone with it.
    _entry: ash::Entry,
    card: String,
    device: ash::Device,
    /// Whether the card has matrix units and its driver shows them.
    matrices: bool,
    statistics: khr::pipeline_executable_properties::Device,
}

impl Compiler {
    fn new() -> Result<Compiler, Box<dyn Error>> {
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        let info = vk::InstanceCreateInfo::default().application_info(&application);
        let priorities = [1.0];
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(0)
            .queue_priorities(&priorities)];
        let features = vk::PhysicalDeviceFeatures::default().shader_int64(true).shader_int16(true);
        let mut features11 =
            vk::PhysicalDeviceVulkan11Features::default().storage_buffer16_bit_access(true);
        let mut features12 = vk::PhysicalDeviceVulkan12Features::default()
            .shader_float16(true)
            .vulkan_memory_model(true);
        let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
            .pipeline_executable_info(true);
        // SAFETY: plain Vulkan calls in the order that the specification asks for; nothing is destroyed.
        unsafe {
            let entry = ash::Entry::load()?;
            let instance = entry.create_instance(&info, None)?;
            let physical = *instance
                .enumerate_physical_devices()?
                .first()
                .ok_or("the driver shows no card")?;
            let properties = instance.get_physical_device_properties(physical);
            let card = CStr::from_ptr(properties.device_name.as_ptr()).to_str()?;
            let card = card.rsplit('(').next().unwrap_or(card).trim_end_matches(')');
            let extensions = instance.enumerate_device_extension_properties(physical)?;
            let matrices = extensions
                .iter()
                .any(|e| e.extension_name_as_c_str() == Ok(khr::cooperative_matrix::NAME));
            let mut names = vec![khr::pipeline_executable_properties::NAME.as_ptr()];
            let mut cooperative = vk::PhysicalDeviceCooperativeMatrixFeaturesKHR::default()
                .cooperative_matrix(matrices);
            if matrices {
                names.push(khr::cooperative_matrix::NAME.as_ptr());
            }
            let mut info = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&names)
                .enabled_features(&features)
                .push_next(&mut features11)
                .push_next(&mut features12)
                .push_next(&mut executables);
            if matrices {
                info = info.push_next(&mut cooperative);
            }
            let device = instance.create_device(physical, &info, None)?;
            let statistics = khr::pipeline_executable_properties::Device::new(&instance, &device);
            Ok(Compiler { _entry: entry, card: card.to_string(), device, matrices, statistics })
        }
    }

    /// Whether the kernel is one for such a card: its subgroups have 64 lanes, its matrices a side of 16.
    fn takes(&self, kernel: &Kernel) -> bool {
        let matrix = kernel.constant("MATRIX").is_none_or(|side| self.matrices && side == 16);
        matrix && kernel.constant("LANES").is_none_or(|lanes| lanes == 64)
    }

    /// The driver's statistics of the compiled kernel, by name, and its machine code as text.
    fn compile(&self, kernel: &Kernel) -> Result<(BTreeMap<String, u64>, String), Box<dyn Error>> {
        let spirv = spirv(kernel)?;
        let bindings: Vec<vk::DescriptorSetLayoutBinding> = kernel
            .bindings
            .iter()
            .map(|binding| {
                let kind = match binding.kind {
                    BindingKind::Uniform => vk::DescriptorType::UNIFORM_BUFFER,
                    BindingKind::StorageRead | BindingKind::StorageWrite => {
                        vk::DescriptorType::STORAGE_BUFFER
                    }
                    BindingKind::Texture | BindingKind::TextureWrite => {
                        vk::DescriptorType::STORAGE_IMAGE
                    }
                };
                vk::DescriptorSetLayoutBinding::default()
                    .binding(binding.index)
                    .descriptor_type(kind)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            })
            .collect();
        let set = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
        let module = vk::ShaderModuleCreateInfo::default().code(&spirv);
        // SAFETY: as above.
        unsafe {
            let sets = [self.device.create_descriptor_set_layout(&set, None)?];
            let layout = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let stage = vk::PipelineShaderStageCreateInfo::default()
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
            let executable =
                vk::PipelineExecutableInfoKHR::default().pipeline(pipelines[0]).executable_index(0);
            let all = self.statistics.get_pipeline_executable_statistics(&executable)?;
            let statistics = all
                .iter()
                .map(|s| Ok((CStr::from_ptr(s.name.as_ptr()).to_str()?.to_string(), s.value.u64)))
                .collect::<Result<_, Box<dyn Error>>>()?;
            Ok((statistics, self.assembly(&executable)?))
        }
    }

    /// The machine code as text.
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
            let wanted =
                all.iter().position(|r| CStr::from_ptr(r.name.as_ptr()).to_bytes() == b"Assembly");
            let text = &texts[wanted.ok_or("the driver gives no machine code")?];
            Ok(String::from_utf8_lossy(text).into_owned())
        }
    }
}

/// The kernel as wgpu would hand it to the driver.
fn spirv(kernel: &Kernel) -> Result<Vec<u32>, Box<dyn Error>> {
    let module = naga::front::wgsl::parse_str(&kernel.wgsl)?;
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::all(),
    );
    let info = validator.validate(&module)?;
    let options = spv::Options {
        lang_version: (1, 3),
        // Kernels are trusted: wgpu neither bounds their loops nor clears what workgroups share.
        force_loop_bounding: false,
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        ..Default::default()
    };
    let point = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: "main".into(),
    };
    Ok(spv::write_vec(&module, &info, &options, Some(&point))?)
}
