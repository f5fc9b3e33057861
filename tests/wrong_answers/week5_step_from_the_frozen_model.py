"""Counts days instead of shares, and steps by the frozen model's miss, not by the corrected one."""
# Loses: broken-values 6, broken-edges 6, correction-hand 6, correction-limits 6

import numpy as np


def broken_days(returns, limits, year):
    broken = returns < limits
    counts = {int(one): int(broken[year == one].sum()) for one in np.unique(year)}
    worst = max(counts, key=counts.get)
    return broken.mean(), worst, counts[worst] / len(returns)


def corrected(frozen, y, rate):
    said, c = [], 0.0
    for guess, truth in zip(frozen, y, strict=True):
        said.append(guess + c)
        c += rate * (truth - guess)
    return np.array(said)
