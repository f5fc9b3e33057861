"""Let libraries take names from a large module without importing it: they come at the first use.

scikit-learn and River take a handful of functions from ``scipy.stats`` when they are imported, and
most chapters never call one; the module takes longer to import than all of scikit-learn. Whoever
else asks the module for anything, a cell for instance, gets it whole.
"""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from types import ModuleType

PUT_OFF, TAKERS = "scipy.stats", ("river", "scipy", "sklearn")


class Name:
    """What stands for a name until it is called or asked for something."""

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **options):
        return taken(self._name)(*args, **options)

    def __getattr__(self, name):
        return getattr(taken(self._name), name)

    def __reduce__(self):  # a copy is the thing itself
        return taken, (self._name,)


def taken(name):
    """Return what a name stands for."""
    return getattr(importlib.import_module(PUT_OFF), name)


class PutOff(ModuleType):  # imported when anybody but the takers asks it for something
    def __getattr__(self, name):
        asker = sys._getframe(1).f_globals.get("__name__") or ""
        if asker.partition(".")[0] in TAKERS and not asker.startswith(PUT_OFF):
            if name.startswith("__"):  # an import looks for the path of what it finds here
                raise AttributeError(name)
            return Name(name)
        whole(self)
        return getattr(self, name)

    def __dir__(self):
        whole(self)
        return dir(self)

    @property
    def __doc__(self):
        whole(self)
        return self.__doc__


def whole(module):
    """Import what was put off."""
    loader = module.__spec__.loader
    module.__class__ = ModuleType
    module.__path__ = module.__spec__.submodule_search_locations
    module.__spec__.loader = module.__loader__ = loader.loader
    loader.loader.exec_module(module)


class Later(Loader):
    """What puts a module off instead of importing it."""

    def __init__(self, loader):
        self.loader = loader

    def create_module(self, spec):
        return self.loader.create_module(spec)

    def exec_module(self, module):
        del module.__path__  # else a part of it could be imported before it is
        module.__class__ = PutOff


class Finder(MetaPathFinder):
    """Find the module that is put off; all others as always."""

    def find_spec(self, name, path, target=None):
        spec = PathFinder.find_spec(name, path, target) if name == PUT_OFF else None
        if spec is not None:
            spec.loader = Later(spec.loader)
        return spec


sys.meta_path.insert(0, Finder())
