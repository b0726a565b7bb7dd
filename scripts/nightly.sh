#!/usr/bin/env bash
# What CI leaves out, for every night and before a release: ./scripts/nightly.sh
# It brings the newest Mesa (cooperative matrices), a browser and a real model, runs all tests with them, then scripts/soak.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
./scripts/mesa-latest.sh >/dev/null
./scripts/smollm2.sh >/dev/null
./scripts/browser.sh --install-only
# Tests enable features of dependencies that the program alone may lack.
cargo clippy --locked -- -D warnings
./scripts/test.sh
./scripts/soak.sh
