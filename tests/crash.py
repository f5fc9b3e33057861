"""Kill a process that scores a stream, resume it, and look for differences: crash.py FOLDER KILLS.

Each child is forked from this process, so it starts in a few milliseconds. It goes on from the
last checkpoint until it is killed with SIGKILL, either from outside after a random time, or at a
chosen step inside a save. What it leaves behind is checked after every kill and at the end.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from sklearn.linear_model import LinearRegression

from companion import Baseline, Blend, Online, Scheduled, Static, Strategy, prequential, streams
from companion.files.atomic import write_atomically
from companion.files.checkpoint import load
from companion.files.runs import run_from_bytes, run_to_bytes
from companion.lineups import online_line
from companion.scale.parts import prequential_in_parts

PART, WARMUP, DELAY = 100, 80, 30
STEPS = ("half written", "before sync", "after sync", "before rename", "after rename", "folder")


class Noting(Strategy):
    """A strategy that also writes down the position of every label it is told."""

    needs = ("row",)

    def __init__(self, inner: Strategy) -> None:
        self.inner, self.seen = inner, []

    def fit(self, X, y, row):
        self.seen.extend(row.tolist())
        self.inner.fit(X, y)

    def predict(self, X, row):
        return self.inner.predict(X)

    def learn(self, X, y, row):
        self.seen.extend(row.tolist())
        self.inner.learn(X, y)

    def set_schema(self, features, classes):
        self.inner.set_schema(features, classes)


def rivals() -> dict[str, Strategy]:
    """Return strategies whose state differs: weights, a window of rows, shares of several."""
    line = LinearRegression()
    parts = {
        "frozen": Static(line),
        "online": Online(online_line(0)),
        "last": Baseline("no-change"),
    }
    return {
        "online": Noting(Online(online_line(0))),
        "scheduled": Noting(Scheduled(line, every=70, window=300)),
        "blend": Noting(Blend(parts)),
    }


def score(stream: streams.Stream, strategy: Strategy, folder: Path) -> None:
    """Score a stream in parts, from the last checkpoint on; keep each part under its first row."""
    parts = (stream.take(slice(k, k + PART)) for k in range(0, len(stream), PART))
    runs = prequential_in_parts(
        strategy, parts, warmup=WARMUP, label_delay=DELAY, checkpoint=folder / "run.ckpt",
        trust=[f"{Noting.__module__}.Noting"],
    )  # fmt: skip
    for run in runs:
        write_atomically(folder / f"{run.first:08d}.npz", run_to_bytes(run))


def predictions(folder: Path) -> np.ndarray:
    """Return all predictions kept in a folder, in order."""
    parts = [run_from_bytes(path.read_bytes()) for path in sorted(folder.glob("*.npz"))]
    at = WARMUP
    for part in parts:
        assert part.first == at, "a part is missing or doubled"
        at += len(part.y)
    return np.concatenate([part.predictions for part in parts])


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_inside_a_save(step: str, after: int) -> None:
    """Make this process kill itself at one step of its save number ``after``."""
    fsync, replace, fdopen, count = os.fsync, os.replace, os.fdopen, [0]

    def now(here: str) -> None:
        if step == here and count[0] == after:
            die()

    class Torn:
        def __init__(self, file) -> None:
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data: bytes) -> None:
            count[0] += 1
            self.file.write(data[: len(data) // 2])
            self.file.flush()
            now("half written")
            self.file.write(data[len(data) // 2 :])

        def __getattr__(self, name):
            return getattr(self.file, name)

    def patched_fsync(handle: int) -> None:
        is_file = os.path.isfile(f"/proc/self/fd/{handle}") or not os.path.isdir("/proc/self/fd")
        now("before sync" if is_file else "after rename")
        fsync(handle)
        now("after sync" if is_file else "folder")

    def patched_replace(*paths) -> None:
        now("before rename")
        replace(*paths)
        now("after rename")

    os.fdopen = lambda handle, mode: Torn(fdopen(handle, mode))
    os.fsync, os.replace = patched_fsync, patched_replace


def child(stream: streams.Stream, strategy: Strategy, folder: Path, step: str, after: int) -> int:
    """Fork a process that scores the stream, and dies inside a save if a step is given."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if step:
            die_inside_a_save(step, after)
        score(stream, strategy, folder)
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def main(folder: Path, kills: int) -> None:
    """Kill until it is enough, and print what was found as JSON."""
    stream = streams.simulate("abrupt", rows=1500, task="regression", seed=0)
    chance = random.Random(0)
    wanted, seconds = {}, 0.0
    for name, strategy in rivals().items():
        started = time.perf_counter()
        (folder / name).mkdir()
        score(stream, strategy, folder / name)
        seconds = max(seconds, time.perf_counter() - started)
        whole = prequential(strategy, stream, warmup=WARMUP, label_delay=DELAY)
        wanted[name] = predictions(folder / name)
        assert np.allclose(wanted[name], whole.predictions, rtol=1e-12, atol=1e-12)
    seen = load(folder / "online" / "run.ckpt", trust=["__main__.Noting"]).strategy.seen
    assert seen == list(range(len(seen))) and len(seen) > 1400
    done, found = Counter(), Counter(kills=0, whole=0, differing=0, labels=0, backwards=0)
    while done["killed"] < kills:
        name = list(wanted)[found["whole"] % len(wanted)]
        place, position = folder / f"try-{found['whole']}", 0
        place.mkdir()
        while True:
            last = done["killed"] >= kills
            step = "" if last or chance.random() < 0.5 else STEPS[done["steps"] % len(STEPS)]
            pid = child(stream, rivals()[name], place, step, chance.randint(1, 8))
            if not step and not last:
                time.sleep(chance.uniform(0, seconds / 4))
                os.kill(pid, signal.SIGKILL)
            status = os.waitpid(pid, 0)[1]
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                done["killed"] += 1
                done["steps"] += bool(step)
                found[step or "any moment"] += 1
                if (place / "run.ckpt").exists():
                    now = load(place / "run.ckpt", trust=["__main__.Noting"]).position
                    found["backwards"] += now < position
                    position = now
                continue
            assert status == 0, "the child failed by itself"
            break
        found["whole"] += 1
        found["differing"] += int((predictions(place) != wanted[name]).sum())
        end = load(place / "run.ckpt", trust=["__main__.Noting"]).strategy
        found["labels"] += end.seen != seen
        found["parts left"] += len(list(place.glob(".*.part")))
        shutil.rmtree(place)
    found["kills"] = done["killed"]
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
