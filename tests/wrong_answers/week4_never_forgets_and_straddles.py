"""Keeps mean and sum after an alarm, sets the threshold stream by stream, straddles the drift."""
# Loses: alarm-anew 6, alarm-other 6, threshold-together 8, recovery-windows 8

import numpy as np


def page_hinkley(values, delta, threshold):
    rows, count, mean, total, least = [], 0, 0.0, 0.0, 0.0
    for row, value in enumerate(values):
        count += 1
        mean += (value - mean) / count
        total += value - mean - delta
        least = min(least, total)
        if total - least > threshold:
            rows.append(row)
            total, least = 0.0, 0.0
    return rows


def set_threshold(detector, quiet, thresholds, most):
    for threshold in sorted(thresholds):
        rates = [1000 * len(detector(values, threshold)) / len(values) for values in quiet]
        if np.mean(rates) <= most:
            return threshold
    return None


def recovery(loss, drift, before, window, slack):
    target = slack * loss[drift - before : drift].mean()
    for row in range(drift, len(loss)):
        if loss[row - window + 1 : row + 1].mean() <= target:
            return row - drift + 1
    return None
