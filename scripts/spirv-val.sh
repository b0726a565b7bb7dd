#!/usr/bin/env bash
# Validates the SPIR-V that Vulkan drivers get, of every kernel that rigbench can compile:
#   ./scripts/spirv-val.sh [WORD]
# WORD keeps the kernels whose name contains it. Prints how many modules are valid, and each distinct fault with the number of modules
# that have it and one of them; fails if one has a fault. Needs Debian 12 or a relative of it, for the validator of sid.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/debian.sh
need_rust
cargo build --locked --quiet --example gpu_isa
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
validator=$target/spirv-tools/usr/bin/spirv-val
[ -e "$target/mesa-latest" ] || ./scripts/mesa-latest.sh >/dev/null
modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT
if [ ! -e "$validator" ]; then
    (cd "$modules" && debian_fetch sid download spirv-tools)
    dpkg -x "$modules"/spirv-tools_*.deb "$target/spirv-tools"
    rm "$modules"/*.deb
fi

"$target/debug/examples/gpu_isa" --spirv "$modules" "$@"
valid=0 all=0
for module in "$modules"/*.spv; do
    all=$((all + 1))
    if ./scripts/mesa-latest.sh "$validator" --target-env vulkan1.3 "$module" >"$modules/said" 2>&1; then
        valid=$((valid + 1))
    else
        # Lines and types have other numbers in each module.
        fault=$(sed -n "/^error/{s/^error: line [0-9]*: //;s/'[^']*%[^']*'/_/g;p;q}" "$modules/said")
        printf '%s\t%s\n' "$fault" "$(basename "$module" .spv)" >>"$modules/faults"
    fi
done
echo "$valid of $all modules are valid"
[ "$valid" = "$all" ] && exit
cut -f 1 "$modules/faults" | sort | uniq -c | sort -rn | while read -r count fault; do
    echo "$count: $fault ($(grep -F -m 1 "$fault" "$modules/faults" | cut -f 2))"
done
exit 1
