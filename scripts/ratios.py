"""Rates and ratios of alternated runs, for the ratio scripts.

ratios.py criterion FOLDER NAME [DIVISOR]
                                      the one bench under a criterion folder, as a line "NAME RATE": units a second ÷ DIVISOR
ratios.py table RATES NUM/DEN...      medians of the rates in a file of such lines, and of the ratios of equal rounds
"""

import json
import pathlib
import statistics
import sys


def criterion(folder, name, divisor="1"):
    (bench,) = pathlib.Path(folder).glob("**/new/benchmark.json")
    estimates = json.loads((bench.parent / "estimates.json").read_text())
    work = json.loads(bench.read_text())["throughput"]["Elements"]
    print(name, work / estimates["median"]["point_estimate"] * 1e9 / float(divisor))


def summary(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(path, *ratios):
    rates = {}
    for line in open(path):
        name, rate = line.split()
        rates.setdefault(name, []).append(float(rate))
    for name, values in rates.items():
        # Tokens come by the dozen, operations by the thousand million.
        scale, unit = (1e6, "million ") if min(values) > 1e6 else (1, "")
        print(f"{name:24} {summary([v / scale for v in values], 1)} {unit}a second, n = {len(values)}")
    for ratio in ratios:
        top, bottom = (rates[name] for name in ratio.split("/"))
        if len(bottom) == 1:  # too slow for every round
            bottom = bottom * len(top)
        print(f"{ratio:24} {summary([a / b for a, b in zip(top, bottom, strict=True)], 3)}")


{"criterion": criterion, "table": table}[sys.argv[1]](*sys.argv[2:])
