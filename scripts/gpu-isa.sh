#!/usr/bin/env bash
# What AMD's open driver compiles the kernels to, for cards that are not there: ./scripts/gpu-isa.sh [WORD]
# Prints a Markdown table; WORD keeps the variants whose name contains it. Fails if one of them spills registers. Compiled,
# not run: instructions and registers are the driver's own figures, speed is not measured. Needs Debian 12 (or a relative)
# for its Mesa packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
need_rust
cargo build --locked --quiet --example gpu_isa
program=${CARGO_TARGET_DIR:-target}/debug/examples/gpu_isa
backports=$(./scripts/mesa-backports.sh)
export MESA_SHADER_CACHE_DISABLE=true NODEVICE_SELECT=1

echo "| Mesa | card | variant | A×B, bits | vector instructions | VGPRs | spills | LDS, bytes | occupancy | inverse throughput |"
echo "|---|---|---|---|---|---:|---:|---:|---:|---:|"
compile() { # compile MESA FAMILY [VARIABLE=VALUE]...
    local mesa=$1 family=$2
    shift 2
    env "$@" RADV_FORCE_FAMILY="$family" "$program" "${word:-}" 2>"$noise" | sed "s/^/| $mesa /" | tee -a "$table" || { cat "$noise" >&2; exit 1; }
}
word=${1:-}
noise=$(mktemp) # drivers warn that the card is not there
table=$(mktemp)
trap 'rm -f "$noise" "$table"' EXIT
stock=/usr/share/vulkan/icd.d/radeon_icd.x86_64.json
[ -e "$stock" ] && compile stock navi21 VK_DRIVER_FILES=$stock
for family in navi21 navi31; do
    compile backports "$family" "LD_LIBRARY_PATH=$backports/usr/lib/x86_64-linux-gnu" \
        "VK_DRIVER_FILES=$backports/usr/share/vulkan/icd.d/radeon_icd.json"
done
if awk -F ' *[|] *' '$8 > 0 { print; found = 1 } END { exit !found }' "$table" >&2; then
    say "these spill registers"
    exit 1
fi
