"""Tells by a hash whether sources changed since something was made from them."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

_IGNORED_FOLDERS = {"__pycache__", "node_modules", "cdk.out"}


def fingerprint(paths: Iterable[Path], *, root: Path) -> str:
    """Hash the names and contents of files and of all files below folders, and this Python's version."""
    digest = hashlib.sha256(f"{sys.implementation.cache_tag}\n".encode())
    for path in paths:
        for file in sorted(_files(path)):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            digest.update(f"{file.relative_to(root)} {content}\n".encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    return (
        file
        for file in path.rglob("*")
        if file.is_file() and not _IGNORED_FOLDERS.intersection(file.parts) and file.suffix != ".pyc"
    )
