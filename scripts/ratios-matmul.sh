#!/usr/bin/env bash
# Products against what a user would reach for instead, in turns in one sitting: ./scripts/ratios-matmul.sh [ROUNDS]
# Peers: OpenBLAS through numpy's arrays (Debian's packages, installed if missing), and burn on the same adapter (built
# from source, once, about ten minutes; left out with BURN=no). Rates are wall time on all processor threads; a gemv
# counts weights a second, over more copies of them than caches hold. Prints the ratios' medians; with six rounds or
# more their range is a 95 % interval. LP_NATIVE_VECTOR_WIDTH=512 holds for all that runs on software Vulkan.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
rounds=${1:-6}
target=${CARGO_TARGET_DIR:-target}
need_rust
/usr/bin/python3 -c 'import numpy, ctypes; ctypes.CDLL("libopenblas.so.0")' 2>/dev/null ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 python3-numpy libopenblas0-pthread >&2
say "building in release"
cargo build --release --locked --quiet
cargo bench --locked --bench matmul --no-run --quiet
if [ "${BURN:-yes}" = yes ]; then
    CARGO_TARGET_DIR=$target/peers cargo build --release --locked --quiet --manifest-path scripts/peers/burn/Cargo.toml
fi
rigbench=$target/release/rigbench
need_adapter "$rigbench" yes
export MESA_SHADER_CACHE_DISABLE=true
caches=$(cat /sys/devices/system/cpu/cpu0/cache/index*/size | sed 's/K$//' | sort -n | tail -n 1)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The variant that the tuner takes.
chosen() { "$rigbench" tune --device "$1" --workload "$2" | awk '/chosen/ { print $1; exit }'; }

# ours NAME DEVICE SPEC VARIANT [DIVISOR]: one line of the rate by the criterion bench.
ours() {
    env CRITERION_HOME="$work/criterion" cargo bench --locked --quiet --bench matmul -- "$3/$2/$4\$" --noplot >/dev/null 2>&1
    python3 scripts/ratios.py criterion "$work/criterion" "$1" "${5:-1}" >>"$work/rates"
    rm -rf "$work/criterion"
}

gemm=gemm:1024x1024x1024:f32 odd=gemm:1021x1019x1031:f32 gemv=gemv:4096x4096:f32 int4=gemv:4096x4096:int4
best_gemm=$(chosen gpu:0 $gemm) best_odd=$(chosen gpu:0 $odd) best_gemv=$(chosen gpu:0 $gemv) best_int4=$(chosen gpu:0 $int4)
best_cpu=$(chosen cpu $gemm)
say "on $("$rigbench" devices --json | grep -o 'llvmpipe[^)]*)' | head -n 1): $best_gemm, $best_odd, $best_gemv, $best_int4; cpu: $best_cpu"
for round in $(seq "$rounds"); do
    say "round $round of $rounds"
    /usr/bin/python3 scripts/peers/openblas.py gemm >>"$work/rates"
    # Held to AVX2, 256 bits, as on most desktops; still with fused multiply-adds.
    OPENBLAS_CORETYPE=Haswell /usr/bin/python3 scripts/peers/openblas.py gemm | sed 's/^openblas-gemm/openblas-gemm-avx2/' >>"$work/rates"
    ours wgsl-gemm gpu:0 $gemm "$best_gemm"
    ours wgsl-odd gpu:0 $odd "$best_odd"
    ours cpu-gemm cpu $gemm "$best_cpu"
    if [ "${BURN:-yes}" = yes ]; then "$target/peers/release/peer-burn" 2>/dev/null >>"$work/rates"; fi
    /usr/bin/python3 scripts/peers/openblas.py gemv $((caches * 1024)) >>"$work/rates"
    ours wgsl-gemv gpu:0 $gemv "$best_gemv" 2
    ours wgsl-int4 gpu:0 $int4 "$best_int4" 2
done
ratios="wgsl-gemm/openblas-gemm wgsl-gemm/openblas-gemm-avx2 wgsl-odd/wgsl-gemm cpu-gemm/openblas-gemm wgsl-gemv/openblas-gemv wgsl-int4/openblas-gemv"
[ "${BURN:-yes}" = yes ] && ratios="wgsl-gemm/burn $ratios"
# shellcheck disable=SC2086
python3 scripts/ratios.py table "$work/rates" $ratios
