"""Import from a package's archive: a file leaves it when something asks for it.

Unpacking all of a chapter's packages takes Pyodide seconds at each start; most of their files are
never opened. Code is read out of the archive when it is imported. A library lies on the disk from
its import on, what else a package holds from the package's.
"""

import importlib
import linecache
import os
import pkgutil
import sys
import zipimport
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from importlib.util import spec_from_file_location

archives = {}  # by the place where a file belongs: the archive that holds it, and its name there
inside = {}  # by a folder: the names of the modules in it, and of folders with modules
others = {}  # by a package's folder: the places of what is neither code nor library
LIBRARY = EXTENSION_SUFFIXES[0]
UNPACKED = (ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceFileLoader, SOURCE_SUFFIXES)


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
    listed = zipimport._zip_directory_cache[path]  # read a moment ago
    names = [name for name in listed if not name.endswith("/")]
    packages = {os.path.dirname(name) for name in names if name.endswith("/__init__.py")}
    for name in names:
        place = f"{folder}/{name}"
        archives[place] = archive, name
        if name.endswith((".py", LIBRARY)):
            note(place, folder)
        elif not name.endswith(".pyc"):
            owner = os.path.dirname(name)
            while owner and owner not in packages:
                owner = os.path.dirname(owner)
            if owner:
                others.setdefault(f"{folder}/{owner}", []).append(place)
            else:
                put(place)
    for known in inside.keys() & sys.path_importer_cache.keys():
        if not isinstance(sys.path_importer_cache[known], Folder):
            del sys.path_importer_cache[known]
    importlib.invalidate_caches()


def note(place, top):
    """Note a module in its folder, and each folder in the one above."""
    folder, _, name = place.removesuffix(".py").removesuffix(LIBRARY).rpartition("/")
    while name not in inside.setdefault(folder, set()):
        inside[folder].add(name)
        if folder == top:
            break
        folder, _, name = folder.rpartition("/")


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

    def exec_module(self, module):
        """Run the code; its lines are found, too, when a warning or an error names them."""
        linecache.lazycache(self.path, vars(module))
        super().exec_module(module)


class Folder:
    """What Python asks for the modules of a folder: of archives, or unpacked in it."""

    def __init__(self, folder):
        if folder not in inside:
            raise ImportError(f"no archive has modules in {folder}")
        self.folder = folder
        self.unpacked = FileFinder(folder, *UNPACKED)

    def invalidate_caches(self):
        """Look anew at what is unpacked."""
        self.unpacked.invalidate_caches()

    def find_spec(self, name, target=None):
        """Return where a module is, None if it is not here."""
        stem = f"{self.folder}/{name.rpartition('.')[2]}"
        if (place := f"{stem}/__init__.py") in archives:
            for other in others.pop(stem, ()):
                put(other)
            return spec_from_file_location(
                name, place, loader=Zipped(name, place), submodule_search_locations=[stem]
            )
        if (place := f"{stem}{LIBRARY}") in archives:
            put(place)
            self.unpacked.invalidate_caches()
        elif (place := f"{stem}.py") in archives:
            return spec_from_file_location(name, place, loader=Zipped(name, place))
        spec = self.unpacked.find_spec(name)
        if spec is None and stem in inside:  # a package without __init__
            spec = ModuleSpec(name, None, is_package=True)
            spec.submodule_search_locations = [stem]
        return spec

    def iter_modules(self, prefix=""):
        """Yield the modules here, and whether each is a package, as ``pkgutil`` asks for them."""
        found = dict(pkgutil.iter_importer_modules(self.unpacked))
        for name in inside[self.folder] - {"__init__"}:
            stem = f"{self.folder}/{name}"
            if f"{stem}/__init__.py" in archives or stem not in inside:
                found[name] = stem in inside
        yield from ((prefix + name, found[name]) for name in sorted(found))


sys.path_hooks.insert(0, Folder)
