#!/usr/bin/env bash
# Tokens a second against llama.cpp, SmolLM2-135M with the same Q4_1 weights, in turns in one sitting: ./scripts/ratios-tokens.sh [ROUNDS]
# llama.cpp comes with the npm package node-llama-cpp (needs Node 20 or newer), the model through ./scripts/smollm2.sh. Both sides
# take in 128 tokens and write 128, on all processor threads; of llama.cpp the best of four counts, of rigbench the median of
# windows. With VULKAN=yes llama.cpp also runs once on the same adapter, with fewer tokens: that takes minutes. Prints the
# ratios' medians; with six rounds or more their range is a 95 % interval. At last what of a decoding step is no product. All sides may
# have huge pages for what they allocate.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
rounds=${1:-6}
target=${CARGO_TARGET_DIR:-target}
need_rust
command -v node npm >/dev/null || { say "needs Node 20 or newer with npm"; exit 2; }
model=$(./scripts/smollm2.sh)
say "building in release"
cargo build --release --locked --quiet --bin rigbench --example decoder_lab
rigbench=$target/release/rigbench
need_adapter "$rigbench" yes
mkdir -p "$target/peers/llama"
cp scripts/peers/llama.mjs "$target/peers/llama"
(cd "$target/peers/llama" && npm install --silent --no-audit --no-fund --ignore-scripts node-llama-cpp@3.22.1 >&2)
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
llama() { node "$target/peers/llama/llama.mjs" "$model" "$@" >>"$work/rates"; }

# ours NAME DEVICE
ours() {
    "$rigbench" run --quick --json --device "$2" --workload "prefill:$model" --workload "decode:$model" --out "$work/out" 2>/dev/null |
        python3 -c 'import json, sys
document = json.load(sys.stdin)
for row, derived in zip(document["evidence"]["rows"], document["derived"]["rows"]):
    print("'"$1"'-" + row["workload"]["id"], derived["throughput"]["value"])' >>"$work/rates"
}

for round in $(seq "$rounds"); do
    say "round $round of $rounds"
    llama cpu "$(nproc)" 128 128
    ours cpu cpu
    ours wgpu gpu:0
done
ratios="cpu-decode/llama-cpu-decode cpu-prefill/llama-cpu-prefill wgpu-decode/llama-cpu-decode wgpu-prefill/llama-cpu-prefill"
if [ "${VULKAN:-no}" = yes ]; then
    say "llama.cpp by Vulkan"
    GGML_VK_VISIBLE_DEVICES=0 llama vulkan "$(nproc)" 32 8
    ratios+=" wgpu-decode/llama-vulkan-decode"
fi
# shellcheck disable=SC2086
python3 scripts/ratios.py table "$work/rates" $ratios
"$target/release/examples/decoder_lab" "$model" gpu
