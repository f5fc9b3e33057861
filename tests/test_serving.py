"""The serving example: what was answered is in the store, labels count once, also after kill -9."""

from __future__ import annotations

import contextlib
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

from companion import streams
from companion.apps import limits, serving
from companion.apps.serving import LABELS, PREDICTIONS, LabelService, audit, bike_model
from companion.files.checkpoint import load

ROOT = Path(__file__).parents[1]
BIKES = streams.bike_sharing()
IN_CI = os.environ.get("CI") == "true"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as process_row:
        return process_row.getsockname()[1]


def postgres_tools() -> Path | None:
    """Return the folder with PostgreSQL's own programs, if there is one."""
    folders = [
        *Path("/usr/lib/postgresql").glob("*/bin"),
        Path(shutil.which("initdb") or "/").parent,
    ]
    return next((folder for folder in sorted(folders)[::-1] if (folder / "initdb").exists()), None)


@contextlib.contextmanager
def postgres_server(tools: Path) -> Iterator[str]:
    """Start a PostgreSQL server of our own on the loopback, and yield its address."""
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


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Return the address of a PostgreSQL server, or say how to get one."""
    tools = postgres_tools()
    if tools is None:
        how = "no PostgreSQL was found; install the package postgresql (Debian: apt-get)"
        pytest.fail(how) if IN_CI else pytest.skip(how)
    with postgres_server(tools) as address:
        yield address


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
            [sys.executable, "-m", "companion.apps.serving", "--store", self.store, "--port",
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


def work(number: int, port: int, rows: int, answered: dict, labelled: dict, faults: queue.Queue,
         end: float = float("inf")):  # fmt: skip
    """Ask for predictions, and hand in labels late, twice, out of order or never."""
    try:
        chance, client, late = random.Random(number), Client(port), []
        for k in range(rows):
            if time.monotonic() > end:
                return
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
    checked, differing, strategy = audit(store, bike_model()[0])
    assert (checked, differing) == (crew * rows + 1, 0)
    assert float(strategy.predict(BIKES.X[146:147])[0]) == last
    found = load(tmp_path / "rides.ckpt")
    assert found.position == len(labels) // 100 * 100
    assert strategy.rows_learnt == 146 + len(labels)


def test_labels_join_by_their_id_in_any_order(store):
    desk = LabelService(store, *bike_model())
    for k in range(5):
        desk.predict(f"day-{k}", question(k))
    assert [desk.label(f"day-{k}", truth(k)) for k in (3, 0, 3, 4)] == [True, True, False, True]
    assert desk.labels_seen == 3
    again = LabelService(store, *bike_model())  # a process that has forgotten everything
    row = BIKES.X[200:201]
    assert again.labels_seen == 3 and again.strategy.predict(row) == desk.strategy.predict(row)
    alone = bike_model()[0]
    for k in (3, 0, 4):
        alone.learn(BIKES.X[146 + k : 147 + k], BIKES.y[146 + k : 147 + k])
    assert alone.predict(row) == desk.strategy.predict(row)
    assert audit(store, bike_model()[0])[:2] == (5, 0)


def test_the_same_question_gets_the_same_answer(store):
    desk = LabelService(store, *bike_model())
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
    assert desk.labels_seen == 1


def test_an_audit_finds_a_prediction_that_was_changed(tmp_path):
    store = f"sqlite:///{tmp_path}/rides.db"
    desk = LabelService(store, *bike_model())
    desk.predict("a", question(0))
    with desk.engine.begin() as db:
        db.execute(sql.update(PREDICTIONS).values(answer=1.0))
    assert audit(store, bike_model()[0])[:2] == (1, 1)


@pytest.fixture(scope="module")
def line() -> Iterator[http.client.HTTPConnection]:
    """Serve an empty store in a thread of this process, with all that the command sets."""
    import uvicorn

    port, web_app, held = free_port(), serving.web_app, {}

    def serve(app, **options) -> None:
        held["server"] = uvicorn.Server(uvicorn.Config(app, **options))
        held["server"].run()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(uvicorn, "run", serve)
        patch.setattr(serving, "web_app", lambda desk: web_app(held.setdefault("desk", desk)))
        command = ["--store", "sqlite://", "--port", str(port)]
        thread = threading.Thread(target=serving.main, args=(command,))
        thread.start()
        while not ("server" in held and held["server"].started):
            assert thread.is_alive(), "the server ended by itself"
            time.sleep(0.02)
    server = held["server"]
    found = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    found.desk, found.port = held["desk"], port
    yield found
    found.close()
    server.should_exit = True
    thread.join()


def ask(line, path: str, body: bytes, headers: dict | None = None) -> tuple[int, dict]:
    line.close()  # a kept connection may have been idle for too long; the next request opens one
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
    assert line.desk.labels_seen == 0


def test_a_body_is_measured_as_it_streams_in(line):
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 500_000_000:
            sent += 1000
            yield b" " * 1000

    with contextlib.suppress(ConnectionError):  # it may close while we still send
        line.request("POST", "/labels", endless(), {"transfer-encoding": "chunked"},
                     encode_chunked=True)  # fmt: skip
    with contextlib.suppress(ConnectionError):
        answer = line.getresponse()
        assert answer.status == 413
        assert "at most 10,000 bytes" in json.loads(answer.read())["error"]
    assert sent < 20_000_000
    line.close()


@pytest.mark.parametrize("length", [[], ["Content-Length: 60000"]])
def test_however_long_a_body_says_it_is(line, length):
    """Chunks, a length that is true, and the answer is the same sentence."""
    body = b" " * 60_000
    head = ["POST /labels HTTP/1.1", "Host: a", "Content-Type: application/json", *length]
    if not length:
        head.append("Transfer-Encoding: chunked")
        body = b"ea60\r\n" + body + b"\r\n0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", line.port), 20) as raw:
        with contextlib.suppress(ConnectionError):
            raw.sendall("\r\n".join([*head, "", ""]).encode() + body)
        assert raw.recv(4000).startswith(b"HTTP/1.1 413")


def test_small_chunked_bodies_are_taken(line):
    body = json.dumps({"id": "chunks", "x": question(0)}).encode()
    line.request("POST", "/predictions", iter([body[:9], body[9:]]),
                 {"transfer-encoding": "chunked", "content-type": "application/json"},
                 encode_chunked=True)  # fmt: skip
    assert line.getresponse().read().startswith(b'{"id":"chunks"')


SLOW = {
    "nothing at all": b"",
    "half a head": b"POST /labels HTTP/1.1\r\nHost: a\r\n",
    "half a body": b"POST /labels HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{",
    "half a chunk": b"POST /labels HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    "half a second head": b"GET /state HTTP/1.1\r\nHost: a\r\n\r\nGET /sta",
}


@pytest.mark.parametrize("drip", [False, True])
@pytest.mark.parametrize("start", SLOW)
def test_a_slow_client_is_not_waited_for(line, start, drip, monkeypatch):
    monkeypatch.setattr(limits, "PATIENCE", 0.7)
    with socket.create_connection(("127.0.0.1", line.port), 10) as raw:
        raw.sendall(SLOW[start])
        raw.settimeout(0.1)
        begun, heard = time.monotonic(), b""
        while time.monotonic() - begun < 8:
            try:
                if drip:
                    raw.sendall(b"x" if b"\r\n\r\n" in SLOW[start] else b"y")
                new = raw.recv(4000)
            except TimeoutError:
                continue
            except ConnectionError:
                break
            heard += new
            if not new:
                break
        else:
            raise AssertionError("it is still waited for")
    if "body" in start and not drip:
        assert b"408" in heard and b"send it again" in heard
    line.close()  # it may have been idle for too long
    assert ask(line, "/labels", b"{")[0] == 422  # and the others are served


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="only Linux lists its sockets so")
def test_it_listens_on_this_machine_alone(tmp_path):
    server = Server(f"sqlite:///{tmp_path}/rides.db", tmp_path)
    try:
        port = f":{server.port:04X}"
        found = [
            row.split()[1]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for row in Path(table).read_text().splitlines()[1:]
            if row.split()[1].endswith(port) and row.split()[3] == "0A"
        ]
        assert found == [f"0100007F{port}"]  # 127.0.0.1, and no other
    finally:
        server.kill()


def test_a_strangers_checkpoint_gives_one_sentence(tmp_path):
    (tmp_path / "rides.ckpt").write_bytes(b"\x80\x04N.")
    (tmp_path / "rides.ckpt").chmod(0o600)
    done = subprocess.run(
        [sys.executable, "-m", "companion.apps.serving", "--store", f"sqlite:///{tmp_path}/r.db",
         "--checkpoint", str(tmp_path / "rides.ckpt"), "--port", str(free_port())],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "rides.ckpt: it carries no seal, so a stranger may have written it" in done.stderr


def test_a_store_that_is_gone_gives_one_sentence(line, monkeypatch):
    def gone(*_):
        raise sql.exc.OperationalError("insert", {}, OSError("disk I/O error"))

    monkeypatch.setattr(line.desk.engine, "begin", gone)
    body = json.dumps({"id": "a", "x": question(0)}).encode()
    assert ask(line, "/predictions", body) == (
        503, {"error": "the store does not answer; ask again with the same id"}
    )  # fmt: skip


def test_a_diverged_model_answers_nothing():
    strategy, features = bike_model()
    desk = LabelService("sqlite://", strategy, features)
    strategy.predict = lambda X: np.array([np.nan])
    with pytest.raises(HTTPException, match="has diverged"):
        desk.predict("a", question(0))
    with desk.engine.connect() as db:
        assert db.execute(sql.select(PREDICTIONS)).all() == []


def test_it_is_small_and_nobody_imports_it():
    lines = (ROOT / "companion" / "apps" / "serving.py").read_text().splitlines()
    assert len(lines) <= 300
    for path in (ROOT / "companion").rglob("*.py"):
        assert "import serving" not in path.read_text() and "companion.apps.serving" not in (
            path.read_text() if path.name not in ("serving.py", "safe.py") else ""
        )
