"""Counts the first fit as an update, divides with one sign only, and averages rides with shares."""
# Loses: cost-values 6, cost-other 6, even-none 8, safest-units 6

import numpy as np


def cost_per_thousand(loss, fits, price_error, price_update):
    return 1000 * (price_error * np.sum(loss) + price_update * fits) / len(loss)


def break_even(errors_a, updates_a, errors_b, updates_b):
    if updates_a == updates_b:
        return None
    return (errors_b - errors_a) / (updates_a - updates_b)


def safest(errors):
    means = errors.mean(axis=1)
    return int(means.argmin()), float((errors / errors.min(axis=0) - 1).max(axis=1)[means.argmin()])
