"""Kept runs: two at once lose nothing, nothing stale is taken, Ctrl-C is no strategy's fault."""

from __future__ import annotations

import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from companion import Baseline, Static, Strategy, comparison, streams
from companion.apps.grammar import main
from companion.comparison import compare, load_comparison
from companion.files import code
from companion.files.checkpoint import load, save
from companion.files.locks import InUse, held
from companion.files.runs import run_file
from companion.lineups import record_lineup, table_lineup

BIKES = streams.bike_sharing()
COMMAND = [sys.executable, "-m", "companion", "compare", "big.csv", "--target", "y", "--quick"]


def table(folder: Path, rows: int = 10_000) -> Path:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcy"))
    frame.to_csv(folder / "big.csv", index=False)
    return folder / "big.csv"


def wait_for_runs(folder: Path, count: int, process: subprocess.Popen) -> None:
    for _ in range(3000):
        if len(list(folder.glob("*.npz"))) >= count or process.poll() is not None:
            return
        time.sleep(0.05)
    raise AssertionError("no runs came")


def test_two_comparisons_of_one_table_lose_nothing(tmp_path):
    table(tmp_path)
    first = subprocess.Popen(
        [*COMMAND, "--jobs", "1"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    folder = tmp_path / "big.csv.runs"
    wait_for_runs(folder, 1, first)
    first.send_signal(signal.SIGSTOP)  # so that it cannot finish meanwhile
    second = subprocess.run([*COMMAND, "--jobs", "1"], cwd=tmp_path, capture_output=True, text=True)
    assert second.returncode == 2 and second.stderr.splitlines()[-1] == (
        "companion: big.csv.runs: another comparison works in this folder already; "
        "wait until it ends, or name another folder with --runs"
    )
    kept = set(folder.glob("*.npz"))
    assert kept
    first.kill()  # its lock must not outlive it
    first.wait()
    again = subprocess.run([*COMMAND, "--jobs", "1"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert os.listdir(tmp_path) == ["big.csv"]


def test_a_command_removes_only_its_own_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, 200)
    folder = tmp_path / "big.csv.runs"
    folder.mkdir()
    others = [folder / "0123456789abcdef01234567.npz", folder / "notes.txt"]
    for path in others:
        path.write_text("another comparison's")
    assert main(["compare", "big.csv", "--target", "y", "--quick"]) == 0
    assert sorted(folder.iterdir()) == others


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_keeps_what_is_finished_and_the_rest_is_done_later(jobs, tmp_path):
    table(tmp_path)
    command = [*COMMAND, "--jobs", jobs]
    first = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    folder = tmp_path / "big.csv.runs"
    wait_for_runs(folder, 4, first)
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does: all its processes
    out, err = first.communicate(timeout=120)
    assert first.returncode == 130, err
    assert "failed" not in out + err and "Traceback" not in err
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    assert f"companion: stopped; {len(kept)} of 9 runs are finished and kept in big.csv.runs" in err
    assert len(kept) >= 4
    second = subprocess.run(
        [*command, "--runs", "big.csv.runs"], cwd=tmp_path, capture_output=True, text=True
    )
    assert second.returncode == 0, second.stderr
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len(list(folder.glob("*.npz"))) == 9


class Pressed(Strategy):
    """Learns while Ctrl-C reaches all processes of a terminal, its own among them."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)

    def predict(self, X):
        return np.zeros(len(X))


def test_ctrl_c_is_the_parents_to_meet_and_no_workers():
    rivals = {name: Pressed() for name in ("one", "two", "three")}
    assert list(compare(BIKES, rivals, n_jobs=2).runs) == list(rivals)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_the_command_is_still_being_imported(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "companion", "demo"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stderr:
        if "numpy" in line:
            break
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "companion: stopped; nothing was written" in err and "Traceback" not in err


class Wraps(Strategy):
    """Meets Ctrl-C inside a library that makes an error of its own of it."""

    def fit(self, X, y):
        pass

    def predict(self, X):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise SystemError("returned a result with an exception set") from stop


def test_a_wrapped_ctrl_c_is_no_failure_of_the_strategy(tmp_path):
    rivals = {"mean": Baseline("mean"), "wraps": Wraps()}
    with pytest.raises(KeyboardInterrupt):
        compare(BIKES, rivals, folder=tmp_path)
    assert len(list(tmp_path.glob("*.npz"))) == 1


def test_a_folder_is_held_by_one_call_at_a_time(tmp_path):
    with held(tmp_path, "another comparison"):
        with pytest.raises(InUse, match="another comparison works in this folder already"):
            compare(BIKES, {"mean": Baseline("mean")}, folder=tmp_path)
    compare(BIKES, {"mean": Baseline("mean")}, folder=tmp_path)
    assert not (tmp_path / ".lock").exists()


def test_checkpoints_whose_names_begin_alike_leave_each_other_alone(tmp_path):
    faults: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for k in range(40):
                save(tmp_path / name, Baseline("mean"), k)
                assert load(tmp_path / name).position == k
        except BaseException as error:
            faults.append(error)

    names = ["shard-1", "shard-10", "shard-1.part1", "shard-", "shard-[1]", "shard-*"]
    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_two_savers_of_one_checkpoint_leave_a_whole_one(tmp_path):
    faults: list[BaseException] = []

    def work(_: int) -> None:
        try:
            for k in range(40):
                save(tmp_path / "c", Baseline("mean"), k)
                load(tmp_path / "c")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_only_parts_whose_writers_are_dead_are_removed(tmp_path):
    from companion.files.atomic import new_part

    handle, living = new_part(tmp_path / "c")
    dead = [tmp_path / ".c.abcdefgh.part"]
    others = [tmp_path / ".c0.abcdefgh.part", tmp_path / "c.part", tmp_path / ".c.x.abcdefgh.part"]
    for path in [*dead, *others]:
        path.write_bytes(b"half")
    save(tmp_path / "c", Baseline("mean"), 1)
    assert Path(living).exists() and all(path.exists() for path in others)
    assert not dead[0].exists()
    os.close(handle)
    save(tmp_path / "c", Baseline("mean"), 2)
    assert not Path(living).exists()


MODULE = """
import numpy as np
import helper
from companion import Strategy

RATE = 0.5

def scaled(y, more=0.0):
    return RATE * y + more

class Base(Strategy):
    def usual(self, value):
        return value

class Mine(Base):
    step = 1

    def __init__(self, start=0.0):
        self.start = start

    def fit(self, X, y):
        self.value = self.usual(scaled(y.mean())) + helper.shift(self.start)

    def predict(self, X):
        return np.full(len(X), self.value)
"""
HELPER = "def shift(x):\n    return x + 1\n"
CHANGES = {
    "a method": ("np.full(len(X), self.value)", "np.full(len(X), self.value + 1)"),
    "a function it calls": ("return RATE * y", "return RATE * y + 1"),
    "a constant it uses": ("RATE = 0.5", "RATE = 0.25"),
    "an attribute of the class": ("step = 1", "step = 2"),
    "a default": ("start=0.0", "start=1.0"),
    "a default of a function it calls": ("more=0.0", "more=1.0"),
    "a class it comes from": ("return value", "return value + 1"),
    "another module's function": ("x + 1", "x + 2"),
}


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write, and import anew, a module with a strategy of one's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(old: str = "", new: str = ""):
        for name, source in (("helper", HELPER), ("mine_too", MODULE)):
            (tmp_path / f"{name}.py").write_text(source.replace(old, new) if old else source)
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return importlib.import_module("mine_too")

    yield make
    for name in ("helper", "mine_too"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("change", CHANGES)
def test_a_mended_strategy_is_run_again(change, module, tmp_path):
    before = run_file(module().Mine(), BIKES, {})
    assert run_file(module("    return x", "\n    # a remark\n    return x").Mine(), BIKES, {}) == (
        before
    )
    assert run_file(module(*CHANGES[change]).Mine(), BIKES, {}) != before
    assert run_file(module().Mine(), BIKES, {}) == before


def test_a_mended_strategy_gives_its_new_run(module, tmp_path):
    folder = tmp_path / "runs"
    one = compare(BIKES, {"mine": module().Mine()}, folder=folder)
    two = compare(BIKES, {"mine": module("RATE * y", "RATE * y + 9").Mine()}, folder=folder)
    assert (two.runs["mine"][0].predictions == one.runs["mine"][0].predictions + 9).all()


def test_a_strategy_in_the_main_program_is_told_by_its_code(tmp_path):
    script = MODULE.replace("import helper", "class helper: shift = staticmethod(lambda x: x)")
    script += (
        "\nfrom companion import streams\nfrom companion.files.runs import run_file\n"
        "print(run_file(Mine(), streams.bike_sharing(), {}))\n"
    )
    names = []
    for text in (script, script + "# a remark\n", script.replace("RATE * y", "RATE * y + 1")):
        (tmp_path / "script.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        names.append(done.stdout)
    assert names[0] == names[1] != names[2] and ".npz" in names[0]


@pytest.mark.parametrize("package", code.PACKAGES)
def test_another_version_of_a_package_is_another_run(package, monkeypatch):
    versions = {name: metadata.version(name) for name in code.PACKAGES}
    strategy = Static(LinearRegression())
    before = run_file(strategy, BIKES, {})
    monkeypatch.setattr(code, "installed", (versions | {package: "0.0.1"}).get)
    assert run_file(strategy, BIKES, {}) != before
    monkeypatch.setattr(code, "installed", versions.get)
    assert run_file(strategy, BIKES, {}) == before


def test_another_companion_is_another_run(monkeypatch):
    before = run_file(Baseline("mean"), BIKES, {})
    monkeypatch.setattr(code, "companion_digest", lambda: "another")
    assert run_file(Baseline("mean"), BIKES, {}) != before


def test_rows_columns_settings_and_options_count():
    base = (Static(Ridge(alpha=1.0)), BIKES, {"warmup": 0.2})
    other_names = streams.Stream("bike_sharing", BIKES.X, BIKES.y)
    X = BIKES.X.copy()
    X[-1, -1] += 1e-9
    changed = [
        (Static(Ridge(alpha=2.0)), *base[1:]),
        (base[0], streams.Stream(BIKES.name, X, BIKES.y, BIKES.features, time=BIKES.time), base[2]),
        (base[0], other_names, base[2]),
        (base[0], BIKES.take(slice(0, 700)), base[2]),
        (*base[:2], {"warmup": 0.3}),
        (*base[:2], {"warmup": 0.2, "label_delay": np.arange(3)}),
    ]
    assert len({run_file(*case) for case in [base, *changed]}) == 7


def test_each_part_of_a_stream_counts():
    y, later = np.arange(731) % 2, BIKES.time + np.timedelta64(1, "D")
    who, other = np.repeat("ann", 731), np.repeat("bob", 731)
    classes = {"y": y, "task": "classification"}
    changed = [
        BIKES,
        replace(BIKES, time=later),
        replace(BIKES, time=None),
        replace(BIKES, features=tuple("abcdef")),
        replace(BIKES, key=who),
        replace(BIKES, key=other),
        replace(BIKES, name="other bikes"),
        replace(BIKES, y=np.zeros(731)),
        replace(BIKES, y=np.zeros(731), task="classification"),
        replace(BIKES, **classes, classes=("no", "yes")),
        replace(BIKES, **classes, classes=("nein", "ja")),
    ]
    assert len({run_file(Baseline("mean"), stream, {}) for stream in changed}) == len(changed)


def test_another_python_is_another_run(monkeypatch):
    before = run_file(Baseline("mean"), BIKES, {})
    monkeypatch.setattr(code.platform, "python_version", lambda: "3.99.0")
    assert run_file(Baseline("mean"), BIKES, {}) != before


def test_a_run_has_one_name_wherever_it_is_computed():
    for rivals in (table_lineup(BIKES), record_lineup(BIKES, 146)):
        for strategy in rivals.values():
            sent = pickle.loads(pickle.dumps(strategy))  # as joblib sends it to another process
            assert run_file(sent, BIKES, {}) == run_file(strategy, BIKES, {}) is not None


def test_a_strategy_without_a_fixed_form_is_run_and_not_kept(tmp_path):
    strategy = Baseline("mean")
    strategy.secret = lambda: 0
    result = compare(BIKES, {"mean": strategy}, folder=tmp_path)
    assert result.failures == {} and list(tmp_path.iterdir()) == []


def test_fresh_forgets(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table(tmp_path, 200)
    command = ["compare", "big.csv", "--target", "y", "--quick", "--runs", "kept"]
    ran = []
    real = comparison.prequential
    monkeypatch.setattr(comparison, "prequential", lambda *a, **k: ran.append(1) or real(*a, **k))
    for more, anew in (([], True), ([], False), (["--fresh"], True), ([], False)):
        ran.clear()
        assert main([*command, *more]) == 0
        kept = len(list((tmp_path / "kept").glob("*.npz")))
        assert kept >= 5 and len(ran) == (kept if anew else 0)


def test_a_saved_comparison_knows_its_rows(tmp_path):
    compare(BIKES, {"mean": Baseline("mean")}).save(tmp_path)
    y = BIKES.y.copy()
    y[5] += 1
    other = streams.Stream(BIKES.name, BIKES.X, y, BIKES.features, time=BIKES.time, unit=BIKES.unit)
    with pytest.raises(ValueError, match="was made on other rows, of a stream 'bike_sharing'"):
        load_comparison(tmp_path, other)
    assert list(load_comparison(tmp_path, BIKES).runs) == ["mean"]


def test_two_saves_in_one_folder_do_not_mix(tmp_path):
    one = compare(BIKES, {"a": Baseline("mean")})
    two = compare(BIKES, {"b": Baseline("no-change"), "c": Baseline("mean")})
    faults: list[BaseException] = []

    def work(result) -> None:
        for _ in range(15):
            try:
                result.save(tmp_path)
            except InUse:
                pass
            except BaseException as error:
                faults.append(error)

    threads = [threading.Thread(target=work, args=(result,)) for result in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    back = load_comparison(tmp_path, BIKES)
    wanted = one if list(back.runs) == ["a"] else two
    assert all(back.score(name) == wanted.score(name) for name in wanted.runs)
    assert len(list(tmp_path.glob("run-*.npz"))) == len(wanted.runs)


def test_where_files_cannot_be_locked_the_work_goes_on(tmp_path, monkeypatch):
    """A browser's Python has the module of locks, but not the function."""
    import fcntl

    monkeypatch.delattr(fcntl, "flock")
    with held(tmp_path / "runs", "a comparison"):
        assert (tmp_path / "runs").is_dir()


def test_a_runs_name_hangs_on_what_is_installed_not_on_what_is_imported():
    say = (
        "from companion import Baseline, streams\n"
        "from companion.files.runs import run_file\n"
        "print(run_file(Baseline('mean'), streams.bike_sharing(), {}))\n"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", early + say], stdout=subprocess.PIPE, text=True, check=True
        )
        for early in ("", "import river.linear_model, sklearn.ensemble\n")
    )
    assert first.stdout == second.stdout and first.stdout.endswith(".npz\n")
