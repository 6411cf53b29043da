"""Defers what a package runs when it is imported, so that a function that needs one module of it starts sooner."""

import importlib
import importlib.util
import sys


def defer_package(name: str) -> None:
    """Let modules of a top-level package be imported without running the package's `__init__` first.

    redis-py's imports its asyncio client as well, kafka-python's its admin client and its consumer: more than half of
    what they cost. The `__init__` runs after all, once, as soon as anything is asked of the package that is not one of
    its modules, so code that uses the package as its documentation says works unchanged. Does nothing when the package
    was imported before, or does not exist.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = spec.loader
    package = importlib.util.module_from_spec(spec)

    def find_attribute(wanted: str) -> object:
        if not wanted.startswith("_") and importlib.util.find_spec(f"{name}.{wanted}") is not None:
            return importlib.import_module(f"{name}.{wanted}")
        if "__getattr__" not in vars(package):
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}")
        del package.__getattr__
        loader.exec_module(package)
        return getattr(package, wanted)

    package.__getattr__ = find_attribute  # type: ignore[method-assign]  # PEP 562
    sys.modules[name] = package
