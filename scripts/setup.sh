# Sourced by run.sh and test.sh: the Rust toolchain, and a GPU adapter or Mesa's software Vulkan in its place.

say() { printf '%s\n' "rigbench: $*" >&2; }

# Ends with a word on what to do unless cargo is here and new enough.
need_rust() {
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if ! command -v cargo >/dev/null; then
        say "cargo is not here; install Rust $wanted or newer from https://rustup.rs and run this again"
        exit 2
    fi
    have=$(cargo --version | cut -d' ' -f2)
    if [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
        say "cargo is $have, rigbench needs $wanted; run: rustup update stable"
        exit 2
    fi
}

# as_root COMMAND...: runs it as root, by sudo where needed; fails where neither works.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        say "not root and no sudo; as root, run: $*"
        return 1
    fi
}

# Mesa's software Vulkan and the Vulkan loader, by the system's package manager.
install_software_vulkan() {
    local manager
    for manager in apt-get dnf pacman apk none; do
        command -v "$manager" >/dev/null && break
    done
    say "no GPU adapter found: installing Mesa's software Vulkan with $manager"
    case $manager in
        apt-get)
            as_root apt-get update -qq &&
                as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 libvulkan1 mesa-vulkan-drivers
            ;;
        dnf) as_root dnf install -y -q vulkan-loader mesa-vulkan-drivers ;;
        pacman) as_root pacman -Sy --noconfirm --needed vulkan-icd-loader vulkan-swrast ;;
        apk) as_root apk add vulkan-loader mesa-vulkan-swrast ;;
        *)
            say "no known package manager here (apt, dnf, pacman, apk)"
            return 1
            ;;
    esac >&2
}

# The addresses of NVIDIA's, AMD's and Intel's display controllers on the PCI bus.
cards_on_pci() {
    local card
    for card in /sys/bus/pci/devices/*; do
        case $(cat "$card/class" "$card/vendor" 2>/dev/null | tr '\n' ' ') in
            0x03*\ 0x10de\ | 0x03*\ 0x1002\ | 0x03*\ 0x8086\ ) echo "${card##*/}" ;;
        esac
    done
}

has_adapter() { "$1" devices --json | grep '"class": ".*-gpu"' >/dev/null; }

# need_adapter BINARY INSTALL: an adapter, emulated and installed if INSTALL is yes; goes on with the processor alone if there is none. A
# card whose driver is missing is never replaced by an emulation.
need_adapter() {
    has_adapter "$1" && return
    if [ -n "$(cards_on_pci)" ]; then
        "$1" doctor >&2
        say "a card is here without its Vulkan driver: what to do is above; going on with the processor alone"
        return
    fi
    if [ "$2" = yes ] && install_software_vulkan && has_adapter "$1"; then
        return
    fi
    say "going on without a GPU adapter: only the cpu class will be measured"
}
