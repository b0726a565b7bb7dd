#!/usr/bin/env bash
# Builds rigbench and measures: ./scripts/run.sh [--no-install] [arguments of `rigbench run`]
# Where there is no GPU adapter, Mesa's software Vulkan is installed first; --no-install leaves the system as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

install=yes mode=--quick arguments=()
for argument in "$@"; do
    case $argument in
        --no-install) install=no ;;
        *) arguments+=("$argument") ;;
    esac
    case $argument in --quick | --publish) mode= ;; esac
done
need_rust
say "building in release (a few minutes the first time)"
cargo build --release --locked
rigbench=${CARGO_TARGET_DIR:-target}/release/rigbench
need_adapter "$rigbench" "$install"
exec "$rigbench" run ${mode:+"$mode"} "${arguments[@]}"
