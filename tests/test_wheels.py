"""What a page imports out of a package's archive is what lies unpacked."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

WHEELS = Path(__file__).parents[1] / "book" / "_static" / "live" / "wheels.py"
FILES = {
    "shop/__init__.py": "from shop import prices\nfrom shop.deep.inner import STEEP\nimport shop.bare.one",  # noqa: E501
    "shop/prices.py": "def twice(price):\n    return 2 * price\n",
    "shop/list.csv": "bread,2",
    "shop/deep/inner.py": "STEEP = 9\n",  # in a folder without __init__
    "shop/bare/one.py": "",
    "tools/saw/__init__.py": "TEETH = 40",  # in a folder that holds packages alone
    "shop/deep/notes.txt": "steep",
    "single.py": "import pkgutil\nHERE = pkgutil.get_data('shop', 'list.csv')\n",
    "broken.py": "def fail():\n    raise ValueError('here')\n",
    "shop-1.2.dist-info/METADATA": "Metadata-Version: 2.1\nName: shop\nVersion: 1.2\n",
}
LOOK = """
import importlib.metadata, importlib.resources, importlib.util
import inspect, json, linecache, traceback
import pkgutil, shop, single, broken
from tools import saw
from kiwisolver import Variable
where = single.__file__.rpartition("/")[0]
try:
    broken.fail()
except ValueError as error:
    last = traceback.extract_tb(error.__traceback__)[-1]
print(json.dumps([
    shop.prices.twice(4), shop.STEEP, shop.__file__, list(shop.__path__), single.HERE.decode(),
    inspect.getsource(shop.prices.twice), [last.filename, last.lineno, last.line],
    importlib.resources.files("shop").joinpath("deep/notes.txt").read_text(),
    importlib.metadata.version("shop"), importlib.util.find_spec("shop.nothing") is None,
    str(Variable("x")), shop.prices.__cached__, saw.TEETH,
    [[one.name, one.ispkg] for one in pkgutil.iter_modules([shop.__path__[0], where])],
    linecache.getline(shop.__file__, 1), importlib.util.find_spec("kiwisolver._cext").origin,
]))
"""


@pytest.fixture
def wheels(tmp_path):
    """A wheel of all kinds of files, and one with a library: that of an installed package."""
    with zipfile.ZipFile(tmp_path / "shop-1.2-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as one:
        one.mkdir("shop")
        for name, text in FILES.items():
            one.writestr(name, text)
    with zipfile.ZipFile(tmp_path / "kiwisolver-1-py3-none-any.whl", "w") as other:
        for file in importlib.metadata.files("kiwisolver"):
            other.write(file.locate(), file.as_posix())
    return sorted(tmp_path.glob("*.whl"))


def look(start: str, *folders: Path) -> list:
    """Return what a program sees that looks for packages in some folders first."""
    path = os.pathsep.join(map(str, [*folders, WHEELS.parent]))
    done = subprocess.run(
        [sys.executable, "-P", "-s", "-B", "-c", f"import sys\n{start}\n{LOOK}"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def adding(wheels: list[Path], folder: Path) -> str:
    """Return the code by which wheels are imported from, as if they lay in a folder."""
    calls = [f"wheels.add({str(wheel)!r}, {str(folder)!r})" for wheel in wheels]
    return "\n".join(["import wheels", *calls])


def test_what_is_imported_is_the_same_as_unpacked(tmp_path, wheels):
    for wheel in wheels:
        zipfile.ZipFile(wheel).extractall(tmp_path / "unpacked")
    unpacked = json.dumps(look("", tmp_path / "unpacked"))
    zipped = look(adding(wheels, tmp_path / "zipped"), tmp_path / "zipped")
    assert zipped == json.loads(unpacked.replace("/unpacked/", "/zipped/")
                                .replace("/unpacked\"", "/zipped\""))  # fmt: skip


def test_a_file_leaves_its_archive_when_it_is_asked_for(tmp_path, wheels):
    folder = tmp_path / "there"
    start = f"{adding(wheels, folder)}\nimport single\nassert 'kiwisolver' not in sys.modules"
    look(start, folder)
    left = {os.path.relpath(path, folder) for path in folder.rglob("*") if path.is_file()}
    assert {"shop/list.csv", "shop/deep/notes.txt", "shop-1.2.dist-info/METADATA"} <= left
    assert not [name for name in left if name.endswith(".py")]
    assert [name for name in left if name.startswith("kiwisolver/_cext.")]


def test_what_stands_earlier_on_the_path_goes_first_and_a_failed_import_hides_nothing(
    tmp_path, wheels
):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "single.py").write_text("HERE = b'mine'\n")
    folder = tmp_path / "there"
    folder.mkdir()
    start = (
        "import importlib.util\nassert importlib.util.find_spec('shop') is None\n"
        f"{adding(wheels, folder)}\n"
        "try:\n    import kiwisolver.nothing\nexcept ImportError:\n    pass\n"
        "assert importlib.util.find_spec('kiwisolver._cext')\n"
        "assert importlib.util.find_spec('kiwisolver._cext')\n"
    )
    assert look(start, tmp_path / "mine", folder)[4] == "mine"


def test_compiled_code_is_taken_as_it_is(tmp_path, wheels):
    """Its source is not looked at: another value tells which of both ran."""
    script = (
        "import importlib.util, py_compile\n"
        f"source = {str(tmp_path / 'prices.py')!r}\n"
        "open(source, 'w').write('def twice(price):\\n    return 22\\n')\n"
        "mode = py_compile.PycInvalidationMode.UNCHECKED_HASH\n"
        f"py_compile.compile(source, {str(tmp_path / 'made.pyc')!r}, invalidation_mode=mode)\n"
        "print(importlib.util.cache_from_source('shop/prices.py'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    with zipfile.ZipFile(tmp_path / "shop_compiled-1.2-py3-none-any.whl", "w") as one:
        one.write(tmp_path / "made.pyc", done.stdout.strip())
    both = [*wheels, tmp_path / "shop_compiled-1.2-py3-none-any.whl"]
    assert look(adding(both, tmp_path / "zipped"), tmp_path / "zipped")[0] == 22
