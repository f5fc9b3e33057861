"""Lays the bins over old and new rows together, and tests every feature at 5 %."""
# Loses: psi-values 6, psi-edges 10, holm-many 10

import numpy as np


def psi(old, new, bins=10):
    edges = np.quantile(np.concatenate([old, new]), np.arange(1, bins) / bins)
    shares = []
    for values in (old, new):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=bins)
        shares.append((counts + 0.5) / (len(values) + 0.5 * bins))
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


def holm(p_values, level=0.05):
    return np.asarray(p_values) < level
