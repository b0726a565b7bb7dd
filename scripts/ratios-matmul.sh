#!/usr/bin/env bash
# Products against what a user would reach for instead, in turns in one sitting: ./scripts/ratios-matmul.sh [ROUNDS]
# Peers: OpenBLAS through numpy's arrays (Debian's packages, installed if missing), and burn on the same adapter (built
# from source, once, about ten minutes; left out with BURN=no). Rates are wall time on all processor threads; a gemv
# counts weights a second, over more copies of them than caches hold. Where the processor has AVX-512, everything on
# software Vulkan runs a second time with LP_NATIVE_VECTOR_WIDTH=512 (lines that end in -512). numpy asks for huge pages
# for its arrays; the same is asked for everything on software Vulkan. Prints the ratios' medians;
# with six rounds or more their range is a 95 % interval.
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

# on_adapter WIDTH SUFFIX: a round of all that runs there, with vectors of the driver's own width, or of WIDTH bits.
declare -A best
on_adapter() {
    local workload name divisor
    export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
    [ -z "$1" ] || export LP_NATIVE_VECTOR_WIDTH=$1
    for workload in gemm odd gemv int4; do
        name=${!workload} divisor=1
        case $workload in gemv | int4) divisor=2 ;; esac
        : "${best[$workload$2]:=$(chosen gpu:0 "$name")}"
        ours "wgsl-$workload$2" gpu:0 "$name" "${best[$workload$2]}" "$divisor"
    done
    if [ "${BURN:-yes}" = yes ]; then "$target/peers/release/peer-burn" 2>/dev/null | sed "s/^burn/burn$2/" >>"$work/rates"; fi
    unset LP_NATIVE_VECTOR_WIDTH GLIBC_TUNABLES
}

gemm=gemm:1024x1024x1024:f32 odd=gemm:1021x1019x1031:f32 gemv=gemv:4096x4096:f32 int4=gemv:4096x4096:int4
unset LP_NATIVE_VECTOR_WIDTH
best_cpu=$(chosen cpu $gemm)
for round in $(seq "$rounds"); do
    say "round $round of $rounds"
    /usr/bin/python3 scripts/peers/openblas.py gemm >>"$work/rates"
    # Held to AVX2, 256 bits, as on most desktops; still with fused multiply-adds.
    OPENBLAS_CORETYPE=Haswell /usr/bin/python3 scripts/peers/openblas.py gemm | sed 's/^openblas-gemm/openblas-gemm-avx2/' >>"$work/rates"
    /usr/bin/python3 scripts/peers/openblas.py gemv $((caches * 1024)) >>"$work/rates"
    ours cpu-gemm cpu $gemm "$best_cpu"
    on_adapter "" ""
    if grep -qw avx512f /proc/cpuinfo; then on_adapter 512 -512; fi
done
say "cpu: $best_cpu; gpu:0: $(for key in "${!best[@]}"; do printf '%s %s, ' "$key" "${best[$key]}"; done)"
ratios="cpu-gemm/openblas-gemm"
for suffix in "" -512; do
    [ -n "${best[gemm$suffix]:-}" ] || continue
    ratios+=" wgsl-gemm$suffix/openblas-gemm wgsl-gemm$suffix/openblas-gemm-avx2 wgsl-odd$suffix/wgsl-gemm$suffix"
    ratios+=" wgsl-gemv$suffix/openblas-gemv wgsl-int4$suffix/openblas-gemv"
    if [ "${BURN:-yes}" = yes ]; then ratios+=" wgsl-gemm$suffix/burn$suffix"; fi
done
# shellcheck disable=SC2086
python3 scripts/ratios.py table "$work/rates" $ratios
