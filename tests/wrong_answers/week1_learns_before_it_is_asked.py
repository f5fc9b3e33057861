"""Tells the learner each label and then asks for it: the learner has seen the answer."""
# Loses: loop-values 6, loop-order 8, loop-river 6

import numpy as np


def test_then_train(learner, X, y, features, warmup):
    said = []
    for t in range(len(y)):
        x = dict(zip(features, X[t].tolist(), strict=True))
        learner.learn_one(x, y[t])
        if t >= warmup:
            said.append(learner.predict_one(x))
    return np.array(said)
