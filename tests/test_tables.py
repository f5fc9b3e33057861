"""Tables mean what they say: each kind of cell that could be misread in silence, with its value."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import warnings
import zipfile
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction import FeatureHasher
from sklearn.linear_model import LinearRegression

from companion import Static, prequential
from companion.apps.grammar import main
from companion.stream import Stream
from companion.streams import from_csv, from_frame
from companion.streams.cells import sort_of
from companion.streams.description import as_text, description, length
from companion.streams.tables import BadInput, read_parts, read_table

ROWS = 60
RNG = np.random.default_rng(0)
DAYS = [date(2023, 1, 1) + timedelta(days=k) for k in range(ROWS)]
X = [round(float(v), 3) for v in RNG.normal(size=ROWS)]
Y = [round(float(v), 3) for v in np.cumsum(RNG.normal(size=ROWS))]


def save(folder, columns: dict, name: str = "a.csv", sep: str = ",") -> str:
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=sep, lineterminator="\n")
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return str(folder / name)


def same(one, two) -> None:
    assert one.features == two.features and one.classes == two.classes and one.task == two.task
    for name in ("X", "y", "time", "key"):
        a, b = getattr(one, name), getattr(two, name)
        assert (a is None) == (b is None), name
        assert a is None or (np.asarray(a) == np.asarray(b)).all(), name


def in_parts(path, *args, rows: int = 17, **options):
    """Return the parts put together, and their notes."""
    notes: list[str] = []
    parts = list(read_parts(path, *args, rows=rows, notes=notes, **options))
    joined = {
        k: None if getattr(parts[0], k) is None else np.concatenate([getattr(p, k) for p in parts])
        for k in ("X", "y", "time", "key")
    }
    return replace(parts[0], **joined), notes


def read(path, *args, **options):
    """Return a stream and its notes, read whole and in parts, which must agree."""
    stream, notes = from_csv(path, *args, **options)
    pieces, remarks = in_parts(path, *args, **options)
    same(pieces, stream)
    assert remarks == notes
    return stream, notes


def refused(path, *args, **options) -> str:
    """Return the sentence with which a table is refused, whole and in parts."""
    with pytest.raises(BadInput) as whole:
        from_csv(path, *args, **options)
    with pytest.raises(BadInput) as parts:
        list(read_parts(path, *args, rows=17, **options))
    assert str(parts.value) == str(whole.value) and "\n" not in str(whole.value)
    return str(whole.value).split("a.csv", 1)[-1]


# --- times -------------------------------------------------------------------------------------

WRITTEN = {
    "%d.%m.%Y": "01.02.2023", "%d/%m/%Y": "01/02/2023", "%d-%m-%Y": "01-02-2023",
    "%m/%d/%Y": "02/01/2023", "%Y/%m/%d": "", "%Y.%m.%d": "", "%Y%m%d": "", "%d %b %Y": "",
    "%B %d, %Y": "", "%d-%b-%Y": "", "%a, %d %b %Y": "", "%Y-%b-%d": "", "%Y-%m-%d 00:00:00": "",
    "%Y-%m-%dT00:00Z": "", "%Y-%m-%dT02:00:00.000+02:00": "", "%m/%d/%Y 12:00:00 AM": "",
    "%Y%m%dT000000": "", "%Y%m%d000000": "", "%G-W%V-%u": "", "%Y-%m-%d 00": "",
}  # fmt: skip


@pytest.mark.parametrize("form", WRITTEN)
def test_a_date_means_the_same_however_it_is_written(form, tmp_path):
    iso = read(save(tmp_path, {"t": DAYS, "x": X, "y": Y}), "y", time="t")[0]
    written = [day.strftime(form) for day in DAYS]
    same(read(save(tmp_path, {"t": written, "x": X, "y": Y}), "y", time="t")[0], iso)


def test_a_column_that_fits_two_formats_is_refused_and_an_option_settles_it(tmp_path):
    days = [date(2023, k % 12 + 1, k % 11 + 1) for k in range(ROWS)]
    path = save(tmp_path, {"t": [f"{d:%d.%m.%Y}" for d in days], "x": X, "y": Y})
    said = refused(path, "y", time="t")
    assert said.startswith(", line 13, column 't': '01.12.2023' may be 2023-12-01 or 2023-01-12")
    assert "--time-format %d.%m.%Y or %m.%d.%Y" in said
    for form, wanted in (("%d.%m.%Y", days), ("%m.%d.%Y", None)):
        stream = from_csv(path, "y", time="t", time_format=form)[0]
        if wanted:
            assert (stream.time == np.sort(np.array(wanted, "datetime64[ns]"))).all()
    assert from_csv(path, "y", time="t", time_format="%d.%m.%Y")[0].y.tolist() != stream.y.tolist()


def test_the_command_line_takes_the_format(tmp_path, capsys):
    days = [f"0{k % 9 + 1}/0{k % 7 + 1}/2023" for k in range(ROWS)]
    path = save(tmp_path, {"t": days, "x": X, "y": Y})
    words = ["describe", path, "--target", "y", "--time", "t"]
    assert main(words) == 2
    assert main([*words, "--time-format", "%d/%m/%Y"]) == 0
    assert "2023-01-01 to 2023-07-08" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([f"{k % 24}:30" for k in range(ROWS)], "line 2.*'0:30', which is a time without a date"),
        ([f"{k % 24}:{k % 60}" for k in range(ROWS)], "line 2.*a time without a date"),
        ([f"Jan-{k + 10}" for k in range(ROWS)], r"'Jan-10', whose year has two digits.*2010-01"),
        ([f"{d:%d/%m/%y}" for d in DAYS], "two digits .it may be 2023-01-01 or 2001-01-23"),
        ([*map(str, DAYS[:9]), *(f"{d:%d.%m.%Y}" for d in DAYS[9:])],
         "line 2.*'2023-01-01' is written year-month-day.*'10.01.2023' in line 11"),
        ([f"13/01/{2000 + k}" for k in range(30)] + [f"01/13/{2030 + k}" for k in range(30)],
         "line 2.*'13/01/2000' is day first, but '01/13/2030' in line 32 is month first"),
        ([f"{d}T12:00" + "+02:00" * (k > 9) for k, d in enumerate(DAYS)],
         r"line 2.*without an offset, but .* in line 12 is with an offset"),
        ([f"{d}T12:00" + "Z" * (k < 9) for k, d in enumerate(DAYS)],
         r"line 2.*with an offset, but .* in line 11 is without an offset"),
        ([f"{d} 8:00" + " PM" * (k > 9) for k, d in enumerate(DAYS)], "line 2.*line 12.*AM or PM"),
        ([f"{d} 13:00 PM" for d in DAYS], "line 2.*whose clock shows no time"),
        ([f"{d} 24:00" for d in DAYS], "line 2.*whose clock shows no time"),
        ([f"1 Foo {2000 + k}" for k in range(ROWS)], "line 2.*'Foo' is no English month"),
        ([*map(str, DAYS[:-1]), "2023-02-30"], "line 61.*'2023-02-30', which is no time"),
        ([*map(str, DAYS[:-1]), "1500-01-01"], "line 61.*outside the years 1678 to 2261"),
        ([*map(str, DAYS[:-1]), " "], "line 61, column 't': is empty"),
        ([45292 + k for k in range(ROWS)], "line 2.*plain numbers.*'45292'.*--time-format"),
        ([2024 + k / 2 for k in range(ROWS)], "line 2.*plain numbers"),
        ([f"20240101{k % 24:02d}" for k in range(ROWS)],
         "may be 2024-01-01 00:00 or 2034-02-20T01:01:40 in unix-s"),
        ([1_700_000_000 + k for k in range(59)] + [20230101], "line 2.*'20230101' in line 61"),
    ],
)  # fmt: skip
def test_times_that_leave_something_open_are_refused(cells, words, tmp_path):
    path = save(tmp_path, {"t": cells, "x": X[: len(cells)], "y": Y[: len(cells)]})
    said = refused(path, "y", time="t")
    import re

    assert re.search(words, said), said


@pytest.mark.parametrize(
    ("cells", "form", "first", "last"),
    [
        ([1900 + k for k in range(ROWS)], None, "1900-01-01", "1959-01-01"),
        ([1_700_000_000 + k for k in range(ROWS)], None, "2023-11-14T22:13:20",
         "2023-11-14T22:14:19"),
        ([f"{1_700_000_000 + k}.5" for k in range(ROWS)], None, "2023-11-14T22:13:20.5",
         "2023-11-14T22:14:19.5"),
        ([1_700_000_000_123 + k for k in range(ROWS)], None, "2023-11-14T22:13:20.123",
         "2023-11-14T22:13:20.182"),
        ([1_700_000_000_123_456 + k for k in range(ROWS)], None, "2023-11-14T22:13:20.123456",
         "2023-11-14T22:13:20.123515"),
        ([1_700_000_000_123_456_789 + k for k in range(ROWS)], None,
         "2023-11-14T22:13:20.123456789", "2023-11-14T22:13:20.123456848"),
        ([60 * k for k in range(ROWS)], "unix-s", "1970-01-01", "1970-01-01T00:59"),
        ([60 * k for k in range(ROWS)], "unix-ms", "1970-01-01", "1970-01-01T00:00:03.540"),
        ([2000 + k for k in range(ROWS)], "year", "2000-01-01", "2059-01-01"),
        ([f"{2000 + k // 12}-{k % 12 + 1:02d}" for k in range(ROWS)], None, "2000-01-01",
         "2004-12-01"),
        ([f"{k % 12 + 1:02d}/{2000 + k // 12}" for k in range(ROWS)], None, "2000-01-01",
         "2004-12-01"),
        ([f"{date(2000, k % 12 + 1, 1):%b} {2000 + k // 12}" for k in range(ROWS)], None,
         "2000-01-01", "2004-12-01"),
        ([f"{date(2000, k % 12 + 1, 1):%b}-{15 + k // 12}" for k in range(ROWS)], "%b-%y",
         "2015-01-01", "2019-12-01"),
        ([f"{2000 + k // 4}Q{k % 4 + 1}" for k in range(ROWS)], None, "2000-01-01", "2014-10-01"),
        ([f"20240101{k % 24:02d}" for k in range(24)], "%Y%m%d%H", "2024-01-01",
         "2024-01-01T23"),
        ([f"{d:%m/%d/%Y}, {k % 12 + 1}:05:00 {'AP'[k % 24 > 11]}M" for k, d in enumerate(DAYS)],
         None, "2023-01-01T01:05", "2023-03-01T00:05"),
        (["2024-01-01", *(f"2024-01-01 {k:02d}:00" for k in range(1, 24))], None, "2024-01-01",
         "2024-01-01T23"),
    ],
)  # fmt: skip
def test_times_of_every_kind(cells, form, first, last, tmp_path):
    columns = {"t": cells, "x": X[: len(cells)], "y": Y[: len(cells)]}
    stream, _ = from_csv(save(tmp_path, columns), "y", time="t", time_format=form)
    ends = stream.time[[0, -1]]
    assert (ends == np.array([first, last], "datetime64[ns]")).all(), ends


def test_numbers_read_as_times_are_said_to_be(tmp_path):
    columns = {"t": [1900 + k for k in range(ROWS)], "x": X, "y": Y}
    assert read(save(tmp_path, columns), "y", time="t")[1] == ["column 't': its numbers are years"]


def test_the_repeated_hour_in_autumn_keeps_its_order(tmp_path):
    berlin = pd.date_range("2024-10-26 22:00", periods=ROWS, freq="30min", tz="UTC")
    local = [str(t) for t in berlin.tz_convert("Europe/Berlin")]
    assert local[8][11:16] == local[10][11:16] or "+01:00" in local[-1]
    stream, notes = read(save(tmp_path, {"t": local, "x": X, "y": Y}), "y", time="t")
    assert (stream.time == berlin.tz_localize(None).to_numpy("datetime64[ns]")).all()
    assert notes == []


@pytest.mark.parametrize(
    ("form", "words"),
    [("%H:%M", "no year"), ("%d.%m", "no year"), ("%d.%m.%Y", "line 2.*does not fit --time-form")],
)
def test_formats_that_cannot_be_are_refused(form, words, tmp_path):
    with pytest.raises(BadInput, match=words):
        from_csv(save(tmp_path, {"t": DAYS, "y": Y}), "y", time="t", time_format=form)


def test_a_format_without_a_time_column_is_refused(tmp_path, capsys):
    path = save(tmp_path, {"t": DAYS, "x": X, "y": Y})
    with pytest.raises(BadInput, match="--time-format %d.*no time column; name it with --time"):
        from_csv(path, "y", time_format="%d.%m.%Y")
    assert main(["describe", path, "--target", "y", "--time-format", "%d.%m.%Y"]) == 2
    assert "name it with --time" in capsys.readouterr().err


def test_days_in_digits_that_are_called_unix_times_are_refused(tmp_path):
    path = save(tmp_path, {"t": [f"{d:%Y%m%d}" for d in DAYS], "x": X, "y": Y})
    said = refused(path, "y", time="t", time_format="unix-s")
    assert "line 2, column 't': '20230101' is 1970-08-23T03:28:21 in unix-s, but 2023-01-01" in said
    seconds = save(tmp_path, {"t": [20230101 + k for k in range(ROWS)], "x": X, "y": Y})
    assert len(read(seconds, "y", time="t", time_format="unix-s")[0]) == ROWS  # no 32nd of January


@pytest.mark.parametrize("form", [None, "unix-s"])
def test_times_with_an_exponent_are_said_to_be_rounded(form, tmp_path):
    path = save(tmp_path, {"t": [f"{1704067000 + k:e}" for k in range(ROWS)], "x": X, "y": Y})
    said = refused(path, "y", time="t", time_format=form)
    assert "line 2, column 't': holds '1.704067e+09', which is the number 1704067000 with" in said
    assert "write all its digits" in said


# --- keys and classes --------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("NA", "ZA", "BW"), ("None", "null", "nan"),
                                   ("0071", "071", "71"), ("1e3", "1000", "1000.0"),
                                   ("True", "TRUE", "true"), ("-", "?", ".")])  # fmt: skip
def test_keys_and_classes_are_words_as_written(words, tmp_path):
    cells = [words[k % 3] for k in range(ROWS)]
    path = save(tmp_path, {"k": cells, "x": X, "y": Y})
    stream, notes = read(path, "y", key="k")
    assert stream.key.tolist() == cells and notes == []
    stream, _ = read(path, "k")
    assert [stream.classes[code] for code in stream.y] == cells and len(stream.classes) == 3


def test_an_empty_key_is_refused_and_a_row_with_an_empty_target_left_out(tmp_path):
    cells = ["" if k == 40 else f"{100 + k % 3}" for k in range(ROWS)]
    assert ", line 42, column 'k': the key is empty" in refused(
        save(tmp_path, {"k": cells, "x": X, "y": Y}), "y", key="k"
    )
    stream, notes = read(save(tmp_path, {"x": X, "y": cells}), "y")
    assert (len(stream), stream.classes) == (59, ("100", "101", "102"))
    assert notes[0] == "1 row without a target 'y' was left out"


@pytest.mark.parametrize(
    "classes",
    [("1e20", "2e20"), ("9223372036854775808", "9223372036854775809", "9223372036854775810"),
     ("100000000000000000", "100000000000000001"), ("9", "10", "-1"), ("1.0", "2.0")],
)  # fmt: skip
def test_large_and_small_numbers_stay_different_classes(classes, tmp_path):
    cells = ["" if k == 7 else classes[k % len(classes)] for k in range(ROWS)]
    stream, _ = read(save(tmp_path, {"x": X, "y": cells}), "y")
    assert [stream.classes[code] for code in stream.y] == [c for c in cells if c]
    assert stream.classes == tuple(sorted(classes, key=Decimal))


def test_the_choice_of_classes_is_said_and_task_changes_it(tmp_path):
    path = save(tmp_path, {"x": X, "defects": [k % 7 for k in range(ROWS)]})
    stream, notes = read(path, "defects")
    assert stream.task == "classification"
    assert "'defects' were taken for classes; --task regression" in notes[0]
    stream, notes = read(path, "defects", task="regression")
    assert (stream.task, notes) == ("regression", [])
    path = save(tmp_path, {"x": X, "defects": [k % 11 for k in range(ROWS)]})
    assert read(path, "defects")[0].task == "regression"
    assert read(path, "defects", task="classification")[0].classes[9:] == ("9", "10")


@pytest.mark.parametrize("word", ["NA", "?", "many", "-"])
def test_a_target_of_numbers_with_a_word_is_refused(word, tmp_path):
    path = save(tmp_path, {"x": X, "y": [*Y[:50], word, *Y[51:]]})
    assert f", line 52, column 'y': '{word}' is no number (1 such cell of 60)" in refused(path, "y")


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["?", "NA", "NaN", "null", "None", "N/A", "#N/A", "nan"])
def test_a_word_for_a_gap_in_a_column_of_numbers_is_a_gap(mark, tmp_path):
    gap = read(save(tmp_path, {"x": [*X[:50], "", *X[51:]], "y": Y}), "y")
    stream, notes = read(save(tmp_path, {"x": [*X[:50], mark, *X[51:]], "y": Y}), "y")
    same(stream, gap[0])
    assert f"1 cell is no number and counts as a gap, the first is {mark!r} in line 52" in notes[0]


@pytest.mark.parametrize("mark", ["<5", "3+", "n. a.", "12 kg", "1.2.3", "1_000", "0x1F", "--"])
def test_another_mark_in_a_column_of_numbers_is_refused(mark, tmp_path):
    path = save(tmp_path, {"x": [*X[:50], mark, *X[51:]], "y": Y})
    said = refused(path, "y")
    assert f", line 52, column 'x': {mark!r} is no number (1 such cell of 60)" in said


@pytest.mark.parametrize(
    ("cells", "values", "word"),
    [
        ([f"{k * 1000 + 204:,}" for k in range(ROWS)], [k * 1000 + 204 for k in range(ROWS)],
         "part the thousands"),
        ([f"{k * 1000 - 30204:,}" for k in range(ROWS)], [k * 1000 - 30204 for k in range(ROWS)],
         "part the thousands"),
        ([f"{v}".replace(".", ",") for v in X], X, "part the decimals"),
        ([f"{v} %" for v in X], X, "'%' was taken away"),
        ([f"${abs(v)}" for v in X], np.abs(X), "'$' was taken away"),
        ([f" {v} " for v in X], X, ""),
        ([f"{v:+e}" for v in X], X, ""),
        ([f"{k + 1} 000" for k in range(ROWS)], [1000 * k + 1000 for k in range(ROWS)], ""),
        ([f"0 days 00:00:{k:02d}" for k in range(ROWS)], range(ROWS), "durations in seconds"),
        ([f"PT{k}M" for k in range(ROWS)], [60 * k for k in range(ROWS)], "durations in seconds"),
        (["TRUE" if v > 0 else "FALSE" for v in X], [v > 0 for v in X], "true is 1"),
        ([f"{k:02d}" for k in range(ROWS)], range(ROWS), ""),
        ([f"{v} kg" for v in X], X, "the unit 'kg' was taken away"),
        ([f"{v}°C" for v in X], X, "the unit '°C' was taken away"),
        ([f"{k} km/h" for k in range(ROWS)], range(ROWS), "the unit 'km/h'"),
        ([f"EUR {k}.5" for k in range(ROWS)], [k + 0.5 for k in range(ROWS)], "the unit 'EUR'"),
        ([f"{v} kg".replace(".", ",") for v in X], X, "the unit 'kg' was taken away and its"),
        ([f"{k} room{'s' * (k != 1)}" for k in range(ROWS)], range(ROWS), "the unit 'room'"),
        ([f"{k + 1},{k + 10},000" for k in range(ROWS)],
         [100_000 * (k + 1) + 1000 * (k + 10) for k in range(ROWS)], "part the thousands"),
        ([f"12,{k + 10},567.8" for k in range(ROWS)],
         [1_200_567.8 + 1000 * (k + 10) for k in range(ROWS)], "part the thousands"),
        ([f"1h{k:02d}m" for k in range(ROWS)], [3600 + 60 * k for k in range(ROWS)], "in seconds"),
        ([f"{k}m" if k < 30 else f"1h{k}m" for k in range(ROWS)],
         [60 * k + 3600 * (k >= 30) for k in range(ROWS)], "durations in seconds"),
        ([f"{k} min" for k in range(ROWS)], [60 * k for k in range(ROWS)], "durations in seconds"),
        ([f"{k} Days 2 h" for k in range(ROWS)], [86400 * k + 7200 for k in range(ROWS)],
         "durations in seconds"),
        ([f"{k} m" for k in range(ROWS)], range(ROWS), "the unit 'm' was taken away"),
    ],
)  # fmt: skip
def test_numbers_in_every_dress(cells, values, word, tmp_path):
    stream, notes = read(save(tmp_path, {"x": cells, "y": Y}), "y")
    assert stream.features == ("x",)
    assert stream.X[:, 0].tolist() == [float(v) for v in values]
    assert word in "; ".join(notes)


def test_semicolons_and_decimal_commas_are_the_same_table(tmp_path):
    plain = read(save(tmp_path, {"t": DAYS, "x": X, "y": Y}), "y", time="t")[0]
    commas = {"t": DAYS, "x": [str(v).replace(".", ",") for v in X],
              "y": [str(v).replace(".", ",") for v in Y]}  # fmt: skip
    stream, notes = read(save(tmp_path, commas, sep=";"), "y", time="t")
    same(stream, plain)
    assert notes[0] == "the fields are parted by ';'"
    same(read(save(tmp_path, {"t": DAYS, "x": X, "y": Y}, sep="\t"), "y", time="t")[0], plain)
    (tmp_path / "a.csv").write_text(
        "a;b,c;y\n" + "".join(f"{v};1,5;{k}\n" for k, v in enumerate(X))
    )
    assert from_csv(tmp_path / "a.csv", "y")[0].features == ("a",)
    either = {"x": [f"{k + 1}.500" for k in range(ROWS)], "y": commas["y"]}
    assert "may be 1.5 or 1500" in refused(save(tmp_path, either, sep=";"), "y")
    either = {"x": [f"{k + 1},500" for k in range(ROWS)], "y": commas["y"]}
    assert "may be 1500 or 1.5" in refused(save(tmp_path, either, sep=";"), "y")


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["1,5", "2.5"] * 30, "line 2.*'1,5' has another decimal mark than '2.5' in line 3"),
        (["5%", "2"] * 30, "line 2.*'5%' has another unit than '2' in line 3"),
        ([f"{k}" for k in range(59)] + ["inf"], "line 61.*the value is infinite"),
        ([f"{k}" for k in range(59)] + ["1e999"], "line 61.*the value is infinite"),
        (
            [f"{k} kg" for k in range(59)] + ["900 g"],
            "line 2.*'0 kg' has another unit than '900 g' in line 61",
        ),
        (["5 kg", "11 lb"] * 30, "line 2.*'5 kg' has another unit than '11 lb' in line 3"),
        ([f"{k} kg" for k in range(59)] + ["12"], "line 61.*'12' is no number with a unit .1 such"),
        ([f"{k} kg" for k in range(59)] + ["many"], "line 61.*'many' is no number with a unit"),
        ([f"{k % 3} kg" for k in range(35)] + ["12"] * 25, "line 2.*'0 kg' has another unit than"),
        ([f"P{k}M" for k in range(ROWS)], "line 2.*'P0M' is a number in a notation.*60 such cells"),
        ([f"{k}h05m" for k in range(58)] + ["P1M"] * 2, "line 60.*'P1M' is a number in a notation"),
        ([f"{k}h05m" for k in range(59)] + ["soon"], "line 61.*'soon' is no duration .1 such"),
        (["3/4", "1/2"] * 30, "line 2.*'3/4' is a number in a notation that is not read"),
        ([f"0x{k:x}" for k in range(ROWS)], "line 2.*'0x0' is a number in a notation"),
        ([f"1_{k:03d}" for k in range(ROWS)], "line 2.*'1_000' is a number in a notation"),
    ],
)
def test_numbers_that_leave_something_open_are_refused(cells, words, tmp_path):
    import re

    said = refused(save(tmp_path, {"x": cells, "y": Y}), "y")
    assert re.search(words, said), said


@pytest.mark.parametrize(
    "words", [("1st", "2nd", "3rd"), ("1a", "1b", "2a"), ("5 Elm", "7 Oak", "9 Ash"), ("A1", "x")]
)
def test_plain_words_with_digits_stay_text(words, tmp_path):
    cells = [words[k % len(words)] for k in range(ROWS)]
    stream, _ = read(save(tmp_path, {"s": cells, "y": Y}), "y")
    assert stream.features == tuple(f"s={word}" for word in words)


@pytest.mark.parametrize(
    ("cells", "values", "word"),
    [
        ([f"{k * 1000 + 204:,}" for k in range(ROWS)], [k * 1000 + 204 for k in range(ROWS)],
         "its commas part the thousands"),
        ([f"{v} %" for v in Y], Y, "the mark '%' was taken away"),
        ([f"{v} kg" for v in Y], Y, "the unit 'kg' was taken away"),
        ([f"{v}".replace(".", ",") for v in Y], Y, "its commas part the decimals"),
    ],
)  # fmt: skip
def test_a_target_gets_the_note_that_a_feature_gets(cells, values, word, tmp_path):
    stream, notes = read(save(tmp_path, {"x": X, "y": cells}), "y")
    assert stream.y.tolist() == values and stream.task == "regression"
    assert notes == [f"column 'y': {word}"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [([f"{k} kg" for k in range(59)] + ["900 g"], "'0 kg' has another unit than '900 g'"),
     ([f"{k % 7}/8" for k in range(ROWS)], "'0/8' is a number in a notation that is not read")],
)  # fmt: skip
def test_a_target_in_two_units_or_another_notation_is_refused(cells, words, tmp_path):
    assert words in refused(save(tmp_path, {"x": X, "y": cells}), "y")


def test_codes_that_would_be_one_number_stay_different(tmp_path):
    cells = [("0071", "071", "71")[k % 3] for k in range(ROWS)]
    stream, notes = read(save(tmp_path, {"s": cells, "x": X, "y": Y}), "y")
    assert stream.features == ("s=0071", "s=071", "s=71", "x")
    assert (stream.X[:, :3].argmax(axis=1) == np.arange(ROWS) % 3).all()
    assert "codes such as '0071'" in notes[0]
    stream, _ = read(save(tmp_path, {"s": ["-", *cells[1:]], "x": X, "y": Y}), "y")
    assert stream.features[:4] == ("s=-", "s=071", "s=71", "s=0071")


def test_words_for_gaps_do_not_make_a_column_numbers(tmp_path):
    """Found by the rewrites: two numbers among many NA and one dash are text."""
    cells = ["0071", "NA", "None", "NA", "NA", "None", "71", "NA", "None", "-", "NA", "NA"] * 5
    stream, _ = read(save(tmp_path, {"s": cells, "x": X, "y": Y}), "y")
    assert stream.features[:5] == ("s=0071", "s=NA", "s=None", "s=71", "s=-")


def test_digits_are_not_lost_in_silence(tmp_path):
    cells = [2**53 + k for k in range(ROWS)]
    assert "were rounded" in read(save(tmp_path, {"x": cells, "y": Y}), "y")[1][0]
    exact = [repr(float(v)) for v in RNG.normal(size=ROWS)]
    stream, _ = read(save(tmp_path, {"x": exact, "y": Y}), "y")
    assert [repr(v) for v in stream.X[:, 0].tolist()] == exact


# --- text --------------------------------------------------------------------------------------


def test_a_value_first_seen_late_has_its_own_column(tmp_path):
    plan = ["old"] * 40 + ["new"] * 20
    stream, notes = read(save(tmp_path, {"plan": plan, "x": X, "y": Y}), "y")
    assert stream.features == ("plan=old", "plan=new", "x")
    assert stream.X[:, 1].tolist() == [0.0] * 40 + [1.0] * 20
    assert "not seen in the first fifth of the rows: 'new'" in notes[0]


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d.%m.%Y", "%b %Y"])
def test_another_column_of_times_is_left_out(form, tmp_path):
    path = save(tmp_path, {"other": [d.strftime(form) for d in DAYS], "x": X, "y": Y})
    stream, notes = read(path, "y")
    assert stream.features == ("x",) and "'other' holds times" in notes[0]


def test_values_after_the_first_twenty_share_a_column(tmp_path):
    words = ["a"] * 30 + [f"w{k}" for k in range(30)]
    stream, notes = read(save(tmp_path, {"w": words, "y": Y}), "y")
    assert len(stream.features) == 21 and stream.features[-1] == "w: any other value"
    assert (stream.X.sum(axis=1) == 1).all() and stream.X[:, -1].sum() == 11
    assert "one more is 1 for every value after the first 20" in notes[0]


def test_a_text_with_many_values_is_hashed_by_its_own_cell_alone(tmp_path):
    words = [f"w{k % 25}" for k in range(320)] + [""] * 80
    columns = {"w": words, "x": np.arange(400), "y": np.arange(400) * 0.5}
    stream, notes = read(save(tmp_path, columns), "y")
    assert stream.features == (*(f"w: hash {k}" for k in range(1, 17)), "x")
    assert "'w' holds text with more than 20 different values, such as 'w0': it became" in notes[0]
    hashed = stream.X[:, :16]
    assert (np.abs(hashed).sum(axis=1) == [1.0] * 320 + [0.0] * 80).all()
    assert (hashed[:25] == hashed[25:50]).all() and len(np.unique(hashed[:25], axis=0)) > 12
    right = FeatureHasher(16, input_type="string").transform([[word] for word in words[:25]])
    assert (hashed[:25] == right.toarray()).all()
    others = {**columns, "w": [*words[:90], *(f"new{k}" for k in range(310))]}  # what comes later
    later, _ = read(save(tmp_path, others), "y")
    assert later.features == stream.features and (later.X[:90] == stream.X[:90]).all()


@pytest.mark.parametrize("rows", [200, 9_000])
def test_a_text_whose_values_hardly_come_back_is_left_out(rows, tmp_path):
    names = [f"n{k}" if k % 3 else "n0" for k in range(rows)]
    columns = {"who": names, "x": np.arange(rows), "y": np.arange(rows) * 0.5}
    stream, notes = read(save(tmp_path, columns), "y")
    assert stream.features == ("x",)
    assert "more than 20 different values, such as 'n0', that hardly come back, and was" in notes[0]


def test_no_two_features_share_a_name(tmp_path):
    columns = {
        "c": ["a", "b"] * 30, "c=a": X, "c=b": ["", *X[1:]], "c=b: no reading yet": X, "y": Y,
    }  # fmt: skip
    stream, _ = read(save(tmp_path, columns), "y")
    assert len(set(stream.features)) == len(stream.features) == 6
    assert stream.X[:, stream.features.index("c=a")].tolist() == X
    assert stream.X[:, stream.features.index("c=a (2)")].tolist() == [1.0, 0.0] * 30
    assert stream.X[:, stream.features.index("c=b: no reading yet")].tolist() == X
    late = stream.X[:, stream.features.index("c=b: no reading yet (2)")]
    assert late.tolist() == [1.0] + [0.0] * 59


# --- gaps --------------------------------------------------------------------------------------


def test_gaps_are_filled_within_a_key_only(tmp_path):
    keys = ["a", "b"] * 30
    level = [{"a": "1", "b": "1000"}[k] for k in keys]
    holes = ["" if row in (0, 5, 6, 7, 31, 40) else v for row, v in enumerate(level)]
    stream, notes = read(save(tmp_path, {"k": keys, "v": holes, "x": X, "y": Y}), "y", key="k")
    assert stream.features == ("v", "v: no reading yet", "x")
    assert stream.X[1:, 0].tolist() == [float(v) for v in level[1:]]
    assert stream.X[:, 1].tolist() == [1.0] + [0.0] * 59
    assert "5 gaps were filled with the last reading before of the same key" in notes[0]
    assert "1 row comes before the first reading of their key" in notes[1]


def test_a_fill_knows_nothing_of_later_rows(tmp_path):
    holes = ["" if k % 5 else v for k, v in enumerate(X)]
    stream, _ = read(save(tmp_path, {"x": holes, "y": Y}), "y")
    later = [v if k < 30 else "" if v == "" else 9.5 for k, v in enumerate(holes)]
    other, _ = read(save(tmp_path, {"x": later, "y": Y}), "y")
    assert (stream.X[:30] == other.X[:30]).all() and (stream.X[30:] != other.X[30:]).any()


def late_sensor(folder) -> str:
    level = 300 + np.cumsum(np.random.default_rng(3).normal(size=400)) / 20
    sensor = ["" if k < 120 else v for k, v in enumerate(level.round(3))]
    y = (level + np.random.default_rng(4).normal(size=400) / 10).round(3)
    return save(folder, {"sensor": sensor, "y": y})


def test_before_its_first_reading_a_feature_is_missing_and_no_jump_is_invented(tmp_path):
    stream, notes = read(late_sensor(tmp_path), "y")
    assert stream.features == ("sensor", "sensor: no reading yet")
    assert stream.X[:, 1].tolist() == [1.0] * 120 + [0.0] * 280
    assert np.abs(np.diff(stream.X[:, 0])).max() < 0.5  # a fill with 0 would jump by 300
    assert (
        "120 rows come before the first reading" in notes[0] and "only holds the place" in notes[0]
    )


def test_rows_without_a_reading_do_not_mislead_a_frozen_line(tmp_path):
    stream, _ = read(late_sensor(tmp_path), "y")
    cut = replace(stream, X=stream.X[120:, :1], y=stream.y[120:], features=("sensor",))
    errors = [
        np.abs((run := prequential(Static(LinearRegression()), s, warmup=n)).y - run.predictions)
        for s, n in ((stream, 200), (cut, 80))
    ]
    assert errors[0].mean() < 1.02 * errors[1].mean()
    zeros = replace(stream, X=np.where(stream.X[:, 1] == 1, 0, stream.X[:, 0])[:, None],
                    features=("sensor",))  # fmt: skip
    run = prequential(Static(LinearRegression()), zeros, warmup=200)
    assert np.abs(run.y - run.predictions).mean() > 2 * errors[1].mean()


def test_a_flag_that_is_the_same_in_all_but_its_gaps_is_left_out(tmp_path):
    stream, notes = read(save(tmp_path, {"f": ["1", *[""] * 59], "x": X, "y": Y}), "y")
    assert stream.features == ("x",) and "'f' never changes" in notes[0]


# --- the file ----------------------------------------------------------------------------------


def test_the_row_number_is_no_feature(tmp_path):
    plain = read(save(tmp_path, {"t": DAYS, "x": X, "y": Y}), "y", time="t")[0]
    shuffled = RNG.permutation(ROWS).tolist()
    for heads in ([""], ["", " "], ["Unnamed: 0"], ["Unnamed: 0.1", ""]):
        columns = {head: range(ROWS) if head != " " else shuffled for head in heads}
        if "Unnamed: 0.1" in heads:
            continue
        path = save(tmp_path, {**columns, "t": DAYS, "x": X, "y": Y})
        stream, notes = read(path, "y", time="t")
        same(stream, plain)
        assert "column 'column 1' has no name and holds whole numbers" in notes[0]
    words = read(save(tmp_path, {"": ["u", "v"] * 30, "x": X, "y": Y}), "y")
    assert words[0].features == ("column 1=u", "column 1=v", "x")
    assert "is called by its place" in words[1][0]


@pytest.mark.parametrize("columns", [1, 2])
def test_rows_longer_or_shorter_than_the_heading_are_refused(columns, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(X, Y, strict=True)) + "1\n")
    assert refused(path, "y").startswith(", line 62: the rows do not fit the heading (1 fields")
    path.write_text("x,y\n" + "".join(f"{a},{b},\n" for a, b in zip(X, Y, strict=True)))
    assert refused(path, "y").startswith(", line 2: the rows do not fit the heading (3 fields")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_file(end, tmp_path):
    def lines(last: str) -> str:
        rows = [f"{d},{y}{end}" for d, y in zip(DAYS, Y, strict=True)]
        return f"t,y{end}" + end.join(rows) + last

    path = tmp_path / "a.csv"
    path.write_text(lines(f"{end}someday,2{end}"), encoding="utf-8-sig", newline="")
    assert refused(path, "y", time="t").startswith(", line 122, column 't': holds 'someday'")
    path.write_text(lines(f"{end} ,,{end}"), encoding="utf-8-sig", newline="")
    assert len(read(path, "y", time="t")[0]) == ROWS  # a line of nothing but commas is blank
    broken = [f'{d},"a{end}b",{y}{end}' for d, y in zip(DAYS, Y, strict=True)]
    path.write_text(f"t,s,y{end}" + "".join(broken) + f"someday,a,2{end}", newline="")
    assert refused(path, "y", time="t").startswith(", line 122, column 't': holds 'someday'")


def test_lines_of_nothing_but_separators_are_counted(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{x},{y}\n" for x, y in zip(X, Y, strict=True)]
    path.write_text("x,y\n" + rows[0] + ",\n" + "".join(rows[1:30]) + " , \n" + "".join(rows[30:]))
    stream, notes = read(path, "y")
    assert len(stream) == ROWS
    assert notes == ["2 lines hold no cell (the first is line 3) and were left out"]
    path.write_text("x,y\n" + "".join(rows) + "\n\n")
    assert read(path, "y")[1] == []


def test_files_that_are_no_text_are_named(tmp_path):
    path = tmp_path / "a.csv"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("[Content_Types].xml", "")
        packed.writestr("xl/workbook.xml", "")
    assert "this is a spreadsheet; export the sheet as CSV" in refused(path, "y")
    text = "x,y\n" + "".join(f"{x},{y}\n" for x, y in zip(X, Y, strict=True))
    for code in ("utf-16", "utf-16-le", "utf-16-be"):
        path.write_bytes(text.encode(code))
        assert "this is UTF-16 text; save the file as UTF-8" in refused(path, "y")
    for line in (2, 58):
        lines = text.split("\n")
        lines[line - 1] += "\0"
        path.write_text("\n".join(lines))
        assert refused(path, "y").startswith(f", line {line}: there is a NUL byte")


def test_the_first_wrong_line_is_named_also_when_rows_are_sorted(tmp_path):
    cells = ["x1" if k in (20, 50) else v for k, v in enumerate(X)]
    path = save(tmp_path, {"t": DAYS[::-1], "x": cells, "y": Y})
    with pytest.raises(BadInput, match="line 22, column 'x': 'x1' is no number .2 such cells"):
        from_csv(path, "y", time="t")


def test_rows_out_of_order_are_sorted_whole_and_refused_in_parts(tmp_path):
    path = save(tmp_path, {"t": [*DAYS[1:], DAYS[0]], "x": X, "y": Y})
    stream, notes = from_csv(path, "y", time="t")
    assert stream.y.tolist() == [Y[-1], *Y[:-1]] and "were sorted by 't'" in notes[0]
    with pytest.raises(BadInput, match="line 61, column 't': '2023-01-01' is before the line"):
        list(read_parts(path, "y", time="t", rows=17))


def test_two_thousand_columns(tmp_path):
    wide = np.random.default_rng(5).normal(size=(ROWS, 2000)).round(4)
    path = save(tmp_path, {**{f"f{k}": wide[:, k] for k in range(2000)}, "y": Y})
    reading = read_table(path, "y")
    assert (reading.stream.X == wide).all() and not reading.notes
    assert len(as_text(description(reading), 10_000)) < 500


# --- Parquet and DataFrames --------------------------------------------------------------------


def frame(**columns) -> pd.DataFrame:
    return pd.DataFrame({"t": pd.to_datetime(DAYS), "x": X, "y": Y}).assign(**columns)


def test_parquet_is_known_by_its_bytes_and_an_index_is_a_column(tmp_path):
    plain = from_frame(frame(), "y", time="t")[0]
    frame().to_parquet(tmp_path / "a.pq")
    same(read(tmp_path / "a.pq", "y", time="t")[0], plain)
    frame().set_index("t").to_parquet(tmp_path / "a.csv")
    indexed = read(tmp_path / "a.csv", "y", time="t")[0]
    same(indexed, plain)
    same(from_frame(frame().set_index("t"), "y", time="t")[0], plain)
    same(from_frame(frame().sample(frac=1, random_state=0), "y", time="t")[0], plain)
    frame().sample(frac=1, random_state=0).to_parquet(tmp_path / "shuffled")
    stream, notes = from_csv(tmp_path / "shuffled", "y", time="t")
    same(stream, plain)
    assert any("row numbers" in note for note in notes)
    path = save(tmp_path, {"t": DAYS, "x": X, "y": Y})
    packed = tmp_path / "packed.csv"
    packed.write_bytes(gzip.compress(open(path, "rb").read()))
    same(read(packed, "y", time="t")[0], plain)


def test_declared_types_are_kept(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    zone = pd.DatetimeIndex(DAYS).tz_localize("America/New_York")
    gaps = [None if k == 5 else k for k in range(ROWS)]
    columns = {
        "t": pa.array(zone),
        "decimal": pa.array([Decimal(str(v)) for v in X]),
        "duration": pa.array([timedelta(seconds=90 * k) for k in range(ROWS)]),
        "flag": pa.array([None if k == 5 else k % 2 == 0 for k in range(ROWS)]),
        "int": pa.array(gaps, pa.int64()),
        "sort": pa.array(["1", "2"] * 30).dictionary_encode(),
        "at": pa.array(DAYS),
        "big": pa.array([2**63 + k % 3 if k != 7 else None for k in range(ROWS)], pa.uint64()),
        "y": pa.array(Y),
    }
    parquet.write_table(pa.table(columns), tmp_path / "a.parquet")
    stream, notes = read(tmp_path / "a.parquet", "y", time="t", key=None)
    assert (stream.time == zone.tz_convert("UTC").tz_localize(None).to_numpy()).all()
    value = dict(zip(stream.features, stream.X.T, strict=True))
    assert value["decimal"].tolist() == X
    assert value["duration"].tolist() == [90.0 * k for k in range(ROWS)]
    assert value["flag"].tolist() == [1.0 if k == 5 else float(k % 2 == 0) for k in range(ROWS)]
    assert value["int"][4:7].tolist() == [4, 4, 6]
    assert value["sort=1"].tolist() == [1.0, 0.0] * 30
    assert any("'duration': durations in seconds" in note for note in notes)
    assert any("'at' holds times" in note for note in notes)
    stream = read(tmp_path / "a.parquet", "y", time="at")[0]
    assert (stream.time == np.array(DAYS, "datetime64[ns]")).all()
    stream, _ = read(tmp_path / "a.parquet", "big", time="t")
    assert stream.classes == tuple(str(2**63 + k) for k in range(3)) and len(stream) == 59


def test_objects_in_a_frame_are_read_as_they_would_be_written():
    days = pd.date_range("2024-01-01", periods=ROWS)
    same(
        from_frame(frame(t=days.date), "y", time="t")[0],
        from_frame(frame(t=days), "y", time="t")[0],
    )
    some = [day.tz_localize("UTC") if k % 2 else day for k, day in enumerate(days)]
    with pytest.raises(BadInput, match="row 1.*without an offset, but .* in row 2 is with an off"):
        from_frame(frame(t=pd.Series(some, dtype=object)), "y", time="t")
    mixed = from_frame(frame(o=[1, "a", None, 2.5] * 15), "y", time="t")[0]
    assert mixed.features == ("x", "o=1", "o=a", "o=2.5")


def test_a_frame_and_a_file_give_one_stream(tmp_path):
    given = frame(
        flag=pd.array([None, *[True, False, True] * 19, False, True], "boolean"),
        word=["NA", "b", None] * 20,
        whole=pd.array([None, *range(59)], "Int64"),
    )
    given.to_csv(tmp_path / "a.csv", index=False)
    given.to_parquet(tmp_path / "a.parquet")
    stream, notes = from_frame(given, "y", time="t")
    for name in ("a.csv", "a.parquet"):
        other, said = read(tmp_path / name, "y", time="t")
        same(other, stream)
        assert said == notes


@pytest.mark.parametrize(
    "values", [[1, 2, 3], [1.5, 2.5, 3.5], ["a", "b", "c"], [1, 2, None], [True, False, True]]
)
def test_categories_are_text_in_a_frame_and_in_parquet(values, tmp_path):
    given = frame(c=pd.Categorical(values * 20))
    given.to_parquet(tmp_path / "a.parquet")
    stream, notes = from_frame(given, "y", time="t")
    kinds = [name for name in stream.features if name.startswith("c=")]
    assert len(kinds) == len({v for v in values if v is not None})
    other, said = read(tmp_path / "a.parquet", "y", time="t")
    same(other, stream)
    assert said == notes
    same(read(tmp_path / "a.parquet", "c")[0], from_frame(given, "c")[0])


@pytest.mark.parametrize("name", [None, "n"])
def test_an_index_that_counts_the_rows_is_left_out(name, tmp_path):
    given = frame().set_axis(pd.RangeIndex(5, 5 + ROWS, name=name))
    given.to_parquet(tmp_path / "a.parquet")
    stream, notes = from_frame(given, "y", time="t")
    other, said = read(tmp_path / "a.parquet", "y", time="t")
    same(other, stream)
    same(stream, from_frame(frame(), "y", time="t")[0])
    assert (
        said == notes == (["the index 'n' only counts the rows and was left out"] if name else [])
    )
    if name:
        with pytest.raises(BadInput, match="'n' is an index that only counts the rows; make it"):
            from_frame(given, "y", time="n")
        assert "only counts the rows" in str(pytest.raises(
            BadInput, from_csv, tmp_path / "a.parquet", "y", time="n").value)  # fmt: skip


def test_columns_may_be_called_by_numbers(tmp_path):
    given = pd.DataFrame({0: X, 1: Y, 2: DAYS})
    stream = from_frame(given, 1, time=2)[0]
    assert stream.features == ("0",) and stream.y.tolist() == Y
    assert len(from_frame(given, target=1, key=0)[0]) == ROWS
    path = save(tmp_path, {"0": X, "1": Y, "2": DAYS})
    same(read(path, 1, time=2)[0], stream)
    with pytest.raises(BadInput, match="there is no target column '7'"):
        from_frame(given, 7)


# --- what was read is shown --------------------------------------------------------------------


def shown(*words) -> dict[str, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main([str(word) for word in words]) == 0
    lines = out.getvalue().split("\n\n")[0].splitlines()
    width = max(line.index("  ") for line in lines if "  " in line) + 2
    found: dict[str, str] = {}
    for line in lines:
        word = line[:width].strip()
        found[word] = f"{found[word]}; {line[width:]}" if word in found else line[width:]
    return found


def test_describe_shows_what_was_read(tmp_path):
    fraud = [int(k in (7, 31, 50)) for k in range(ROWS)]
    days = [d for d in DAYS if d.day != 9] + [DAYS[-1]] * 2
    columns = {
        "t": days, "k": ["a", "b", "b"] * 20, "x": ["", *X[1:]], "same": [1] * ROWS,
        "word": ["u", "v"] * 30, "fraud": fraud,
    }  # fmt: skip
    path = save(tmp_path, columns)
    said = shown("describe", path, "--target", "fraud", "--time", "t", "--key", "k")
    assert said["rows"] == "60"
    assert "2023-01-01 to 2023-03-01, rows every day, 2 longer steps" in said["time"]
    assert said["classes"] == "0: 95 %, 1: 5 %"
    assert "fraud, classification: it holds 2 different whole numbers" in said["target"]
    assert "--task regression" in said["target"]
    assert said["keys"] == "2: a, b; 20 to 40 rows each"
    assert said["features"] == "4: x, x: no reading yet, word=u, word=v"
    assert "column 'x': 1 row comes before the first reading" in said["gaps"]
    assert "'same' never changes" in said["left out"]
    assert "'word' holds text: it became 2 columns" in said["changed"]


@pytest.mark.slow
def test_compare_shows_the_same_before_any_run_and_the_report_has_it(tmp_path, monkeypatch):
    path = save(tmp_path, {"t": DAYS, "x": X, "same": [1] * ROWS, "y": Y})
    options = [path, "--target", "y", "--time", "t"]
    report = tmp_path / "out.html"
    table = shown("describe", *options)
    assert shown("compare", *options, "--quick", "--report", report) == table
    page = report.read_text(encoding="utf-8")
    assert "<h2>What was read</h2>" in page
    assert all(word in page for word in ("never changes", "2023-01-01 to 2023-03-01"))

    def stop(*args, **options):
        raise BadInput("stopped before the first run")

    monkeypatch.setattr("companion.rivals.compare", stop)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main(["compare", *options]) == 2
    assert "rows" in out.getvalue() and "never changes" in out.getvalue()


@pytest.mark.parametrize(
    ("step", "words"),
    [(np.timedelta64(1, "D"), "day"), (np.timedelta64(90, "m"), "1.5 hours"),
     (np.timedelta64(250, "ms"), "0.25 seconds"), (np.timedelta64(1, "M"), "month"),
     (np.timedelta64(24, "M"), "2 years")],
)  # fmt: skip
def test_steps_in_words(step, words):
    assert length(step) == words


def test_a_rare_class_is_not_rounded_away(tmp_path):
    path = save(tmp_path, {"x": range(2000), "fraud": [int(k == 999) for k in range(2000)]})
    assert dict(description(read_table(path, "fraud")))["target"]
    assert ("classes", "0: 100 %, 1: 0.05 %") in description(read_table(path, "fraud"))


def test_classes_that_differ_in_blanks_are_shown_in_quotes(tmp_path):
    path = save(tmp_path, {"x": X, "y": ["a", "a ", "b"] * 20})
    said = shown("describe", path, "--target", "y")
    assert said["classes"] == "'a': 33.3 %, 'a ': 33.3 %, b: 33.3 %"


def test_every_sort_of_cell_is_told_apart():
    cells = {"7": "plain", "-7": "plain", "1.5": "point", ".5": "point", "1,5": "comma",
             "1,234": "either", "1.234": "either", "0.123": "point", "0,123": "comma",
             "1,234.5": "point", "1.234,5": "comma", "1 234": "plain", "inf": "endless",
             "": "empty", " ": "empty", "x": "text", "e5": "text", "1-2": "text"}  # fmt: skip
    assert {cell: sort_of(cell) for cell in cells} == cells


def test_a_stream_from_a_frame_warns_of_what_was_changed():
    frame = pd.DataFrame({"x": range(30), "same": 1, "y": [i * 0.5 for i in range(30)]})
    right, notes = from_frame(frame, "y")
    with pytest.warns(UserWarning, match="column 'same' never changes"):
        stream = Stream.from_frame(frame, "y")
    assert notes and (stream.X == right.X).all() and (stream.y == right.y).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Stream.from_frame(frame.drop(columns="same"), "y").features == ("x",)
