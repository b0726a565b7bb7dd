#!/usr/bin/env bash
# Everything about a GPU in ten minutes, on a machine that one has for a quarter of an hour:
#   ./scripts/ten-minutes.sh --pack FOLDER      here: builds, and puts all it needs into FOLDER (under 64 MiB)
#   FOLDER/ten-minutes.sh [--seconds N] [OUT]   there: leaves OUT/ten-minutes.tar.gz [default: 570 s, the current folder]
# It checks the driver, verifies every kernel, runs the default and quick rows of the rest with the energy sources that it finds, asks
# the driver's compiler for statistics, runs peers that are installed, and validates the results. Each step has a time limit, and a
# crash ends that step alone. It changes nothing outside OUT and a temporary folder, and needs no root.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" = --pack ]; then
    set -e
    folder=$(realpath -m "${2:?a folder to pack into}")
    cd "$here/.."
    . scripts/setup.sh
    . scripts/debian.sh
    need_rust
    cargo build --release --locked --bin rigbench --example gpu_isa
    release=$(realpath -m "${CARGO_TARGET_DIR:-target}")/release
    mkdir -p "$folder"
    for program in rigbench examples/gpu_isa; do
        strip -o "$folder/${program##*/}" "$release/$program"
    done
    cp "$here/ten-minutes.sh" "$folder/"
    # A Vulkan loader, for machines that have a driver and no loader. Without it the folder is as good elsewhere.
    (cd "$folder" && debian_fetch bookworm download libvulkan1) || say "no libvulkan1 could be fetched: going on without it"
    du -sh "$folder"
    exit
fi

seconds=570
if [ "${1:-}" = --seconds ]; then
    seconds=${2:?a number of seconds}
    shift 2
fi
out=$(realpath -m "${1:-.}")
mkdir -p "$out"
work=$(mktemp -d)
mkdir "$work/logs" "$work/results"
keep() { tar -C "$work" -czf "$out/ten-minutes.tar.gz.partial" logs results && mv "$out/ten-minutes.tar.gz.partial" "$out/ten-minutes.tar.gz"; }
trap 'keep; rm -rf "$work"; echo "all of it: $out/ten-minutes.tar.gz"' EXIT
trap 'exit 130' INT TERM
# What a driver or the tuner caches is of this machine and goes with it.
export XDG_CACHE_HOME=$work/cache __GL_SHADER_DISK_CACHE_PATH=$work/cache

left() { echo $((seconds - SECONDS)); }

# step NAME LIMIT COMMAND...: runs it for at most LIMIT seconds and what is left; its output is in logs/NAME.
step() {
    local name=$1 limit=$2 status begin=$SECONDS
    shift 2
    [ "$limit" -lt "$(left)" ] || limit=$(left)
    if [ "$limit" -lt 5 ]; then
        printf '%-28s no time left\n' "$name"
        return 1
    fi
    timeout -k 3 "$limit" "$@" >"$work/logs/$name" 2>&1
    status=$?
    case $status in
        0) printf '%-28s done in %s s\n' "$name" $((SECONDS - begin)) ;;
        124 | 137) printf '%-28s ended after its %s s\n' "$name" "$limit" ;;
        *) printf '%-28s status %s: %s\n' "$name" "$status" "$(tail -n 1 "$work/logs/$name")" ;;
    esac
    return "$status"
}

# A loader beside this script, and NVIDIA's driver manifest where a container has the library alone.
bring_driver() {
    local package library
    for package in "$here"/libvulkan1_*.deb; do
        [ -e "$package" ] && command -v dpkg-deb >/dev/null || continue
        ldconfig -p 2>/dev/null | grep -q 'libvulkan\.so\.1' && continue
        dpkg-deb -x "$package" "$work/loader" || continue
        LD_LIBRARY_PATH=$(dirname "$(find "$work/loader" -name 'libvulkan.so.1')"):${LD_LIBRARY_PATH:-}
        export LD_LIBRARY_PATH
        echo "no Vulkan loader here: using the one beside this script"
    done
    find /etc/vulkan /usr/share/vulkan /usr/local/nvidia/share/vulkan -name 'nvidia_icd*.json' 2>/dev/null | grep -q . && return
    library=$(find /usr/lib /usr/lib64 /usr/local/nvidia -name 'libGLX_nvidia.so.0' 2>/dev/null | head -n 1)
    [ -n "$library" ] || return
    printf '{"file_format_version": "1.0.0", "ICD": {"library_path": "%s", "api_version": "1.3.0"}}\n' "$library" >"$work/nvidia_icd.json"
    export VK_DRIVER_FILES=$work/nvidia_icd.json
    echo "NVIDIA's driver has no manifest here: using one of our own"
}

rigbench=$here/rigbench
[ -x "$rigbench" ] || rigbench=$here/../target/release/rigbench
[ -x "$rigbench" ] || { echo "no rigbench beside this script; pack a folder first: ./scripts/ten-minutes.sh --pack FOLDER"; exit 2; }
bring_driver
device=(--device gpu:0)
step doctor 20 "$rigbench" doctor
step devices 20 "$rigbench" devices --json
if ! grep -q '"gpu:0"' "$work/logs/devices"; then
    echo "no GPU adapter; what to do:"
    grep '^- ' "$work/logs/doctor"
    exit 1
fi
grep -q '"class": "software-gpu"' "$work/logs/devices" && echo "gpu:0 is emulated by the processor: this shows that the script works, and no more"
command -v nvidia-smi >/dev/null && step nvidia-smi 10 nvidia-smi -q

# Kernels are verified in processes of their own by the program; a list per workload keeps what is known when time runs out.
for workload in sha256d stream peak:f32 peak:f16 peak:dot4 gemm:193x201x227:f32 gemm:193x201x227:f16 \
    gemm:193x201x227:int8:activations=int8 gemv:1001x1003:f32 gemv:1001x1003:int4 peak:matrix; do
    step "check-${workload//[:=]/-}" 40 "$rigbench" check "${device[@]}" --workload "$workload"
done
keep
step run $((seconds * 2 / 5)) "$rigbench" run "${device[@]}" --out "$work/results"
keep
step run-rest $((seconds / 4)) "$rigbench" run --quick "${device[@]}" --out "$work/results" --workload gemm:4096x4096x4096:f16 \
    --workload gemm:4096x4096x4096:int8:activations=int8 --workload gemv:llama-3-8b/ffn-up:int4 --workload prefill:llama-3.2-1b:int4 \
    --workload decode:llama-3.2-1b:int4 --workload peak:f16 --workload peak:matrix
keep
[ -x "$here/gpu_isa" ] && step compiler 60 "$here/gpu_isa"
command -v llama-bench >/dev/null && [ -n "${LLAMA_MODEL:-}" ] && step llama-bench 60 llama-bench -m "$LLAMA_MODEL"
command -v hashcat >/dev/null && step hashcat 30 hashcat -b -m 1400
python3 -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null && step torch 40 python3 -c '
import time, torch
for kind in (torch.float32, torch.float16, torch.bfloat16):
    a = torch.randn(4096, 4096, dtype=kind, device="cuda")
    for rounds in (5, 50):
        torch.cuda.synchronize(); begin = time.perf_counter()
        for _ in range(rounds): a @ a
        torch.cuda.synchronize(); took = time.perf_counter() - begin
    print(kind, "4096x4096x4096", f"{2 * 4096**3 * rounds / took / 1e12:.2f} TFLOP/s")
'
for result in "$work"/results/*.json; do
    [ -e "$result" ] && step "validate-$(basename "$result" .json)" 20 "$rigbench" validate "$result"
done
tail -n 60 "$work/logs/run"
