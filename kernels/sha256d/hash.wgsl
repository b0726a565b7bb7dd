
// SHA-256's Σ0, Σ1, σ0, σ1, Ch and Maj, and the bindings of both sha256d kernels, which come before this text and define Word, VERSIONS
// and BLOCKS.
const SCHEDULE_VECTORS: u32 = 2u; // vectors of precomputed terms of the schedule
const ROUND_VECTORS: u32 = 6u; // vectors of precomputed terms of the rounds, per version
struct Version {
    midstate: array<vec4<u32>, 2>, // state after the header's first 64 bytes
    terms: array<vec4<u32>, ROUND_VECTORS>,
}
struct Scan {
    first: u32, // first nonce of this dispatch, as a word of the header
    mask: u32,  // bits of the hash's last word that are zero in a share
    pad0: u32,
    pad1: u32,
    tail: vec4<u32>, // the three words of the header before the nonce
    rotations: array<vec4<u32>, 3>,
    k: array<vec4<u32>, 16>, // round constants
    schedule: array<vec4<u32>, SCHEDULE_VECTORS>,
    versions: array<Version, VERSIONS>,
}
struct Blocks {
    count: atomic<u32>,
    first: array<u32, BLOCKS>,
}
@group(0) @binding(0) var<uniform> scan: Scan;
@group(0) @binding(1) var<storage, read_write> blocks: Blocks;

fn r2(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[0].x)) | (x << Word(32u - scan.rotations[0].x));
    }
    return (x >> Word(2u)) | (x << Word(30u));
}
fn r13(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[0].y)) | (x << Word(32u - scan.rotations[0].y));
    }
    return (x >> Word(13u)) | (x << Word(19u));
}
fn r22(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[0].z)) | (x << Word(32u - scan.rotations[0].z));
    }
    return (x >> Word(22u)) | (x << Word(10u));
}
fn r6(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[0].w)) | (x << Word(32u - scan.rotations[0].w));
    }
    return (x >> Word(6u)) | (x << Word(26u));
}
fn r11(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[1].x)) | (x << Word(32u - scan.rotations[1].x));
    }
    return (x >> Word(11u)) | (x << Word(21u));
}
fn r25(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[1].y)) | (x << Word(32u - scan.rotations[1].y));
    }
    return (x >> Word(25u)) | (x << Word(7u));
}
fn r7(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[1].z)) | (x << Word(32u - scan.rotations[1].z));
    }
    return (x >> Word(7u)) | (x << Word(25u));
}
fn r18(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[1].w)) | (x << Word(32u - scan.rotations[1].w));
    }
    return (x >> Word(18u)) | (x << Word(14u));
}
fn r17(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[2].x)) | (x << Word(32u - scan.rotations[2].x));
    }
    return (x >> Word(17u)) | (x << Word(15u));
}
fn r19(x: Word) -> Word {
    if (UNIFORM_ROTATION) {
        return (x >> Word(scan.rotations[2].y)) | (x << Word(32u - scan.rotations[2].y));
    }
    return (x >> Word(19u)) | (x << Word(13u));
}

fn big_sigma0(x: Word) -> Word {
    return r2(x) ^ r13(x) ^ r22(x);
}
fn big_sigma1(x: Word) -> Word {
    return r6(x) ^ r11(x) ^ r25(x);
}
fn small_sigma0(x: Word) -> Word {
    return r7(x) ^ r18(x) ^ (x >> Word(3u));
}
fn small_sigma1(x: Word) -> Word {
    return r17(x) ^ r19(x) ^ (x >> Word(10u));
}

// Bits of f where e has ones, of g elsewhere.
fn choose(e: Word, f: Word, g: Word) -> Word {
    if (CHOOSE == 1u) {
        return (e & f) | (~e & g);
    }
    return g ^ (e & (f ^ g));
}

// Every bit that two of the three agree on.
fn majority(a: Word, b: Word, c: Word) -> Word {
    if (MAJORITY == 1u) {
        return (a & b) | (c & (a | b));
    }
    // b ^ c is a ^ b of the round before.
    return b ^ ((a ^ b) & (b ^ c));
}
