#!/usr/bin/env bash
# A compiler that runs clippy too, for cargo: RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/lint.sh cargo test --no-run
# Only the crates of this project are linted, and a warning is an error. `cargo clippy` would compile all dependencies once more.
set -euo pipefail
rustc=("$@")
[ -n "${CARGO_PRIMARY_PACKAGE:-}" ] || exec "${rustc[@]}"

lint=$(mktemp -d)
trap 'rm -rf "$lint"' EXIT
# The same call, with its output elsewhere: cargo may hear of the compiler's files alone.
call=()
while [ $# -gt 0 ]; do
    case $1 in
        --out-dir) call+=("$1" "$lint"); shift ;;
        --emit=*) call+=(--emit=metadata) ;;
        --json=*) call+=(--json=diagnostic-rendered-ansi) ;;
        *) call+=("$1") ;;
    esac
    shift
done
clippy-driver "${call[@]}" -D warnings 2>"$lint/said" &
"${rustc[@]}"
# In one piece, since cargo reads lines of both.
wait $! || { cat "$lint/said" >&2; exit 1; }
