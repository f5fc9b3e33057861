"""Scales all rows at once before it learns the warm-up: the scaler has seen the future."""
# Loses: frozen-inputs 6

from sklearn.base import clone
from sklearn.preprocessing import StandardScaler


def frozen(model, X, y, warmup):
    X = StandardScaler().fit_transform(X)
    return clone(model).fit(X[:warmup], y[:warmup]).predict(X[warmup:])
