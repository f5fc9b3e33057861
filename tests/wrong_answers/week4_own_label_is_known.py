"""Adds the person's error of the very row that is predicted: the label had not arrived."""
# Loses: person-first 8, person-order 6, person-values 10

import numpy as np


def personal(shared, keys, y, m):
    said = np.array(shared, float)
    for t in range(len(y)):
        own = (y - shared)[: t + 1][keys[: t + 1] == keys[t]]
        said[t] += len(own) / (len(own) + m) * own.mean()
    return said
