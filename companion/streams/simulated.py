"""Simulated streams, whose truth is known: where they drift, how noisy they are, when they fail.

Every stream made here says on its card that it is simulated.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from companion.stream import Stream

DRIFTS = ("none", "abrupt", "gradual", "incremental", "recurring")


def simulate(
    drift: str = "abrupt",
    rows: int = 4000,
    *,
    task: str = "classification",
    at: float | tuple[float, ...] = 0.5,
    width: float = 0.2,
    noise: float = 0.1,
    balance: float | None = None,
    seed: int = 0,
) -> Stream:
    """Simulate a stream that drifts where and how it is told.

    Classes follow the SEA rule: class 1 if the first two of three features, each between 0 and
    10, add up to no more than a threshold; another concept is another threshold. Numbers follow
    a line whose weights turn from one concept to the next.

    Parameters
    ----------
    drift : {"none", "abrupt", "gradual", "incremental", "recurring"}
        ``abrupt`` changes the concept at once; ``gradual`` mixes the old and the new for a while,
        more and more of the new; ``incremental`` moves the concept itself, step by step;
        ``recurring`` goes back and forth between two concepts.
    rows : int
    task : {"classification", "regression"}
    at : float or tuple of float
        Where the concept changes, as shares of the stream; a recurring drift with one number
        changes at each of its multiples.
    width : float
        How long a gradual or incremental change takes, as a share of the stream.
    noise : float
        Share of flipped labels; for numbers, the noise's standard deviation against the signal's.
    balance : float, optional
        The share of class 1, the same before and after; left to the rule if not given.
    seed : int

    Returns
    -------
    Stream
        ``card["drifts"]`` lists the rows at which changes begin; ``card["concept"]`` holds each
        row's concept, a number between 0 and 1.

    References
    ----------
    Street and Kim (2001), A streaming ensemble algorithm (SEA) for large-scale classification;
    Gama et al. (2014), A survey on concept drift adaptation, for the kinds of drift.

    Examples
    --------
    >>> stream = simulate("abrupt", 1000, at=0.3)
    >>> stream.card["drifts"], stream.card["real"]
    ([300], False)
    """
    if drift not in DRIFTS:
        raise ValueError(f"there is no drift {drift!r}; choose from {', '.join(DRIFTS)}")
    if task not in ("classification", "regression"):
        raise ValueError(f"task is {task!r}; choose 'classification' or 'regression'")
    if rows < 10 or not 0 <= noise or (task == "classification" and noise > 0.5):
        raise ValueError(f"rows {rows}, noise {noise}: give 10 rows or more, and a noise from 0")
    points = sorted(at) if isinstance(at, tuple) else [at]
    if not all(0 < point < 1 for point in points):
        raise ValueError(f"at is {at}; give shares of the stream between 0 and 1")
    if drift == "recurring" and not isinstance(at, tuple):
        points = np.arange(at, 1 - 1e-9, at).tolist()
    rng = np.random.default_rng(seed)
    concept = concepts(drift, rows, points, width, rng)
    make = classes_of if task == "classification" else line_of
    X, y = make(concept, noise, balance, rng)
    starts = [] if drift == "none" else [int(point * rows) for point in points]
    card = {
        "title": f"Simulated stream, {drift} drift", "real": False, "drifts": starts,
        "concept": concept, "unit": "",
    }  # fmt: skip
    return Stream(
        f"simulated, {drift}", X, y, features=("a", "b", "c"), task=task, card=card,
        classes=("0", "1") if task == "classification" else (),
    )  # fmt: skip


def concepts(
    drift: str, rows: int, points: list[float], width: float, rng: np.random.Generator
) -> np.ndarray:
    """Return each row's concept, between 0 (the first) and 1 (the other), back and forth."""
    t = np.arange(rows) / rows
    level = np.zeros(rows)
    if drift == "none":
        return level
    for number, point in enumerate(points):
        if drift in ("abrupt", "recurring"):
            share = (t >= point).astype(float)
        elif drift == "incremental":
            share = np.clip((t - point) / width, 0, 1)
        else:  # the chance of the new concept grows as a line while both are about
            share = (rng.random(rows) < np.clip((t - point) / width, 0, 1)).astype(float)
        level = np.where(share > 0, share if number % 2 == 0 else 1 - share, level)
    return level


def classes_of(
    concept: np.ndarray, noise: float, balance: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return features and classes by the SEA rule, thresholds 8 (concept 0) to 13 (concept 1)."""
    threshold = 8 + 5 * concept
    X = rng.uniform(0, 10, (len(concept), 3))
    if balance is not None:
        wanted = rng.random(len(concept)) < balance
        for _ in range(200):  # draw again where the class is not the wanted one
            wrong = (X[:, 0] + X[:, 1] <= threshold) != wanted
            if not wrong.any():
                break
            X[wrong] = rng.uniform(0, 10, (int(wrong.sum()), 3))
    y = X[:, 0] + X[:, 1] <= threshold
    return X, y ^ (rng.random(len(y)) < noise)


def line_of(
    concept: np.ndarray, noise: float, balance: float | None, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return features and numbers on a line that turns by a right angle from concept 0 to 1."""
    if balance is not None:
        raise ValueError("balance is for classes; leave it out for numbers")
    X = rng.normal(size=(len(concept), 3))
    turn = np.pi / 2 * concept
    signal = X[:, 0] * np.cos(turn) + X[:, 1] * np.sin(turn) + 0.5 * X[:, 2]
    return X, signal + noise * np.sqrt(1.25) * rng.normal(size=len(concept))


def machines(
    count: int = 4,
    days: int = 365,
    *,
    regimes: int = 2,
    seed: int = 0,
) -> Stream:
    r"""Simulate machines that wear, fail and are repaired, read every hour, keyed by machine.

    Each machine runs under a load :math:`\ell` that changes with its regime (which product it
    makes). Its wear grows every hour and drives two sensors, which depend on the load too:

    .. math::

        w_{t+1} = w_t + 0.0008\,\ell_t^2\,(0.5 + E_t)

    .. math::

        \text{vibration} = 1 + 0.8\,\ell_t + 2.5\,w_t^3 + 0.15\,\varepsilon_t

    .. math::

        \text{temperature} = 40 + 12\,\ell_t + 10\,w_t^2 + s_t + \eta_t

    with :math:`E` exponential of mean 0.5, :math:`\varepsilon, \eta` standard normal, and
    :math:`s` the season in the hall (8 degrees). At :math:`w \ge 1` the machine fails; it is
    mended within the day and its wear starts again near 0.

    Parameters
    ----------
    count, days : int
    regimes : int
        How many loads there are; the load changes about every 40 days. 1 means never.
    seed : int

    Returns
    -------
    Stream
        One row an hour and machine. Features: load, vibration, temperature. The label says
        whether the machine fails within the next 48 hours. ``card["failures"]`` lists (row,
        machine); ``card["wear"]`` holds the true wear, which no sensor shows.

    Examples
    --------
    >>> stream = machines(2, 100)
    >>> len(stream), stream.card["real"], len(stream.card["failures"]) > 0
    (4800, False, True)
    """
    if count < 1 or days < 3 or regimes < 1:
        raise ValueError(
            f"count {count}, days {days}, regimes {regimes}: give at least 1 machine, 3 days and "
            "1 regime"
        )
    rng = np.random.default_rng(seed)
    hours = 24 * days
    parts = [one_machine(hours, regimes, rng) for _ in range(count)]
    wear, failed, load = (np.stack(part, axis=1) for part in zip(*parts, strict=True))
    season = 8 * np.sin(2 * np.pi * np.arange(hours) / (24 * 365))[:, None]
    vibration = 1 + 0.8 * load + 2.5 * wear**3 + 0.15 * rng.normal(size=load.shape)
    heat = 40 + 12 * load + 10 * wear**2 + season + rng.normal(size=load.shape)
    soon = np.zeros(load.shape, int)
    for hour, machine in np.argwhere(failed):
        soon[max(0, hour - 47) : hour + 1, machine] = 1
    time = np.datetime64("2030-01-01T00", "ns") + np.arange(hours).astype("timedelta64[h]")
    card: dict[str, Any] = {
        "title": "Simulated machines", "real": False, "unit": "", "wear": wear.ravel(),
        "failures": [(int(h * count + m), f"machine {m + 1}") for h, m in np.argwhere(failed)],
    }  # fmt: skip
    return Stream(
        "simulated machines", np.stack([load, vibration, heat], axis=2).reshape(-1, 3),
        soon.ravel(), features=("load", "vibration", "temperature"), task="classification",
        classes=("fine", "fails soon"), time=np.repeat(time, count), card=card,
        key=np.tile([f"machine {m + 1}" for m in range(count)], hours),
    )  # fmt: skip


def one_machine(
    hours: int, regimes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one machine's wear, failures and load, hour by hour."""
    levels = np.linspace(0.7, 1.3, regimes).tolist() if regimes > 1 else [1.0]
    wear, failed, load = np.zeros(hours), np.zeros(hours, bool), np.zeros(hours)
    regime, now = int(rng.integers(regimes)), float(rng.uniform(0, 0.5))
    for hour in range(hours):
        if rng.random() < 1 / (24 * 40):
            regime = int(rng.integers(regimes))
        load[hour] = heavy = levels[regime] * (1 + 0.03 * rng.normal())
        now += 0.0008 * heavy**2 * (0.5 + rng.exponential(0.5))
        wear[hour] = now
        if now >= 1:
            failed[hour], now = True, float(rng.uniform(0, 0.1))
    return wear, failed, load
