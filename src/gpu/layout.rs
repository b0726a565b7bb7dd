//! Removes from SPIR-V the layout of types that no buffer reaches. naga 30 lays out every array and struct, which the specification
//! forbids for variables outside buffers (VUID-StandaloneSpirv-None-10684).

use std::collections::{BTreeMap, BTreeSet};

const HEADER: usize = 5;
const OP_TYPE_ARRAY: u32 = 28;
const OP_TYPE_RUNTIME_ARRAY: u32 = 29;
const OP_TYPE_STRUCT: u32 = 30;
const OP_TYPE_POINTER: u32 = 32;
const OP_DECORATE: u32 = 71;
const OP_MEMBER_DECORATE: u32 = 72;
const ARRAY_STRIDE: u32 = 6;
const OFFSET: u32 = 35;
/// Storage classes with an explicit layout: Uniform, PushConstant, StorageBuffer.
const LAID_OUT: [u32; 3] = [2, 9, 12];

/// The module without decorations of layout on types outside buffers. A type that is both in a buffer and outside keeps them.
pub fn only_in_buffers(words: &[u32]) -> Vec<u32> {
    let instructions = instructions(words);
    let mut parts: BTreeMap<u32, &[u32]> = BTreeMap::new();
    let mut open = Vec::new();
    for instruction in &instructions {
        match *instruction {
            [head, id, of, ..]
                if matches!(head & 0xffff, OP_TYPE_ARRAY | OP_TYPE_RUNTIME_ARRAY) =>
            {
                parts.insert(*id, std::slice::from_ref(of));
            }
            [head, id, members @ ..] if head & 0xffff == OP_TYPE_STRUCT => {
                parts.insert(*id, members);
            }
            [head, _, class, to]
                if head & 0xffff == OP_TYPE_POINTER && LAID_OUT.contains(class) =>
            {
                open.push(*to);
            }
            _ => {}
        }
    }
    let mut in_buffers = BTreeSet::new();
    while let Some(id) = open.pop() {
        if in_buffers.insert(id) {
            open.extend(parts.get(&id).copied().unwrap_or_default());
        }
    }
    let keeps = |instruction: &&&[u32]| match ***instruction {
        [head, id, ARRAY_STRIDE, ..] if head & 0xffff == OP_DECORATE => in_buffers.contains(&id),
        [head, id, _, OFFSET, ..] if head & 0xffff == OP_MEMBER_DECORATE => {
            in_buffers.contains(&id)
        }
        _ => true,
    };
    let kept = instructions.iter().filter(keeps).copied();
    words[..HEADER].iter().chain(kept.flatten()).copied().collect()
}

fn instructions(words: &[u32]) -> Vec<&[u32]> {
    let mut rest = &words[HEADER..];
    let mut all = Vec::new();
    while let Some(head) = rest.first() {
        let (instruction, after) = rest.split_at((head >> 16) as usize);
        all.push(instruction);
        rest = after;
    }
    all
}
