"""Counts an alarm near the drift as its detection, also one that rang before it."""
# Loses: judge-edges 6, judge-companion 6

import numpy as np


def judge_alarms(alarms, drifts, within):
    delays, excused = [], 0
    for drift in drifts:
        hits = [row for row in alarms if abs(row - drift) <= within]
        excused += len(hits)
        if hits:
            delays.append(abs(hits[0] - drift))
    return {
        "detected": len(delays),
        "missed": len(drifts) - len(delays),
        "false": len(alarms) - excused,
        "delay": float(np.mean(delays)) if delays else None,
    }
