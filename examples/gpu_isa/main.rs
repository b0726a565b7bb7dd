//! What a driver's compiler makes of the kernels, for a card that need not be there. `scripts/gpu-isa.sh` sets the environment that
//! makes drivers pretend; run it, not this.
//!
//! Usage: gpu_isa [--robust] [--code FOLDER] [WORD]: a row of a Markdown table for each variant whose name contains WORD; --robust:
//! as on a device with robust buffer access; --code: the machine code too, as text files. Exit code 1 if a variant spills registers
//! that should not.
//!
//! gpu_isa --spirv FOLDER [WORD]: writes the SPIR-V of every kernel that rigbench can compile; needs no driver.

mod code;
mod device;
mod variants;
mod work;

use device::{Card, Compiled};
use rigbench::gpu::spirv::{self, Support};
use rigbench::kernels::Kernel;
use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use variants::Variant;

#[derive(Default)]
struct Options {
    robust: bool,
    code: Option<PathBuf>,
    spirv: Option<PathBuf>,
    word: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut options = Options::default();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut folder = || words.next().map(PathBuf::from).ok_or("a folder is missing");
        match word.as_str() {
            "--robust" => options.robust = true,
            "--code" => options.code = Some(folder()?),
            "--spirv" => options.spirv = Some(folder()?),
            _ => options.word = word,
        }
    }
    if let Some(folder) = &options.spirv {
        return write_spirv(folder, &options);
    }
    let spilled = write_table(&options)?;
    // The pretended card has nothing to give back, and its driver may not survive trying.
    std::process::exit(i32::from(spilled));
}

fn file(folder: &Path, name: &str, extension: &str) -> PathBuf {
    folder.join(format!("{}.{extension}", name.replace(['/', ' '], "_")))
}

fn write_spirv(folder: &Path, options: &Options) -> Result<(), Box<dyn Error>> {
    for (name, kernel) in variants::every(&options.word)? {
        let words = spirv::translate(&kernel, Support::ALL)?;
        let bytes: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        std::fs::write(file(folder, &name, "spv"), bytes)?;
    }
    Ok(())
}

/// Prints the table and returns whether a variant spills that should not.
fn write_table(options: &Options) -> Result<bool, Box<dyn Error>> {
    let card = Card::first()?;
    let compilers = [card.open(options.robust)?, card.open(!options.robust)?];
    // How many variants of a workload and its types came before.
    let mut before: BTreeMap<String, usize> = BTreeMap::new();
    let mut spilled = false;
    for variant in variants::for_table()?.iter().filter(|v| card.takes(&v.kernel)) {
        let kernel = &variant.kernel;
        let workload = kernel.id.split('/').next().unwrap_or_default();
        let rank = before.entry(format!("{workload} {}", types(kernel))).or_default();
        let first_four = *rank < 4 && workload != "decoder";
        *rank += 1;
        if !kernel.id.contains(&options.word) {
            continue;
        }
        let [all, others] = [compilers[0].compile(kernel)?, compilers[1].compile(kernel)?];
        for compiled in &all {
            // Intel's cards have half the registers of others.
            if spills(compiled) > 0 && (first_four || !card.is_intel) {
                eprintln!("spills: {}{} {}", kernel.id, variant.suffix, types(kernel));
                spilled = true;
            }
            let other = others.iter().find(|other| other.lanes == compiled.lanes);
            row(variant, compiled, other, options.robust);
            if let Some(folder) = &options.code {
                let name = format!("{}{}-{}", kernel.id, variant.suffix, compiled.lanes);
                let name = format!("{name}-{}", types(kernel));
                std::fs::write(file(folder, &name, "txt"), &compiled.assembly)?;
            }
        }
    }
    Ok(spilled)
}

/// Types of activations and weights, in bits.
fn types(kernel: &Kernel) -> String {
    let a = kernel.constant("A_BITS").unwrap_or(32);
    kernel.constant("B_BITS").map_or("–".into(), |b| format!("{a}×{b}"))
}

/// The first of these statistics that the driver has.
fn statistic(compiled: &Compiled, names: &[&str]) -> u64 {
    let of = |name: &&str| compiled.statistics.get(*name).copied().filter(|n| *n > 0);
    names.iter().find_map(of).unwrap_or(0)
}

fn instructions(compiled: &Compiled) -> u64 {
    statistic(compiled, &["Instructions", "Instruction count"])
}

fn cycles(compiled: &Compiled) -> u64 {
    statistic(compiled, &["Inverse Throughput", "Static cycle count", "Cycles"])
}

fn spills(compiled: &Compiled) -> u64 {
    ["Spilled VGPRs", "Spilled SGPRs", "Spills to memory", "Spills"]
        .iter()
        .map(|name| statistic(compiled, &[name]))
        .sum()
}

/// Prints what a kernel became; `other` is the same with robust buffer access, or without if this is with.
fn row(variant: &Variant, compiled: &Compiled, other: Option<&Compiled>, robust: bool) {
    let Variant { kernel, suffix } = variant;
    let ratio = |figure: fn(&Compiled) -> u64| {
        let [this, other] = [compiled, other?].map(|c| figure(c) as f64);
        Some(if robust { this / other } else { other / this })
    };
    let ratio = |figure| ratio(figure).map_or("–".into(), |ratio| format!("{ratio:.2}"));
    println!(
        "| {}{suffix} | {} | {} | {} | {} | {} | {} | {} | {} | {} / {} |",
        kernel.id,
        types(kernel),
        compiled.lanes,
        work::of(kernel, &compiled.assembly),
        instructions(compiled),
        statistic(compiled, &["VGPRs", "Number of GPRs", "GRF registers", "Max live registers"]),
        spills(compiled),
        kernel.workgroup_bytes,
        cycles(compiled),
        ratio(instructions),
        ratio(cycles),
    );
}
