"""The streams of the book: real data that travel with the package, each with its card."""

from __future__ import annotations

import csv
import difflib
import gzip
import hashlib
import io
from typing import Any

import numpy as np

from companion.stream import Stream
from companion.streams.catalogue import DATA, cards, read_card


def load(name: str) -> Stream:
    """Load a data set by its name (see :func:`cards`).

    Raises
    ------
    ValueError
        If there is no such data set; the message names the nearest ones.

    Examples
    --------
    >>> load("bike_sharing")
    Stream 'bike_sharing': 731 rows × 6 features, regression
    """
    if name not in cards():
        near = difflib.get_close_matches(name, cards(), n=3, cutoff=0.3) or sorted(cards())
        raise ValueError(f"there is no stream {name!r}; did you mean {' or '.join(near)}?")
    return globals()[name]()


def read_data_file(name: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read one data file of the package: its card, and its columns as arrays of text.

    Raises
    ------
    ValueError
        If the file's sha256 is not the one on its card.
    """
    card = read_card(DATA / f"{name}.toml")
    path = DATA / card["file"]
    raw = path.read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != card["sha256"]:
        raise ValueError(
            f"{path.name} was truncated or altered: its sha256 is {found}, "
            f"its card says {card['sha256']}; install the package again"
        )
    rows = list(csv.reader(io.StringIO(gzip.decompress(raw).decode("utf-8"))))
    columns = zip(*rows[1:], strict=True)
    return card, {head: np.array(col) for head, col in zip(rows[0], columns, strict=True)}


def bike_sharing() -> Stream:
    """Return daily bike rentals in Washington, D.C., 2011 and 2012 (731 days).

    The label is the number of rides in the day. The features are the day's weather, its season
    and whether people work. The weather is the day's own: in use, a forecast stands in for it.

    Returns
    -------
    Stream
        731 rows, 6 features; the card has source, licence and limits.

    References
    ----------
    Fanaee-T and Gama (2014), Event labeling combining ensemble detectors and background
    knowledge. Progress in Artificial Intelligence 2.

    Examples
    --------
    >>> bikes = bike_sharing()
    >>> bikes.features
    ('temperature', 'humidity', 'wind', 'working_day', 'weather', 'season')
    >>> bikes.y[:3]
    array([ 985.,  801., 1349.])
    """
    card, table = read_data_file("bike_sharing")
    names = ("temperature", "humidity", "wind", "working_day", "weather", "season")
    return with_card("bike_sharing", card, numbers(table, names), numbers(table, ["rides"])[:, 0],
                 features=names, time=table["date"])  # fmt: skip


def numbers(table: dict[str, np.ndarray], names: Any) -> np.ndarray:
    """Return columns as numbers; an empty cell becomes NaN."""
    columns = [np.where(table[name] == "", "nan", table[name]).astype(float) for name in names]
    return np.column_stack(columns)


def with_card(
    name: str, card: dict[str, Any], X: np.ndarray, y: np.ndarray, **parts: Any
) -> Stream:
    """Return a stream with its card and unit."""
    return Stream(name=name, X=X, y=y, unit=card["unit"], card=card, **parts)


def weather() -> Stream:
    """Return fifty years of daily weather at Bellevue, Nebraska, and whether it rained.

    The rows are days in time order; the file has no dates. The features are the same day's
    measurements, so this is a diagnosis, not a forecast.

    Returns
    -------
    Stream
        18,159 rows, 8 features, classes "dry" and "rain".

    References
    ----------
    Elwell and Polikar (2011), Incremental learning of concept drift in nonstationary
    environments. IEEE Transactions on Neural Networks 22.

    Examples
    --------
    >>> days = weather()
    >>> days, days.classes
    (Stream 'weather': 18,159 rows × 8 features, classification, ('dry', 'rain'))
    """
    card, table = read_data_file("weather")
    names = tuple(name for name in table if name != "rain")
    X = numbers(table, names)
    X[X[:, 2] > 1100, 2] = np.median(X[:, 2])  # impossible pressures, a sign for "not measured"
    return with_card("weather", card, X, table["rain"].astype(int), features=names,
                 task="classification", classes=("dry", "rain"))  # fmt: skip


def stocks(symbol: str = "IBM", target: str = "return") -> Stream:
    """Return one stock's trading days, 2000 to 2013; no feature knows its own day.

    Parameters
    ----------
    symbol : {"IBM", "MSFT", "AAPL"}
    target : {"return", "range", "direction"}
        The day's change of the adjusted close in percent (log); the day's range, high against
        low, in percent (log); or whether the close rose (classes "down" and "up").

    Returns
    -------
    Stream
        3,247 rows. The features end with the day before: its return, its range, and the mean
        range and mean absolute return of the last 5 and 22 days.

    Raises
    ------
    ValueError
        If the symbol or the target is unknown.

    Examples
    --------
    >>> stocks("MSFT", "range").features
    ('return', 'range', 'range of 5', 'range of 22', 'move of 5', 'move of 22')
    """
    if symbol not in ("IBM", "MSFT", "AAPL"):
        raise ValueError(f"there is no stock {symbol!r}; choose 'IBM', 'MSFT' or 'AAPL'")
    if target not in ("return", "range", "direction"):
        raise ValueError(f"target is {target!r}; choose 'return', 'range' or 'direction'")
    card, table = read_data_file("stocks")
    close, high, low = numbers(table, [f"{symbol}_{part}" for part in ("close", "high", "low")]).T
    change = 100 * np.diff(np.log(close))
    spread = 100 * np.log(high / low)[1:]

    def mean_of(values: np.ndarray, days: int) -> np.ndarray:
        """Return the mean over the ``days`` before each day from the 23rd on."""
        windows = np.lib.stride_tricks.sliding_window_view(values, days).mean(axis=1)
        return windows[22 - days : -1]

    features = {
        "return": change[21:-1],
        "range": spread[21:-1],
        "range of 5": mean_of(spread, 5),
        "range of 22": mean_of(spread, 22),
        "move of 5": mean_of(np.abs(change), 5),
        "move of 22": mean_of(np.abs(change), 22),
    }
    y = {"return": change, "range": spread, "direction": (change > 0).astype(int)}[target][22:]
    is_class = target == "direction"
    return Stream(
        name=f"stocks {symbol}, {target}", X=np.column_stack(list(features.values())), y=y,
        features=tuple(features), time=table["date"][23:], card=card,
        task="classification" if is_class else "regression",
        classes=("down", "up") if is_class else (), unit="" if is_class else "percent",
    )  # fmt: skip


def glucose(every: int = 3) -> Stream:
    """Return one patient's glucose sensor, March to October 2010: current to blood glucose.

    The sensor measures a current; the label is the glucose value that the device showed, which
    follows from the current by a calibration that drifts. One patient: no medical advice.

    Parameters
    ----------
    every : int
        Take every so-manieth reading; they are 5 minutes apart.

    Returns
    -------
    Stream
        17,074 rows (with ``every=3``), 1 feature, the label in mg/dL.

    Examples
    --------
    >>> glucose()
    Stream 'glucose': 17,074 rows × 1 features, regression
    """
    card, table = read_data_file("glucose")
    current = numbers(table, ["current"])[:, 0]
    rows = np.flatnonzero(np.isfinite(current))[::every]
    return with_card("glucose", card, current[rows, None], table["glucose"].astype(float)[rows],
                 features=("current",), time=table["time"][rows])  # fmt: skip


def sleep_study() -> Stream:
    """Return reaction times of 18 people through ten days of too little sleep, keyed by person.

    Returns
    -------
    Stream
        180 rows by day, then by person; the label in milliseconds.

    References
    ----------
    Belenky et al. (2003), Patterns of performance degradation and restoration during sleep
    restriction and subsequent recovery. Journal of Sleep Research 12.

    Examples
    --------
    >>> study = sleep_study()
    >>> len(study), len(set(study.key))
    (180, 18)
    """
    card, table = read_data_file("sleep_study")
    X = numbers(table, ["day"])
    return with_card("sleep_study", card, X, table["reaction"].astype(float), features=("day",),
                 time=days_as_time(X[:, 0]), key=table["person"])  # fmt: skip


def liver() -> Stream:
    """Return laboratory visits of 312 patients with primary biliary cirrhosis, keyed by patient.

    The label is the logarithm of serum bilirubin at the visit; the features are the patient's
    age and sex and the visit's other laboratory values. The day of study is the row's time and
    no feature: a line drawn through the first months would run far past them. A gap is filled
    with the patient's last value, or else with the median of the values before.

    Returns
    -------
    Stream
        1,945 rows by day since each patient's first visit.

    References
    ----------
    Murtaugh et al. (1994), Primary biliary cirrhosis: prediction of short-term survival based on
    repeated patient visits. Hepatology 20.

    Examples
    --------
    >>> visits = liver()
    >>> len(visits), len(set(visits.key))
    (1945, 312)
    """
    card, table = read_data_file("liver")
    names = ("albumin", "ast", "platelet", "clotting", "edema")
    X = numbers(table, names)
    last: dict[str, np.ndarray] = {}
    for row, patient in enumerate(table["patient"].tolist()):
        before = last.get(patient, np.full(len(names), np.nan))
        usual = np.nanmedian(X[: row + 1], axis=0) if np.isnan(X[row]).any() else X[row]
        X[row] = np.where(np.isnan(X[row]), np.where(np.isnan(before), usual, before), X[row])
        last[patient] = X[row]
    day, age = numbers(table, ["day", "age"]).T
    X = np.column_stack([age, table["sex"] == "f", X])
    return with_card("liver", card, X, np.log(table["bilirubin"].astype(float)),
                 features=("age", "woman", *names), time=days_as_time(day),
                 key=table["patient"])  # fmt: skip


def days_as_time(days: np.ndarray) -> np.ndarray:
    """Return days since a start as times; the year 2000 stands in for the unknown start."""
    return np.datetime64("2000-01-01", "ns") + days.astype("timedelta64[D]")


def wind_turbines(key: str | None = None) -> Stream:
    """Return four wind turbines of La Haute Borne, hourly means of 2014 and 2015: wind to power.

    Parameters
    ----------
    key : str, optional
        One turbine, such as ``"R80711"``; all four, keyed, if not given.

    Returns
    -------
    Stream
        69,687 rows, 5 features, the label in kW. Hours without a reading are left out.

    Examples
    --------
    >>> wind_turbines("R80711").features
    ('wind', 'wind cubed', 'temperature', 'east', 'north')
    """
    card, table = read_data_file("wind_turbines")
    names = [name.removesuffix("_power") for name in table if name.endswith("_power")]
    if key is not None and key not in names:
        raise ValueError(f"there is no turbine {key!r}; choose from {', '.join(names)}")
    shown = [key] if key else names
    air = numbers(table, ["temperature", "direction"])
    turn = np.deg2rad(air[:, 1])
    hours = len(air)
    parts = []
    for name in shown:
        power, wind = numbers(table, [f"{name}_power", f"{name}_wind"]).T
        parts.append(np.column_stack(
            [wind, wind**3 / 1000, air[:, 0], np.sin(turn), np.cos(turn), power]
        ))  # fmt: skip
    rows = np.stack(parts, axis=1).reshape(hours * len(shown), 6)
    whole = np.isfinite(rows).all(axis=1)
    return with_card("wind_turbines", card, rows[whole, :5], rows[whole, 5],
                 features=("wind", "wind cubed", "temperature", "east", "north"),
                 time=np.repeat(table["time"], len(shown))[whole],
                 key=np.tile(shown, hours)[whole])  # fmt: skip


def solder() -> Stream:
    """Return a soldering experiment of 1988: 900 panels of boards, and their solder skips.

    The rows have no time order; a chapter that needs one says which it makes. Each level of a
    factor is a column of 0 and 1.

    Returns
    -------
    Stream
        900 rows, 23 features, the label counts skips.

    References
    ----------
    Chambers and Hastie (1992), Statistical Models in S, chapter 1.

    Examples
    --------
    >>> solder().features[:5]
    ('opening L', 'opening M', 'opening S', 'solder Thick', 'solder Thin')
    """
    card, table = read_data_file("solder")
    columns = {}
    for factor in ("opening", "solder", "mask", "pad", "panel"):
        for level in sorted(set(table[factor].tolist())):
            columns[f"{factor} {level}"] = table[factor] == level
    return with_card("solder", card, np.column_stack(list(columns.values())),
                 table["skips"].astype(float), features=tuple(columns))  # fmt: skip


def chick_weights() -> Stream:
    """Return weights of 50 chicks on four diets, weighed every second day, keyed by chick.

    Returns
    -------
    Stream
        578 rows by day, then by chick; the label in grams.

    References
    ----------
    Crowder and Hand (1990), Analysis of Repeated Measures, example 5.3.

    Examples
    --------
    >>> chicks = chick_weights()
    >>> chicks.features, len(set(chicks.key))
    (('day', 'diet 2', 'diet 3', 'diet 4'), 50)
    """
    card, table = read_data_file("chick_weights")
    day = numbers(table, ["day"])
    diets = [table["diet"] == name for name in "234"]
    return with_card("chick_weights", card, np.column_stack([day, *diets]),
                 table["weight"].astype(float), features=("day", "diet 2", "diet 3", "diet 4"),
                 time=days_as_time(day[:, 0]), key=table["chick"])  # fmt: skip


def from_river(dataset: Any, name: str = "") -> Stream:
    """Turn one of River's data sets into a stream; columns that hold no numbers are left out.

    Parameters
    ----------
    dataset : River dataset
        Any that yields ``(x, y)`` pairs, such as ``river.datasets.Phishing()``.
    name : str, optional
        The class's name if not given.

    Examples
    --------
    >>> from river import datasets
    >>> from_river(datasets.TrumpApproval())
    Stream 'TrumpApproval': 1,001 rows × 6 features, regression
    """
    rows, labels = zip(*dataset, strict=True)
    names = [key for key, value in rows[0].items() if isinstance(value, int | float)]
    X = np.array([[row[key] for key in names] for row in rows], float).reshape(len(rows), -1)
    if not names:
        names, X = ["nothing"], np.zeros((len(rows), 1))
    name = name or type(dataset).__name__
    if isinstance(labels[0], float | int) and not isinstance(labels[0], bool) and (
        "Regression" in str(getattr(dataset, "task", "Regression"))
    ):  # fmt: skip
        return Stream(name, X, np.array(labels, float), features=tuple(map(str, names)))
    classes, codes = np.unique(np.array(labels).astype(str), return_inverse=True)
    return Stream(name, X, codes, features=tuple(map(str, names)), task="classification",
                  classes=tuple(classes.tolist()))  # fmt: skip
