"""Tells all labels of the warm-up before the first question, as if only later ones were late."""
# Loses: delay-diary 6, delay-companion 6

import numpy as np


def delayed_loop(learner, X, y, warmup, delay):
    for i in range(warmup):
        learner.learn_one(X[i], y[i])
    said = []
    for t in range(warmup, len(y)):
        arrived = t - delay
        if arrived >= warmup:
            learner.learn_one(X[arrived], y[arrived])
        said.append(learner.predict_one(X[t]))
    return np.array(said)
