"""Resamples single rows, and asks whether two intervals overlap instead of pairing the rows."""
# Loses: interval-blocks 10, judge-paired 10

import numpy as np

from companion import intervals


def block_interval(d, block, resamples=1000, seed=0):
    rng = np.random.default_rng(seed)
    means = [rng.choice(d, len(d)).mean() for _ in range(resamples)]
    return tuple(np.quantile(means, [0.025, 0.975]))


def judge(loss_a, loss_b, block):
    low_a, high_a = intervals.block_bootstrap_interval(loss_a, block=block)
    low_b, high_b = intervals.block_bootstrap_interval(loss_b, block=block)
    return "a" if high_a < low_b else "b" if high_b < low_a else "cannot tell"
