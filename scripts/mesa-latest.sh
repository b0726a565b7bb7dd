#!/usr/bin/env bash
# Runs a program on the newest Mesa, Debian sid's, whose software Vulkan has cooperative matrices (8×8×8). The system's
# own Mesa stays as it is:
#   ./scripts/mesa-latest.sh                  makes the root of a small Debian sid in target/mesa-latest, once (450 MB)
#   ./scripts/mesa-latest.sh BINARY ARG...    and runs a program of this system with that root's loader and libraries
#   CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh cargo test --test kernels gpu::
# A library named by MESA_PRELOAD is loaded first: a shim of drm-shims.sh.
# Making the root needs Debian 12 or a relative of it, and root or sudo; running does not.
set -euo pipefail
here=$(realpath "$(dirname "$0")/..")
. "$here/scripts/setup.sh"
. "$here/scripts/debian.sh"

# A relative CARGO_TARGET_DIR counts from the caller's folder, as it does for cargo.
if [ -n "${CARGO_TARGET_DIR:-}" ]; then
    root=$(realpath -m "$CARGO_TARGET_DIR")/mesa-latest
else
    root=$here/target/mesa-latest
fi
driver=$root/usr/share/vulkan/icd.d/lvp_icd.json

make_root() {
    local partial=$root.partial
    say "making Debian sid with its Mesa in $root; this takes a few minutes and 450 MB"
    debian_root sid "$partial" mesa-vulkan-drivers,libvulkan1 || exit 2
    as_root rm -rf "$partial"/dev "$partial"/var/cache/apt/archives "$partial"/var/lib/apt/lists
    as_root chown -R "$(id -u):$(id -g)" "$partial" # so that cargo clean can delete it
    as_root mv "$partial" "$root"
}

[ -e "$driver" ] || make_root
if [ $# = 0 ]; then
    echo "$root"
    version=$(sed -n '/^Package: mesa-vulkan-drivers$/,/^$/s/^Version: //p' "$root/var/lib/dpkg/status")
    say "Mesa $version is there; use it with"
    say "    scripts/mesa-latest.sh BINARY ARG..."
    say "    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh cargo test --test kernels gpu::"
    exit
fi
program=$(command -v -- "$1") || { say "no program $1 here"; exit 2; }
shift
# The root's loader runs a program without chroot, though it was linked against an older C library. A program that it
# starts in turn finds VK_DRIVER_FILES but this system's libraries, and so no adapter: it must be started like this too.
exec env VK_DRIVER_FILES="${VK_DRIVER_FILES:-$driver}" "$root/lib64/ld-linux-x86-64.so.2" \
    --library-path "$root/usr/lib/x86_64-linux-gnu" ${MESA_PRELOAD:+--preload "$MESA_PRELOAD"} "$program" "$@"
