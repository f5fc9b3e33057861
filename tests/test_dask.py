"""The grid on a real Dask cluster of processes: equal to local, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import pytest
from dask.distributed import Client, LocalCluster
from sklearn.ensemble import RandomForestClassifier

from companion import Online, Scheduled, compare, streams
from companion.lineups import online_line, table_lineup

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "book" / "examples" / "grid_on_dask.py"
DAYS = streams.weather()


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as found:
        yield found


@pytest.fixture(scope="module")
def client(cluster):
    with Client(cluster) as found:
        yield found


def assert_same_runs(one, two) -> None:
    assert list(one.runs) == list(two.runs) and one.failures == two.failures == {}
    for name, runs in one.runs.items():
        for a, b in zip(runs, two.runs[name], strict=True):
            assert (a.predictions == b.predictions).all(), name
            assert (a.seed, a.events) == (b.seed, b.events)
    assert str(one) == str(two)


def test_the_books_example_gives_what_one_process_gives_and_shows_its_progress():
    done = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    local = compare(DAYS, table_lineup(DAYS, quick=True))
    assert done.stdout.strip().endswith(str(local))
    assert "comparing: 100%" in done.stderr
    for name in local.runs:
        assert f"weather, {name}: {local.score(name):,.4g}\n" in done.stdout


def test_a_forest_keeps_its_trees_in_its_own_worker(cluster, client):
    some = DAYS.take(slice(0, 2_000))
    rivals = {"forest": Scheduled(RandomForestClassifier(10), every=400, window=400)}
    with joblib.parallel_config("dask"):
        there = compare(some, rivals, seeds=range(3))
    assert_same_runs(there, compare(some, rivals, seeds=range(3)))
    asked = {name for name in cluster.scheduler.task_prefixes if name.startswith("batch")}
    assert asked == {"batch_of_run_or_reason_1_calls"}


def kill_a_worker_in_mid_run(client, killed: list) -> None:
    """Kill -9 the first worker that is seen inside a run."""
    processes = client.run(os.getpid)
    while not killed:
        for worker, tasks in client.call_stack().items():
            if any("prequential" in str(frames) for frames in tasks.values()):
                os.kill(processes[worker], signal.SIGKILL)
                killed.append((processes[worker], set(tasks)))
                break
        time.sleep(0.01)


def test_a_worker_killed_in_mid_run_costs_time_and_nothing_else(client):
    rivals = {f"online {k}": Online(online_line(2)) for k in range(6)}
    local = compare(DAYS, rivals)
    killed: list = []
    killer = threading.Thread(target=kill_a_worker_in_mid_run, args=(client, killed), daemon=True)
    killer.start()
    with joblib.parallel_config("dask"):
        there = compare(DAYS, rivals)
    killer.join(timeout=60)
    ((process, lost),) = killed
    assert lost, "the worker was killed with a run in its hands"
    assert process not in client.run(os.getpid).values()
    assert_same_runs(there, local)
