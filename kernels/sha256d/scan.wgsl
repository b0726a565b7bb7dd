// Scans the nonces of one block header: sha256(sha256(header)), looking for hashes that begin with enough zero bits.
// Written by src/kernels/sha256d/wgsl.rs; do not edit.
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

struct Version {
    midstate: array<vec4<u32>, 2>, // state after the header's first 64 bytes
    terms: array<vec4<u32>, 6>,
}
struct Scan {
    first: u32, // first word of this dispatch
    mask: u32,  // bits of the hash's last word that are zero in a share
    pad0: u32,
    pad1: u32,
    tail: vec4<u32>, // the three words of the header before the nonce
    rotations: array<vec4<u32>, 3>,
    k: array<vec4<u32>, 16>, // round constants
    schedule: array<vec4<u32>, 2>,
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

fn upper0(x: Word) -> Word {
    return r2(x) ^ r13(x) ^ r22(x);
}
fn upper1(x: Word) -> Word {
    return r6(x) ^ r11(x) ^ r25(x);
}
fn lower0(x: Word) -> Word {
    return r7(x) ^ r18(x) ^ (x >> Word(3u));
}
fn lower1(x: Word) -> Word {
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

// What depends on the header alone: on all but its version, and on each version. Read before the loop over words:
// inside it a compiler may fetch it for every lane.
struct ScheduleTerms {
    t12: u32,
    t14: u32,
    t16: u32,
    t18: u32,
    t20: u32,
    t22: u32,
}
fn schedule_terms() -> ScheduleTerms {
    return ScheduleTerms(scan.schedule[0].x, scan.schedule[0].y, scan.schedule[0].z, scan.schedule[0].w, scan.schedule[1].x, scan.schedule[1].y);
}
struct RoundTerms {
    t0: u32,
    t1: u32,
    t2: u32,
    t3: u32,
    t4: u32,
    t5: u32,
    t6: u32,
    t7: u32,
    t28: u32,
    t31: u32,
    t34: u32,
    t37: u32,
    t40: u32,
    t43: u32,
    t46: u32,
    t47: u32,
    t48: u32,
    t49: u32,
    t50: u32,
    t51: u32,
    t52: u32,
    t53: u32,
    t54: u32,
}
fn round_terms(version: u32) -> RoundTerms {
    return RoundTerms(scan.versions[version].terms[0].x, scan.versions[version].terms[0].y, scan.versions[version].terms[0].z, scan.versions[version].terms[0].w, scan.versions[version].terms[1].x, scan.versions[version].terms[1].y, scan.versions[version].terms[1].z, scan.versions[version].terms[1].w, scan.versions[version].terms[2].x, scan.versions[version].terms[2].y, scan.versions[version].terms[2].z, scan.versions[version].terms[2].w, scan.versions[version].terms[3].x, scan.versions[version].terms[3].y, scan.versions[version].terms[3].z, scan.versions[version].terms[3].w, scan.versions[version].terms[4].x, scan.versions[version].terms[4].y, scan.versions[version].terms[4].z, scan.versions[version].terms[4].w, scan.versions[version].terms[5].x, scan.versions[version].terms[5].y, scan.versions[version].terms[5].z);
}

// What every version of the header has in common for a word: its message schedule, round constants added.
struct Schedule {
    v0: Word,
    v122: Word,
    v123: Word,
    v124: Word,
    v125: Word,
    v126: Word,
    v127: Word,
    v128: Word,
    v129: Word,
    v130: Word,
    v131: Word,
    v132: Word,
    v133: Word,
    v134: Word,
    v135: Word,
    v136: Word,
    v137: Word,
    v138: Word,
    v139: Word,
    v140: Word,
    v141: Word,
    v142: Word,
    v143: Word,
    v144: Word,
    v145: Word,
    v146: Word,
    v147: Word,
    v148: Word,
    v149: Word,
    v150: Word,
    v151: Word,
    v152: Word,
    v153: Word,
    v154: Word,
    v155: Word,
    v156: Word,
    v157: Word,
    v158: Word,
    v159: Word,
    v160: Word,
    v161: Word,
    v162: Word,
    v163: Word,
    v164: Word,
    v165: Word,
    v166: Word,
    v167: Word,
}
fn schedule(t: ScheduleTerms, word: Word) -> Schedule {
    let v0 = word;
    let v1 = lower0(v0);
    let v2 = t.t16 + v1;
    let v3 = t.t18 + v0;
    let v4 = lower1(v2);
    let v5 = 0x80000000u + v4;
    let v6 = lower1(v3);
    let v7 = lower1(v5);
    let v8 = 0x00000280u + v7;
    let v9 = lower1(v6);
    let v10 = t.t12 + v9;
    let v11 = lower1(v8);
    let v12 = t.t14 + v11;
    let v13 = lower1(v10);
    let v14 = v2 + v13;
    let v15 = lower1(v12);
    let v16 = v3 + v15;
    let v17 = lower1(v14);
    let v18 = v5 + v17;
    let v19 = lower1(v16);
    let v20 = v6 + v19;
    let v21 = lower1(v18);
    let v22 = v8 + v21;
    let v23 = lower1(v20);
    let v24 = 0x00a00055u + v10 + v23;
    let v25 = lower1(v22);
    let v26 = t.t20 + v12 + v25;
    let v27 = lower1(v24);
    let v28 = t.t22 + v14 + v27;
    let v29 = lower1(v26);
    let v30 = lower0(v2);
    let v31 = t.t14 + v30 + v16 + v29;
    let v32 = lower1(v28);
    let v33 = lower0(v3);
    let v34 = v2 + v33 + v18 + v32;
    let v35 = lower1(v31);
    let v36 = lower0(v5);
    let v37 = v3 + v36 + v20 + v35;
    let v38 = lower1(v34);
    let v39 = lower0(v6);
    let v40 = v5 + v39 + v22 + v38;
    let v41 = lower1(v37);
    let v42 = lower0(v8);
    let v43 = v6 + v42 + v24 + v41;
    let v44 = lower1(v40);
    let v45 = lower0(v10);
    let v46 = v8 + v45 + v26 + v44;
    let v47 = lower1(v43);
    let v48 = lower0(v12);
    let v49 = v10 + v48 + v28 + v47;
    let v50 = lower1(v46);
    let v51 = lower0(v14);
    let v52 = v12 + v51 + v31 + v50;
    let v53 = lower1(v49);
    let v54 = lower0(v16);
    let v55 = v14 + v54 + v34 + v53;
    let v56 = lower1(v52);
    let v57 = lower0(v18);
    let v58 = v16 + v57 + v37 + v56;
    let v59 = lower1(v55);
    let v60 = lower0(v20);
    let v61 = v18 + v60 + v40 + v59;
    let v62 = lower1(v58);
    let v63 = lower0(v22);
    let v64 = v20 + v63 + v43 + v62;
    let v65 = lower1(v61);
    let v66 = lower0(v24);
    let v67 = v22 + v66 + v46 + v65;
    let v68 = lower1(v64);
    let v69 = lower0(v26);
    let v70 = v24 + v69 + v49 + v68;
    let v71 = lower1(v67);
    let v72 = lower0(v28);
    let v73 = v26 + v72 + v52 + v71;
    let v74 = lower1(v70);
    let v75 = lower0(v31);
    let v76 = v28 + v75 + v55 + v74;
    let v77 = lower1(v73);
    let v78 = lower0(v34);
    let v79 = v31 + v78 + v58 + v77;
    let v80 = lower1(v76);
    let v81 = lower0(v37);
    let v82 = v34 + v81 + v61 + v80;
    let v83 = lower1(v79);
    let v84 = lower0(v40);
    let v85 = v37 + v84 + v64 + v83;
    let v86 = lower1(v82);
    let v87 = lower0(v43);
    let v88 = v40 + v87 + v67 + v86;
    let v89 = lower1(v85);
    let v90 = lower0(v46);
    let v91 = v43 + v90 + v70 + v89;
    let v92 = lower1(v88);
    let v93 = lower0(v49);
    let v94 = v46 + v93 + v73 + v92;
    let v95 = lower1(v91);
    let v96 = lower0(v52);
    let v97 = v49 + v96 + v76 + v95;
    let v98 = lower1(v94);
    let v99 = lower0(v55);
    let v100 = v52 + v99 + v79 + v98;
    let v101 = lower1(v97);
    let v102 = lower0(v58);
    let v103 = v55 + v102 + v82 + v101;
    let v104 = lower1(v100);
    let v105 = lower0(v61);
    let v106 = v58 + v105 + v85 + v104;
    let v107 = lower1(v103);
    let v108 = lower0(v64);
    let v109 = v61 + v108 + v88 + v107;
    let v110 = lower1(v106);
    let v111 = lower0(v67);
    let v112 = v64 + v111 + v91 + v110;
    let v113 = lower1(v109);
    let v114 = lower0(v70);
    let v115 = v67 + v114 + v94 + v113;
    let v116 = lower1(v112);
    let v117 = lower0(v73);
    let v118 = v70 + v117 + v97 + v116;
    let v119 = lower1(v115);
    let v120 = lower0(v76);
    let v121 = v73 + v120 + v100 + v119;
    let v122 = 0x0fc19dc6u + v2;
    let v123 = 0x240ca1ccu + v3;
    let v124 = 0x2de92c6fu + v5;
    let v125 = 0x4a7484aau + v6;
    let v126 = 0x5cb0a9dcu + v8;
    let v127 = 0x76f988dau + v10;
    let v128 = 0x983e5152u + v12;
    let v129 = 0xa831c66du + v14;
    let v130 = 0xb00327c8u + v16;
    let v131 = 0xbf597fc7u + v18;
    let v132 = 0xc6e00bf3u + v20;
    let v133 = 0xd5a79147u + v22;
    let v134 = 0x06ca6351u + v24;
    let v135 = 0x14292967u + v26;
    let v136 = 0x27b70a85u + v28;
    let v137 = 0x2e1b2138u + v31;
    let v138 = 0x4d2c6dfcu + v34;
    let v139 = 0x53380d13u + v37;
    let v140 = 0x650a7354u + v40;
    let v141 = 0x766a0abbu + v43;
    let v142 = 0x81c2c92eu + v46;
    let v143 = 0x92722c85u + v49;
    let v144 = 0xa2bfe8a1u + v52;
    let v145 = 0xa81a664bu + v55;
    let v146 = 0xc24b8b70u + v58;
    let v147 = 0xc76c51a3u + v61;
    let v148 = 0xd192e819u + v64;
    let v149 = 0xd6990624u + v67;
    let v150 = 0xf40e3585u + v70;
    let v151 = 0x106aa070u + v73;
    let v152 = 0x19a4c116u + v76;
    let v153 = 0x1e376c08u + v79;
    let v154 = 0x2748774cu + v82;
    let v155 = 0x34b0bcb5u + v85;
    let v156 = 0x391c0cb3u + v88;
    let v157 = 0x4ed8aa4au + v91;
    let v158 = 0x5b9cca4fu + v94;
    let v159 = 0x682e6ff3u + v97;
    let v160 = 0x748f82eeu + v100;
    let v161 = 0x78a5636fu + v103;
    let v162 = 0x84c87814u + v106;
    let v163 = 0x8cc70208u + v109;
    let v164 = 0x90befffau + v112;
    let v165 = 0xa4506cebu + v115;
    let v166 = 0xbef9a3f7u + v118;
    let v167 = 0xc67178f2u + v121;
    return Schedule(v0, v122, v123, v124, v125, v126, v127, v128, v129, v130, v131, v132, v133, v134, v135, v136, v137, v138, v139, v140, v141, v142, v143, v144, v145, v146, v147, v148, v149, v150, v151, v152, v153, v154, v155, v156, v157, v158, v159, v160, v161, v162, v163, v164, v165, v166, v167);
}

// The last word of the double hash.
fn last_word(t: RoundTerms, w: Schedule) -> Word {
    let v168 = t.t43 + w.v0;
    let v169 = t.t46 + w.v0;
    let v170 = Word(t.t31) ^ (v168 & Word(t.t47));
    let v171 = upper1(v168);
    let v172 = t.t48 + v170 + v171;
    let v173 = t.t28 + v172;
    let v174 = upper0(v169);
    let v175 = Word(t.t50) ^ (v169 & Word(t.t49));
    let v176 = v172 + v174 + v175;
    let v177 = choose(v173, v168, Word(t.t37));
    let v178 = upper1(v173);
    let v179 = t.t51 + v177 + v178;
    let v180 = t.t34 + v179;
    let v181 = upper0(v176);
    let v182 = majority(v176, v169, Word(t.t40));
    let v183 = v179 + v181 + v182;
    let v184 = choose(v180, v173, v168);
    let v185 = upper1(v180);
    let v186 = t.t52 + v184 + v185;
    let v187 = t.t40 + v186;
    let v188 = upper0(v183);
    let v189 = majority(v183, v176, v169);
    let v190 = v186 + v188 + v189;
    let v191 = choose(v187, v180, v173);
    let v192 = upper1(v187);
    let v193 = 0xab1c5ed5u + v168 + v191 + v192;
    let v194 = v193 + v169;
    let v195 = upper0(v190);
    let v196 = majority(v190, v183, v176);
    let v197 = v193 + v195 + v196;
    let v198 = choose(v194, v187, v180);
    let v199 = upper1(v194);
    let v200 = 0xd807aa98u + v173 + v198 + v199;
    let v201 = v200 + v176;
    let v202 = upper0(v197);
    let v203 = majority(v197, v190, v183);
    let v204 = v200 + v202 + v203;
    let v205 = choose(v201, v194, v187);
    let v206 = upper1(v201);
    let v207 = 0x12835b01u + v180 + v205 + v206;
    let v208 = v207 + v183;
    let v209 = upper0(v204);
    let v210 = majority(v204, v197, v190);
    let v211 = v207 + v209 + v210;
    let v212 = choose(v208, v201, v194);
    let v213 = upper1(v208);
    let v214 = 0x243185beu + v187 + v212 + v213;
    let v215 = v214 + v190;
    let v216 = upper0(v211);
    let v217 = majority(v211, v204, v197);
    let v218 = v214 + v216 + v217;
    let v219 = choose(v215, v208, v201);
    let v220 = upper1(v215);
    let v221 = 0x550c7dc3u + v194 + v219 + v220;
    let v222 = v221 + v197;
    let v223 = upper0(v218);
    let v224 = majority(v218, v211, v204);
    let v225 = v221 + v223 + v224;
    let v226 = choose(v222, v215, v208);
    let v227 = upper1(v222);
    let v228 = 0x72be5d74u + v201 + v226 + v227;
    let v229 = v228 + v204;
    let v230 = upper0(v225);
    let v231 = majority(v225, v218, v211);
    let v232 = v228 + v230 + v231;
    let v233 = choose(v229, v222, v215);
    let v234 = upper1(v229);
    let v235 = 0x80deb1feu + v208 + v233 + v234;
    let v236 = v235 + v211;
    let v237 = upper0(v232);
    let v238 = majority(v232, v225, v218);
    let v239 = v235 + v237 + v238;
    let v240 = choose(v236, v229, v222);
    let v241 = upper1(v236);
    let v242 = 0x9bdc06a7u + v215 + v240 + v241;
    let v243 = v242 + v218;
    let v244 = upper0(v239);
    let v245 = majority(v239, v232, v225);
    let v246 = v242 + v244 + v245;
    let v247 = choose(v243, v236, v229);
    let v248 = upper1(v243);
    let v249 = 0xc19bf3f4u + v222 + v247 + v248;
    let v250 = v249 + v225;
    let v251 = upper0(v246);
    let v252 = majority(v246, v239, v232);
    let v253 = v249 + v251 + v252;
    let v254 = choose(v250, v243, v236);
    let v255 = upper1(v250);
    let v256 = t.t53 + v229 + v254 + v255;
    let v257 = v256 + v232;
    let v258 = upper0(v253);
    let v259 = majority(v253, v246, v239);
    let v260 = v256 + v258 + v259;
    let v261 = choose(v257, v250, v243);
    let v262 = upper1(v257);
    let v263 = t.t54 + v236 + v261 + v262;
    let v264 = v263 + v239;
    let v265 = upper0(v260);
    let v266 = majority(v260, v253, v246);
    let v267 = v263 + v265 + v266;
    let v268 = choose(v264, v257, v250);
    let v269 = upper1(v264);
    let v270 = w.v122 + v243 + v268 + v269;
    let v271 = v270 + v246;
    let v272 = upper0(v267);
    let v273 = majority(v267, v260, v253);
    let v274 = v270 + v272 + v273;
    let v275 = choose(v271, v264, v257);
    let v276 = upper1(v271);
    let v277 = w.v123 + v250 + v275 + v276;
    let v278 = v277 + v253;
    let v279 = upper0(v274);
    let v280 = majority(v274, v267, v260);
    let v281 = v277 + v279 + v280;
    let v282 = choose(v278, v271, v264);
    let v283 = upper1(v278);
    let v284 = w.v124 + v257 + v282 + v283;
    let v285 = v284 + v260;
    let v286 = upper0(v281);
    let v287 = majority(v281, v274, v267);
    let v288 = v284 + v286 + v287;
    let v289 = choose(v285, v278, v271);
    let v290 = upper1(v285);
    let v291 = w.v125 + v264 + v289 + v290;
    let v292 = v291 + v267;
    let v293 = upper0(v288);
    let v294 = majority(v288, v281, v274);
    let v295 = v291 + v293 + v294;
    let v296 = choose(v292, v285, v278);
    let v297 = upper1(v292);
    let v298 = w.v126 + v271 + v296 + v297;
    let v299 = v298 + v274;
    let v300 = upper0(v295);
    let v301 = majority(v295, v288, v281);
    let v302 = v298 + v300 + v301;
    let v303 = choose(v299, v292, v285);
    let v304 = upper1(v299);
    let v305 = w.v127 + v278 + v303 + v304;
    let v306 = v305 + v281;
    let v307 = upper0(v302);
    let v308 = majority(v302, v295, v288);
    let v309 = v305 + v307 + v308;
    let v310 = choose(v306, v299, v292);
    let v311 = upper1(v306);
    let v312 = w.v128 + v285 + v310 + v311;
    let v313 = v312 + v288;
    let v314 = upper0(v309);
    let v315 = majority(v309, v302, v295);
    let v316 = v312 + v314 + v315;
    let v317 = choose(v313, v306, v299);
    let v318 = upper1(v313);
    let v319 = w.v129 + v292 + v317 + v318;
    let v320 = v319 + v295;
    let v321 = upper0(v316);
    let v322 = majority(v316, v309, v302);
    let v323 = v319 + v321 + v322;
    let v324 = choose(v320, v313, v306);
    let v325 = upper1(v320);
    let v326 = w.v130 + v299 + v324 + v325;
    let v327 = v326 + v302;
    let v328 = upper0(v323);
    let v329 = majority(v323, v316, v309);
    let v330 = v326 + v328 + v329;
    let v331 = choose(v327, v320, v313);
    let v332 = upper1(v327);
    let v333 = w.v131 + v306 + v331 + v332;
    let v334 = v333 + v309;
    let v335 = upper0(v330);
    let v336 = majority(v330, v323, v316);
    let v337 = v333 + v335 + v336;
    let v338 = choose(v334, v327, v320);
    let v339 = upper1(v334);
    let v340 = w.v132 + v313 + v338 + v339;
    let v341 = v340 + v316;
    let v342 = upper0(v337);
    let v343 = majority(v337, v330, v323);
    let v344 = v340 + v342 + v343;
    let v345 = choose(v341, v334, v327);
    let v346 = upper1(v341);
    let v347 = w.v133 + v320 + v345 + v346;
    let v348 = v347 + v323;
    let v349 = upper0(v344);
    let v350 = majority(v344, v337, v330);
    let v351 = v347 + v349 + v350;
    let v352 = choose(v348, v341, v334);
    let v353 = upper1(v348);
    let v354 = w.v134 + v327 + v352 + v353;
    let v355 = v354 + v330;
    let v356 = upper0(v351);
    let v357 = majority(v351, v344, v337);
    let v358 = v354 + v356 + v357;
    let v359 = choose(v355, v348, v341);
    let v360 = upper1(v355);
    let v361 = w.v135 + v334 + v359 + v360;
    let v362 = v361 + v337;
    let v363 = upper0(v358);
    let v364 = majority(v358, v351, v344);
    let v365 = v361 + v363 + v364;
    let v366 = choose(v362, v355, v348);
    let v367 = upper1(v362);
    let v368 = w.v136 + v341 + v366 + v367;
    let v369 = v368 + v344;
    let v370 = upper0(v365);
    let v371 = majority(v365, v358, v351);
    let v372 = v368 + v370 + v371;
    let v373 = choose(v369, v362, v355);
    let v374 = upper1(v369);
    let v375 = w.v137 + v348 + v373 + v374;
    let v376 = v375 + v351;
    let v377 = upper0(v372);
    let v378 = majority(v372, v365, v358);
    let v379 = v375 + v377 + v378;
    let v380 = choose(v376, v369, v362);
    let v381 = upper1(v376);
    let v382 = w.v138 + v355 + v380 + v381;
    let v383 = v382 + v358;
    let v384 = upper0(v379);
    let v385 = majority(v379, v372, v365);
    let v386 = v382 + v384 + v385;
    let v387 = choose(v383, v376, v369);
    let v388 = upper1(v383);
    let v389 = w.v139 + v362 + v387 + v388;
    let v390 = v389 + v365;
    let v391 = upper0(v386);
    let v392 = majority(v386, v379, v372);
    let v393 = v389 + v391 + v392;
    let v394 = choose(v390, v383, v376);
    let v395 = upper1(v390);
    let v396 = w.v140 + v369 + v394 + v395;
    let v397 = v396 + v372;
    let v398 = upper0(v393);
    let v399 = majority(v393, v386, v379);
    let v400 = v396 + v398 + v399;
    let v401 = choose(v397, v390, v383);
    let v402 = upper1(v397);
    let v403 = w.v141 + v376 + v401 + v402;
    let v404 = v403 + v379;
    let v405 = upper0(v400);
    let v406 = majority(v400, v393, v386);
    let v407 = v403 + v405 + v406;
    let v408 = choose(v404, v397, v390);
    let v409 = upper1(v404);
    let v410 = w.v142 + v383 + v408 + v409;
    let v411 = v410 + v386;
    let v412 = upper0(v407);
    let v413 = majority(v407, v400, v393);
    let v414 = v410 + v412 + v413;
    let v415 = choose(v411, v404, v397);
    let v416 = upper1(v411);
    let v417 = w.v143 + v390 + v415 + v416;
    let v418 = v417 + v393;
    let v419 = upper0(v414);
    let v420 = majority(v414, v407, v400);
    let v421 = v417 + v419 + v420;
    let v422 = choose(v418, v411, v404);
    let v423 = upper1(v418);
    let v424 = w.v144 + v397 + v422 + v423;
    let v425 = v424 + v400;
    let v426 = upper0(v421);
    let v427 = majority(v421, v414, v407);
    let v428 = v424 + v426 + v427;
    let v429 = choose(v425, v418, v411);
    let v430 = upper1(v425);
    let v431 = w.v145 + v404 + v429 + v430;
    let v432 = v431 + v407;
    let v433 = upper0(v428);
    let v434 = majority(v428, v421, v414);
    let v435 = v431 + v433 + v434;
    let v436 = choose(v432, v425, v418);
    let v437 = upper1(v432);
    let v438 = w.v146 + v411 + v436 + v437;
    let v439 = v438 + v414;
    let v440 = upper0(v435);
    let v441 = majority(v435, v428, v421);
    let v442 = v438 + v440 + v441;
    let v443 = choose(v439, v432, v425);
    let v444 = upper1(v439);
    let v445 = w.v147 + v418 + v443 + v444;
    let v446 = v445 + v421;
    let v447 = upper0(v442);
    let v448 = majority(v442, v435, v428);
    let v449 = v445 + v447 + v448;
    let v450 = choose(v446, v439, v432);
    let v451 = upper1(v446);
    let v452 = w.v148 + v425 + v450 + v451;
    let v453 = v452 + v428;
    let v454 = upper0(v449);
    let v455 = majority(v449, v442, v435);
    let v456 = v452 + v454 + v455;
    let v457 = choose(v453, v446, v439);
    let v458 = upper1(v453);
    let v459 = w.v149 + v432 + v457 + v458;
    let v460 = v459 + v435;
    let v461 = upper0(v456);
    let v462 = majority(v456, v449, v442);
    let v463 = v459 + v461 + v462;
    let v464 = choose(v460, v453, v446);
    let v465 = upper1(v460);
    let v466 = w.v150 + v439 + v464 + v465;
    let v467 = v466 + v442;
    let v468 = upper0(v463);
    let v469 = majority(v463, v456, v449);
    let v470 = v466 + v468 + v469;
    let v471 = choose(v467, v460, v453);
    let v472 = upper1(v467);
    let v473 = w.v151 + v446 + v471 + v472;
    let v474 = v473 + v449;
    let v475 = upper0(v470);
    let v476 = majority(v470, v463, v456);
    let v477 = v473 + v475 + v476;
    let v478 = choose(v474, v467, v460);
    let v479 = upper1(v474);
    let v480 = w.v152 + v453 + v478 + v479;
    let v481 = v480 + v456;
    let v482 = upper0(v477);
    let v483 = majority(v477, v470, v463);
    let v484 = v480 + v482 + v483;
    let v485 = choose(v481, v474, v467);
    let v486 = upper1(v481);
    let v487 = w.v153 + v460 + v485 + v486;
    let v488 = v487 + v463;
    let v489 = upper0(v484);
    let v490 = majority(v484, v477, v470);
    let v491 = v487 + v489 + v490;
    let v492 = choose(v488, v481, v474);
    let v493 = upper1(v488);
    let v494 = w.v154 + v467 + v492 + v493;
    let v495 = v494 + v470;
    let v496 = upper0(v491);
    let v497 = majority(v491, v484, v477);
    let v498 = v494 + v496 + v497;
    let v499 = choose(v495, v488, v481);
    let v500 = upper1(v495);
    let v501 = w.v155 + v474 + v499 + v500;
    let v502 = v501 + v477;
    let v503 = upper0(v498);
    let v504 = majority(v498, v491, v484);
    let v505 = v501 + v503 + v504;
    let v506 = choose(v502, v495, v488);
    let v507 = upper1(v502);
    let v508 = w.v156 + v481 + v506 + v507;
    let v509 = v508 + v484;
    let v510 = upper0(v505);
    let v511 = majority(v505, v498, v491);
    let v512 = v508 + v510 + v511;
    let v513 = choose(v509, v502, v495);
    let v514 = upper1(v509);
    let v515 = w.v157 + v488 + v513 + v514;
    let v516 = v515 + v491;
    let v517 = upper0(v512);
    let v518 = majority(v512, v505, v498);
    let v519 = v515 + v517 + v518;
    let v520 = choose(v516, v509, v502);
    let v521 = upper1(v516);
    let v522 = w.v158 + v495 + v520 + v521;
    let v523 = v522 + v498;
    let v524 = upper0(v519);
    let v525 = majority(v519, v512, v505);
    let v526 = v522 + v524 + v525;
    let v527 = choose(v523, v516, v509);
    let v528 = upper1(v523);
    let v529 = w.v159 + v502 + v527 + v528;
    let v530 = v529 + v505;
    let v531 = upper0(v526);
    let v532 = majority(v526, v519, v512);
    let v533 = v529 + v531 + v532;
    let v534 = choose(v530, v523, v516);
    let v535 = upper1(v530);
    let v536 = w.v160 + v509 + v534 + v535;
    let v537 = v536 + v512;
    let v538 = upper0(v533);
    let v539 = majority(v533, v526, v519);
    let v540 = v536 + v538 + v539;
    let v541 = choose(v537, v530, v523);
    let v542 = upper1(v537);
    let v543 = w.v161 + v516 + v541 + v542;
    let v544 = v543 + v519;
    let v545 = upper0(v540);
    let v546 = majority(v540, v533, v526);
    let v547 = v543 + v545 + v546;
    let v548 = choose(v544, v537, v530);
    let v549 = upper1(v544);
    let v550 = w.v162 + v523 + v548 + v549;
    let v551 = v550 + v526;
    let v552 = upper0(v547);
    let v553 = majority(v547, v540, v533);
    let v554 = v550 + v552 + v553;
    let v555 = choose(v551, v544, v537);
    let v556 = upper1(v551);
    let v557 = w.v163 + v530 + v555 + v556;
    let v558 = v557 + v533;
    let v559 = upper0(v554);
    let v560 = majority(v554, v547, v540);
    let v561 = v557 + v559 + v560;
    let v562 = choose(v558, v551, v544);
    let v563 = upper1(v558);
    let v564 = w.v164 + v537 + v562 + v563;
    let v565 = v564 + v540;
    let v566 = upper0(v561);
    let v567 = majority(v561, v554, v547);
    let v568 = v564 + v566 + v567;
    let v569 = choose(v565, v558, v551);
    let v570 = upper1(v565);
    let v571 = w.v165 + v544 + v569 + v570;
    let v572 = v571 + v547;
    let v573 = upper0(v568);
    let v574 = majority(v568, v561, v554);
    let v575 = v571 + v573 + v574;
    let v576 = choose(v572, v565, v558);
    let v577 = upper1(v572);
    let v578 = w.v166 + v551 + v576 + v577;
    let v579 = v578 + v554;
    let v580 = upper0(v575);
    let v581 = majority(v575, v568, v561);
    let v582 = v578 + v580 + v581;
    let v583 = choose(v579, v572, v565);
    let v584 = upper1(v579);
    let v585 = w.v167 + v558 + v583 + v584;
    let v586 = v585 + v561;
    let v587 = upper0(v582);
    let v588 = majority(v582, v575, v568);
    let v589 = v585 + v587 + v588;
    let v590 = t.t0 + v589;
    let v591 = t.t1 + v582;
    let v592 = t.t2 + v575;
    let v593 = t.t3 + v568;
    let v594 = t.t4 + v586;
    let v595 = t.t5 + v579;
    let v596 = t.t6 + v572;
    let v597 = t.t7 + v565;
    let v598 = 0x98c7e2a2u + v590;
    let v599 = 0xfc08884du + v590;
    let v600 = Word(0x9b05688cu) ^ (v598 & Word(0xca0b3af3u));
    let v601 = upper1(v598);
    let v602 = 0x90bb1e3cu + v591 + v600 + v601;
    let v603 = 0x3c6ef372u + v602;
    let v604 = upper0(v599);
    let v605 = Word(0x2a01a605u) ^ (v599 & Word(0xd16e48e2u));
    let v606 = v602 + v604 + v605;
    let v607 = choose(v603, v598, Word(0x510e527fu));
    let v608 = upper1(v603);
    let v609 = 0x50c6645bu + v592 + v607 + v608;
    let v610 = 0xbb67ae85u + v609;
    let v611 = upper0(v606);
    let v612 = majority(v606, v599, Word(0x6a09e667u));
    let v613 = v609 + v611 + v612;
    let v614 = choose(v610, v603, v598);
    let v615 = upper1(v610);
    let v616 = 0x3ac42e24u + v593 + v614 + v615;
    let v617 = 0x6a09e667u + v616;
    let v618 = upper0(v613);
    let v619 = majority(v613, v606, v599);
    let v620 = v616 + v618 + v619;
    let v621 = choose(v617, v610, v603);
    let v622 = upper1(v617);
    let v623 = 0x3956c25bu + v594 + v598 + v621 + v622;
    let v624 = v623 + v599;
    let v625 = upper0(v620);
    let v626 = majority(v620, v613, v606);
    let v627 = v623 + v625 + v626;
    let v628 = choose(v624, v617, v610);
    let v629 = upper1(v624);
    let v630 = 0x59f111f1u + v595 + v603 + v628 + v629;
    let v631 = v630 + v606;
    let v632 = upper0(v627);
    let v633 = majority(v627, v620, v613);
    let v634 = v630 + v632 + v633;
    let v635 = choose(v631, v624, v617);
    let v636 = upper1(v631);
    let v637 = 0x923f82a4u + v596 + v610 + v635 + v636;
    let v638 = v637 + v613;
    let v639 = upper0(v634);
    let v640 = majority(v634, v627, v620);
    let v641 = v637 + v639 + v640;
    let v642 = choose(v638, v631, v624);
    let v643 = upper1(v638);
    let v644 = 0xab1c5ed5u + v597 + v617 + v642 + v643;
    let v645 = v644 + v620;
    let v646 = upper0(v641);
    let v647 = majority(v641, v634, v627);
    let v648 = v644 + v646 + v647;
    let v649 = choose(v645, v638, v631);
    let v650 = upper1(v645);
    let v651 = 0x5807aa98u + v624 + v649 + v650;
    let v652 = v651 + v627;
    let v653 = upper0(v648);
    let v654 = majority(v648, v641, v634);
    let v655 = v651 + v653 + v654;
    let v656 = choose(v652, v645, v638);
    let v657 = upper1(v652);
    let v658 = 0x12835b01u + v631 + v656 + v657;
    let v659 = v658 + v634;
    let v660 = upper0(v655);
    let v661 = majority(v655, v648, v641);
    let v662 = v658 + v660 + v661;
    let v663 = choose(v659, v652, v645);
    let v664 = upper1(v659);
    let v665 = 0x243185beu + v638 + v663 + v664;
    let v666 = v665 + v641;
    let v667 = upper0(v662);
    let v668 = majority(v662, v655, v648);
    let v669 = v665 + v667 + v668;
    let v670 = choose(v666, v659, v652);
    let v671 = upper1(v666);
    let v672 = 0x550c7dc3u + v645 + v670 + v671;
    let v673 = v672 + v648;
    let v674 = upper0(v669);
    let v675 = majority(v669, v662, v655);
    let v676 = v672 + v674 + v675;
    let v677 = choose(v673, v666, v659);
    let v678 = upper1(v673);
    let v679 = 0x72be5d74u + v652 + v677 + v678;
    let v680 = v679 + v655;
    let v681 = upper0(v676);
    let v682 = majority(v676, v669, v662);
    let v683 = v679 + v681 + v682;
    let v684 = choose(v680, v673, v666);
    let v685 = upper1(v680);
    let v686 = 0x80deb1feu + v659 + v684 + v685;
    let v687 = v686 + v662;
    let v688 = upper0(v683);
    let v689 = majority(v683, v676, v669);
    let v690 = v686 + v688 + v689;
    let v691 = choose(v687, v680, v673);
    let v692 = upper1(v687);
    let v693 = 0x9bdc06a7u + v666 + v691 + v692;
    let v694 = v693 + v669;
    let v695 = upper0(v690);
    let v696 = majority(v690, v683, v676);
    let v697 = v693 + v695 + v696;
    let v698 = choose(v694, v687, v680);
    let v699 = upper1(v694);
    let v700 = 0xc19bf274u + v673 + v698 + v699;
    let v701 = v700 + v676;
    let v702 = upper0(v697);
    let v703 = majority(v697, v690, v683);
    let v704 = v700 + v702 + v703;
    let v705 = lower0(v591);
    let v706 = v590 + v705;
    let v707 = choose(v701, v694, v687);
    let v708 = upper1(v701);
    let v709 = 0xe49b69c1u + v706 + v680 + v707 + v708;
    let v710 = v709 + v683;
    let v711 = upper0(v704);
    let v712 = majority(v704, v697, v690);
    let v713 = v709 + v711 + v712;
    let v714 = lower0(v592);
    let v715 = 0x00a00000u + v591 + v714;
    let v716 = choose(v710, v701, v694);
    let v717 = upper1(v710);
    let v718 = 0xefbe4786u + v715 + v687 + v716 + v717;
    let v719 = v718 + v690;
    let v720 = upper0(v713);
    let v721 = majority(v713, v704, v697);
    let v722 = v718 + v720 + v721;
    let v723 = lower1(v706);
    let v724 = lower0(v593);
    let v725 = v592 + v724 + v723;
    let v726 = choose(v719, v710, v701);
    let v727 = upper1(v719);
    let v728 = 0x0fc19dc6u + v725 + v694 + v726 + v727;
    let v729 = v728 + v697;
    let v730 = upper0(v722);
    let v731 = majority(v722, v713, v704);
    let v732 = v728 + v730 + v731;
    let v733 = lower1(v715);
    let v734 = lower0(v594);
    let v735 = v593 + v734 + v733;
    let v736 = choose(v729, v719, v710);
    let v737 = upper1(v729);
    let v738 = 0x240ca1ccu + v735 + v701 + v736 + v737;
    let v739 = v738 + v704;
    let v740 = upper0(v732);
    let v741 = majority(v732, v722, v713);
    let v742 = v738 + v740 + v741;
    let v743 = lower1(v725);
    let v744 = lower0(v595);
    let v745 = v594 + v744 + v743;
    let v746 = choose(v739, v729, v719);
    let v747 = upper1(v739);
    let v748 = 0x2de92c6fu + v745 + v710 + v746 + v747;
    let v749 = v748 + v713;
    let v750 = upper0(v742);
    let v751 = majority(v742, v732, v722);
    let v752 = v748 + v750 + v751;
    let v753 = lower1(v735);
    let v754 = lower0(v596);
    let v755 = v595 + v754 + v753;
    let v756 = choose(v749, v739, v729);
    let v757 = upper1(v749);
    let v758 = 0x4a7484aau + v755 + v719 + v756 + v757;
    let v759 = v758 + v722;
    let v760 = upper0(v752);
    let v761 = majority(v752, v742, v732);
    let v762 = v758 + v760 + v761;
    let v763 = lower1(v745);
    let v764 = lower0(v597);
    let v765 = 0x00000100u + v596 + v764 + v763;
    let v766 = choose(v759, v749, v739);
    let v767 = upper1(v759);
    let v768 = 0x5cb0a9dcu + v765 + v729 + v766 + v767;
    let v769 = v768 + v732;
    let v770 = upper0(v762);
    let v771 = majority(v762, v752, v742);
    let v772 = v768 + v770 + v771;
    let v773 = lower1(v755);
    let v774 = 0x11002000u + v597 + v706 + v773;
    let v775 = choose(v769, v759, v749);
    let v776 = upper1(v769);
    let v777 = 0x76f988dau + v774 + v739 + v775 + v776;
    let v778 = v777 + v742;
    let v779 = upper0(v772);
    let v780 = majority(v772, v762, v752);
    let v781 = v777 + v779 + v780;
    let v782 = lower1(v765);
    let v783 = 0x80000000u + v715 + v782;
    let v784 = choose(v778, v769, v759);
    let v785 = upper1(v778);
    let v786 = 0x983e5152u + v783 + v749 + v784 + v785;
    let v787 = v786 + v752;
    let v788 = upper0(v781);
    let v789 = majority(v781, v772, v762);
    let v790 = v786 + v788 + v789;
    let v791 = lower1(v774);
    let v792 = v725 + v791;
    let v793 = choose(v787, v778, v769);
    let v794 = upper1(v787);
    let v795 = 0xa831c66du + v792 + v759 + v793 + v794;
    let v796 = v795 + v762;
    let v797 = upper0(v790);
    let v798 = majority(v790, v781, v772);
    let v799 = v795 + v797 + v798;
    let v800 = lower1(v783);
    let v801 = v735 + v800;
    let v802 = choose(v796, v787, v778);
    let v803 = upper1(v796);
    let v804 = 0xb00327c8u + v801 + v769 + v802 + v803;
    let v805 = v804 + v772;
    let v806 = upper0(v799);
    let v807 = majority(v799, v790, v781);
    let v808 = v804 + v806 + v807;
    let v809 = lower1(v792);
    let v810 = v745 + v809;
    let v811 = choose(v805, v796, v787);
    let v812 = upper1(v805);
    let v813 = 0xbf597fc7u + v810 + v778 + v811 + v812;
    let v814 = v813 + v781;
    let v815 = upper0(v808);
    let v816 = majority(v808, v799, v790);
    let v817 = v813 + v815 + v816;
    let v818 = lower1(v801);
    let v819 = v755 + v818;
    let v820 = choose(v814, v805, v796);
    let v821 = upper1(v814);
    let v822 = 0xc6e00bf3u + v819 + v787 + v820 + v821;
    let v823 = v822 + v790;
    let v824 = upper0(v817);
    let v825 = majority(v817, v808, v799);
    let v826 = v822 + v824 + v825;
    let v827 = lower1(v810);
    let v828 = v765 + v827;
    let v829 = choose(v823, v814, v805);
    let v830 = upper1(v823);
    let v831 = 0xd5a79147u + v828 + v796 + v829 + v830;
    let v832 = v831 + v799;
    let v833 = upper0(v826);
    let v834 = majority(v826, v817, v808);
    let v835 = v831 + v833 + v834;
    let v836 = lower1(v819);
    let v837 = 0x00400022u + v774 + v836;
    let v838 = choose(v832, v823, v814);
    let v839 = upper1(v832);
    let v840 = 0x06ca6351u + v837 + v805 + v838 + v839;
    let v841 = v840 + v808;
    let v842 = upper0(v835);
    let v843 = majority(v835, v826, v817);
    let v844 = v840 + v842 + v843;
    let v845 = lower1(v828);
    let v846 = lower0(v706);
    let v847 = 0x00000100u + v846 + v783 + v845;
    let v848 = choose(v841, v832, v823);
    let v849 = upper1(v841);
    let v850 = 0x14292967u + v847 + v814 + v848 + v849;
    let v851 = v850 + v817;
    let v852 = upper0(v844);
    let v853 = majority(v844, v835, v826);
    let v854 = v850 + v852 + v853;
    let v855 = lower1(v837);
    let v856 = lower0(v715);
    let v857 = v706 + v856 + v792 + v855;
    let v858 = choose(v851, v841, v832);
    let v859 = upper1(v851);
    let v860 = 0x27b70a85u + v857 + v823 + v858 + v859;
    let v861 = v860 + v826;
    let v862 = upper0(v854);
    let v863 = majority(v854, v844, v835);
    let v864 = v860 + v862 + v863;
    let v865 = lower1(v847);
    let v866 = lower0(v725);
    let v867 = v715 + v866 + v801 + v865;
    let v868 = choose(v861, v851, v841);
    let v869 = upper1(v861);
    let v870 = 0x2e1b2138u + v867 + v832 + v868 + v869;
    let v871 = v870 + v835;
    let v872 = upper0(v864);
    let v873 = majority(v864, v854, v844);
    let v874 = v870 + v872 + v873;
    let v875 = lower1(v857);
    let v876 = lower0(v735);
    let v877 = v725 + v876 + v810 + v875;
    let v878 = choose(v871, v861, v851);
    let v879 = upper1(v871);
    let v880 = 0x4d2c6dfcu + v877 + v841 + v878 + v879;
    let v881 = v880 + v844;
    let v882 = upper0(v874);
    let v883 = majority(v874, v864, v854);
    let v884 = v880 + v882 + v883;
    let v885 = lower1(v867);
    let v886 = lower0(v745);
    let v887 = v735 + v886 + v819 + v885;
    let v888 = choose(v881, v871, v861);
    let v889 = upper1(v881);
    let v890 = 0x53380d13u + v887 + v851 + v888 + v889;
    let v891 = v890 + v854;
    let v892 = upper0(v884);
    let v893 = majority(v884, v874, v864);
    let v894 = v890 + v892 + v893;
    let v895 = lower1(v877);
    let v896 = lower0(v755);
    let v897 = v745 + v896 + v828 + v895;
    let v898 = choose(v891, v881, v871);
    let v899 = upper1(v891);
    let v900 = 0x650a7354u + v897 + v861 + v898 + v899;
    let v901 = v900 + v864;
    let v902 = upper0(v894);
    let v903 = majority(v894, v884, v874);
    let v904 = v900 + v902 + v903;
    let v905 = lower1(v887);
    let v906 = lower0(v765);
    let v907 = v755 + v906 + v837 + v905;
    let v908 = choose(v901, v891, v881);
    let v909 = upper1(v901);
    let v910 = 0x766a0abbu + v907 + v871 + v908 + v909;
    let v911 = v910 + v874;
    let v912 = upper0(v904);
    let v913 = majority(v904, v894, v884);
    let v914 = v910 + v912 + v913;
    let v915 = lower1(v897);
    let v916 = lower0(v774);
    let v917 = v765 + v916 + v847 + v915;
    let v918 = choose(v911, v901, v891);
    let v919 = upper1(v911);
    let v920 = 0x81c2c92eu + v917 + v881 + v918 + v919;
    let v921 = v920 + v884;
    let v922 = upper0(v914);
    let v923 = majority(v914, v904, v894);
    let v924 = v920 + v922 + v923;
    let v925 = lower1(v907);
    let v926 = lower0(v783);
    let v927 = v774 + v926 + v857 + v925;
    let v928 = choose(v921, v911, v901);
    let v929 = upper1(v921);
    let v930 = 0x92722c85u + v927 + v891 + v928 + v929;
    let v931 = v930 + v894;
    let v932 = upper0(v924);
    let v933 = majority(v924, v914, v904);
    let v934 = v930 + v932 + v933;
    let v935 = lower1(v917);
    let v936 = lower0(v792);
    let v937 = v783 + v936 + v867 + v935;
    let v938 = choose(v931, v921, v911);
    let v939 = upper1(v931);
    let v940 = 0xa2bfe8a1u + v937 + v901 + v938 + v939;
    let v941 = v940 + v904;
    let v942 = upper0(v934);
    let v943 = majority(v934, v924, v914);
    let v944 = v940 + v942 + v943;
    let v945 = lower1(v927);
    let v946 = lower0(v801);
    let v947 = v792 + v946 + v877 + v945;
    let v948 = choose(v941, v931, v921);
    let v949 = upper1(v941);
    let v950 = 0xa81a664bu + v947 + v911 + v948 + v949;
    let v951 = v950 + v914;
    let v952 = upper0(v944);
    let v953 = majority(v944, v934, v924);
    let v954 = v950 + v952 + v953;
    let v955 = lower1(v937);
    let v956 = lower0(v810);
    let v957 = v801 + v956 + v887 + v955;
    let v958 = choose(v951, v941, v931);
    let v959 = upper1(v951);
    let v960 = 0xc24b8b70u + v957 + v921 + v958 + v959;
    let v961 = v960 + v924;
    let v962 = upper0(v954);
    let v963 = majority(v954, v944, v934);
    let v964 = v960 + v962 + v963;
    let v965 = lower1(v947);
    let v966 = lower0(v819);
    let v967 = v810 + v966 + v897 + v965;
    let v968 = choose(v961, v951, v941);
    let v969 = upper1(v961);
    let v970 = 0xc76c51a3u + v967 + v931 + v968 + v969;
    let v971 = v970 + v934;
    let v972 = upper0(v964);
    let v973 = majority(v964, v954, v944);
    let v974 = v970 + v972 + v973;
    let v975 = lower1(v957);
    let v976 = lower0(v828);
    let v977 = v819 + v976 + v907 + v975;
    let v978 = choose(v971, v961, v951);
    let v979 = upper1(v971);
    let v980 = 0xd192e819u + v977 + v941 + v978 + v979;
    let v981 = v980 + v944;
    let v982 = upper0(v974);
    let v983 = majority(v974, v964, v954);
    let v984 = v980 + v982 + v983;
    let v985 = lower1(v967);
    let v986 = lower0(v837);
    let v987 = v828 + v986 + v917 + v985;
    let v988 = choose(v981, v971, v961);
    let v989 = upper1(v981);
    let v990 = 0xd6990624u + v987 + v951 + v988 + v989;
    let v991 = v990 + v954;
    let v992 = upper0(v984);
    let v993 = majority(v984, v974, v964);
    let v994 = v990 + v992 + v993;
    let v995 = lower1(v977);
    let v996 = lower0(v847);
    let v997 = v837 + v996 + v927 + v995;
    let v998 = choose(v991, v981, v971);
    let v999 = upper1(v991);
    let v1000 = 0xf40e3585u + v997 + v961 + v998 + v999;
    let v1001 = v1000 + v964;
    let v1002 = upper0(v994);
    let v1003 = majority(v994, v984, v974);
    let v1004 = v1000 + v1002 + v1003;
    let v1005 = lower1(v987);
    let v1006 = lower0(v857);
    let v1007 = v847 + v1006 + v937 + v1005;
    let v1008 = choose(v1001, v991, v981);
    let v1009 = upper1(v1001);
    let v1010 = 0x106aa070u + v1007 + v971 + v1008 + v1009;
    let v1011 = v1010 + v974;
    let v1012 = upper0(v1004);
    let v1013 = majority(v1004, v994, v984);
    let v1014 = v1010 + v1012 + v1013;
    let v1015 = lower1(v997);
    let v1016 = lower0(v867);
    let v1017 = v857 + v1016 + v947 + v1015;
    let v1018 = choose(v1011, v1001, v991);
    let v1019 = upper1(v1011);
    let v1020 = 0x19a4c116u + v1017 + v981 + v1018 + v1019;
    let v1021 = v1020 + v984;
    let v1022 = upper0(v1014);
    let v1023 = majority(v1014, v1004, v994);
    let v1024 = v1020 + v1022 + v1023;
    let v1025 = lower1(v1007);
    let v1026 = lower0(v877);
    let v1027 = v867 + v1026 + v957 + v1025;
    let v1028 = choose(v1021, v1011, v1001);
    let v1029 = upper1(v1021);
    let v1030 = 0x1e376c08u + v1027 + v991 + v1028 + v1029;
    let v1031 = v1030 + v994;
    let v1032 = upper0(v1024);
    let v1033 = majority(v1024, v1014, v1004);
    let v1034 = v1030 + v1032 + v1033;
    let v1035 = lower1(v1017);
    let v1036 = lower0(v887);
    let v1037 = v877 + v1036 + v967 + v1035;
    let v1038 = choose(v1031, v1021, v1011);
    let v1039 = upper1(v1031);
    let v1040 = 0x2748774cu + v1037 + v1001 + v1038 + v1039;
    let v1041 = v1040 + v1004;
    let v1042 = upper0(v1034);
    let v1043 = majority(v1034, v1024, v1014);
    let v1044 = v1040 + v1042 + v1043;
    let v1045 = lower1(v1027);
    let v1046 = lower0(v897);
    let v1047 = v887 + v1046 + v977 + v1045;
    let v1048 = choose(v1041, v1031, v1021);
    let v1049 = upper1(v1041);
    let v1050 = 0x34b0bcb5u + v1047 + v1011 + v1048 + v1049;
    let v1051 = v1050 + v1014;
    let v1052 = upper0(v1044);
    let v1053 = majority(v1044, v1034, v1024);
    let v1054 = v1050 + v1052 + v1053;
    let v1055 = lower1(v1037);
    let v1056 = lower0(v907);
    let v1057 = v897 + v1056 + v987 + v1055;
    let v1058 = choose(v1051, v1041, v1031);
    let v1059 = upper1(v1051);
    let v1060 = 0x391c0cb3u + v1057 + v1021 + v1058 + v1059;
    let v1061 = v1060 + v1024;
    let v1062 = upper0(v1054);
    let v1063 = majority(v1054, v1044, v1034);
    let v1064 = v1060 + v1062 + v1063;
    let v1065 = lower1(v1047);
    let v1066 = lower0(v917);
    let v1067 = v907 + v1066 + v997 + v1065;
    let v1068 = choose(v1061, v1051, v1041);
    let v1069 = upper1(v1061);
    let v1070 = 0x4ed8aa4au + v1067 + v1031 + v1068 + v1069;
    let v1071 = v1070 + v1034;
    let v1072 = upper0(v1064);
    let v1073 = majority(v1064, v1054, v1044);
    let v1074 = v1070 + v1072 + v1073;
    let v1075 = lower1(v1057);
    let v1076 = lower0(v927);
    let v1077 = v917 + v1076 + v1007 + v1075;
    let v1078 = choose(v1071, v1061, v1051);
    let v1079 = upper1(v1071);
    let v1080 = 0x5b9cca4fu + v1077 + v1041 + v1078 + v1079;
    let v1081 = v1080 + v1044;
    let v1082 = upper0(v1074);
    let v1083 = majority(v1074, v1064, v1054);
    let v1084 = v1080 + v1082 + v1083;
    let v1085 = lower1(v1067);
    let v1086 = lower0(v937);
    let v1087 = v927 + v1086 + v1017 + v1085;
    let v1088 = choose(v1081, v1071, v1061);
    let v1089 = upper1(v1081);
    let v1090 = 0x682e6ff3u + v1087 + v1051 + v1088 + v1089;
    let v1091 = v1090 + v1054;
    let v1092 = upper0(v1084);
    let v1093 = majority(v1084, v1074, v1064);
    let v1094 = v1090 + v1092 + v1093;
    let v1095 = lower1(v1077);
    let v1096 = lower0(v947);
    let v1097 = v937 + v1096 + v1027 + v1095;
    let v1098 = choose(v1091, v1081, v1071);
    let v1099 = upper1(v1091);
    let v1100 = 0x748f82eeu + v1097 + v1061 + v1098 + v1099;
    let v1101 = v1100 + v1064;
    let v1102 = upper0(v1094);
    let v1103 = majority(v1094, v1084, v1074);
    let v1104 = v1100 + v1102 + v1103;
    let v1105 = lower1(v1087);
    let v1106 = lower0(v957);
    let v1107 = v947 + v1106 + v1037 + v1105;
    let v1108 = choose(v1101, v1091, v1081);
    let v1109 = upper1(v1101);
    let v1110 = 0x78a5636fu + v1107 + v1071 + v1108 + v1109;
    let v1111 = v1110 + v1074;
    let v1112 = lower1(v1097);
    let v1113 = lower0(v967);
    let v1114 = v957 + v1113 + v1047 + v1112;
    let v1115 = choose(v1111, v1101, v1091);
    let v1116 = upper1(v1111);
    let v1117 = 0x84c87814u + v1114 + v1081 + v1115 + v1116;
    let v1118 = v1117 + v1084;
    let v1119 = lower1(v1107);
    let v1120 = lower0(v977);
    let v1121 = v967 + v1120 + v1057 + v1119;
    let v1122 = choose(v1118, v1111, v1101);
    let v1123 = upper1(v1118);
    let v1124 = 0x8cc70208u + v1121 + v1091 + v1122 + v1123;
    let v1125 = v1124 + v1094;
    let v1126 = lower1(v1114);
    let v1127 = lower0(v987);
    let v1128 = v977 + v1127 + v1067 + v1126;
    let v1129 = choose(v1125, v1118, v1111);
    let v1130 = upper1(v1125);
    let v1131 = 0x90befffau + v1128 + v1101 + v1129 + v1130;
    let v1132 = v1131 + v1104;
    let v1133 = 0x5be0cd19u + v1132;
    return v1133;
}

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
