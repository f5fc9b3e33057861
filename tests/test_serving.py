"""The serving example: what was answered is in the store, labels count once, also after kill -9."""

from __future__ import annotations

import http.client
import json
import os
import pwd
import queue
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sql
from starlette.exceptions import HTTPException

from companion import serving, streams
from companion.checkpoint import load
from companion.serving import LABELS, PREDICTIONS, Desk, audit, riders

ROOT = Path(__file__).parents[1]
BIKES = streams.bike_sharing()
IN_CI = os.environ.get("CI") == "true"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def postgres_tools() -> Path | None:
    """Return the folder with PostgreSQL's own programs, if there is one."""
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        Path(shutil.which("initdb") or "/").parent,
    ]
    return next((folder for folder in sorted(folders)[::-1] if (folder / "initdb").exists()), None)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL server of our own on the loopback, and return its address."""
    tools = postgres_tools()
    if tools is None:
        how = "no PostgreSQL was found; install the package postgresql (Debian: apt-get)"
        pytest.fail(how) if IN_CI else pytest.skip(how)
    folder, port, root = Path(tempfile.mkdtemp(dir="/tmp")), free_port(), os.geteuid() == 0
    who = {"user": "postgres", "group": "postgres"} if root else {}  # it will not run as root
    if root:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
    quiet = {"stdout": subprocess.DEVNULL, "cwd": "/", "check": True, **who}
    subprocess.run(
        [tools / "initdb", "-D", folder / "data", "-A", "trust", "-U", "rider", "-E", "UTF8"],
        **quiet,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = [tools / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log"]
    subprocess.run([*control, "-o", options, "start"], **quiet)
    try:
        yield f"postgresql+psycopg://rider@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path) -> Iterator[str]:
    """Return the address of an empty store of either kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/rides.db"
        return
    address = request.getfixturevalue("postgres")
    yield address
    engine = sql.create_engine(address)
    serving.TABLES.drop_all(engine)
    engine.dispose()


class Server:
    """The example as a process of its own."""

    def __init__(self, store: str, folder: Path) -> None:
        self.store, self.folder, self.port = store, folder, free_port()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "companion.serving", "--store", self.store, "--port",
             str(self.port), "--checkpoint", str(self.folder / "rides.ckpt")],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        for _ in range(1200):
            assert self.process.poll() is None, "the server ended by itself"
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Client:
    """Asks until it is answered, whatever happens to the server meanwhile."""

    def __init__(self, port: int) -> None:
        self.port, self.line = port, None

    def post(self, path: str, what: dict, patience: float = 120) -> dict:
        end = time.monotonic() + patience
        while time.monotonic() < end:
            try:
                self.line = self.line or http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=20
                )
                self.line.request(
                    "POST", path, json.dumps(what), {"content-type": "application/json"}
                )
                answer = self.line.getresponse()
                found = json.loads(answer.read())
                assert answer.status == 200, found
                return found
            except (OSError, http.client.HTTPException):
                self.line = None
                time.sleep(0.05)
        raise AssertionError("no answer")


def question(k: int) -> dict:
    row = BIKES.X[146 + k % (len(BIKES) - 146)]
    return dict(zip(BIKES.features, row.tolist(), strict=True))


def truth(k: int) -> float:
    return float(BIKES.y[146 + k % (len(BIKES) - 146)])


def work(number: int, port: int, rows: int, answered: dict, labelled: dict, faults: queue.Queue):
    """Ask for predictions, and hand in labels late, twice, out of order or never."""
    try:
        chance, client, late = random.Random(number), Client(port), []
        for k in range(rows):
            name = f"{number}-{k}"
            answered[name] = client.post("/predictions", {"id": name, "x": question(k)})["answer"]
            if chance.random() < 0.9:  # the others' labels never come
                late.append((name, truth(k)))
            while len(late) > chance.randint(0, 8):
                name, y = late.pop(chance.randrange(len(late)))
                for _ in range(chance.choice([1, 1, 2])):
                    client.post("/labels", {"id": name, "y": y})
                labelled[name] = y
    except BaseException as error:
        faults.put(error)
        raise


def test_nothing_is_lost_when_the_server_is_killed_under_load(store, tmp_path):
    server = Server(store, tmp_path)
    answered, labelled, faults = {}, {}, queue.Queue()
    crew, rows = 6, 90
    threads = [
        threading.Thread(target=work, args=(k, server.port, rows, answered, labelled, faults))
        for k in range(crew)
    ]
    try:
        for thread in threads:
            thread.start()
        for part in (0.25, 0.6):
            while len(answered) < part * crew * rows and faults.empty():
                time.sleep(0.005)
            server.kill()
            server.start()
        for thread in threads:
            thread.join()
        assert faults.empty(), faults.get()
        server.kill()
        server.start()  # learns from the last checkpoint on what came after it
        last = Client(server.port).post("/predictions", {"id": "last", "x": question(0)})["answer"]
    finally:
        server.kill()
    engine = sql.create_engine(store)
    with engine.connect() as db:
        kept = {row.id: row.answer for row in db.execute(sql.select(PREDICTIONS))}
        labels = [(row.id, row.y) for row in db.execute(sql.select(LABELS))]
    engine.dispose()
    assert kept == {**answered, "last": last} and len(answered) == crew * rows
    assert dict(labels) == labelled and len(labels) == len(labelled)
    checked, differing, strategy = audit(store, riders()[0])
    assert (checked, differing) == (crew * rows + 1, 0)
    assert float(strategy.predict(BIKES.X[146:147])[0]) == last
    found = load(tmp_path / "rides.ckpt")
    assert found.position == len(labels) // 100 * 100
    assert strategy.rows_learnt == 146 + len(labels)


def test_labels_join_by_their_id_in_any_order(store):
    desk = Desk(store, *riders())
    for k in range(5):
        desk.predict(f"day-{k}", question(k))
    assert [desk.label(f"day-{k}", truth(k)) for k in (3, 0, 3, 4)] == [True, True, False, True]
    assert desk.told == 3
    again = Desk(store, *riders())  # a process that has forgotten everything
    row = BIKES.X[200:201]
    assert again.told == 3 and again.strategy.predict(row) == desk.strategy.predict(row)
    alone = riders()[0]
    for k in (3, 0, 4):
        alone.learn(BIKES.X[146 + k : 147 + k], BIKES.y[146 + k : 147 + k])
    assert alone.predict(row) == desk.strategy.predict(row)
    assert audit(store, riders()[0])[:2] == (5, 0)


def test_the_same_question_gets_the_same_answer(store):
    desk = Desk(store, *riders())
    first = desk.predict("a", question(0))
    desk.label("a", truth(0))
    assert desk.predict("a", question(0)) == first
    assert desk.predict("b", question(0)) != first
    with pytest.raises(HTTPException, match="'a' was asked before, of another row"):
        desk.predict("a", question(1))
    with pytest.raises(HTTPException, match="labels do not change"):
        desk.label("a", truth(0) + 1)
    with pytest.raises(HTTPException, match="there is no prediction 'z'"):
        desk.label("z", 1.0)
    assert desk.told == 1


def test_an_audit_finds_a_prediction_that_was_changed(tmp_path):
    store = f"sqlite:///{tmp_path}/rides.db"
    desk = Desk(store, *riders())
    desk.predict("a", question(0))
    with desk.engine.begin() as db:
        db.execute(sql.update(PREDICTIONS).values(answer=1.0))
    assert audit(store, riders()[0])[:2] == (1, 1)


@pytest.fixture(scope="module")
def line() -> Iterator[http.client.HTTPConnection]:
    """Serve an empty store in a thread of this process."""
    import uvicorn

    desk, port = Desk("sqlite://", *riders()), free_port()
    server = uvicorn.Server(uvicorn.Config(serving.door(desk), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    found = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    found.desk = desk
    yield found
    found.close()
    server.should_exit = True
    thread.join()


def ask(line, path: str, body: bytes, headers: dict | None = None) -> tuple[int, dict]:
    line.request("POST", path, body, {"content-type": "application/json", **(headers or {})})
    answer = line.getresponse()
    return answer.status, json.loads(answer.read())


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/predictions", b"", 422, "required"),
        ("/predictions", b"{", 422, "JSON decode error"),
        ("/predictions", b"\xff", 400, "error parsing"),
        ("/predictions", b"[" * 5000, 400, "error parsing"),
        ("/predictions", b'{"id": "a"}', 422, "x: Field required"),
        ("/predictions", b'{"id": "a b", "x": {}}', 422, "id: String should match"),
        ("/predictions", b'{"id": 7, "x": {}}', 422, "id: Input should be a valid string"),
        ("/predictions", b'{"id": "a", "x": {}}', 422, "x must hold temperature, humidity"),
        (
            "/predictions",
            b'{"id": "a", "x": {"heat": "1"}}',
            422,
            "x.heat: Input should be a valid",
        ),
        (
            "/predictions",
            b'{"id": "a", "x": {"heat": NaN}}',
            422,
            "x.heat: Input should be a finite",
        ),
        ("/predictions", b'{"id": "a", "x": {"heat": 1e300}}', 422, "less than or equal to"),
        ("/predictions", b'{"id": "a", "x": {"heat": 1}}', 422, "look at 'heat'"),
        ("/predictions", b'{"id": "a", "x": {}, "model": "gASV"}', 422, "model: Extra inputs"),
        ("/predictions", b" " * 20_000, 413, "at most 10,000 bytes"),
        ("/labels", b'{"id": "nobody", "y": 1}', 404, "there is no prediction 'nobody'"),
        ("/labels", b'{"id": "a", "y": null}', 422, "y: Input should be a valid number"),
        ("/labels", b'{"id": "a", "y": -1e99}', 422, "y: Input should be greater"),
        ("/labels", b"\x80\x04cposix\nsystem\n.", 400, "error parsing"),
    ],
)
def test_bad_requests_get_one_sentence(line, path, body, status, words):
    found, answer = ask(line, path, body)
    assert found == status and list(answer) == ["error"], answer
    assert words in answer["error"] and "\n" not in answer["error"]
    assert line.desk.told == 0


def test_a_request_of_unknown_length_is_refused(line):
    line.request("POST", "/labels", iter([b"{}"]), {"transfer-encoding": "chunked"},
                 encode_chunked=True)  # fmt: skip
    answer = line.getresponse()
    assert answer.status == 413 and "say the length" in json.loads(answer.read())["error"]
    line.close()


def test_a_store_that_is_gone_gives_one_sentence(line, monkeypatch):
    def gone(*_):
        raise sql.exc.OperationalError("insert", {}, OSError("disk I/O error"))

    monkeypatch.setattr(line.desk.engine, "begin", gone)
    body = json.dumps({"id": "a", "x": question(0)}).encode()
    assert ask(line, "/predictions", body) == (
        503, {"error": "the store does not answer; ask again with the same id"}
    )  # fmt: skip


def test_a_diverged_model_answers_nothing():
    strategy, features = riders()
    desk = Desk("sqlite://", strategy, features)
    strategy.predict = lambda X: np.array([np.nan])
    with pytest.raises(HTTPException, match="has diverged"):
        desk.predict("a", question(0))
    with desk.engine.connect() as db:
        assert db.execute(sql.select(PREDICTIONS)).all() == []


def test_it_is_small_and_nobody_imports_it():
    lines = (ROOT / "companion" / "serving.py").read_text().splitlines()
    assert len(lines) <= 300
    for path in (ROOT / "companion").glob("*.py"):
        assert "import serving" not in path.read_text() and "companion.serving" not in (
            path.read_text() if path.name not in ("serving.py", "safe.py") else ""
        )
