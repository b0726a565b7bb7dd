//! What a kernel's inner loop takes.

use crate::code::{self, Block, Instruction};
use rigbench::kernels::Kernel;
use std::collections::{BTreeMap, BTreeSet};

/// In words: instructions for a hash or a weight, or the multiplications among the instructions.
pub fn of(kernel: &Kernel, assembly: &str) -> String {
    let blocks = code::blocks(assembly);
    match kernel.id.split(['/', '-']).next() {
        Some("sha256d") => format!("{:.0} a hash", hash(&blocks, kernel)),
        Some("stream") => "–".into(),
        Some("decoder") if kernel.id == "decoder/panels" => weights(&blocks, kernel),
        Some("decoder") if kernel.constant("FINISH").is_none() => "–".into(),
        Some("decoder") => staged(&blocks),
        _ => products(&blocks),
    }
}

/// AMD's scalar instructions have a unit of their own, and one serves a whole subgroup.
fn counts(instruction: &Instruction) -> bool {
    !instruction.name.starts_with("s_")
}

fn count(block: &Block) -> usize {
    block.instructions.iter().filter(|i| counts(i)).count()
}

/// Instructions for a hash; for kernels whose code is not straight enough to tell, those of the longest straight stretch.
fn hash(blocks: &[Block], kernel: &Kernel) -> f64 {
    let mut counts: Vec<usize> = blocks.iter().map(count).collect();
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

/// The stretch that multiplies most, first of all on matrix units.
fn heaviest(blocks: &[Block]) -> Option<usize> {
    let weight = |block: &Block| {
        let products = block.instructions.iter().filter_map(Instruction::product);
        let (matrix, other): (Vec<_>, Vec<_>) =
            products.partition(|kind| matches!(*kind, "v_wmma" | "hmma" | "dpas"));
        (matrix.len(), other.len())
    };
    (0..blocks.len()).max_by_key(|&i| weight(&blocks[i])).filter(|&i| weight(&blocks[i]) > (0, 0))
}

/// Of the stretch that multiplies most: the instructions that do, by kind, among all.
fn products(blocks: &[Block]) -> String {
    let Some(heaviest) = heaviest(blocks) else { return "–".into() };
    let block = &blocks[heaviest];
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in block.instructions.iter().filter_map(Instruction::product) {
        *kinds.entry(kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    format!("{} of {}", kinds.join(", "), count(block))
}

/// A chunk of a decoder's weights is 4 terms of 8 columns.
const CHUNK: f64 = 32.0;

fn conversions(blocks: &[Block], body: &BTreeSet<usize>) -> f64 {
    let converts = |i: &usize| blocks[*i].instructions.iter().filter(|i| i.converts).count();
    body.iter().map(converts).sum::<usize>() as f64
}

/// Instructions and conversions for a weight, in the loop around the stretch that multiplies most.
fn weights(blocks: &[Block], kernel: &Kernel) -> String {
    let Some(heaviest) = heaviest(blocks) else { return "–".into() };
    let body = &code::loops_around(blocks, heaviest)[0];
    let instructions: usize = body.iter().map(|&i| count(&blocks[i])).sum();
    let weights = CHUNK * f64::from(kernel.number("CHUNKS"));
    let converts = conversions(blocks, body) / weights;
    format!("{:.2} a weight, {converts:.2} convert", instructions as f64 / weights)
}

/// Conversions for a weight, of invocations that stage one chunk each in the loop around all multiplications.
fn staged(blocks: &[Block]) -> String {
    let Some(heaviest) = heaviest(blocks) else { return "–".into() };
    let loops = code::loops_around(blocks, heaviest);
    let converts = conversions(blocks, &loops[loops.len() - 1]) / CHUNK;
    format!("{}; {converts:.2} convert a weight", products(blocks))
}
