"""Import from a package's archive: a file leaves it when something asks for it.

Unpacking all of a chapter's packages takes Pyodide seconds at each start; most of their files are
never opened. Code is read out of the archive when it is imported. A library lies on the disk from
its import on, what else a package holds from the package's.
"""

import importlib
import os
import sys
import zipfile
import zipimport
from importlib.machinery import EXTENSION_SUFFIXES, SourceFileLoader
from importlib.util import spec_from_file_location

archives = {}  # by the place where a file belongs: the archive that holds it, and its name there
others = {}  # by a package's folder: the places of what is neither code nor library
LIBRARY = EXTENSION_SUFFIXES[0]


def read(place):
    """Return a file's bytes, from the archive that holds it."""
    archive, name = archives[place]
    return archive.get_data(name)


def put(place):
    """Put a file where it belongs."""
    data = read(place)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "wb", buffering=0) as file:
        file.write(data)
    del archives[place]


def add(path, folder):
    """Let a wheel be imported from, as if it lay unpacked in a folder."""
    archive = zipimport.zipimporter(path)
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if not name.endswith("/")]
    packages = {os.path.dirname(name) for name in names if name.endswith("/__init__.py")}
    for name in names:
        place = f"{folder}/{name}"
        archives[place] = archive, name
        if not name.endswith((".py", ".pyc", LIBRARY)):
            owner = os.path.dirname(name)
            while owner and owner not in packages:
                owner = os.path.dirname(owner)
            if owner:
                others.setdefault(f"{folder}/{owner}", []).append(place)
            else:
                put(place)
    for name in {os.path.dirname(name) for name in names if name.endswith(".py")} - packages:
        os.makedirs(f"{folder}/{name}", exist_ok=True)  # a package without __init__ is its folder
    importlib.invalidate_caches()


class Zipped(SourceFileLoader):
    """Code that an archive holds, with what has been compiled of it."""

    def path_stats(self, path):
        """Return nothing of a file's age: what is compiled is not compared with it."""
        return {"mtime": 0, "size": 0}

    def get_data(self, path):
        """Return the bytes of a file."""
        return read(path) if path in archives else super().get_data(path)

    def set_data(self, path, data, *, _mode=0o666):
        """Keep nothing of what has been compiled."""


class Finder:
    """What Python asks before it looks for a module among the unpacked ones."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return where a module is, None if it is in no archive."""
        for folder in path or sys.path:
            stem = f"{folder}/{name.rpartition('.')[2]}"
            if (place := f"{stem}/__init__.py") in archives:
                for other in others.pop(stem, ()):
                    put(other)
                return spec_from_file_location(
                    name, place, loader=Zipped(name, place), submodule_search_locations=[stem]
                )
            if (place := f"{stem}.py") in archives:
                return spec_from_file_location(name, place, loader=Zipped(name, place))
            if (place := f"{stem}{LIBRARY}") in archives:
                put(place)
                return spec_from_file_location(name, place)
        return None


sys.meta_path.insert(0, Finder)
