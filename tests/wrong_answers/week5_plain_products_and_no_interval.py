"""Multiplies weights until they underflow, and swaps on any difference of means."""
# Loses: blend-long 8, serve-noise 6

import numpy as np


def blend(experts, y, eta):
    weights, said = np.ones(experts.shape[1]), []
    with np.errstate(invalid="ignore"):
        for guesses, truth in zip(experts, y, strict=True):
            said.append((weights * guesses).sum() / weights.sum())
            weights = weights * np.exp(-eta * np.abs(guesses - truth))
    return np.array(said)


def who_serves(loss_a, loss_b, every, block):
    served, now = [], "a"
    for start in range(0, len(loss_a), every):
        rows = slice(start, start + every)
        served += [now] * len(loss_a[rows])
        if len(loss_a[rows]) == every:
            now = "b" if loss_b[rows].mean() < loss_a[rows].mean() else "a"
    return served
