"""Leaves one row too few in the gap, and fits each schedule on the first row to be predicted."""
# Loses: origin-gap 6, schedule-values 4, schedule-companion 8

import numpy as np
from sklearn.base import clone


def rolling_origin(n, first, test, gap=0):
    folds = []
    for start in range(first, n - test + 1, test):
        end = start - gap + 1 if gap else start
        folds.append((np.arange(end), np.arange(start, start + test)))
    return folds


def scheduled(model, X, y, warmup, every, window):
    said = []
    for start in range(warmup, len(y), every):
        known = slice(max(0, start - window + 1), start + 1)
        said.append(clone(model).fit(X[known], y[known]).predict(X[start : start + every]))
    return np.concatenate(said)
