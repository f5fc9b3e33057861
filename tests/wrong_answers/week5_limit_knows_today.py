"""Takes the day itself into the window of its own limit."""
# Loses: limit-values 6, limit-today 6, limit-other 4

import numpy as np


def rolling_limit(returns, first, window, share):
    days = range(first, len(returns))
    return np.array([np.quantile(returns[t - window + 1 : t + 1], share) for t in days])
