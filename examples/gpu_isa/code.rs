//! Machine code as the drivers write it: RADV's, NVK's and ANV's dialects.

use std::collections::{BTreeMap, BTreeSet};

/// A straight stretch of code.
#[derive(Default)]
pub struct Block {
    label: String,
    pub instructions: Vec<Instruction>,
    /// Labels that it may go to next, besides the block below.
    jumps: Vec<String>,
    /// Whether the block below may follow.
    falls_through: bool,
}

/// An instruction.
pub struct Instruction {
    /// Its name, with types: `v_fma_f32`, `ffma.ftz`.
    pub name: String,
    /// Whether it changes the type of numbers, from or to float.
    pub converts: bool,
}

impl Instruction {
    /// The kind of multiplication, if it multiplies.
    pub fn product(&self) -> Option<&'static str> {
        const PRODUCTS: &[&str] = &[
            "v_wmma",
            "v_dot4",
            "v_pk_fma_f16",
            "v_dual_fmac",
            "v_fma",
            "v_fmac",
            "v_pk_fmac",
            "v_mad",
            "hmma",
            "idp4",
            "hfma2",
            "ffma",
            "dpas",
            "dp4a",
            "mad",
        ];
        PRODUCTS.iter().find(|kind| self.name.starts_with(**kind)).copied()
    }
}

/// Straight stretches of code, in order.
pub fn blocks(assembly: &str) -> Vec<Block> {
    let dialect = match assembly {
        text if text.starts_with("block") => nvk,
        text if text.contains("s_endpgm") => radv,
        _ => anv,
    };
    let mut blocks = vec![Block { falls_through: true, ..Block::default() }];
    for line in assembly.lines() {
        dialect(line.trim(), &mut blocks);
    }
    blocks
}

fn begin(blocks: &mut Vec<Block>, label: &str) {
    blocks.push(Block { label: label.into(), falls_through: true, ..Block::default() });
}

fn last(blocks: &mut [Block]) -> &mut Block {
    blocks.last_mut().expect("there is one from the beginning")
}

/// `v_add_f32 v1, v2, v3`; blocks begin with `BB3:`.
fn radv(line: &str, blocks: &mut Vec<Block>) {
    let mut words = line.split_whitespace();
    let Some(name) = words.next() else { return };
    if name.starts_with("BB") {
        return begin(blocks, name.trim_end_matches(':'));
    }
    let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && name.contains('_');
    if !is_name {
        return;
    }
    let block = last(blocks);
    block.jumps.extend(words.next().filter(|to| to.starts_with("BB")).map(str::to_string));
    block.falls_through = !matches!(name, "s_branch" | "s_endpgm");
    block.instructions.push(Instruction { converts: name.contains("_cvt_"), name: name.into() });
}

/// `@p0 r1 = iadd3 r2 r3 rZ // delay=4`, between `block 3 L4 [2] -> {` and `} -> [4, 5]`.
fn nvk(line: &str, blocks: &mut Vec<Block>) {
    let mut words = line.split_whitespace();
    if line.starts_with("block") {
        return begin(blocks, words.nth(1).unwrap_or_default());
    }
    let block = last(blocks);
    if let Some(next) = line.strip_prefix("} -> [") {
        let next = next.trim_end_matches(']').split(", ").filter(|to| !to.is_empty());
        block.jumps = next.map(str::to_string).collect();
        block.falls_through = false;
        return;
    }
    let Some((text, _)) = line.split_once("//") else { return };
    let text = text.split_once(" = ").map_or(text, |(_, right)| right);
    let name = text.split_whitespace().find(|word| !word.starts_with('@'));
    let Some(name) = name else { return };
    let converts = ["i2f", "f2i", "f2f"].iter().any(|kind| name.starts_with(kind));
    block.instructions.push(Instruction { converts, name: name.into() });
}

/// `(W) mad (8) r1:f r2:f r3:f r4:f {F@1}`; blocks begin with `L3:`.
fn anv(line: &str, blocks: &mut Vec<Block>) {
    let is_label = |word: &str| word.strip_prefix('L').is_some_and(|n| n.parse::<u32>().is_ok());
    if let Some(label) = line.strip_suffix(':').filter(|label| is_label(label)) {
        return begin(blocks, label);
    }
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('('));
    let Some(name) = words.next() else { return };
    // Waits, which take no time of the units that calculate.
    if name == "sync.nop" {
        return;
    }
    let words: Vec<&str> = words.take_while(|word| !word.starts_with(['{', '/'])).collect();
    let block = last(blocks);
    let targets = words.iter().filter_map(|word| word.rsplit(':').next()).filter(|to| is_label(to));
    block.jumps.extend(targets.map(str::to_string));
    let is_float = |word: &str| word.ends_with(":f") || word.ends_with(":hf");
    let converts = match words.as_slice() {
        [to, from] if name == "mov" => {
            from.starts_with('r')
                && (is_float(to) || is_float(from))
                && to.ends_with(":f") != from.ends_with(":f")
        }
        _ => false,
    };
    block.instructions.push(Instruction { converts, name: name.into() });
}

/// The blocks of each loop around a block, the smallest first; it alone if there is none.
pub fn loops_around(blocks: &[Block], inside: usize) -> Vec<BTreeSet<usize>> {
    let at: BTreeMap<&str, usize> =
        blocks.iter().enumerate().map(|(i, block)| (block.label.as_str(), i)).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); blocks.len()];
    for (i, block) in blocks.iter().enumerate() {
        let below = Some(i + 1).filter(|_| block.falls_through && i + 1 < blocks.len());
        for next in block.jumps.iter().filter_map(|to| at.get(to.as_str()).copied()).chain(below) {
            before[next].push(i);
        }
    }
    // A jump back closes a loop: what reaches it without passing its target.
    let around = |head: usize, tail: usize| {
        let (mut body, mut open) = (BTreeSet::from([head]), vec![tail]);
        while let Some(block) = open.pop() {
            if body.insert(block) {
                open.extend(&before[block]);
            }
        }
        body
    };
    let tails = |head: usize| before[head].iter().copied().filter(move |tail| *tail >= head);
    let mut loops: Vec<BTreeSet<usize>> = (0..blocks.len())
        .flat_map(|head| tails(head).map(move |tail| (head, tail)))
        .map(|(head, tail)| around(head, tail))
        .filter(|body| body.contains(&inside))
        .collect();
    loops.sort_by_key(BTreeSet::len);
    if loops.is_empty() {
        loops.push(BTreeSet::from([inside]));
    }
    loops
}
