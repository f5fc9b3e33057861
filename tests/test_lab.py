"""The lab as it is built: its files are the official ones, its pages ask for nothing outside."""

from __future__ import annotations

import _imp
import hashlib
import json
import re
import shutil
import subprocess
import types
import zipfile
from html import unescape
from pathlib import Path

import nbformat
import pytest
from conftest import IN_CI, site_pages

from book.press import chapters, policies
from book.press.checks import notebooks as check_notebooks
from book.press.course import assignments, handouts
from book.press.lab import build as lab
from book.press.lab import compiled, fetch, licences, python
from book.press.site import launch
from book.press.upkeep import execute

ROOT = Path(__file__).parents[1]
LOCK = json.loads(lab.LOCK.read_text(encoding="utf-8"))
MAGIC = b"+\x0e\r\n"  # how Python 3.14 begins what it has compiled
UNCHECKED = b"\x01\0\0\0"


@pytest.fixture(scope="session")
def built(site: Path) -> Path:
    """Return the lab's folder in the built site."""
    folder = site / "lab"
    if not (folder / "about.json").exists():
        how = (
            "the lab was left out of the site; make site says why (the first time needs a network)"
        )
        pytest.fail(how) if IN_CI else pytest.skip(how)
    return folder


# ------------------------------------------------------------------ fetching


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A lock of two files, a mirror that has them, and neither cache nor network."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "core.wasm").write_bytes(b"core")
    (mirror / "numpy.whl").write_bytes(b"numpy")
    sha = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in mirror.iterdir()}
    lock = {
        "lab": LOCK["lab"] | {"pyodide": "1.0", "core": {"core.wasm": sha["core.wasm"]}},
        "packages": {
            "numpy": {"name": "numpy", "version": "1", "file_name": "numpy.whl",
                      "sha256": sha["numpy.whl"], "origin": "pyodide"},
        },
    }  # fmt: skip

    def no_network(*_):
        raise fetch.LeftOut("pip could not download it")

    monkeypatch.setattr(fetch, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(fetch, "PUBLISHED", str(tmp_path / "nowhere"))
    monkeypatch.setattr(fetch, "from_carrier", no_network)
    return types.SimpleNamespace(lock=lock, mirror=mirror)


def test_files_come_from_a_mirror_and_then_from_the_cache(small, monkeypatch):
    monkeypatch.setenv("PYODIDE_MIRROR", str(small.mirror))
    folder = fetch.fetch(small.lock)
    assert sorted(path.name for path in folder.iterdir()) == ["core.wasm", "numpy.whl"]
    monkeypatch.delenv("PYODIDE_MIRROR")
    assert fetch.fetch(small.lock) == folder


def test_a_file_with_another_hash_is_never_taken(small, monkeypatch):
    monkeypatch.setenv("PYODIDE_MIRROR", str(small.mirror))
    (small.mirror / "numpy.whl").write_bytes(b"something else")
    with pytest.raises(fetch.LeftOut, match="numpy.whl is not the official file"):
        fetch.fetch(small.lock)
    assert not list(fetch.CACHE.rglob("numpy*"))


def test_a_damaged_cache_is_mended(small, monkeypatch):
    monkeypatch.setenv("PYODIDE_MIRROR", str(small.mirror))
    folder = fetch.fetch(small.lock)
    (folder / "core.wasm").write_bytes(b"cor")
    fetch.fetch(small.lock)
    assert (folder / "core.wasm").read_bytes() == b"core"


def test_without_any_source_the_site_does_without_the_lab(small, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(lab, "LAB", tmp_path / "html" / "lab")
    monkeypatch.setattr(lab, "LOCK", tmp_path / "lock.json")
    monkeypatch.delenv("PYODIDE_MIRROR", raising=False)
    lab.LOCK.write_text(json.dumps(small.lock))
    lab.LAB.mkdir(parents=True)
    assert lab.main() is False
    said = capsys.readouterr().out.splitlines()
    assert said[-1].startswith("The lab is left out; chapters open on Binder and Colab (")
    assert not lab.LAB.exists()


@pytest.mark.parametrize("there", [True, False])
def test_the_button_is_there_when_the_lab_is(tmp_path, there):
    if there:
        (tmp_path / "lab").mkdir()
        (tmp_path / "lab" / "about.json").write_text('{"megabytes": 9}')
    buttons = {"colab_url": "https://colab"}
    config = types.SimpleNamespace(
        html_context={}, html_theme_options={"launch_buttons": buttons}
    )  # fmt: skip
    launch.on_config(types.SimpleNamespace(outdir=str(tmp_path)), config)
    assert ("jupyterlite_url" in buttons) is there


# ------------------------------------------------------------------ what is shipped


def test_everything_shipped_is_what_the_lock_names(built):
    folder = built / "static" / "pyodide"
    shipped = json.loads((folder / "pyodide-lock.json").read_text())["packages"]
    files = {one["file_name"]: one["sha256"] for one in shipped.values()} | LOCK["lab"]["core"]
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there == {*files, "pyodide-lock.json", python.START}
    for name, digest in files.items():
        file = folder / name
        if name == compiled.LIBRARY:  # as it was published, and what has been compiled of it
            file = fetch.fetch(LOCK) / name
            with zipfile.ZipFile(file) as whole, zipfile.ZipFile(folder / name) as ours:
                own = [place for place in ours.namelist() if not place.endswith(".pyc")]
                assert own == whole.namelist()
                assert all(ours.read(place) == whole.read(place) for place in own)
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest, name
    for key, one in LOCK["packages"].items():
        assert shipped[key]["sha256"] == one["sha256"], key
    assert {one["origin"] for one in LOCK["packages"].values()} == {"pyodide", "pypi"}
    assert not set(python.PRELOADED) - set(shipped)


LOADED = """
const [folder] = process.argv.slice(1), { loadPyodide } = await import(`${folder}/start.mjs`);
const quiet = { indexURL: `${folder}/`, packages: ["scipy"], stdout: () => {}, stderr: () => {} };
const python = await loadPyodide(quiet), { GOT, LDSO } = python._module;
const libraries = () => Object.keys(LDSO.loadedLibsByName).length;
const before = libraries();
const found = python.runPython("from scipy.linalg import inv; float(inv([[2.0]])[0, 0])");
console.log(JSON.stringify([before, libraries(), Object.keys(GOT).length, "malloc" in GOT, found]));
"""


def test_a_library_is_loaded_when_it_is_imported_and_its_names_are_looked_at_once(built):
    if shutil.which("node") is None and not IN_CI:
        pytest.skip("needs Node")
    asked = ["node", "--input-type=module", "--eval", LOADED, str(built / "static" / "pyodide")]
    done = subprocess.run(asked, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-300:]
    shipped = python.read_packages(built / "static" / "pyodide").values()
    assert {one["package_type"] for one in shipped} == {"package"}  # no library for all packages
    before, after, listed, known, found = json.loads(done.stdout)
    assert before < 10 < after < 60 and found == 0.5  # of the 120 that SciPy and NumPy have
    assert known and listed < 3000  # those of the last library; of some 13,000


def test_what_is_compiled_is_compiled_of_what_is_shipped(built):
    """Python does not look whether it is: each file names the hash of its source."""
    if shutil.which("node") is None and not IN_CI:
        pytest.skip("nothing is compiled without Node")
    folder = built / "static" / "pyodide"
    shipped = python.read_packages(folder)
    pairs = [(shipped[name]["file_name"], shipped[need]["file_name"])
             for name in shipped for need in shipped[name]["depends"]
             if need == f"{name}-compiled".replace("_", "-")]  # fmt: skip
    assert {"numpy", "river", "scipy", "scikit-learn"} <= {
        name for name in shipped for need in shipped[name]["depends"] if need.endswith("-compiled")
    }
    count = 0
    for source, made in [*pairs, (compiled.LIBRARY, compiled.LIBRARY)]:
        with zipfile.ZipFile(folder / source) as whole, zipfile.ZipFile(folder / made) as part:
            for name in part.namelist():
                if name.endswith(".pyc"):
                    data, text = part.read(name), whole.read(source_of(name))
                    assert data[:8] == MAGIC + UNCHECKED, name
                    found = _imp.source_hash(int.from_bytes(MAGIC, "little"), text)
                    assert data[8:16] == found, name
                    count += 1
                else:
                    assert ".dist-info/" in name or source == compiled.LIBRARY, name
    assert count > 1000


def source_of(place: str) -> str:
    """Return where the source of a compiled file stands.

    >>> source_of("a/__pycache__/b.cpython-314.pyc"), source_of("a/b.pyc")
    ('a/b.py', 'a/b.py')
    """
    return re.sub(r"__pycache__/(\w+)\.cpython-314\.pyc$|\.pyc$",
                  lambda found: f"{found[1]}.py" if found[1] else ".py", place)  # fmt: skip


@pytest.mark.parametrize(("node", "why"), [(None, "there is no Node"), ("false", "Node 20 or")])
def test_without_a_node_that_can_nothing_is_compiled(monkeypatch, tmp_path, capsys, node, why):
    monkeypatch.setattr(compiled.shutil, "which", lambda name: node)
    assert compiled.compiled(tmp_path, {}, tmp_path / "cache") is None
    assert f"starts more slowly: {why}" in capsys.readouterr().out
    assert not list(tmp_path.rglob("compiled-*"))


def test_every_licence_lies_beside_its_work(built):
    page = (built / "licences" / "index.html").read_text()
    links = re.findall(r'href="([^":]+)"', page)
    for link in links:
        assert (built / "licences" / link).stat().st_size > 100, link
    shipped = json.loads((built / "static" / "pyodide" / "pyodide-lock.json").read_text())
    for one in shipped["packages"].values():
        assert f"{one['name']}.txt" in links, one["name"]
    assert "Mozilla Public License Version 2.0" in (built / "licences" / "Pyodide.txt").read_text()


def test_the_lab_asks_for_nothing_outside(built):
    config = json.loads((built / "jupyter-lite.json").read_text())["jupyter-config-data"]
    kernel = config["litePluginSettings"]["@jupyterlite/pyodide-kernel-extension:kernel"]
    assert kernel["pyodideUrl"] == "./static/pyodide/start.mjs"
    assert kernel["loadPyodideOptions"]["lockFileURL"].startswith("./static/pyodide/")
    assert kernel["disablePyPIFallback"] is True
    assert all(url.startswith("./") for url in kernel["pipliteUrls"])
    assert not list(built.rglob("*.map"))


def test_pages_carry_their_policies_and_no_two_meet(built, site):
    for page in built.rglob("*.html"):
        assert policies.meta(policies.LAB) in page.read_text(), page
    for page in site_pages(site):
        html = page.read_text()
        assert policies.meta(policies.SITE) in html or 'http-equiv="Refresh"' in html, page
    for policy in (policies.SITE, policies.LAB):
        assert "http" not in policy and "*" not in policy
    rules: dict[str, list[str]] = {}
    for line in (site / "_headers").read_text().splitlines():
        if line.startswith("/"):
            place = line
        elif "Content-Security-Policy" in line:
            rules.setdefault(place, []).append(line)
    assert "/*" not in rules and all(len(lines) == 1 for lines in rules.values())
    assert "wasm-unsafe-eval" in rules["/lab/*"][0]
    for page in site_pages(site):
        name = page.relative_to(site).as_posix()
        assert f"/{name}" in rules or f"/{name.split('/')[0]}/*" in rules, name


def test_the_lab_lists_all_that_it_holds(built):
    for place, source in lab.contents().items():
        listing = built / "api" / "contents" / Path(place).parent / "all.json"
        listed = {one["path"]: one for one in json.loads(listing.read_text())["content"]}
        file = built / "files" / place
        assert file.read_bytes() == lab.held(source), place
        assert listed[place]["size"] == file.stat().st_size, place
        if place.endswith(".gz"):
            assert "text" not in listed[place]["mimetype"]  # JupyterLite would decode it


def lines(cells: list) -> set[str]:
    """Return the lines of cells that are more than a word."""
    return {line.strip() for cell in cells for line in cell.source.splitlines() if " " in line}


@pytest.mark.parametrize("week", assignments.assignments())
def test_an_assignment_in_the_lab_gives_nothing_away(built, week):
    source = assignments.assignments()[week]
    copy = nbformat.read(built / "files" / "assignments" / f"{week}.ipynb", as_version=4)
    secret = lines(source.notebook.cells) - lines(source.release().cells)
    assert len(secret) > 50 and not secret & lines(copy.cells)
    assert not re.search("(BEGIN|END) (SOLUTION|HIDDEN)", json.dumps(copy))
    marks = [cell.metadata.get("nbgrader") for cell in copy.cells]
    assert marks == [cell.metadata.get("nbgrader") for cell in source.notebook.cells]


def test_a_worked_capstone_in_the_lab_is_not_marked(built, site):
    for path in sorted((ROOT / "notebooks" / "capstone").glob("*.ipynb")):
        whole = nbformat.read(path, as_version=4)
        copy = nbformat.read(built / "files" / "capstone" / path.name, as_version=4)
        last = len(copy.cells) - 1
        assert [c.source for c in copy.cells if c.cell_type == "code"] == [
            c.source for c in whole.cells[:last] if c.cell_type == "code"
        ]
        assert not re.search(r"\d of \d", json.dumps(copy)) and not any(
            cell.get("outputs") for cell in copy.cells
        )
        for page, anchor in re.findall(r"\]\(/([^)#]+)#([^)]+)\)", copy.cells[last].source):
            assert f'id="{anchor}"' in (site / page).read_text(), (page, anchor)


def test_the_assignments_page_opens_each_in_the_lab(built, site):
    html = (site / "book" / "assignments.html").read_text()
    opened = re.findall(r'href="\.\./lab/notebooks/index\.html\?path=([^"]+)"', html)
    assert opened == [f"assignments/{week}.ipynb" for week in assignments.assignments()]


def test_the_notebook_for_ones_own_data_is_clean_and_up_to_date():
    path = ROOT / "notebooks" / "your_own_data.ipynb"
    notebook = nbformat.read(path, as_version=4)
    assert check_notebooks.problems(path) == []
    assert notebook.metadata["companion"]["source"] == execute.source_hash(notebook)
    assert len(notebook.cells) <= 10 and path.stem not in json.dumps(chapters.contents())


def test_the_labs_copies_are_the_students_notebooks(built, site):
    ids: dict[str, str] = {}
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        chapter = handouts.student(nbformat.read(path, as_version=4), path.stem)
        copy = nbformat.read(built / "files" / "notebooks" / path.name, as_version=4)
        assert copy.metadata["kernelspec"]["name"] == "python"
        assert len(copy.cells) == len(chapter.cells)
        for cell, mine in zip(chapter.cells, copy.cells, strict=True):
            if cell.cell_type == "code":
                assert mine.source == cell.source and mine.outputs == []
                tags = cell.metadata.get("tags", [])
                folded = mine.metadata.get("jupyter", {}).get("source_hidden", False)
                assert folded == ("hide-input" in tags)
                continue
            assert "](.." not in mine.source, path.name
            for page, anchor in re.findall(r"\]\(/([^)#]+)(?:#([^)]+))?\)", mine.source):
                if page not in ids:
                    ids[page] = unescape((site / page).read_text())
                assert anchor == "" or f'id="{anchor}"' in ids[page], (path.name, page, anchor)


def test_a_small_wheel_has_the_same_bytes_each_time(tmp_path):
    one = python.companion_wheel(tmp_path / "a")
    other = python.companion_wheel(tmp_path / "b")
    assert one.read_bytes() == other.read_bytes()
    assert licences.licence_of(one).count("dist-info/licenses/") >= 4
