#!/usr/bin/env bash
# Do two runs of the same thing agree within the intervals that they state? ./scripts/pairs.sh [PAIRS [ARGUMENT...]]
# Each pair is two quick runs one after the other; prints, row by row, in how many pairs the two figures differ by no more
# than their intervals allow together (root sum of squares), and the median width of an interval. Right intervals of 95 %
# let 95 pairs in 100 agree or a few more (the larger side of an interval counts). Twenty pairs take half an hour.
# ARGUMENTs go to rigbench run, --power declared:100 if there are none. Declared joules are watts over speed: their interval
# is that of the speed alone and says nothing of a meter. Name a meter where there is one (--power nvml); its own error
# is the same in both halves, so its joules agree more often.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
pairs=${1:-20}
[[ $pairs =~ ^[1-9][0-9]*$ ]] || { say "PAIRS comes first and is a number: ./scripts/pairs.sh 20 --power nvml"; exit 2; }
shift $(($# > 0))
[ $# -gt 0 ] || set -- --power declared:100
need_rust
cargo build --release --locked --quiet
rigbench=${CARGO_TARGET_DIR:-target}/release/rigbench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
measure() { # measure FILE ARGUMENT...: one run; where a row failed (1) the file says so, any other code ends the script
    local file=$1 code=0
    shift
    "$rigbench" run --quick --workload sha256d --workload gemm:512x512x512:f32 --workload stream --json \
        --out "$work/out" "$@" >"$file" 2>"$work/said" || code=$?
    [ "$code" -le 1 ] && return
    cat "$work/said" >&2
    say "rigbench run ended with code $code"
    exit "$code"
}
# Kernels are chosen once, here, and not in the first half of the first pair.
export XDG_CACHE_HOME=$work/cache
say "a run to choose kernels"
measure "$work/first" "$@"
for pair in $(seq "$pairs"); do
    say "pair $pair of $pairs"
    for half in a b; do
        measure "$work/$(printf %03d "$pair")$half.json" "$@"
    done
done
python3 - "$work" <<'PY'
import collections, glob, json, math, statistics, sys

def figure(of):
    """The value and the larger side of its interval; none where nothing was measured or no interval is stated."""
    if of and of["value"] and None not in (of["low"], of["high"]):
        return of["value"], max(of["value"] - of["low"], of["high"] - of["value"])

def rows(document):
    for row, derived in zip(document["evidence"]["rows"], document["derived"]["rows"]):
        yield row["device"] + " " + row["workload"]["spec"], {
            "throughput": figure(derived.get("throughput")),
            "joules": figure(derived["energy"].get("joules_per_unit")),
            "invalid": derived["verdict"] == "invalid",
        }

halves = [dict(rows(json.load(open(path)))) for path in sorted(glob.glob(sys.argv[1] + "/*.json"))]
pairs = list(zip(halves[::2], halves[1::2]))
overall = collections.defaultdict(list)
for name in dict.fromkeys(name for half in halves for name in half):
    agree, widths, measured, invalid = collections.defaultdict(list), collections.defaultdict(list), 0, 0
    for one, other in pairs:
        a, b = one.get(name), other.get(name)
        if not (a and b and a["throughput"] and b["throughput"]):
            continue
        measured += 1
        doubtful = a["invalid"] or b["invalid"]
        invalid += doubtful
        for what in ("throughput", "joules"):
            if a[what] and b[what]:
                (x, half_x), (y, half_y) = a[what], b[what]
                agree[what].append(abs(x - y) <= math.hypot(half_x, half_y))
                widths[what] += [half_x / x, half_y / y]
                overall[what].append((agree[what][-1], doubtful))
    said = [f"in {what} {sum(agree[what])} of {len(agree[what])} pairs agree, median interval "
            f"±{100 * statistics.median(widths[what]):.1f} %" for what in agree]
    print(f"{name}: " + "; ".join(said + [f"{invalid} with an invalid half", f"{len(pairs) - measured} not measured"]))

def share(of):
    return f"{sum(of)} of {len(of)}" + (f" ({100 * sum(of) / len(of):.0f} %)" if of else "")

for what, all_pairs in overall.items():
    print(f"overall, in {what} {share([agree for agree, _ in all_pairs])} agree; without those that have an invalid half "
          f"{share([agree for agree, doubtful in all_pairs if not doubtful])}")
if not overall:
    sys.exit("no row was measured in both halves of a pair")
PY
