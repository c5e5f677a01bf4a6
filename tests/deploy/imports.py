"""Import a handler where only what is deployed with it can be imported. Run as a program.

Arguments: the handler's module, the folder of its code, the layer's folder, and a file with the
paths of what the requirements install.
"""

import ast
import importlib
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class Deployed:
    """A finder before all others: to it, nothing else is installed."""

    def __init__(self, folders: Sequence[str], files: frozenset[str]) -> None:
        self._folders = tuple(f"{folder}/" for folder in folders)
        self._files = files

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None, which leaves it to the other finders; raises for what is not deployed."""
        found = PathFinder.find_spec(name, path, target)
        origin = found.origin if found else None
        if origin is None or origin in self._files or not origin.startswith("/"):
            return None
        if origin.startswith(self._folders) and "/site-packages/" not in origin:
            return None
        raise ModuleNotFoundError(f"{name} is not deployed", name=name)


def late(module: ModuleType, wanted: set[str] | None) -> Iterator[str]:
    """What a module imports inside of functions: of all of them, or of those in ``wanted``."""
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if wanted is not None and function.name not in wanted:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield str(node.module)
                # ``from package import module``, if it is one.
                yield from (f"{node.module}:{alias.name}" for alias in node.names)


def edges_of(modules: Sequence[ModuleType]) -> set[str]:
    """Which edges of ``wiring`` a function's own code asks for."""
    return {
        node.attr
        for module in modules
        for node in ast.walk(ast.parse(Path(str(module.__file__)).read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "wiring"
    }


def below(folder: str) -> list[ModuleType]:
    """The modules imported so far whose files are in ``folder``."""
    loaded = [module for module in sys.modules.values() if getattr(module, "__file__", None)]
    return [module for module in loaded if str(module.__file__).startswith(f"{folder}/")]


def load(name: str) -> None:
    """Import a module; ``package:name`` is one only where it says so."""
    package, _, member = name.partition(":")
    found = importlib.import_module(package)
    if member and not hasattr(found, member):
        importlib.import_module(f"{package}.{member}")


def main(module: str, code: str, layer: str, files: str) -> None:
    """Import the handler, then whatever it and what it uses import later."""
    sys.path[:0] = [code, layer]
    stdlib = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    allowed = frozenset(Path(files).read_text("utf-8").split("\n"))
    sys.meta_path.insert(0, Deployed([code, layer, *stdlib], allowed))
    importlib.import_module(module)
    done: set[str] = set()
    while True:
        edges = edges_of(below(code))
        wanted = {
            name
            for each in [*below(code), *below(layer)]
            for name in late(each, edges if each.__name__ == "soulcaster.wiring" else None)
        } - done
        if not wanted:
            break
        for name in sorted(wanted):
            load(name)
        done |= wanted
    print("\n".join(sorted({name.partition(":")[0] for name in done})))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(*sys.argv[1:])
