"""The project itself: one source of truth for dependencies, addresses and notebooks."""

from __future__ import annotations

import importlib
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import check_notebooks
import nbformat
import pytest
import repository
import serve
import yaml
from packaging.requirements import Requirement

import notebooks as runner

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKED = ("cli", "book", "lab", "safe", "serve", "test")
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


def test_nothing_names_a_registry_host_or_a_machine():
    words = re.compile("|".join(["files.python" + "hosted", "pypi" + r"\.org", "/ro" + "ot/"]))
    for path in tracked():
        if path.suffix not in (".gz", ".png") and path.exists():
            assert not words.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_one_repository_address():
    address = repository.current()
    places = [ROOT / "README.md", ROOT / "CITATION.cff", ROOT / "book" / "run.md", *BOOKS]
    for path in places[1:]:
        assert address in path.read_text(), path
    for path in places:
        found = set(re.findall(r"github\.com/[\w-]+/[\w-]+", path.read_text()))
        assert found <= {address.removeprefix("https://"), "github.com/you/your-book"}, path


def test_make_help_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^\.PHONY: (.*)$", text, re.M)[0].split())
    done = subprocess.run(["make", "help"], capture_output=True, text=True, cwd=ROOT, check=True)
    listed = set(re.findall(r"^make (\w+)", done.stdout, re.M))
    assert listed == targets
    readme = (ROOT / "README.md").read_text()
    assert all(f"make {target}" in readme for target in targets - {"env"})


def test_no_python_gives_one_sentence(tmp_path):
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "book" / "tools" / "env.sh"), str(tmp_path / "venv")],
        capture_output=True, text=True, cwd=tmp_path, env={"PATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("make: no Python 3.11 or later was found; ")
    assert done.stderr.count("\n") == 1


def test_a_taken_port_gives_the_next_free_one(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with serve.server(port, tmp_path) as other:
            assert port < other.server_address[1] < port + 100


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


def public_names() -> list[str]:
    """Return every class and function that the page on the package shows."""
    found = []
    module = ""
    for line in (ROOT / "book" / "api.md").read_text(encoding="utf-8").splitlines():
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
    if name != "companion.cli.main":
        assert ">>> " in (shown.__doc__ or ""), f"{name} has no example"


def test_the_page_on_the_package_shows_all_that_it_exports():
    import companion

    shown = {name.rpartition(".")[2] for name in public_names()}
    modules = {"claims", "metrics", "monitor", "plots", "streams"}
    assert set(companion.__all__) - modules <= shown
