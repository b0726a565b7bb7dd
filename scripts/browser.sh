#!/usr/bin/env bash
# Looks at the pages of `rigbench report` in headless Chromium: ./scripts/browser.sh [--install | --install-only] [--require]
# Pages are written by tests/documents/report; pictures of them stay in target/browser. --install brings Chromium and Node with apt, and the
# driver and axe-core with npm; without it what is missing is named and nothing is run, which is an error with --require.
# --install-only runs nothing either.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=$target/browser/tools
install='' only='' require=''
for option; do
    case $option in
        --install) install=yes ;;
        --install-only) install=yes only=yes ;;
        --require) require=yes ;;
        *) echo "error: $option: ./scripts/browser.sh takes --install, --install-only and --require" >&2; exit 2 ;;
    esac
done
left_out() {
    local why="the pages in a browser: $1; ./scripts/browser.sh --install brings it"
    [ "$require" ] && { echo "error: not run: $why" >&2; exit 1; }
    echo "not run: $why"
    exit 0
}

if [ "$install" ]; then
    missing=()
    command -v chromium >/dev/null || missing+=(chromium)
    # Node from elsewhere comes with its own npm, beside which Debian's does not install.
    command -v npm >/dev/null || missing+=(nodejs npm)
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing ${missing[*]} with apt-get"
        { as_root apt-get update -qq &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 "${missing[@]}"; } >&2
    fi
    mkdir -p "$tools"
    cp scripts/browser/package.json scripts/browser/package-lock.json scripts/browser/.npmrc scripts/browser/look.mjs "$tools"
    (cd "$tools" && npm ci --silent --no-audit --no-fund --ignore-scripts)
fi
command -v chromium >/dev/null || left_out "there is no chromium"
command -v node >/dev/null || left_out "there is no node"
[ -e "$tools/node_modules/axe-core" ] || left_out "its driver is not here"
[ "$only" ] && exit 0
cp scripts/browser/look.mjs "$tools"
rm -rf "$target/tmp/pages"
cargo test --locked --quiet --test documents the_pages_are_written >/dev/null
rm -f "$target"/browser/*.png "$target"/browser/*.pdf
CHROMIUM=$(command -v chromium) node "$tools/look.mjs" "$target/tmp/pages" "$target/browser"
