"""Import later what libraries import long before anybody needs it, if ever.

Names from a large module: scikit-learn and River take a handful of functions from ``scipy.stats``
when they are imported, and most chapters never call one; the module takes longer to import than all
of scikit-learn. They come at the first use. Whoever else asks such a module for anything, a cell
for instance, gets it whole.

Packages that only gather names: ``sklearn.linear_model`` imports each of its models, and a chapter
wants one. A name comes from its module when somebody asks for it.
"""

import ast
import functools
import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from types import ModuleType

PUT_OFF = ("scipy.stats", "scipy.optimize", "scipy.special", "numpy.f2py", "numpy.testing")
TAKERS = ("river", "scipy", "sklearn")  # of functions and classes, from SciPy's
GATHER = ("river.", "sklearn.")  # how the names of packages that gather names begin


class Name:
    """What stands for a name until it is called or asked for something."""

    def __init__(self, module, name):
        self._whose = module, name

    def __call__(self, *args, **options):
        return taken(*self._whose)(*args, **options)

    def __getattr__(self, name):
        return getattr(taken(*self._whose), name)

    def __reduce__(self):  # a copy is the thing itself
        return taken, self._whose

    def __mro_entries__(self, bases):  # a class made of it is made of the thing itself
        return (taken(*self._whose),)


@functools.cache
def taken(module, name):
    """Return what a name stands for."""
    return getattr(importlib.import_module(module), name)


class PutOff(ModuleType):  # imported when anybody but the takers asks it for something
    def __getattr__(self, name):
        asker, mine = sys._getframe(1).f_globals.get("__name__") or "", self.__name__
        takes = asker.partition(".")[0] in TAKERS and mine.startswith("scipy")
        if takes and not f"{asker}.".startswith(f"{mine}."):
            if name.startswith("__"):  # an import looks for the path of what it finds here
                raise AttributeError(name)
            return Name(mine, name)
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


def gathered(source, package):
    """Return where each name of a package comes from; None if its code does more than gather.

    >>> gathered("from .near import Line, Row as R\\n__all__ = ['Line', 'R']", "book")
    {'Line': ('book.near', 'Line'), 'R': ('book.near', 'Row')}
    >>> gathered("from .near import *", "book"), gathered("print(1)", "book")
    (None, None)
    >>> gathered("from .row import row", "book")
    """
    homes = {}
    for node in ast.parse(source).body:
        match node:
            case ast.Expr(ast.Constant()) | ast.ImportFrom(module="__future__"):
                continue
            case ast.Assign(targets=[ast.Name(id="__all__")], value=ast.List()):
                continue
            case ast.ImportFrom(level=1):
                home = f"{package}.{node.module}" if node.module else package
            case ast.ImportFrom(level=0):
                home = node.module
            case _:
                return None
        if home != package and not home.startswith(f"{package}."):
            return None
        for one in node.names:
            name = one.asname or one.name
            if one.name == "*" or f"{home}.".startswith(f"{package}.{name}."):
                return None  # a module of the same name would hide it
            homes[name] = home, one.name
    return homes


class Gatherer(Later):
    """What gives a package its names one by one."""

    def __init__(self, loader, homes):
        super().__init__(loader)
        self.homes = homes

    def exec_module(self, module):
        """Let the package find a name, or one of its modules, when it is asked for."""
        module.__spec__.loader = module.__loader__ = self.loader  # which knows its source
        package, homes = module.__name__, self.homes

        def find(name):
            home, own = homes.get(name, (package, name))
            if home != package:
                value = getattr(importlib.import_module(home), own)
            elif importlib.util.find_spec(f"{package}.{own}"):
                value = importlib.import_module(f"{package}.{own}")
            else:
                raise AttributeError(f"module {package!r} has no attribute {name!r}")
            setattr(module, name, value)
            return value

        module.__all__ = list(homes)
        module.__getattr__ = find
        module.__dir__ = lambda: sorted({*vars(module), *homes})


class Finder(MetaPathFinder):
    """Find what is put off; all else is found as always."""

    def find_spec(self, name, path, target=None):
        if name not in PUT_OFF and not name.startswith(GATHER):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None:
            return None
        if name in PUT_OFF:
            spec.loader = Later(spec.loader)
        elif spec.submodule_search_locations and spec.origin:
            if homes := gathered(spec.loader.get_source(name), name):
                spec.loader = Gatherer(spec.loader, homes)
        return spec


sys.meta_path.insert(0, Finder())
