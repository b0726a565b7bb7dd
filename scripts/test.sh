#!/usr/bin/env bash
# Everything that must hold before a change lands: ./scripts/test.sh [--no-install]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

install=yes
[ "${1:-}" = --no-install ] && install=no
need_rust
log=$(mktemp)
trap 'rm -f "$log" "$log.waiting"' EXIT

say "format"
cargo fmt --check
say "clippy"
cargo clippy --locked --all-targets -- -D warnings
cargo clippy --locked -- -D warnings
say "build"
cargo test --locked --all-targets --no-run
need_adapter "${CARGO_TARGET_DIR:-target}/debug/rigbench" "$install"
if [ -e "${CARGO_TARGET_DIR:-target}/models/SmolLM2-135M-Instruct.Q4_1.gguf" ]; then
    RIGBENCH_SMOLLM2=$(./scripts/smollm2.sh)
    export RIGBENCH_SMOLLM2
fi
# Programs whose tests wait, for meters and for runs that are stopped, leave the processor to those that compute.
waiting="card cli consistent energy joules protocol publish"
programs() { # of those that wait, or of the others
    local name
    for name in $(ls -d tests/*.rs tests/*/main.rs | sed 's,^tests/,,; s,/main\.rs$,,; s,\.rs$,,'); do
        if [[ " $waiting " == *" $name "* ]]; then
            [ "$1" = waiting ] && printf -- '--test %s ' "$name"
        else
            [ "$1" = others ] && printf -- '--test %s ' "$name"
        fi
    done
    return 0
}
say "tests, and one variant of every bench"
status=0
cargo test --locked $(programs waiting) >"$log.waiting" 2>&1 &
cargo test --locked --lib --bins --examples --benches $(programs others) 2>&1 | tee "$log" || status=$?
wait $! || status=$?
tee -a "$log" <"$log.waiting"
[ $status = 0 ] || exit $status
cargo test --locked --doc
if [ -e "${CARGO_TARGET_DIR:-target}/mesa-latest" ]; then
    say "matrix units and decoders on the newest Mesa, which has cooperative matrices"
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh
    cargo test --locked --test gpu matrix_units 2>&1 | tee -a "$log"
    cargo test --locked --lib nan_and_infinity 2>&1 | tee -a "$log"
    cargo test --locked --test decoder -- every_choice_and_type the_adapter_goes 2>&1 | tee -a "$log"
    unset CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER
else
    echo "not run: cooperative matrices: make the root with ./scripts/mesa-latest.sh" | tee -a "$log"
fi
say "the pages of rigbench report in a browser"
./scripts/browser.sh 2>&1 | tee -a "$log"
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

left=$(grep -E '^not run: |\.\.\. ignored' "$log" | grep -v 'run by another test' | sort -u || true)
if [ -n "$left" ]; then
    say "tests that were not run:"
    printf '%s\n' "$left"
else
    say "no test was left out"
fi
