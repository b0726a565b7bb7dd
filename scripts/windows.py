#!/usr/bin/env python3
"""Writes tests/golden/windows.json from result files: python3 scripts/windows.py FILE...

It keeps the rates of the windows of each row that was measured, in stretches: windows that follow on one another in one block and in
which this process got its usual share of the processor, by the rule of src/results/figures.rs. Rows of which more than a fifth were
disturbed so are left out, as rigbench calls them invalid."""

import json
import pathlib
import statistics
import sys

STARVED, DISTURBED = 0.9, 0.2
rows, made = [], set()
for name in sys.argv[1:]:
    document = json.load(open(name))
    manifest = document["evidence"]["manifest"]
    host, protocol = manifest["host"], manifest["protocol"]
    classes = {device["id"]: device["class"] for device in manifest["devices"]}
    made.add(
        f"rigbench {manifest['rigbench']['version']} run, protocol {protocol['mode']}, "
        f"{protocol['windows']} windows of {protocol['window_seconds']} s, on {host['cpu']}, {host['threads']} threads"
        + (", a virtual machine" if host["virtualized"] else "")
    )
    for row in document["evidence"]["rows"]:
        windows = row["windows"]
        if not windows:
            continue
        own = [cpu / wall for cpu, wall in zip(windows["cpu_seconds"], windows["wall_seconds"])]
        usual = statistics.median(own)
        calm = [share >= STARVED * usual for share in own]
        if calm.count(False) > DISTURBED * len(calm):
            continue
        rates = [float(f"{work / wall:.6g}") for work, wall in zip(windows["work"], windows["wall_seconds"])]
        blocks = [block for block, n in enumerate(windows["blocks"]["windows"]) for _ in range(n)]
        stretches, before = [], None
        for rate, block, is_calm in zip(rates, blocks, calm):
            if is_calm:
                if before != block:
                    stretches.append([])
                stretches[-1].append(rate)
            before = block if is_calm else None
        rows.append({"class": classes[row["device"]], "workload": row["workload"]["spec"], "stretches": stretches})

path = pathlib.Path(__file__).parent.parent / "tests/golden/windows.json"
lines = ",\n".join(json.dumps(row) for row in rows)
path.write_text(f'{{"made_by": {json.dumps("; ".join(sorted(made)) + "; scripts/windows.py")},\n"rows": [\n{lines}\n]}}\n')
for row in rows:
    print(row["class"], row["workload"], [len(stretch) for stretch in row["stretches"]])
