# Sourced: small Debians and packages beside this system, which stays as it is. Needs Debian 12 or a relative of it; setup.sh goes
# before.

# The mirror that this system uses already.
debian_mirror() {
    local mirror
    [ "$(uname -m)" = x86_64 ] || { say "needs an x86-64 machine, this is $(uname -m)"; return 2; }
    command -v apt-get >/dev/null || { say "needs Debian 12 or a relative of it (apt-get)"; return 2; }
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 !~ /-/ { print $1; exit }')
    [ -n "$mirror" ] || { say "this system's package lists name no mirror of Debian; run apt-get update"; return 2; }
    echo "$mirror"
}

# debian_root SUITE FOLDER PACKAGES: makes a small Debian with these packages. FOLDER.log has what debootstrap says.
debian_root() {
    local mirror suite=$1 folder=$2 packages=$3
    mirror=$(debian_mirror) || return 2
    if ! command -v debootstrap >/dev/null; then
        say "installing debootstrap"
        { as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 debootstrap; } >&2 ||
            { say "debootstrap could not be installed; install it and run this again"; return 2; }
    fi
    mkdir -p "${folder%/*}"
    # What an interrupted call left is of no use.
    as_root rm -rf --one-file-system "$folder"
    as_root debootstrap --variant=minbase --include="$packages" "$suite" "$folder" "$mirror" >"$folder.log" 2>&1 ||
        { tail -n 20 "$folder.log" >&2; say "debootstrap failed; its last lines are above"; return 2; }
}

# debian_fetch SUITE COMMAND...: apt-get's `download` or `source`, from that suite of Debian into the current folder.
debian_fetch() {
    local mirror lists suite=$1
    shift
    mirror=$(debian_mirror) || return 2
    lists=$(mktemp -d)
    chmod 755 "$lists"
    mkdir -p "$lists/state/partial"
    # Without what is installed here, whose version that suite may not have.
    touch "$lists/status"
    printf '%s\n' "deb $mirror $suite main" "deb-src $mirror $suite main" >"$lists/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::sourcelist=$lists/sources.list" -o Dir::Etc::sourceparts=-
        -o "Dir::State::lists=$lists/state" -o "Dir::State::status=$lists/status" -o "Dir::Cache=$lists" -o APT::Sandbox::User=root)
    "${apt[@]}" update >&2 && "${apt[@]}" "$@" >&2 || { rm -rf "$lists"; return 2; }
    rm -rf "$lists"
}
