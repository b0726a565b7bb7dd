#!/usr/bin/env python3
"""Writes tests/golden/stats.json: what SciPy computes of samples that tests/kernels/stats.rs gives to src/measure/stats/.

    python3 -m venv target/scipy && target/scipy/bin/pip install scipy==1.17.1 numpy==2.4.6
    target/scipy/bin/python scripts/stats-fixtures.py

The samples are drawn here, from NumPy's generator with a fixed seed, and stand in the file.
"""

import json
import math
import pathlib
import warnings

import numpy as np
import scipy
from scipy import stats

rng = np.random.default_rng(20261123)
warnings.filterwarnings("ignore")


def normal(n, mean=100.0, deviation=3.0):
    return rng.normal(mean, deviation, n)


def coarse(n, mean=100.0, deviation=3.0):
    """Values with ties."""
    return np.round(normal(n, mean, deviation))


def heavy(n):
    """A few values lie far away, as when others use the machine."""
    return 100.0 - np.abs(rng.standard_t(1.5, n))


def finite(value):
    return None if not math.isfinite(value) else float(value)


def location():
    for values in [*(normal(n) for n in (1, 2, 5, 6, 7, 15, 20, 65)), coarse(20), heavy(21), np.full(8, 3.0)]:
        interval = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
        yield {
            "values": values.tolist(),
            "median": float(np.median(values)),
            "low": finite(interval.low),
            "high": finite(interval.high),
            "mad": float(stats.median_abs_deviation(values)),
        }


def trend():
    def case(x, y):
        slope = stats.theilslopes(y, x, 0.95)
        return {
            "x": x.tolist(),
            "y": y.tolist(),
            "slope": float(slope.slope),
            "low": float(slope.low_slope),
            "high": float(slope.high_slope),
        }

    for n in (6, 7, 15, 20, 65):
        x = np.cumsum(rng.uniform(1.2, 1.8, n))
        yield case(x, normal(n))
        yield case(x, normal(n) + 0.5 * x)
        yield case(x, coarse(n))
    x = np.repeat(np.arange(6.0), 3)
    yield case(x, normal(18) - x)
    yield case(x, coarse(18) - x)


def ranks():
    sizes = [(1, 1), (1, 5), (3, 3), (3, 4), (4, 3), (5, 8), (8, 8), (8, 40), (40, 8), (9, 9), (15, 20), (65, 65)]
    pairs = [(normal(n), normal(m, 100.0 + shift)) for n, m in sizes for shift in (0.0, 2.0, -6.0)]
    pairs += [(coarse(n), coarse(m, 101.0)) for n, m in ((4, 4), (8, 9), (15, 15), (20, 20))]
    pairs += [(heavy(20), 0.97 * heavy(20)), (normal(60), normal(60, 160.0))]
    for a, b in pairs:
        test = stats.mannwhitneyu(a, b)
        yield {"a": a.tolist(), "b": b.tolist(), "u": float(test.statistic), "p": float(test.pvalue)}


def ratios():
    """Student's test of logarithms."""
    sizes = [(2, 2), (2, 3), (3, 3), (3, 4), (5, 5), (20, 20)]
    for n, m in sizes:
        for factor in (1.0, 0.95, 2.0):
            base, new = normal(n, 100.0, 2.0), factor * normal(m, 100.0, 2.0)
            test = stats.ttest_ind(np.log(new), np.log(base))
            interval, wider = test.confidence_interval(0.95), test.confidence_interval(0.99)
            yield {
                "base": base.tolist(),
                "new": new.tolist(),
                "ratio": float(np.exp(np.mean(np.log(new)) - np.mean(np.log(base)))),
                "low": float(np.exp(interval.low)),
                "high": float(np.exp(interval.high)),
                "low_99": float(np.exp(wider.low)),
                "high_99": float(np.exp(wider.high)),
                "p": float(test.pvalue),
            }


def bootstrap():
    """With so many draws the ends no longer vary with the seed by more than the tests allow."""
    def ratio(base, new, axis=-1):
        return np.median(new, axis=axis) / np.median(base, axis=axis)

    for base, new in [(normal(15), normal(15, 95.0)), (normal(20), normal(25)), (heavy(21), heavy(20))]:
        found = stats.bootstrap(
            (base, new), ratio, method="percentile", n_resamples=200_000, batch=1000, vectorized=True, rng=rng
        )
        interval = found.confidence_interval
        yield {"base": base.tolist(), "new": new.tolist(), "low": float(interval.low), "high": float(interval.high)}


fixtures = {
    "made_by": f"scripts/stats-fixtures.py with SciPy {scipy.__version__}, NumPy {np.__version__}",
    "location": list(location()),
    "trend": list(trend()),
    "ranks": list(ranks()),
    "ratios": list(ratios()),
    "bootstrap": list(bootstrap()),
}
path = pathlib.Path(__file__).parent.parent / "tests/golden/stats.json"
path.write_text(json.dumps(fixtures) + "\n")
print(f"{path.name}: " + ", ".join(f"{len(v)} of {k}" for k, v in fixtures.items() if isinstance(v, list)))
