"""Submissions that try to get points without answering, to look, to stay or to break things.

Each attack stands for a kind. None gains a point, each ends within its limit with a sentence, and
the next submission is graded as if nothing had been. Most go round Python (by the C library or by
the objects that the worker itself uses), for what Python refuses is refused politely only.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from test_assignments import KNOWN, ROOT, answered, definitions, hand_in, tiny

from book.press.course import assignments as course
from book.press.course import grading
from book.press.course.grading import Cell, Limits, Sandbox
from book.press.course.grading_plain import packed, unpacked

QUICK = Limits(seconds=1, total=60, megabytes=300, grace=4)
LINUX = sys.platform == "linux"
LOCKS = {"user", "files", "paths", "calls"}
C = "import ctypes, os\nC = ctypes.CDLL(None, use_errno=True)\n"

# What each attack's cell says; it stands where the function `double` should, and no cell
# answers `triple`. The second string is part of the sentence in the report, or several
# such parts, one of which must be there.
FORGED = """
import os, struct
for text in (b'{"status": "ok"}\\n', struct.pack('>I', 16) + b'{"status": "ok"}'):
    for number in range(3, 200):
        try:
            os.write(number, text)
        except OSError:
            pass
"""
WALK = """
import gc, sys
def things(name):
    return [one for one in gc.get_objects() if type(one).__name__ == name]
"""
TAKEN_OVER = (
    WALK
    + """
for wire in things('Wire'):
    say = wire.say
    def lie(message, say=say):
        if 'token' in message:
            message.update(status='ok', value=True, undone=[], error='')
        say(message)
    wire.say = lie
def double(x):
    return True
triple = double
"""
)
GUESSED = (
    WALK
    + """
for wire in things('Wire'):
    for _ in range(3):
        wire.say({'token': '0' * 32, 'status': 'ok', 'value': 20})
"""
)
FRAMES = """
import builtins, sys
frame = sys._getframe()
while frame:
    for names in (frame.f_globals, frame.f_builtins):
        names.update(exec=lambda *a, **k: None, compile=lambda *a, **k: None)
    frame = frame.f_back
builtins.exec = builtins.compile = lambda *a, **k: None
"""
TRACED = """
import sys, threading
def trace(frame, event, arg):
    frame.f_locals.update(error=None, answer={'status': 'ok'})
    frame.f_trace_lines = True
    return trace
sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
frame = sys._getframe()
while frame:
    frame.f_trace = trace
    frame = frame.f_back
"""
PATCHED = """
import builtins, numpy as np, numpy.testing
from companion import metrics
class Never(BaseException):
    def __init__(self, *what): pass
builtins.AssertionError = Never
builtins.abs = lambda *a: 0
np.isclose = np.allclose = np.array_equal = lambda *a, **k: True
metrics.absolute_error = lambda *a: 0
TEN = 0
def double(x):
    return 0
def triple(x):
    return 0
"""
EQUAL = """
import numpy as np
class Any(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return Any(0)
    def __rsub__(self, other): return Any(0)
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __abs__(self): return Any(0)
    def __hash__(self): return 0
    def __bool__(self): return True
def double(x):
    return Any(1)
triple = double
"""
EQUAL_ARRAY = """
import numpy as np
class Any(np.ndarray):
    def __array_ufunc__(self, *what, **how): return np.True_
    def __array_function__(self, *what, **how): return True
    def __eq__(self, other): return True
    def __rsub__(self, other): return 0
def double(x):
    return np.zeros(1).view(Any)
triple = double
"""
EQUAL_OBJECT = """
class Any:
    def __getattr__(self, name): return Any()
    def __call__(self, *a, **k): return Any()
    def __eq__(self, other): return True
    def __float__(self): return 20.0
    def __reduce__(self): return (eval, ("20",))
def double(x):
    return Any()
triple = double
"""
ALL_PATCHED = """
import builtins
for name in dir(builtins):
    if callable(getattr(builtins, name)):
        setattr(builtins, name, lambda *a, **k: True)
"""
DEAF = (
    WALK
    + """
import time
for wire in things('Wire'):
    def hear(wire=wire):
        while True:
            time.sleep(1)
    wire.hear = hear
"""
)
CELLS = {
    "forges the worker's answer": (FORGED, "does not|do not count"),
    "forges with a guessed token": (GUESSED, "do not count"),
    "takes the worker over": (TAKEN_OVER, "twice 10 is 20"),
    "hears no more": (DEAF, "never ends|not defined"),
    "patches exec in the caller's frame": (FRAMES, "not defined"),
    "traces the caller": (TRACED, "not defined"),
    "patches assert, NumPy and what was given": (PATCHED, "twice 10 is 20"),
    "patches every builtin": (ALL_PATCHED, "ended|defined|stopped"),
    "a number that equals everything": (EQUAL, "twice 10 is 20"),
    "an array that equals everything": (EQUAL_ARRAY, "twice 10 is 20|came back"),
    "an object that equals everything": (EQUAL_OBJECT, "a Any came back"),
    "sys.exit": ("import sys\nsys.exit(0)", "SystemExit"),
    "sys.exit in its function": ("import sys\ndef double(x):\n    sys.exit(0)", "SystemExit"),
    "os._exit": ("import os\nos._exit(0)", "ended the whole process"),
    "os._exit in its function": ("import os\ndef double(x):\n    os._exit(0)", "ended the whole"),
    "os.abort": ("import os\nos.abort()", "ended the whole process"),
    "fills the memory": ("def double(x):\n    return [0] * 10**10", "MB of memory"),
    "fills the memory by NumPy": (
        "import numpy as np\na = []\nwhile True:\n    a.append(np.empty(10**6))", "MB of memory"),
    "answers for ever": ("import itertools\ndef double(x):\n    return itertools.count()",
                         "memory|never ends"),
    "answers too much": ("def double(x):\n    return 'x' * 20_000_000", "nobody needs so much"),
    "answers a nest without end": (
        "a = []\na.append(a)\ndef double(x):\n    return a", "RecursionError"),
    "sockets": ("import socket\nsocket.create_connection(('127.0.0.1', 9))", "network"),
    "joblib": ("from joblib import Parallel, delayed\ndef double(x):\n    return Parallel(2, "
               "'loky')(delayed(abs)(k) for k in range(4))", "may not reach out"),
    "multiprocessing": ("import multiprocessing as m\ndef double(x):\n    p = m.get_context('fork')"
                        ".Process(target=print)\n    p.start()", "may not start"),
    "a clock of its own": (
        "import signal\nfor s in (14, 27):\n    signal.signal(s, signal.SIG_IGN)\n"
        "while True:\n    pass", "never ends"),
    "threads left behind": (
        "import threading, time, os\ndef spam():\n    while True:\n        for n in range(3, 99):\n"
        "            try:\n                os.write(n, b'{\"status\": \"ok\"}')\n"
        "            except OSError:\n                pass\n"
        "threading.Thread(target=spam).start()\ntime.sleep(0.5)", "do not count|ended|defined"),
    "at exit": ("import atexit, os\ndef late():\n    [os.write(n, b'{}') for n in range(3, 9)]\n"
                "atexit.register(late)\nraise SystemExit", "SystemExit"),
    "changes what it was given": (
        "def double(x):\n    global TEN\n    TEN = 0\n    return TEN", "twice 10 is 20"),
    "raises what a test would say": (
        "def double(x):\n    raise AssertionError", "AssertionError"),
    "says what cannot be written": (
        "def double(x):\n    raise ValueError('\\ud800')", "ValueError: \N{REPLACEMENT CHARACTER}"),
    "writes on the report": (
        "def double(x):\n    raise ValueError('no\\n\\n**100 of 100**')", "no **100 of 100**"),
}  # fmt: skip


@pytest.mark.parametrize("what", CELLS)
def test_no_attack_gains_a_point(what):
    source, said = CELLS[what]
    book = answered(tiny(), double=source, triple="pass")
    start = time.monotonic()
    done = course.grade("eve", tiny(), book, limits=QUICK)
    assert time.monotonic() - start < 2 * QUICK.total
    assert done.points == 0, course.report(done)
    assert all(mark.sentence and "\n" not in mark.sentence for mark in done.marks)
    texts = done.marks[0].sentence + " ".join(done.remarks)
    assert any(words in texts for words in said.split("|")), texts
    after = course.grade("ada", tiny(), tiny().notebook, limits=QUICK)
    assert after.points == 100 and not after.remarks


# What a test holds in its hands: inputs, a diary, a model


def one_test(test, source, stub="def answer(*what):"):
    """How a test goes on a cell, as the only ones of an assignment."""
    given = "import numpy as np\nfrom sklearn.linear_model import LinearRegression"
    cells = [Cell("given", "given", given), Cell("answer", "own", source), Cell("t", "test", test)]
    return grading.run_cells(cells, QUICK)["t"]


def test_a_submission_cannot_change_the_inputs_before_they_are_judged():
    test = "_x = np.arange(5.0)\n_got = answer(_x)\nassert np.allclose(_got, 2 * _x), ('twice')"
    attack = "def answer(x):\n    x[:] = 0\n    return x"
    assert one_test(test, attack).message == "twice"
    assert one_test(test, "def answer(x):\n    return 2 * x").status == "ok"


DIARY = """
_lines = []
class _Spy:
    def predict(self, x):
        _lines.append(x)
        return len(_lines)
assert answer(_Spy()) == 2 and _lines == [7, 8], (f'the diary says {_lines}')
"""


def test_a_diary_is_kept_where_no_submission_can_write():
    good = "def answer(spy):\n    spy.predict(7)\n    return spy.predict(8)"
    assert one_test(DIARY, good).status == "ok"
    for attack in (
        "def answer(spy):\n    return 2",
        "def answer(spy):\n    spy.lines = [7, 8]\n    spy._number = 0\n    return 2",
        "def answer(spy):\n    spy._ask('__class__', (), {})\n    return 2",
        "def answer(spy):\n    spy._ask('predict.__globals__', (), {})\n    return 2",
        "def answer(spy):\n    type(spy)(spy._wire, spy._number + 1).predict(7)\n    return 2",
        "class Seven(int):\n    def __eq__(self, other): return True\n"
        "def answer(spy):\n    spy.predict(Seven(1))\n    return spy.predict(Seven(1))",
    ):
        outcome = one_test(DIARY, attack)
        assert outcome.status in ("error", "forged"), attack


def test_functions_of_a_test_do_not_travel():
    """Their code would show a submission what is wanted."""
    test = "_secret = 41\n_call = lambda x: _secret + x\nassert answer(_call) == 42, ('42')"
    assert one_test(test, "def answer(call):\n    return call(1)").status == "ok"
    look = (
        "import gc\ndef answer(call):\n    seen = [v for v in gc.get_objects() if isinstance(v, "
        "dict) and '_secret' in v]\n    return 42 if seen or hasattr(call, '__globals__') else 0"
    )
    assert one_test(test, look).message == "42"


def test_a_model_that_was_fitted_is_seen():
    test = (
        "_m = LinearRegression()\n_got = answer(_m, np.eye(3), np.arange(3.0))\n"
        "assert not hasattr(_m, 'coef_'), ('fit a copy')"
    )
    fits = "def answer(m, X, y):\n    return m.fit(X, y).predict(X)"
    copies = "from sklearn.base import clone\ndef answer(m, X, y):\n    return clone(m).fit(X, y)"
    assert one_test(test, fits).message == "fit a copy"
    assert one_test(test, copies + ".predict(X)").status == "ok"


def test_asserts_count_however_python_was_started():
    code = (
        "from book.press.course import grading\n"
        "exec(grading.compiled(grading.Cell('t', 'test', 'assert False, (1)')))"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr.endswith("AssertionError: 1\n"), done.stderr


def test_plain_data_come_back_as_they_went_and_nothing_else_does():
    for value in (
        None, True, 7, 10**30, 0.1, "ä", [1, (2.5, "a")], {1: "b", "c": [None]}, {3, 4}, 2 + 3j,
        np.float32(1.5), np.bool_(True), np.arange(6).reshape(2, 3), np.array([], dtype=bool),
        np.array(["a", "bc"]), np.array([1.5, None], dtype=object), np.zeros((0, 3)),
    ):  # fmt: skip
        back = unpacked(packed(value))
        assert type(back) is type(value) and repr(back) == repr(value)
    assert list(unpacked(packed(iter([1, 2])))) == [1, 2]
    assert np.isnan(unpacked(packed(float("nan"))))
    for value in (object(), b"x", lambda: 0, [open], type):
        with pytest.raises(TypeError, match="came back; return numbers"):
            packed(value)
    for text in (
        {"array": ["O", [1], "AAAAAAAAAAA="]}, {"array": ["<f8", [-1], ""]},
        {"array": ["<f8", [2], "AAAA"]}, {"array": [["f8"], [1], "AAAAAAAAAAA="]}, {"tuple": 5},
        {"eval": ["1"]}, {"dict": [[[], 1]]}, {"set": [[]]}, {}, {"a": 1, "b": 2},
        {"set": [[k * (2**61 - 1) for k in range(2000)]]}, {"set": [*range(2000)]},
        {"objects": [[10**9], [1]]}, {"complex": [1, 2, 3]}, {"complex": ["1", None]},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="agreed form"):
            unpacked(text)


# What a submission can reach: asked of the system itself, not of Python

REACH = (
    C
    + """
def errno(value):
    return ctypes.get_errno() if value < 0 else 0
def opens(path, flags=0):
    return errno(C.open(path.encode(), flags, 0o600)) == 0
def reach(paths, mine):
    found = {path: opens(path) for path in paths}
    here = os.path.join(os.environ['HOME'], 'mine.txt')
    found['its own file'] = opens(here, os.O_CREAT | os.O_RDWR)
    found['a new file'] = opens(mine + '/evil', os.O_CREAT | os.O_RDWR)
    found['a process'] = C.fork() >= 0
    for family in (1, 2, 10, 16, 17):
        found[f'socket {family}'] = C.socket(family, 1, 0) >= 0
    found['a signal'] = C.kill(os.getppid(), 0) >= 0
    found['memory of others'] = C.ptrace(16, os.getppid(), 0, 0) >= 0
    found['a new namespace'] = C.unshare(0x10000000) >= 0
    found['a program'] = C.execve(b'/bin/true', None, None) >= 0
    theirs = (mine + '/ada.ipynb').encode()
    found['its rights'] = C.chmod(theirs, 0o666) >= 0 or C.utimes(theirs, None) >= 0
    return [name for name, reached in found.items() if reached]
"""
)


def ask(source, name, *args, limits=QUICK, without=(), hidden=()):
    """What a function says in a locked process, and the locks."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="submission-") as folder:
        sandbox = Sandbox(Path(folder).resolve(), limits, hidden, without)
        try:
            sandbox.begin(20)
            outcome = sandbox.run(Cell("cell", "added", source))
            assert outcome.status == "ok", outcome
            return sandbox.call("call", args, {}, "", name=name), set(sandbox.locks)
        finally:
            sandbox.close()


@pytest.mark.skipif(not LINUX, reason="the locks are Linux's")
@pytest.mark.parametrize("without", [(), ("files",), ("paths",), ("calls",), ("user", "files")])
def test_what_a_submission_can_reach(without, tmp_path):
    """Also where the system lacks a lock: the others hold what it held."""
    sources = sorted(course.SOURCES.glob("*.ipynb"))
    secrets = [*sources, *(ROOT / "tests").glob("*.py"), Path(grading.__file__),
               ROOT / "pyproject.toml", tmp_path / "ada.ipynb", Path("/etc/passwd"),
               Path("/proc/self/environ"), Path(f"/proc/{os.getpid()}/environ")]  # fmt: skip
    (tmp_path / "ada.ipynb").write_text("hers")
    found, locks = ask(REACH, "reach", [str(p) for p in secrets], str(tmp_path), without=without)
    allowed = {"its own file"}
    if "calls" in without:  # sockets in a network, and users in a namespace, of nobody else
        allowed |= {"a new namespace", *(f"socket {family}" for family in (1, 2, 10, 16, 17))}
    assert set(found) <= allowed, found
    assert "its own file" in found and not (tmp_path / "evil").exists()
    assert locks == LOCKS - set(without) or os.environ.get("CI") != "true", locks


@pytest.mark.skipif(not LINUX, reason="the locks are Linux's")
def test_a_secret_within_a_library_s_folder_stays_one():
    """As when the environment lies in the project's folder, or the other way round."""
    place = Path(nbformat.__file__).resolve()
    look = C + "def look(path):\n    return C.open(path.encode(), 0) >= 0"
    assert ask(look, "look", str(place))[0] is True
    assert ask(look, "look", str(place), hidden=[str(place.parent)])[0] is False
    found, locks = ask(look, "look", str(place), hidden=[str(place.parent)], without=("files",))
    assert "paths" not in locks, "what does not hold is not promised"


FILL = """
import os
def fill():
    written = 0
    try:
        for number in range(100):
            with open(f'{number}.bin', 'wb') as file:
                for _ in range(31):
                    written += file.write(bytes(2**20))
    except OSError as error:
        return [written, error.strerror]
    return [written, '']
"""


@pytest.mark.skipif(not LINUX, reason="the locks are Linux's")
def test_a_full_disk_is_the_submission_s_own():
    (written, why), locks = ask(FILL, "fill", limits=Limits(seconds=20))
    assert "files" in locks and written <= 2**26 and why == "No space left on device"
    with pytest.raises(grading.Lost, match="disk"):  # where it has no file system of its own
        ask(FILL + "    import time\n    time.sleep(9)", "fill", without=("files",))


STAYS = (
    C
    + """
said = []
for _ in range(3):
    said.append(C.fork())
    if said[-1] == 0:
        C.setsid()
        import time
        time.sleep(60)
        os._exit(0)
number = {'x86_64': 56, 'aarch64': 220}.get(os.uname().machine, 56)
said.append(C.syscall(number, 17, 0, 0, 0, 0))
if said[-1] == 0:
    import time
    time.sleep(60)
    os._exit(0)
def stays():
    return said
"""
)


@pytest.mark.skipif(not LINUX, reason="the locks are Linux's")
@pytest.mark.parametrize("without", [(), ("calls",)])
def test_no_child_stays(without):
    start = time.monotonic()
    said, locks = ask(STAYS, "stays", without=without)
    if "calls" not in locks and "user" not in locks:
        pytest.fail("nothing keeps children from staying here")
    assert said == [-1, -1, -1, -1]
    assert time.monotonic() - start < 20


def test_a_thread_is_allowed():
    source = (
        "from concurrent.futures import ThreadPoolExecutor\ndef double(x):\n"
        "    with ThreadPoolExecutor(4) as pool:\n        return sum(pool.map(int, [x, x]))"
    )
    done = course.grade("ada", tiny(), answered(tiny(), double=source), limits=QUICK)
    assert done.points == 100, course.report(done)


def test_a_picture_in_an_added_cell_is_no_attack():
    book = tiny().notebook.copy()
    book.cells = [*book.cells, nbformat.v4.new_code_cell(
        "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('ä')\nplt.savefig('a.png')\n"
        "assert __import__('os').path.getsize('a.png')")]  # fmt: skip
    cells = course.woven(tiny(), book, None)
    done = grading.run_cells(cells, Limits())
    added = next(name for name in done if name.startswith("added"))
    assert done[added].status == "ok", done[added]


# The folder of a class


def test_one_student_s_code_reaches_nobody_else_s(tmp_path, monkeypatch):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    attack = (
        f"import ctypes, os, pathlib\nC = ctypes.CDLL(None)\nhere = {str(inbox)!r}\nseen = []\n"
        "for path in (here + '/ada.ipynb', here + '/zoe.ipynb'):\n"
        "    for flags in (0, 1, 2, 0o1002):\n        seen.append(C.open(path.encode(), flags))\n"
        "    seen += [C.unlink(path.encode()), C.truncate(path.encode(), 0)]\n"
        f"seen += [C.mkdir({str(out)!r}.encode(), 0o777)]\n"
        "assert set(seen) == {-1}\ndef naive(y, warmup, rows=1):\n"
        "    return y[warmup - rows : len(y) - rows]"
    )
    hand_in(inbox / "ada.ipynb", KNOWN["week1"].notebook)
    hand_in(inbox / "eve.ipynb", answered(KNOWN["week1"], naive=attack))
    hand_in(inbox / "zoe.ipynb", KNOWN["week1"].notebook)
    before = {p: hashlib.sha256(p.read_bytes()).digest() for p in inbox.iterdir()}
    course.main(["grade", str(inbox), "--to", str(out)])
    assert {p: hashlib.sha256(p.read_bytes()).digest() for p in inbox.iterdir()} == before
    rows = (out / "gradebook.csv").read_text().splitlines()[1:]
    assert [row.split(",")[:3] for row in rows] == [[name, "week1", "86"]
                                                    for name in ("ada", "eve", "zoe")]  # fmt: skip


def test_a_link_to_the_solution_is_no_submission(tmp_path):
    inbox, out = tmp_path / "submitted", tmp_path / "reports"
    (inbox / "eve" / "week1").mkdir(parents=True)
    (inbox / "eve" / "week1" / "week1.ipynb").symlink_to(KNOWN["week1"].path)
    os.mkfifo(inbox / "week1.ipynb")
    (inbox / "fay").symlink_to(course.SOURCES)
    course.main(["grade", str(inbox), "--to", str(out)])
    book = (out / "gradebook.csv").read_text()
    assert "eve,week1,0,100,,week1.ipynb is a link or no file" in book
    assert ",86," not in book and ",100,100," not in book


def test_the_page_on_grading_is_told_what_holds(monkeypatch):
    assert "locked up" in grading.promise() or not LINUX
    real = grading.Sandbox
    monkeypatch.setattr(
        grading, "Sandbox", lambda *a: real(*a, without=("user", "files", "paths", "calls"))
    )
    assert "Grade notebooks from strangers in a container" in grading.promise()


def test_a_wrong_answer_that_patches_the_companion_still_loses():
    """The tests that ask the companion ask one that no submission has touched."""
    wrong = definitions(ROOT / "tests" / "wrong_answers" / "week1_learns_before_it_is_asked.py")
    patch = "\nimport companion\ncompanion.prequential = companion.Online = None\n"
    book = answered(KNOWN["week1"], test_then_train=wrong["test_then_train"] + patch)
    done = course.grade("eve", KNOWN["week1"], book)
    assert {"loop-values", "loop-order", "loop-river"} <= set(done.lost)
