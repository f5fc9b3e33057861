"""Files from strangers: none is read; and were a key lost, the list still holds."""

from __future__ import annotations

import base64
import importlib
import json
import multiprocessing
import os
import pickle
import pkgutil
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest
import river.linear_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, Ridge, SGDRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import companion
from companion import Online, Scheduled, Static, Strategy, streams
from companion.files import checkpoint as points
from companion.files import seal as seals
from companion.files.checkpoint import load, save
from companion.files.listed import ListedUnpickler, part_of_a_model
from companion.files.portable import CLASSES, FORMAT
from companion.files.safe import (
    UnsafeFile,
    check_private,
    load_model,
    save_model,
    seal,
    unpickle,
)
from companion.hybrids.base import Hybrid
from companion.hybrids.following import Following
from companion.lineups import online_line, record_lineup, table_lineup
from companion.memory import usual_memory
from companion.rivals import rivals
from companion.strategies import Baseline
from companion.views import ByRow, Column, OnlineAfterFit, View


class Call:
    """Pickled, it becomes a call."""

    def __init__(self, what, *given) -> None:
        self.what, self.given = what, given

    def __reduce__(self):
        return self.what, self.given


# Pickles by hand: each function returns the opcodes for one value.
def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module: str, *path: str) -> bytes:
    return text(module) + text(".".join(path)) + b"\x93"


def call(what: bytes, *given: bytes) -> bytes:
    return what + b"(" + b"".join(given) + b"tR"


def attribute(owner: bytes, of: str) -> bytes:
    return call(name("builtins", "getattr"), owner, text(of))


def state(**values: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in values.items()) + b"u"


def made(kind: bytes, **values: bytes) -> bytes:
    return kind + b")\x81" + state(**values) + b"b"


def slots(of: bytes, **values: bytes) -> bytes:
    """Fill by slots, which sets attributes of whatever stands there."""
    return of + b"(N" + state(**values) + b"tb"


def file(value: bytes) -> bytes:
    return b"\x80\x04" + value + b"."


STATIC = name("companion.strategies", "Static")
NEWS = name("river.bandit.datasets.news", "NewsArticles")
DEEPCOPY = name("copy", "deepcopy")


def attacks(mark: str) -> dict[str, bytes]:
    touch = f"touch {mark}"
    inner = f"cposix\nsystem\n(S'{touch}'\ntR.".encode()
    bare = b"B" + struct.pack("<I", len(inner)) + inner
    trust = b"(" + text("posix.system") + b"l"
    download = dict(
        url=text("file:///etc/hostname"),
        size=b"I5\n",
        unpack=b"\x89",
        filename=text(Path(mark).name),
        directory=text(str(Path(mark).parent)),
    )
    reader = name("companion.files.listed", "ListedUnpickler")
    old_reader = name("companion.files.safe", "ListedUnpickler")
    scaler = name("river.preprocessing.scale", "Normalizer")
    return {
        "os.system": pickle.dumps(Call(os.system, touch)),
        "subprocess": pickle.dumps(Call(subprocess.Popen, ["touch", mark])),
        "eval": pickle.dumps(Call(eval, f"open({mark!r}, 'w')")),
        "exec": pickle.dumps(Call(exec, f"open({mark!r}, 'w')")),
        "open": pickle.dumps(Call(open, mark, "w")),
        "memmap": pickle.dumps(Call(np.memmap, mark, "u1", "w+", 0, (1,))),
        "getattr": pickle.dumps(Call(getattr, river.linear_model.LinearRegression, "__init__")),
        "through a family's import": file(
            call(name("sklearn.utils._array_api", "os", "system"), text(touch))
        ),
        "through River's import": file(
            call(name("river.base.base", "inspect", "os", "system"), text(touch))
        ),
        "a hidden module": file(call(name("companion.__main__", "main"), text(touch))),
        "a function of the companion": file(
            call(name("companion.files.atomic", "write_atomically"), text(mark))
        ),
        "a loader of data": file(call(name("sklearn.datasets", "load_files"), text(mark))),
        "a reader of files": file(call(name("river.stream", "iter_csv"), text(mark))),
        "another package": file(call(name("shutil", "rmtree"), text(mark))),
        "import": file(call(name("importlib", "import_module"), text("antigravity"))),
        "a second unpickler": file(call(attribute(call(reader, bare, text("x"), trust), "load"))),
        "a second unpickler, as it was": file(
            call(attribute(call(old_reader, bare, text("x"), trust), "load"))
        ),
        "the unpickler of pickle": file(
            call(attribute(call(name("pickle", "_Unpickler"), bare), "load"))
        ),
        "pickle.loads": file(call(name("pickle", "loads"), bare)),
        "joblib of scikit-learn": file(call(name("sklearn.externals.joblib", "load"), text(mark))),
        "a data set is downloaded": file(call(attribute(made(NEWS, **download), "download"))),
        "a data set is read": file(call(name("collections", "deque"), made(NEWS, **download))),
        "a data set is made": file(call(NEWS, text(mark))),
        "a data set, as another module has it": file(
            call(name("river.datasets.base", "RemoteDataset"))
        ),
        "a class is patched": file(slots(STATIC, predict=name("builtins", "str")) + b"0N"),
        "a class is patched by a copy": file(slots(call(DEEPCOPY, STATIC), predict=STATIC) + b"0N"),
        "a class is patched through an array": file(
            slots(
                call(
                    name("numpy._core.multiarray", "scalar"),
                    call(name("numpy", "dtype"), text("O8"), b"\x89", b"\x88"),
                    STATIC,
                ),
                predict=STATIC,
            )
            + b"0N"
        ),
        "a function is changed": file(slots(name("numpy", "mean"), wrapped=STATIC) + b"0N"),
        "the reader's own method is changed": file(
            slots(name("builtins", "getattr"), wrapped=STATIC) + b"0N"
        ),
        "an object says how it is filled": file(
            made(scaler, __setstate__=DEEPCOPY) + state(a=b"N") + b"b"
        ),
        "an object says what it is": file(slots(scaler + b")\x81", __class__=STATIC)),
        "an object says how items are added": file(
            made(scaler, append=DEEPCOPY) + text("x") + b"a"
        ),
        "an object says how many are added": file(
            made(scaler, extend=DEEPCOPY) + b"(" + text("x") + b"e"
        ),
        "a constructor in Python": file(
            call(name("river.compose.func", "FuncTransformer"), DEEPCOPY)
        ),
        "a class called the old way": file(
            b"(" + text(mark) + b"iriver.bandit.datasets.news\nNewsArticles\n"
        ),
        "a listed class called the old way": file(
            b"(" + text(mark) + b"icompanion.strategies\nBaseline\n"
        ),
        "a part of a call": file(call(call(name("functools", "partial"), DEEPCOPY, STATIC))),
        "a method that is not listed": file(attribute(made(scaler), "learn_many")),
        "a class of the service": file(made(name("companion.apps.serving", "LabelService"))),
        "arguments that are no tuple": file(name("collections", "deque") + b"]R"),
        "an object whose own code is run": file(call(name("collections", "deque"), made(scaler))),
        "an object filled from another dict": file(
            scaler
            + b")\x81"
            + call(name("collections", "OrderedDict"))
            + text("__setstate__")
            + DEEPCOPY
            + b"sb"
        ),
        "a registered code": file(b"\x82\x01"),
        "a foreign id": file(b"P1\n"),
    }


def test_the_attacks_would_work_on_a_bare_unpickler(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(attacks(str(mark))["os.system"])
    assert mark.exists()
    predict = Static.predict
    try:
        pickle.loads(attacks("")["a class is patched"])
        assert Static.predict is str
    finally:
        Static.predict = predict


def as_checkpoint(held: bytes) -> bytes:
    about = json.dumps({"position": 1, "made_with": points.MADE_WITH}).encode()
    return points.FIRST + f"{points.FORMAT}\n".encode() + about + b"\n" + held


@pytest.fixture
def reached(monkeypatch) -> list[str]:
    """Collect the names of the files that reach the unpickler."""
    found, read = [], ListedUnpickler.load

    def note(self):
        found.append(self.name)
        return read(self)

    monkeypatch.setattr(ListedUnpickler, "load", note)
    return found


@pytest.mark.parametrize("kind", attacks("/tmp/mark"))
def test_no_attack_gets_through(kind, tmp_path, reached):
    mark, path = tmp_path / "mark", tmp_path / "run.ckpt"
    held = attacks(str(mark))[kind]
    before = {name: value for name, value in vars(Static).items()}
    for data in (held, as_checkpoint(held)):
        path.write_bytes(data)
        with pytest.raises(UnsafeFile, match=r"run\.ckpt: it carries no seal.*save_model, and"):
            load(path)
        with pytest.raises(UnsafeFile, match="file: it carries no seal"):
            unpickle(data, "file")
    assert reached == []
    path.write_bytes(seal(as_checkpoint(held)))  # the key was lost: now the list must hold
    odd = {  # refused by pickle and NumPy themselves
        "a registered code": "unregistered",
        "a foreign id": "persistent",
        "a class is patched through an array": "object dtype",
    }
    with pytest.raises(ValueError, match=odd.get(kind, r"run\.ckpt: it holds .*; do not load it")):
        load(path)
    assert not mark.exists() and dict(vars(Static)) == before
    assert [place.name for place in tmp_path.iterdir()] == ["run.ckpt"]


def sealed_by_another(data: bytes, monkeypatch) -> bytes:
    with monkeypatch.context() as other:
        other.setenv("COMPANION_KEY", os.path.join(tempfile.mkdtemp(), "key"))
        return seal(data)


def test_another_users_file_is_refused_unread(tmp_path, reached, monkeypatch):
    path = tmp_path / "run.ckpt"
    path.write_bytes(
        sealed_by_another(as_checkpoint(pickle.dumps((Baseline("mean"), 1))), monkeypatch)
    )
    with pytest.raises(UnsafeFile, match=r"another key sealed it.*nothing of it was read"):
        load(path)
    own = seals.key_name(seals.user_key()).encode()
    other = path.read_bytes()
    path.write_bytes(other[:25] + own + other[33:])  # and says that it is ours
    with pytest.raises(UnsafeFile, match="its content does not fit its seal"):
        load(path)
    assert reached == []


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_altered_or_foreign_file_reaches_the_unpickler(data, reached):
    whole = seal(as_checkpoint(pickle.dumps((Baseline("mean"), {"rows": [1, 2]}))))
    where = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(min_size=1, max_size=300))
    attack = data.draw(st.sampled_from(list(attacks("/tmp/mark").values())))
    changed = data.draw(
        st.sampled_from([
            noise, whole[:where], whole[:where] + noise + whole[where:],
            whole[:where] + noise + whole[where + len(noise) :], whole + attack, attack,
            as_checkpoint(attack), whole[:98] + as_checkpoint(attack), whole[:where] + attack,
        ])
    )  # fmt: skip
    if changed == whole:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.ckpt"
        path.write_bytes(changed)
        for read in (lambda: load(path), lambda: unpickle(changed, "file")):
            with pytest.raises(ValueError) as error:
                read()
            assert "\n" not in str(error.value)
    assert reached == []


def key_of_this_process(_: int) -> bytes:
    return seals.user_key()


def test_the_key_is_made_once_and_private(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "key"
    monkeypatch.setenv("COMPANION_KEY", str(path))
    with multiprocessing.get_context("fork").Pool(6) as pool:
        keys = set(pool.map(key_of_this_process, range(6), chunksize=1))
    assert len(keys) == 1 and len(keys.pop()) == 32
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert [place.name for place in path.parent.iterdir()] == ["key"]
    save(tmp_path / "c", Baseline("mean"), 1)
    for spoil, words in (
        (lambda: path.chmod(0o640), "others can read your key"),
        (lambda: path.write_bytes(b"short"), "this is no key"),
        (lambda: path.parent.chmod(0o777), "others can write here"),
    ):
        whole = path.read_bytes()
        spoil()
        with pytest.raises(UnsafeFile, match=words):
            load(tmp_path / "c")
        path.parent.chmod(0o700)
        path.chmod(0o600)
        path.write_bytes(whole)
    assert load(tmp_path / "c").position == 1


def test_where_no_key_can_be_made_a_sentence_says_so(tmp_path, monkeypatch):
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("COMPANION_KEY", str(tmp_path / "a file" / "key"))
    with pytest.raises(UnsafeFile, match="your key cannot be made or read .*let COMPANION_KEY"):
        save(tmp_path / "c", Baseline("mean"), 1)


def test_a_new_key_refuses_what_the_old_one_sealed(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANION_KEY", str(tmp_path / "key"))
    save(tmp_path / "c", Baseline("mean"), 1)
    old = seals.user_key()
    assert seals.rotate_key() == tmp_path / "key"
    assert seals.user_key() != old and (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UnsafeFile, match="another key sealed it.*before you changed it"):
        load(tmp_path / "c")
    save(tmp_path / "c", Baseline("mean"), 2)
    assert load(tmp_path / "c").position == 2


def test_no_other_place_of_the_companion_reads_a_pickle():
    """Besides the list, only the engine's own state is unpickled: the page on scaling says so."""
    root = Path(points.__file__).parents[1]
    readers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for line in path.read_text().splitlines()
        if "pickle.load" in line.replace("pickle.loads(pickle.dumps(", "")
        or "joblib.load" in line
        or "allow_pickle=True" in line
        if not line.strip().startswith((">>>", "...", "#"))
    }
    assert readers <= {"files/listed.py", "scale/keyed.py", "scale/spark.py"}


@pytest.mark.parametrize("name", ["bike_sharing", "liver"])
def test_what_models_need_is_on_the_list(name):
    stream = streams.load(name)
    remembering = usual_memory(stream)
    tuned = rivals(remembering, quick=True) | {
        "followed": Following({"a": Baseline("no-change"), "b": Static(Ridge())})
    }
    of_tables = [(stream, strategy) for strategy in table_lineup(stream).values()]
    for rows, strategy in [*of_tables, *((remembering, each) for each in tuned.values())]:
        strategy = strategy.clone(0)
        strategy.set_schema(rows.features, len(rows.classes))
        head = slice(0, 200)
        columns = {"row": np.arange(200), "key": rows.key, "time": rows.time}
        extra = {part: columns[part][head] for part in strategy.needs}
        strategy.fit(rows.X[head], rows.y[head], **extra)
        again = unpickle(seal(pickle.dumps(strategy)), "file")
        extra = {part: values[:9] for part, values in extra.items()}
        assert (again.predict(rows.X[:9], **extra) == strategy.predict(rows.X[:9], **extra)).all()


def kinds_of_strategy() -> list[type]:
    """Return every strategy and model of the companion's own."""
    found = []
    for module in pkgutil.walk_packages(companion.__path__, "companion."):
        if module.name.endswith(("__main__", ".serving", ".limits", ".spark")):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, (Strategy, BaseEstimator)):
                if thing.__module__ == module.name and thing not in (Strategy, Hybrid):
                    found.append(thing)
    return found


@pytest.mark.parametrize("kind", kinds_of_strategy(), ids=lambda kind: kind.__name__)
def test_every_strategy_can_be_saved_and_we_know_which_can_be_passed_on(kind):
    assert part_of_a_model(kind.__module__, kind.__qualname__) == (kind, False)
    cannot = {"Triggered"}  # drift detectors are Rust's, and have no form without code
    if kind.__name__ not in cannot:
        assert kind.__qualname__ in CLASSES.get(kind.__module__, "").split()


@pytest.mark.parametrize(
    "model", [KNeighborsRegressor(), RandomForestClassifier(n_estimators=3), online_line(0)],
    ids=lambda m: type(m).__name__,
)  # fmt: skip
def test_other_models_too(model):
    X, y = np.random.default_rng(0).normal(size=(30, 2)), np.arange(30) % 2
    if hasattr(model, "learn_one"):
        model.learn_one({"a": 1.0}, 2.0)
    else:
        model.fit(X, y)
    assert type(unpickle(seal(pickle.dumps(model)), "file")) is type(model)


def test_river_models_of_all_kinds():
    from river import drift, forest, naive_bayes, neighbors, tree

    models = [
        tree.HoeffdingTreeRegressor(), tree.HoeffdingAdaptiveTreeClassifier(seed=1),
        forest.ARFClassifier(n_models=3, seed=1), naive_bayes.GaussianNB(),
        neighbors.KNNClassifier(), drift.ADWIN(), drift.PageHinkley(),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    for model in models:
        for k in range(60):
            if hasattr(model, "learn_one"):
                model.learn_one({"a": rng.random(), "b": rng.random()}, k % 2)
            else:
                model.update(rng.random())
        assert type(unpickle(seal(pickle.dumps(model)), "file")) is type(model)


def test_a_place_where_others_can_write_is_refused(tmp_path):
    save(tmp_path / "c", Baseline("mean"), 1)
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o600
    (tmp_path / "c").chmod(0o666)
    with pytest.raises(UnsafeFile, match="c: others can write here.*run chmod go-w"):
        load(tmp_path / "c")
    (tmp_path / "c").chmod(0o600)
    tmp_path.chmod(0o777)
    for act in (lambda: load(tmp_path / "c"), lambda: save(tmp_path / "c", Baseline("mean"), 2)):
        with pytest.raises(UnsafeFile, match="others can write here.*run chmod go-w"):
            act()
    tmp_path.chmod(0o700)
    assert load(tmp_path / "c").position == 1


def test_somebody_elses_file_is_refused(tmp_path, monkeypatch):
    save(tmp_path / "c", Baseline("mean"), 1)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(UnsafeFile, match="it belongs to another user"):
        load(tmp_path / "c")


def test_a_shared_group_is_refused_and_a_private_one_is_not(tmp_path, monkeypatch):
    place = tmp_path / "place"
    place.mkdir()
    real = place.stat()
    for group, fine in ((real.st_uid, True), (real.st_uid + 1, False)):
        facts = os.stat_result((0o40775, 0, 0, 1, os.geteuid(), group, 0, 0, 0, 0))
        monkeypatch.setattr(type(place), "stat", lambda self, facts=facts, **_: facts)
        if fine:
            check_private(place)
        else:
            with pytest.raises(UnsafeFile, match="others can write here"):
                check_private(place)


def test_scikit_learn_models_go_to_others_and_come_back(tmp_path):
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    line = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    save_model(tmp_path / "m.skops", line)
    assert (load_model(tmp_path / "m.skops").predict(X) == line.predict(X)).all()
    trees = RandomForestClassifier(n_estimators=3, random_state=0).fit(X, y)
    save_model(tmp_path / "m.skops", trees)
    with pytest.raises(UnsafeFile, match="it holds sklearn.tree._tree.Tree"):  # can be ill-formed
        load_model(tmp_path / "m.skops")
    again = load_model(tmp_path / "m.skops", trust=["sklearn.tree._tree.Tree"])
    assert (again.predict(X) == trees.predict(X)).all()


def shout(X):
    os.system("echo shout")
    return X


def test_an_unknown_type_in_a_skops_file_is_refused(tmp_path):
    model = FunctionTransformer(shout).fit(np.zeros((2, 1)))
    save_model(tmp_path / "m.skops", model)
    name = f"{shout.__module__}.shout"
    with pytest.raises(UnsafeFile, match=rf"m\.skops: it holds {name}, which is not on the list"):
        load_model(tmp_path / "m.skops")
    assert load_model(tmp_path / "m.skops", trust=[name]).func is shout


def test_a_pickle_under_another_name_is_refused(tmp_path):
    mark = tmp_path / "mark"
    path = tmp_path / "m.skops"
    path.write_bytes(attacks(str(mark))["os.system"])
    with pytest.raises(UnsafeFile, match="this is no model that was passed on"):
        load_model(path)
    with pytest.raises(UnsafeFile, match="there is no such file"):
        load_model(tmp_path / "none.skops")
    assert not mark.exists()


def keyed(rows: int = 400, classes: bool = False) -> streams.Stream:
    made = streams.simulate("abrupt", rows=rows, task="regression", seed=1)
    y = (made.y > np.median(made.y)).astype(int) if classes else made.y
    time = np.datetime64("2024-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "h")
    return streams.Stream(
        "keyed", made.X, y, time=time, key=np.array(["ann", "bob", "eve"])[np.arange(rows) % 3],
        task="classification" if classes else "regression", classes=("no", "yes") * classes,
    )  # fmt: skip


def portable(stream: streams.Stream) -> dict[str, Strategy]:
    """Return the strategies of the line-ups that can be passed on, and some more."""
    lineup = {**record_lineup(stream, 100), **table_lineup(stream)}
    lineup |= {
        "tuned": rivals(stream, quick=True)["refit linear, all rows"],
        "tuned by row": rivals(stream, quick=True)["online linear"],
        "following": Following({"a": Static(LinearRegression()), "b": Baseline("no-change")}),
        "by row": OnlineAfterFit(View(ByRow(online_line(0)), [0, 1])),
        "column": Column([0]),
        "every week": Scheduled(LinearRegression(), every="7D"),
        "seasonal": Baseline("seasonal", rows=24),
        "in batches": Online(SGDRegressor(random_state=0), batch=10),
    }
    drop = ("triggered", "triggered linear", "frozen boosting", "refit boosting")
    return {name: lineup[name] for name in lineup if name not in drop}


CASES = [(False, name) for name in portable(keyed())] + [
    (True, name)
    for name in (
        "online",
        "frozen",
        "blend",
        "majority",
        "per key",
        "no change",
        "tuned",
        "tuned by row",
    )
]


@pytest.mark.parametrize(("classes", "who"), CASES)
def test_strategies_go_to_others_and_learn_on(classes, who, tmp_path):
    stream = keyed(classes=classes)
    strategy = portable(stream)[who].clone(0)
    strategy.set_schema(stream.features, len(stream.classes))

    def more(rows: slice) -> dict[str, np.ndarray]:
        columns = {"row": np.arange(len(stream)), "time": stream.time, "key": stream.key}
        return {name: columns[name][rows] for name in strategy.needs}

    strategy.fit(stream.X[:100], stream.y[:100], **more(slice(0, 100)))
    if not strategy.frozen:
        strategy.learn(stream.X[100:200], stream.y[100:200], **more(slice(100, 200)))
    save_model(tmp_path / "m.model", strategy)
    again = load_model(tmp_path / "m.model")
    for k in range(200, 400, 20):
        rows = slice(k, k + 20)
        here, there = (one.predict(stream.X[rows], **more(rows)) for one in (strategy, again))
        assert (here == there).all()
        for one in () if strategy.frozen else (strategy, again):
            one.learn(stream.X[rows], stream.y[rows], **more(rows))
    assert (strategy.fits, strategy.rows_learnt, strategy.events) == (
        again.fits, again.rows_learnt, again.events,
    )  # fmt: skip


def test_a_bare_river_model_goes_to_others(tmp_path):
    model = online_line(0)
    for k in range(50):
        model.learn_one({"a": float(k), "b": k % 7 / 3}, 2.0 * k)
    save_model(tmp_path / "m.model", model)
    again = load_model(tmp_path / "m.model")
    for k in range(50):
        x = {"a": float(k) / 2, "b": 1.0}
        assert model.predict_one(x) == again.predict_one(x)
        model.learn_one(x, 1.0 * k)
        again.learn_one(x, 1.0 * k)


@pytest.mark.parametrize("who", ["triggered linear", "frozen boosting"])
def test_what_has_no_form_without_code_is_named(who, tmp_path):
    strategy = table_lineup(keyed())[who].clone(0)
    strategy.fit(keyed().X, keyed().y)
    words = r"Triggered has no form without code; pass on|it holds sklearn\..*not on the list"
    with pytest.raises(UnsafeFile, match=words):
        save_model(tmp_path / "m.model", strategy)
        load_model(tmp_path / "m.model")


def crafted(*objects: list) -> bytes:
    return json.dumps({"what": FORMAT, "root": [0], "objects": list(objects)}).encode()


FOREIGN = {
    "another class": crafted(["object", "river.bandit.datasets.news", "NewsArticles", {}]),
    "a function": crafted(["object", "os", "system", {}]),
    "a name in a listed module": crafted(["object", "companion.strategies", "np", {}]),
    "a method": crafted(["method", [1], "learn_one"],
                        ["object", "river.preprocessing.scale", "StandardScaler", {}]),
    "a method of text": crafted(["method", "x", "format"]),
    "a pickle as an array": crafted(
        ["array", True, base64.b64encode(pickle.dumps(Call(os.system, "touch /tmp/mark"))).decode()]
    ),
    "an array of objects": crafted(
        ["array", True, base64.b64encode(
            b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (), }"
            + b" " * 59 + b"\n" + pickle.dumps(Call(os.system, "touch /tmp/mark"))).decode()]),
    "a factory": crafted(["defaultdict", "eval", []]),
    "skops with another type": crafted(["skops", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="]),
    "a circle": crafted(["tuple", [[0]]]),
    "no place": crafted(["list", [[7]]]),
    "no objects": json.dumps({"what": FORMAT}).encode(),
    "deep": crafted(*([["list", [[k + 1]]] for k in range(5000)] + [["list", []]])),
    "not JSON": json.dumps({"what": FORMAT}).encode()[:-1],
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_no_foreign_data_runs(kind, tmp_path):
    (tmp_path / "m.model").write_bytes(FOREIGN[kind])
    with pytest.raises(UnsafeFile, match=r"m\.model: (it holds|this is no model)"):
        load_model(tmp_path / "m.model")
    assert not Path("/tmp/mark").exists()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-2, 9) | st.floats() | st.text(max_size=9)
        | st.sampled_from(["object", "list", "method", "river.stats.mean", "Mean", "deque"]),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=30,
    )
)  # fmt: skip
def test_any_json_is_a_model_or_a_sentence(objects):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.model"
        path.write_text(json.dumps({"what": FORMAT, "root": [0], "objects": objects}))
        try:
            load_model(path)
        except UnsafeFile as error:
            assert "\n" not in str(error) and "m.model: " in str(error)


@pytest.mark.parametrize("name", ["predict_one", "__class__", "learn_one"])
def test_data_cannot_put_anything_in_a_method_s_place(name, tmp_path):
    from river import linear_model

    path = tmp_path / "line.json"
    save_model(path, linear_model.LinearRegression())
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"l2": 0.0', f'"l2": 0.0, "{name}": [1]'.encode()))
    assert path.read_bytes() != whole
    with pytest.raises(UnsafeFile, match=f"LinearRegression.{name} in place of the class's own"):
        load_model(path)
