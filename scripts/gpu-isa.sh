#!/usr/bin/env bash
# What the open drivers of AMD, NVIDIA and Intel compile the kernels to, for cards that are not there: ./scripts/gpu-isa.sh [WORD]
# Prints a Markdown table, that of docs/gpu-isa.md; WORD keeps the variants whose name contains it. Fails if a driver fails, or if
# a variant spills registers: on Intel's cards only the first four of a workload, which `--quick` tries. Compiled, not run: no
# figure is a speed. Needs Debian 12 or a relative of it, for its packages of Mesa.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
need_rust
cargo build --locked --quiet --example gpu_isa
program=$(realpath -m "${CARGO_TARGET_DIR:-target}")/debug/examples/gpu_isa
backports=$(./scripts/mesa-backports.sh)
latest=$(./scripts/mesa-latest.sh 2>/dev/null)
shims=$(./scripts/drm-shims.sh)
export MESA_SHADER_CACHE_DISABLE=true NODEVICE_SELECT=1

word=${1:-}
noise=$(mktemp) # drivers warn that the card is not there
both=$(mktemp)
trap 'rm -f "$noise" "$both"' EXIT
failed=()
compile() { # compile CARD [VARIABLE=VALUE]... [COMMAND]
    local card=$1
    shift
    if ! env "$@" "$program" "$word" 2>"$noise" | sed "s/^/| $card /"; then
        failed+=("$card")
        grep "^spills: " "$noise" >&2 || cat "$noise" >&2
    fi
}
radv() { # radv CARD FAMILY: RADV of the latest Mesa would want a shim too
    compile "$1" RADV_FORCE_FAMILY="$2" LD_LIBRARY_PATH="$backports/usr/lib/x86_64-linux-gnu" \
        VK_DRIVER_FILES="$backports/usr/share/vulkan/icd.d/radeon_icd.json"
}
shimmed() { # shimmed CARD VENDOR DRIVER VARIABLE=VALUE
    compile "$1" "$4" VK_DRIVER_FILES="$latest/usr/share/vulkan/icd.d/$3_icd.json" \
        MESA_PRELOAD="$shims/lib$2_noop_drm_shim.so" ./scripts/mesa-latest.sh
}

echo "| card | variant | A×B, bits | lanes | inner loop | instructions | registers | spills | workgroup memory, bytes | cycles | with ÷ without robustness |"
echo "|---|---|---|---:|---|---:|---:|---:|---:|---:|---:|"
radv "AMD NAVI21" navi21
radv "AMD NAVI31" navi31
shimmed "NVIDIA Turing" nouveau nouveau NOUVEAU_CHIPSET=0x164
{
    shimmed "NVIDIA Ampere" nouveau nouveau NOUVEAU_CHIPSET=0x172
    shimmed "NVIDIA Ada" nouveau nouveau NOUVEAU_CHIPSET=0x192
} >"$both"
# Rows that are the same for both are printed once.
awk '{ row = $0; sub(/^[|] NVIDIA [A-Za-z]* /, "", row) }
    FNR == NR { seen[row]++; next }
    seen[row] == 1 { print; next }
    seen[row] > 1 && !printed[row]++ { print "| NVIDIA Ampere, Ada " row }' "$both" "$both"
shimmed "Intel DG2" intel intel INTEL_STUB_GPU_PLATFORM=dg2
shimmed "Intel BMG" intel intel INTEL_STUB_GPU_PLATFORM=bmg
if [ ${#failed[@]} != 0 ]; then
    say "a variant spills registers, or the driver failed: ${failed[*]}"
    exit 1
fi
