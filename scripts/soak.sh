#!/usr/bin/env bash
# Longer checks, run and quoted before an issue is called resolved: ./scripts/soak.sh
# Prints what each found; ends with an error if one does not hold.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
rigbench=$PWD/${CARGO_TARGET_DIR:-target}/release/rigbench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
check() { # check WHAT CONDITION...
    local what=$1
    shift
    if "$@"; then echo "holds: $what"; else echo "FAILS: $what"; failed=1; fi
}

echo "== a quick run over every device: time, and device time within the windows"
begin=$(date +%s)
export XDG_CACHE_HOME=$work/cache
"$rigbench" run --quick --out "$work/cold" >/dev/null
took=$(($(date +%s) - begin))
check "rigbench run --quick took $took s with nothing tuned, at most 150" [ "$took" -le 150 ]
begin=$(date +%s)
"$rigbench" run --quick --out "$work/quick" --json >"$work/quick.json"
took=$(($(date +%s) - begin))
check "rigbench run --quick took $took s, at most 90" [ "$took" -le 90 ]
"$rigbench" validate "$work"/cold/*.json "$work"/quick/*.json
check "device seconds are at least 0.95 of the time, by the median of each row that has them" python3 - "$work/quick.json" <<'PY'
import json, statistics, sys
document = json.load(open(sys.argv[1]))
timed = []
for row in document["evidence"]["rows"]:
    windows = row["windows"] or {}
    shares = [gpu / wall for gpu, wall in zip(windows.get("gpu_seconds") or [], windows["wall_seconds"])]
    if shares:
        timed.append((row["device"], statistics.median(shares)))
        print(f'{row["device"]} {row["workload"]["id"]}: device seconds / wall, median {statistics.median(shares):.3f}, '
              f'range {min(shares):.3f} to {max(shares):.3f}')
there = any(device["id"] == "gpu:0" for device in document["evidence"]["manifest"]["devices"])
if there and not any(device == "gpu:0" for device, _ in timed):
    sys.exit("gpu:0 is there and none of its rows has device seconds")
sys.exit(any(median < 0.95 for _, median in timed))
PY

echo "== a result of 100 windows or more is validated within a second"
"$rigbench" run --out "$work/long" >/dev/null
largest=$(ls -S "$work"/long/*.json | head -n 1)
windows=$(python3 -c 'import json, sys; print(sum(len(row["windows"]["work"]) for row in json.load(open(sys.argv[1]))["evidence"]["rows"]))' "$largest")
begin=$(date +%s%N)
"$rigbench" validate "$largest" >/dev/null
took=$((($(date +%s%N) - begin) / 1000000))
check "validate took $took ms for $windows windows, at most 1000" [ "$took" -le 1000 ]
check "and there are at least 100 windows" [ "$windows" -ge 100 ]

echo "== from a finished run to the page within half a second; a folder of 1,000 runs within 5 s and 500 MB"
begin=$(date +%s%N)
"$rigbench" report --format html -o "$work/page.html" "$largest"
took=$((($(date +%s%N) - begin) / 1000000))
check "the page of a run of $windows windows took $took ms, at most 500" [ "$took" -le 500 ]
begin=$(date +%s%N)
"$rigbench" advise "$largest" >/dev/null
took=$((($(date +%s%N) - begin) / 1000000))
check "the advice took $took ms, at most 500" [ "$took" -le 500 ]
mkdir "$work/thousand"
RIGBENCH_THOUSAND=$work/thousand cargo test --release --locked --quiet --test report_memory -- --ignored >/dev/null
for format in html csv table; do
    read -r took kib < <(python3 - "$rigbench" report --format "$format" -o "$work/thousand.$format" "$work/thousand" <<'PY'
import resource, subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[1:], check=True)
print(round(1000 * (time.monotonic() - begin)), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
    )
    check "report --format $format of $(ls "$work/thousand" | wc -l) runs took $took ms, at most 5000" [ "$took" -le 5000 ]
    check "and $((kib / 1024)) MiB, at most 500 MB" [ "$((kib * 1024))" -le 500000000 ]
done

echo "== the host blocks while it waits: processor time of the main thread over a run on the GPU"
# From the end of one window to the end of the next in the same block, as the log tells them: there the device always works.
read -r share seconds < <(python3 - "$rigbench" run --quick --device gpu:0 --out "$work/block" <<'PY'
import math, os, re, subprocess, sys, time
run = subprocess.Popen(sys.argv[1:], env=os.environ | {"RIGBENCH_LOG": "info"}, text=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

def used():
    """Processor seconds of the main thread: user and system, after the name, which may hold spaces."""
    words = open(f"/proc/{run.pid}/task/{run.pid}/stat").read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

busy = wall = 0
before = None
for line in run.stderr:
    if window := re.search(r"(\[\d+/\d+\] .*): window \d+/", line):
        now = window[1], time.monotonic(), used()
        if before and before[0] == now[0]:
            wall += now[1] - before[1]
            busy += now[2] - before[2]
        before = now
    elif "a block is kept" in line:
        before = None
if run.wait():
    sys.exit(f"rigbench run ended with code {run.returncode}")
print(math.ceil(100 * busy / wall) if wall else 100, math.floor(wall))
PY
)
check "the main thread used $share % of a core within windows, at most 10" [ "$share" -le 10 ]
check "and these were $seconds s, at least 4" [ "$seconds" -ge 4 ]

echo "== Ctrl-C at 20 moments of a run: ends within a second, and the document is whole and consistent"
slowest=0
for i in $(seq 20); do
    "$rigbench" run --quick --out "$work/int$i" >/dev/null 2>&1 &
    pid=$!
    sleep "$(awk -v i="$i" 'BEGIN { print 0.5 + i * 0.97 }')"
    begin=$(date +%s%N)
    kill -INT "$pid" 2>/dev/null || true
    wait "$pid" && code=0 || code=$?
    took=$((($(date +%s%N) - begin) / 1000000))
    [ "$took" -gt "$slowest" ] && slowest=$took
    [ "$code" = 130 ] || [ "$code" = 0 ] || { echo "exit code $code"; failed=1; }
    python3 -m json.tool "$work/int$i"/*.json >/dev/null || failed=1
    "$rigbench" validate "$work/int$i"/*.json >"$work/said" || { cat "$work/said"; failed=1; }
done
check "the slowest end took $slowest ms, at most 1000" [ "$slowest" -le 1000 ]

one_test() { # one_test COMMAND...: it succeeds, and one test ran to its end: none would match a name that has changed
    "$@" 2>&1 | tee "$work/test" && grep -q '^test result: ok\. 1 passed' "$work/test" && ! grep '^not run: ' "$work/test"
}

echo "== 500 mutations of each input: results, market files, GGUF files, plugs' answers, kept choices of kernels"
if RIGBENCH_MUTATIONS=500 cargo test --release --locked --quiet --test documents mutations:: -- --nocapture >"$work/mutations" 2>&1; then
    grep ' mutations, ' "$work/mutations"
    check "$(grep -c ' mutations, ' "$work/mutations") kinds of input: no panic, at most a second and 500 MB each" true
else
    cat "$work/mutations"
    check "mutated inputs do no harm" false
fi

echo "== every word of a header, by two kernels"
check "processor and GPU find the same shares" \
    one_test cargo test --release --locked --quiet --test kernels -- --ignored --nocapture all_words_of_a_header

echo "== every kernel on the newest Mesa"
if [ -e "${CARGO_TARGET_DIR:-target}/mesa-latest" ]; then
    check "kernels are right on the newest Mesa" env CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER=scripts/mesa-latest.sh \
        cargo test --locked --quiet --test kernels gpu::
else
    echo "not run: the newest Mesa: ./scripts/mesa-latest.sh makes its root"
fi

echo "== kill -9 at 50 moments of a run"
check "no finished block is lost, and validate reads what is left" \
    one_test env RIGBENCH_KILLS=50 cargo test --release --locked --quiet --test runs -- --nocapture a_kill_loses_no_finished_block

echo "== a full disk"
if [ "$(id -u)" = 0 ] && mkdir "$work/small" && mount -t tmpfs -o size=8k tmpfs "$work/small" 2>/dev/null; then
    "$rigbench" run --quick --device cpu --out "$work/small" 2>"$work/full" && code=0 || code=$?
    cat "$work/full"
    umount "$work/small"
    check "exit code $code is 2" [ "$code" = 2 ]
else
    echo "not run: a full disk: needs root and mount"
fi
exit $failed
