"""Fits the model that was passed, not a copy: the caller's model is another one afterwards."""
# Loses: frozen-values 6


def frozen(model, X, y, warmup):
    return model.fit(X[:warmup], y[:warmup]).predict(X[warmup:])
