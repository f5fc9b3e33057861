"""The project itself: one source of truth for dependencies, addresses and notebooks."""

from __future__ import annotations

import doctest
import importlib
import re
import socket
import subprocess
import sys
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

from book.press import address
from book.press.checks import notebooks as check_notebooks
from book.press.site import serve
from book.press.upkeep import execute as runner

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKED = ("cli", "book", "course", "lab", "lite", "safe", "serve", "dask", "test", "env")
GROUPS = {  # what a target installs, of the one lock
    "requirements-book.lock": ("env", "book", "course", "lite"),
    "requirements-lab.lock": ("env", "cli", "lab", "safe", "serve"),
}
BOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


def tracked() -> list[Path]:
    done = subprocess.run(["git", "ls-files", "-z"], capture_output=True, cwd=ROOT, check=True)
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def test_environment_yml_takes_all_but_python_and_pip_from_the_project():
    found = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert found["channels"] == ["conda-forge"]
    *conda, pip = found["dependencies"]
    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert len(pip["pip"]) == 1
    extras = re.fullmatch(r"-e \.\[([a-z,]+)\]", pip["pip"][0])[1].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert {"cli", "lab"} <= set(extras)


def test_the_lock_covers_what_the_two_commands_need():
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^([a-z0-9_.-]+)==([^ ;\\]+)", lock, re.M | re.I)
    wanted = PROJECT["dependencies"] + [
        line for extra in LOCKED for line in PROJECT["optional-dependencies"][extra]
    ]
    for line in wanted:
        need = Requirement(line)
        versions = [version for name, version in pins if name == need.name.lower()]
        assert versions, f"{need.name} is not in requirements.lock; run make lock"
        assert all(need.specifier.contains(version) for version in versions), line
    assert lock.count("--hash=sha256:") > len(pins)
    assert not re.search(r"https?://|--index|--find-links|file:", lock)


def entries(name: str) -> dict[str, set[str]]:
    """Return the pinned lines of a lock file, without their comments, with their hashes."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if re.match(r"[a-z0-9]", line, re.I):
            pin = line.removesuffix("\\").strip()
            found[pin] = set()
        elif "--hash=" in line:
            found[pin].add(line.strip(" \\"))
    return found


@pytest.mark.parametrize("name", GROUPS)
def test_what_a_target_installs_is_a_cut_of_the_one_lock(name):
    whole, cut = entries("requirements.lock"), entries(name)
    assert len(cut) < 0.8 * len(whole)
    assert f"(`{name}`) | {len(cut)} |" in (ROOT / "README.md").read_text()
    versions = {pin.partition(" ;")[0]: hashes for pin, hashes in whole.items()}
    for pin, hashes in cut.items():
        assert hashes and hashes == versions[pin.partition(" ;")[0]], f"{pin}; run make lock"
    wanted = PROJECT["dependencies"] + [
        line for extra in GROUPS[name] for line in PROJECT["optional-dependencies"][extra]
    ]
    for need in map(Requirement, wanted):
        assert any(pin.startswith(f"{need.name.lower()}==") for pin in cut), need.name
    heavy = {"playwright", "pyspark", "dask", "pytest", "ruff"}
    heavy |= {"jupyterlab", "pyarrow", "fastapi"} if "book" in name else set()
    assert not heavy & {pin.partition("==")[0] for pin in cut}


def test_each_target_asks_for_the_environment_it_needs():
    text = (ROOT / "Makefile").read_text()
    for target in ("book", "site", "course", "bank"):
        assert re.search(rf"^{target}: \$\(FOR_BOOK\) ", text, re.M), target
    assert re.search(r"^lab: \$\(FOR_LAB\) ", text, re.M)
    for target in ("test", "test-quick", "pdf", "speed", "notebooks", "runs"):
        assert re.search(rf"^{target}: \$\(READY\) ", text, re.M), target


def pins(name: str) -> set[tuple[str, str]]:
    """Return the names and versions in a lock file."""
    text = (ROOT / name).read_text()
    return set(re.findall(r"^([a-z0-9_.-]+)==([^ ;\\]+)", text, re.M | re.I))


def test_the_lock_for_spark_has_the_same_versions_and_little_more():
    ours, sparks = pins("requirements.lock"), pins("requirements-spark.lock")
    names = {name for name, _ in sparks}
    assert {name for name, _ in sparks - ours} == {"pyspark", "py4j", "protobuf"}
    for line in PROJECT["optional-dependencies"]["spark"]:
        need = Requirement(line)
        assert need.name in names
        assert all(need.specifier.contains(v) for name, v in sparks if name == need.name)
    text = (ROOT / "requirements-spark.lock").read_text()
    assert not re.search(r"https?://|--index|--find-links|file:", text)


def test_ci_runs_every_target_that_tests():
    script = (ROOT / ".ci" / "run").read_text()
    targets = re.findall(r"^(test[a-z-]*):", (ROOT / "Makefile").read_text(), re.M)
    assert targets == ["test", "test-quick", "test-lab", "test-engines"]
    targets.remove("test-quick")  # some of what `make test` runs
    assert all(re.search(rf"^make {target}$", script, re.M) for target in targets)


def test_the_quick_tests_are_all_files_but_those_that_are_named():
    done = subprocess.run(
        ["make", "--no-print-directory", "-n", "test-quick"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    files = set(re.findall(r"tests/test_[a-z_]+\.py", done.stdout))
    slow = re.search(r"^SLOW = (.*?)\n\n", (ROOT / "Makefile").read_text(), re.M | re.S)[1]
    left_out = {f"tests/test_{name}.py" for name in re.findall(r"\b[a-z_]+\b", slow)}
    everything = {f"tests/{path.name}" for path in (ROOT / "tests").glob("test_*.py")}
    assert files == everything - left_out and len(files) > 20
    assert done.stdout.rstrip().endswith(" companion")


def test_nothing_names_a_registry_host_or_a_machine():
    words = re.compile("|".join(["files.python" + "hosted", "pypi" + r"\.org", "/ro" + "ot/"]))
    for path in tracked():
        if path.suffix not in (".gz", ".png") and path.exists():
            assert not words.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_one_repository_address():
    repository = address.repository()
    places = [ROOT / "README.md", ROOT / "CITATION.cff", ROOT / "book" / "run.md", *BOOKS]
    for path in places[1:]:
        assert repository in path.read_text(), path
    for path in places:
        found = set(re.findall(r"github\.com/[\w-]+/[\w-]+", path.read_text()))
        assert found <= {repository.removeprefix("https://"), "github.com/you/your-book"}, path


def test_make_help_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.*)$", text, re.M)[0].split())
    done = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True)
    listed = set(re.findall(r"^make ([\w-]+)", done.stdout, re.M))
    assert listed == targets
    readme = (ROOT / "README.md").read_text()
    assert all(f"make {target}" in readme for target in targets - {"env"})


def test_no_python_gives_one_sentence(tmp_path):
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "book" / "press" / "upkeep" / "env.sh"), str(tmp_path / "venv")],
        capture_output=True, text=True, cwd=tmp_path, env={"PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("make: no Python 3.11 or later was found; ")
    assert done.stderr.count("\n") == 1


def test_a_taken_port_gives_the_next_free_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as process_row:
        port = process_row.getsockname()[1]
        with serve.server(port, tmp_path) as other:
            assert port < other.server_address[1] < port + 100


@pytest.mark.parametrize("built", [0, 1])
def test_the_book_is_served_when_its_pages_are_made(tmp_path, monkeypatch, capsys, built):
    """What is still being made says so; what never comes is missing; a failed build ends it."""
    seen = []

    def ask(path):
        found = re.search(r"http://\S+", capsys.readouterr().out)
        seen.append(found[0]) if found else None
        try:
            with urllib.request.urlopen(seen[0] + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def build(ready):
        for name in ("index", "404"):
            (tmp_path / f"{name}.html").write_text(f"page {name}", encoding="utf-8")
        ready()
        assert ask("") == (200, "page index")
        status, waits = ask("lab/index.html")
        assert status == 503 and "still being made" in waits and "Refresh" in waits
        return built

    def join(thread):
        assert ask("lab/index.html") == (404, "page 404")

    monkeypatch.setattr(serve.build, "build", build)
    monkeypatch.setattr(serve.server, "__defaults__", (tmp_path, 100, serve.Handler))
    monkeypatch.setattr(serve.Handler, "building", False)
    monkeypatch.setattr(threading.Thread, "join", join)
    monkeypatch.setattr(sys, "argv", ["serve", "--build", "--port", "0"])
    assert serve.main() == built and seen


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_notebooks_are_clean_and_their_outputs_up_to_date(path):
    assert check_notebooks.problems(path) == []
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata["companion"]["source"] == runner.source_hash(notebook), (
        "code changed since the outputs were stored; run make notebooks"
    )


@pytest.mark.parametrize("path", BOOKS, ids=lambda p: p.stem)
def test_chapters_have_the_whole_anatomy(path):
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for part in (
        "**Claims under test**", "**When you have worked through this chapter you can**",
        "**Time:**", "**You should know:**", "> **Predict before you run.**", "## The verdict",
        "## When the other side wins", "## Quiz", "## Exercises", "(warm-up)", "(core)",
        "(stretch)", "## Summary", "**Key terms:**", "**Further reading.**",
    ):  # fmt: skip
        assert part in text, part
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    assert "knob" in tags
    exercises = text.count("### Exercise ")
    assert exercises >= 5 and tags.count("solution") == exercises
    assert text.count("<summary>Hint</summary>") == exercises
    questions = text.split("**Question ")[1:]
    assert len(questions) >= 4
    assert all(question.count('<details class="answer">') >= 3 for question in questions)


def test_the_colab_cell_does_nothing_elsewhere():
    for path in BOOKS:
        cells = nbformat.read(path, as_version=4).cells
        first = next(cell for cell in cells if cell.cell_type == "code")
        assert 'if "google.colab" in sys.modules:' in first.source
        assert first.outputs == []


def test_a_failing_notebook_is_named_and_left_as_it_was(tmp_path, monkeypatch, capsys):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    path = tmp_path / "01_broken.ipynb"
    nbformat.write(book, path)
    before = path.read_bytes()
    monkeypatch.setattr(runner, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["notebooks.py"])
    assert runner.main() == 1
    assert "01_broken.ipynb, cell 0: ZeroDivisionError" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


PRESS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "book" / "press").rglob("[!_]*.py"))
]


def test_the_examples_in_the_press_hold():
    results = [doctest.testmod(importlib.import_module(name)) for name in PRESS]
    assert sum(result.attempted for result in results) >= 25
    assert not any(result.failed for result in results)


def test_nothing_edits_the_path_of_imports():
    words = re.compile(r"\bsys\.path\b *(\[|\.(insert|append|extend)|\+?=)")
    for path in [*(ROOT / "book").rglob("*.py"), *(ROOT / "tests").rglob("*.py")]:
        assert not words.search(path.read_text(encoding="utf-8")), path


def public_names() -> list[str]:
    """Return every class and function that the pages on the package show."""
    found = []
    module = ""
    pages = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("api*.md"))]
    for line in "\n".join(pages).splitlines():
        if "automodule::" in line:
            module = line.split("::")[1].strip()
        elif ":members:" in line:
            names = line.split(":members:")[1].replace(",", " ").split()
            found += [f"{module}.{name}" for name in names or public_functions(module)]
    return found


def public_functions(module: str) -> list[str]:
    """Return a module's own functions."""
    parts = vars(importlib.import_module(module)).items()
    own = (name for name, part in parts if getattr(part, "__module__", "") == module)
    return [name for name in own if not name.startswith("_")]


@pytest.mark.parametrize("name", public_names())
def test_everything_public_has_a_docstring_with_an_example(name):
    module, _, part = name.rpartition(".")
    shown = getattr(importlib.import_module(module), part)
    if name != "companion.apps.grammar.main":
        assert ">>> " in (shown.__doc__ or ""), f"{name} has no example"


def test_the_pages_on_the_package_show_all_that_it_exports():
    import companion

    shown = {name.rpartition(".")[2] for name in public_names()}
    modules = {"claims", "intervals", "metrics", "monitor", "plots", "streams"}
    assert set(companion.__all__) - modules <= shown
