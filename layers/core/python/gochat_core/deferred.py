"""Defers what modules of others run when imported, so that a function that needs a part of them starts sooner."""

import importlib
import importlib.util
import sys


def defer_module(name: str, *, first: str | None = None) -> None:
    """Let a module be imported without running it, and the modules of a package without running its `__init__` first.

    redis-py's imports its asyncio client as well, kafka-python's its admin client and its consumer: more than half of
    what they cost. It runs after all, once, as soon as anything is asked of it that is not one of its modules, so code
    that uses it as its documentation says works unchanged. Of a package, `first` names a module that is looked into
    before. Does nothing when it was imported before, or does not exist.
    """
    if name in sys.modules:
        return
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # what it would be in does not exist
        return
    if spec is None or spec.loader is None:
        return
    loader = spec.loader
    package = importlib.util.module_from_spec(spec)

    def find_attribute(wanted: str) -> object:
        is_package = spec.submodule_search_locations is not None
        if is_package and not wanted.startswith("_") and importlib.util.find_spec(f"{name}.{wanted}") is not None:
            return importlib.import_module(f"{name}.{wanted}")
        if first is not None and hasattr(found := importlib.import_module(f"{name}.{first}"), wanted):
            return getattr(found, wanted)
        if "__getattr__" not in vars(package):
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}")
        del package.__getattr__
        loader.exec_module(package)
        return getattr(package, wanted)

    package.__getattr__ = find_attribute  # type: ignore[method-assign]  # PEP 562
    sys.modules[name] = package
