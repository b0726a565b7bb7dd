#!/usr/bin/env bash
# Runs every kernel and a short run on Vulkan drivers other than this system's, and under Vulkan's validation:
#   ./scripts/drivers.sh
# 1. SwiftShader, which shares no code with Mesa: subgroups of 4, no f16.
# 2. The newest Mesa's lavapipe under the newest validation layers, with synchronization validation: any message fails.
# A kernel must be right or unsupported. Needs Debian 12 or a relative of it, for packages that are unpacked below target/.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/debian.sh
need_rust
cargo build --locked --quiet
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
program=$target/debug/rigbench
drivers=$target/drivers
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache
failed=0

# unpacked SUITE PACKAGE: the package's files in a folder of their own, fetched once.
unpacked() {
    local folder=$drivers/$2
    if [ ! -e "$folder" ]; then
        (cd "$work" && debian_fetch "$1" download "$2") && dpkg -x "$work/$2"_*.deb "$folder.partial" &&
            mv "$folder.partial" "$folder" || return
    fi
    echo "$folder"
}

# tried NAME COMMAND...: `check` and a quick run with a program that is started like this.
tried() {
    local name=$1
    shift
    if ! "$@" check --device gpu:0 >"$work/check" 2>"$work/said"; then
        grep -v -e '^right' -e '^unsupported' "$work/check" "$work/said" || true
        failed=1
    fi
    say "$name: $(grep -c '^right' "$work/check") kernels are right, $(grep -c '^unsupported' "$work/check") unsupported"
    "$@" run --quick --device gpu:0 --power none --workload sha256d --workload gemm:256x256x256:f32 \
        --workload stream --out "$work/results" >"$work/run" 2>&1 || { cat "$work/run"; failed=1; }
}

mkdir -p "$drivers"
chromium=$(unpacked bookworm chromium-common)
export VK_DRIVER_FILES=$chromium/usr/lib/chromium/vk_swiftshader_icd.json
tried "SwiftShader" "$program"

layers=$(unpacked sid vulkan-validationlayers)/usr
unset VK_DRIVER_FILES
mkdir "$work/layer"
# An absolute path, since mesa-latest.sh chooses where libraries are searched. Kernels are verified in one process: a child would not get
# the newer C library that mesa-latest.sh starts this one with.
sed "s|\"library_path\": \"|&$layers/lib/x86_64-linux-gnu/|" "$layers/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json" \
    >"$work/layer/validation.json"
printf 'khronos_validation.%s\n' "debug_action = VK_DBG_LAYER_ACTION_LOG_MSG" "log_filename = $work/messages" \
    "report_flags = error,warn" "validate_sync = true" >"$work/vk_layer_settings.txt"
export VK_LAYER_PATH=$work/layer VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation
export VK_LAYER_SETTINGS_PATH=$work/vk_layer_settings.txt
VK_LOADER_DEBUG=layer ./scripts/mesa-latest.sh "$program" devices >"$work/said" 2>&1
grep -q 'Insert instance layer "VK_LAYER_KHRONOS_validation"' "$work/said" || { say "the validation layer was not loaded"; exit 1; }
tried "lavapipe under validation" ./scripts/mesa-latest.sh "$program"
if [ -s "$work/messages" ]; then
    say "validation says:"
    grep -o 'VUID-[A-Za-z0-9-]*\|SYNC-[A-Z-]*' "$work/messages" | sort | uniq -c | sort -rn
    head -n 20 "$work/messages"
    failed=1
fi
exit "$failed"
