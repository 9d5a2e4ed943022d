"""Reference values for the statistics of `cargo xtask compare`, by SciPy and statsmodels.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 statsmodels==0.15.0
    venv/bin/python tests/data/statistics/make.py > tests/data/statistics/reference.json

The samples are drawn from a fixed seed, and rounded to the lower bound of their bucket of the harness's histogram, so that
ties are the same on both sides. They are stored as [value, count].
"""

import json

import numpy
from scipy import stats
from statsmodels.stats.multitest import multipletests

rng = numpy.random.default_rng(20260408)


def bucket(value):
    """Lower bound: values below 32 have a bucket each, above that an octave has 32."""
    value = int(value)
    shift = max(value.bit_length() - 6, 0)
    return value >> shift << shift


def counted(samples):
    values, counts = numpy.unique(samples, return_counts=True)
    return [[int(value), int(count)] for value, count in zip(values, counts)]


def lognormal(n, middle, sigma):
    return [bucket(value) for value in middle * numpy.exp(sigma * rng.standard_normal(n))]


def rank_sum(name, a, b):
    test = stats.mannwhitneyu(b, a, use_continuity=True, method="asymptotic", alternative="two-sided")
    return {
        "name": name,
        "a": counted(a),
        "b": counted(b),
        "p": test.pvalue,
        "superiority": test.statistic / (len(a) * len(b)),
    }


def fisher(hits_a, n_a, hits_b, n_b):
    p = stats.fisher_exact([[hits_a, n_a - hits_a], [hits_b, n_b - hits_b]])[1]
    return {"hits_a": hits_a, "n_a": n_a, "hits_b": hits_b, "n_b": n_b, "p": p}


def holm(p):
    return {"p": p, "adjusted": list(multipletests(p, method="holm")[1])}


def order_statistic(n, q):
    """The rank of the quantile of n samples drawn anew is a beta variable."""
    k = min(max(int(numpy.ceil(q * n)), 1), n)
    at = [0.015, 0.035, 0.965, 0.985]
    return {"n": n, "q": q, "at": [float(stats.beta.ppf(part, k, n - k + 1)) for part in at]}


slow = lognormal(980, 9000, 0.1) + lognormal(20, 90000, 0.1)
reference = {
    "rank_sum": [
        rank_sum("alike", lognormal(200, 10000, 0.2), lognormal(300, 10000, 0.2)),
        rank_sum("five percent", lognormal(1000, 10000, 0.1), lognormal(1000, 10500, 0.1)),
        rank_sum("few buckets", lognormal(500, 10000, 0.01), lognormal(400, 10050, 0.01)),
        rank_sum("small values", list(rng.integers(0, 6, 80)), list(rng.integers(1, 7, 90))),
        rank_sum("a tail", lognormal(1000, 9000, 0.1), slow),
        rank_sum("many", lognormal(20000, 10000, 0.3), lognormal(30000, 10040, 0.3)),
        rank_sum("few", lognormal(20, 10000, 0.2), lognormal(25, 12000, 0.2)),
    ],
    "fisher": [
        fisher(0, 100, 0, 100),
        fisher(0, 1000, 10, 1000),
        fisher(3, 10, 9, 12),
        fisher(5, 1000, 15, 1000),
        fisher(40, 1000, 60, 1000),
        fisher(450, 10000, 550, 10000),
        fisher(10, 1000, 30, 2000),
        fisher(1000, 100000, 1150, 100000),
        fisher(50000, 1000000, 50700, 1000000),
        fisher(20, 500, 0, 3000),
    ],
    "holm": [
        holm([0.01, 0.04, 0.03, 0.005]),
        holm([0.7, 0.9]),
        holm([0.001, 0.001, 0.5, 0.02, 0.02, 1.0]),
        holm([2e-9, 0.3, 0.0004, 0.012, 0.0125, 0.013, 0.6, 0.0499]),
        holm([float(p) for p in numpy.round(rng.uniform(0, 0.2, 24), 6)]),
    ],
    "order_statistic": [
        order_statistic(100, 0.5),
        order_statistic(1000, 0.5),
        order_statistic(1000, 0.95),
        order_statistic(1000, 0.99),
        order_statistic(10000, 0.999),
    ],
}
lists = []
for name, rows in reference.items():
    lines = ",\n".join(f"    {json.dumps(row)}" for row in rows)
    lists.append(f"  {json.dumps(name)}: [\n{lines}\n  ]")
print("{\n" + ",\n".join(lists) + "\n}")
