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
# Where the build lints too, clippy has nothing to add.
if [ -z "${RUSTC_WORKSPACE_WRAPPER:-}" ]; then
    say "clippy"
    cargo clippy --locked --bins --tests --benches --examples -- -D warnings
fi
say "build"
cargo test --locked --tests --benches --examples --no-run
need_adapter "${CARGO_TARGET_DIR:-target}/debug/rigbench" "$install"
if [ -e "${CARGO_TARGET_DIR:-target}/models/SmolLM2-135M-Instruct.Q4_1.gguf" ]; then
    RIGBENCH_SMOLLM2=$(./scripts/smollm2.sh)
    export RIGBENCH_SMOLLM2
fi
# The harness reports each test's time with its unstable options alone, which a stable toolchain takes by this variable.
timed() { cargo --config 'target."cfg(all())".runner = "env RUSTC_BOOTSTRAP=1"' test --locked "$@" -Z unstable-options --report-time; }
say "tests, and one variant of every bench"
status=0
# What waits, for meters, for runs that are stopped or for a run that tests share, leaves the processor to what computes.
timed --test runs -- --test-threads=6 >"$log.waiting" 2>&1 &
timed --no-fail-fast --test kernels --test documents --test report_memory -- --test-threads=4 2>&1 | tee "$log" || status=$?
cargo test --locked --benches 2>&1 | tee -a "$log" || status=$?
wait $! || status=$?
tee -a "$log" <"$log.waiting"
[ $status = 0 ] || exit $status
cargo test --locked --doc
if [ -e "${CARGO_TARGET_DIR:-target}/mesa-latest" ]; then
    say "matrix units and decoders on the newest Mesa, which has cooperative matrices"
    export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh
    cargo test --locked --test kernels matrix_units 2>&1 | tee -a "$log"
    cargo test --locked --test kernels nan_and_infinity 2>&1 | tee -a "$log"
    cargo test --locked --test kernels -- every_choice_and_type the_adapter_goes 2>&1 | tee -a "$log"
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
say "the ten slowest tests, in seconds:"
sed -nE 's/^test (.*) \.\.\. .*<([0-9.]+)s>.*/\2 \1/p' "$log" | sort -rn | sed -n 1,10p
