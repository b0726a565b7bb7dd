#!/usr/bin/env bash
# sha256d against what a user would reach for instead, in turns in one sitting: ./scripts/ratios-sha256d.sh [ROUNDS]
# Peers: hashcat on PoCL, mode 21400 (Debian's packages, installed if missing), and the sha2 crate with a midstate.
# All rates are wall time on all processor threads. lavapipe runs here with its widest vectors, which a run of rigbench
# takes only from its environment. Prints the ratios' medians; with six rounds or more their range is a 95 % interval.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
rounds=${1:-6}
need_rust
command -v hashcat >/dev/null && [ -e /etc/OpenCL/vendors/pocl.icd ] ||
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 hashcat pocl-opencl-icd >&2
say "building in release"
cargo build --release --locked --quiet
cargo bench --locked --bench sha256d --no-run --quiet
rigbench=${CARGO_TARGET_DIR:-target}/release/rigbench
need_adapter "$rigbench" yes
native=$("$rigbench" tune --device cpu --workload sha256d | awk '/chosen/ { print $1 }')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ours NAME BENCH [VARIABLE=VALUE]...: one line of the rate by the criterion bench.
ours() {
    local name=$1 bench=$2
    shift 2
    env CRITERION_HOME="$work/criterion" "$@" cargo bench --locked --quiet --bench sha256d -- "$bench\$" --noplot >/dev/null 2>&1
    python3 scripts/ratios.py criterion "$work/criterion" "$name" >>"$work/rates"
    rm -rf "$work/criterion"
}
for round in $(seq "$rounds"); do
    say "round $round of $rounds"
    ours native "cpu/$native"
    hashcat -b -m 21400 --force -D 1,2 --machine-readable 2>/dev/null |
        awk -F: '$2 == 21400 { print "hashcat", $NF }' >>"$work/rates"
    ours wgsl gpu:0/sha256d/scan-2 MESA_SHADER_CACHE_DISABLE=true LP_NATIVE_VECTOR_WIDTH=512
    ours sha2 cpu/sha256d/sha2-crate
done
echo "native is $native, wgsl is sha256d/scan-2 on $("$rigbench" devices --json | grep -o 'llvmpipe[^)]*)' | head -n 1) with LP_NATIVE_VECTOR_WIDTH=512"
python3 scripts/ratios.py table "$work/rates" native/hashcat native/sha2 wgsl/hashcat
