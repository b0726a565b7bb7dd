#!/usr/bin/env bash
# Unpacks the Mesa of Debian 12's backports beside the system's own, which stays as it is:
#   ./scripts/mesa-backports.sh [ROOT]     (default: target/mesa-backports; a second call does nothing)
# Prints ROOT. Programs use it with LD_LIBRARY_PATH=ROOT/usr/lib/x86_64-linux-gnu and VK_DRIVER_FILES at one of
# ROOT/usr/share/vulkan/icd.d/*.json.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/debian.sh
root=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}/mesa-backports}")
if [ ! -e "$root/usr/share/vulkan/icd.d/lvp_icd.json" ]; then
    packages=$(mktemp -d)
    trap 'rm -rf "$packages"' EXIT
    suite=bookworm-backports
    (cd "$packages" && debian_fetch $suite download mesa-vulkan-drivers/$suite mesa-libgallium/$suite libdrm2/$suite libdrm-amdgpu1/$suite)
    for package in "$packages"/*.deb; do dpkg -x "$package" "$root"; done
fi
echo "$root"
