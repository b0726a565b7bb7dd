"""f32 products by OpenBLAS on all cores, as a line "NAME RATE": python3 openblas.py gemm|gemv

gemm: C = A·B, 1024×1024×1024, operations a second. gemv: y = A·x, 4096×4096, weights a second, over as many copies of A
as exceed the last-level caches CACHES bytes (an argument) four times. Medians of calls for a second or more.
"""

import ctypes
import statistics
import sys
import time

import numpy

ROW_MAJOR, NO_TRANSPOSITION = 101, 111

blas = ctypes.CDLL("libopenblas.so.0")
real, whole, pointer = ctypes.c_float, ctypes.c_int, ctypes.c_void_p
blas.cblas_sgemm.argtypes = [whole] * 6 + [real, pointer, whole, pointer, whole, real, pointer, whole]
blas.cblas_sgemv.argtypes = [whole] * 4 + [real, pointer, whole, pointer, whole, real, pointer, whole]


def random(*shape):
    return numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)


def rate(work, call):
    call()
    began, seconds = time.perf_counter(), []
    while len(seconds) < 5 or time.perf_counter() - began < 1:
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return work / statistics.median(seconds)


def gemm(n=1024):
    a, b, c = random(n, n), random(n, n), random(n, n)
    at = [x.ctypes.data for x in (a, b, c)]

    def call():
        blas.cblas_sgemm(ROW_MAJOR, NO_TRANSPOSITION, NO_TRANSPOSITION, n, n, n, 1, at[0], n, at[1], n, 0, at[2], n)

    result = rate(2 * n**3, call)
    assert numpy.allclose(c[0], a[0].astype(float) @ b, atol=1e-3)
    return result


def gemv(caches, n=4096):
    a = random(n, n)
    copies = [a.copy() for _ in range(-(-4 * caches // a.nbytes))]
    x, y = random(n), random(n)

    def call():
        for a in copies:
            blas.cblas_sgemv(ROW_MAJOR, NO_TRANSPOSITION, n, n, 1, a.ctypes.data, n, x.ctypes.data, 1, 0, y.ctypes.data, 1)

    result = rate(len(copies) * n * n, call)
    assert numpy.allclose(y[:4], a[:4].astype(float) @ x, atol=1e-3)
    return result


result = gemm() if sys.argv[1] == "gemm" else gemv(int(sys.argv[2]))
print(f"openblas-{sys.argv[1]}", result)
