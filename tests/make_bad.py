"""Make the corpus of broken files in tests/bad, and print what each reader says of them.

``python -m tests.make_bad`` writes the files; ``--say`` also prints a line for each, in the form of
tests/bad/sentences.csv, so that a new file's sentence can be read before it is written down.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd

BAD = Path(__file__).parent / "bad"
TABLE = {"target": "y", "time": "t"}
KERNEL = {"name": "python3", "display_name": "Python 3"}
DAYS = [f"2024-01-{day:02d}" for day in range(1, 29)]


def text(*rows: str, head: str = "t,x,y", end: str = "\n") -> bytes:
    """Return a CSV with a heading."""
    return end.join([head, *rows, ""]).encode()


def rows(change: dict[int, str] | None = None) -> list[str]:
    """Return 28 good rows, some of them changed."""
    good = [f"{day},{k % 5},{k * 1.5 + 0.25}" for k, day in enumerate(DAYS)]
    for k, new in (change or {}).items():
        good[k] = new
    return good


def column(values: list[str], head: str = "t,x,y") -> bytes:
    """Return a CSV whose last column is given."""
    return text(
        *(f"{day},{k % 5},{v}" for k, (day, v) in enumerate(zip(DAYS, values, strict=True))),
        head=head,
    )


def parquet(**columns: object) -> bytes:
    """Return a Parquet file."""
    data = io.BytesIO()
    base = {"t": pd.to_datetime(DAYS), "x": np.arange(28.0), "y": np.arange(28.0) + 0.5}
    pd.DataFrame({**base, **columns}).to_parquet(data)
    return data.getvalue()


KEY = b"The key of the corpus, not yours"


@contextmanager
def own_key() -> Iterator[None]:
    """Let the corpus's key be the user's for a while."""
    before = os.environ.get("COMPANION_KEY")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key"
        path.write_bytes(KEY)
        path.chmod(0o600)
        os.environ["COMPANION_KEY"] = str(path)
        try:
            yield
        finally:
            os.environ.pop("COMPANION_KEY")
            if before is not None:
                os.environ["COMPANION_KEY"] = before


def checkpoint(body: bytes, *, number: str = "2") -> bytes:
    """Return a sealed checkpoint with any content."""
    from companion.files.checkpoint import FIRST
    from companion.files.seal import seal

    with own_key():
        return seal(FIRST + number.encode() + b"\n" + body)


def body(about: object, held: bytes) -> bytes:
    """Return what a checkpoint holds after its first two lines."""
    return json.dumps(about).encode() + b"\n" + held


def notebook(*records: object, source: str = "1") -> bytes:
    """Return a notebook whose one cell shows verdicts."""
    from companion.claims import MIME

    cell = nbformat.v4.new_code_cell(source, execution_count=1, id="a")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {MIME: record}, metadata={}) for record in records
    ]
    book = nbformat.v4.new_notebook(cells=[cell], metadata={"kernelspec": KERNEL})
    return nbformat.writes(book).encode()


def record(**changes: object) -> dict[str, object]:
    """Return a verdict as notebooks store it."""
    item = {"what": "a", "value": 1, "low": 0, "high": 2, "unit": ""}
    good = {
        "claim": "S2", "outcome": "supported", "evidence": [item], "heard": ["for"],
        "would_change": "More rows.",
    }  # fmt: skip
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def tables() -> dict[str, tuple[bytes, dict]]:
    """Return tables by file name, with the options to read them."""
    deep = "a" * 3000
    found: dict[str, bytes | tuple[bytes, dict]] = {
        "empty.csv": b"",
        "blank_lines.csv": b"\n\n\n\n",
        "spaces.csv": b"   \n  \n",
        "heading_only.csv": text(),
        "one_row.csv": text(rows()[0]),
        "nineteen_rows.csv": text(*rows()[:19]),
        "byte_order_mark_only.csv": b"\xef\xbb\xbf",
        "utf16.csv": text(*rows()).decode().encode("utf-16"),
        "latin1.csv": text(*rows(), head="t,grösse,y").decode().encode("latin-1"),
        "late_latin1.csv": text(*rows()) + b"2024-02-01,1,\xe9\n",
        "nul_bytes.csv": b"\x00" * 40,
        "a_picture.csv": b"\x89PNG\r\n\x1a\n" + bytes(range(200, 256)) * 4,
        "a_zip.csv": b"PK\x03\x04" + bytes(60),
        "a_web_page.csv": b"<!doctype html>\n<html><body>Not found</body></html>\n",
        "semicolons_either_number.csv": text(
            *(f"{day};{k + 1}.500;{k}" for k, day in enumerate(DAYS)), head="t;x;y"),
        "tabs_ragged.csv": text(*(r.replace(",", "\t") for r in rows({9: "2024-01-10,1,2,3"})),
                                head="t\tx\ty"),
        "decimal_marks_mixed.csv": column([f'"{k},5"' if k % 2 else f"{k}.5" for k in range(28)]),
        "trailing_comma.csv": text(*(r + "," for r in rows())),
        "short_row.csv": text(*rows({9: "2024-01-10,1"})),
        "quote_in_a_quote.csv": text(*rows({9: '2024-01-10,"a"b,2'})),
        "times_either_way.csv": text(*(f"{k % 9 + 1:02d}.{k % 7 + 1:02d}.2024,{k},{k}.5"
                                       for k in range(28))),
        "times_both_ways.csv": text(*(f"13/0{k % 9 + 1}/2024,1,{k}.5" for k in range(14)),
                                    *(f"0{k % 9 + 1}/13/2024,1,{k}.5" for k in range(14))),
        "times_mixed.csv": text(*rows({12: "13.01.2024,1,2"})),
        "times_two_digits.csv": text(*(f"{k % 9 + 1:02d}/01/24,1,{k}.5" for k in range(28))),
        "times_months_of_two_digits.csv": text(*(f"Jan-{k + 10},1,{k}.5" for k in range(28))),
        "times_clock.csv": text(*(f"{k % 24}:30,1,{k}.5" for k in range(28))),
        "times_some_offsets.csv": text(*(f"{day}T12:00{'+02:00' if k > 9 else ''},1,{k}.5"
                                         for k, day in enumerate(DAYS))),
        "times_some_halves.csv": text(*(f"{day} 8:00{' PM' if k > 9 else ''},1,{k}.5"
                                        for k, day in enumerate(DAYS))),
        "times_hours_or_seconds.csv": text(*(f"20240101{k % 24:02d},1,{k}.5" for k in range(28))),
        "times_of_serial_days.csv": text(*(f"{45292 + k},1,{k}.5" for k in range(28))),
        "format_does_not_fit.csv": (text(*rows()), {**TABLE, "time-format": "%d.%m.%Y"}),
        "format_without_a_year.csv": (text(*rows()), {**TABLE, "time-format": "%H:%M"}),
        "stray_mark.csv": text(*(f"{day},{'<5' if k == 9 else k * 7},{k}.5"
                                 for k, day in enumerate(DAYS))),
        "two_units.csv": text(*(f"{day},{k}{'%' if k > 4 else '$'},{k}.5"
                                for k, day in enumerate(DAYS))),
        "target_na.csv": column(["NA" if k == 9 else f"{k}.5" for k in range(28)]),
        "no_heading.csv": "\n".join(rows()).encode(),
        "too_many_fields.csv": text(*rows({9: "2024-01-10,1,2,3"})),
        "open_quote.csv": text(*rows({9: '2024-01-10,"1,2'})),
        "two_columns_alike.csv": text(*(r + ",1" for r in rows()), head="t,x,y,x"),
        "target_misspelt.csv": text(*rows(), head="t,x,why"),
        "target_in_capitals.csv": text(*rows(), head="t,x,Y"),
        "time_missing.csv": text(*rows(), head="when,x,y"),
        "time_numbers.csv": text(*(f"{k},1,{k}.5" for k in range(28))),
        "time_words.csv": text(*rows({20: "someday,1,2"})),
        "time_gap.csv": text(*rows({3: ",1,2"})),
        "time_of_no_calendar.csv": text(*rows({5: "2024-02-30,1,2"})),
        "time_before_the_calendar.csv": text(*rows({5: "0001-01-01,1,2"})),
        "infinite_feature.csv": text(*rows({7: "2024-01-08,inf,2"})),
        "infinite_target.csv": text(*rows({7: "2024-01-08,1,-inf"})),
        "huge_number.csv": text(*rows({7: "2024-01-08,1e999,2"})),
        "constant_target.csv": column(["5.5"] * 28),
        "one_class.csv": column(["yes"] * 28),
        "no_target_at_all.csv": column([""] * 28),
        "every_target_its_own_class.csv": (
            text(*(f"2024-01-01,1,name{k}" for k in range(90))), TABLE),
        "words_as_numbers.csv": (column(["1.5"] * 20 + ["many"] * 8),
                                 {**TABLE, "task": "regression"}),
        "times_as_target.parquet": (parquet(u=pd.to_datetime(DAYS)), {**TABLE, "target": "u"}),
        "empty_key.csv": (text(*(r + ("," if k == 4 else ",ann") for k, r in enumerate(rows())),
                               head="t,x,y,who"), {**TABLE, "key": "who"}),
        "key_is_target.csv": (text(*rows()), {**TABLE, "key": "y"}),
        "one_long_line.csv": deep.encode(),
        "gzip_cut_short.csv.gz": gzip.compress(text(*rows()), mtime=0)[:-12],
        "gzip_of_nothing.csv.gz": gzip.compress(b"", mtime=0),
        "not_gzip.csv.gz": text(*rows()),
        "gzip_altered.csv.gz": gzip.compress(text(*rows()), mtime=0)[:40] + b"\0" * 40,
        "empty.parquet": b"",
        "text.parquet": text(*rows()),
        "cut_short.parquet": parquet()[:-40],
        "foot_only.parquet": b"PAR1" + parquet()[-60:],
        "middle_zeroed.parquet": parquet()[:8] + bytes(len(parquet()) - 16) + parquet()[-8:],
        "few_rows.parquet": (parquet_of({"t": DAYS[:3], "y": [1.5, 2.5, 3.5]}), TABLE),
        "no_rows.parquet": (parquet_of({"t": [], "y": []}), TABLE),
        "no_columns.parquet": (parquet_of({}), TABLE),
        "lists.parquet": (parquet_of({"t": DAYS, "y": [[1.0, 2.0]] * 28}), TABLE),
        "target_null.parquet": (parquet_of({"t": DAYS, "y": [None] * 28}), TABLE),
        "infinite.parquet": (parquet_of({"t": DAYS, "y": [1.5] * 27 + [np.inf]}), TABLE),
    }  # fmt: skip
    return {name: one if isinstance(one, tuple) else (one, TABLE) for name, one in found.items()}


def parquet_of(columns: dict) -> bytes:
    """Return a Parquet file of these columns alone."""
    data = io.BytesIO()
    pd.DataFrame(columns).to_parquet(data)
    return data.getvalue()


def parts() -> dict[str, tuple[bytes, dict]]:
    """Return tables that are read in parts."""
    return {
        "parts_word.csv": (text(*rows({9: "2024-01-10,x,2"})), TABLE),
        "parts_no_target.csv": (column([""] * 28), TABLE),
        "parts_empty_key.csv": (
            text(
                *(r + ("," if k == 14 else ",ann") for k, r in enumerate(rows())), head="t,x,y,who"
            ),
            {**TABLE, "key": "who"},
        ),
        "parts_blank_lines.csv": (
            text(*"\n\n".join(rows({20: "2024-01-21,inf,2"})).split("\n")),
            TABLE,
        ),
        "parts_stray_mark.csv": (
            text(*(f"{day},{'<5' if k == 19 else k * 7},{k}.5" for k, day in enumerate(DAYS))),
            TABLE,
        ),
        "parts_times_mixed.csv": (text(*rows({22: "23.01.2024,1,2"})), TABLE),
        "parts_backwards.csv": (text(*rows({9: "2023-01-10,1,2"})), TABLE),
        "parts_new_class.csv": (column(["no"] * 20 + ["yes"] * 8), {**TABLE, "classes": ["no"]}),
        "parts_ragged.csv": (text(*rows({9: "2024-01-10,1,2,3"})), TABLE),
        "parts_latin1.csv": (text(*rows()) + b"2024-02-01,\xe9,2\n", TABLE),
        "parts_blank.csv": (b"\n\n", TABLE),
        "parts_no_gzip.csv.gz": (text(*rows()), TABLE),
        "parts_two_columns_alike.csv": (text(*(r + ",1" for r in rows()), head="t,x,y,x"), TABLE),
    }


def sealed_text() -> bytes:
    """Return something sealed that is no checkpoint."""
    from companion.files.seal import seal

    with own_key():
        return seal(b"position,3\n")


def checkpoints() -> dict[str, bytes]:
    """Return broken checkpoints."""
    from companion.files.checkpoint import MADE_WITH
    from companion.strategies import Baseline

    good = {"position": 3, "made_with": MADE_WITH}
    held = pickle.dumps((Baseline("mean"), None))
    whole = checkpoint(body(good, held))
    old = {"position": 3, "made_with": {"River": "0.1.0"}}
    return {
        "empty.ckpt": b"",
        "first_line.ckpt": whole.split(b"\n")[0],
        "cut_short.ckpt": whole[:-9],
        "one_bit.ckpt": whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:],
        "longer.ckpt": whole + b"\0",
        "bare_pickle.ckpt": held,
        "not_sealed.ckpt": whole.partition(b"\n")[2],
        "another_key.ckpt": whole.replace(whole[25:33], b"0123abcd", 1),
        "another_seal.ckpt": whole.replace(whole[35:43], b"0123abcd", 1),
        "no_checkpoint.ckpt": sealed_text(),
        "hostile_pickle.ckpt": b"cposix\nsystem\n(S'exit 3'\ntR.",
        "format_0.ckpt": checkpoint(body(good, held), number="0"),
        "format_99.ckpt": checkpoint(body(good, held), number="99"),
        "no_format.ckpt": checkpoint(body(good, held), number=""),
        "older_river.ckpt": checkpoint(body(old, held)),
        "no_facts.ckpt": checkpoint(body({}, held)),
        "facts_no_json.ckpt": checkpoint(b"{position}\n" + held),
        "no_pickle.ckpt": checkpoint(body(good, b"")),
        "half_a_pickle.ckpt": checkpoint(body(good, held[:20])),
        "hostile.ckpt": checkpoint(body(good, b"cposix\nsystem\n(S'exit 3'\ntR.")),
        "unknown_class.ckpt": checkpoint(body(good, b"ccompanion.strategies\nGone\n)R.")),
        "text.ckpt": b"position,3\n",
    }


def models() -> dict[str, bytes]:
    """Return broken model files."""
    return {
        "empty.skops": b"",
        "pickle.skops": b"cposix\nsystem\n(S'exit 3'\ntR.",
        "zip_of_nothing.skops": b"PK\x05\x06" + bytes(18),
        "no_json.model": b'{"what": "companion model, format 1", "root": [0',
        "another_class.model": b'{"what": "companion model, format 1", "root": [0], '
        b'"objects": [["object", "os", "system", {}]]}',
    }


def comparisons() -> dict[str, bytes]:
    """Return broken files of a saved comparison."""
    from companion import streams
    from companion.files.runs import stream_digest

    digest = stream_digest(streams.bike_sharing())
    about = {"stream": "bike_sharing", "digest": digest, "runs": {"mean": ["gone.npz"]},
             "failures": {}, "reference": "mean", "block": None}  # fmt: skip
    return {
        "no_json.comparison": b'{"stream": "bike_sha',
        "a_list.comparison": b"[1, 2]",
        "another_stream.comparison": json.dumps({**about, "digest": "0" * 64}).encode(),
        "run_gone.comparison": json.dumps(about).encode(),
        "run_outside.comparison": json.dumps({**about, "runs": {"mean": ["../x.npz"]}}).encode(),
        "no_runs.comparison": json.dumps({"stream": "bike_sharing", "digest": digest}).encode(),
    }


def notebooks() -> dict[str, bytes]:
    """Return notebooks whose recorded claims are broken."""
    return {
        "no_json.ipynb": b"{",
        "unknown_claim.ipynb": notebook(record(claim="Z9")),
        "no_claim.ipynb": notebook(record(claim=None)),
        "outcome_of_ones_own.ipynb": notebook(record(outcome="proved")),
        "no_evidence.ipynb": notebook(record(evidence=[])),
        "evidence_as_text.ipynb": notebook(record(evidence=["a: 1 (0 to 2)"])),
        "nothing_would_change_it.ipynb": notebook(record(would_change="")),
        "a_number.ipynb": notebook(7),
    }


def configs() -> dict[str, bytes]:
    """Return broken settings: data cards and the book's configuration."""
    return {
        "not_toml.toml": b"title = \n",
        "no_file.toml": b'title = "A"\n',
        "not_utf8.toml": b'title = "\xff"\n',
        "no_address.yml": b"title: A book\n",
        "address_of_nothing.yml": b"repository:\n  url: somewhere\n",
    }


def corpus() -> dict[str, tuple[str, bytes, dict]]:
    """Return every file: its reader, its bytes, its options."""
    found = {name: ("table", *rest) for name, rest in tables().items()}
    found |= {name: ("parts", *rest) for name, rest in parts().items()}
    for reader, files in (
        ("checkpoint", checkpoints()), ("model", models()), ("comparison", comparisons()),
        ("notebook", notebooks()), ("config", configs()),
    ):  # fmt: skip
        found |= {name: (reader, data, {}) for name, data in files.items()}
    return found


def main() -> None:
    """Write the files, and say what their readers say if asked."""
    BAD.mkdir(exist_ok=True)
    for name, (_, data, _) in corpus().items():
        (BAD / name).write_bytes(data)
    if "--say" in sys.argv:
        from tests.test_bad_input import said

        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(["file", "reader", "options", "sentence"])
        for name, (reader, _, options) in corpus().items():
            try:
                sentence = said(reader, BAD / name, options)
            except BaseException as error:
                sentence = f"!!! {type(error).__name__}: {error}"
            out.writerow([name, reader, json.dumps(options), sentence])


if __name__ == "__main__":
    main()
