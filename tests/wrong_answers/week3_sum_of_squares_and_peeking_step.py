"""Subtracts two huge sums for the variance, and reports the line after its step, not before."""
# Loses: scaler-far 6, step-hand 6, step-order 8, step-river 8

import numpy as np


class OnlineScaler:
    def __init__(self, d):
        self.n, self.sum, self.squares = 0, np.zeros(d), np.zeros(d)

    def learn_one(self, x):
        self.n += 1
        self.sum = self.sum + x
        self.squares = self.squares + x * x

    def transform_one(self, x):
        if self.n == 0:
            return np.zeros(len(x))
        mean = self.sum / self.n
        sd = np.sqrt(np.maximum(self.squares / self.n - mean**2, 0))
        return np.where(sd > 0, (x - mean) / np.where(sd > 0, sd, 1), 0)


def sgd_line(X, y, rate):
    w, b, said = np.zeros(X.shape[1]), 0.0, []
    for x, truth in zip(X, y, strict=True):
        error = w @ x + b - truth
        w, b = w - rate * 2 * error * x, b - rate * 2 * error
        said.append(w @ x + b)
    return np.array(said)
