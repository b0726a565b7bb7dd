#!/usr/bin/env bash
# Runs a program on the newest Mesa, Debian sid's, whose software Vulkan has cooperative matrices (8×8×8). The system's
# own Mesa stays as it is:
#   ./scripts/mesa-latest.sh                  makes the root of a small Debian sid in target/mesa-latest, once (450 MB)
#   ./scripts/mesa-latest.sh BINARY ARG...    and runs a program of this system with that root's loader and libraries
#   CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh cargo test --test kernels gpu::
# Making the root needs Debian 12 or a relative of it, and root or sudo; running does not.
set -euo pipefail
here=$(realpath "$(dirname "$0")/..")
. "$here/scripts/setup.sh"

# A relative CARGO_TARGET_DIR counts from the caller's folder, as it does for cargo.
if [ -n "${CARGO_TARGET_DIR:-}" ]; then
    root=$(realpath -m "$CARGO_TARGET_DIR")/mesa-latest
else
    root=$here/target/mesa-latest
fi
driver=$root/usr/share/vulkan/icd.d/lvp_icd.json

make_root() {
    local mirror partial=$root.partial
    [ "$(uname -m)" = x86_64 ] || { say "needs an x86-64 machine, this is $(uname -m)"; exit 2; }
    command -v apt-get >/dev/null || { say "needs Debian 12 or a relative of it (apt-get)"; exit 2; }
    if ! command -v debootstrap >/dev/null; then
        say "installing debootstrap"
        { as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 debootstrap; } >&2 ||
            { say "debootstrap could not be installed; install it and run this again"; exit 2; }
    fi
    # The mirror that this system uses already.
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 !~ /-/ { print $1; exit }')
    [ -n "$mirror" ] || { say "this system's package lists name no mirror of Debian; run apt-get update"; exit 2; }
    say "making Debian sid with its Mesa in $root; this takes a few minutes and 450 MB"
    mkdir -p "${root%/*}"
    # What an interrupted call left is of no use.
    as_root rm -rf --one-file-system "$partial"
    as_root debootstrap --variant=minbase --include=mesa-vulkan-drivers,libvulkan1 sid "$partial" "$mirror" \
        >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; say "debootstrap failed; its last lines are above"; exit 2; }
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
    --library-path "$root/usr/lib/x86_64-linux-gnu" "$program" "$@"
