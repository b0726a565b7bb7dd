"""Computes the golden vectors of src/workload/data.rs and src/workload/matmul/data.rs from their descriptions alone:
python3 tests/golden/data.py"""

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


# Elements of a product, M = 5, N = 70, K = 100.
N, K, GROUPS = 70, 100, 4
SPREAD = {"int8": 48.0, "int4": 3.0}
RANGE = {"int8": (-127, 127), "int4": (-8, 7)}


def bits32(x):
    return "0x%08x" % struct.unpack("<I", struct.pack("<f", x))[0]


def bits16(x):
    return struct.unpack("<H", struct.pack("<e", x))[0]


def integer(kind, x):
    low, high = RANGE[kind]
    return max(low, min(high, round(f32(x * SPREAD[kind]))))


def scale(kind, name, index):
    return struct.unpack("<e", struct.pack("<e", f32(f32(1 + value(name, index) / 8) / SPREAD[kind])))[0]


a, b = 4 * K + 99, 99 * N + 69
print("F32", bits32(value(b"A", a)), bits32(value(b"B", b)))
print("WINDOW", bits32(value(b"A in window 3", 4 * K + 15)))
print("F16", *("0x%04x" % bits16(value(name, i)) for name, i in ((b"A", a), (b"B", b))))
print("INT8", *("0x%02x" % (integer("int8", value(name, i)) & 0xFF) for name, i in ((b"A", a), (b"B", b))))
scales = scale("int8", b"A, scales", 4 * GROUPS + 3), scale("int8", b"B, scales", 3 * N + 69)
print("SCALES", *("0x%04x" % bits16(s) for s in scales))
print("INT4", *(integer("int4", value(b"B", i)) + 8 for i in (0, b)))
print("VALUE", bits32(integer("int4", value(b"B", b)) * scale("int4", b"B, scales", 3 * N + 69)))
