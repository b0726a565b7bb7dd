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
    host, protocol = document["manifest"]["host"], document["run"]["protocol"]
    made.add(
        f"rigbench {document['manifest']['rigbench']['version']} run, protocol {protocol['mode']}, "
        f"{protocol['windows']} windows of {protocol['window_seconds']} s, on {host['cpu']}, {host['cores']} threads"
        + (", a virtual machine" if host["virtualized"] else "")
    )
    for m in document["measurements"]:
        own = [w["cpu_seconds"] / w["wall_seconds"] for w in m["windows"]]
        if not own:
            continue
        usual = statistics.median(own)
        calm = [share >= STARVED * usual for share in own]
        if calm.count(False) > DISTURBED * len(calm):
            continue
        stretches, before = [], None
        for window, is_calm in zip(m["windows"], calm):
            block = window.get("block", 0)
            if is_calm:
                if before != block:
                    stretches.append([])
                stretches[-1].append(float(f"{window['work'] / window['wall_seconds']:.6g}"))
            before = block if is_calm else None
        workload = ":".join(filter(None, [m["workload"]["id"], m["workload"]["shape"]]))
        rows.append({"class": m["class"], "workload": workload, "stretches": stretches})

path = pathlib.Path(__file__).parent.parent / "tests/golden/windows.json"
lines = ",\n".join(json.dumps(row) for row in rows)
path.write_text(f'{{"made_by": {json.dumps("; ".join(sorted(made)) + "; scripts/windows.py")},\n"rows": [\n{lines}\n]}}\n')
for row in rows:
    print(row["class"], row["workload"], [len(stretch) for stretch in row["stretches"]])
