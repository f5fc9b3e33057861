"""Asks the champion only: a candidate that is no better than no change passes."""
# Loses: gate-clear 6, gate-naive 6

import numpy as np

from companion import intervals


def gate(candidate, champion, naive, groups, block):
    objections = []
    if intervals.block_bootstrap_interval(candidate - champion, block=block)[0] > 0:
        objections.append("worse than the champion")
    for name in np.unique(groups):
        rows = groups == name
        if rows.sum() >= 30:
            d = (candidate - champion)[rows]
            if intervals.block_bootstrap_interval(d, block=block)[0] > 0:
                objections.append(f"worse in {name}")
    return objections
