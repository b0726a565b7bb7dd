"""Computes the golden vectors of src/model/seeded.rs from its description alone: python3 tests/golden/model.py"""

import hashlib
import math
import struct

SEED = bytes([7] * 32)
MASK = (1 << 64) - 1


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def bits32(x):
    return "0x%08x" % struct.unpack("<I", struct.pack("<f", x))[0]


def half(x):
    return struct.unpack("<H", struct.pack("<e", x))[0]


def value(name, index):
    key = int.from_bytes(hashlib.sha256(SEED + name.encode()).digest()[:8], "little")
    z = (key + (index + 1) * 0x9E3779B97F4A7C15) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    z ^= z >> 31
    total = sum(z >> (16 * i) & 0xFFFF for i in range(4)) - 2 * 0xFFFF
    return f32(total * f32(1.0 / f32(37837.227)))


def deviation(columns):
    return f32(1.0 / f32(math.sqrt(columns)))


def integer(name, index, spread, low, high):
    return max(low, min(high, round(f32(value(name, index) * spread))))


def scale(name, group, columns, spread):
    spreading = f32(1.0 + f32(value(name + ", scales", group) / 8.0))
    return half(f32(f32(spreading * deviation(columns)) / spread))


# SmolLM2-135M: width 576, inner 1536.
down, query = "layer 29 down", "layer 3 query"
print("F32", bits32(f32(value(down, 575 * 1536 + 1535) * deviation(1536))))
print("F16", "0x%04x" % half(f32(value(query, 5 * 576 + 7) * deviation(576))))
print("INT8", integer(down, 100 * 1536 + 9, 48.0, -127, 127), "0x%04x" % scale(down, 100 * 48, 1536, 48.0))
pair = [integer("embedding", 49151 * 576 + i, 3.0, -8, 7) + 8 for i in (574, 575)]
print("INT4", "0x%02x" % (pair[0] + 16 * pair[1]), "0x%04x" % scale("embedding", 49151 * 18 + 17, 576, 3.0))
print("NORM", bits32(f32(1.0 + f32(value("norm", 575) * 0.125))))
print("BIAS", bits32(f32(value("layer 2 key bias", 127) * 0.125)))
