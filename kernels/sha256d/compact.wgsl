// Scans the nonces of one block header as scan.wgsl does, with loops, in a tenth of its code: for compilers that choke on that.
//
// Bindings, work and assumptions: as in scan.wgsl; nothing is shared between versions.
const WORKGROUP: u32 = 64u;
const NONCES: u32 = 64u;
const BLOCKS: u32 = 1023u;
const VERSIONS: u32 = 1u;
alias Word = u32;
const UNIFORM_ROTATION: bool = false;
const CHOOSE: u32 = 0u;
const MAJORITY: u32 = 0u;

struct State {
    a: Word, b: Word, c: Word, d: Word, e: Word, f: Word, g: Word, h: Word,
}
fn compress(state: State, block: array<Word, 16>) -> State {
    var a = state.a;
    var b = state.b;
    var c = state.c;
    var d = state.d;
    var e = state.e;
    var f = state.f;
    var g = state.g;
    var h = state.h;
    var w0 = block[0];
    var w1 = block[1];
    var w2 = block[2];
    var w3 = block[3];
    var w4 = block[4];
    var w5 = block[5];
    var w6 = block[6];
    var w7 = block[7];
    var w8 = block[8];
    var w9 = block[9];
    var w10 = block[10];
    var w11 = block[11];
    var w12 = block[12];
    var w13 = block[13];
    var w14 = block[14];
    var w15 = block[15];
    for (var round = 0u; round < 64u; round += 16u) {
        var t1: Word;
        let k0 = scan.k[round / 4u];
        let k1 = scan.k[round / 4u + 1u];
        let k2 = scan.k[round / 4u + 2u];
        let k3 = scan.k[round / 4u + 3u];
t1 = h + big_sigma1(e) + choose(e, f, g) + k0.x + w0;
        d += t1;
        h = t1 + big_sigma0(a) + majority(a, b, c);
t1 = g + big_sigma1(d) + choose(d, e, f) + k0.y + w1;
        c += t1;
        g = t1 + big_sigma0(h) + majority(h, a, b);
t1 = f + big_sigma1(c) + choose(c, d, e) + k0.z + w2;
        b += t1;
        f = t1 + big_sigma0(g) + majority(g, h, a);
t1 = e + big_sigma1(b) + choose(b, c, d) + k0.w + w3;
        a += t1;
        e = t1 + big_sigma0(f) + majority(f, g, h);
t1 = d + big_sigma1(a) + choose(a, b, c) + k1.x + w4;
        h += t1;
        d = t1 + big_sigma0(e) + majority(e, f, g);
t1 = c + big_sigma1(h) + choose(h, a, b) + k1.y + w5;
        g += t1;
        c = t1 + big_sigma0(d) + majority(d, e, f);
t1 = b + big_sigma1(g) + choose(g, h, a) + k1.z + w6;
        f += t1;
        b = t1 + big_sigma0(c) + majority(c, d, e);
t1 = a + big_sigma1(f) + choose(f, g, h) + k1.w + w7;
        e += t1;
        a = t1 + big_sigma0(b) + majority(b, c, d);
t1 = h + big_sigma1(e) + choose(e, f, g) + k2.x + w8;
        d += t1;
        h = t1 + big_sigma0(a) + majority(a, b, c);
t1 = g + big_sigma1(d) + choose(d, e, f) + k2.y + w9;
        c += t1;
        g = t1 + big_sigma0(h) + majority(h, a, b);
t1 = f + big_sigma1(c) + choose(c, d, e) + k2.z + w10;
        b += t1;
        f = t1 + big_sigma0(g) + majority(g, h, a);
t1 = e + big_sigma1(b) + choose(b, c, d) + k2.w + w11;
        a += t1;
        e = t1 + big_sigma0(f) + majority(f, g, h);
t1 = d + big_sigma1(a) + choose(a, b, c) + k3.x + w12;
        h += t1;
        d = t1 + big_sigma0(e) + majority(e, f, g);
t1 = c + big_sigma1(h) + choose(h, a, b) + k3.y + w13;
        g += t1;
        c = t1 + big_sigma0(d) + majority(d, e, f);
t1 = b + big_sigma1(g) + choose(g, h, a) + k3.z + w14;
        f += t1;
        b = t1 + big_sigma0(c) + majority(c, d, e);
t1 = a + big_sigma1(f) + choose(f, g, h) + k3.w + w15;
        e += t1;
        a = t1 + big_sigma0(b) + majority(b, c, d);
        if (round < 48u) {
            w0 += small_sigma1(w14) + w9 + small_sigma0(w1);
            w1 += small_sigma1(w15) + w10 + small_sigma0(w2);
            w2 += small_sigma1(w0) + w11 + small_sigma0(w3);
            w3 += small_sigma1(w1) + w12 + small_sigma0(w4);
            w4 += small_sigma1(w2) + w13 + small_sigma0(w5);
            w5 += small_sigma1(w3) + w14 + small_sigma0(w6);
            w6 += small_sigma1(w4) + w15 + small_sigma0(w7);
            w7 += small_sigma1(w5) + w0 + small_sigma0(w8);
            w8 += small_sigma1(w6) + w1 + small_sigma0(w9);
            w9 += small_sigma1(w7) + w2 + small_sigma0(w10);
            w10 += small_sigma1(w8) + w3 + small_sigma0(w11);
            w11 += small_sigma1(w9) + w4 + small_sigma0(w12);
            w12 += small_sigma1(w10) + w5 + small_sigma0(w13);
            w13 += small_sigma1(w11) + w6 + small_sigma0(w14);
            w14 += small_sigma1(w12) + w7 + small_sigma0(w15);
            w15 += small_sigma1(w13) + w8 + small_sigma0(w0);
        }
    }
    return State(state.a + a, state.b + b, state.c + c, state.d + d, state.e + e, state.f + f, state.g + g, state.h + h);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let block = scan.first + id.x * NONCES;
    let tail = scan.tail;
    var least = 0xffffffffu;
    for (var i = 0u; i < NONCES * VERSIONS; i += 1u) {
        let m = scan.versions[i / NONCES].midstate;
        let word = block + i % NONCES;
        var state = State(m[0].x, m[0].y, m[0].z, m[0].w, m[1].x, m[1].y, m[1].z, m[1].w);
        var message = array<Word, 16>(tail.x, tail.y, tail.z, word, 0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u, 640u);
        for (var hash = 0u; hash < 2u; hash += 1u) {
            let s = compress(state, message);
            state = State(0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au, 0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u);
            message = array<Word, 16>(s.a, s.b, s.c, s.d, s.e, s.f, s.g, s.h, 0x80000000u, 0u, 0u, 0u, 0u, 0u, 0u, 256u);
            if (hash == 1u) {
                least = min(least, s.h & scan.mask);
            }
        }
    }
    if (least == 0u) {
        let slot = atomicAdd(&blocks.count, 1u);
        if (slot < BLOCKS) {
            blocks.first[slot] = block;
        }
    }
}
