"""A stream: what it keeps, and each thing that it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from companion.stream import Stream, duration

DAYS = np.array(["2024-01-01", "2024-01-02", "2024-01-02", "2024-01-05"])


def whole(**changes) -> Stream:
    parts = {
        "name": "toy",
        "X": np.arange(8.0).reshape(4, 2),
        "y": np.array([0, 1, 1, 2]),
        "features": ("speed", "heat"),
        "task": "classification",
        "time": DAYS,
        "key": np.array(["a", "b", "a", "b"]),
        "classes": ("no", "yes", "maybe"),
        "unit": "points",
        "card": {"who": "us"},
    }
    return Stream(**{**parts, **changes})


def test_numbers_have_64_bits_and_classes_are_codes():
    stream = whole(X=[[1, 2], [3, 4], [5, 6], [7, 8]], y=np.array([0.0, 1.0, 1.0, 2.0]))
    assert stream.X.dtype == np.float64 and stream.X.flags.c_contiguous
    assert stream.y.dtype == np.int64 and stream.y.tolist() == [0, 1, 1, 2]
    assert stream.time.dtype == "datetime64[ns]"
    assert (stream.time == DAYS.astype("datetime64[ns]")).all()
    fortran = Stream("f", np.asfortranarray(np.ones((3, 2))), [1, 2, 3])
    assert fortran.X.flags.c_contiguous
    assert fortran.y.dtype == np.float64 and fortran.task == "regression"


def test_what_is_not_given_has_a_plain_default():
    stream = Stream("bare", np.zeros((2, 3)), np.zeros(2))
    assert stream.features == ("x0", "x1", "x2") and stream.classes == () and stream.unit == ""
    assert stream.time is None and stream.key is None and stream.card == {}
    assert len(stream) == 2
    assert repr(stream) == "Stream 'bare': 2 rows × 3 features, regression"
    assert repr(Stream("many", np.zeros((1200, 1)), np.zeros(1200))).startswith(
        "Stream 'many': 1,200 rows"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"X": np.zeros(4)}, "X has 1 dimensions"),
        ({"X": np.zeros((4, 2, 1))}, "X has 3 dimensions"),
        ({"y": np.zeros(3)}, r"X has 4 rows but y has shape \(3,\)"),
        ({"y": np.zeros((4, 1))}, r"X has 4 rows but y has shape \(4, 1\)"),
        ({"features": ("speed",)}, "2 columns but 1 feature names"),
        ({"X": [[0, 1], [2, 3], [4, np.nan], [np.inf, 7]]}, "X is not a finite number in row 2"),
        ({"y": [0, 1, 1, np.inf], "task": "regression"}, "y is not a finite number in row 3"),
        ({"time": DAYS[:3]}, "4 rows but 3 times"),
        ({"time": DAYS[[0, 1, 3, 2]]}, "time runs backwards at row 3"),
        ({"time": DAYS[[1, 0, 3, 2]]}, "time runs backwards at row 1"),
        ({"key": np.array(["a"])}, "4 rows but 1 keys"),
    ],
)
def test_each_refusal_names_the_stream_and_the_place(changes, words):
    whole()
    with pytest.raises(ValueError, match=f"^stream 'toy': {words}"):
        whole(**changes)


def test_rows_are_taken_with_all_that_belongs_to_them():
    part = whole().take(slice(1, 3), name="middle")
    assert part.X.tolist() == [[2, 3], [4, 5]] and part.y.tolist() == [1, 1]
    assert part.time.tolist() == whole().time[1:3].tolist()
    assert part.key.tolist() == ["b", "a"] and part.name == "middle"
    for name in ("features", "task", "classes", "unit", "card"):
        assert getattr(part, name) == getattr(whole(), name)
    assert whole().take(slice(0, 2)).name == "toy"


def test_rows_taken_out_of_order_lose_their_times():
    part = whole().take(np.array([3, 0]))
    assert part.time is None and part.key.tolist() == ["b", "a"] and part.y.tolist() == [2, 0]
    bare = Stream("bare", np.zeros((3, 1)), np.arange(3.0))
    assert bare.take(slice(1, 2)).time is None and bare.take(slice(1, 2)).key is None
    listed = whole(key=["a", "b", "a", "b"])
    assert listed.take(np.array([1, 3])).key.tolist() == ["b", "b"]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [("2W", 2, "W"), ("3D", 3, "D"), ("12h", 12, "h"), ("12H", 12, "h"), ("30min", 30, "m"),
     ("30m", 30, "m"), (" 45 s ", 45, "s")],
)  # fmt: skip
def test_durations(text, value, unit):
    read = duration(text)
    assert read == np.timedelta64(value, unit) and np.datetime_data(read)[0] == unit


@pytest.mark.parametrize("text", ["2", "D", "2 days", "-1D", "1.5h", "2Dx", "x2D", "2M", ""])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=f"^'{text}' is no duration"):
        duration(text)


@pytest.mark.parametrize(
    ("longest", "unit"), [(15250, "W"), (106751, "D"), (2562047, "h"), (9223372036, "s")]
)
def test_a_duration_ends_where_nanoseconds_do(longest, unit):
    assert duration(f"{longest}{unit}") == np.timedelta64(longest, unit)
    with pytest.raises(ValueError, match=f"'{longest + 1}{unit}' is longer than 292 years"):
        duration(f"{longest + 1}{unit}")
