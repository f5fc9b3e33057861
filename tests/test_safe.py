"""Files from strangers: what is not on the list is refused by name, and nothing of it runs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess

import numpy as np
import pytest
import river.linear_model
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from companion import checkpoint as points
from companion import streams
from companion.checkpoint import load, save
from companion.rivals import online_line, usual_rivals
from companion.safe import UnsafeFile, check_private, load_model, save_model, unpickle
from companion.strategies import Baseline


class Call:
    """Pickled, it becomes a call."""

    def __init__(self, what, *given) -> None:
        self.what, self.given = what, given

    def __reduce__(self):
        return self.what, self.given


def lookup(module: str, name: str, argument: str) -> bytes:
    """Return a pickle that looks up a name and calls it: the opcodes, by hand."""
    return (
        b"\x80\x04\x8c" + bytes([len(module)]) + module.encode()
        + b"\x8c" + bytes([len(name)]) + name.encode() + b"\x93"
        + b"X" + len(argument).to_bytes(4, "little") + argument.encode() + b"\x85R."
    )  # fmt: skip


def attacks(mark: str) -> dict[str, bytes]:
    touch = f"touch {mark}"
    return {
        "os.system": pickle.dumps(Call(os.system, touch)),
        "subprocess": pickle.dumps(Call(subprocess.Popen, ["touch", mark])),
        "eval": pickle.dumps(Call(eval, f"open({mark!r}, 'w')")),
        "exec": pickle.dumps(Call(exec, f"open({mark!r}, 'w')")),
        "open": pickle.dumps(Call(open, mark, "w")),
        "memmap": pickle.dumps(Call(np.memmap, mark, "u1", "w+", 0, (1,))),
        "getattr": pickle.dumps(Call(getattr, river.linear_model.LinearRegression, "__init__")),
        "through a family's import": lookup("sklearn.utils._array_api", "os.system", touch),
        "through River's import": lookup("river.base.base", "inspect.os.system", touch),
        "a hidden module": lookup("companion.__main__", "main", touch),
        "a function of the companion": lookup("companion.store", "write_whole", mark),
        "a loader of data": lookup("sklearn.datasets", "load_files", mark),
        "a reader of files": lookup("river.stream", "iter_csv", mark),
        "another package": lookup("shutil", "rmtree", mark),
        "import": lookup("importlib", "import_module", "antigravity"),
    }


def test_the_attacks_would_work_on_a_bare_unpickler(tmp_path):
    mark = tmp_path / "mark"
    pickle.loads(attacks(str(mark))["os.system"])
    assert mark.exists()


@pytest.mark.parametrize("name", attacks(""))
def test_no_attack_gets_through(name, tmp_path):
    mark = tmp_path / "mark"
    held = attacks(str(mark))[name]
    with pytest.raises(UnsafeFile, match="which is not on the list of what a model needs"):
        unpickle(held, "file")
    body = json.dumps({"position": 1, "made_with": points.MADE_WITH}).encode() + b"\n" + held
    head = f"{points.FIRST}{points.FORMAT}{points.WARNING}{hashlib.sha256(body).hexdigest()}\n"
    path = tmp_path / "run.ckpt"
    path.write_bytes(head.encode() + body)
    with pytest.raises(UnsafeFile, match=r"run\.ckpt: it holds .* do not load it, unless you made"):
        load(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["bike_sharing", "liver"])
def test_what_models_need_is_on_the_list(name):
    stream = streams.load(name)
    for strategy in usual_rivals(stream).values():
        strategy = strategy.fresh(0)
        strategy.suit(stream.features, len(stream.classes))
        head = slice(0, 200)
        extra = {part: getattr(stream, part)[head] for part in strategy.needs}
        strategy.fit(stream.X[head], stream.y[head], **extra)
        again = unpickle(pickle.dumps(strategy), "file")
        extra = {part: values[:9] for part, values in extra.items()}
        assert (
            again.predict(stream.X[:9], **extra) == strategy.predict(stream.X[:9], **extra)
        ).all()


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
    assert type(unpickle(pickle.dumps(model), "file")) is type(model)


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
        assert type(unpickle(pickle.dumps(model), "file")) is type(model)


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
    with pytest.raises(UnsafeFile, match="this is no skops file"):
        load_model(path)
    with pytest.raises(UnsafeFile, match="there is no such file"):
        load_model(tmp_path / "none.skops")
    assert not mark.exists()
