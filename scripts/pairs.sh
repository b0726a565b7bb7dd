#!/usr/bin/env bash
# Do two runs of the same thing agree within the intervals that they state? ./scripts/pairs.sh [PAIRS]
# Each pair is two quick runs one after the other; prints, row by row, in how many pairs the two medians differ by no more
# than their intervals allow together (root sum of squares), and the median width of an interval. Twenty pairs take half an hour.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
need_rust
cargo build --release --locked --quiet
rigbench=${CARGO_TARGET_DIR:-target}/release/rigbench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for pair in $(seq "${1:-20}"); do
    say "pair $pair of ${1:-20}"
    for half in a b; do
        "$rigbench" run --quick --workload sha256d --workload gemm:512x512x512:f32 --workload stream --json \
            --out "$work/out" >"$work/$(printf %03d "$pair")$half.json" 2>/dev/null
    done
done
python3 - "$work" <<'PY'
import collections, glob, json, statistics, sys

def rows(path):
    for m in json.load(open(path))["measurements"]:
        t = m["throughput"]
        half = max(t["value"] - t["ci95_low"], t["ci95_high"] - t["value"])
        yield f'{m["device"]} {m["workload"]["id"]}', t["value"], half, m["verdict"]

agree, widths, invalid = collections.Counter(), collections.defaultdict(list), collections.Counter()
pairs = sorted(glob.glob(sys.argv[1] + "/*a.json"))
for path in pairs:
    for (row, a, half_a, verdict_a), (_, b, half_b, verdict_b) in zip(rows(path), rows(path[:-6] + "b.json")):
        agree[row] += abs(a - b) <= (half_a**2 + half_b**2) ** 0.5
        widths[row] += [half_a / a, half_b / b]
        invalid[row] += "invalid" in (verdict_a, verdict_b)
for row in widths:
    print(f"{row:24} {agree[row]} of {len(pairs)} pairs agree, median interval ±{100 * statistics.median(widths[row]):.1f} %, "
          f"{invalid[row]} with an invalid half")
print(f"{sum(agree.values())} of {len(pairs) * len(widths)} agree")
PY
