// Scans the nonces of one block header: sha256(sha256(header)), looking for hashes that begin with enough zero bits.
// build/wgsl.rs writes `schedule`, `last_word` and their terms, as straight-line code.
//
// Bindings: 0 the scan (uniform), 1 the blocks found (a count, then first words; the host clears the count).
// Work: every invocation hashes a block of NONCES consecutive words, WIDTH at a time, in VERSIONS versions of the header,
// and reports the block if any of its hashes is a share; the host finds which. A word is the nonce as the hash reads
// it, its bytes swapped.
// Assumes: the host dispatches whole workgroups and never more words than the header has left.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const BLOCKS: u32 = 1023u;
const VERSIONS: u32 = 2u;
// The versions of a word one after another (four at most), or in a loop: less code, terms fetched by the loop's counter.
const UNROLLED: bool = true;
alias Word = u32;
const WIDTH: u32 = 1u;
const OFFSETS: Word = 0u;
// Rotation counts as constants, or from the uniform buffer where a compiler then finds its rotate instruction.
const UNIFORM_ROTATION: bool = false;
const CHOOSE: u32 = 0u;
const MAJORITY: u32 = 0u;

// The test inside the loop takes two instructions and no branch: emulated GPUs execute a branch lane by lane.
@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let mask = Word(scan.mask);
    let block = scan.first + id.x * NONCES;
    var least = Word(0xffffffffu);
    let shared_terms = schedule_terms();
    let terms0 = round_terms(0u);
    let terms1 = round_terms(min(1u, VERSIONS - 1u));
    let terms2 = round_terms(min(2u, VERSIONS - 1u));
    let terms3 = round_terms(min(3u, VERSIONS - 1u));
    for (var i = 0u; i < NONCES; i += WIDTH) {
        let w = schedule(shared_terms, Word(block + i) + OFFSETS);
        if (UNROLLED) {
            least = min(least, last_word(terms0, w) & mask);
            if (VERSIONS > 1u) {
                least = min(least, last_word(terms1, w) & mask);
            }
            if (VERSIONS > 2u) {
                least = min(least, last_word(terms2, w) & mask);
            }
            if (VERSIONS > 3u) {
                least = min(least, last_word(terms3, w) & mask);
            }
        } else {
            for (var version = 0u; version < VERSIONS; version += 1u) {
                least = min(least, last_word(round_terms(version), w) & mask);
            }
        }
    }
    if (any(least == Word(0u))) {
        let slot = atomicAdd(&blocks.count, 1u);
        if (slot < BLOCKS) {
            blocks.first[slot] = block;
        }
    }
}
