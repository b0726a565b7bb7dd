"""Computes the golden vectors of src/workload/data.rs from its description alone: python3 tests/golden/data.py"""

import hashlib
import struct

SEED = bytes([7] * 32)
MASK = (1 << 64) - 1


def mix(key, index):
    z = (key + (index + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def value(name, index):
    key = int.from_bytes(hashlib.sha256(SEED + name).digest()[:8], "little")
    bits = mix(key, index)
    total = sum(bits >> (16 * i) & 0xFFFF for i in range(4)) - 2 * 0xFFFF
    # An exact integer times an f32, rounded once: f64 holds the product of 18 and 24 bits exactly.
    return f32(total * f32(1.0 / f32(37837.227)))


def header(index, version=0):
    root = hashlib.sha256(SEED + b"header %d" % index).digest()
    return struct.pack("<I32x32sIII", 0x20000000 ^ version << 13, root, index, 0x1D00FFFF, 0)


for index in (0, 1, 2, 1_000_003):
    print(index, "0x%08x" % struct.unpack("<I", struct.pack("<f", value(b"A", index)))[0], value(b"A", index))
print(header(3).hex())
print(header(3, 0x8005).hex())
