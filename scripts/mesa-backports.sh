#!/usr/bin/env bash
# Unpacks the Mesa of Debian 12's backports beside the system's own, which stays as it is:
#   ./scripts/mesa-backports.sh [ROOT]     (default: target/mesa-backports; a second call does nothing)
# Prints ROOT. Programs use it with LD_LIBRARY_PATH=ROOT/usr/lib/x86_64-linux-gnu and VK_DRIVER_FILES at one of
# ROOT/usr/share/vulkan/icd.d/*.json.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(realpath -m "${1:-${CARGO_TARGET_DIR:-target}/mesa-backports}")
if [ ! -e "$root/usr/share/vulkan/icd.d/lvp_icd.json" ]; then
    command -v apt-get >/dev/null || { echo "needs Debian 12 or a relative of it (apt-get)" >&2; exit 2; }
    lists=$(mktemp -d)
    trap 'rm -rf "$lists"' EXIT
    chmod 755 "$lists"
    mkdir -p "$lists/state/partial" "$root"
    # The mirror that this system uses already.
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "bookworm" { print $1; exit }')
    [ -n "$mirror" ] || { echo "this system's package lists name no mirror of Debian 12; run apt-get update" >&2; exit 2; }
    echo "deb $mirror bookworm-backports main" >"$lists/sources.list"
    echo "deb $mirror bookworm main" >>"$lists/sources.list"
    apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$lists/state"
        -o APT::Sandbox::User=root)
    "${apt[@]}" update >&2
    (cd "$lists" && "${apt[@]}" download mesa-vulkan-drivers/bookworm-backports mesa-libgallium/bookworm-backports \
        libdrm2/bookworm-backports libdrm-amdgpu1/bookworm-backports >&2)
    for package in "$lists"/*.deb; do dpkg -x "$package" "$root"; done
fi
echo "$root"
