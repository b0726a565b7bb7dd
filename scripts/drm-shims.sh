#!/usr/bin/env bash
# Makes libraries that stand in for a graphics card's kernel driver, so that Mesa's NVIDIA and Intel drivers compile for cards that
# are not there; nothing runs on them:
#   ./scripts/drm-shims.sh     makes target/drm-shims once, in ten minutes, and prints that folder
# Mesa has them in its source, which no package of Debian contains. They are built in a small Debian 13 that is deleted afterwards.
# Needs Debian 12 or a relative of it, and root or sudo.
set -euo pipefail
here=$(realpath "$(dirname "$0")/..")
. "$here/scripts/setup.sh"
. "$here/scripts/debian.sh"
shims=$(realpath -m "${CARGO_TARGET_DIR:-$here/target}")/drm-shims
made=(src/nouveau/drm-shim/libnouveau_noop_drm_shim.so src/intel/tools/libintel_noop_drm_shim.so)

make_shims() {
    local source root=$shims.root
    say "building Mesa's shims in $root; this takes ten minutes and 1 GB"
    debian_root trixie "$root" gcc,g++,libc6-dev,meson,ninja-build,pkgconf,python3-mako,python3-yaml,python3-packaging,bison,flex,libdrm-dev,zlib1g-dev,libexpat1-dev
    as_root install -d -o "$(id -u)" -g "$(id -g)" "$root/mesa"
    (cd "$root/mesa" && debian_fetch trixie source --download-only mesa)
    source=$(cd "$root/mesa" && tar xf mesa_*.orig.tar.xz && echo mesa-*/)
    # Chips named 19x are Ada, of which the shim does not know: Ampere's classes, but for graphics and compute.
    sed -i -e 's/^ *case 0x170:/case 0x190:\n&/' \
        -e 's/= GA102_3D_CLASS/= device_info.chip_id >= 0x190 ? 0xc997 : GA102_3D_CLASS/' \
        -e 's/= GA102_COMPUTE_CLASS/= device_info.chip_id >= 0x190 ? 0xc9c0 : GA102_COMPUTE_CLASS/' \
        "$root/mesa/$source/src/nouveau/drm-shim/nouveau_noop.c"
    as_root chroot "$root" sh -c "cd /mesa/$source && meson setup build --buildtype=release -Dtools=drm-shim,intel \
        -Dgallium-drivers=nouveau -Dvulkan-drivers= -Dplatforms= -Dllvm=disabled -Dglx=disabled -Degl=disabled \
        -Dgbm=disabled -Dgles1=disabled -Dgles2=disabled -Dopengl=false -Dshared-glapi=disabled -Dgallium-va=disabled \
        -Dgallium-vdpau=disabled -Dvalgrind=disabled -Dlibunwind=disabled -Dzstd=disabled && ninja -C build ${made[*]}" \
        >>"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; say "the build failed; its last lines are above"; exit 2; }
    mkdir -p "$shims.partial"
    (cd "$root/mesa/$source/build" && cp "${made[@]}" "$shims.partial")
    as_root rm -rf --one-file-system "$root"
    mv "$shims.partial" "$shims"
}

[ -e "$shims" ] || make_shims
echo "$shims"
