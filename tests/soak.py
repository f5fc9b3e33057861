"""Kill the service under load, each time a second after it is up, and look for lost labels.

``make soak`` does it on SQLite and on PostgreSQL, for ``SOAK`` seconds each (300 if not given). The
service is forked from a process that has imported everything, so that it is up again in a moment.
What was answered must be in the store, no label may be lost or counted twice, and a replay of the
store must give every prediction again.
"""

from __future__ import annotations

import copy
import os
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import sqlalchemy as sql
import uvicorn  # noqa: F401 (imported once, before the children are forked)

from companion.apps import serving
from companion.apps.serving import LABELS, PREDICTIONS, audit, bike_model
from companion.files.checkpoint import load
from tests.test_serving import free_port, postgres_server, postgres_tools, work

CREW = 6


def nursery(store: str, port: str, folder: str) -> None:
    """Fork a service, kill it when it has been up for a second, and so on for ever."""
    shipped = bike_model()
    serving.bike_model = lambda: shipped  # each child changes a copy of its own
    serving.web_app(serving.LabelService("sqlite://", *copy.deepcopy(shipped)))
    kills = 0
    while True:
        pid = os.fork()
        if pid == 0:
            try:
                serving.main(["--store", store, "--port", port, "--checkpoint", f"{folder}/c"])
            finally:
                os._exit(1)
        until_up(int(port))
        time.sleep(1)
        ended = os.waitpid(pid, os.WNOHANG)[0]
        os.kill(pid, signal.SIGKILL)
        if not ended:
            os.waitpid(pid, 0)
        kills += 1
        print("ended by itself" if ended else kills, flush=True)


def until_up(port: int) -> None:
    """Wait until the service takes a connection, but not for ever."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)


def soak(store: str, seconds: float) -> dict[str, int]:
    """Ask and answer for so long; return what was found."""
    port, end = free_port(), time.monotonic() + seconds
    answered, labelled, faults = {}, {}, queue.Queue()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.soak", "nursery", store, str(port), folder]
        log = Path(folder) / "log"
        with (
            log.open("w") as out,
            subprocess.Popen(command, stdout=out, start_new_session=True) as killer,
        ):
            crew = [
                threading.Thread(
                    target=work, args=(k, port, 10**9, answered, labelled, faults, end)
                )
                for k in range(CREW)
            ]
            for thread in crew:
                thread.start()
            for thread in crew:
                thread.join()
            os.killpg(killer.pid, signal.SIGKILL)  # and the service that is up just now
        lines = log.read_text().splitlines()
        position = load(Path(folder) / "c").position if (Path(folder) / "c").exists() else 0
        engine = sql.create_engine(store)
        with engine.connect() as db:
            kept = {row.id: row.answer for row in db.execute(sql.select(PREDICTIONS))}
            labels = [(row.id, row.y) for row in db.execute(sql.select(LABELS))]
        engine.dispose()
    asked, differing, _ = audit(store, bike_model()[0])
    return {
        "kills": len(lines),
        "ended by itself": sum("ended" in line for line in lines),
        "faults": faults.qsize(),
        "predictions acknowledged": len(answered),
        "predictions lost": sum(kept.get(name) != answer for name, answer in answered.items()),
        "labels acknowledged": len(labelled),
        "labels lost": sum(dict(labels).get(name) != y for name, y in labelled.items()),
        "labels twice": len(labels) - len(dict(labels)),
        "differing in a replay": differing,
        "checkpoint ahead of the store": int(position > len(labels)),
        "predictions replayed": asked,
    }


def main() -> int:
    """Soak each store, print what was found, and fail if anything was lost."""
    seconds, bad = float(os.environ.get("SOAK", "300")), 0
    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": soak(f"sqlite:///{folder}/rides.db", seconds)}
    tools = postgres_tools()
    if tools is None:
        print("PostgreSQL was not found, and not soaked; install the package postgresql")
        bad = os.environ.get("CI") == "true"
    else:
        with postgres_server(tools) as address:
            found["PostgreSQL"] = soak(address, seconds)
    for store, facts in found.items():
        print(store, *(f"  {name}: {count:,}" for name, count in facts.items()), sep="\n")
        lost = ("faults", "predictions lost", "labels lost", "labels twice",
                "differing in a replay", "checkpoint ahead of the store")  # fmt: skip
        bad += sum(facts[name] for name in lost) or not facts["labels acknowledged"]
    return int(bool(bad))


if __name__ == "__main__":
    if sys.argv[1:2] == ["nursery"]:
        nursery(*sys.argv[2:])
    sys.exit(main())
